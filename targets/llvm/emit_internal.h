// emit_internal.h: shared by the files that emit LLVM IR.
#ifndef DLIR_TARGETS_LLVM_EMIT_INTERNAL_H
#define DLIR_TARGETS_LLVM_EMIT_INTERNAL_H

#include "targets/llvm/emit.h"

typedef DL_VEC(dl_op *) dl_op_list;

// One function launched by loop.launch: the symbol it is called by in profiles and by the linker.
typedef struct dl_emitter {
  const dl_emit_options *options;
  dl_op *root;  // the IR module
  LLVMContextRef ctx;
  LLVMModuleRef module;
  LLVMBuilderRef b;
  LLVMValueRef function;       // being filled
  LLVMBasicBlockRef entry;     // of it: holds the allocas
  dl_ptr_map values;           // dl_value * -> LLVMValueRef
  const dl_ptr_map *handlers;  // dl_op_def * -> dl_emit_row *
  dl_op_list *callees;         // functions called, still to be emitted into this module
  bool scalar;
  bool on_device;                 // emitting a device's code, in OpenCL's address spaces
  dl_status (*check)(dl_op *op);  // on a device: whether an op can be emitted
  // Host function only.
  LLVMValueRef run;  // dlrt_run *
  LLVMValueRef outputs, output_dims;
  dl_op_list *launches;
  const uint64_t *weight_offsets;
  size_t num_weights;
} dl_emitter;

typedef struct dl_emit_row dl_emit_row;
struct dl_emit_row {
  const char *op;
  dl_status (*emit)(dl_emitter *e, dl_op *op, const dl_emit_row *row);
  int code;          // opcode or predicate, as the function understands it
  const char *name;  // of an intrinsic or a libm function
};

typedef struct dl_emit_table {
  const dl_emit_row *rows;
  size_t count;
} dl_emit_table;
extern const dl_emit_table dl_emit_arith_table, dl_emit_math_table, dl_emit_loop_table,
    dl_emit_call_table, dl_emit_host_table, dl_emit_device_host_table;

// --- types ---
LLVMTypeRef dl_llvm_type(dl_emitter *e, dl_type type);  // in registers; NULL when there is none
// NULL after a diagnostic.
LLVMTypeRef dl_llvm_type_of(dl_emitter *e, dl_op *op, dl_type type);
// As stored: booleans are bytes.
LLVMTypeRef dl_llvm_storage_type(dl_emitter *e, dl_type type);
LLVMValueRef dl_to_storage(dl_emitter *e, LLVMValueRef value);
LLVMValueRef dl_from_storage(dl_emitter *e, LLVMValueRef value, dl_type type);
unsigned dl_lanes(dl_type type);  // 1 for scalars
LLVMValueRef dl_llvm_const_i64(dl_emitter *e, int64_t value);
// NULL after a diagnostic.
LLVMValueRef dl_llvm_constant(dl_emitter *e, dl_op *op, dl_attr value, dl_type type);
// An array of all elements, as stored. NULL after a diagnostic.
LLVMValueRef dl_llvm_data(dl_emitter *e, dl_op *op, dl_attr value);

// OpenCL's address spaces, as LLVM's SPIR-V backend numbers them.
enum { DL_SPACE_PRIVATE = 0, DL_SPACE_GLOBAL = 1, DL_SPACE_CONSTANT = 2 };

// --- values ---
LLVMValueRef dl_emitted(dl_emitter *e, dl_value *value);
LLVMValueRef dl_emitted_operand(dl_emitter *e, dl_op *op, size_t i);
void dl_set_emitted(dl_emitter *e, dl_value *value, LLVMValueRef emitted);
void dl_set_result(dl_emitter *e, dl_op *op, LLVMValueRef emitted);
LLVMValueRef dl_splat(dl_emitter *e, LLVMValueRef scalar, unsigned lanes);
LLVMValueRef dl_call_intrinsic(dl_emitter *e, const char *name, size_t num_types,
                               LLVMTypeRef *types, unsigned num_args, LLVMValueRef *args);
