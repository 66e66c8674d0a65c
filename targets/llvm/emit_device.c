// emit_device.c: kernels for a device, as OpenCL C would compile them: a function per kernel, run
// once for each index of the grid. A pointer is passed as a buffer and a byte offset into it.
#include "dialects/loop/loop.h"
#include "ir/op_def.h"
#include "targets/llvm/emit_internal.h"

enum { SPIR_FUNC = 75, SPIR_KERNEL = 76 };  // LLVM's calling conventions
enum { MAX_DIMENSIONS = 3 };                // of an ND-range

void dl_set_calling_convention(dl_emitter *e, LLVMValueRef function_or_call) {
  if (!e->on_device) return;
  if (LLVMIsAFunction(function_or_call))
    LLVMSetFunctionCallConv(function_or_call, SPIR_FUNC);
  else
    LLVMSetInstructionCallConv(function_or_call, SPIR_FUNC);
}

void dl_mangle_opencl(dl_buffer *out, const char *name, unsigned arity, bool is_double) {
  dl_buffer_printf(out, "_Z%zu%s", strlen(name), name);
  for (unsigned i = 0; i < arity; i++) dl_buffer_putc(out, is_double ? 'd' : 'f');
}

// Equal operands differ at most in the sign of zero: it is an `and` (larger) or `or` of the bits.
static LLVMValueRef of_equals(dl_emitter *e, dl_type type, bool larger, LLVMValueRef x,
                              LLVMValueRef y) {
  unsigned width = (unsigned)(8 * dl_element_bytes(dl_element_type(type)));
  LLVMTypeRef bits = LLVMIntTypeInContext(e->ctx, width), given = LLVMTypeOf(x);
  if (type->kind == DL_TYPE_VECTOR) bits = LLVMVectorType(bits, dl_lanes(type));
  LLVMValueRef a = LLVMBuildBitCast(e->b, x, bits, ""), b = LLVMBuildBitCast(e->b, y, bits, "");
  LLVMValueRef both = larger ? LLVMBuildAnd(e->b, a, b, "") : LLVMBuildOr(e->b, a, b, "");
  return LLVMBuildBitCast(e->b, both, given, "");
}

LLVMValueRef dl_expand_extremum(dl_emitter *e, dl_type type, bool larger, LLVMValueRef x,
                                LLVMValueRef y) {
  LLVMBuilderRef b = e->b;
  LLVMValueRef first = LLVMBuildFCmp(b, larger ? LLVMRealOGT : LLVMRealOLT, x, y, "");
  LLVMValueRef second = LLVMBuildFCmp(b, larger ? LLVMRealOLT : LLVMRealOGT, x, y, "");
  LLVMValueRef equal = LLVMBuildFCmp(b, LLVMRealOEQ, x, y, "");
  LLVMValueRef nan = LLVMBuildFAdd(b, x, y, "");
  LLVMValueRef rest = LLVMBuildSelect(b, equal, of_equals(e, type, larger, x, y), nan, "");
  return LLVMBuildSelect(b, first, x, LLVMBuildSelect(b, second, y, rest, ""), "");
}

// --- parameters ---

typedef struct parameters {
  DL_VEC(LLVMTypeRef) types;
  size_t
      extents;  // of the grid, where it has more indices than the ND-range; the first one's number
} parameters;

static dl_status list_parameters(dl_emitter *e, dl_op *kernel, size_t rank, parameters *out) {
  dl_block *body = dl_region_first(dl_op_region(kernel, 0));
  LLVMTypeRef i64 = LLVMInt64TypeInContext(e->ctx);
  for (size_t i = 0; i + rank < dl_num_args(body); i++) {
    dl_type type = dl_value_type(dl_arg(body, i));
    if (!dl_llvm_type_of(e, kernel, type)) return DL_FAILED;
    DL_PUSH(&out->types, dl_llvm_storage_type(e, type));
    if (dl_is_loop_ptr(type)) DL_PUSH(&out->types, i64);
  }
  out->extents = out->types.len;
  for (size_t i = 0; rank > MAX_DIMENSIONS && i < rank; i++) DL_PUSH(&out->types, i64);
  return DL_OK;
}

