// The strip is the parallel iterator that runs innermost, so that LLVM finds vectors while every
// reduction keeps its order:
//
//     for the other parallel iterators, and chunks of the strip:
//       accumulators = init
//       for the reduce iterators: for the chunk: accumulator = combine(accumulator, body)
//       for the chunk: target = accumulator
#include "targets/llvm/box_code.h"

#include "dialects/eval/kernel.h"
#include "targets/llvm/predicates.h"

enum { CHUNK = 256, ARRAYS = 0, BEGIN, END, SEED, FAILED, NUM_PARAMETERS };

typedef struct code {
  const dl_box *box;
  dl_arena *kernels;
  LLVMContextRef ctx;
  LLVMModuleRef module;
  LLVMBuilderRef b;
  LLVMValueRef function;
  LLVMTypeRef i64, ptr;
  LLVMBasicBlockRef entry;
  LLVMValueRef *arrays;     // addresses of the target's, the reads' and the gathers' elements
  LLVMValueRef *iterators;  // their values here
  LLVMValueRef *registers;
  dl_range *ranges;  // of the iterators
  size_t strip;      // num_iterators: none
  unsigned roundings;
} code;

typedef struct loop {
  LLVMBasicBlockRef body;
  LLVMValueRef index, end;
} loop;

// --- small pieces ---

static LLVMValueRef constant(const code *c, int64_t value) {
  return LLVMConstInt(c->i64, (unsigned long long)value, true);
}

static LLVMBasicBlockRef new_block(const code *c) {
  return LLVMAppendBasicBlockInContext(c->ctx, c->function, "");
}

static LLVMTypeRef lane_type(const code *c, dl_lane lane) {
  return lane == DL_LANE_F32   ? LLVMFloatTypeInContext(c->ctx)
         : lane == DL_LANE_F64 ? LLVMDoubleTypeInContext(c->ctx)
                               : c->i64;
}

static LLVMValueRef lane_constant(const code *c, dl_lane lane, dl_scalar_value value) {
  uint32_t bits;
  if (lane == DL_LANE_INT) return constant(c, value.i);
  if (lane == DL_LANE_F64) return LLVMConstBitCast(constant(c, value.i), lane_type(c, lane));
  memcpy(&bits, &value.f, sizeof(bits));
  return LLVMConstBitCast(LLVMConstInt(LLVMInt32TypeInContext(c->ctx), bits, false),
                          lane_type(c, lane));
}

// A loop from `begin` to `end`, which is more.
static loop begin_range(code *c, LLVMValueRef begin, LLVMValueRef end) {
  LLVMBasicBlockRef before = LLVMGetInsertBlock(c->b);
  loop l = {.body = new_block(c), .end = end};
  LLVMBuildBr(c->b, l.body);
  LLVMPositionBuilderAtEnd(c->b, l.body);
  l.index = LLVMBuildPhi(c->b, c->i64, "");
  LLVMAddIncoming(l.index, &begin, &before, 1);
  return l;
}

// A loop from 0 to `end`, which is at least 1.
static loop begin_loop(code *c, LLVMValueRef end) { return begin_range(c, constant(c, 0), end); }

static void end_loop(code *c, const loop *l) {
  LLVMValueRef next = LLVMBuildNSWAdd(c->b, l->index, constant(c, 1), "");
  LLVMBasicBlockRef after = new_block(c), latch = LLVMGetInsertBlock(c->b);
  LLVMAddIncoming(l->index, &next, &latch, 1);
  LLVMBuildCondBr(c->b, LLVMBuildICmp(c->b, LLVMIntSLT, next, l->end, ""), l->body, after);
  LLVMPositionBuilderAtEnd(c->b, after);
}

static LLVMValueRef intrinsic(code *c, const char *name, LLVMValueRef *args, unsigned count) {
  unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
  LLVMTypeRef type = LLVMTypeOf(args[0]);
  LLVMValueRef function = LLVMGetIntrinsicDeclaration(c->module, id, &type, 1);
  return LLVMBuildCall2(c->b, LLVMIntrinsicGetType(c->ctx, id, &type, 1), function, args, count,
                        "");
}

// --- indices ---

static LLVMValueRef divide(code *c, LLVMValueRef x, LLVMValueRef y, bool wants_rest) {
  LLVMValueRef zero = constant(c, 0), rest = LLVMBuildSRem(c->b, x, y, "");
  LLVMValueRef below = LLVMBuildICmp(c->b, LLVMIntSLT, rest, zero, "");
  if (wants_rest) return LLVMBuildAdd(c->b, rest, LLVMBuildSelect(c->b, below, y, zero, ""), "");
  return LLVMBuildSub(c->b, LLVMBuildSDiv(c->b, x, y, ""), LLVMBuildZExt(c->b, below, c->i64, ""),
                      "");
}

