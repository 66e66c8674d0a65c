#include "dialects/layout.h"

#include <criterion/criterion.h>

static dl_context *ctx;

static void setup(void) { ctx = dl_context_create(); }
static void teardown(void) { dl_context_destroy(ctx); }

TestSuite(layout, .init = setup, .fini = teardown);

static dl_layout parse(const char *keyword) {
  dl_layout layout = {0};
  cr_assert_eq(dl_layout_parse(dl_loc_unknown(ctx), dl_str_of(keyword), &layout), DL_OK, "%s",
               keyword);
  return layout;
}

static void expect_map(const char *keyword, const char *expected) {
  dl_layout layout = parse(keyword);
  dl_buffer text = {0};
  dl_print_map(&text, dl_layout_map(ctx, &layout));
  cr_expect_str_eq(text.data, expected, "%s: %s", keyword, text.data);
  dl_buffer_free(&text);
}

Test(layout, maps_logical_to_stored_indices) {
  expect_map("AB", "(d0, d1) -> (d0, d1)");
  expect_map("BA", "(d0, d1) -> (d1, d0)");
  expect_map("NHWC", "(d0, d1, d2, d3) -> (d0, d2, d3, d1)");
  expect_map("NCHW16c", "(d0, d1, d2, d3) -> (d0, d1 floordiv 16, d2, d3, d1 mod 16)");
  expect_map("BA8b", "(d0, d1) -> (d1 floordiv 8, d0, d1 mod 8)");
}

// Blocks of one dimension nest in the order written.
Test(layout, nests_blocks) {
  expect_map(
      "OI16i4o4i",
      "(d0, d1) -> (d0 floordiv 4, d1 floordiv 64, (d1 floordiv 4) mod 16, d0 mod 4, d1 mod 4)");
}

Test(layout, rounds_sizes_up_to_blocks) {
  dl_layout layout = parse("NCHW16c");
  dl_type logical = dl_tensor_type(dl_f32_type(ctx), 4, (int64_t[]){DL_DYNAMIC, 20, 7, 7}, NULL);
  dl_type stored = dl_layout_stored_type(&layout, logical);
  cr_expect_eq(stored,
               dl_tensor_type(dl_f32_type(ctx), 5, (int64_t[]){DL_DYNAMIC, 2, 7, 7, 16}, NULL));
}

Test(layout, refuses_what_is_no_layout) {
  static const char *const bad[] = {"",   "nc",     "NN",  "NCHW16d", "16cNCHW",
                                    "AC", "NCHW0c", "XYZ", "NC16"};
  for (size_t i = 0; i < DL_COUNT(bad); i++) {
    dl_layout layout;
    size_t before = dl_num_errors(ctx);
    cr_expect_eq(dl_layout_parse(dl_loc_unknown(ctx), dl_str_of(bad[i]), &layout), DL_FAILED, "%s",
                 bad[i]);
    cr_expect_eq(dl_num_errors(ctx), before + 1, "%s", bad[i]);
  }
}