static void bind_parameters(dl_emitter *e, dl_block *body, size_t count) {
  unsigned next = 0;
  for (size_t i = 0; i < count; i++) {
    dl_type type = dl_value_type(dl_arg(body, i));
    LLVMValueRef value = LLVMGetParam(e->function, next++);
    if (dl_is_loop_ptr(type)) {
      LLVMValueRef offset = LLVMGetParam(e->function, next++);
      value = LLVMBuildInBoundsGEP2(e->b, LLVMInt8TypeInContext(e->ctx), value, &offset, 1, "");
    } else {
      value = dl_from_storage(e, value, type);
    }
    dl_set_emitted(e, dl_arg(body, i), value);
  }
}

// --- indices ---

static LLVMValueRef global_id(dl_emitter *e, unsigned dimension) {
  static const char name[] = "_Z13get_global_idj";
  LLVMTypeRef i32 = LLVMInt32TypeInContext(e->ctx);
  LLVMTypeRef type = LLVMFunctionType(LLVMInt64TypeInContext(e->ctx), &i32, 1, false);
  LLVMValueRef function = LLVMGetNamedFunction(e->module, name);
  if (!function) {
    function = LLVMAddFunction(e->module, name, type);
    dl_set_calling_convention(e, function);
  }
  LLVMValueRef argument = LLVMConstInt(i32, dimension, false);
  LLVMValueRef id = LLVMBuildCall2(e->b, type, function, &argument, 1, "");
  dl_set_calling_convention(e, id);
  return id;
}

// The last index of the grid is dimension 0 of the ND-range, and so on; the last dimension holds
// all indices that are left, in one number.
static void bind_indices(dl_emitter *e, dl_block *body, size_t rank, size_t extents) {
  size_t first = dl_num_args(body) - rank;
  unsigned dimension = 0;
  size_t i = rank;
  for (; i > 0 && (dimension + 1 < MAX_DIMENSIONS || i == 1); dimension++)
    dl_set_emitted(e, dl_arg(body, first + --i), global_id(e, dimension));
  if (!i) return;
  LLVMValueRef rest = global_id(e, dimension);
  for (; i > 1; i--) {
    LLVMValueRef extent = LLVMGetParam(e->function, (unsigned)(extents + i - 1));
    dl_set_emitted(e, dl_arg(body, first + i - 1), LLVMBuildURem(e->b, rest, extent, ""));
    rest = LLVMBuildUDiv(e->b, rest, extent, "");
  }
  dl_set_emitted(e, dl_arg(body, first), rest);
}

dl_status dl_emit_device_kernel(dl_emitter *e, dl_op *kernel, size_t rank) {
  DL_TRY(e->check(kernel));
  parameters p = {0};
  dl_status status = list_parameters(e, kernel, rank, &p);
  LLVMTypeRef type =
      LLVMFunctionType(LLVMVoidTypeInContext(e->ctx), p.types.data, (unsigned)p.types.len, false);
  size_t extents = p.extents;
  DL_VEC_FREE(&p.types);
  if (status) return status;
  LLVMValueRef function = LLVMAddFunction(e->module, dl_symbol_name(kernel), type);
  LLVMSetFunctionCallConv(function, SPIR_KERNEL);
  dl_add_function_attrs(e, function);
  dl_begin_function(e, function);
  dl_block *body = dl_region_first(dl_op_region(kernel, 0));
  bind_parameters(e, body, dl_num_args(body) - rank);
  bind_indices(e, body, rank, extents);
  dl_op *end;
  DL_TRY(dl_emit_block(e, body, &end));
  LLVMBuildRetVoid(e->b);
  dl_end_function(e);
  return DL_OK;
}