// Divisors are positive constants: dl_box_has_code saw to that.
static LLVMValueRef emit_expr(code *c, dl_expr expr) {
  if (expr->kind == DL_EXPR_CONST) return constant(c, expr->value);
  if (expr->kind == DL_EXPR_DIM) return c->iterators[expr->value];
  LLVMValueRef x = emit_expr(c, expr->lhs), y = emit_expr(c, expr->rhs);
  switch (expr->kind) {
    case DL_EXPR_ADD:
      return LLVMBuildNSWAdd(c->b, x, y, "");
    case DL_EXPR_MUL:
      return LLVMBuildNSWMul(c->b, x, y, "");
    case DL_EXPR_FLOORDIV:
      return divide(c, x, y, false);
    case DL_EXPR_CEILDIV:
      return LLVMBuildNeg(c->b, divide(c, LLVMBuildNeg(c->b, x, ""), y, false), "");
    default:
      return divide(c, x, y, true);
  }
}

static LLVMValueRef both(code *c, LLVMValueRef a, LLVMValueRef b) {
  return !a ? b : !b ? a : LLVMBuildAnd(c->b, a, b, "");
}

static LLVMValueRef below(code *c, LLVMValueRef index, int64_t size) {
  return LLVMBuildICmp(c->b, LLVMIntULT, index, constant(c, size), "");
}

// The element at some indices; *in_range is NULL where they are known to be.
static LLVMValueRef emit_element(code *c, const dl_ndarray *array, const dl_expr *indices,
                                 LLVMValueRef *in_range) {
  LLVMValueRef element = constant(c, 0);
  *in_range = NULL;
  for (size_t i = 0; i < array->rank; i++) {
    LLVMValueRef index = emit_expr(c, indices[i]);
    dl_range range = dl_expr_range(indices[i], c->ranges, c->box->num_iterators, NULL, 0);
    if (range.min < 0 || range.max >= array->shape[i])
      *in_range = both(c, *in_range, below(c, index, array->shape[i]));
    element = LLVMBuildNSWMul(c->b, element, constant(c, array->shape[i]), "");
    element = LLVMBuildNSWAdd(c->b, element, index, "");
  }
  return element;
}

// --- memory ---

static LLVMTypeRef storage_type(const code *c, dl_type type) {
  if (dl_lane_of(type) != DL_LANE_INT) return lane_type(c, dl_lane_of(type));
  return LLVMIntTypeInContext(c->ctx, (unsigned)(8 * dl_element_bytes(type)));
}

static LLVMValueRef address(code *c, size_t array, dl_type type, LLVMValueRef element) {
  return LLVMBuildInBoundsGEP2(c->b, storage_type(c, type), c->arrays[array], &element, 1, "");
}

static bool is_unsigned(dl_type type) {
  return type->kind == DL_TYPE_INTEGER && (type->signedness == DL_UNSIGNED || type->width == 1);
}

static LLVMValueRef emit_load(code *c, size_t array, dl_type type, LLVMValueRef element) {
  LLVMValueRef value =
      LLVMBuildLoad2(c->b, storage_type(c, type), address(c, array, type, element), "");
  if (dl_lane_of(type) != DL_LANE_INT) return value;
  return is_unsigned(type) ? LLVMBuildZExt(c->b, value, c->i64, "")
                           : LLVMBuildSExt(c->b, value, c->i64, "");
}

static void emit_store(code *c, dl_type type, LLVMValueRef element, LLVMValueRef value) {
  if (dl_lane_of(type) == DL_LANE_INT)
    value = LLVMBuildTrunc(c->b, value, storage_type(c, type), "");
  LLVMBuildStore(c->b, value, address(c, 0, type, element));
}

// Goes to a new block where the condition holds, and on to *after otherwise.
static void begin_if(code *c, LLVMValueRef condition, LLVMBasicBlockRef *after) {
  LLVMBasicBlockRef then = new_block(c);
  *after = new_block(c);
  LLVMBuildCondBr(c->b, condition, then, *after);
  LLVMPositionBuilderAtEnd(c->b, then);
}

static void end_if(code *c, LLVMBasicBlockRef after) {
  LLVMBuildBr(c->b, after);
  LLVMPositionBuilderAtEnd(c->b, after);
}

