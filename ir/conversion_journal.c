#include "ir/conversion_internal.h"

void dl_map_value(dl_conversion *cv, dl_value *value, size_t count, dl_value *const *to) {
  dl_mapped *mapped = dl_malloc(sizeof(*mapped) + count * sizeof(*mapped->values));
  mapped->count = count;
  if (count) memcpy(mapped->values, to, count * sizeof(*to));
  free(dl_ptr_map_get(&cv->mapping, value));
  dl_ptr_map_set(&cv->mapping, value, mapped);
}

static void unmap(dl_conversion *cv, const dl_value *value) {
  free(dl_ptr_map_get(&cv->mapping, value));
  dl_ptr_map_remove(&cv->mapping, value);
}

void dl_remap(const dl_conversion *cv, dl_value *value, dl_value_list *into) {
  const dl_mapped *mapped = dl_ptr_map_get(&cv->mapping, value);
  if (!mapped) DL_PUSH(into, value);
  for (size_t i = 0; mapped && i < mapped->count; i++) dl_remap(cv, mapped->values[i], into);
}

bool dl_is_replaced(const dl_conversion *cv, const dl_op *op) {
  for (; op; op = dl_op_parent(op))
    if (dl_ptr_map_has(&cv->replaced, op)) return true;
  return false;
}

void dl_note_building(dl_conversion *cv, dl_op *op) {
  DL_PUSH(
      &cv->journal,
      (dl_change){
          .kind = DL_CHANGE_BUILT, .op = op, .block = dl_op_block(op), .previous = dl_op_prev(op)});
}

// --- changes by patterns ---

void dl_cv_replace_by_many(dl_conversion *cv, dl_op *op, const size_t *counts,
                           dl_value *const *values) {
  if (op == cv->root) dl_bug(op, "a conversion replaces the op that it runs on");
  for (size_t i = 0; i < dl_num_results(op); values += counts[i++]) {
    if (counts[i] == 1 && !dl_value_name(values[0]))
      dl_value_set_name(values[0], dl_value_name(dl_result(op, i)));
    dl_map_value(cv, dl_result(op, i), counts[i], values);
  }
  dl_ptr_map_set(&cv->replaced, op, op);
  DL_PUSH(&cv->journal, (dl_change){.kind = DL_CHANGE_REPLACED, .op = op});
}

void dl_cv_replace(dl_conversion *cv, dl_op *op, size_t count, dl_value *const *values) {
  if (count != dl_num_results(op))
    dl_bug(op, "%zu values are to replace %zu results", count, dl_num_results(op));
  size_t *ones = dl_malloc((count + 1) * sizeof(*ones));
  for (size_t i = 0; i < count; i++) ones[i] = 1;
  dl_cv_replace_by_many(cv, op, ones, values);
  free(ones);
}

void dl_cv_erase(dl_conversion *cv, dl_op *op) {
  size_t *none = dl_calloc(dl_num_results(op) + 1, sizeof(*none));
  dl_cv_replace_by_many(cv, op, none, NULL);
  free(none);
}

void dl_cv_modify(dl_conversion *cv, dl_op *op) {
  dl_op_snapshot *before = dl_calloc(1, sizeof(*before));
  before->loc = dl_op_loc(op);
  for (size_t i = 0; i < dl_num_operands(op); i++) DL_PUSH(&before->operands, dl_operand(op, i));
  for (size_t i = 0; i < dl_num_inherent_attrs(op); i++)
    DL_PUSH(&before->inherent, dl_inherent_attr(op, i));
  for (size_t i = 0; i < dl_num_discardable_attrs(op); i++)
    DL_PUSH(&before->discardable, dl_discardable_attr(op, i));
  for (size_t i = 0; i < dl_num_successors(op); i++)
    DL_PUSH(&before->successors, dl_successor(op, i));
  DL_PUSH(&cv->journal, (dl_change){.kind = DL_CHANGE_MODIFIED, .op = op, .before = before});
}

void dl_cv_take_region(dl_conversion *cv, dl_region *to, dl_region *from) {
  dl_region_take(to, from);
  DL_PUSH(&cv->journal, (dl_change){.kind = DL_CHANGE_TAKEN, .from = from, .to = to});
}

