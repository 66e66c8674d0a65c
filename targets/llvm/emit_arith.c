// emit_arith.c: the arith and math dialects, on scalars and vectors alike.
#include "targets/llvm/emit_internal.h"
#include "targets/llvm/predicates.h"

static LLVMTypeRef result_type(dl_emitter *e, dl_op *op) {
  return dl_llvm_type_of(e, op, dl_value_type(dl_result(op, 0)));
}

static dl_status emit_constant(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  LLVMValueRef value =
      dl_llvm_constant(e, op, dl_get_attr(op, "value"), dl_value_type(dl_result(op, 0)));
  if (!value) return DL_FAILED;
  dl_set_result(e, op, value);
  return DL_OK;
}

static dl_status emit_binary(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  if (!result_type(e, op)) return DL_FAILED;
  dl_set_result(e, op,
                LLVMBuildBinOp(e->b, (LLVMOpcode)row->code, dl_emitted_operand(e, op, 0),
                               dl_emitted_operand(e, op, 1), ""));
  return DL_OK;
}

static dl_status emit_negf(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  if (!result_type(e, op)) return DL_FAILED;
  dl_set_result(e, op, LLVMBuildFNeg(e->b, dl_emitted_operand(e, op, 0), ""));
  return DL_OK;
}

// Quotients rounded down or up, from the one that is rounded towards zero.
static dl_status emit_rounded_division(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  LLVMTypeRef type = result_type(e, op);
  if (!type) return DL_FAILED;
  bool up = row->code;
  LLVMBuilderRef b = e->b;
  LLVMValueRef n = dl_emitted_operand(e, op, 0), d = dl_emitted_operand(e, op, 1);
  LLVMValueRef zero = LLVMConstNull(type), quotient = LLVMBuildSDiv(b, n, d, "");
  LLVMValueRef inexact = LLVMBuildICmp(b, LLVMIntNE, LLVMBuildSRem(b, n, d, ""), zero, "");
  LLVMValueRef wrong_side =
      LLVMBuildICmp(b, up ? LLVMIntSGE : LLVMIntSLT, LLVMBuildXor(b, n, d, ""), zero, "");
  LLVMValueRef one = LLVMBuildZExt(b, LLVMBuildAnd(b, inexact, wrong_side, ""), type, "");
  dl_set_result(e, op,
                up ? LLVMBuildAdd(b, quotient, one, "") : LLVMBuildSub(b, quotient, one, ""));
  return DL_OK;
}

static dl_status emit_ceildivui(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  LLVMTypeRef type = result_type(e, op);
  if (!type) return DL_FAILED;
  LLVMValueRef n = dl_emitted_operand(e, op, 0), d = dl_emitted_operand(e, op, 1);
  LLVMValueRef inexact =
      LLVMBuildICmp(e->b, LLVMIntNE, LLVMBuildURem(e->b, n, d, ""), LLVMConstNull(type), "");
  dl_set_result(e, op,
                LLVMBuildAdd(e->b, LLVMBuildUDiv(e->b, n, d, ""),
                             LLVMBuildZExt(e->b, inexact, type, ""), ""));
  return DL_OK;
}

static dl_status emit_cast(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  LLVMTypeRef type = result_type(e, op);
  if (!type) return DL_FAILED;
  dl_set_result(e, op,
                LLVMBuildCast(e->b, (LLVMOpcode)row->code, dl_emitted_operand(e, op, 0), type, ""));
  return DL_OK;
}

// code: whether the narrower side is signed.
static dl_status emit_index_cast(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  LLVMTypeRef type = result_type(e, op);
  if (!type) return DL_FAILED;
  dl_set_result(e, op, LLVMBuildIntCast2(e->b, dl_emitted_operand(e, op, 0), type, row->code, ""));
  return DL_OK;
}

static dl_status emit_cmpi(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  int64_t predicate = dl_get_i64(op, "predicate", -1);
  if (predicate < 0 || predicate >= (int64_t)DL_COUNT(dl_int_predicates))
    return dl_error(dl_op_loc(op), "'arith.cmpi': no such predicate");
  dl_set_result(e, op,
                LLVMBuildICmp(e->b, dl_int_predicates[predicate], dl_emitted_operand(e, op, 0),
                              dl_emitted_operand(e, op, 1), ""));
  return DL_OK;
}