static void fail_unless(code *c, LLVMValueRef in_range) {
  LLVMBasicBlockRef after = NULL;
  begin_if(c, LLVMBuildNot(c->b, in_range, ""), &after);
  LLVMBuildStore(c->b, constant(c, 1), LLVMGetParam(c->function, FAILED));
  end_if(c, after);
}

// The element where it is in range, else the other value.
static LLVMValueRef emit_guarded_load(code *c, size_t array, dl_type type, LLVMValueRef element,
                                      LLVMValueRef in_range, LLVMValueRef otherwise) {
  if (!in_range) return emit_load(c, array, type, element);
  LLVMBasicBlockRef from[2] = {LLVMGetInsertBlock(c->b)}, after;
  LLVMValueRef values[2] = {otherwise};
  begin_if(c, in_range, &after);
  values[1] = emit_load(c, array, type, element);
  from[1] = LLVMGetInsertBlock(c->b);
  end_if(c, after);
  LLVMValueRef phi = LLVMBuildPhi(c->b, LLVMTypeOf(otherwise), "");
  LLVMAddIncoming(phi, values, from, 2);
  return phi;
}

static LLVMValueRef emit_read(code *c, const dl_box_op *op) {
  const dl_box_read *read = &c->box->reads[op->read];
  LLVMValueRef in_range, element = emit_element(c, read->array, read->indices, &in_range);
  if (in_range && !read->has_otherwise) fail_unless(c, in_range);
  LLVMValueRef otherwise = lane_constant(c, dl_lane_of(read->type), read->otherwise);
  return emit_guarded_load(c, 1 + op->read, read->type, element, in_range, otherwise);
}

static LLVMValueRef emit_gather(code *c, const dl_box_op *op, size_t number) {
  LLVMValueRef in_range = NULL, element = constant(c, 0);
  for (size_t i = 0; i < op->array->rank; i++) {
    LLVMValueRef index = c->registers[op->indices[i]];
    in_range = both(c, in_range, below(c, index, op->array->shape[i]));
    element = LLVMBuildMul(c->b, element, constant(c, op->array->shape[i]), "");
    element = LLVMBuildAdd(c->b, element, index, "");
  }
  if (in_range) fail_unless(c, in_range);
  LLVMValueRef zero = LLVMConstNull(lane_type(c, dl_lane_of(op->type)));
  return emit_guarded_load(c, 1 + c->box->num_reads + number, op->type, element, in_range, zero);
}

// --- kernels ---

static LLVMValueRef emit_compare(code *c, const dl_kernel *k, LLVMValueRef *in) {
  LLVMValueRef bit = dl_lane_of(k->from) == DL_LANE_INT
                         ? LLVMBuildICmp(c->b, dl_int_predicates[k->predicate], in[0], in[1], "")
                         : LLVMBuildFCmp(c->b, dl_float_predicates[k->predicate], in[0], in[1], "");
  return LLVMBuildZExt(c->b, bit, c->i64, "");
}

static LLVMValueRef emit_float(code *c, const dl_kernel *k, LLVMValueRef *in) {
  switch (k->basic) {
    case DL_BASIC_ADD:
      return LLVMBuildFAdd(c->b, in[0], in[1], "");
    case DL_BASIC_SUB:
      return LLVMBuildFSub(c->b, in[0], in[1], "");
    case DL_BASIC_MUL:
      return LLVMBuildFMul(c->b, in[0], in[1], "");
    case DL_BASIC_DIV:
      return LLVMBuildFDiv(c->b, in[0], in[1], "");
    case DL_BASIC_MAX:
      return intrinsic(c, "llvm.maximum", in, 2);
    case DL_BASIC_MIN:
      return intrinsic(c, "llvm.minimum", in, 2);
    case DL_BASIC_NEG:
      return LLVMBuildFNeg(c->b, in[0], "");
    case DL_BASIC_ABS:
      return intrinsic(c, "llvm.fabs", in, 1);
    case DL_BASIC_SQRT:
      return intrinsic(c, "llvm.sqrt", in, 1);
    case DL_BASIC_FLOOR:
      return intrinsic(c, "llvm.floor", in, 1);
    case DL_BASIC_CEIL:
      return intrinsic(c, "llvm.ceil", in, 1);
    default:
      return in[0];
  }
}