static bool convert_type(const dl_conversion *cv, dl_type type, dl_type_list *into) {
  const dl_type_converter *types = cv->config->types;
  if (types) return types->convert(type, into, cv->config->user);
  DL_PUSH(into, type);
  return true;
}

static void add_arguments(dl_conversion *cv, dl_block *block, const dl_type_list *types,
                          const size_t *counts, size_t num_old) {
  for (size_t i = 0, next = 0; i < num_old; i++) {
    dl_value *old = dl_arg(block, i);
    dl_value_list added = {0};
    for (size_t k = 0; k < counts[i]; k++)
      DL_PUSH(&added, dl_add_arg(block, types->data[next++], dl_value_loc(old)));
    if (added.len == 1) dl_value_set_name(added.data[0], dl_value_name(old));
    dl_map_value(cv, old, added.len, added.data);
    DL_VEC_FREE(&added);
  }
}

bool dl_cv_convert_arguments(dl_conversion *cv, dl_block *block) {
  if (dl_ptr_map_has(&cv->converted, block)) return true;
  size_t num_old = dl_num_args(block);
  size_t *counts = dl_calloc(num_old + 1, sizeof(*counts));
  dl_type_list types = {0};
  bool same = true, possible = true;
  for (size_t i = 0; i < num_old && possible; i++) {
    size_t before = types.len;
    possible = convert_type(cv, dl_value_type(dl_arg(block, i)), &types);
    counts[i] = types.len - before;
    same &= possible && counts[i] == 1 && types.data[before] == dl_value_type(dl_arg(block, i));
  }
  if (possible && !same) {
    DL_PUSH(&cv->journal,
            (dl_change){.kind = DL_CHANGE_ARGUMENTS, .block = block, .count = num_old});
    dl_ptr_map_set(&cv->converted, block, (void *)(num_old + 1));
    add_arguments(cv, block, &types, counts, num_old);
  }
  DL_VEC_FREE(&types);
  free(counts);
  return possible;
}

// --- taking back ---

static void snapshot_free(dl_op_snapshot *snapshot) {
  if (!snapshot) return;
  DL_VEC_FREE(&snapshot->operands);
  DL_VEC_FREE(&snapshot->inherent);
  DL_VEC_FREE(&snapshot->discardable);
  DL_VEC_FREE(&snapshot->successors);
  free(snapshot);
}

static void restore(dl_op *op, const dl_op_snapshot *before) {
  if (dl_op_loc(op) != before->loc) dl_op_set_loc(op, before->loc);
  dl_set_operands(op, before->operands.len, before->operands.data);
  while (dl_num_inherent_attrs(op)) dl_set_inherent_attr(op, dl_inherent_attr(op, 0).name, NULL);
  while (dl_num_discardable_attrs(op))
    dl_set_discardable_attr(op, dl_discardable_attr(op, 0).name, NULL);
  for (size_t i = 0; i < before->inherent.len; i++)
    dl_set_inherent_attr(op, before->inherent.data[i].name, before->inherent.data[i].value);
  for (size_t i = 0; i < before->discardable.len; i++)
    dl_set_discardable_attr(op, before->discardable.data[i].name,
                            before->discardable.data[i].value);
  for (size_t i = 0; i < before->successors.len; i++)
    dl_set_successor(op, i, before->successors.data[i]);
}

static dl_op *first_built(const dl_change *change) {
  return change->previous ? dl_op_next(change->previous) : dl_block_first(change->block);
}

// Ops that were there before may lie in regions that what is built took over.
static void doom(const dl_conversion *cv, dl_op *op, dl_ptr_map *doomed) {
  if (dl_ptr_map_has(&cv->original, op)) return;
  dl_ptr_map_set(doomed, op, op);
  dl_set_operands(op, 0, NULL);
  for (size_t i = 0; i < dl_num_regions(op); i++) DL_FOR_BLOCKS(block, dl_op_region(op, i)) {
      DL_FOR_OPS(inner, block) doom(cv, inner, doomed);
    }
}

