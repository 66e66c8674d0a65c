// Names for values and blocks: hints where there are any, made unique within what can see them,
// else numbers. All values of a region are named before those of the regions inside, so that no
// inner name hides an outer one, wherever it is defined. Isolated ops start afresh, and are named
// when they are printed, except in the generic form, whose readers need not know which ops are
// isolated.
//
// A name is a number in the op, argument or block: its own, or that of the suffix which makes its
// hint unique. The few that this cannot express are texts in the printer's maps.

#include <stdio.h>

#include "ir/text_internal.h"

typedef struct namer {
  dl_printer *o;
  dl_ptr_map used;         // dl_ident -> next suffix to try + 1, as a pointer
  DL_VEC(dl_ident) order;  // names in use, in order of assignment
  uint32_t next_value, next_arg;
} namer;

static void use_name(namer *n, dl_ident name) {
  dl_ptr_map_set(&n->used, name, (void *)1);
  DL_PUSH(&n->order, name);
}

static bool is_fine(dl_ident hint) {
  bool fine = hint[0] && !(hint[0] >= '0' && hint[0] <= '9');
  for (const char *c = hint; *c && fine; c++) fine = dl_is_suffix_char(*c);
  return fine;
}

// Letters, digits, $ . _ and - survive; a leading digit gets a _ before it.
static dl_ident sanitize(dl_context *ctx, dl_ident hint) {
  if (is_fine(hint)) return hint;
  dl_buffer out = {0};
  if (hint[0] >= '0' && hint[0] <= '9') dl_buffer_putc(&out, '_');
  for (const char *c = hint; *c; c++) dl_buffer_putc(&out, dl_is_suffix_char(*c) ? *c : '_');
  if (!hint[0]) dl_buffer_putc(&out, '_');
  dl_ident name = dl_intern(ctx, (dl_str){out.data, out.len});
  dl_buffer_free(&out);
  return name;
}

// Returns 0 when `base` itself is free, else 1 + the number after `base_`.
static uint32_t unique_suffix(namer *n, dl_ident base) {
  dl_ident name = base;
  uintptr_t next = (uintptr_t)dl_ptr_map_get(&n->used, base);
  uint32_t suffix = 0;
  if (next) {
    do {
      suffix = (uint32_t)next++;
      name = dl_intern_f(n->o->ctx, "%s_%u", base, suffix - 1);
    } while (dl_ptr_map_has(&n->used, name));
    dl_ptr_map_set(&n->used, base, (void *)next);
  }
  use_name(n, name);
  return suffix;
}

// --- names that are texts ---

static void set_text(namer *n, const dl_value *value, dl_ident base, uint32_t suffix, size_t group,
                     size_t index) {
  dl_buffer text = {0};
  if (base && suffix)
    dl_buffer_printf(&text, "%%%s_%u", base, suffix - 1);
  else if (base)
    dl_buffer_printf(&text, "%%%s", base);
  else
    dl_buffer_printf(&text, "%%%u", n->next_value);
  if (group > 1) dl_buffer_printf(&text, "#%zu", index);
  char *kept = dl_arena_copy_str(n->o->arena, (dl_str){text.data, text.len});
  dl_ptr_map_set(&n->o->value_names, value, kept);
  dl_buffer_free(&text);
}

static size_t group_size(const dl_op *op, size_t first) {
  size_t end = first + 1;
  while (end < op->num_results && !op->results[end].name) end++;
  return end - first;
}

static void name_group(namer *n, const dl_op *op, size_t first, size_t count) {
  dl_ident hint = dl_value_name(&op->results[first]);
  dl_ident base = hint ? sanitize(n->o->ctx, hint) : NULL;
  uint32_t suffix = base ? unique_suffix(n, base) : 0;
  for (size_t i = 0; i < count; i++) set_text(n, &op->results[first + i], base, suffix, count, i);
  n->next_value += !base;
}

static uint32_t name_groups(namer *n, const dl_op *op) {
  for (size_t first = 0, count; first < op->num_results; first += count) {
    count = group_size(op, first);
    name_group(n, op, first, count);
  }
  return DL_NAME_IS_TEXT;
}

// --- values ---

static void name_results(namer *n, const dl_op *op) {
  uint32_t *number = &((dl_op *)op)->number;
  if (!op->num_results) return;
  const dl_value *first = &op->results[0];
  dl_ident hint = dl_value_name(first);
  if ((hint && !is_fine(hint)) || (op->num_results > 1 && group_size(op, 0) < op->num_results))
    *number = name_groups(n, op);
  else
    *number = hint ? unique_suffix(n, hint) : n->next_value++;
}

static uint32_t argument_number(namer *n) {
  dl_ident name;
  do {
    name = dl_intern_f(n->o->ctx, "arg%u", n->next_arg++);
  } while (dl_ptr_map_has(&n->used, name));
  use_name(n, name);
  return DL_NAME_IS_ARG | (n->next_arg - 1);
}