// Brings an integer to its type, as lanes hold it.
static LLVMValueRef wrap(code *c, dl_type type, LLVMValueRef value) {
  if (type->kind != DL_TYPE_INTEGER || type->width == 64) return value;
  LLVMValueRef unused = constant(c, 64 - (int64_t)type->width);
  LLVMValueRef high = LLVMBuildShl(c->b, value, unused, "");
  return is_unsigned(type) ? LLVMBuildLShr(c->b, high, unused, "")
                           : LLVMBuildAShr(c->b, high, unused, "");
}

static LLVMValueRef emit_int(code *c, const dl_kernel *k, LLVMValueRef *in) {
  static const LLVMOpcode opcodes[] = {
      [DL_BASIC_ADD] = LLVMAdd, [DL_BASIC_SUB] = LLVMSub, [DL_BASIC_MUL] = LLVMMul,
      [DL_BASIC_AND] = LLVMAnd, [DL_BASIC_OR] = LLVMOr,   [DL_BASIC_XOR] = LLVMXor};
  if (k->basic == DL_BASIC_SAME) return wrap(c, k->to, in[0]);
  if (k->basic == DL_BASIC_NEG) return wrap(c, k->to, LLVMBuildNeg(c->b, in[0], ""));
  return wrap(c, k->to, LLVMBuildBinOp(c->b, opcodes[k->basic], in[0], in[1], ""));
}

// Calls the interpreter's own function for one lane.
static LLVMValueRef emit_kernel_call(code *c, const dl_kernel *k, LLVMValueRef *in) {
  dl_kernel *kept = dl_arena_alloc(c->kernels, sizeof(*kept));
  *kept = *k;
  LLVMBasicBlockRef here = LLVMGetInsertBlock(c->b);
  LLVMPositionBuilderBefore(c->b, LLVMGetFirstInstruction(c->entry));
  LLVMValueRef slots[DL_KERNEL_MAX_INPUTS];
  LLVMTypeRef list = LLVMArrayType2(c->ptr, DL_KERNEL_MAX_INPUTS);
  LLVMValueRef inputs = LLVMBuildAlloca(c->b, list, "");
  LLVMValueRef out = LLVMBuildAlloca(c->b, c->i64, "");
  for (size_t i = 0; i < k->num_inputs; i++) slots[i] = LLVMBuildAlloca(c->b, c->i64, "");
  LLVMPositionBuilderAtEnd(c->b, here);
  for (size_t i = 0; i < k->num_inputs; i++) {
    LLVMValueRef at = constant(c, (int64_t)i);
    LLVMBuildStore(c->b, in[i], slots[i]);
    LLVMBuildStore(c->b, slots[i], LLVMBuildInBoundsGEP2(c->b, c->ptr, inputs, &at, 1, ""));
  }
  LLVMTypeRef parameters[] = {c->ptr, c->ptr, c->ptr, c->i64};
  LLVMTypeRef type = LLVMFunctionType(LLVMVoidTypeInContext(c->ctx), parameters, 4, false);
  LLVMValueRef function = LLVMConstIntToPtr(constant(c, (int64_t)(intptr_t)dl_kernel_run), c->ptr);
  LLVMValueRef args[] = {LLVMConstIntToPtr(constant(c, (int64_t)(intptr_t)kept), c->ptr), out,
                         inputs, constant(c, 1)};
  LLVMBuildCall2(c->b, type, function, args, 4, "");
  return LLVMBuildLoad2(c->b, lane_type(c, dl_lane_of(k->to)), out, "");
}

static LLVMValueRef emit_exact(code *c, const dl_kernel *k, LLVMValueRef *in) {
  bool is_int = dl_lane_of(k->from) == DL_LANE_INT;
  if (k->basic == DL_BASIC_SELECT)
    return LLVMBuildSelect(c->b, LLVMBuildICmp(c->b, LLVMIntNE, in[0], constant(c, 0), ""), in[1],
                           in[2], "");
  bool odd_integer =
      is_int &&
      (is_unsigned(k->from) || (k->basic == DL_BASIC_COMPARE && k->predicate > 5 && k->width < 64));
  if (k->basic == DL_BASIC_NONE || odd_integer || k->basic == DL_BASIC_FLOORDIV ||
      k->basic == DL_BASIC_MOD)
    return emit_kernel_call(c, k, in);
  if (k->basic == DL_BASIC_COMPARE) return emit_compare(c, k, in);
  return is_int ? emit_int(c, k, in) : emit_float(c, k, in);
}

// --- noise ---

