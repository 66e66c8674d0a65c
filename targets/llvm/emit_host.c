// emit_host.c: the host function of a model: where buffers lie, which kernels run (a dlrt_main_fn).
#include "dialects/loop/loop.h"
#include "ir/op_def.h"
#include "targets/llvm/emit_internal.h"

enum { RUN, INPUTS, DIMS, OUTPUTS, OUTPUT_DIMS };  // parameters of a dlrt_main_fn

static LLVMTypeRef pointer_type(dl_emitter *e) { return LLVMPointerTypeInContext(e->ctx, 0); }

// A function of the runtime returning `result`.
static LLVMValueRef runtime_function(dl_emitter *e, const char *name, LLVMTypeRef result,
                                     LLVMTypeRef *parameters, unsigned count) {
  LLVMValueRef function = LLVMGetNamedFunction(e->module, name);
  if (function) return function;
  function = LLVMAddFunction(e->module, name, LLVMFunctionType(result, parameters, count, false));
  LLVMSetVisibility(function, LLVMHiddenVisibility);
  return function;
}

static LLVMValueRef call(dl_emitter *e, LLVMValueRef function, LLVMValueRef *args, unsigned count) {
  return LLVMBuildCall2(e->b, LLVMGlobalGetValueType(function), function, args, count, "");
}

LLVMValueRef dl_call_runtime(dl_emitter *e, const char *name, LLVMTypeRef result,
                             LLVMValueRef *args, unsigned count) {
  LLVMTypeRef parameters[8];
  for (unsigned i = 0; i < count; i++) parameters[i] = LLVMTypeOf(args[i]);
  return call(e, runtime_function(e, name, result, parameters, count), args, count);
}

// --- memory ---

static LLVMValueRef runtime_memory(dl_emitter *e, const char *name, LLVMValueRef bytes) {
  LLVMValueRef args[] = {e->run, bytes};
  return dl_call_runtime(e, name, pointer_type(e), args, 2);
}

static dl_status emit_arena(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  dl_set_result(e, op, runtime_memory(e, "dlrt_arena", dl_emit_map(e, op, "bytes", 0, 0)));
  return DL_OK;
}

static dl_status emit_alloc(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  dl_type element = dl_loop_ptr_element(dl_value_type(dl_result(op, 0)));
  LLVMValueRef bytes =
      LLVMBuildNSWMul(e->b, dl_emit_map(e, op, "elements", 0, 0),
                      dl_llvm_const_i64(e, (int64_t)dl_element_bytes(element)), "");
  dl_set_result(e, op, runtime_memory(e, "dlrt_alloc", bytes));
  return DL_OK;
}

static LLVMValueRef byte_address(dl_emitter *e, LLVMValueRef base, LLVMValueRef offset) {
  return LLVMBuildInBoundsGEP2(e->b, LLVMInt8TypeInContext(e->ctx), base, &offset, 1, "");
}

static dl_status emit_slice(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  dl_set_result(e, op,
                byte_address(e, dl_emitted_operand(e, op, 0), dl_emit_map(e, op, "bytes", 1, 0)));
  return DL_OK;
}

static dl_status emit_weight(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  int64_t index = dl_get_i64(op, "index", -1);
  if (index < 0 || (uint64_t)index >= e->num_weights)
    return dl_error(dl_op_loc(op), "weight %lld: '@init' has %zu results", (long long)index,
                    e->num_weights);
  uint64_t planned = e->weight_offsets[index];
  if (dl_get_i64(op, "offset", (int64_t)planned) != (int64_t)planned)
    return dl_error(dl_op_loc(op), "weight %lld lies at byte %llu", (long long)index,
                    (unsigned long long)planned);
  LLVMValueRef weights = LLVMBuildLoad2(e->b, pointer_type(e), e->run, "");  // run->weights
  dl_set_result(e, op, byte_address(e, weights, dl_llvm_const_i64(e, (int64_t)planned)));
  return DL_OK;
}

// --- launches ---

