#include "ir/text.h"

#include <criterion/criterion.h>

#include "ir/plugin.h"

static dl_context *ctx;
static dl_buffer messages;

static void collect(void *user, const dl_diagnostic *diagnostic) {
  (void)user;
  dl_buffer where = {0};
  dl_print_loc(&where, diagnostic->loc);
  dl_buffer_printf(&messages, "%s %s\n", where.data, diagnostic->message);
  dl_buffer_free(&where);
}

static void set_up(void) {
  ctx = dl_context_create();
  dl_set_diag_handler(ctx, collect, NULL);
  dl_allow_unregistered(ctx, true);
  cr_assert_eq(dl_register_builtin_dialects(ctx), DL_OK);
}

static void tear_down(void) {
  dl_buffer_free(&messages);
  dl_context_destroy(ctx);
}

TestSuite(text, .init = set_up, .fini = tear_down);

static dl_op *parse(const char *text) { return dl_parse_module(ctx, dl_str_of(text), "test"); }

static void expect_printed(const dl_op *op, const char *expected) {
  dl_buffer out = {0};
  dl_print_op(&out, op, NULL);
  cr_assert_str_eq(out.data, expected);
  dl_buffer_free(&out);
}

Test(text, reads_single_types_and_attributes) {
  dl_type type = dl_parse_type_text(ctx, DL_STR("tensor<4x?xf32>"));
  int64_t shape[] = {4, DL_DYNAMIC};
  cr_assert_eq(type, dl_tensor_type(dl_f32_type(ctx), 2, shape, NULL));
  dl_attr attr = dl_parse_attr_text(ctx, DL_STR("[1 : i32, \"x\"]"));
  cr_assert_eq(attr->kind, DL_ATTR_ARRAY);
  cr_assert_eq(attr->count, 2);
}

Test(text, wants_the_whole_text) {
  cr_assert_null(dl_parse_type_text(ctx, DL_STR("f32 f32")));
  cr_assert_null(dl_parse_attr_text(ctx, DL_STR("1 : i32 : i32")));
  cr_assert_null(dl_parse_attr_text(ctx, DL_STR("")));
  cr_assert_str_eq(messages.data,
                   "\"<type>\":1:5 expected the text to end here\n"
                   "\"<attribute>\":1:9 expected the text to end here\n"
                   "\"<attribute>\":1:1 expected an attribute\n");
}

Test(text, keeps_name_hints) {
  dl_op *module = parse("%acc:2, %0 = test.op() : () -> (i1, i1, i1)");
  dl_op *op = dl_block_first(dl_region_first(dl_op_region(module, 0)));
  cr_assert_str_eq(dl_value_name(dl_result(op, 0)), "acc");
  cr_assert_null(dl_value_name(dl_result(op, 1)));
  cr_assert_null(dl_value_name(dl_result(op, 2)));
  dl_op_destroy_tree(module);
}

Test(text, makes_clashing_and_odd_names_readable) {
  dl_op *module = parse(
      "%a = test.op() : () -> i1\n%b = test.op() : () -> i1\n%c = test.op(%a, %b) : (i1, i1) -> "
      "i1");
  dl_op *first = dl_block_first(dl_region_first(dl_op_region(module, 0)));
  dl_value_set_name(dl_result(dl_op_next(first), 0), dl_intern_z(ctx, "a"));
  dl_value_set_name(dl_result(dl_op_next(dl_op_next(first)), 0), dl_intern_z(ctx, "1 x"));
  expect_printed(module,
                 "module {\n"
                 "  %a = test.op() : () -> i1\n"
                 "  %a_0 = test.op() : () -> i1\n"
                 "  %_1_x = test.op(%a, %a_0) : (i1, i1) -> i1\n"
                 "}\n");
  dl_op_destroy_tree(module);
}

// What the verifier will refuse still prints, in a form that reads back.
Test(text, prints_ops_that_do_not_follow_their_definition) {
  const char *text =
      "module {\n"
      "  \"func.func\"() ({\n"
      "  }) : () -> ()\n"
      "  %0 = \"arith.cmpi\"() : () -> i1\n"
      "  \"arith.addi\"(%0) : (i1) -> ()\n"
      "  \"loop.for\"() : () -> ()\n"
      "  \"tensor.compute\"() : () -> ()\n"
      "}\n";
  dl_op *module = parse(text);
  cr_assert_not_null(module);
  expect_printed(module, text);
  dl_op_destroy_tree(module);
}

Test(text, destroys_what_was_read_before_an_error) {
  cr_assert_null(
      parse("test.op(%later) ({\n"
            "  test.jump(%inner)[^bb1] : (i1) -> ()\n"
            "^bb2:\n"
            "  test.op() ({ test.op(%later) : (f32) -> () }, {) : () -> ()\n"
            "}) : (i1) -> ()\n"));
  cr_assert_str_eq(messages.data, "\"test\":4:50 expected an operation\n");
}
