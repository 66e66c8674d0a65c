// emit_loop.c: the loop dialect inside kernels and host functions.
#include "dialects/loop/loop.h"
#include "dialects/machine.h"
#include "ir/op_def.h"
#include "targets/llvm/emit_internal.h"

// --- control flow ---

static void emit_branch_to(dl_emitter *e, LLVMBasicBlockRef block) {
  LLVMBuildBr(e->b, block);
  LLVMPositionBuilderAtEnd(e->b, block);
}

static LLVMValueRef begin_phi(dl_emitter *e, LLVMTypeRef type, LLVMValueRef first,
                              LLVMBasicBlockRef from) {
  LLVMValueRef phi = LLVMBuildPhi(e->b, type, "");
  LLVMAddIncoming(phi, &first, &from, 1);
  return phi;
}

typedef struct open_loop {
  LLVMBasicBlockRef header, exit;
  LLVMValueRef index;
} open_loop;

// Opens `for (index = lower; index < upper; …)`; the builder stands in the header, for phis, until
// enter_body.
static open_loop begin_loop(dl_emitter *e, LLVMValueRef lower) {
  open_loop loop = {.header = dl_new_block(e, "loop"), .exit = dl_new_block(e, "done")};
  LLVMBasicBlockRef before = LLVMGetInsertBlock(e->b);
  emit_branch_to(e, loop.header);
  loop.index = begin_phi(e, LLVMInt64TypeInContext(e->ctx), lower, before);
  return loop;
}

static void enter_body(dl_emitter *e, open_loop *loop, LLVMValueRef upper) {
  LLVMBasicBlockRef body = dl_new_block(e, "body");
  LLVMValueRef more = LLVMBuildICmp(e->b, LLVMIntSLT, loop->index, upper, "");
  LLVMBuildCondBr(e->b, more, body, loop->exit);
  LLVMPositionBuilderAtEnd(e->b, body);
}

static void end_loop(dl_emitter *e, open_loop *loop, int64_t step) {
  LLVMValueRef next = LLVMBuildNSWAdd(e->b, loop->index, dl_llvm_const_i64(e, step), "");
  LLVMBasicBlockRef latch = LLVMGetInsertBlock(e->b);
  LLVMAddIncoming(loop->index, &next, &latch, 1);
  LLVMBuildBr(e->b, loop->header);
  LLVMMoveBasicBlockAfter(loop->exit, latch);
  LLVMPositionBuilderAtEnd(e->b, loop->exit);
}

static dl_status emit_for(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  size_t carried = dl_num_results(op), inits = dl_operand_group(op, DL_LOOP_FOR_INITS, &carried);
  LLVMValueRef lower = dl_emit_map(e, op, "lower", DL_LOOP_FOR_LOWER, 0);
  LLVMValueRef upper = dl_emit_map(e, op, "upper", DL_LOOP_FOR_UPPER, 0);
  dl_block *body = dl_region_first(dl_op_region(op, 0));
  LLVMBasicBlockRef before = LLVMGetInsertBlock(e->b);
  open_loop loop = begin_loop(e, lower);
  dl_set_emitted(e, dl_arg(body, 0), loop.index);
  for (size_t i = 0; i < carried; i++) {
    LLVMTypeRef type = dl_llvm_type_of(e, op, dl_value_type(dl_result(op, i)));
    if (!type) return DL_FAILED;
    LLVMValueRef phi = begin_phi(e, type, dl_emitted_operand(e, op, inits + i), before);
    dl_set_emitted(e, dl_arg(body, i + 1), phi);
    dl_set_emitted(e, dl_result(op, i), phi);
  }
  enter_body(e, &loop, upper);
  dl_op *yield;
  DL_TRY(dl_emit_block(e, body, &yield));
  LLVMBasicBlockRef latch = LLVMGetInsertBlock(e->b);
  for (size_t i = 0; i < carried; i++) {
    LLVMValueRef next = dl_emitted_operand(e, yield, i);
    LLVMAddIncoming(dl_emitted(e, dl_arg(body, i + 1)), &next, &latch, 1);
  }
  end_loop(e, &loop, dl_get_i64(op, "step", 1));
  return DL_OK;
}

