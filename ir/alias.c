#include "ir/alias.h"

// Where pointers come from, as far as it was asked for.
struct dl_aliases {
  dl_ptr_map origins;  // dl_value -> the value that it points into
};

// The operand that the results of op point into, or NULL.
static const dl_value *viewed(const dl_op *op) {
  const dl_op_def *def = dl_op_def_of(op);
  for (size_t g = 0; g < def->num_operands; g++) {
    size_t count, first = dl_operand_group(op, g, &count);
    if ((def->operands[g].effects & DL_EFFECT_VIEW) && count) return dl_operand(op, first);
  }
  return NULL;
}

static const dl_value *find_origin(const dl_value *value) {
  for (;;) {
    const dl_op *def = dl_value_def(value);
    const dl_value *below = def ? viewed(def) : NULL;
    if (!below) return value;
    value = below;
  }
}

static const dl_value *origin_of(dl_aliases *aliases, const dl_value *value) {
  const dl_value *origin = dl_ptr_map_get(&aliases->origins, value);
  if (origin) return origin;
  origin = find_origin(value);
  dl_ptr_map_set(&aliases->origins, value, (void *)origin);
  return origin;
}

static bool is_allocation(const dl_value *value) {
  const dl_op *def = dl_value_def(value);
  for (size_t g = 0; def && g < dl_op_def_of(def)->num_results; g++) {
    size_t count, first = dl_result_group(def, g, &count), i = dl_value_index(value);
    if (i >= first && i < first + count)
      return dl_op_def_of(def)->results[g].effects & DL_EFFECT_ALLOCATE;
  }
  return false;
}

static bool is_function_argument(const dl_value *value) {
  const dl_block *block = dl_value_block(value);
  const dl_op *parent = block ? dl_block_parent(block) : NULL;
  return parent && dl_has_trait(parent, DL_FUNCTION) &&
         dl_region_first(dl_block_region(block)) == block;
}

static bool is_apart(const dl_value *a, const dl_value *b) {
  return is_allocation(a) && (is_allocation(b) || is_function_argument(b));
}

dl_alias dl_alias_of(dl_aliases *aliases, const dl_value *a, const dl_value *b) {
  if (!a || !b) return DL_MAY_ALIAS;
  if (a == b) return DL_MUST_ALIAS;
  const dl_value *x = origin_of(aliases, a), *y = origin_of(aliases, b);
  return x != y && (is_apart(x, y) || is_apart(y, x)) ? DL_NO_ALIAS : DL_MAY_ALIAS;
}

bool dl_may_clobber(dl_aliases *aliases, size_t count, const dl_access *writes,
                    const dl_access_list *reads) {
  for (size_t i = 0; i < count; i++) {
    if (!(writes[i].effects & DL_EFFECT_WRITE)) continue;
    for (size_t k = 0; k < reads->len; k++)
      if (dl_alias_of(aliases, writes[i].pointer, reads->data[k].pointer) != DL_NO_ALIAS)
        return true;
  }
  return false;
}

static void *compute(dl_op *root) {
  (void)root;
  return dl_calloc(1, sizeof(dl_aliases));
}

static void destroy(void *result) {
  dl_ptr_map_free(&((dl_aliases *)result)->origins);
  free(result);
}

static bool results_hold(dl_op *op, void *user) {
  const dl_aliases *kept = user;
  for (size_t i = 0; i < dl_num_results(op); i++) {
    const dl_value *origin = dl_ptr_map_get(&kept->origins, dl_result(op, i));
    if (origin && origin != find_origin(dl_result(op, i))) return false;
  }
  return true;
}

// Origins are looked up when asked for, so a fresh result says nothing yet.
static bool holds(dl_op *root, void *kept, void *fresh) {
  (void)fresh;
  return dl_walk(root, results_hold, kept);
}

const dl_analysis_def dl_alias_analysis = {
    .name = "aliases", .compute = compute, .destroy = destroy, .holds = holds};
