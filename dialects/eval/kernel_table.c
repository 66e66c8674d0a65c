// The table of operations, conversions between lanes, and the choice of a kernel for an op.
#include <math.h>

#include "dialects/eval/kernel_float.h"
#include "dialects/eval/kernel_int.h"
#include "ir/floats.h"

// One operation on each kind of lane; NULL where there is none.
typedef struct kernel_row {
  const char *name;
  size_t num_inputs;
  dl_kernel_fn on_int, on_f32, on_f64;
} kernel_row;

#define INT(op, inputs, name) \
  { op, inputs, dl_int_##name, NULL, NULL }
#define FLOAT(op, inputs, name) \
  { op, inputs, NULL, dl_f32_##name, dl_f64_##name }

static const kernel_row rows[] = {
    INT("arith.addi", 2, add),
    FLOAT("arith.addf", 2, add),
    INT("arith.andi", 2, and),
    INT("arith.ceildivsi", 2, ceildiv),
    INT("arith.ceildivui", 2, ceildiv_unsigned),
    FLOAT("arith.cmpf", 2, compare),
    INT("arith.cmpi", 2, compare),
    FLOAT("arith.divf", 2, div),
    INT("arith.divsi", 2, div_signed),
    INT("arith.divui", 2, div_unsigned),
    INT("arith.floordivsi", 2, floordiv),
    FLOAT("arith.maximumf", 2, max),
    FLOAT("arith.maxnumf", 2, maxnum),
    INT("arith.maxsi", 2, max_signed),
    INT("arith.maxui", 2, max_unsigned),
    FLOAT("arith.minimumf", 2, min),
    FLOAT("arith.minnumf", 2, minnum),
    INT("arith.minsi", 2, min_signed),
    INT("arith.minui", 2, min_unsigned),
    FLOAT("arith.mulf", 2, mul),
    INT("arith.muli", 2, mul),
    FLOAT("arith.negf", 1, neg),
    INT("arith.ori", 2, or),
    FLOAT("arith.remf", 2, rem),
    INT("arith.remsi", 2, rem_signed),
    INT("arith.remui", 2, rem_unsigned),
    {"arith.select", 3, dl_int_select, dl_f32_select, dl_f64_select},
    INT("arith.shli", 2, shl),
    INT("arith.shrsi", 2, shr_signed),
    INT("arith.shrui", 2, shr_unsigned),
    FLOAT("arith.subf", 2, sub),
    INT("arith.subi", 2, sub),
    INT("arith.xori", 2, xor),
    FLOAT("math.absf", 1, abs),
    INT("math.absi", 1, abs),
    FLOAT("math.acos", 1, acos),
    FLOAT("math.acosh", 1, acosh),
    FLOAT("math.asin", 1, asin),
    FLOAT("math.asinh", 1, asinh),
    FLOAT("math.atan", 1, atan),
    FLOAT("math.atan2", 2, atan2),
    FLOAT("math.atanh", 1, atanh),
    FLOAT("math.cbrt", 1, cbrt),
    FLOAT("math.ceil", 1, ceil),
    FLOAT("math.copysign", 2, copysign),
    FLOAT("math.cos", 1, cos),
    FLOAT("math.cosh", 1, cosh),
    INT("math.ctlz", 1, count_leading_zeros),
    INT("math.ctpop", 1, count_ones),
    INT("math.cttz", 1, count_trailing_zeros),
    FLOAT("math.erf", 1, erf),
    FLOAT("math.erfc", 1, erfc),
    FLOAT("math.exp", 1, exp),
    FLOAT("math.exp2", 1, exp2),
    FLOAT("math.expm1", 1, expm1),
    FLOAT("math.floor", 1, floor),
    FLOAT("math.fma", 3, fma),
    INT("math.ipowi", 2, pow),
    FLOAT("math.isfinite", 1, isfinite),
    FLOAT("math.isinf", 1, isinf),
    FLOAT("math.isnan", 1, isnan),
    FLOAT("math.isnormal", 1, isnormal),
    FLOAT("math.log", 1, log),
    FLOAT("math.log10", 1, log10),
    FLOAT("math.log1p", 1, log1p),
    FLOAT("math.log2", 1, log2),
    FLOAT("math.powf", 2, pow),
    FLOAT("math.round", 1, round),
    FLOAT("math.roundeven", 1, roundeven),
    FLOAT("math.rsqrt", 1, rsqrt),
    FLOAT("math.sin", 1, sin),
    FLOAT("math.sinh", 1, sinh),
    FLOAT("math.sqrt", 1, sqrt),
    FLOAT("math.tan", 1, tan),
    FLOAT("math.tanh", 1, tanh),
    FLOAT("math.trunc", 1, trunc),
};

// What specs' scalar operations are; signedness is the argument type's.
typedef struct scalar_row {
  size_t num_inputs;
  dl_kernel_fn on_signed, on_unsigned, on_f32, on_f64;
} scalar_row;

#define BOTH(inputs, ints, floats) \
  { inputs, dl_int_##ints, dl_int_##ints, dl_f32_##floats, dl_f64_##floats }
#define SIGNED(inputs, on_signed, on_unsigned, floats) \
  { inputs, dl_int_##on_signed, dl_int_##on_unsigned, dl_f32_##floats, dl_f64_##floats }
#define INTS(inputs, on_signed, on_unsigned) \
  { inputs, dl_int_##on_signed, dl_int_##on_unsigned, NULL, NULL }
#define FLOATS(inputs, name) \
  { inputs, NULL, NULL, dl_f32_##name, dl_f64_##name }

static const scalar_row scalar_rows[] = {
    [DL_SCALAR_NEG] = BOTH(1, neg, neg),
    [DL_SCALAR_ABS] = SIGNED(1, abs, same, abs),
    [DL_SCALAR_NOT] = INTS(1, not, not ),
    [DL_SCALAR_FLOOR] = BOTH(1, same, floor),
    [DL_SCALAR_CEIL] = BOTH(1, same, ceil),
    [DL_SCALAR_ROUND] = BOTH(1, same, roundeven),
    [DL_SCALAR_EXP] = FLOATS(1, exp),
    [DL_SCALAR_LOG] = FLOATS(1, log),
    [DL_SCALAR_SQRT] = FLOATS(1, sqrt),
    [DL_SCALAR_RSQRT] = FLOATS(1, rsqrt),
    [DL_SCALAR_TANH] = FLOATS(1, tanh),
    [DL_SCALAR_ERF] = FLOATS(1, erf),
    [DL_SCALAR_SIN] = FLOATS(1, sin),
    [DL_SCALAR_COS] = FLOATS(1, cos),
    [DL_SCALAR_TAN] = FLOATS(1, tan),
    [DL_SCALAR_ATAN] = FLOATS(1, atan),
    [DL_SCALAR_ADD] = BOTH(2, add, add),
    [DL_SCALAR_SUB] = BOTH(2, sub, sub),
    [DL_SCALAR_MUL] = BOTH(2, mul, mul),
    [DL_SCALAR_DIV] = SIGNED(2, div_signed, div_unsigned, div),
    [DL_SCALAR_REM] = SIGNED(2, rem_signed, rem_unsigned, rem),
    [DL_SCALAR_FLOORDIV] = INTS(2, floordiv, div_unsigned),
    [DL_SCALAR_MOD] = INTS(2, mod, rem_unsigned),
    [DL_SCALAR_MIN] = SIGNED(2, min_signed, min_unsigned, min),
    [DL_SCALAR_MAX] = SIGNED(2, max_signed, max_unsigned, max),
    [DL_SCALAR_POW] = BOTH(2, pow, pow),
    [DL_SCALAR_AND] = INTS(2, and, and),
    [DL_SCALAR_OR] = INTS(2, or, or),
    [DL_SCALAR_XOR] = INTS(2, xor, xor),
    [DL_SCALAR_EQ] = BOTH(2, compare, compare),
    [DL_SCALAR_NE] = BOTH(2, compare, compare),
    [DL_SCALAR_LT] = BOTH(2, compare, compare),
    [DL_SCALAR_LE] = BOTH(2, compare, compare),
    [DL_SCALAR_GT] = BOTH(2, compare, compare),
    [DL_SCALAR_GE] = BOTH(2, compare, compare),
    [DL_SCALAR_SELECT] = BOTH(3, select, select),
};

// Predicates of arith.cmpi (signed, unsigned) and arith.cmpf; comparisons with NaN are false, but
// NE.
static const struct {
  int64_t on_signed, on_unsigned, on_float;
} predicates[] = {
    [DL_SCALAR_EQ] = {0, 0, 1}, [DL_SCALAR_NE] = {1, 1, 13}, [DL_SCALAR_LT] = {2, 6, 4},
    [DL_SCALAR_LE] = {3, 7, 5}, [DL_SCALAR_GT] = {4, 8, 2},  [DL_SCALAR_GE] = {5, 9, 3},
};

static bool is_comparison(dl_scalar_op op) { return op >= DL_SCALAR_EQ && op <= DL_SCALAR_GE; }

static bool is_unsigned(dl_type type) {
  return type->kind == DL_TYPE_INTEGER && (type->signedness == DL_UNSIGNED || type->width == 1);
}

static unsigned integer_width(dl_type type) {
  return type->kind == DL_TYPE_INTEGER ? type->width : 64;
}

dl_lane dl_lane_of(dl_type scalar) {
  switch (scalar->kind) {
    case DL_TYPE_INDEX:
      return DL_LANE_INT;
    case DL_TYPE_INTEGER:
      return scalar->width <= 64 ? DL_LANE_INT : DL_LANE_NONE;
    case DL_TYPE_FLOAT:
      if (scalar->float_kind == DL_F64) return DL_LANE_F64;
      return dl_float_width(scalar->float_kind) <= 32 ? DL_LANE_F32 : DL_LANE_NONE;
    default:
      return DL_LANE_NONE;
  }
}

size_t dl_lane_bytes(dl_lane lane) { return lane == DL_LANE_F32 ? 4 : 8; }

static const kernel_row *find_row(dl_str name) {
  for (size_t i = 0; i < DL_COUNT(rows); i++) {
    if (dl_str_is(name, rows[i].name)) return &rows[i];
  }
  return NULL;
}

// --- conversions ---

// Out of range, where MLIR leaves the result open, the nearest integer of 64 bits is taken before
// wrapping to the type; NaN gives 0.
static int64_t to_signed(double x) {
  if (isnan(x)) return 0;
  if (x >= 0x1p63) return INT64_MAX;
  return x <= -0x1p63 ? INT64_MIN : (int64_t)x;
}

static int64_t to_unsigned(double x) {
  if (isnan(x) || x <= -1) return 0;
  return (int64_t)(x >= 0x1p64 ? UINT64_MAX : (uint64_t)x);
}

#define CONVERT(name, from, to, expression)                                              \
  static void name(const dl_kernel *k, void *out, const void *const *in, size_t count) { \
    to *restrict result = out;                                                           \
    const from *x = in[0];                                                               \
    (void)k;                                                                             \
    for (size_t i = 0; i < count; i++) result[i] = (to)(expression);                     \
  }

#define AS_SIGNED(x) (k->width == 1 ? -(x) : (x))
#define AS_UNSIGNED(x) \
  ((uint64_t)(x) & (k->width < 64 ? ((uint64_t)1 << k->width) - 1 : UINT64_MAX))

CONVERT(signed_to_f32, int64_t, float, AS_SIGNED(x[i]))
CONVERT(signed_to_f64, int64_t, double, AS_SIGNED(x[i]))
CONVERT(unsigned_to_f32, int64_t, float, AS_UNSIGNED(x[i]))
CONVERT(unsigned_to_f64, int64_t, double, AS_UNSIGNED(x[i]))
CONVERT(signed_to_int, int64_t, int64_t, AS_SIGNED(x[i]))
CONVERT(unsigned_to_int, int64_t, int64_t, AS_UNSIGNED(x[i]))
CONVERT(f32_to_signed, float, int64_t, to_signed(x[i]))
CONVERT(f64_to_signed, double, int64_t, to_signed(x[i]))
CONVERT(f32_to_unsigned, float, int64_t, to_unsigned(x[i]))
CONVERT(f64_to_unsigned, double, int64_t, to_unsigned(x[i]))
CONVERT(f32_to_f32, float, float, x[i])
CONVERT(f32_to_f64, float, double, x[i])
CONVERT(f64_to_f32, double, float, x[i])
CONVERT(f64_to_f64, double, double, x[i])
CONVERT(int_is_set, int64_t, int64_t, x[i] != 0)
CONVERT(f32_is_set, float, int64_t, x[i] != 0)
CONVERT(f64_is_set, double, int64_t, x[i] != 0)

static dl_kernel_fn conversion(dl_lane from, dl_lane to, bool unsigned_integer) {
  static const dl_kernel_fn table[2][4][4] = {
      {[DL_LANE_INT] = {NULL, signed_to_int, signed_to_f32, signed_to_f64},
       [DL_LANE_F32] = {NULL, f32_to_signed, f32_to_f32, f32_to_f64},
       [DL_LANE_F64] = {NULL, f64_to_signed, f64_to_f32, f64_to_f64}},
      {[DL_LANE_INT] = {NULL, unsigned_to_int, unsigned_to_f32, unsigned_to_f64},
       [DL_LANE_F32] = {NULL, f32_to_unsigned, f32_to_f32, f32_to_f64},
       [DL_LANE_F64] = {NULL, f64_to_unsigned, f64_to_f32, f64_to_f64}}};
  return table[unsigned_integer][from][to];
}

static dl_kernel_fn is_set(dl_lane lane) {
  return lane == DL_LANE_INT ? int_is_set : lane == DL_LANE_F32 ? f32_is_set : f64_is_set;
}

static void bitcast(const dl_kernel *k, void *out, const void *const *in, size_t count) {
  size_t from = dl_lane_bytes(dl_lane_of(k->from)), to = dl_lane_bytes(dl_lane_of(k->to));
  char memory[8] = {0};
  for (size_t i = 0; i < count; i++) {
    dl_lanes_store(k->from, (const char *)in[0] + i * from, memory, 1, 1);
    dl_lanes_load(k->to, (char *)out + i * to, memory, 1, 1);
  }
}

// --- choosing ---

static dl_kernel_fn row_function(const kernel_row *row, dl_lane lane) {
  return lane == DL_LANE_INT ? row->on_int : lane == DL_LANE_F32 ? row->on_f32 : row->on_f64;
}

// Functions of floats whose results are exact.
static bool is_exact(dl_kernel_fn run) {
  static const dl_kernel_fn exact[] = {
      dl_f32_max,    dl_f64_max,      dl_f32_min,       dl_f64_min,       dl_f32_maxnum,
      dl_f64_maxnum, dl_f32_minnum,   dl_f64_minnum,    dl_f32_neg,       dl_f64_neg,
      dl_f32_abs,    dl_f64_abs,      dl_f32_floor,     dl_f64_floor,     dl_f32_ceil,
      dl_f64_ceil,   dl_f32_trunc,    dl_f64_trunc,     dl_f32_round,     dl_f64_round,
      dl_f32_rem,    dl_f64_rem,      dl_f32_roundeven, dl_f64_roundeven, dl_f32_select,
      dl_f64_select, dl_f32_copysign, dl_f64_copysign,  bitcast,          f32_to_f32,
      f32_to_f64,    f64_to_f64};
  for (size_t i = 0; i < DL_COUNT(exact); i++) {
    if (run == exact[i]) return true;
  }
  return false;
}

#define ON_FLOATS(name, basic) \
  {dl_f32_##name, basic}, { dl_f64_##name, basic }
#define ON_ALL(name, basic) {dl_int_##name, basic}, ON_FLOATS(name, basic)

static dl_basic basic_of(dl_kernel_fn run) {
  static const struct {
    dl_kernel_fn run;
    dl_basic basic;
  } table[] = {ON_ALL(add, DL_BASIC_ADD),
               ON_ALL(sub, DL_BASIC_SUB),
               ON_ALL(mul, DL_BASIC_MUL),
               ON_FLOATS(div, DL_BASIC_DIV),
               ON_FLOATS(max, DL_BASIC_MAX),
               ON_FLOATS(min, DL_BASIC_MIN),
               ON_ALL(neg, DL_BASIC_NEG),
               ON_FLOATS(abs, DL_BASIC_ABS),
               ON_FLOATS(sqrt, DL_BASIC_SQRT),
               ON_FLOATS(floor, DL_BASIC_FLOOR),
               ON_FLOATS(ceil, DL_BASIC_CEIL),
               ON_ALL(compare, DL_BASIC_COMPARE),
               ON_ALL(select, DL_BASIC_SELECT),
               {dl_int_and, DL_BASIC_AND},
               {dl_int_or, DL_BASIC_OR},
               {dl_int_xor, DL_BASIC_XOR},
               {dl_int_floordiv, DL_BASIC_FLOORDIV},
               {dl_int_mod, DL_BASIC_MOD},
               {dl_int_same, DL_BASIC_SAME},
               {f32_to_f32, DL_BASIC_SAME}};
  for (size_t i = 0; i < DL_COUNT(table); i++)
    if (table[i].run == run) return table[i].basic;
  return DL_BASIC_NONE;
}

static bool describe(dl_kernel *kernel, dl_kernel_fn run, size_t num_inputs, dl_type from,
                     dl_type to) {
  *kernel = (dl_kernel){.run = run,
                        .num_inputs = num_inputs,
                        .from = from,
                        .to = to,
                        .width = integer_width(from),
                        .rounds = dl_is_float(to) && !is_exact(run),
                        .basic = run ? basic_of(run) : DL_BASIC_NONE};
  return run != NULL;
}

// The casts, by name: what kind of integer their integer side is.
static const struct {
  const char *name;
  bool is_unsigned;
} casts[] = {{"extf", false},   {"truncf", false},     {"extsi", false},      {"extui", true},
             {"trunci", false}, {"sitofp", false},     {"uitofp", true},      {"fptosi", false},
             {"fptoui", true},  {"index_cast", false}, {"index_castui", true}};

static bool cast_kernel(const char *name, dl_type from, dl_type to, dl_kernel *kernel) {
  if (strncmp(name, "arith.", 6)) return false;
  if (!strcmp(name + 6, "bitcast")) return describe(kernel, bitcast, 1, from, to);
  for (size_t i = 0; i < DL_COUNT(casts); i++) {
    if (strcmp(name + 6, casts[i].name)) continue;
    return describe(kernel, conversion(dl_lane_of(from), dl_lane_of(to), casts[i].is_unsigned), 1,
                    from, to);
  }
  return false;
}

bool dl_kernel_of_op(const dl_op *op, dl_kernel *kernel) {
  size_t num_operands = dl_num_operands(op);
  if (dl_num_results(op) != 1 || num_operands == 0 || num_operands > DL_KERNEL_MAX_INPUTS)
    return false;
  dl_type from = dl_element_type(dl_value_type(dl_operand(op, num_operands - 1)));
  dl_type to = dl_element_type(dl_value_type(dl_result(op, 0)));
  if (!dl_lane_of(from) || !dl_lane_of(to)) return false;
  const kernel_row *row = find_row(dl_str_of(dl_op_name(op)));
  if (!row) return num_operands == 1 && cast_kernel(dl_op_name(op), from, to, kernel);
  if (row->num_inputs != num_operands) return false;
  if (!describe(kernel, row_function(row, dl_lane_of(from)), num_operands, from, to)) return false;
  kernel->predicate = dl_get_i64(op, "predicate", 0);
  return kernel->predicate >= 0 && kernel->predicate < (dl_lane_of(from) == DL_LANE_INT ? 10 : 16);
}

static bool scalar_cast(dl_type from, dl_type to, dl_kernel *kernel) {
  bool to_bool = to->kind == DL_TYPE_INTEGER && to->width == 1;
  if (to_bool) return describe(kernel, is_set(dl_lane_of(from)), 1, from, to);
  bool integer_from = dl_lane_of(from) == DL_LANE_INT;
  return describe(
      kernel, conversion(dl_lane_of(from), dl_lane_of(to), is_unsigned(integer_from ? from : to)),
      1, from, to);
}

bool dl_kernel_of_scalar(dl_scalar_op op, dl_type from, dl_type to, dl_kernel *kernel) {
  dl_lane lane = dl_lane_of(from);
  if (!lane || !dl_lane_of(to)) return false;
  if (op == DL_SCALAR_CAST) return scalar_cast(from, to, kernel);
  if (op >= DL_COUNT(scalar_rows)) return false;
  const scalar_row *row = &scalar_rows[op];
  dl_kernel_fn on_int = is_unsigned(from) ? row->on_unsigned : row->on_signed;
  dl_kernel_fn run = lane == DL_LANE_INT ? on_int : lane == DL_LANE_F32 ? row->on_f32 : row->on_f64;
  if (!describe(kernel, run, row->num_inputs, from, to)) return false;
  if (is_comparison(op)) {
    kernel->predicate = lane != DL_LANE_INT ? predicates[op].on_float
                        : is_unsigned(from) ? predicates[op].on_unsigned
                                            : predicates[op].on_signed;
  }
  return true;
}

bool dl_kernel_of_combiner(dl_combiner combiner, dl_type type, dl_kernel *kernel) {
  static const dl_scalar_op ops[] = {
      [DL_COMBINE_SUM] = DL_SCALAR_ADD, [DL_COMBINE_PROD] = DL_SCALAR_MUL,
      [DL_COMBINE_MAX] = DL_SCALAR_MAX, [DL_COMBINE_MIN] = DL_SCALAR_MIN,
      [DL_COMBINE_AND] = DL_SCALAR_AND, [DL_COMBINE_OR] = DL_SCALAR_OR};
  if (combiner == DL_COMBINE_NONE) return false;
  return dl_kernel_of_scalar(ops[combiner], type, type, kernel);
}