static void store_slot(dl_emitter *e, LLVMValueRef slots, size_t i, LLVMValueRef value) {
  LLVMValueRef index = dl_llvm_const_i64(e, (int64_t)i);
  LLVMValueRef slot =
      LLVMBuildInBoundsGEP2(e->b, LLVMInt64TypeInContext(e->ctx), slots, &index, 1, "");
  LLVMSetAlignment(LLVMBuildStore(e->b, dl_to_storage(e, value), slot), 8);
}

static void call_launch(dl_emitter *e, LLVMValueRef entry, LLVMValueRef slots, LLVMValueRef grid) {
  LLVMValueRef number = dl_llvm_const_i64(e, (int64_t)e->launches->len - 1);
  LLVMValueRef args[] = {e->run, number, entry, slots, grid};
  dl_call_runtime(e, "dlrt_launch", LLVMVoidTypeInContext(e->ctx), args, 5);
}

static dl_status emit_launch(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  size_t num_args, first = dl_operand_group(op, DL_LOOP_LAUNCH_ARGUMENTS, &num_args);
  size_t rank = dl_map_results(op, "grid");
  LLVMTypeRef i64 = LLVMInt64TypeInContext(e->ctx);
  LLVMValueRef slots = dl_stack_slot(e, LLVMArrayType2(i64, num_args + rank), 8);
  for (size_t i = 0; i < num_args; i++)
    store_slot(e, slots, i, dl_emitted_operand(e, op, first + i));
  LLVMValueRef grid = dl_llvm_const_i64(e, 1);
  for (size_t i = 0; i < rank; i++) {
    LLVMValueRef extent = dl_emit_map(e, op, "grid", DL_LOOP_LAUNCH_GRID, i);
    store_slot(e, slots, num_args + i, extent);
    grid = LLVMBuildNSWMul(e->b, grid, extent, "");
  }
  DL_PUSH(e->launches, op);
  LLVMValueRef entry = e->options->device ? LLVMConstNull(pointer_type(e))
                                          : dl_declare_entry(e, dl_get_attr(op, "callee")->name);
  call_launch(e, entry, slots, grid);
  return DL_OK;
}

// --- the function itself ---

static LLVMValueRef read_array(dl_emitter *e, LLVMValueRef array, size_t i, LLVMTypeRef type) {
  LLVMValueRef index = dl_llvm_const_i64(e, (int64_t)i);
  return LLVMBuildLoad2(e->b, type, LLVMBuildInBoundsGEP2(e->b, type, array, &index, 1, ""), "");
}

static void write_array(dl_emitter *e, LLVMValueRef array, size_t i, LLVMValueRef value) {
  LLVMValueRef index = dl_llvm_const_i64(e, (int64_t)i);
  LLVMTypeRef type = LLVMTypeOf(value);
  LLVMBuildStore(e->b, value, LLVMBuildInBoundsGEP2(e->b, type, array, &index, 1, ""));
}

// Pointers come from (go to) one array, sizes from (to) another.
static void bind_arguments(dl_emitter *e, dl_block *body, LLVMValueRef inputs, LLVMValueRef dims) {
  size_t num_pointers = 0, num_dims = 0;
  for (size_t i = 0; i < dl_num_args(body); i++) {
    bool pointer = dl_is_loop_ptr(dl_value_type(dl_arg(body, i)));
    if (pointer && inputs)
      dl_set_emitted(e, dl_arg(body, i), read_array(e, inputs, num_pointers++, pointer_type(e)));
    else if (!pointer)
      dl_set_emitted(e, dl_arg(body, i),
                     read_array(e, dims, num_dims++, LLVMInt64TypeInContext(e->ctx)));
  }
}

static void emit_results(dl_emitter *e, dl_op *end, LLVMValueRef outputs, LLVMValueRef dims) {
  size_t num_pointers = 0, num_dims = 0;
  for (size_t i = 0; i < dl_num_operands(end); i++) {
    bool pointer = dl_is_loop_ptr(dl_value_type(dl_operand(end, i)));
    if (pointer && outputs)
      write_array(e, outputs, num_pointers++, dl_emitted_operand(e, end, i));
    else if (!pointer)
      write_array(e, dims, num_dims++, dl_emitted_operand(e, end, i));
  }
  LLVMBuildRetVoid(e->b);
}

