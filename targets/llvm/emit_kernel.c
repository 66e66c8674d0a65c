// emit_kernel.c: kernels, the functions that they call, and the entries through which the pool runs
// them.
#include "dialects/loop/loop.h"
#include "ir/op_def.h"
#include "targets/llvm/emit_internal.h"

// --- functions ---

static dl_block *body_of(dl_op *function) { return dl_region_first(dl_op_region(function, 0)); }

// The type of an IR function as an LLVM function; several results make a struct.
static LLVMTypeRef function_type(dl_emitter *e, dl_op *function, dl_block *body) {
  size_t count = dl_num_args(body);
  LLVMTypeRef *parameters = dl_calloc(count + 1, sizeof(*parameters));
  for (size_t i = 0; i < count; i++)
    if (!(parameters[i] = dl_llvm_type_of(e, function, dl_value_type(dl_arg(body, i)))))
      goto failed;
  dl_op *end = dl_block_terminator(body);
  size_t num_results = end ? dl_num_operands(end) : 0;
  LLVMTypeRef *results = dl_calloc(num_results + 1, sizeof(*results)), result;
  for (size_t i = 0; i < num_results; i++)
    results[i] = dl_llvm_type(e, dl_value_type(dl_operand(end, i)));
  result = num_results == 0 ? LLVMVoidTypeInContext(e->ctx)
           : num_results == 1
               ? results[0]
               : LLVMStructTypeInContext(e->ctx, results, (unsigned)num_results, false);
  free(results);
  LLVMTypeRef type = LLVMFunctionType(result, parameters, (unsigned)count, false);
  free(parameters);
  return type;
failed:
  free(parameters);
  return NULL;
}

static bool is_readonly(dl_op *function, size_t i) {
  dl_attr all = dl_get_attr(function, "arg_attrs");
  if (!all || all->kind != DL_ATTR_ARRAY || i >= all->count) return false;
  dl_ident name = dl_intern_z(dl_op_context(function), "loop.readonly");
  return all->elements[i]->kind == DL_ATTR_DICT && dl_dict_get(all->elements[i], name);
}

// The pointers of one kernel never alias (docs/dialects.md).
static void add_pointer_attrs(dl_emitter *e, dl_op *function, LLVMValueRef llvm) {
  dl_block *body = body_of(function);
  for (size_t i = 0; i < dl_num_args(body); i++) {
    dl_type type = dl_value_type(dl_arg(body, i));
    if (!dl_is_loop_ptr(type)) continue;
    LLVMAttributeIndex at = (LLVMAttributeIndex)(i + 1);
    dl_add_attr(e, llvm, at, "noalias", 0);
    dl_add_attr(e, llvm, at, "noundef", 0);
    dl_add_attr(e, llvm, at, "align", dl_element_bytes(dl_loop_ptr_element(type)));
    if (is_readonly(function, i)) dl_add_attr(e, llvm, at, "readonly", 0);
  }
}

static LLVMValueRef declare(dl_emitter *e, dl_op *function) {
  char *symbol = dl_symbol_for(e, dl_symbol_name(function));
  LLVMValueRef llvm = LLVMGetNamedFunction(e->module, symbol);
  if (!llvm) {
    LLVMTypeRef type = function_type(e, function, body_of(function));
    if (type) llvm = LLVMAddFunction(e->module, symbol, type);
    if (llvm) {
      dl_add_function_attrs(e, llvm);
      dl_set_calling_convention(e, llvm);
    }
  }
  free(symbol);
  return llvm;
}

static void emit_return(dl_emitter *e, dl_op *end) {
  size_t count = end ? dl_num_operands(end) : 0;
  if (count == 0) {
    LLVMBuildRetVoid(e->b);
    return;
  }
  LLVMValueRef *values = dl_calloc(count, sizeof(*values));
  for (size_t i = 0; i < count; i++) values[i] = dl_emitted_operand(e, end, i);
  if (count == 1)
    LLVMBuildRet(e->b, values[0]);
  else
    LLVMBuildAggregateRet(e->b, values, (unsigned)count);
  free(values);
}

static dl_status emit_function(dl_emitter *e, dl_op *function, LLVMValueRef llvm) {
  dl_block *body = body_of(function);
  dl_begin_function(e, llvm);
  for (size_t i = 0; i < dl_num_args(body); i++)
    dl_set_emitted(e, dl_arg(body, i), LLVMGetParam(llvm, (unsigned)i));
  dl_op *end;
  DL_TRY(dl_emit_block(e, body, &end));
  emit_return(e, end);
  dl_end_function(e);
  return DL_OK;
}