static dl_status emit_cmpf(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  int64_t predicate = dl_get_i64(op, "predicate", -1);
  if (predicate < 0 || predicate >= (int64_t)DL_COUNT(dl_float_predicates))
    return dl_error(dl_op_loc(op), "'arith.cmpf': no such predicate");
  dl_set_result(e, op,
                LLVMBuildFCmp(e->b, dl_float_predicates[predicate], dl_emitted_operand(e, op, 0),
                              dl_emitted_operand(e, op, 1), ""));
  return DL_OK;
}

static dl_status emit_select(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  if (!result_type(e, op)) return DL_FAILED;
  dl_set_result(e, op,
                LLVMBuildSelect(e->b, dl_emitted_operand(e, op, 0), dl_emitted_operand(e, op, 1),
                                dl_emitted_operand(e, op, 2), ""));
  return DL_OK;
}

// name: an intrinsic overloaded on its result type alone; code: 1 when it takes a further `false`.
static dl_status emit_intrinsic(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  LLVMTypeRef type = result_type(e, op);
  if (!type) return DL_FAILED;
  LLVMValueRef args[4];
  unsigned count = 0;
  for (; count < dl_num_operands(op); count++) args[count] = dl_emitted_operand(e, op, count);
  if (row->code) args[count++] = LLVMConstInt(LLVMInt1TypeInContext(e->ctx), 0, false);
  dl_set_result(e, op, dl_call_intrinsic(e, row->name, 1, &type, count, args));
  return DL_OK;
}

// The larger (code 1) or smaller (code 0) of two floats; NaN if either is, and -0 < +0.
static dl_status emit_extremum(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  if (!e->on_device) {
    const dl_emit_row intrinsic = {row->op, NULL, 0, row->name};
    return emit_intrinsic(e, op, &intrinsic);
  }
  LLVMTypeRef type = result_type(e, op);
  if (!type) return DL_FAILED;
  LLVMValueRef x = dl_emitted_operand(e, op, 0), y = dl_emitted_operand(e, op, 1);
  dl_set_result(e, op, dl_expand_extremum(e, dl_value_type(dl_result(op, 0)), row->code, x, y));
  return DL_OK;
}

// --- functions of libm, lane by lane ---

static LLVMValueRef libm_function(dl_emitter *e, const char *name, bool is_double, unsigned arity,
                                  LLVMTypeRef *function_type) {
  LLVMTypeRef type = is_double ? LLVMDoubleTypeInContext(e->ctx) : LLVMFloatTypeInContext(e->ctx);
  LLVMTypeRef arguments[2] = {type, type};
  *function_type = LLVMFunctionType(type, arguments, arity, false);
  dl_buffer symbol = {0};
  if (e->on_device)
    dl_mangle_opencl(&symbol, name, arity, is_double);
  else
    dl_buffer_printf(&symbol, "%s%s", name, is_double ? "" : "f");
  LLVMValueRef function = LLVMGetNamedFunction(e->module, symbol.data);
  if (!function) {
    function = LLVMAddFunction(e->module, symbol.data, *function_type);
    const LLVMAttributeIndex at = (LLVMAttributeIndex)LLVMAttributeFunctionIndex;
    dl_add_attr(e, function, at, "nounwind", 0);
    dl_add_attr(e, function, at, "willreturn", 0);
    dl_add_attr(e, function, at, "memory", 0);  // none
    dl_set_calling_convention(e, function);
  }
  dl_buffer_free(&symbol);
  return function;
}

static LLVMValueRef call_libm(dl_emitter *e, const char *name, unsigned arity, LLVMValueRef *args) {
  LLVMTypeRef given = LLVMTypeOf(args[0]), function_type;
  bool is_double = LLVMGetTypeKind(given) == LLVMDoubleTypeKind;
  LLVMValueRef function = libm_function(e, name, is_double, arity, &function_type);
  LLVMTypeRef type = LLVMGetReturnType(function_type);
  LLVMValueRef converted[2];
  for (unsigned i = 0; i < arity; i++) converted[i] = LLVMBuildFPCast(e->b, args[i], type, "");
  LLVMValueRef result = LLVMBuildCall2(e->b, function_type, function, converted, arity, "");
  dl_set_calling_convention(e, result);
  return LLVMBuildFPCast(e->b, result, given, "");
}

static LLVMValueRef lane_of(dl_emitter *e, LLVMValueRef vector, unsigned lane) {
  return LLVMBuildExtractElement(e->b, vector, dl_llvm_const_i64(e, lane), "");
}

