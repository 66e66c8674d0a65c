#include <criterion/criterion.h>

#include "ir/op.h"
#include "ir/op_def.h"

static const char *const body_name[] = {"body"};
static const dl_value_spec any_number[] = {{"values", "any", DL_VARIADIC, 0}};

#define ANY .num_operands = 1, .operands = any_number, .num_results = 1, .results = any_number
static const dl_op_def top_def = {.name = "v.top",
                                  .traits = DL_ISOLATED | DL_SYMBOL_TABLE | DL_NO_TERMINATOR,
                                  .num_regions = 1,
                                  .regions = body_name};
static const dl_op_def func_def = {
    .name = "v.func", .traits = DL_ISOLATED, .num_regions = 1, .regions = body_name};
static const dl_op_def block_def = {
    .name = "v.block", .traits = DL_SINGLE_BLOCK, .num_regions = 1, .regions = body_name};
static const dl_successor_spec targets[] = {{"left", DL_NO_GROUP}, {"right", DL_NO_GROUP}};
static const dl_op_def jump_def = {
    .name = "v.jump", .traits = DL_TERMINATOR, .num_successors = 1, .successors = targets, ANY};
static const dl_op_def fork_def = {
    .name = "v.fork", .traits = DL_TERMINATOR, .num_successors = 2, .successors = targets, ANY};
static const dl_op_def end_def = {.name = "v.end", .traits = DL_TERMINATOR, ANY};
static const dl_op_def op_def = {.name = "v.op", ANY};
static const dl_op_def same_def = {.name = "v.same", .traits = DL_SAME_TYPE, ANY};

static dl_context *ctx;
static dl_buffer messages;
static dl_op *top;
static dl_block *body;

static void collect(void *user, const dl_diagnostic *diagnostic) {
  (void)user;
  dl_buffer_printf(&messages, "%s\n", diagnostic->message);
}

static dl_op *add_op(dl_block *block, const dl_op_def *def, size_t num_operands,
                     dl_value *const *operands, size_t num_results) {
  dl_type types[] = {dl_int_type(ctx, 32), dl_int_type(ctx, 32)};
  dl_op *op = dl_op_create(ctx, &(dl_op_state){.def = def,
                                               .num_operands = num_operands,
                                               .operands = operands,
                                               .num_results = num_results,
                                               .result_types = types,
                                               .num_regions = def->num_regions});
  if (block) dl_op_append(block, op);
  return op;
}

static dl_block *add_block(dl_op *op) {
  dl_block *block = dl_block_create(ctx);
  dl_block_append(dl_op_region(op, 0), block);
  return block;
}

static void setup(void) {
  ctx = dl_context_create();
  messages = (dl_buffer){0};
  dl_set_diag_handler(ctx, collect, NULL);
  top = add_op(NULL, &top_def, 0, NULL, 0);
  body = add_block(add_op(add_block(top), &func_def, 0, NULL, 0));
}

static void teardown(void) {
  dl_op_destroy_tree(top);
  dl_buffer_free(&messages);
  dl_context_destroy(ctx);
}

TestSuite(verify, .init = setup, .fini = teardown);

static void expect_error(const char *text) {
  cr_assert_eq(dl_verify(top), DL_FAILED);
  cr_assert(messages.data && strstr(messages.data, text), "%s", messages.data);
}

Test(verify, accepts_what_is_in_order) {
  dl_op *a = add_op(body, &op_def, 0, NULL, 2);
  add_op(body, &end_def, 1, (dl_value *[]){dl_result(a, 1)}, 0);
  cr_assert_eq(dl_verify(top), DL_OK);
}

Test(verify, reports_a_missing_terminator) {
  add_op(body, &op_def, 0, NULL, 0);
  expect_error("'v.op' op ends a block but is no terminator");
}

Test(verify, reports_an_early_terminator) {
  add_op(body, &end_def, 0, NULL, 0);
  add_op(body, &end_def, 0, NULL, 0);
  expect_error("'v.end' op must be the last operation in its block");
}