static LLVMValueRef mix(code *c, LLVMValueRef hash, unsigned shift, unsigned factor) {
  LLVMTypeRef i32 = LLVMTypeOf(hash);
  LLVMValueRef high = LLVMBuildLShr(c->b, hash, LLVMConstInt(i32, shift, false), "");
  hash = LLVMBuildXor(c->b, hash, high, "");
  return LLVMBuildMul(c->b, hash, LLVMConstInt(i32, factor, false), "");
}

// -1, 0 or 1, with the probabilities 1/4, 1/2, 1/4: a hash of the point, the seed and the
// operation.
static LLVMValueRef random_step(code *c) {
  LLVMTypeRef i32 = LLVMInt32TypeInContext(c->ctx);
  LLVMValueRef hash = LLVMGetParam(c->function, SEED);
  hash = LLVMBuildAdd(c->b, hash, LLVMConstInt(i32, 0x9e3779b9u * ++c->roundings, false), "");
  for (size_t i = 0; i < c->box->num_iterators; i++) {
    LLVMValueRef part = LLVMBuildTrunc(c->b, c->iterators[i], i32, "");
    part =
        LLVMBuildMul(c->b, part, LLVMConstInt(i32, 0x85ebca6bu * (2 * (unsigned)i + 1), false), "");
    hash = LLVMBuildAdd(c->b, hash, part, "");
    if (i % 3 == 2) hash = mix(c, hash, 16, 0x21f0aaadu);
  }
  hash = mix(c, mix(c, hash, 15, 0xd35a2d97u), 16, 0xc2b2ae35u);
  LLVMValueRef up = LLVMBuildLShr(c->b, hash, LLVMConstInt(i32, 31, false), "");
  LLVMValueRef down = LLVMBuildLShr(c->b, hash, LLVMConstInt(i32, 30, false), "");
  down = LLVMBuildAnd(c->b, down, LLVMConstInt(i32, 1, false), "");
  return LLVMBuildSub(c->b, up, down, "");
}

// As dl_lanes_perturb: zeros, and what is next to zero or infinity, stay.
static LLVMValueRef perturb(code *c, LLVMValueRef value) {
  bool is_double = LLVMGetTypeKind(LLVMTypeOf(value)) == LLVMDoubleTypeKind;
  LLVMTypeRef bits_type = is_double ? c->i64 : LLVMInt32TypeInContext(c->ctx);
  LLVMValueRef bits = LLVMBuildBitCast(c->b, value, bits_type, "");
  LLVMValueRef sign = LLVMConstInt(bits_type, is_double ? INT64_MAX : INT32_MAX, false);
  LLVMValueRef least =
      LLVMConstInt(bits_type, is_double ? 0x0010000000000001u : 0x00800001u, false);
  LLVMValueRef most = LLVMConstInt(bits_type, is_double ? 0x7fe0000000000000u : 0x7f000000u, false);
  LLVMValueRef magnitude = LLVMBuildAnd(c->b, bits, sign, "");
  LLVMValueRef moves = LLVMBuildAnd(c->b, LLVMBuildICmp(c->b, LLVMIntUGE, magnitude, least, ""),
                                    LLVMBuildICmp(c->b, LLVMIntULE, magnitude, most, ""), "");
  LLVMValueRef step = LLVMBuildSExtOrBitCast(c->b, random_step(c), bits_type, "");
  LLVMValueRef moved =
      LLVMBuildBitCast(c->b, LLVMBuildAdd(c->b, bits, step, ""), LLVMTypeOf(value), "");
  return LLVMBuildSelect(c->b, moves, moved, value, "");
}

static LLVMValueRef emit_kernel(code *c, const dl_kernel *k, LLVMValueRef *in) {
  LLVMValueRef value = emit_exact(c, k, in);
  return c->box->noise && k->rounds ? perturb(c, value) : value;
}

// --- points ---

static void set_constants(code *c) {
  for (size_t r = 0; r < c->box->registers.len; r++) {
    const dl_box_register *reg = &c->box->registers.data[r];
    if (reg->kind == DL_REGISTER_CONSTANT)
      c->registers[r] = lane_constant(c, reg->lane, reg->value);
  }
}

static LLVMValueRef emit_body(code *c) {
  const dl_box *box = c->box;
  size_t gathers = 0;
  for (size_t r = 0; r < box->registers.len; r++)
    if (box->registers.data[r].kind == DL_REGISTER_ITERATOR)
      c->registers[r] = c->iterators[box->registers.data[r].iterator];
  for (size_t i = 0; i < box->ops.len; i++) {
    const dl_box_op *op = &box->ops.data[i];
    LLVMValueRef in[DL_KERNEL_MAX_INPUTS];
    for (size_t k = 0; op->kind == DL_BOX_KERNEL && k < op->kernel.num_inputs; k++)
      in[k] = c->registers[op->in[k]];
    c->registers[op->out] = op->kind == DL_BOX_READ     ? emit_read(c, op)
                            : op->kind == DL_BOX_GATHER ? emit_gather(c, op, gathers++)
                                                        : emit_kernel(c, &op->kernel, in);
  }
  return c->registers[box->result];
}

