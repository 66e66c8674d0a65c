// Folding by running the kernels on constants.
#include "dialects/eval/kernel.h"

enum { MAX_FOLDED_ELEMENTS = 1 << 16 };  // larger constants are left to the compiled initialization

static bool is_shaped(dl_type type) {
  return type->kind == DL_TYPE_VECTOR || type->kind == DL_TYPE_TENSOR;
}

// Reads `count` elements of a constant of the given type into lanes; splats are spread out.
static bool read_lanes(dl_attr constant, dl_type type, void *lanes, size_t count) {
  dl_type element = dl_element_type(type);
  if (constant->kind == DL_ATTR_INTEGER || constant->kind == DL_ATTR_FLOAT) {
    dl_lanes_fill(dl_lane_of(element), lanes, dl_scalar_of_attr(constant, element), count);
    return true;
  }
  dl_str bytes;
  bool splat;
  if (constant->kind != DL_ATTR_DENSE || !dl_dense_bytes(constant, &bytes, &splat)) return false;
  dl_lanes_load(element, lanes, bytes.data, splat ? 0 : 1, count);
  return true;
}

static bool is_splat(dl_attr constant) {
  return constant->kind != DL_ATTR_DENSE || constant->splat;
}

static bool divides_by_zero(const dl_op *op, const void *divisor, size_t count) {
  static const char *const divisions[] = {"arith.divsi",     "arith.divui",     "arith.remsi",
                                          "arith.remui",     "arith.ceildivsi", "arith.ceildivui",
                                          "arith.floordivsi"};
  bool is_division = false;
  for (size_t i = 0; i < DL_COUNT(divisions); i++)
    is_division |= !strcmp(dl_op_name(op), divisions[i]);
  for (size_t i = 0; i < count && is_division; i++) {
    if (((const int64_t *)divisor)[i] == 0) return true;
  }
  return false;
}

static dl_attr make_constant(dl_type type, const void *lanes, size_t count, bool splat) {
  dl_type element = dl_element_type(type);
  if (!is_shaped(type)) {
    dl_scalar_value value = {0};
    memcpy(&value, lanes, dl_lane_bytes(dl_lane_of(element)));
    return dl_attr_of_scalar(type, value);
  }
  size_t size = dl_element_bytes(element);
  char *bytes = dl_malloc(count * size);
  dl_lanes_store(element, lanes, bytes, 1, count);
  dl_attr attr = dl_dense_attr(type, (dl_str){bytes, count * size}, splat);
  free(bytes);
  return attr;
}

bool dl_fold_with_kernel(dl_op *op, const dl_attr *constants, dl_folded *results) {
  dl_kernel kernel;
  if (!dl_kernel_of_op(op, &kernel)) return false;
  dl_type type = dl_value_type(dl_result(op, 0));
  bool splat = true;
  for (size_t i = 0; i < kernel.num_inputs; i++) {
    if (!constants[i]) return false;
    splat = splat && is_splat(constants[i]);
  }
  int64_t total = is_shaped(type) ? dl_num_elements(type) : 1;
  if (total < 1 || (!splat && total > MAX_FOLDED_ELEMENTS)) return false;
  size_t count = splat ? 1 : (size_t)total;
  char *lanes = dl_malloc((DL_KERNEL_MAX_INPUTS + 1) * count * sizeof(dl_scalar_value));
  const void *in[DL_KERNEL_MAX_INPUTS] = {0};
  bool folds = true;
  for (size_t i = 0; i < kernel.num_inputs; i++) {
    in[i] = lanes + (i + 1) * count * sizeof(dl_scalar_value);
    folds =
        folds && read_lanes(constants[i], dl_value_type(dl_operand(op, i)), (void *)in[i], count);
  }
  folds = folds && !(kernel.num_inputs == 2 && divides_by_zero(op, in[1], count));
  if (folds) {
    dl_kernel_run(&kernel, lanes, in, count);
    results[0].constant = make_constant(type, lanes, count, splat);
  }
  free(lanes);
  return folds;
}