static dl_status emit_libm(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  LLVMTypeRef type = result_type(e, op);
  if (!type) return DL_FAILED;
  unsigned arity = (unsigned)dl_num_operands(op);
  LLVMValueRef args[2], lanes[2];
  for (unsigned i = 0; i < arity; i++) args[i] = dl_emitted_operand(e, op, i);
  if (LLVMGetTypeKind(type) != LLVMVectorTypeKind) {
    dl_set_result(e, op, call_libm(e, row->name, arity, args));
    return DL_OK;
  }
  LLVMValueRef result = LLVMGetPoison(type);
  for (unsigned lane = 0; lane < LLVMGetVectorSize(type); lane++) {
    for (unsigned i = 0; i < arity; i++) lanes[i] = lane_of(e, args[i], lane);
    result = LLVMBuildInsertElement(e->b, result, call_libm(e, row->name, arity, lanes),
                                    dl_llvm_const_i64(e, lane), "");
  }
  dl_set_result(e, op, result);
  return DL_OK;
}

static dl_status emit_rsqrt(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  LLVMTypeRef type = result_type(e, op);
  if (!type) return DL_FAILED;
  LLVMValueRef x = dl_emitted_operand(e, op, 0);
  LLVMValueRef root = dl_call_intrinsic(e, "llvm.sqrt", 1, &type, 1, &x);
  dl_set_result(e, op, LLVMBuildFDiv(e->b, LLVMConstReal(type, 1), root, ""));
  return DL_OK;
}

// code: bits of LLVM's floating-point class mask.
static dl_status emit_class(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  if (!result_type(e, op)) return DL_FAILED;
  LLVMValueRef args[2] = {dl_emitted_operand(e, op, 0),
                          LLVMConstInt(LLVMInt32TypeInContext(e->ctx), (unsigned)row->code, false)};
  LLVMTypeRef type = LLVMTypeOf(args[0]);
  dl_set_result(e, op, dl_call_intrinsic(e, "llvm.is.fpclass", 1, &type, 2, args));
  return DL_OK;
}

static const dl_emit_row arith_rows[] = {
    {"arith.constant", emit_constant, 0, NULL},
    {"arith.addi", emit_binary, LLVMAdd, NULL},
    {"arith.subi", emit_binary, LLVMSub, NULL},
    {"arith.muli", emit_binary, LLVMMul, NULL},
    {"arith.divsi", emit_binary, LLVMSDiv, NULL},
    {"arith.divui", emit_binary, LLVMUDiv, NULL},
    {"arith.remsi", emit_binary, LLVMSRem, NULL},
    {"arith.remui", emit_binary, LLVMURem, NULL},
    {"arith.floordivsi", emit_rounded_division, 0, NULL},
    {"arith.ceildivsi", emit_rounded_division, 1, NULL},
    {"arith.ceildivui", emit_ceildivui, 0, NULL},
    {"arith.andi", emit_binary, LLVMAnd, NULL},
    {"arith.ori", emit_binary, LLVMOr, NULL},
    {"arith.xori", emit_binary, LLVMXor, NULL},
    {"arith.shli", emit_binary, LLVMShl, NULL},
    {"arith.shrsi", emit_binary, LLVMAShr, NULL},
    {"arith.shrui", emit_binary, LLVMLShr, NULL},
    {"arith.addf", emit_binary, LLVMFAdd, NULL},
    {"arith.subf", emit_binary, LLVMFSub, NULL},
    {"arith.mulf", emit_binary, LLVMFMul, NULL},
    {"arith.divf", emit_binary, LLVMFDiv, NULL},
    {"arith.remf", emit_libm, 0, "fmod"},
    {"arith.negf", emit_negf, 0, NULL},
    {"arith.maximumf", emit_extremum, 1, "llvm.maximum"},
    {"arith.minimumf", emit_extremum, 0, "llvm.minimum"},
    {"arith.maxnumf", emit_intrinsic, 0, "llvm.maxnum"},
    {"arith.minnumf", emit_intrinsic, 0, "llvm.minnum"},
    {"arith.maxsi", emit_intrinsic, 0, "llvm.smax"},
    {"arith.maxui", emit_intrinsic, 0, "llvm.umax"},
    {"arith.minsi", emit_intrinsic, 0, "llvm.smin"},
    {"arith.minui", emit_intrinsic, 0, "llvm.umin"},
    {"arith.cmpi", emit_cmpi, 0, NULL},
    {"arith.cmpf", emit_cmpf, 0, NULL},
    {"arith.select", emit_select, 0, NULL},
    {"arith.extf", emit_cast, LLVMFPExt, NULL},
    {"arith.truncf", emit_cast, LLVMFPTrunc, NULL},
    {"arith.extsi", emit_cast, LLVMSExt, NULL},
    {"arith.extui", emit_cast, LLVMZExt, NULL},
    {"arith.trunci", emit_cast, LLVMTrunc, NULL},
    {"arith.sitofp", emit_cast, LLVMSIToFP, NULL},
    {"arith.uitofp", emit_cast, LLVMUIToFP, NULL},
    {"arith.fptosi", emit_cast, LLVMFPToSI, NULL},
    {"arith.fptoui", emit_cast, LLVMFPToUI, NULL},
    {"arith.bitcast", emit_cast, LLVMBitCast, NULL},
    {"arith.index_cast", emit_index_cast, true, NULL},
    {"arith.index_castui", emit_index_cast, false, NULL},
};