static bool reduces(const dl_box *box, dl_expr expr) {
  for (size_t i = box->num_parallel; i < box->num_iterators; i++)
    if (dl_expr_uses_dim(expr, (unsigned)i)) return true;
  return false;
}

// Whether the conditions hold, those over parallel iterators alone or all; NULL: there are none.
static LLVMValueRef emit_conditions(code *c, bool parallel_only) {
  LLVMValueRef all = NULL, zero = constant(c, 0);
  for (size_t i = 0; i < c->box->num_conditions; i++) {
    if (parallel_only && reduces(c->box, c->box->conditions[i])) continue;
    LLVMIntPredicate predicate = c->box->is_equality[i] ? LLVMIntEQ : LLVMIntSGE;
    LLVMValueRef value = emit_expr(c, c->box->conditions[i]);
    all = both(c, all, LLVMBuildICmp(c->b, predicate, value, zero, ""));
  }
  return all;
}

static void emit_result(code *c, LLVMValueRef value, LLVMValueRef active) {
  LLVMValueRef in_range, element = emit_element(c, c->box->target, c->box->out, &in_range);
  LLVMBasicBlockRef after = NULL;
  if (active) value = LLVMBuildSelect(c->b, active, value, LLVMConstNull(LLVMTypeOf(value)), "");
  if (in_range) {
    fail_unless(c, in_range);
    begin_if(c, in_range, &after);
  }
  emit_store(c, c->box->type, element, value);
  if (in_range) end_if(c, after);
}

// --- loops ---

static void emit_plain_point(code *c) {
  LLVMValueRef active = emit_conditions(c, true), value;
  LLVMBasicBlockRef from[2] = {LLVMGetInsertBlock(c->b)}, after;
  if (active) {
    begin_if(c, active, &after);
    LLVMValueRef values[2] = {LLVMConstNull(lane_type(c, dl_lane_of(c->box->type))), emit_body(c)};
    from[1] = LLVMGetInsertBlock(c->b);
    end_if(c, after);
    value = LLVMBuildPhi(c->b, LLVMTypeOf(values[0]), "");
    LLVMAddIncoming(value, values, from, 2);
  } else {
    value = emit_body(c);
  }
  emit_result(c, value, NULL);
}

static LLVMValueRef accumulator(code *c, LLVMValueRef accumulators, LLVMValueRef lane) {
  return LLVMBuildInBoundsGEP2(c->b, lane_type(c, dl_lane_of(c->box->type)), accumulators, &lane, 1,
                               "");
}

static void emit_accumulation(code *c, const dl_kernel *combine, LLVMValueRef at) {
  LLVMValueRef active = emit_conditions(c, false);
  LLVMBasicBlockRef after = NULL;
  if (active) begin_if(c, active, &after);
  LLVMTypeRef type = lane_type(c, dl_lane_of(c->box->type));
  LLVMValueRef in[] = {NULL, emit_body(c)};
  in[0] = LLVMBuildLoad2(c->b, type, at, "");
  LLVMBuildStore(c->b, emit_kernel(c, combine, in), at);
  if (active) end_if(c, after);
}

// One chunk: `lanes` points of the strip from `first` on.
static void emit_reduction(code *c, LLVMValueRef first, LLVMValueRef lanes,
                           LLVMValueRef accumulators) {
  const dl_box *box = c->box;
  dl_kernel combine;
  dl_kernel_of_combiner(box->combiner, box->target->element, &combine);
  combine.to = box->type;
  bool stripped = c->strip < box->num_iterators;
  size_t num_reduce = box->num_iterators - box->num_parallel;
  loop lane = begin_loop(c, lanes), *nest = dl_calloc(num_reduce + 1, sizeof(*nest));
  LLVMBuildStore(c->b, lane_constant(c, dl_lane_of(box->type), box->init),
                 accumulator(c, accumulators, lane.index));
  end_loop(c, &lane);
  for (size_t i = 0; i < num_reduce; i++) {
    nest[i] = begin_loop(c, constant(c, box->extents[box->num_parallel + i]));
    c->iterators[box->num_parallel + i] = nest[i].index;
  }
  lane = begin_loop(c, lanes);
  if (stripped) c->iterators[c->strip] = LLVMBuildNSWAdd(c->b, first, lane.index, "");
  emit_accumulation(c, &combine, accumulator(c, accumulators, lane.index));
  end_loop(c, &lane);
  for (size_t i = num_reduce; i-- > 0;) end_loop(c, &nest[i]);
  free(nest);
  lane = begin_loop(c, lanes);
  if (stripped) c->iterators[c->strip] = LLVMBuildNSWAdd(c->b, first, lane.index, "");
  emit_result(c,
              LLVMBuildLoad2(c->b, lane_type(c, dl_lane_of(box->type)),
                             accumulator(c, accumulators, lane.index), ""),
              emit_conditions(c, true));
  end_loop(c, &lane);
}