Test(verify, reports_a_use_before_the_definition) {
  dl_op *a = add_op(body, &op_def, 0, NULL, 1);
  dl_op *b = add_op(body, &op_def, 1, (dl_value *[]){dl_result(a, 0)}, 0);
  add_op(body, &end_def, 0, NULL, 0);
  dl_op_move_before(b, a);
  expect_error("operand #0 does not dominate this use\noperand defined here");
}

Test(verify, reports_values_that_cross_isolation) {
  dl_op *a = add_op(dl_op_block(dl_block_parent(body)), &op_def, 0, NULL, 1);
  add_op(body, &end_def, 1, (dl_value *[]){dl_result(a, 0)}, 0);
  expect_error("'v.end' op uses a value (operand #0) defined outside of an isolated op");
}

Test(verify, follows_the_control_flow) {
  dl_op *func = dl_block_parent(body);
  dl_block *left = add_block(func), *right = add_block(func), *join = add_block(func);
  dl_op_state branch = {
      .def = &fork_def, .num_successors = 2, .successors = (dl_block *[]){left, right}};
  dl_op *a = add_op(body, &op_def, 0, NULL, 1);
  dl_op_append(body, dl_op_create(ctx, &branch));
  dl_op *b = add_op(left, &op_def, 1, (dl_value *[]){dl_result(a, 0)}, 1);
  branch.def = &jump_def;
  branch.num_successors = 1;
  branch.successors = &join;
  dl_op_append(left, dl_op_create(ctx, &branch));
  dl_op_append(right, dl_op_create(ctx, &branch));
  dl_op *end = add_op(join, &end_def, 1, (dl_value *[]){dl_result(a, 0)}, 0);
  cr_assert_eq(dl_verify(top), DL_OK, "%s", messages.data);
  dl_set_operand(end, 0, dl_result(b, 0));
  expect_error("operand #0 does not dominate this use");
}

Test(verify, reports_everything) {
  add_op(body, &same_def, 0, NULL, 0);
  dl_op *other = add_op(dl_op_block(dl_block_parent(body)), &block_def, 0, NULL, 0);
  add_op(add_block(other), &op_def, 0, NULL, 0);
  add_op(add_block(other), &end_def, 0, NULL, 0);
  cr_assert_eq(dl_verify(top), DL_FAILED);
  cr_assert(strstr(messages.data, "'v.same' op ends a block"));
  cr_assert(strstr(messages.data, "'v.block' op region #0 must have at most one block"));
  cr_assert(strstr(messages.data, "'v.op' op ends a block"));
}

Test(verify, reports_mixed_types) {
  dl_op *a = add_op(body, &op_def, 0, NULL, 1), *b = add_op(body, &op_def, 0, NULL, 1);
  dl_value_set_type(dl_result(b, 0), dl_f32_type(ctx));
  add_op(body, &same_def, 2, (dl_value *[]){dl_result(a, 0), dl_result(b, 0)}, 1);
  add_op(body, &end_def, 0, NULL, 0);
  expect_error("'v.same' op requires all operands to have the same type");
}

Test(verify, reports_symbols_defined_twice) {
  add_op(body, &end_def, 0, NULL, 0);
  dl_block *outer = dl_op_block(dl_block_parent(body));
  for (int i = 0; i < 2; i++)
    dl_set_attr(add_op(outer, &op_def, 0, NULL, 0), "sym_name", dl_string_attr_z(ctx, "f"));
  expect_error("redefinition of symbol named 'f'\nsee existing symbol definition here");
}

Test(verify, reports_unregistered_ops) {
  add_op(body, dl_unregistered_op_def(ctx, DL_STR("x.y")), 0, NULL, 0);
  expect_error("'x.y' op is not registered by any loaded dialect");
  dl_allow_unregistered(ctx, true);
  cr_assert_eq(dl_verify(top), DL_OK);
}
