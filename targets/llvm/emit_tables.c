// emit_tables.c: the constant tables that describe a model (targets/runtime/dlir_model.h,
// program.h) and the query function that hands them out.
#include "dialects/loop/loop.h"
#include "targets/llvm/emit_internal.h"
#include "targets/runtime/program.h"

// The structs below are emitted field by field.
_Static_assert(sizeof(dlir_value_info) == 40 && offsetof(dlir_value_info, dtype) == 12 &&
                   offsetof(dlir_value_info, shape) == 24,
               "as emitted by value_info");
_Static_assert(sizeof(dlir_model) == 112 && offsetof(dlir_model, open) == 64, "as emitted");
_Static_assert(sizeof(dlrt_program) == 80 && sizeof(dlrt_launch_info) == 48, "as emitted");

static LLVMTypeRef pointer_type(dl_emitter *e) { return LLVMPointerTypeInContext(e->ctx, 0); }
static LLVMValueRef null_pointer(dl_emitter *e) { return LLVMConstNull(pointer_type(e)); }
static LLVMValueRef int32(dl_emitter *e, uint64_t value) {
  return LLVMConstInt(LLVMInt32TypeInContext(e->ctx), value, false);
}
static LLVMValueRef number(dl_emitter *e, double value) {
  return LLVMConstReal(LLVMDoubleTypeInContext(e->ctx), value);
}

LLVMValueRef dl_table_constant(dl_emitter *e, LLVMValueRef value) {
  LLVMValueRef global = LLVMAddGlobal(e->module, LLVMTypeOf(value), "table");
  LLVMSetInitializer(global, value);
  LLVMSetGlobalConstant(global, true);
  LLVMSetLinkage(global, LLVMPrivateLinkage);
  return global;
}

LLVMValueRef dl_table_string(dl_emitter *e, const char *text) {
  return dl_table_constant(e, LLVMConstStringInContext2(e->ctx, text, strlen(text), false));
}

// A pointer to the elements; NULL without any. All elements have the type of the first.
LLVMValueRef dl_table_array(dl_emitter *e, LLVMValueRef *elements, size_t count) {
  if (!count) return null_pointer(e);
  return dl_table_constant(e, LLVMConstArray2(LLVMTypeOf(elements[0]), elements, count));
}

LLVMValueRef dl_table_struct(dl_emitter *e, LLVMValueRef *fields, unsigned count) {
  return LLVMConstStructInContext(e->ctx, fields, count, false);
}

// --- values ---

static DLDataType dtype_of(dl_type element) {
  DLDataType type = {.lanes = 1, .bits = (uint8_t)(8 * dl_element_bytes(element))};
  if (dl_is_float(element))
    type.code = element->float_kind == DL_BF16 ? kDLBfloat : kDLFloat;
  else if (dl_is_integer(element) && element->width == 1)
    type.code = DLIR_BOOL_CODE;
  else
    type.code = dl_is_integer(element) && element->signedness == DL_UNSIGNED ? kDLUInt : kDLInt;
  return type;
}

static LLVMValueRef emit_dtype(dl_emitter *e, dl_type element) {
  DLDataType type = dtype_of(element);
  LLVMTypeRef i8 = LLVMInt8TypeInContext(e->ctx);
  LLVMValueRef fields[] = {LLVMConstInt(i8, type.code, false), LLVMConstInt(i8, type.bits, false),
                           LLVMConstInt(LLVMInt16TypeInContext(e->ctx), type.lanes, false)};
  return dl_table_struct(e, fields, 3);
}

// The name of dimension `i` in #graph.enc<dims = [N, _]>, or NULL.
static const char *symbol_of(dl_type tensor, size_t i) {
  dl_attr dims = tensor->encoding && tensor->encoding->kind == DL_ATTR_DIALECT
                     ? dl_keyed_param(tensor->encoding, "dims")
                     : NULL;
  if (!dims || dims->kind != DL_ATTR_ARRAY || i >= dims->count) return NULL;
  dl_attr name = dims->elements[i];
  return name->kind == DL_ATTR_KEYWORD && strcmp(name->name, "_") ? name->name : NULL;
}