static void emit_chunks(code *c, LLVMValueRef accumulators) {
  const dl_box *box = c->box;
  if (box->combiner == DL_COMBINE_NONE) {
    loop l = {0};
    if (c->strip < box->num_iterators) {
      l = begin_loop(c, constant(c, box->extents[c->strip]));
      c->iterators[c->strip] = l.index;
    }
    emit_plain_point(c);
    if (l.body) end_loop(c, &l);
    return;
  }
  int64_t extent = c->strip < box->num_iterators ? box->extents[c->strip] : 1;
  if (extent <= CHUNK) {
    emit_reduction(c, constant(c, 0), constant(c, extent), accumulators);
    return;
  }
  loop chunk = begin_loop(c, constant(c, (extent + CHUNK - 1) / CHUNK));
  LLVMValueRef first = LLVMBuildNSWMul(c->b, chunk.index, constant(c, CHUNK), "");
  LLVMValueRef left = LLVMBuildSub(c->b, constant(c, extent), first, "");
  LLVMValueRef whole = LLVMBuildICmp(c->b, LLVMIntSLT, constant(c, CHUNK), left, "");
  emit_reduction(c, first, LLVMBuildSelect(c->b, whole, constant(c, CHUNK), left, ""),
                 accumulators);
  end_loop(c, &chunk);
}

// The last of the parallel iterators that are long, else the longest.
static size_t choose_strip(const dl_box *box) {
  enum { LONG_ENOUGH = 24 };
  size_t best = box->num_iterators;
  for (size_t i = 0; i < box->num_parallel; i++) {
    int64_t longest = best < box->num_iterators ? box->extents[best] : 1;
    if (box->extents[i] >= LONG_ENOUGH || box->extents[i] >= longest) best = i;
  }
  return best;
}

// The outermost loop but the strip's that is one, or num_iterators.
static size_t sliced_iterator(const dl_box *box, size_t strip) {
  for (size_t i = 0; i < box->num_parallel; i++)
    if (i != strip && box->extents[i] > 1) return i;
  return box->num_iterators;
}

int64_t dl_box_slices(const dl_box *box) {
  size_t sliced = sliced_iterator(box, choose_strip(box));
  return sliced < box->num_iterators ? box->extents[sliced] : 1;
}

static void emit_nest(code *c) {
  const dl_box *box = c->box;
  LLVMTypeRef type = lane_type(c, dl_lane_of(box->type));
  LLVMValueRef accumulators = LLVMBuildArrayAlloca(c->b, type, constant(c, CHUNK), "");
  loop *nest = dl_calloc(box->num_parallel + 1, sizeof(*nest));
  size_t sliced = sliced_iterator(box, c->strip);
  for (size_t i = 0; i < box->num_parallel; i++) {
    if (i == c->strip) continue;
    nest[i] = i == sliced
                  ? begin_range(c, LLVMGetParam(c->function, BEGIN), LLVMGetParam(c->function, END))
                  : begin_loop(c, constant(c, box->extents[i]));
    c->iterators[i] = nest[i].index;
  }
  emit_chunks(c, accumulators);
  for (size_t i = box->num_parallel; i-- > 0;)
    if (i != c->strip) end_loop(c, &nest[i]);
  free(nest);
}

static size_t count_gathers(const dl_box *box) {
  size_t count = 0;
  for (size_t i = 0; i < box->ops.len; i++) count += box->ops.data[i].kind == DL_BOX_GATHER;
  return count;
}