// A loop.parallel that was not outlined runs in order.
static dl_status emit_parallel(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  enum { MAX_RANK = 8 };
  open_loop loops[MAX_RANK];
  size_t rank = dl_map_results(op, "upper");
  if (rank > MAX_RANK) return dl_error(dl_op_loc(op), "more than %d parallel indices", MAX_RANK);
  dl_block *body = dl_region_first(dl_op_region(op, 0));
  for (size_t i = 0; i < rank; i++) {
    LLVMValueRef upper = dl_emit_map(e, op, "upper", 0, i);
    loops[i] = begin_loop(e, dl_llvm_const_i64(e, 0));
    enter_body(e, &loops[i], upper);
    dl_set_emitted(e, dl_arg(body, i), loops[i].index);
  }
  dl_op *yield;
  DL_TRY(dl_emit_block(e, body, &yield));
  for (size_t i = rank; i-- > 0;) end_loop(e, &loops[i], 1);
  return DL_OK;
}

// Emits a branch of loop.if, then jumps to `join`; *from is the block it comes from.
static dl_status emit_arm(dl_emitter *e, dl_region *region, LLVMBasicBlockRef join, dl_op **yield,
                          LLVMBasicBlockRef *from) {
  *yield = NULL;
  if (!dl_region_empty(region)) DL_TRY(dl_emit_block(e, dl_region_first(region), yield));
  *from = LLVMGetInsertBlock(e->b);
  LLVMBuildBr(e->b, join);
  return DL_OK;
}

static dl_status emit_if(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  LLVMBasicBlockRef arms[2] = {dl_new_block(e, "then"), dl_new_block(e, "else")}, from[2];
  LLVMBasicBlockRef join = dl_new_block(e, "join");
  dl_op *yields[2];
  LLVMBuildCondBr(e->b, dl_emitted_operand(e, op, 0), arms[0], arms[1]);
  for (size_t i = 0; i < 2; i++) {
    LLVMPositionBuilderAtEnd(e->b, arms[i]);
    DL_TRY(emit_arm(e, dl_op_region(op, i), join, &yields[i], &from[i]));
  }
  LLVMPositionBuilderAtEnd(e->b, join);
  for (size_t i = 0; i < dl_num_results(op); i++) {
    LLVMTypeRef type = dl_llvm_type_of(e, op, dl_value_type(dl_result(op, i)));
    if (!type) return DL_FAILED;
    LLVMValueRef values[2] = {dl_emitted_operand(e, yields[0], i),
                              dl_emitted_operand(e, yields[1], i)};
    LLVMValueRef phi = LLVMBuildPhi(e->b, type, "");
    LLVMAddIncoming(phi, values, from, 2);
    dl_set_emitted(e, dl_result(op, i), phi);
  }
  return DL_OK;
}

// --- memory ---

static unsigned element_alignment(dl_type type) {
  return (unsigned)dl_element_bytes(dl_element_type(type));
}

LLVMValueRef dl_element_address(dl_emitter *e, dl_op *op, size_t pointer, size_t indices) {
  dl_value *base = dl_operand(op, pointer);
  LLVMTypeRef element = dl_llvm_storage_type(e, dl_loop_ptr_element(dl_value_type(base)));
  LLVMValueRef offset = dl_emit_map(e, op, "map", indices, 0);
  return LLVMBuildInBoundsGEP2(e->b, element, dl_emitted(e, base), &offset, 1, "");
}

// Lanes below the count: compared in 32 bits, as wide as the lanes of most vectors.
static LLVMValueRef mask_below(dl_emitter *e, LLVMValueRef count, unsigned lanes) {
  LLVMTypeRef i64 = LLVMInt64TypeInContext(e->ctx), i32 = LLVMInt32TypeInContext(e->ctx);
  LLVMValueRef bounds[] = {count, dl_llvm_const_i64(e, 0)};
  bounds[0] = dl_call_intrinsic(e, "llvm.smax", 1, &i64, 2, bounds);
  bounds[1] = dl_llvm_const_i64(e, lanes);
  LLVMValueRef below = dl_call_intrinsic(e, "llvm.smin", 1, &i64, 2, bounds);
  LLVMValueRef *numbers = dl_calloc(lanes, sizeof(*numbers));
  for (unsigned i = 0; i < lanes; i++) numbers[i] = LLVMConstInt(i32, i, false);
  LLVMValueRef iota = LLVMConstVector(numbers, lanes);
  free(numbers);
  return LLVMBuildICmp(e->b, LLVMIntULT, iota,
                       dl_splat(e, LLVMBuildTrunc(e->b, below, i32, ""), lanes), "");
}