static void undo_one(dl_conversion *cv, const dl_change *change, const dl_ptr_map *doomed) {
  switch (change->kind) {
    case DL_CHANGE_BUILT:
      for (dl_op *op = first_built(change), *next; op != change->op; op = next) {
        next = dl_op_next(op);
        dl_op_unlink(op);
        dl_op_destroy_tree(op);
      }
      return;
    case DL_CHANGE_REPLACED:
      for (size_t i = 0; i < dl_num_results(change->op); i++) unmap(cv, dl_result(change->op, i));
      dl_ptr_map_remove(&cv->replaced, change->op);
      return;
    case DL_CHANGE_MODIFIED:
      if (!dl_ptr_map_has(doomed, change->op)) restore(change->op, change->before);
      return;
    case DL_CHANGE_ARGUMENTS:
      for (size_t i = 0; i < change->count; i++) unmap(cv, dl_arg(change->block, i));
      while (dl_num_args(change->block) > change->count)
        dl_remove_arg(change->block, dl_num_args(change->block) - 1);
      dl_ptr_map_remove(&cv->converted, change->block);
      return;
    case DL_CHANGE_TAKEN:
      dl_region_take(change->from, change->to);
      return;
  }
}

// Casts are built like everything else; the list must not name those that are gone.
static void forget_casts(dl_conversion *cv, dl_op *op) {
  for (size_t i = 0; i < cv->casts.len; i++)
    if (cv->casts.data[i] == op) cv->casts.data[i] = NULL;
}

void dl_undo(dl_conversion *cv, size_t count) {
  // What is built may use arguments and results that go first.
  dl_ptr_map doomed = {0};
  for (size_t i = count; i < cv->journal.len; i++) {
    const dl_change *change = &cv->journal.data[i];
    if (change->kind != DL_CHANGE_BUILT) continue;
    for (dl_op *op = first_built(change); op != change->op; op = dl_op_next(op)) {
      doom(cv, op, &doomed);
      forget_casts(cv, op);
    }
  }
  while (cv->journal.len > count) {
    dl_change change = cv->journal.data[--cv->journal.len];
    undo_one(cv, &change, &doomed);
    snapshot_free(change.before);
  }
  dl_ptr_map_free(&doomed);
}

// --- making it final ---

static bool drop_visited(dl_op *op, void *user) {
  (void)user;
  dl_set_operands(op, 0, NULL);
  return true;
}

static void remove_old_arguments(const dl_change *change) {
  for (size_t i = change->count; i-- > 0;) dl_remove_arg(change->block, i);
}

// Those that are in no other op that goes.
static void destroy_replaced(dl_conversion *cv) {
  dl_op_list outermost = {0};
  for (size_t i = 0; i < cv->journal.len; i++) {
    dl_op *op = cv->journal.data[i].op;
    if (cv->journal.data[i].kind == DL_CHANGE_REPLACED && !dl_is_replaced(cv, dl_op_parent(op)))
      DL_PUSH(&outermost, op);
  }
  for (size_t i = 0; i < outermost.len; i++) {
    dl_op_unlink(outermost.data[i]);
    dl_op_destroy_tree(outermost.data[i]);
  }
  DL_VEC_FREE(&outermost);
}

static void erase_unused_casts(dl_conversion *cv) {
  for (bool again = true; again;) {
    again = false;
    for (size_t i = 0; i < cv->casts.len; i++) {
      dl_op *cast = cv->casts.data[i];
      bool used = !cast;
      for (size_t k = 0; !used && k < dl_num_results(cast); k++)
        used = dl_has_uses(dl_result(cast, k));
      if (used) continue;
      dl_op_erase(cast);
      cv->casts.data[i] = NULL;
      again = true;
    }
  }
}

void dl_commit(dl_conversion *cv) {
  for (size_t i = 0; i < cv->journal.len; i++)
    if (cv->journal.data[i].kind == DL_CHANGE_REPLACED)
      dl_walk(cv->journal.data[i].op, drop_visited, NULL);
  erase_unused_casts(cv);
  for (size_t i = 0; i < cv->journal.len; i++)
    if (cv->journal.data[i].kind == DL_CHANGE_ARGUMENTS &&
        !dl_is_replaced(cv, dl_block_parent(cv->journal.data[i].block)))
      remove_old_arguments(&cv->journal.data[i]);
  destroy_replaced(cv);
  for (size_t i = 0; i < cv->journal.len; i++) snapshot_free(cv->journal.data[i].before);
  cv->journal.len = 0;
}