// --- calls ---

static dl_status emit_call(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  dl_attr callee = dl_get_attr(op, "callee");
  dl_op *function = callee ? dl_symbol_lookup(e->root, callee->name) : NULL;
  if (!function || dl_region_empty(dl_op_region(function, 0)))
    return dl_error(dl_op_loc(op), "the function called has no body");
  LLVMValueRef llvm = declare(e, function);
  if (!llvm) return DL_FAILED;
  DL_PUSH(e->callees, function);
  size_t count = dl_num_operands(op), num_results = dl_num_results(op);
  LLVMValueRef *args = dl_calloc(count + 1, sizeof(*args));
  for (size_t i = 0; i < count; i++) args[i] = dl_emitted_operand(e, op, i);
  LLVMValueRef call =
      LLVMBuildCall2(e->b, LLVMGlobalGetValueType(llvm), llvm, args, (unsigned)count, "");
  dl_set_calling_convention(e, call);
  free(args);
  for (size_t i = 0; i < num_results; i++)
    dl_set_emitted(e, dl_result(op, i),
                   num_results == 1 ? call : LLVMBuildExtractValue(e->b, call, (unsigned)i, ""));
  return DL_OK;
}

// The list grows while functions are emitted that call others.
dl_status dl_emit_callees(dl_emitter *e) {
  for (size_t i = 0; i < e->callees->len; i++) {
    LLVMValueRef llvm = declare(e, e->callees->data[i]);
    if (!llvm) return DL_FAILED;
    LLVMSetLinkage(llvm, LLVMInternalLinkage);
    if (!LLVMGetFirstBasicBlock(llvm)) DL_TRY(emit_function(e, e->callees->data[i], llvm));
  }
  return DL_OK;
}

// --- entries ---

static LLVMTypeRef entry_type(dl_emitter *e) {
  LLVMTypeRef i64 = LLVMInt64TypeInContext(e->ctx);
  LLVMTypeRef parameters[] = {LLVMPointerTypeInContext(e->ctx, 0), i64, i64};
  return LLVMFunctionType(LLVMVoidTypeInContext(e->ctx), parameters, 3, false);
}

LLVMValueRef dl_declare_entry(dl_emitter *e, const char *kernel) {
  dl_buffer name = {0};
  dl_buffer_printf(&name, "%s.entry", kernel);
  char *symbol = dl_symbol_for(e, name.data);
  LLVMValueRef entry = LLVMGetNamedFunction(e->module, symbol);
  if (!entry) {
    entry = LLVMAddFunction(e->module, symbol, entry_type(e));
    LLVMSetVisibility(entry, LLVMHiddenVisibility);
    dl_add_function_attrs(e, entry);
  }
  free(symbol);
  dl_buffer_free(&name);
  return entry;
}

// Slot number `i` (8 bytes each), read as a value of the type.
static LLVMValueRef read_slot(dl_emitter *e, size_t i, LLVMTypeRef type) {
  LLVMValueRef index = dl_llvm_const_i64(e, (int64_t)i);
  LLVMValueRef slot = LLVMBuildInBoundsGEP2(e->b, LLVMInt64TypeInContext(e->ctx),
                                            LLVMGetParam(e->function, 0), &index, 1, "");
  return LLVMBuildLoad2(e->b, type, slot, "");
}

enum { MAX_GRID = 16 };

// Splits the linear index `begin` into the grid's indices, the last fastest.
static void split_index(dl_emitter *e, size_t rank, LLVMValueRef *extents, LLVMValueRef *indices) {
  LLVMValueRef rest = LLVMGetParam(e->function, 1);
  for (size_t i = rank; i-- > 1;) {
    indices[i] = LLVMBuildURem(e->b, rest, extents[i], "");
    rest = LLVMBuildUDiv(e->b, rest, extents[i], "");
  }
  if (rank) indices[0] = rest;
}