static LLVMValueRef masked_load(dl_emitter *e, LLVMTypeRef type, LLVMValueRef address,
                                LLVMValueRef mask, unsigned alignment) {
  LLVMTypeRef types[] = {type, LLVMTypeOf(address)};
  LLVMValueRef args[] = {address, mask, LLVMConstNull(type)};
  LLVMValueRef load = dl_call_intrinsic(e, "llvm.masked.load", 2, types, 3, args);
  dl_set_alignment_attr(e, load, 0, alignment);
  return load;
}

static void masked_store(dl_emitter *e, LLVMValueRef value, LLVMValueRef address, LLVMValueRef mask,
                         unsigned alignment) {
  LLVMTypeRef types[] = {LLVMTypeOf(value), LLVMTypeOf(address)};
  LLVMValueRef args[] = {value, address, mask};
  LLVMValueRef store = dl_call_intrinsic(e, "llvm.masked.store", 2, types, 3, args);
  dl_set_alignment_attr(e, store, 1, alignment);
}

// The count operand (entry `group`), or NULL.
static LLVMValueRef count_of(dl_emitter *e, dl_op *op, size_t group) {
  size_t present, at = dl_operand_group(op, group, &present);
  return present ? dl_emitted_operand(e, op, at) : NULL;
}

static dl_status emit_load(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  dl_type type = dl_value_type(dl_result(op, 0));
  if (!dl_llvm_type_of(e, op, type)) return DL_FAILED;
  LLVMTypeRef stored = dl_llvm_storage_type(e, type);
  LLVMValueRef address = dl_element_address(e, op, DL_LOOP_LOAD_POINTER, DL_LOOP_LOAD_INDICES);
  LLVMValueRef count = count_of(e, op, DL_LOOP_LOAD_COUNT), value;
  unsigned alignment = element_alignment(type);
  if (count) {
    value = masked_load(e, stored, address, mask_below(e, count, dl_lanes(type)), alignment);
  } else {
    value = LLVMBuildLoad2(e->b, stored, address, "");
    LLVMSetAlignment(value, alignment);
  }
  dl_set_result(e, op, dl_from_storage(e, value, type));
  return DL_OK;
}

static dl_status emit_store(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  dl_type type = dl_value_type(dl_operand(op, DL_LOOP_STORE_VALUE));
  if (!dl_llvm_type_of(e, op, type)) return DL_FAILED;
  LLVMValueRef value = dl_to_storage(e, dl_emitted_operand(e, op, DL_LOOP_STORE_VALUE));
  LLVMValueRef address = dl_element_address(e, op, DL_LOOP_STORE_POINTER, DL_LOOP_STORE_INDICES);
  LLVMValueRef count = count_of(e, op, DL_LOOP_STORE_COUNT);
  unsigned alignment = element_alignment(type);
  if (count)
    masked_store(e, value, address, mask_below(e, count, dl_lanes(type)), alignment);
  else
    LLVMSetAlignment(LLVMBuildStore(e->b, value, address), alignment);
  return DL_OK;
}

static dl_status emit_gather(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  enum { POINTER, OFFSETS, MASK };
  dl_type type = dl_value_type(dl_result(op, 0));
  if (!dl_llvm_type_of(e, op, type)) return DL_FAILED;
  LLVMTypeRef stored = dl_llvm_storage_type(e, type);
  LLVMTypeRef element = dl_llvm_storage_type(e, type->element);
  LLVMValueRef offsets = dl_emitted_operand(e, op, OFFSETS), mask = count_of(e, op, MASK);
  if (!mask) {
    LLVMTypeRef bits = LLVMVectorType(LLVMInt1TypeInContext(e->ctx), dl_lanes(type));
    mask = LLVMConstAllOnes(bits);
  }
  LLVMValueRef addresses =
      LLVMBuildGEP2(e->b, element, dl_emitted_operand(e, op, POINTER), &offsets, 1, "");
  LLVMTypeRef types[] = {stored, LLVMTypeOf(addresses)};
  LLVMValueRef args[] = {addresses, mask, LLVMConstNull(stored)};
  LLVMValueRef value = dl_call_intrinsic(e, "llvm.masked.gather", 2, types, 3, args);
  dl_set_alignment_attr(e, value, 0, element_alignment(type));
  dl_set_result(e, op, dl_from_storage(e, value, type));
  return DL_OK;
}

static dl_status emit_local(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  dl_type element = dl_loop_ptr_element(dl_value_type(dl_result(op, 0)));
  if (!dl_llvm_type_of(e, op, element)) return DL_FAILED;
  LLVMTypeRef type =
      LLVMArrayType2(dl_llvm_storage_type(e, element), (uint64_t)dl_get_i64(op, "elements", 0));
  dl_set_result(e, op, dl_stack_slot(e, type, 64));
  return DL_OK;
}