void dl_set_alignment_attr(dl_emitter *e, LLVMValueRef call, unsigned argument, unsigned bytes);
// An alloca in the entry block.
LLVMValueRef dl_stack_slot(dl_emitter *e, LLVMTypeRef type, unsigned alignment);

// --- affine maps: operands [first, first + count) of op are the dimensions ---
LLVMValueRef dl_emit_expr(dl_emitter *e, dl_expr expr, const dl_op *op, size_t first);
LLVMValueRef dl_emit_map(dl_emitter *e, dl_op *op, const char *attribute, size_t operand_group,
                         size_t result);
size_t dl_map_results(dl_op *op, const char *attribute);
// The address of element map(indices) of operand `pointer`; `indices` is the first of them.
LLVMValueRef dl_element_address(dl_emitter *e, dl_op *op, size_t pointer, size_t indices);

// --- control flow and functions ---
// Emits the ops of a block but its terminator, which is returned in *terminator (may be NULL).
dl_status dl_emit_block(dl_emitter *e, dl_block *block, dl_op **terminator);
dl_status dl_emit_op(dl_emitter *e, dl_op *op);
LLVMBasicBlockRef dl_new_block(dl_emitter *e, const char *name);
void dl_begin_function(dl_emitter *e, LLVMValueRef function);
void dl_end_function(dl_emitter *e);
void dl_add_function_attrs(dl_emitter *e, LLVMValueRef function);
void dl_add_attr(dl_emitter *e, LLVMValueRef function, LLVMAttributeIndex at, const char *name,
                 uint64_t value);
char *dl_symbol_for(dl_emitter *e, const char *name);  // prefixed; malloc'ed
// Emits the functions that were called, and those that they call.
dl_status dl_emit_callees(dl_emitter *e);

// emit_kernel.c: the kernel and its entry `<prefix>_<kernel>_entry` (a dlrt_kernel_fn).
dl_status dl_emit_kernel(dl_emitter *e, dl_op *kernel, size_t grid_rank);
LLVMValueRef dl_declare_entry(dl_emitter *e, const char *kernel);
// emit_device.c
dl_status dl_emit_device_kernel(dl_emitter *e, dl_op *kernel, size_t grid_rank);
// OpenCL's name of a function of its library: `_Z3powff` for pow.
void dl_mangle_opencl(dl_buffer *out, const char *name, unsigned arity, bool is_double);
// arith.maximumf (`larger`) or minimumf from comparisons: OpenCL's fmax and fmin ignore NaN.
LLVMValueRef dl_expand_extremum(dl_emitter *e, dl_type type, bool larger, LLVMValueRef x,
                                LLVMValueRef y);
// Functions on a device have a calling convention of their own, and so have their calls.
void dl_set_calling_convention(dl_emitter *e, LLVMValueRef function_or_call);
// emit_device_host.c: the dlrt_device_program, or a null pointer without a device.
LLVMValueRef dl_emit_device_program(dl_emitter *e);
// emit_host.c
LLVMValueRef dl_call_runtime(dl_emitter *e, const char *name, LLVMTypeRef result,
                             LLVMValueRef *args, unsigned count);
dl_status dl_emit_host(dl_emitter *e, dl_op *main);
// emit_tables.c: constants, and the dlir_model and its query function.
LLVMValueRef dl_table_string(dl_emitter *e, const char *text);
LLVMValueRef dl_table_constant(dl_emitter *e, LLVMValueRef value);
LLVMValueRef dl_table_array(dl_emitter *e, LLVMValueRef *elements, size_t count);
LLVMValueRef dl_table_struct(dl_emitter *e, LLVMValueRef *fields, unsigned count);
dl_status dl_emit_tables(dl_emitter *e, dl_op *main, LLVMValueRef function, LLVMValueRef shapes);

#endif
