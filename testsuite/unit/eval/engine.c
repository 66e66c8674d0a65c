// Native code of the target 'cpu' computes what the interpreter does, bit by bit.
#include "dialects/engine.h"

#include <criterion/criterion.h>
#include <math.h>

#include "dialects/interp.h"
#include "ir/plugin.h"
#include "ir/text.h"

// Counts what the real engine runs.
typedef struct counting_engine {
  dl_engine hooks;
  dl_engine *real;
  int boxes, functions;
} counting_engine;

static dl_context *ctx;
static counting_engine counting;

static bool run_box(dl_engine *hooks, dl_box *box) {
  counting_engine *c = (counting_engine *)hooks;
  bool done = c->real->run_box(c->real, box);
  c->boxes += done;
  return done;
}

static bool run_function(dl_engine *hooks, const dl_engine_call *call) {
  counting_engine *c = (counting_engine *)hooks;
  bool done = c->real->run_function(c->real, call);
  c->functions += done;
  return done;
}

static void forget_functions(dl_engine *hooks) {
  counting_engine *c = (counting_engine *)hooks;
  c->real->forget_functions(c->real);
}

static void setup(void) {
  ctx = dl_context_create();
  dl_set_diag_handler(ctx, dl_print_diagnostic, stderr);
  dl_register_builtin_dialects(ctx);
  if (dl_load_target(ctx, "llvm") != DL_OK) cr_skip_test("no target 'cpu'");
  counting = (counting_engine){.hooks = {run_box, run_function, forget_functions, NULL}};
  counting.real = dl_find_target(ctx, "cpu")->create_engine(ctx);
  cr_assert_not_null(counting.real);
}

static void teardown(void) {
  if (counting.real) counting.real->destroy(counting.real);
  dl_context_destroy(ctx);
}

TestSuite(engine, .init = setup, .fini = teardown);

static dl_ndarray *make_input(dl_type type, uint64_t seed) {
  dl_ndarray *array = dl_ndarray_create(type->element, type->rank, type->shape);
  for (int64_t i = 0; i < array->count; i++) {
    uint64_t bits = dl_random(&seed);
    dl_scalar_value value = {.i = (int64_t)(bits % 50) - 10};
    double number = (double)(int64_t)bits * 0x1p-62;
    if (dl_lane_of(type->element) == DL_LANE_F32) value.f = bits % 99 ? (float)number : NAN;
    if (dl_lane_of(type->element) == DL_LANE_F64) value.d = number;
    size_t size = dl_element_bytes(type->element);
    dl_lanes_store(type->element, &value, array->data + (size_t)i * size, 1, 1);
  }
  return array;
}

static dl_ndarray *run_main(dl_op *module, const dl_interp_options *options) {
  dl_ident name = dl_intern_z(ctx, "main");
  dl_type type = dl_interp_signature(dl_symbol_lookup(module, name));
  dl_ndarray *inputs[4], **outputs, *result = NULL;
  size_t count;
  for (size_t i = 0; i < type->num_inputs; i++) inputs[i] = make_input(type->inputs[i], i);
  cr_assert(!dl_interp_run(module, name, type->num_inputs, inputs, &count, &outputs, options));
  result = dl_ndarray_retain(outputs[0]);
  dl_interp_release(count, outputs);
  for (size_t i = 0; i < type->num_inputs; i++) dl_ndarray_release(inputs[i]);
  return result;
}

static bool same_bits(const dl_ndarray *a, const dl_ndarray *b) {
  size_t size = dl_element_bytes(a->element);
  for (int64_t i = 0; i < a->count; i++) {
    if (!memcmp(a->data + (size_t)i * size, b->data + (size_t)i * size, size)) continue;
    if (!isnan(dl_ndarray_f64(a, i)) || !isnan(dl_ndarray_f64(b, i))) return false;
  }
  return true;
}

static void expect_same(const char *text) {
  dl_op *module = dl_parse_module(ctx, dl_str_of(text), "test.dlir");
  cr_assert(module && dl_verify(module) == DL_OK);
  const dl_interp_options native = {.engine = &counting.hooks};
  dl_ndarray *interpreted = run_main(module, NULL), *compiled = run_main(module, &native);
  cr_expect(same_bits(interpreted, compiled), "%s", text);
  dl_ndarray_release(interpreted);
  dl_ndarray_release(compiled);
  dl_op_destroy_tree(module);
}

Test(engine, borders_and_strides) {
  expect_same(
      "func.func @main(%x: tensor<1x9x61x37xf32>, %w: tensor<33x9x3x3xf32>) -> "
      "tensor<1x33x31x19xf32> {\n"
      "  %r = tensor.compute @c(%x, %w) sum init 0.5 : f32\n"
      "    parallel(n: 1, o: 33, y: 31, x: 19) reduce(c: 9, i: 3, j: 3)\n"
      "    in [(n, c, y * 2 + i - 1, x * 2 + j - 1) else 2.0 : f32, (o, c, i, j)] out (n, o, y, "
      "x)\n"
      "    : (tensor<1x9x61x37xf32>, tensor<33x9x3x3xf32>) -> tensor<1x33x31x19xf32> {\n"
      "  ^bb0(%a: f32, %b: f32):\n    %p = arith.mulf %a, %b : f32\n    tensor.yield %p : f32\n  "
      "}\n"
      "  func.return %r : tensor<1x33x31x19xf32>\n}\n");
  cr_expect_eq(counting.boxes, 1);
}

