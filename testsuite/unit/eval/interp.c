#include "dialects/interp.h"

#include <criterion/criterion.h>

#include "ir/op_def.h"
#include "ir/plugin.h"
#include "ir/text.h"

static dl_context *ctx;
static dl_buffer messages;

static void collect(void *user, const dl_diagnostic *diagnostic) {
  (void)user;
  dl_buffer_printf(&messages, "%s\n", diagnostic->message);
}

static void setup(void) {
  ctx = dl_context_create();
  messages = (dl_buffer){0};
  dl_set_diag_handler(ctx, collect, NULL);
  dl_register_builtin_dialects(ctx);
}

static void teardown(void) {
  dl_buffer_free(&messages);
  dl_context_destroy(ctx);
}

TestSuite(interp, .init = setup, .fini = teardown);

static dl_ndarray *floats(size_t rank, const int64_t *shape, const float *values) {
  dl_ndarray *array = dl_ndarray_create(dl_f32_type(ctx), rank, shape);
  memcpy(array->data, values, dl_ndarray_bytes(array));
  return array;
}

#define SHAPE(...) \
  DL_COUNT(((int64_t[]){__VA_ARGS__})), (int64_t[]) { __VA_ARGS__ }
#define FLOATS(...) \
  (float[]) { __VA_ARGS__ }

// Runs @main and releases the inputs; the first output, or NULL when it fails.
static dl_ndarray *run(const char *text, size_t num_inputs, dl_ndarray **inputs) {
  dl_op *module = dl_parse_module(ctx, dl_str_of(text), "test.dlir");
  cr_assert(module && dl_verify(module) == DL_OK, "%s", messages.data);
  size_t num_outputs;
  dl_ndarray **outputs, *first = NULL;
  dl_status status = dl_interp_run(module, dl_intern_z(ctx, "main"), num_inputs, inputs,
                                   &num_outputs, &outputs, NULL);
  if (status == DL_OK && num_outputs) first = dl_ndarray_retain(outputs[0]);
  dl_interp_release(num_outputs, outputs);
  dl_op_destroy_tree(module);
  for (size_t i = 0; i < num_inputs; i++) dl_ndarray_release(inputs[i]);
  return first;
}

static void expect_floats(dl_ndarray *array, size_t count, const float *values, int line) {
  cr_assert(array, "line %d: %s", line, messages.data);
  cr_assert_eq((size_t)array->count, count, "line %d: %ld elements", line, (long)array->count);
  for (size_t i = 0; i < count; i++) {
    double value = dl_ndarray_f64(array, (int64_t)i);
    cr_expect_eq(value, values[i], "line %d: element %zu is %g, not %g", line, i, value, values[i]);
  }
  dl_ndarray_release(array);
}
#define EXPECT(array, ...) \
  expect_floats(array, sizeof(FLOATS(__VA_ARGS__)) / sizeof(float), FLOATS(__VA_ARGS__), __LINE__)

Test(interp, reduces_in_a_compute) {
  const char *text =
      "func.func @main(%x: tensor<2x3xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {\n"
      "  %c = tensor.compute @mv(%x, %y) sum init 0.5 : f32 parallel(m: 2) reduce(k: 3)\n"
      "    in [(m, k), (k)] out (m) : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2xf32> {\n"
      "  ^bb0(%a: f32, %b: f32):\n"
      "    %p = arith.mulf %a, %b : f32\n"
      "    tensor.yield %p : f32\n"
      "  }\n"
      "  func.return %c : tensor<2xf32>\n"
      "}\n";
  dl_ndarray *inputs[] = {floats(SHAPE(2, 3), FLOATS(1, 2, 3, 4, 5, 6)),
                          floats(SHAPE(3), FLOATS(1, 10, 100))};
  EXPECT(run(text, 2, inputs), 321.5, 654.5);
}

Test(interp, reads_outside_give_the_else_value) {
  const char *text =
      "func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {\n"
      "  %c = tensor.compute @pool(%x) max init 0xFF800000 : f32 parallel(i: 4) reduce(k: 3)\n"
      "    in [(i + k - 1) else 7.0 : f32] out (i) : (tensor<4xf32>) -> tensor<4xf32> {\n"
      "  ^bb0(%a: f32):\n"
      "    tensor.yield %a : f32\n"
      "  }\n"
      "  func.return %c : tensor<4xf32>\n"
      "}\n";
  dl_ndarray *inputs[] = {floats(SHAPE(4), FLOATS(1, 2, 9, 3))};
  EXPECT(run(text, 1, inputs), 7, 9, 9, 9);
}