enum { CLASS_NAN = 0x3, CLASS_INFINITE = 0x204, CLASS_FINITE = 0x1f8, CLASS_NORMAL = 0x108 };

static const dl_emit_row math_rows[] = {
    {"math.fma", emit_intrinsic, 0, "llvm.fma"},
    {"math.absf", emit_intrinsic, 0, "llvm.fabs"},
    {"math.absi", emit_intrinsic, 1, "llvm.abs"},
    {"math.ceil", emit_intrinsic, 0, "llvm.ceil"},
    {"math.floor", emit_intrinsic, 0, "llvm.floor"},
    {"math.trunc", emit_intrinsic, 0, "llvm.trunc"},
    {"math.round", emit_intrinsic, 0, "llvm.round"},
    {"math.roundeven", emit_intrinsic, 0, "llvm.roundeven"},
    {"math.sqrt", emit_intrinsic, 0, "llvm.sqrt"},
    {"math.copysign", emit_intrinsic, 0, "llvm.copysign"},
    {"math.ctpop", emit_intrinsic, 0, "llvm.ctpop"},
    {"math.ctlz", emit_intrinsic, 1, "llvm.ctlz"},
    {"math.cttz", emit_intrinsic, 1, "llvm.cttz"},
    {"math.rsqrt", emit_rsqrt, 0, NULL},
    {"math.isnan", emit_class, CLASS_NAN, NULL},
    {"math.isinf", emit_class, CLASS_INFINITE, NULL},
    {"math.isfinite", emit_class, CLASS_FINITE, NULL},
    {"math.isnormal", emit_class, CLASS_NORMAL, NULL},
    {"math.cbrt", emit_libm, 0, "cbrt"},
    {"math.exp", emit_libm, 0, "exp"},
    {"math.exp2", emit_libm, 0, "exp2"},
    {"math.expm1", emit_libm, 0, "expm1"},
    {"math.log", emit_libm, 0, "log"},
    {"math.log2", emit_libm, 0, "log2"},
    {"math.log10", emit_libm, 0, "log10"},
    {"math.log1p", emit_libm, 0, "log1p"},
    {"math.powf", emit_libm, 0, "pow"},
    {"math.sin", emit_libm, 0, "sin"},
    {"math.cos", emit_libm, 0, "cos"},
    {"math.tan", emit_libm, 0, "tan"},
    {"math.asin", emit_libm, 0, "asin"},
    {"math.acos", emit_libm, 0, "acos"},
    {"math.atan", emit_libm, 0, "atan"},
    {"math.atan2", emit_libm, 0, "atan2"},
    {"math.sinh", emit_libm, 0, "sinh"},
    {"math.cosh", emit_libm, 0, "cosh"},
    {"math.tanh", emit_libm, 0, "tanh"},
    {"math.asinh", emit_libm, 0, "asinh"},
    {"math.acosh", emit_libm, 0, "acosh"},
    {"math.atanh", emit_libm, 0, "atanh"},
    {"math.erf", emit_libm, 0, "erf"},
    {"math.erfc", emit_libm, 0, "erfc"},
};

const dl_emit_table dl_emit_arith_table = {arith_rows, DL_COUNT(arith_rows)};
const dl_emit_table dl_emit_math_table = {math_rows, DL_COUNT(math_rows)};