static LLVMValueRef emit_shape(dl_emitter *e, dl_type tensor, LLVMValueRef *symbols) {
  LLVMValueRef *sizes = dl_calloc(tensor->rank + 1, sizeof(*sizes));
  LLVMValueRef *names = dl_calloc(tensor->rank + 1, sizeof(*names));
  for (size_t i = 0; i < tensor->rank; i++) {
    bool dynamic = tensor->shape[i] == DL_DYNAMIC;
    const char *name = dynamic ? symbol_of(tensor, i) : NULL;
    sizes[i] = dl_llvm_const_i64(e, dynamic ? -1 : tensor->shape[i]);
    names[i] = name ? dl_table_string(e, name) : null_pointer(e);
  }
  LLVMValueRef shape = dl_table_array(e, sizes, tensor->rank);
  *symbols = dl_table_array(e, names, tensor->rank);
  free(sizes);
  free(names);
  return shape;
}

// Entry `i` of the list `which` in dlir.names, or "input_0" and the like.
static char *name_of(dl_op *function, const char *which, size_t i) {
  dl_attr names = dl_get_attr(function, "dlir.names"), list = NULL;
  if (names && names->kind == DL_ATTR_DICT)
    list = dl_dict_get(names, dl_intern_z(dl_op_context(function), which));
  dl_buffer text = {0};
  if (list && list->kind == DL_ATTR_ARRAY && i < list->count &&
      list->elements[i]->kind == DL_ATTR_STRING)
    dl_buffer_append(&text, list->elements[i]->bytes.data, list->elements[i]->bytes.len);
  else
    dl_buffer_printf(&text, "%.*s_%zu", (int)strlen(which) - 1, which, i);
  return text.data;
}

static dl_status emit_values(dl_emitter *e, dl_op *main, const char *which, size_t count,
                             const dl_type *types, LLVMValueRef *values) {
  LLVMValueRef *infos = dl_calloc(count + 1, sizeof(*infos));
  for (size_t i = 0; i < count; i++) {
    if (!dl_is_tensor(types[i]) || types[i]->unranked) {
      free(infos);
      return dl_error(dl_op_loc(main), "'loop.signature' holds a type that is no ranked tensor");
    }
    char *name = name_of(main, which, i);
    LLVMValueRef symbols, shape = emit_shape(e, types[i], &symbols);
    LLVMValueRef fields[] = {dl_table_string(e, name),
                             int32(e, DLIR_TENSOR),
                             emit_dtype(e, types[i]->element),
                             int32(e, types[i]->rank),
                             shape,
                             symbols};
    infos[i] = dl_table_struct(e, fields, DL_COUNT(fields));
    free(name);
  }
  *values = dl_table_array(e, infos, count);
  free(infos);
  return DL_OK;
}

// --- the program ---

static double estimate(dl_op *launch, const char *attribute) {
  dl_attr value = dl_get_attr(launch, attribute);
  if (!value) return 0;
  return value->kind == DL_ATTR_FLOAT ? value->number : (double)value->integer;
}

static LLVMValueRef emit_factors(dl_emitter *e, dl_attr factors) {
  size_t count = factors ? factors->count : 0;
  LLVMValueRef *numbers = dl_calloc(count + 1, sizeof(*numbers));
  for (size_t i = 0; i < count; i++) numbers[i] = dl_llvm_const_i64(e, dl_i64_at(factors, i));
  LLVMValueRef table = dl_table_array(e, numbers, count);
  free(numbers);
  return table;
}

static LLVMValueRef emit_launches(dl_emitter *e) {
  LLVMValueRef *infos = dl_calloc(e->launches->len + 1, sizeof(*infos));
  for (size_t i = 0; i < e->launches->len; i++) {
    dl_op *launch = e->launches->data[i];
    const char *kernel = dl_get_attr(launch, "callee")->name;
    dl_str label = dl_get_str(launch, "label");
    dl_buffer text = {0};
    dl_buffer_append(&text, label.len ? label.data : kernel,
                     label.len ? label.len : strlen(kernel));
    dl_attr factors = dl_get_attr(launch, "flops_factors");
    LLVMValueRef fields[] = {dl_table_string(e, text.data),
                             dl_table_string(e, kernel),
                             number(e, estimate(launch, "flops")),
                             number(e, estimate(launch, "bytes")),
                             dl_llvm_const_i64(e, factors ? (int64_t)factors->count : 0),
                             emit_factors(e, factors)};
    infos[i] = dl_table_struct(e, fields, DL_COUNT(fields));
    dl_buffer_free(&text);
  }
  LLVMValueRef launches = dl_table_array(e, infos, e->launches->len);
  free(infos);
  return launches;
}

static LLVMValueRef declare_weights(dl_emitter *e) {
  if (!e->options->weights_size || e->options->side_file) return null_pointer(e);
  char *symbol = dl_symbol_for(e, "weights");
  LLVMValueRef weights = LLVMAddGlobal(e->module, LLVMInt8TypeInContext(e->ctx), symbol);
  LLVMSetVisibility(weights, LLVMHiddenVisibility);
  LLVMSetGlobalConstant(weights, true);
  free(symbol);
  return weights;
}