// The indices that follow, with carries from the last to the first.
static void advance(dl_emitter *e, size_t rank, LLVMValueRef *extents, LLVMValueRef *indices) {
  LLVMValueRef carry = dl_llvm_const_i64(e, 1), zero = dl_llvm_const_i64(e, 0);
  for (size_t i = rank; i-- > 0;) {
    LLVMValueRef next = LLVMBuildAdd(e->b, indices[i], carry, "");
    LLVMValueRef wraps = LLVMBuildICmp(e->b, LLVMIntEQ, next, extents[i], "");
    indices[i] = i ? LLVMBuildSelect(e->b, wraps, zero, next, "") : next;
    carry = LLVMBuildZExt(e->b, wraps, LLVMInt64TypeInContext(e->ctx), "");
  }
}

static void emit_grid_loop(dl_emitter *e, LLVMValueRef kernel, size_t rank, LLVMValueRef *args,
                           size_t num_args, LLVMValueRef *extents) {
  LLVMTypeRef i64 = LLVMInt64TypeInContext(e->ctx);
  LLVMValueRef first[MAX_GRID], phis[MAX_GRID], next[MAX_GRID];
  split_index(e, rank, extents, first);
  LLVMBasicBlockRef before = LLVMGetInsertBlock(e->b), loop = dl_new_block(e, "grid");
  LLVMBasicBlockRef done = dl_new_block(e, "done");
  LLVMBuildBr(e->b, loop);
  LLVMPositionBuilderAtEnd(e->b, loop);
  LLVMValueRef begin = LLVMGetParam(e->function, 1), linear = LLVMBuildPhi(e->b, i64, "");
  LLVMAddIncoming(linear, &begin, &before, 1);
  for (size_t i = 0; i < rank; i++) {
    phis[i] = next[i] = args[num_args + i] = LLVMBuildPhi(e->b, i64, "");
    LLVMAddIncoming(phis[i], &first[i], &before, 1);
  }
  LLVMBuildCall2(e->b, LLVMGlobalGetValueType(kernel), kernel, args, (unsigned)(num_args + rank),
                 "");
  advance(e, rank, extents, next);
  LLVMValueRef after = LLVMBuildAdd(e->b, linear, dl_llvm_const_i64(e, 1), "");
  LLVMAddIncoming(linear, &after, &loop, 1);
  for (size_t i = 0; i < rank; i++) LLVMAddIncoming(phis[i], &next[i], &loop, 1);
  LLVMValueRef more = LLVMBuildICmp(e->b, LLVMIntSLT, after, LLVMGetParam(e->function, 2), "");
  LLVMBuildCondBr(e->b, more, loop, done);
  LLVMPositionBuilderAtEnd(e->b, done);
}

// Slots: the kernel's arguments, then the grid's extents. Called with begin < end only.
static dl_status emit_entry(dl_emitter *e, dl_op *kernel, LLVMValueRef function, size_t rank) {
  dl_block *body = body_of(kernel);
  if (rank > MAX_GRID || rank > dl_num_args(body))
    return dl_error(dl_op_loc(kernel), "the grid has more indices than the kernel takes");
  size_t num_args = dl_num_args(body) - rank;
  LLVMValueRef entry = dl_declare_entry(e, dl_symbol_name(kernel));
  dl_begin_function(e, entry);
  LLVMValueRef *args = dl_calloc(num_args + rank + 1, sizeof(*args)), extents[MAX_GRID];
  for (size_t i = 0; i < num_args; i++)
    args[i] = read_slot(e, i, dl_llvm_type(e, dl_value_type(dl_arg(body, i))));
  for (size_t i = 0; i < rank; i++)
    extents[i] = read_slot(e, num_args + i, LLVMInt64TypeInContext(e->ctx));
  emit_grid_loop(e, function, rank, args, num_args, extents);
  LLVMBuildRetVoid(e->b);
  dl_end_function(e);
  free(args);
  return DL_OK;
}

// The kernel stays a function of its own, so that its name shows in profiles.
dl_status dl_emit_kernel(dl_emitter *e, dl_op *kernel, size_t grid_rank) {
  LLVMValueRef function = declare(e, kernel);
  if (!function) return DL_FAILED;
  add_pointer_attrs(e, kernel, function);
  LLVMSetLinkage(function, LLVMInternalLinkage);
  dl_add_attr(e, function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "noinline", 0);
  DL_TRY(emit_function(e, kernel, function));
  return emit_entry(e, kernel, function, grid_rank);
}

static const dl_emit_row call_rows[] = {{"func.call", emit_call, 0, NULL}};
const dl_emit_table dl_emit_call_table = {call_rows, DL_COUNT(call_rows)};