// A strip longer than a chunk, indices that are divided, points that store zero.
Test(engine, divided_indices_and_conditions) {
  expect_same(
      "func.func @main(%x: tensor<300x700xf32>) -> tensor<44x7x700x8xf32> {\n"
      "  %r = tensor.compute @c(%x) parallel(o: 44, k: 7, j: 700, l: 8)\n"
      "    in [((o * 8 + l) mod 300, (j + k) mod 700)] out (o, k, j, l) where (300 - o * 8 - l >= "
      "0)\n"
      "    : (tensor<300x700xf32>) -> tensor<44x7x700x8xf32> {\n"
      "  ^bb0(%a: f32):\n    %z = arith.constant 0.25 : f32\n"
      "    %m = arith.maximumf %a, %z : f32\n    %e = math.exp %m : f32\n"
      "    %c = arith.cmpf ult, %a, %z : f32\n    %s = arith.select %c, %a, %e : f32\n"
      "    tensor.yield %s : f32\n  }\n"
      "  func.return %r : tensor<44x7x700x8xf32>\n}\n");
  cr_expect_eq(counting.boxes, 1);
}

Test(engine, computed_indices_and_integers) {
  expect_same(
      "func.func @main(%x: tensor<1500xi32>, %t: tensor<41xi32>) -> tensor<1500xi32> {\n"
      "  %r = tensor.compute @c(%x) captures(%t) sum init 3 : i32 parallel(i: 1500) reduce(k: "
      "900)\n"
      "    in [(i)] out (i) : (tensor<1500xi32>, tensor<41xi32>) -> tensor<1500xi32> {\n"
      "  ^bb0(%a: i32):\n    %k = tensor.iterator @k : index\n    %n = arith.constant 41 : index\n"
      "    %at = arith.remui %k, %n : index\n    %v = tensor.extract %t[%at] : tensor<41xi32>\n"
      "    %big = arith.constant 123456789 : i32\n    %m = arith.muli %v, %big : i32\n"
      "    %s = arith.addi %m, %a : i32\n    %c = arith.cmpi slt, %s, %a : i32\n"
      "    %d = arith.select %c, %s, %v : i32\n    tensor.yield %d : i32\n  }\n"
      "  func.return %r : tensor<1500xi32>\n}\n");
  cr_expect_eq(counting.boxes, 1);
}

Test(engine, maxima_in_double) {
  expect_same(
      "func.func @main(%x: tensor<700x1600xf64>) -> tensor<700xf64> {\n"
      "  %r = tensor.compute @c(%x) max init -1.0 : f64 parallel(i: 700) reduce(k: 1600)\n"
      "    in [(i, k)] out (i) : (tensor<700x1600xf64>) -> tensor<700xf64> {\n"
      "  ^bb0(%a: f64):\n    %b = math.absf %a : f64\n    %c = arith.negf %b : f64\n"
      "    tensor.yield %c : f64\n  }\n"
      "  func.return %r : tensor<700xf64>\n}\n");
  cr_expect_eq(counting.boxes, 1);
}

Test(engine, functions_over_a_grid) {
  expect_same(
      "func.func private @k(%x: !loop.ptr<f32>, %y: !loop.ptr<f32>, %s: f32, %i: index, %j: index)"
      " attributes {loop.kernel} {\n"
      "  %sum = loop.for %k = 0 to 1000 step 1 iter(%a = %s) -> (f32) {\n"
      "    %v = loop.load %x[%k] : f32\n    %w = loop.load %x[%k + %i] : f32\n"
      "    %b = math.fma %v, %w, %a : f32\n    loop.yield %b : f32\n  }\n"
      "  loop.store %sum, %y[%i * 37 + %j] : f32\n  func.return\n}\n"
      "func.func @main(%x: !loop.ptr<f32>) -> !loop.ptr<f32> attributes {loop.signature = "
      "(tensor<1100xf32>) -> tensor<61x37xf32>} {\n"
      "  %y = loop.alloc (2257) : !loop.ptr<f32>\n  %s = arith.constant 0.125 : f32\n"
      "  loop.launch @k(%x, %y, %s) grid(61, 37) : (!loop.ptr<f32>, !loop.ptr<f32>, f32)\n"
      "  func.return %y : !loop.ptr<f32>\n}\n");
  cr_expect_eq(counting.functions, 1);
}

// With noise, results move by about as much as the interpreter's.
Test(engine, noise) {
  const char *sum =
      "func.func @main(%x: tensor<1000x2000xf64>) -> tensor<1000xf64> {\n"
      "  %r = tensor.compute @c(%x) sum init 0.0 : f64 parallel(i: 1000) reduce(k: 2000)\n"
      "    in [(i, k)] out (i) : (tensor<1000x2000xf64>) -> tensor<1000xf64> {\n"
      "  ^bb0(%a: f64):\n    tensor.yield %a : f64\n  }\n"
      "  func.return %r : tensor<1000xf64>\n}\n";
  dl_op *module = dl_parse_module(ctx, dl_str_of(sum), "test.dlir");
  dl_ndarray *exact = run_main(module, NULL);
  double deviations[2];
  for (int i = 0; i < 2; i++) {
    const dl_interp_options noisy = {.noise = 5, .engine = i ? &counting.hooks : NULL};
    dl_ndarray *moved = run_main(module, &noisy);
    double squares = 0;
    for (int64_t k = 0; k < exact->count; k++) {
      double d = dl_ndarray_f64(exact, k) - dl_ndarray_f64(moved, k);
      squares += d * d;
    }
    deviations[i] = sqrt(squares);
    dl_ndarray_release(moved);
  }
  cr_expect_eq(counting.boxes, 1);
  cr_expect_gt(deviations[0], 0);
  cr_expect_float_eq(deviations[1] / deviations[0], 1, 0.2, "%g and %g", deviations[0],
                     deviations[1]);
  dl_ndarray_release(exact);
  dl_op_destroy_tree(module);
}
