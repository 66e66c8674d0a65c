// Binding, inference and attribute defaults through the C interface.
#include "ir/spec.h"

#include <criterion/criterion.h>

#include "ir/plugin.h"
#include "ir/text.h"

static dl_context *ctx;

static void setup(void) {
  ctx = dl_context_create();
  cr_assert_eq(dl_register_builtin_dialects(ctx), DL_OK);
  cr_assert_eq(dl_load_dialect_yaml(ctx, DLIR_TESTSUITE "/ir/spec/Inputs/extra.yaml"), DL_OK);
}

static void teardown(void) { dl_context_destroy(ctx); }

TestSuite(spec, .init = setup, .fini = teardown);

static bool find_dense(dl_op *op, void *user) {
  if (!dl_op_def_of(op)->compute) return true;
  *(dl_op **)user = op;
  return false;
}

// The first dense op of a module.
static dl_op *first_dense(dl_op *module) {
  dl_op *op = NULL;
  dl_walk(module, find_dense, &op);
  cr_assert_not_null(op);
  return op;
}

static dl_op *parse(const char *text) {
  dl_op *module = dl_parse_module(ctx, dl_str_of(text), "test");
  cr_assert_not_null(module);
  return module;
}

static void check_type(dl_type type, const char *expected) {
  dl_buffer text = {0};
  cr_assert_not_null(type);
  dl_print_type(&text, type);
  cr_assert_str_eq(text.data, expected);
  dl_buffer_free(&text);
}

static const char conv[] =
    "func.func @f(%x: tensor<2x?x9x9xf32, #graph.enc<dims = [_, C, _, _]>>, %w: "
    "tensor<4x?x3x3xf32, #graph.enc<dims = [_, C, _, _]>>) {\n"
    "  %0 = graph.conv2d(%x, %w) : (tensor<2x?x9x9xf32, #graph.enc<dims = [_, C, _, _]>>, "
    "tensor<4x?x3x3xf32, #graph.enc<dims = [_, C, _, _]>>) -> tensor<2x4x7x7xf32>\n  return\n}\n";

Test(spec, binds_statements) {
  dl_op *module = parse(conv);
  dl_bound_spec *bound = dl_spec_bind(first_dense(module));
  cr_assert_not_null(bound);
  cr_assert_eq(bound->num_statements, 1);
  const dl_bound_statement *s = &bound->statements[0];
  cr_assert_eq(s->kind, DL_STATEMENT_COMPUTE);
  cr_assert_eq(s->num_iterators, 8);
  cr_assert_eq(s->num_parallel, 5);
  cr_assert_eq(s->combiner, DL_COMBINE_SUM);
  cr_assert_eq(s->num_reads, 2);
  cr_assert_null(s->reads[0].otherwise);
  cr_assert_eq(s->body->op, DL_SCALAR_MUL);
  cr_assert_eq(bound->tensors[s->target].kind, DL_BOUND_RESULT);
  dl_bound_destroy(bound);
  dl_op_destroy_tree(module);
}

Test(spec, names_symbols_after_dimensions) {
  dl_op *module = parse(conv);
  dl_bound_spec *bound = dl_spec_bind(first_dense(module));
  cr_assert_not_null(bound);
  cr_assert_eq(bound->symbols[0].kind, DL_SYMBOL_DIM);
  cr_assert_eq(bound->symbols[0].operand, 0);
  cr_assert_eq(bound->symbols[0].index, 1);
  cr_assert_str_eq(bound->symbols[0].name, "C");
  cr_assert_eq(dl_bound_flops(bound), -1);
  dl_bound_destroy(bound);
  dl_op_destroy_tree(module);
}

Test(spec, infers_static_and_named_sizes) {
  dl_op *module = parse(
      "func.func @f(%x: tensor<?x6xf32, #graph.enc<dims = [N, _]>>, %y: tensor<4x6xf32>) {\n"
      "  %0 = extra.distances(%x, %y) : (tensor<?x6xf32, #graph.enc<dims = [N, _]>>, "
      "tensor<4x6xf32>) -> tensor<?x4xf32>\n  return\n}\n");
  dl_type type;
  cr_assert_eq(dl_spec_infer(first_dense(module), &type), DL_OK);
  check_type(type, "tensor<?x4xf32, #graph.enc<dims = [N, _]>>");
  dl_op_destroy_tree(module);
}

Test(spec, infers_from_constant_operands) {
  dl_op *module = parse(
      "func.func @f(%x: tensor<2x3x4xf32>) {\n"
      "  %c = graph.constant() <{value = dense<[0, -1]> : tensor<2xi64>}> : () -> tensor<2xi64>\n"
      "  %0 = graph.reshape(%x, %c) : (tensor<2x3x4xf32>, tensor<2xi64>) -> tensor<2x12xf32>\n"
      "  return\n}\n");
  dl_type type;
  cr_assert_eq(dl_spec_infer(first_dense(module), &type), DL_OK);
  check_type(type, "tensor<2x12xf32>");
  dl_op_destroy_tree(module);
}

Test(spec, computes_sizes_at_run_time) {
  dl_op *module = parse(
      "func.func @f(%x: tensor<4x4xf32>, %s: tensor<2xi64>) {\n"
      "  %0 = graph.reshape(%x, %s) : (tensor<4x4xf32>, tensor<2xi64>) -> tensor<?x?xf32>\n"
      "  return\n}\n");
  dl_op *op = first_dense(module);
  dl_bound_spec *bound = dl_spec_bind(op);
  cr_assert_not_null(bound);
  cr_assert_eq(bound->statements[0].kind, DL_STATEMENT_RESHAPE);
  cr_assert_eq(bound->symbols[0].kind, DL_SYMBOL_ELEMENT);
  bool computed = false;
  for (size_t i = 0; i < bound->num_symbols; i++)
    computed |= bound->symbols[i].kind == DL_SYMBOL_COMPUTED;
  cr_assert(computed);
  dl_bound_destroy(bound);
  dl_type type;
  cr_assert_eq(dl_spec_infer(op, &type), DL_OK);
  check_type(type, "tensor<?x?xf32>");
  dl_op_destroy_tree(module);
}

Test(spec, gives_defaults_of_attributes) {
  dl_op *module = parse(conv);
  dl_op *op = first_dense(module);
  dl_attr strides = dl_spec_attr(op, "strides");
  cr_assert_not_null(strides);
  cr_assert_eq(dl_array_len(strides), 2);
  cr_assert_eq(dl_i64_at(strides, 1), 1);
  cr_assert_eq(dl_spec_i64(op, "group"), 1);
  cr_assert_null(dl_spec_attr(op, "no such attribute"));
  cr_assert_not_null(dl_spec_operand(op, 1));
  cr_assert_null(dl_spec_operand(op, 2));
  dl_op_destroy_tree(module);
}