Test(interp, reports_a_read_out_of_range) {
  const char *text =
      "func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {\n"
      "  %c = tensor.compute @shift(%x) parallel(i: 4)\n"
      "    in [(i + 1)] out (i) : (tensor<4xf32>) -> tensor<4xf32> {\n"
      "  ^bb0(%a: f32):\n"
      "    tensor.yield %a : f32\n"
      "  }\n"
      "  func.return %c : tensor<4xf32>\n"
      "}\n";
  dl_op *module = dl_parse_module(ctx, dl_str_of(text), "test.dlir");
  cr_assert_not_null(module);
  dl_ndarray *input = floats(SHAPE(4), FLOATS(1, 2, 9, 3)), **outputs;
  size_t count;
  cr_assert_eq(dl_interp_run(module, dl_intern_z(ctx, "main"), 1, &input, &count, &outputs, NULL),
               DL_FAILED);
  cr_assert(strstr(messages.data, "read out of range at the iterators (3)"), "%s", messages.data);
  dl_ndarray_release(input);
  dl_op_destroy_tree(module);
}

Test(interp, points_outside_of_where_store_zero) {
  const char *text =
      "func.func @main(%x: tensor<5xf32>) -> tensor<2x4xf32> {\n"
      "  %c = tensor.compute @block(%x) parallel(c: 2, ci: 4) in [(c * 4 + ci)] out (c, ci)\n"
      "    where (4 - c * 4 - ci >= 0) : (tensor<5xf32>) -> tensor<2x4xf32> {\n"
      "  ^bb0(%a: f32):\n"
      "    tensor.yield %a : f32\n"
      "  }\n"
      "  func.return %c : tensor<2x4xf32>\n"
      "}\n";
  dl_ndarray *inputs[] = {floats(SHAPE(5), FLOATS(1, 2, 3, 4, 5))};
  EXPECT(run(text, 1, inputs), 1, 2, 3, 4, 5, 0, 0, 0);
}

Test(interp, dynamic_sizes_and_divided_indices) {
  const char *text =
      "func.func @main(%x: tensor<?xf32>) -> tensor<?x2xf32> {\n"
      "  %zero = arith.constant 0 : index\n"
      "  %two = arith.constant 2 : index\n"
      "  %n = tensor.dim %x, %zero : tensor<?xf32>\n"
      "  %half = arith.divsi %n, %two : index\n"
      "  %c = tensor.compute @swap(%x) symbols(s0 = %n) parallel(i: s0)\n"
      "    in [(i)] out (i floordiv 2, 1 - i mod 2) shape (s0 floordiv 2, 2)\n"
      "    : (tensor<?xf32>) -> tensor<?x2xf32> {\n"
      "  ^bb0(%a: f32):\n"
      "    %i = tensor.iterator @i : index\n"
      "    %j = arith.index_cast %i : index to i32\n"
      "    %f = arith.sitofp %j : i32 to f32\n"
      "    %r = arith.addf %a, %f : f32\n"
      "    tensor.yield %r : f32\n"
      "  }\n"
      "  func.return %c : tensor<?x2xf32>\n"
      "}\n";
  dl_ndarray *inputs[] = {floats(SHAPE(4), FLOATS(10, 20, 30, 40))};
  EXPECT(run(text, 1, inputs), 21, 10, 43, 32);
}

Test(interp, groups_calls_and_reinterprets) {
  const char *text =
      "func.func private @double(%x: tensor<2x2xf32>) -> tensor<4xf32> {\n"
      "  %g = tensor.group @g(%x) : (tensor<2x2xf32>) -> tensor<4xf32> {\n"
      "  ^bb0(%y: tensor<2x2xf32>):\n"
      "    %c = tensor.compute @d(%y) parallel(i: 2, j: 2) in [(j, i)] out (i, j)\n"
      "      : (tensor<2x2xf32>) -> tensor<2x2xf32> {\n"
      "    ^bb0(%a: f32):\n"
      "      %r = arith.addf %a, %a : f32\n"
      "      tensor.yield %r : f32\n"
      "    }\n"
      "    %f = tensor.reinterpret %c () : tensor<2x2xf32> to tensor<4xf32>\n"
      "    tensor.yield %f : tensor<4xf32>\n"
      "  }\n"
      "  func.return %g : tensor<4xf32>\n"
      "}\n"
      "func.func @main(%x: tensor<2x2xf32>) -> tensor<4xf32> {\n"
      "  %r = func.call @double(%x) : (tensor<2x2xf32>) -> tensor<4xf32>\n"
      "  func.return %r : tensor<4xf32>\n"
      "}\n";
  dl_ndarray *inputs[] = {floats(SHAPE(2, 2), FLOATS(1, 2, 3, 4))};
  EXPECT(run(text, 1, inputs), 2, 6, 4, 8);
}

