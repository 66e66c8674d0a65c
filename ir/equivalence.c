#include "ir/equivalence.h"

#include "ir/hash.h"
#include "ir/op_def.h"

// Values and blocks of regions correspond by place: `same` maps those of one op to those of the
// other.
static bool regions_equivalent(const dl_op *a, const dl_op *b, dl_ptr_map *same);

// `same` is NULL for ops without regions, which hold nothing that could correspond.
static bool is_same(const dl_ptr_map *same, const void *a, const void *b) {
  if (!same) return a == b;
  void *other = dl_ptr_map_get(same, a);
  return other ? other == b : a == b;
}

static bool operands_equivalent(const dl_op *a, const dl_op *b, const dl_ptr_map *same) {
  size_t count = dl_num_operands(a), first = 0;
  if (dl_has_trait(a, DL_COMMUTATIVE) && count >= 2 &&
      is_same(same, dl_operand(a, 0), dl_operand(b, 1)) &&
      is_same(same, dl_operand(a, 1), dl_operand(b, 0)))
    first = 2;
  for (size_t i = first; i < count; i++)
    if (!is_same(same, dl_operand(a, i), dl_operand(b, i))) return false;
  return true;
}

static bool attrs_equivalent(const dl_op *a, const dl_op *b) {
  for (size_t i = 0; i < dl_num_inherent_attrs(a); i++) {
    dl_named_attr x = dl_inherent_attr(a, i), y = dl_inherent_attr(b, i);
    if (x.name != y.name || x.value != y.value) return false;
  }
  for (size_t i = 0; i < dl_num_discardable_attrs(a); i++) {
    dl_named_attr x = dl_discardable_attr(a, i), y = dl_discardable_attr(b, i);
    if (x.name != y.name || x.value != y.value) return false;
  }
  return true;
}

static bool counts_equal(const dl_op *a, const dl_op *b) {
  return dl_num_operands(a) == dl_num_operands(b) && dl_num_results(a) == dl_num_results(b) &&
         dl_num_inherent_attrs(a) == dl_num_inherent_attrs(b) &&
         dl_num_discardable_attrs(a) == dl_num_discardable_attrs(b) &&
         dl_num_regions(a) == dl_num_regions(b) && dl_num_successors(a) == dl_num_successors(b);
}

static bool equivalent(const dl_op *a, const dl_op *b, dl_ptr_map *same) {
  if (dl_op_def_of(a) != dl_op_def_of(b) || !counts_equal(a, b)) return false;
  if (!operands_equivalent(a, b, same) || !attrs_equivalent(a, b)) return false;
  for (size_t i = 0; i < dl_num_results(a); i++) {
    if (dl_value_type(dl_result(a, i)) != dl_value_type(dl_result(b, i))) return false;
    if (same) dl_ptr_map_set(same, dl_result(a, i), dl_result(b, i));
  }
  for (size_t i = 0; i < dl_num_successors(a); i++)
    if (!is_same(same, dl_successor(a, i), dl_successor(b, i))) return false;
  return regions_equivalent(a, b, same);
}

static bool arguments_equivalent(const dl_block *a, const dl_block *b, dl_ptr_map *same) {
  if (dl_num_args(a) != dl_num_args(b)) return false;
  for (size_t i = 0; i < dl_num_args(a); i++) {
    if (dl_value_type(dl_arg(a, i)) != dl_value_type(dl_arg(b, i))) return false;
    dl_ptr_map_set(same, dl_arg(a, i), dl_arg(b, i));
  }
  return true;
}

static bool blocks_equivalent(const dl_block *a, const dl_block *b, dl_ptr_map *same) {
  if (!arguments_equivalent(a, b, same)) return false;
  const dl_op *x = dl_block_first(a), *y = dl_block_first(b);
  for (; x && y; x = dl_op_next(x), y = dl_op_next(y))
    if (!equivalent(x, y, same)) return false;
  return !x && !y;
}

static bool region_equivalent(const dl_region *a, const dl_region *b, dl_ptr_map *same) {
  // Branches may go forward: the blocks are paired before any op is looked at.
  const dl_block *x = dl_region_first(a), *y = dl_region_first(b);
  for (; x && y; x = dl_block_next(x), y = dl_block_next(y)) dl_ptr_map_set(same, x, (void *)y);
  if (x || y) return false;
  x = dl_region_first(a), y = dl_region_first(b);
  for (; x; x = dl_block_next(x), y = dl_block_next(y))
    if (!blocks_equivalent(x, y, same)) return false;
  return true;
}

static bool regions_equivalent(const dl_op *a, const dl_op *b, dl_ptr_map *same) {
  for (size_t i = 0; i < dl_num_regions(a); i++)
    if (!region_equivalent(dl_op_region(a, i), dl_op_region(b, i), same)) return false;
  return true;
}

bool dl_ops_equivalent(const dl_op *a, const dl_op *b) {
  if (!dl_num_regions(a) && !dl_num_regions(b)) return equivalent(a, b, NULL);
  dl_ptr_map same = {0};
  bool result = equivalent(a, b, &same);
  dl_ptr_map_free(&same);
  return result;
}

static uint64_t operand_hash(const dl_op *op) {
  size_t count = dl_num_operands(op), first = 0;
  uint64_t hash = count;
  if (dl_has_trait(op, DL_COMMUTATIVE) && count >= 2) {
    hash += dl_hash_pointer(dl_operand(op, 0)) + dl_hash_pointer(dl_operand(op, 1));
    first = 2;
  }
  for (size_t i = first; i < count; i++)
    hash = dl_hash_mix(hash, dl_hash_pointer(dl_operand(op, i)));
  return hash;
}

uint64_t dl_op_hash(const dl_op *op) {
  uint64_t hash = dl_hash_mix(dl_hash_pointer(dl_op_def_of(op)), operand_hash(op));
  for (size_t i = 0; i < dl_num_results(op); i++)
    hash = dl_hash_mix(hash, dl_hash_pointer(dl_value_type(dl_result(op, i))));
  for (size_t i = 0; i < dl_num_inherent_attrs(op); i++)
    hash = dl_hash_mix(hash, dl_hash_pointer(dl_inherent_attr(op, i).value));
  return hash;
}
