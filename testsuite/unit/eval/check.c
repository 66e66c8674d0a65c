#include "dialects/check.h"

#include <criterion/criterion.h>

#include "ir/op_def.h"
#include "ir/plugin.h"
#include "ir/text.h"

static dl_context *ctx;
static dl_buffer messages, why;
static dl_checker *checker;

static void collect(void *user, const dl_diagnostic *diagnostic) {
  (void)user;
  dl_buffer_printf(&messages, "%s\n", diagnostic->message);
}

static void setup(void) {
  ctx = dl_context_create();
  messages = why = (dl_buffer){0};
  dl_set_diag_handler(ctx, collect, NULL);
  dl_register_builtin_dialects(ctx);
  checker = dl_checker_create(ctx, 1);
}

static void teardown(void) {
  dl_checker_destroy(checker);
  dl_buffer_free(&messages);
  dl_buffer_free(&why);
  dl_context_destroy(ctx);
}

TestSuite(check, .init = setup, .fini = teardown);

static void *evaluate(const char *text) {
  dl_op *module = dl_parse_module(ctx, dl_str_of(text), "test.dlir");
  cr_assert(module && dl_verify(module) == DL_OK, "%s", messages.data);
  const dl_executor *executor = dl_checker_executor(checker);
  void *result = executor->evaluate(executor->user, module);
  dl_op_destroy_tree(module);
  return result;
}

static bool same(const char *before, const char *after, dl_contract contract, double bound) {
  const dl_executor *executor = dl_checker_executor(checker);
  void *a = evaluate(before), *b = evaluate(after);
  cr_assert(a && b, "%s", messages.data);
  bool equal = executor->equal(executor->user, a, b, contract, bound, &why);
  executor->release(executor->user, a);
  executor->release(executor->user, b);
  return equal;
}

// A sum of 1000 numbers in one loop, or in 10 partial sums.
#define SUM                                                                                       \
  "func.func @main(%x: tensor<10x100xf32>) -> tensor<f32> {\n"                                    \
  "  %r = tensor.compute @s(%x) sum init 0.0 : f32 parallel() reduce(i: 10, j: 100) in [(i, j)] " \
  "out ()\n"                                                                                      \
  "    : (tensor<10x100xf32>) -> tensor<f32> {\n"                                                 \
  "  ^bb0(%a: f32):\n    tensor.yield %a : f32\n  }\n"                                            \
  "  func.return %r : tensor<f32>\n}\n"
#define PARTIAL_SUMS(factor)                                                                   \
  "func.func @main(%x: tensor<10x100xf32>) -> tensor<f32> {\n"                                 \
  "  %p = tensor.compute @p(%x) sum init 0.0 : f32 parallel(i: 10) reduce(j: 100)\n"           \
  "    in [(i, j)] out (i) : (tensor<10x100xf32>) -> tensor<10xf32> {\n"                       \
  "  ^bb0(%a: f32):\n    tensor.yield %a : f32\n  }\n"                                         \
  "  %r = tensor.compute @s(%p) sum init 0.0 : f32 parallel() reduce(i: 10) in [(i)] out ()\n" \
  "    : (tensor<10xf32>) -> tensor<f32> {\n"                                                  \
  "  ^bb0(%a: f32):\n    %f = arith.constant " factor                                          \
  " : f32\n    %m = arith.mulf %a, %f : f32\n"                                                 \
  "    tensor.yield %m : f32\n  }\n"                                                           \
  "  func.return %r : tensor<f32>\n}\n"

Test(check, the_same_program_is_the_same) { cr_assert(same(SUM, SUM, DL_EXACT, 0)); }

Test(check, another_order_of_summing_reassociates) {
  cr_assert_not(same(SUM, PARTIAL_SUMS("1.0"), DL_EXACT, 0));
  cr_assert(same(SUM, PARTIAL_SUMS("1.0"), DL_REASSOCIATES, 0), "%s", why.data);
}

Test(check, a_small_mistake_is_no_reassociation) {
  cr_assert_not(same(SUM, PARTIAL_SUMS("1.0002"), DL_REASSOCIATES, 0));
  cr_assert(same(SUM, PARTIAL_SUMS("1.0002"), DL_APPROXIMATE, 1e-3), "%s", why.data);
}

#define TWO_STEPS(second)                                     \
  "func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {\n"   \
  "  %a = arith.addf %x, %x : tensor<4xf32> loc(\"first\")\n" \
  "  %b = " second                                            \
  " %a, %x : tensor<4xf32> loc(\"second\")\n"                 \
  "  %c = arith.mulf %b, %b : tensor<4xf32> loc(\"third\")\n" \
  "  func.return %c : tensor<4xf32>\n}\n"

Test(check, names_the_first_value_that_differs) {
  cr_assert_not(same(TWO_STEPS("arith.addf"), TWO_STEPS("arith.mulf"), DL_REASSOCIATES, 0));
  cr_assert(strstr(why.data, "@main, result #0: element"), "%s", why.data);
  cr_assert(strstr(why.data, "that of 'second' ('arith.addf')"), "%s", why.data);
}

Test(check, contents_of_buffers_are_results) {
  const char *store =
      "func.func @f(%p: !loop.ptr<f32>, %v: f32) {\n  loop.store %v, %p[3] : f32\n  return\n}\n";
  const char *elsewhere =
      "func.func @f(%p: !loop.ptr<f32>, %v: f32) {\n  loop.store %v, %p[4] : f32\n  return\n}\n";
  cr_assert(same(store, store, DL_EXACT, 0));
  cr_assert_not(same(store, elsewhere, DL_EXACT, 0));
}

Test(check, any_nan_is_the_same) {
  const char *quotient =
      "func.func @main() -> f32 {\n  %z = arith.constant 0.0 : f32\n"
      "  %r = arith.divf %z, %z : f32\n  return %r : f32\n}\n";
  const char *folded =
      "func.func @main() -> f32 {\n"
      "  %r = arith.constant 0x7FC00000 : f32\n  return %r : f32\n}\n";
  cr_assert(same(quotient, folded, DL_EXACT, 0));
}

Test(check, results_of_another_type_differ) {
  const char *narrow =
      "func.func @main() -> i8 {\n  %c = arith.constant 1 : i8\n"
      "  return %c : i8\n}\n";
  const char *wide =
      "func.func @main() -> i16 {\n  %c = arith.constant 1 : i16\n"
      "  return %c : i16\n}\n";
  cr_assert_not(same(narrow, wide, DL_EXACT, 0));
  cr_assert(strstr(why.data, "@main gives outputs of other types or sizes"), "%s", why.data);
}

Test(check, integers_are_chosen_so_that_the_program_runs) {
  const char *extract =
      "func.func @main(%x: tensor<2xf32>, %i: index) -> f32 {\n"
      "  %r = tensor.extract %x[%i] : tensor<2xf32>\n  return %r : f32\n}\n";
  cr_assert(same(extract, extract, DL_EXACT, 0));
}

Test(check, reports_what_cannot_be_run) {
  dl_allow_unregistered(ctx, true);
  cr_assert_null(evaluate("func.func @main() {\n  \"x.y\"() : () -> ()\n  return\n}\n"));
  cr_assert(strstr(messages.data, "'x.y' op cannot be interpreted"), "%s", messages.data);
}
