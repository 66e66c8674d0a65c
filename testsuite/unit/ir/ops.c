#include <criterion/criterion.h>

#include "ir/op.h"
#include "ir/op_def.h"

static dl_context *ctx;
static dl_type i32;

static void setup(void) {
  ctx = dl_context_create();
  dl_allow_unregistered(ctx, true);
  i32 = dl_int_type(ctx, 32);
}
static void teardown(void) { dl_context_destroy(ctx); }

TestSuite(ops, .init = setup, .fini = teardown);

static dl_op *make(const char *name, size_t num_operands, dl_value *const *operands,
                   size_t num_results, size_t num_regions) {
  dl_type types[] = {i32, i32, i32, i32};
  return dl_op_create(ctx, &(dl_op_state){.def = dl_unregistered_op_def(ctx, dl_str_of(name)),
                                          .num_operands = num_operands,
                                          .operands = operands,
                                          .num_results = num_results,
                                          .result_types = types,
                                          .num_regions = num_regions});
}

static dl_block *body_of(dl_op *op) {
  dl_block *block = dl_block_create(ctx);
  dl_block_append(dl_op_region(op, 0), block);
  return block;
}

static size_t count_uses(const dl_value *value) {
  size_t count = 0;
  for (dl_use *use = dl_first_use(value); use; use = dl_next_use(use)) count++;
  return count;
}

Test(ops, use_lists_follow_operands) {
  dl_op *top = make("t.top", 0, NULL, 0, 1);
  dl_block *body = body_of(top);
  dl_op *a = make("t.a", 0, NULL, 2, 0);
  dl_op_append(body, a);
  dl_value *x = dl_result(a, 0), *y = dl_result(a, 1);
  dl_op *b = make("t.b", 3, (dl_value *[]){x, y, x}, 1, 0);
  dl_op_append(body, b);
  cr_assert(count_uses(x) == 2 && count_uses(y) == 1 && dl_has_one_use(y));
  cr_assert_eq(dl_use_owner(dl_first_use(y)), b);
  cr_assert_eq(dl_use_index(dl_first_use(y)), 1);
  dl_set_operand(b, 0, y);
  cr_assert(count_uses(x) == 1 && count_uses(y) == 2);
  dl_replace_all_uses(y, x);
  cr_assert(count_uses(x) == 3 && !dl_has_uses(y));
  dl_set_operands(b, 5, (dl_value *[]){y, y, y, y, x});
  cr_assert(count_uses(x) == 1 && count_uses(y) == 4 && dl_num_operands(b) == 5);
  cr_assert_eq(dl_value_def(y), a);
  cr_assert_eq(dl_value_index(y), 1);
  dl_op_replace(b, 1, (dl_value *[]){x});
  cr_assert(!dl_has_uses(x) && !dl_has_uses(y) && dl_block_last(body) == a);
  dl_op_destroy_tree(top);
}

Test(ops, attributes_keep_their_sets) {
  dl_op *op = make("t.a", 0, NULL, 0, 0);
  dl_set_inherent_attr(op, dl_intern_z(ctx, "b"), dl_i64_attr(ctx, 1));
  dl_set_attr(op, "c", dl_i64_attr(ctx, 2));
  dl_set_attr(op, "a", dl_i64_attr(ctx, 3));
  dl_set_attr(op, "b", dl_i64_attr(ctx, 4));
  cr_assert(dl_num_inherent_attrs(op) == 1 && dl_num_discardable_attrs(op) == 2);
  cr_assert_str_eq(dl_discardable_attr(op, 0).name, "a");
  cr_assert_eq(dl_get_i64(op, "b", 0), 4);
  dl_set_attr(op, "a", NULL);
  dl_set_attr(op, "b", NULL);
  cr_assert(dl_num_inherent_attrs(op) == 0 && dl_num_discardable_attrs(op) == 1);
  cr_assert_eq(dl_get_i64(op, "c", 0), 2);
  cr_assert_eq(dl_get_i64(op, "d", -1), -1);
  dl_op_destroy_tree(op);
}

Test(ops, order_holds_under_insertion_anywhere) {
  dl_op *top = make("t.top", 0, NULL, 0, 1);
  dl_block *body = body_of(top);
  unsigned state = 1;
  DL_VEC(dl_op *) ops = {0};
  for (int i = 0; i < 3000; i++) {
    dl_op *op = make("t.a", 0, NULL, 0, 0);
    state = state * 1664525u + 1013904223u;
    // Mostly at one place, so that the gaps there are used up.
    size_t at = i % 10 ? ops.len / 2 : ops.len ? (state >> 8) % ops.len : 0;
    if (ops.len) {
      dl_op_insert_before(op, ops.data[at]);
    } else {
      dl_op_append(body, op);
    }
    DL_PUSH(&ops, op);
    memmove(ops.data + at + 1, ops.data + at, (ops.len - 1 - at) * sizeof(dl_op *));
    ops.data[at] = op;
  }
  for (size_t i = 0; i + 1 < ops.len; i++) {
    cr_assert_eq(dl_op_next(ops.data[i]), ops.data[i + 1]);
    cr_assert(dl_op_is_before(ops.data[i], ops.data[i + 1]));
    cr_assert_not(dl_op_is_before(ops.data[i + 1], ops.data[i]));
  }
  DL_VEC_FREE(&ops);
  dl_op_destroy_tree(top);
}