static LLVMValueRef global_data(dl_emitter *e, LLVMValueRef data) {
  LLVMValueRef global = LLVMAddGlobalInAddressSpace(e->module, LLVMTypeOf(data), "constant",
                                                    e->on_device ? DL_SPACE_CONSTANT : 0);
  LLVMSetInitializer(global, data);
  LLVMSetGlobalConstant(global, true);
  LLVMSetLinkage(global, LLVMPrivateLinkage);
  LLVMSetUnnamedAddress(global, LLVMGlobalUnnamedAddr);
  LLVMSetAlignment(global, 64);
  return global;
}

// Code that runs in this process reads large constants where they are: the weights of a model are
// never copied into LLVM.
static LLVMValueRef resource_in_place(dl_emitter *e, dl_attr value) {
  dl_str bytes;
  bool splat;
  if (!e->options->in_process || value->kind != DL_ATTR_RESOURCE ||
      !dl_dense_bytes(value, &bytes, &splat) || splat)
    return NULL;
  LLVMValueRef address = dl_llvm_const_i64(e, (int64_t)(uintptr_t)bytes.data);
  return LLVMConstIntToPtr(address, LLVMPointerTypeInContext(e->ctx, 0));
}

static dl_status emit_data(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  dl_attr value = dl_get_attr(op, "value");
  LLVMValueRef pointer = resource_in_place(e, value);
  if (!pointer) {
    LLVMValueRef data = dl_llvm_data(e, op, value);
    if (!data) return DL_FAILED;
    pointer = global_data(e, data);
  }
  dl_set_result(e, op, pointer);
  return DL_OK;
}

static dl_status emit_offset(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  dl_set_result(e, op, dl_element_address(e, op, 0, 1));
  return DL_OK;
}

static dl_status emit_copy(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  enum { FROM, TO, SIZES };
  dl_type element = dl_loop_ptr_element(dl_value_type(dl_operand(op, FROM)));
  unsigned bytes = (unsigned)dl_element_bytes(element);
  LLVMValueRef size = LLVMBuildNSWMul(e->b, dl_emit_map(e, op, "elements", SIZES, 0),
                                      dl_llvm_const_i64(e, bytes), "");
  LLVMBuildMemCpy(e->b, dl_emitted_operand(e, op, TO), bytes, dl_emitted_operand(e, op, FROM),
                  bytes, size);
  return DL_OK;
}

// --- vectors and indices ---

static dl_status emit_splat(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  dl_type type = dl_value_type(dl_result(op, 0));
  if (!dl_llvm_type_of(e, op, type)) return DL_FAILED;
  dl_set_result(e, op, dl_splat(e, dl_emitted_operand(e, op, 0), dl_lanes(type)));
  return DL_OK;
}

static dl_status emit_repeat(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  unsigned from = dl_lanes(dl_value_type(dl_operand(op, 0)));
  unsigned to = dl_lanes(dl_value_type(dl_result(op, 0)));
  LLVMValueRef vector = dl_emitted_operand(e, op, 0);
  LLVMValueRef *lanes = dl_calloc(to, sizeof(*lanes));
  for (unsigned i = 0; i < to; i++)
    lanes[i] = LLVMConstInt(LLVMInt32TypeInContext(e->ctx), i % from, false);
  dl_set_result(e, op,
                LLVMBuildShuffleVector(e->b, vector, LLVMGetPoison(LLVMTypeOf(vector)),
                                       LLVMConstVector(lanes, to), ""));
  free(lanes);
  return DL_OK;
}