static const char dot_text[] =
    "func.func @main(%x: !loop.ptr<f32>, %y: !loop.ptr<f32>, %n: index) -> f32 {\n"
    "  %zero = arith.constant dense<0.0> : vector<4xf32>\n"
    "  %r = loop.for %i = 0 to %n step 4 iter(%a = %zero) -> (vector<4xf32>) {\n"
    "    %rest = loop.apply (%n - %i)\n"
    "    %u = loop.load %x[%i] count %rest : vector<4xf32>\n"
    "    %v = loop.load %y[%i] count %rest : vector<4xf32>\n"
    "    %f = math.fma %u, %v, %a : vector<4xf32>\n"
    "    loop.yield %f : vector<4xf32>\n"
    "  }\n"
    "  %s = loop.reduce sum %r : vector<4xf32>\n"
    "  func.return %s : f32\n"
    "}\n";

static dl_ndarray *index_value(int64_t value) {
  dl_ndarray *array = dl_ndarray_create(dl_index_type(ctx), 0, NULL);
  memcpy(array->data, &value, sizeof(value));
  return array;
}

Test(interp, loops_vectors_and_partial_loads) {
  dl_ndarray *inputs[] = {floats(SHAPE(5), FLOATS(1, 2, 3, 4, 5)),
                          floats(SHAPE(5), FLOATS(1, 1, 1, 10, 100)), index_value(5)};
  EXPECT(run(dot_text, 3, inputs), 546);
}

Test(interp, reports_an_access_outside_of_a_buffer) {
  dl_ndarray *inputs[] = {floats(SHAPE(5), FLOATS(1, 2, 3, 4, 5)),
                          floats(SHAPE(5), FLOATS(1, 1, 1, 10, 100)), index_value(6)};
  cr_assert_null(run(dot_text, 3, inputs));
  cr_assert(strstr(messages.data, "accesses 2 elements at 4, of 5 behind the pointer"), "%s",
            messages.data);
}

Test(interp, launches_kernels_by_signature) {
  const char *text =
      "func.func private @kernel(%x: !loop.ptr<f32>, %y: !loop.ptr<f32>, %i: index) {\n"
      "  %a = loop.load %x[%i] : f32\n"
      "  %b = arith.addf %a, %a : f32\n"
      "  loop.store %b, %y[%i] : f32\n"
      "  func.return\n"
      "}\n"
      "func.func @main(%x: !loop.ptr<f32>, %n: index) -> (!loop.ptr<f32>, index)\n"
      "    attributes {loop.signature = (tensor<?xf32>) -> tensor<?xf32>} {\n"
      "  %y = loop.alloc (%n) : !loop.ptr<f32>\n"
      "  loop.launch @kernel(%x, %y) grid(%n) : (!loop.ptr<f32>, !loop.ptr<f32>)\n"
      "  func.return %y, %n : !loop.ptr<f32>, index\n"
      "}\n";
  dl_ndarray *inputs[] = {floats(SHAPE(3), FLOATS(1, 2, 3))};
  EXPECT(run(text, 1, inputs), 2, 4, 6);
}

Test(interp, integers_wrap_and_compare_by_their_width) {
  const char *text =
      "func.func @main() -> i8 {\n"
      "  %a = arith.constant 100 : i8\n"
      "  %b = arith.addi %a, %a : i8\n"
      "  %c = arith.cmpi ult, %a, %b : i8\n"
      "  %d = arith.cmpi slt, %a, %b : i8\n"
      "  %e = arith.select %c, %b, %a : i8\n"
      "  %f = arith.select %d, %a, %e : i8\n"
      "  func.return %f : i8\n"
      "}\n";
  EXPECT(run(text, 0, NULL), -56);
}