Test(ops, cloning_maps_values_blocks_and_forward_references) {
  dl_op *outer = make("t.outer", 0, NULL, 1, 0);
  dl_value *outside = dl_result(outer, 0);
  dl_op *top = make("t.top", 1, &outside, 1, 1);
  dl_block *body = body_of(top);
  dl_value *arg = dl_add_arg(body, i32, NULL);
  dl_op *later = make("t.later", 1, &arg, 1, 0);
  dl_value *operands[] = {dl_result(later, 0), outside};
  dl_op *early = make("t.early", 2, operands, 0, 0);
  dl_op_append(body, early);
  dl_op_append(body, later);

  dl_op *other = make("t.other", 0, NULL, 1, 0);
  dl_ptr_map mapping = {0};
  dl_ptr_map_set(&mapping, outside, dl_result(other, 0));
  dl_op *clone = dl_op_clone(top, &mapping);
  dl_block *copy = dl_region_first(dl_op_region(clone, 0));
  dl_op *first = dl_block_first(copy);
  cr_assert_eq(dl_operand(clone, 0), dl_result(other, 0));
  cr_assert_eq(dl_operand(first, 1), dl_result(other, 0));
  cr_assert_eq(dl_operand(first, 0), dl_result(dl_op_next(first), 0));
  cr_assert_eq(dl_operand(dl_op_next(first), 0), dl_arg(copy, 0));
  cr_assert_eq(dl_ptr_map_get(&mapping, body), copy);
  cr_assert_eq(count_uses(outside), 2);
  dl_ptr_map_free(&mapping);

  dl_op_destroy_tree(clone);
  dl_op_destroy_tree(top);
  cr_assert(!dl_has_uses(outside));
  dl_op_destroy_tree(outer);
  dl_op_destroy_tree(other);
}

Test(ops, arguments_are_renumbered) {
  dl_block *block = dl_block_create(ctx);
  dl_value *a = dl_add_arg(block, i32, NULL), *b = dl_add_arg(block, i32, NULL);
  dl_value *front = dl_insert_arg(block, 0, i32, NULL);
  cr_assert(dl_value_index(a) == 1 && dl_value_index(b) == 2 && dl_value_block(front) == block);
  dl_remove_arg(block, 1);
  cr_assert(dl_value_index(b) == 1 && dl_num_args(block) == 2);
  dl_block_erase(block);
}

static bool count_op(dl_op *op, void *user) {
  (void)op;
  ++*(size_t *)user;
  return true;
}

static bool erase_leaf(dl_op *op, void *user) {
  (void)user;
  if (dl_op_parent(op)) dl_op_erase(op);
  return true;
}

Test(ops, walking) {
  dl_op *top = make("t.top", 0, NULL, 0, 1), *inner = make("t.inner", 0, NULL, 0, 1);
  dl_op_append(body_of(top), inner);
  dl_op_append(body_of(inner), make("t.leaf", 0, NULL, 0, 0));
  size_t count = 0;
  dl_walk(top, count_op, &count);
  cr_assert_eq(count, 3);
  dl_walk_post(top, erase_leaf, NULL);
  cr_assert_null(dl_block_first(dl_region_first(dl_op_region(top, 0))));
  dl_op_destroy_tree(top);
}

Test(ops, symbols) {
  dl_op *top = make("t.top", 0, NULL, 0, 1);
  dl_block *body = body_of(top);
  dl_op *f = make("t.f", 0, NULL, 0, 0);
  dl_set_attr(f, "sym_name", dl_string_attr_z(ctx, "f"));
  dl_op_append(body, f);
  cr_assert_eq(dl_symbol_lookup(top, dl_intern_z(ctx, "f")), f);
  cr_assert_null(dl_symbol_lookup(top, dl_intern_z(ctx, "g")));
  cr_assert_str_eq(dl_symbol_unique_name(top, "f"), "f_0");
  dl_op_destroy_tree(top);
}

static const dl_value_spec groups[] = {
    {"a", "any", DL_ONE, 0}, {"b", "any", DL_OPTIONAL, 0}, {"c", "any", DL_VARIADIC, 0}};
static const dl_op_def segmented = {.name = "t.segmented", .num_operands = 3, .operands = groups};
static const dl_op_def trailing = {.name = "t.trailing", .num_operands = 2, .operands = groups};

Test(ops, operand_groups) {
  dl_op *def = make("t.a", 0, NULL, 1, 0);
  dl_value *x = dl_result(def, 0), *operands[] = {x, x, x};
  dl_op_state state = {.def = &trailing, .num_operands = 1, .operands = operands};
  size_t count;
  dl_op *one = dl_op_create(ctx, &state);
  cr_assert(dl_operand_group(one, 1, &count) == 1 && count == 0);
  state = (dl_op_state){.def = &segmented, .num_operands = 3, .operands = operands};
  dl_op *three = dl_op_create(ctx, &state);
  dl_set_attr(three, "operandSegmentSizes", dl_i32_array_attr(ctx, 3, (int32_t[]){1, 0, 2}));
  cr_assert(dl_operand_group(three, 1, &count) == 1 && count == 0);
  cr_assert(dl_operand_group(three, 2, &count) == 1 && count == 2);
  cr_assert_eq(dl_num_inherent_attrs(three), 1);
  dl_op_destroy_tree(one);
  dl_op_destroy_tree(three);
  dl_op_destroy_tree(def);
}