static uint32_t arg_number(namer *n, const dl_value *arg, bool entry) {
  dl_ident hint = dl_value_name(arg);
  if (!hint) return entry ? argument_number(n) : n->next_value++;
  if (is_fine(hint)) return unique_suffix(n, hint);
  dl_ident base = sanitize(n->o->ctx, hint);
  set_text(n, arg, base, unique_suffix(n, base), 1, 0);
  return DL_NAME_IS_TEXT;
}

static void name_args(namer *n, const dl_block *block, bool entry) {
  for (uint32_t i = 0; i < block->num_args; i++)
    block->args[i]->number = arg_number(n, &block->args[i]->value, entry);
}

// --- blocks ---

static void name_block(namer *n, dl_block *block, uint32_t index, dl_ptr_map *labels) {
  block->number = index;
  dl_ident label = block->label;
  if (!label) return;
  label = sanitize(n->o->ctx, label);
  if (dl_is_numbered_label(label) || dl_ptr_map_has(labels, label)) return;
  dl_ptr_map_set(labels, label, n);
  dl_ptr_map_set(&n->o->block_names, block, (void *)label);
  block->number = DL_NAME_IS_TEXT;
}

static void note_successors(namer *n, const dl_op *op) {
  for (uint32_t i = 0; i < op->num_successors; i++)
    dl_ptr_map_set(&n->o->branched, dl_successors(op)[i], n);
}

// --- regions ---

bool dl_names_at_once(const dl_printer *o) { return o->options.generic || o->options.unique_names; }

static void name_region(namer *n, const dl_region *region);

static void name_inner(namer *n, const dl_op *op) {
  if ((op->info->traits & DL_ISOLATED) && !dl_names_at_once(n->o)) return;
  for (uint32_t i = 0; i < op->num_regions; i++) name_region(n, &dl_filled_regions(op)[i]);
}

static void name_region(namer *n, const dl_region *region) {
  size_t mark = n->order.len;
  uint32_t value = n->next_value, arg = n->next_arg, index = 0;
  bool nested = false;
  dl_ptr_map labels = {0};
  for (dl_block *block = region->first; block; block = block->next) {
    name_block(n, block, index, &labels);
    name_args(n, block, index++ == 0);
    for (const dl_op *op = block->first; op; op = op->next) {
      name_results(n, op);
      if (op->num_successors) note_successors(n, op);
      nested |= op->num_regions != 0;
    }
  }
  for (const dl_block *block = region->first; block && nested; block = block->next)
    for (const dl_op *op = block->first; op; op = op->next)
      if (op->num_regions) name_inner(n, op);
  dl_ptr_map_free(&labels);
  if (n->o->options.unique_names) return;
  while (n->order.len > mark) dl_ptr_map_remove(&n->used, n->order.data[--n->order.len]);
  n->next_value = value;
  n->next_arg = arg;
}

static void finish(namer *n) {
  dl_ptr_map_free(&n->used);
  DL_VEC_FREE(&n->order);
}

void dl_name_isolated(dl_printer *o, const dl_op *op) {
  namer n = {.o = o};
  for (uint32_t i = 0; i < op->num_regions; i++) name_region(&n, &dl_filled_regions(op)[i]);
  finish(&n);
}

// --- values from outside of what is printed ---

static bool is_inside(const dl_op *root, const dl_value *value) {
  const dl_block *block = dl_defining_block(value);
  const dl_op *def = dl_is_arg(value) ? NULL : dl_result_owner(value);
  return def == root || (block && dl_op_is_ancestor(root, dl_block_parent(block)));
}

typedef struct outside {
  namer *n;
  const dl_op *root;
} outside;

// Its text alone does not define them, so they are named by what does.
static bool name_outside(dl_op *op, void *user) {
  outside *search = user;
  namer *n = search->n;
  for (uint32_t i = 0; i < op->num_operands; i++) {
    const dl_value *value = op->operands[i].value;
    if (!value || dl_ptr_map_has(&n->o->value_names, value) || is_inside(search->root, value))
      continue;
    dl_ident hint = dl_value_name(value);
    dl_ident base = hint ? sanitize(n->o->ctx, hint) : NULL;
    set_text(n, value, base, base ? unique_suffix(n, base) : 0, 1, 0);
    n->next_value += !base;
    n->o->has_outside = true;
  }
  return true;
}

void dl_name_values(dl_printer *o, const dl_op *op) {
  namer n = {.o = o};
  name_results(&n, op);
  note_successors(&n, op);
  name_inner(&n, op);
  // An isolated op at the top, the usual case, uses nothing from outside.
  if (op->num_operands || !(op->info->traits & DL_ISOLATED))
    dl_walk((dl_op *)op, name_outside, &(outside){&n, op});
  finish(&n);
}
