#include <criterion/criterion.h>
#include <math.h>

#include "ir/attrs.h"
#include "ir/floats.h"

static dl_context *ctx;

static void setup(void) { ctx = dl_context_create(); }
static void teardown(void) { dl_context_destroy(ctx); }

TestSuite(unique, .init = setup, .fini = teardown);

Test(unique, names_are_equal_iff_their_pointers_are) {
  cr_assert_eq(dl_intern_z(ctx, "conv"), dl_intern(ctx, (dl_str){"convolution", 4}));
  cr_assert_neq(dl_intern_z(ctx, "conv"), dl_intern_z(ctx, "Conv"));
  cr_assert_str_eq(dl_intern_f(ctx, "%s_%d", "x", 3), "x_3");
}

Test(unique, many_names_survive_growth) {
  dl_ident names[5000];
  for (int i = 0; i < 5000; i++) names[i] = dl_intern_f(ctx, "name%d", i);
  for (int i = 0; i < 5000; i++) cr_assert_eq(names[i], dl_intern_f(ctx, "name%d", i));
}

Test(unique, types) {
  dl_type f32 = dl_f32_type(ctx);
  int64_t shape[] = {2, DL_DYNAMIC};
  dl_type tensor = dl_tensor_type(f32, 2, shape, NULL);
  cr_assert_eq(tensor, dl_tensor_type(f32, 2, (int64_t[]){2, DL_DYNAMIC}, NULL));
  cr_assert_neq(tensor, dl_memref_type(f32, 2, shape, NULL, NULL));
  cr_assert_neq(tensor, dl_tensor_type(f32, 2, shape, dl_unit_attr(ctx)));
  cr_assert_neq(dl_tensor_type(f32, 0, NULL, NULL), dl_unranked_tensor_type(f32));
  cr_assert_eq(dl_with_element(tensor, dl_int_type(ctx, 8))->element, dl_int_type(ctx, 8));
  cr_assert_eq(dl_num_elements(tensor), -1);
  cr_assert_eq(dl_num_elements(dl_tensor_type(f32, 2, (int64_t[]){INT64_MAX, 2}, NULL)), -1);
  cr_assert_eq(dl_num_elements(dl_tensor_type(f32, 2, (int64_t[]){INT64_MAX, 0}, NULL)), 0);
}

Test(unique, vectors_without_scalable_dimensions_are_one_type) {
  dl_type f32 = dl_f32_type(ctx);
  int64_t shape[] = {4};
  bool fixed[] = {false}, scalable[] = {true};
  cr_assert_eq(dl_vector_type(f32, 1, shape, NULL), dl_vector_type(f32, 1, shape, fixed));
  cr_assert_neq(dl_vector_type(f32, 1, shape, NULL), dl_vector_type(f32, 1, shape, scalable));
}

Test(unique, integers_are_normalized) {
  dl_type i8 = dl_int_type(ctx, 8), ui8 = dl_integer_type(ctx, 8, DL_UNSIGNED);
  cr_assert_eq(dl_int_attr(i8, 255), dl_int_attr(i8, -1));
  cr_assert_eq(dl_int_attr(ui8, -1)->integer, 255);
  cr_assert_eq(dl_bool_attr(ctx, true)->integer, 1);
  cr_assert_eq(dl_int_attr(dl_int_type(ctx, 128), -1)->bytes.len, 16);
}

Test(unique, floats_differ_by_bits) {
  dl_type f32 = dl_f32_type(ctx);
  cr_assert_neq(dl_float_attr(f32, 0.0), dl_float_attr(f32, -0.0));
  cr_assert_eq(dl_float_attr(f32, NAN), dl_float_attr(f32, NAN));
  cr_assert_eq(dl_float_attr(f32, 0.1), dl_float_attr(f32, 0.1f));
}

Test(unique, dictionaries_are_sorted) {
  dl_named_attr ab[] = {{dl_intern_z(ctx, "a"), dl_unit_attr(ctx)},
                        {dl_intern_z(ctx, "b"), dl_i64_attr(ctx, 1)}};
  dl_named_attr ba[] = {ab[1], ab[0]};
  dl_attr dict = dl_dict_attr(ctx, 2, ab);
  cr_assert_eq(dict, dl_dict_attr(ctx, 2, ba));
  cr_assert_eq(dl_dict_get(dict, ab[1].name), ab[1].value);
  cr_assert_null(dl_dict_get(dict, dl_intern_z(ctx, "c")));
}

Test(unique, locations) {
  dl_ident file = dl_intern_z(ctx, "a.dlir"), name = dl_intern_z(ctx, "layer1");
  dl_loc line = dl_loc_file(ctx, file, 3, 4);
  cr_assert_eq(line, dl_loc_file(ctx, file, 3, 4));
  dl_loc named = dl_loc_name(ctx, name, line);
  dl_loc fused = dl_loc_fused(ctx, 2, (dl_loc[]){line, named}, NULL);
  cr_assert_eq(dl_loc_first_name(fused), name);
  cr_assert_null(dl_loc_first_name(line));
}

Test(unique, dense_elements) {
  dl_type type = dl_tensor_type(dl_int_type(ctx, 16), 1, (int64_t[]){3}, NULL);
  int16_t values[] = {1, -2, 3}, seven = 7;
  int64_t value;
  dl_attr dense = dl_dense_attr(type, (dl_str){(char *)values, sizeof(values)}, false);
  cr_assert(dl_dense_i64(dense, 1, &value) && value == -2);
  cr_assert_not(dl_dense_i64(dense, 3, &value));
  dl_attr splat = dl_dense_attr(type, (dl_str){(char *)&seven, sizeof(seven)}, true);
  cr_assert(dl_dense_i64(splat, 2, &value) && value == 7);
  cr_assert_not(dl_dense_i64(splat, 3, &value));
}

Test(unique, resources) {
  float values[] = {1.5f, 2.5f};
  dl_ident name = dl_intern_z(ctx, "w");
  dl_attr attr = dl_resource_attr(dl_tensor_type(dl_f32_type(ctx), 1, (int64_t[]){2}, NULL), name);
  double value;
  cr_assert_not(dl_dense_f64(attr, 1, &value));
  dl_add_resource(ctx, name, values, sizeof(values), NULL, NULL);
  cr_assert(dl_dense_f64(attr, 1, &value) && value == 2.5);
  cr_assert_str_eq(dl_fresh_resource_name(ctx, "w"), "w_1");
}

Test(unique, wide_floats_hold_every_double) {
  dl_float_kind kinds[] = {DL_F80, DL_F128};
  double values[] = {0.0, -1.5, 0x1p-1074, 0x1.fffffffffffffp1023, INFINITY, -INFINITY, 1.0 / 3};
  for (size_t k = 0; k < 2; k++) {
    for (size_t i = 0; i < DL_COUNT(values); i++) {
      char bytes[16];
      dl_float_store(kinds[k], values[i], bytes);
      cr_assert_eq(dl_float_load(kinds[k], bytes), values[i]);
    }
  }
  long double third = 1.0 / 3;
  char stored[16];
  dl_float_store(DL_F80, 1.0 / 3, stored);
  cr_assert_arr_eq(stored, &third, 10);
}