static void load_arrays(code *c) {
  size_t count = 1 + c->box->num_reads + count_gathers(c->box);
  c->arrays = dl_calloc(count, sizeof(*c->arrays));
  for (size_t i = 0; i < count; i++) {
    LLVMValueRef at = constant(c, (int64_t)i), list = LLVMGetParam(c->function, ARRAYS);
    LLVMValueRef slot = LLVMBuildInBoundsGEP2(c->b, c->ptr, list, &at, 1, "");
    c->arrays[i] = LLVMBuildLoad2(c->b, c->ptr, slot, "");
  }
}

static void add_attribute(const code *c, unsigned at, const char *name) {
  unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  LLVMAddAttributeAtIndex(c->function, at, LLVMCreateEnumAttribute(c->ctx, kind, 0));
}

static void emit_function(code *c, const char *name) {
  LLVMTypeRef parameters[] = {c->ptr, c->i64, c->i64, LLVMInt32TypeInContext(c->ctx), c->ptr};
  LLVMTypeRef type =
      LLVMFunctionType(LLVMVoidTypeInContext(c->ctx), parameters, NUM_PARAMETERS, false);
  c->function = LLVMAddFunction(c->module, name, type);
  add_attribute(c, 1 + FAILED, "noalias");
  c->entry = new_block(c);
  LLVMPositionBuilderAtEnd(c->b, c->entry);
  load_arrays(c);
  set_constants(c);
  emit_nest(c);
  LLVMBuildRetVoid(c->b);
}

void dl_emit_box(LLVMModuleRef module, const char *name, const dl_box *box, dl_arena *kernels) {
  LLVMContextRef ctx = LLVMGetModuleContext(module);
  code c = {.box = box,
            .kernels = kernels,
            .ctx = ctx,
            .module = module,
            .b = LLVMCreateBuilderInContext(ctx),
            .i64 = LLVMInt64TypeInContext(ctx),
            .ptr = LLVMPointerTypeInContext(ctx, 0),
            .iterators = dl_calloc(box->num_iterators + 1, sizeof(LLVMValueRef)),
            .registers = dl_calloc(box->registers.len + 1, sizeof(LLVMValueRef)),
            .ranges = dl_calloc(box->num_iterators + 1, sizeof(dl_range)),
            .strip = choose_strip(box)};
  for (size_t i = 0; i < box->num_iterators; i++) c.ranges[i] = (dl_range){0, box->extents[i] - 1};
  emit_function(&c, name);
  LLVMDisposeBuilder(c.b);
  free(c.arrays);
  free(c.iterators);
  free(c.registers);
  free(c.ranges);
}

// --- what has code ---

static bool has_lanes(dl_type type) {
  dl_lane lane = dl_lane_of(type);
  return lane == DL_LANE_INT || lane == DL_LANE_F64 ||
         (lane == DL_LANE_F32 && type->float_kind == DL_F32);
}

static bool has_index(dl_expr expr) {
  if (expr->kind == DL_EXPR_CONST || expr->kind == DL_EXPR_DIM) return true;
  if (expr->kind == DL_EXPR_SYMBOL) return false;
  bool divides = expr->kind != DL_EXPR_ADD && expr->kind != DL_EXPR_MUL;
  if (divides && (expr->rhs->kind != DL_EXPR_CONST || expr->rhs->value <= 0)) return false;
  return has_index(expr->lhs) && has_index(expr->rhs);
}

static bool have_indices(size_t count, const dl_expr *exprs) {
  for (size_t i = 0; i < count; i++)
    if (!has_index(exprs[i])) return false;
  return true;
}

static bool op_has_code(const dl_box_op *op) {
  if (op->kind == DL_BOX_READ) return true;
  if (op->kind == DL_BOX_GATHER) return has_lanes(op->type) && op->array->count > 0;
  return has_lanes(op->kernel.from) && has_lanes(op->kernel.to);
}

bool dl_box_has_code(const dl_box *box) {
  if (!has_lanes(box->type) || !box->target->count) return false;
  if (box->combiner == DL_COMBINE_NONE && box->num_iterators > box->num_parallel) return false;
  for (size_t i = 0; i < box->num_iterators; i++)
    if (box->extents[i] <= 0) return false;
  for (size_t i = 0; i < box->num_reads; i++) {
    const dl_box_read *read = &box->reads[i];
    if (!has_lanes(read->type) || !have_indices(read->array->rank, read->indices)) return false;
  }
  for (size_t i = 0; i < box->ops.len; i++)
    if (!op_has_code(&box->ops.data[i])) return false;
  return have_indices(box->num_conditions, box->conditions) &&
         have_indices(box->target->rank, box->out);
}