static LLVMValueRef add_host_function(dl_emitter *e, const char *name, unsigned num_parameters) {
  LLVMTypeRef pointer = pointer_type(e);
  LLVMTypeRef parameters[] = {pointer, pointer, pointer, pointer, pointer};
  char *symbol = dl_symbol_for(e, name);
  LLVMValueRef function = LLVMAddFunction(
      e->module, symbol,
      LLVMFunctionType(LLVMVoidTypeInContext(e->ctx), parameters, num_parameters, false));
  free(symbol);
  LLVMSetLinkage(function, LLVMInternalLinkage);
  dl_add_function_attrs(e, function);
  return function;
}

// Whether a value is arithmetic on the inputs' sizes alone. Marks what it needs.
static bool depends_on_sizes_only(dl_value *value, dl_ptr_map *needed) {
  if (!dl_is_index(dl_element_type(dl_value_type(value))) &&
      !dl_is_integer(dl_element_type(dl_value_type(value))))
    return false;
  dl_op *def = dl_value_def(value);
  if (!def) return true;
  if (dl_ptr_map_has(needed, def)) return true;
  if (!dl_has_trait(def, DL_PURE) || dl_num_regions(def)) return false;
  for (size_t i = 0; i < dl_num_operands(def); i++)
    if (!depends_on_sizes_only(dl_operand(def, i), needed)) return false;
  dl_ptr_map_set(needed, def, def);
  return true;
}

// A dlrt_shapes_fn in *function: main without all that does not serve the outputs' sizes; NULL when
// these depend on more than the inputs' sizes.
static dl_status emit_shapes(dl_emitter *e, dl_block *body, dl_op *end, LLVMValueRef *function) {
  dl_ptr_map needed = {0};
  bool inferable = true;
  for (size_t i = 0; i < dl_num_operands(end); i++)
    if (dl_is_index(dl_value_type(dl_operand(end, i))))
      inferable &= depends_on_sizes_only(dl_operand(end, i), &needed);
  dl_status status = DL_OK;
  *function = NULL;
  if (inferable) {
    *function = add_host_function(e, "shapes", 2);
    dl_begin_function(e, *function);
    bind_arguments(e, body, NULL, LLVMGetParam(*function, 0));
    DL_FOR_OPS(op, body) {
      if (status == DL_OK && dl_ptr_map_has(&needed, op)) status = dl_emit_op(e, op);
    }
    if (status == DL_OK) emit_results(e, end, NULL, LLVMGetParam(*function, 1));
    dl_end_function(e);
  }
  dl_ptr_map_free(&needed);
  return status;
}

dl_status dl_emit_host(dl_emitter *e, dl_op *main) {
  dl_block *body = dl_region_first(dl_op_region(main, 0));
  dl_op *end = body ? dl_block_terminator(body) : NULL;
  if (!end) return dl_error(dl_op_loc(main), "'@%s' has no body", e->options->main);
  LLVMValueRef shapes;
  DL_TRY(emit_shapes(e, body, end, &shapes));
  LLVMValueRef function = add_host_function(e, "run", 5);
  dl_begin_function(e, function);
  e->run = LLVMGetParam(function, RUN);
  bind_arguments(e, body, LLVMGetParam(function, INPUTS), LLVMGetParam(function, DIMS));
  DL_TRY(dl_emit_block(e, body, &end));
  emit_results(e, end, LLVMGetParam(function, OUTPUTS), LLVMGetParam(function, OUTPUT_DIMS));
  dl_end_function(e);
  return dl_emit_tables(e, main, function, shapes);
}

static const dl_emit_row host_rows[] = {
    {"loop.arena", emit_arena, 0, NULL},   {"loop.alloc", emit_alloc, 0, NULL},
    {"loop.slice", emit_slice, 0, NULL},   {"loop.weight", emit_weight, 0, NULL},
    {"loop.launch", emit_launch, 0, NULL},
};
const dl_emit_table dl_emit_host_table = {host_rows, DL_COUNT(host_rows)};