static LLVMValueRef emit_side_file(dl_emitter *e) {
  if (!e->options->side_file) return null_pointer(e);
  LLVMValueRef fields[] = {dl_table_string(e, e->options->side_file),
                           dl_llvm_const_i64(e, (int64_t)e->options->side_checksum)};
  return dl_table_constant(e, dl_table_struct(e, fields, DL_COUNT(fields)));
}

static LLVMValueRef emit_program_table(dl_emitter *e, LLVMValueRef function, LLVMValueRef shapes) {
  dl_str features = e->options->machine.features;
  dl_buffer text = {0};
  dl_buffer_append(&text, features.data, features.len);
  LLVMValueRef fields[] = {dl_llvm_const_i64(e, DLRT_PROGRAM_VERSION),
                           dl_table_string(e, text.len ? text.data : ""),
                           declare_weights(e),
                           dl_llvm_const_i64(e, (int64_t)e->options->weights_size),
                           emit_side_file(e),
                           function,
                           shapes ? shapes : null_pointer(e),
                           dl_llvm_const_i64(e, (int64_t)e->launches->len),
                           emit_launches(e),
                           dl_emit_device_program(e)};
  dl_buffer_free(&text);
  return dl_table_constant(e, dl_table_struct(e, fields, DL_COUNT(fields)));
}

static LLVMValueRef runtime_symbol(dl_emitter *e, const char *name) {
  LLVMTypeRef type = LLVMFunctionType(LLVMVoidTypeInContext(e->ctx), NULL, 0, false);
  LLVMValueRef function = LLVMAddFunction(e->module, name, type);
  LLVMSetVisibility(function, LLVMHiddenVisibility);
  return function;
}

// const dlir_model *<prefix>_query(uint32_t version)
static void emit_query(dl_emitter *e, LLVMValueRef model) {
  dl_buffer name = {0};
  dl_buffer_printf(&name, "%s_query", e->options->prefix);
  LLVMTypeRef i32 = LLVMInt32TypeInContext(e->ctx);
  LLVMValueRef query =
      LLVMAddFunction(e->module, name.data, LLVMFunctionType(pointer_type(e), &i32, 1, false));
  dl_buffer_free(&name);
  dl_add_function_attrs(e, query);
  dl_begin_function(e, query);
  LLVMValueRef known =
      LLVMBuildICmp(e->b, LLVMIntEQ, LLVMGetParam(query, 0), int32(e, DLIR_MODEL_VERSION), "");
  LLVMBuildRet(e->b, LLVMBuildSelect(e->b, known, model, null_pointer(e), ""));
  dl_end_function(e);
}

dl_type dl_signature_of(dl_op *function) {
  dl_attr signature = dl_get_attr(function, "loop.signature");
  if (signature && signature->kind == DL_ATTR_TYPE && signature->type->kind == DL_TYPE_FUNCTION)
    return signature->type;
  dl_error(dl_op_loc(function), "'@%s' has no 'loop.signature'", dl_symbol_name(function));
  return NULL;
}

dl_status dl_emit_tables(dl_emitter *e, dl_op *main, LLVMValueRef function, LLVMValueRef shapes) {
  dl_type type = dl_signature_of(main);
  if (!type) return DL_FAILED;
  LLVMValueRef inputs, outputs;
  DL_TRY(emit_values(e, main, "inputs", type->num_inputs, type->inputs, &inputs));
  DL_TRY(emit_values(e, main, "outputs", type->num_results, type->results, &outputs));
  LLVMValueRef fields[] = {dl_llvm_const_i64(e, sizeof(dlir_model)),
                           int32(e, DLIR_MODEL_VERSION),
                           dl_table_string(e, e->options->prefix),
                           dl_llvm_const_i64(e, (int64_t)type->num_inputs),
                           dl_llvm_const_i64(e, (int64_t)type->num_results),
                           inputs,
                           outputs,
                           emit_program_table(e, function, shapes),
                           runtime_symbol(e, "dlrt_open"),
                           runtime_symbol(e, "dlrt_run_model"),
                           runtime_symbol(e, "dlrt_infer_shapes"),
                           runtime_symbol(e, "dlrt_last_error"),
                           runtime_symbol(e, "dlrt_profile"),
                           runtime_symbol(e, "dlrt_close")};
  emit_query(e, dl_table_constant(e, dl_table_struct(e, fields, DL_COUNT(fields))));
  return DL_OK;
}
