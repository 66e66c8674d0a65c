// emit_types.c: types and constants.
#include "dialects/loop/loop.h"
#include "targets/llvm/emit_internal.h"

static LLVMTypeRef float_type(dl_emitter *e, dl_float_kind kind) {
  switch (kind) {
    case DL_F16:
      return LLVMHalfTypeInContext(e->ctx);
    case DL_BF16:
      return LLVMBFloatTypeInContext(e->ctx);
    case DL_F32:
      return LLVMFloatTypeInContext(e->ctx);
    case DL_F64:
      return LLVMDoubleTypeInContext(e->ctx);
    default:
      return NULL;
  }
}

LLVMTypeRef dl_llvm_type(dl_emitter *e, dl_type type) {
  switch (type->kind) {
    case DL_TYPE_INDEX:
      return LLVMInt64TypeInContext(e->ctx);
    case DL_TYPE_INTEGER:
      return type->width <= 64 ? LLVMIntTypeInContext(e->ctx, type->width) : NULL;
    case DL_TYPE_FLOAT:
      return float_type(e, type->float_kind);
    case DL_TYPE_VECTOR: {
      LLVMTypeRef element = type->rank == 1 ? dl_llvm_type(e, type->element) : NULL;
      return element ? LLVMVectorType(element, (unsigned)type->shape[0]) : NULL;
    }
    default:
      return dl_is_loop_ptr(type)
                 ? LLVMPointerTypeInContext(e->ctx, e->on_device ? DL_SPACE_GLOBAL : 0)
                 : NULL;
  }
}

LLVMTypeRef dl_llvm_type_of(dl_emitter *e, dl_op *op, dl_type type) {
  LLVMTypeRef result = dl_llvm_type(e, type);
  if (type->kind == DL_TYPE_VECTOR) e->scalar = false;
  if (result) return result;
  dl_buffer text = {0};
  dl_print_type(&text, type);
  dl_error(dl_op_loc(op), "'%s': the type %s is not supported in machine code", dl_op_name(op), text.data);
  dl_buffer_free(&text);
  return NULL;
}

static bool is_bool(dl_type element) { return dl_is_integer(element) && element->width < 8; }

LLVMTypeRef dl_llvm_storage_type(dl_emitter *e, dl_type type) {
  if (!is_bool(dl_element_type(type))) return dl_llvm_type(e, type);
  LLVMTypeRef byte = LLVMInt8TypeInContext(e->ctx);
  return type->kind == DL_TYPE_VECTOR ? LLVMVectorType(byte, dl_lanes(type)) : byte;
}

static bool is_narrow(LLVMTypeRef type) {
  if (LLVMGetTypeKind(type) == LLVMVectorTypeKind) type = LLVMGetElementType(type);
  return LLVMGetTypeKind(type) == LLVMIntegerTypeKind && LLVMGetIntTypeWidth(type) < 8;
}

LLVMValueRef dl_to_storage(dl_emitter *e, LLVMValueRef value) {
  LLVMTypeRef type = LLVMTypeOf(value);
  if (!is_narrow(type)) return value;
  LLVMTypeRef byte = LLVMInt8TypeInContext(e->ctx);
  bool vector = LLVMGetTypeKind(type) == LLVMVectorTypeKind;
  return LLVMBuildZExt(e->b, value, vector ? LLVMVectorType(byte, LLVMGetVectorSize(type)) : byte,
                       "");
}

LLVMValueRef dl_from_storage(dl_emitter *e, LLVMValueRef value, dl_type type) {
  dl_type element = dl_element_type(type);
  if (!is_bool(element)) return value;
  if (element->width == 1)
    return LLVMBuildICmp(e->b, LLVMIntNE, value, LLVMConstNull(LLVMTypeOf(value)), "");
  return LLVMBuildTrunc(e->b, value, dl_llvm_type(e, type), "");
}

unsigned dl_lanes(dl_type type) {
  return type->kind == DL_TYPE_VECTOR ? (unsigned)type->shape[0] : 1;
}

LLVMValueRef dl_llvm_const_i64(dl_emitter *e, int64_t value) {
  return LLVMConstInt(LLVMInt64TypeInContext(e->ctx), (uint64_t)value, true);
}

// One element from its storage form.
static LLVMValueRef constant_from_bytes(dl_emitter *e, const char *bytes, dl_type element) {
  uint64_t bits = 0;
  memcpy(&bits, bytes, dl_element_bytes(element));
  LLVMTypeRef type = dl_llvm_type(e, element);
  if (!dl_is_float(element)) return LLVMConstInt(type, bits, false);
  LLVMTypeRef integer = LLVMIntTypeInContext(e->ctx, dl_float_width(element->float_kind));
  return LLVMConstBitCast(LLVMConstInt(integer, bits, false), type);
}

static LLVMValueRef constant_vector(dl_emitter *e, dl_attr value, dl_type type) {
  dl_str bytes;
  bool splat;
  if (!dl_dense_bytes(value, &bytes, &splat)) return NULL;
  unsigned lanes = dl_lanes(type);
  size_t step = splat ? 0 : dl_element_bytes(type->element);
  LLVMValueRef *elements = dl_calloc(lanes, sizeof(*elements));
  for (unsigned i = 0; i < lanes; i++)
    elements[i] = constant_from_bytes(e, bytes.data + i * step, type->element);
  LLVMValueRef vector = LLVMConstVector(elements, lanes);
  free(elements);
  return vector;
}

LLVMValueRef dl_llvm_constant(dl_emitter *e, dl_op *op, dl_attr value, dl_type type) {
  LLVMTypeRef llvm = dl_llvm_type_of(e, op, type);
  if (!llvm) return NULL;
  LLVMValueRef constant = NULL;
  if (value && value->kind == DL_ATTR_INTEGER)
    constant = LLVMConstInt(llvm, (uint64_t)value->integer, true);
  else if (value && value->kind == DL_ATTR_FLOAT)
    constant = LLVMConstReal(llvm, value->number);
  else if (value && value->kind == DL_ATTR_DENSE && type->kind == DL_TYPE_VECTOR)
    constant = constant_vector(e, value, type);
  if (!constant) dl_error(dl_op_loc(op), "'%s': no constant of its type", dl_op_name(op));
  return constant;
}

LLVMValueRef dl_llvm_data(dl_emitter *e, dl_op *op, dl_attr value) {
  dl_str bytes;
  bool splat;
  if (!dl_dense_bytes(value, &bytes, &splat)) {
    dl_error(dl_op_loc(op), "'%s': its elements are not available", dl_op_name(op));
    return NULL;
  }
  LLVMTypeRef byte = LLVMInt8TypeInContext(e->ctx);
  if (!splat) return LLVMConstStringInContext2(e->ctx, bytes.data, bytes.len, true);
  int64_t count = dl_num_elements(value->type);
  dl_buffer repeated = {0};
  for (int64_t i = 0; i < count; i++) dl_buffer_append(&repeated, bytes.data, bytes.len);
  LLVMValueRef data = repeated.len
                          ? LLVMConstStringInContext2(e->ctx, repeated.data, repeated.len, true)
                          : LLVMConstNull(LLVMArrayType2(byte, 0));
  dl_buffer_free(&repeated);
  return data;
}
