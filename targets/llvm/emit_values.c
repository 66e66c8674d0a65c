// emit_values.c: SSA values, helpers on the builder, and the walk over ops.
#include "ir/op_def.h"
#include "targets/llvm/emit_internal.h"

void dl_set_emitted(dl_emitter *e, dl_value *value, LLVMValueRef emitted) {
  dl_ptr_map_set(&e->values, value, emitted);
}

void dl_set_result(dl_emitter *e, dl_op *op, LLVMValueRef emitted) {
  dl_set_emitted(e, dl_result(op, 0), emitted);
}

LLVMValueRef dl_emitted(dl_emitter *e, dl_value *value) {
  LLVMValueRef emitted = dl_ptr_map_get(&e->values, value);
  if (!emitted) dl_bug(dl_value_def(value), "a value is used before it is emitted");
  return emitted;
}

LLVMValueRef dl_emitted_operand(dl_emitter *e, dl_op *op, size_t i) {
  return dl_emitted(e, dl_operand(op, i));
}

LLVMValueRef dl_splat(dl_emitter *e, LLVMValueRef scalar, unsigned lanes) {
  LLVMTypeRef i32 = LLVMInt32TypeInContext(e->ctx);
  LLVMTypeRef type = LLVMVectorType(LLVMTypeOf(scalar), lanes);
  LLVMValueRef one =
      LLVMBuildInsertElement(e->b, LLVMGetPoison(type), scalar, LLVMConstInt(i32, 0, false), "");
  return LLVMBuildShuffleVector(e->b, one, LLVMGetPoison(type),
                                LLVMConstNull(LLVMVectorType(i32, lanes)), "");
}

LLVMValueRef dl_call_intrinsic(dl_emitter *e, const char *name, size_t num_types,
                               LLVMTypeRef *types, unsigned num_args, LLVMValueRef *args) {
  unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
  if (!id) dl_bug(NULL, "LLVM has no intrinsic '%s'", name);
  LLVMValueRef callee = LLVMGetIntrinsicDeclaration(e->module, id, types, num_types);
  LLVMTypeRef type = LLVMIntrinsicGetType(e->ctx, id, types, num_types);
  return LLVMBuildCall2(e->b, type, callee, args, num_args, "");
}

static LLVMAttributeRef attribute(dl_emitter *e, const char *name, uint64_t value) {
  unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  return LLVMCreateEnumAttribute(e->ctx, kind, value);
}

void dl_set_alignment_attr(dl_emitter *e, LLVMValueRef call, unsigned argument, unsigned bytes) {
  LLVMAddCallSiteAttribute(call, argument + 1, attribute(e, "align", bytes));
}

void dl_add_attr(dl_emitter *e, LLVMValueRef function, LLVMAttributeIndex at, const char *name,
                 uint64_t value) {
  LLVMAddAttributeAtIndex(function, at, attribute(e, name, value));
}

static void add_text_attr(dl_emitter *e, LLVMValueRef function, const char *name, dl_str value) {
  if (!value.len) return;
  LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                          LLVMCreateStringAttribute(e->ctx, name, (unsigned)strlen(name),
                                                    value.data, (unsigned)value.len));
}

// Without the width attributes LLVM splits 512-bit vectors on processors it thinks slower with
// them.
void dl_add_function_attrs(dl_emitter *e, LLVMValueRef function) {
  dl_add_attr(e, function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "nounwind", 0);
  if (e->on_device) return;
  const dl_machine *machine = &e->options->machine;
  dl_buffer width = {0};
  dl_buffer_printf(&width, "%lld", (long long)machine->vector_bits);
  dl_str bits = {width.data, width.len};
  add_text_attr(e, function, "target-cpu", machine->cpu);
  add_text_attr(e, function, "target-features", machine->features);
  add_text_attr(e, function, "prefer-vector-width", bits);
  add_text_attr(e, function, "min-legal-vector-width", bits);
  dl_buffer_free(&width);
}

LLVMValueRef dl_stack_slot(dl_emitter *e, LLVMTypeRef type, unsigned alignment) {
  LLVMBasicBlockRef here = LLVMGetInsertBlock(e->b);
  LLVMValueRef first = LLVMGetFirstInstruction(e->entry);
  if (first)
    LLVMPositionBuilderBefore(e->b, first);
  else
    LLVMPositionBuilderAtEnd(e->b, e->entry);
  LLVMValueRef slot = LLVMBuildAlloca(e->b, type, "");
  LLVMSetAlignment(slot, alignment);
  LLVMPositionBuilderAtEnd(e->b, here);
  return slot;
}

LLVMBasicBlockRef dl_new_block(dl_emitter *e, const char *name) {
  return LLVMAppendBasicBlockInContext(e->ctx, e->function, name);
}

// The entry block holds the allocas and jumps to where the code begins.
void dl_begin_function(dl_emitter *e, LLVMValueRef function) {
  e->function = function;
  e->entry = dl_new_block(e, "entry");
  LLVMPositionBuilderAtEnd(e->b, dl_new_block(e, "body"));
}

void dl_end_function(dl_emitter *e) {
  LLVMPositionBuilderAtEnd(e->b, e->entry);
  LLVMBuildBr(e->b, LLVMGetNextBasicBlock(e->entry));
}

dl_status dl_emit_op(dl_emitter *e, dl_op *op) {
  const dl_emit_row *row = dl_ptr_map_get(e->handlers, dl_op_def_of(op));
  if (!row) return dl_error(dl_op_loc(op), "'%s' has no machine code", dl_op_name(op));
  if (e->check) DL_TRY(e->check(op));
  return row->emit(e, op, row);
}

dl_status dl_emit_block(dl_emitter *e, dl_block *block, dl_op **terminator) {
  *terminator = dl_block_terminator(block);
  DL_FOR_OPS(op, block) if (op != *terminator) DL_TRY(dl_emit_op(e, op));
  return DL_OK;
}

// Not an identifier on purpose: "digits.conv1" cannot collide with a C name, and reads well in
// profiles.
char *dl_symbol_for(dl_emitter *e, const char *name) {
  dl_buffer text = {0};
  dl_buffer_printf(&text, "%s.%s", e->options->prefix, name);
  return text.data;
}