// Intrinsics that are overloaded are so on the accumulator and a factor; others may want the same
// bits as vectors of another type.
static dl_status emit_machine_op(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  dl_machine_op m;
  DL_TRY(dl_machine_find_op(op, dl_get_str(op, "name"), &m));
  unsigned id = LLVMLookupIntrinsicID(m.intrinsic.data, m.intrinsic.len);
  if (!id)
    return dl_error(dl_op_loc(op), "LLVM has no intrinsic '%.*s'", (int)m.intrinsic.len,
                    m.intrinsic.data);
  LLVMValueRef args[3];
  for (size_t i = 0; i < 3; i++) args[i] = dl_emitted_operand(e, op, i);
  LLVMTypeRef types[] = {LLVMTypeOf(args[0]), LLVMTypeOf(args[1])}, wanted[3];
  size_t num_types = LLVMIntrinsicIsOverloaded(id) ? 2 : 0;
  LLVMTypeRef type = LLVMIntrinsicGetType(e->ctx, id, types, num_types);
  if (LLVMCountParamTypes(type) != 3)
    return dl_error(dl_op_loc(op), "the intrinsic '%s' does not take three operands",
                    LLVMIntrinsicGetName(id, &(size_t){0}));
  LLVMGetParamTypes(type, wanted);
  for (size_t i = 0; i < 3; i++) args[i] = LLVMBuildBitCast(e->b, args[i], wanted[i], "");
  LLVMValueRef callee = LLVMGetIntrinsicDeclaration(e->module, id, types, num_types);
  dl_set_result(e, op, LLVMBuildCall2(e->b, type, callee, args, 3, ""));
  return DL_OK;
}

static dl_status emit_iota(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  dl_type type = dl_value_type(dl_result(op, 0));
  LLVMTypeRef vector = dl_llvm_type_of(e, op, type);
  if (!vector) return DL_FAILED;
  LLVMValueRef *numbers = dl_calloc(dl_lanes(type), sizeof(*numbers));
  for (unsigned i = 0; i < dl_lanes(type); i++)
    numbers[i] = LLVMConstInt(LLVMGetElementType(vector), i, false);
  dl_set_result(e, op, LLVMConstVector(numbers, dl_lanes(type)));
  free(numbers);
  return DL_OK;
}

typedef struct reduction {
  const char *kind, *of_floats, *of_integers;
} reduction;

static const reduction reductions[] = {
    {"sum", "llvm.vector.reduce.fadd", "llvm.vector.reduce.add"},
    {"prod", "llvm.vector.reduce.fmul", "llvm.vector.reduce.mul"},
    {"max", "llvm.vector.reduce.fmaximum", "llvm.vector.reduce.smax"},
    {"min", "llvm.vector.reduce.fminimum", "llvm.vector.reduce.smin"},
    {"and", NULL, "llvm.vector.reduce.and"},
    {"or", NULL, "llvm.vector.reduce.or"},
};

// The float sums and products take a start value, and then run in the order of the lanes.
static dl_status emit_reduce(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  LLVMValueRef vector = dl_emitted_operand(e, op, 0);
  bool floats = dl_is_float(dl_element_type(dl_value_type(dl_operand(op, 0))));
  LLVMTypeRef type = LLVMTypeOf(vector), element = LLVMGetElementType(type);
  for (size_t i = 0; i < DL_COUNT(reductions); i++) {
    const reduction *r = &reductions[i];
    const char *name = floats ? r->of_floats : r->of_integers;
    if (!dl_str_is(dl_get_str(op, "kind"), r->kind) || !name) continue;
    bool ordered = floats && i < 2;
    LLVMValueRef start = floats ? LLVMConstReal(element, i ? 1.0 : -0.0) : NULL;
    LLVMValueRef args[] = {start, vector};
    dl_set_result(e, op,
                  dl_call_intrinsic(e, name, 1, &type, ordered ? 2 : 1, ordered ? args : args + 1));
    return DL_OK;
  }
  return dl_error(dl_op_loc(op), "'loop.reduce': no such kind");
}

static dl_status emit_apply(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  dl_set_result(e, op, dl_emit_map(e, op, "map", 0, 0));
  return DL_OK;
}

static const dl_emit_row loop_rows[] = {
    {"loop.for", emit_for, 0, NULL},       {"loop.parallel", emit_parallel, 0, NULL},
    {"loop.if", emit_if, 0, NULL},         {"loop.load", emit_load, 0, NULL},
    {"loop.store", emit_store, 0, NULL},   {"loop.gather", emit_gather, 0, NULL},
    {"loop.repeat", emit_repeat, 0, NULL}, {"loop.machine_op", emit_machine_op, 0, NULL},
    {"loop.local", emit_local, 0, NULL},   {"loop.constant", emit_data, 0, NULL},
    {"loop.offset", emit_offset, 0, NULL}, {"loop.copy", emit_copy, 0, NULL},
    {"loop.splat", emit_splat, 0, NULL},   {"loop.iota", emit_iota, 0, NULL},
    {"loop.reduce", emit_reduce, 0, NULL}, {"loop.apply", emit_apply, 0, NULL},
};
const dl_emit_table dl_emit_loop_table = {loop_rows, DL_COUNT(loop_rows)};
