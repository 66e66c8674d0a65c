#include "dialects/interp.h"

#include "dialects/engine.h"
#include "dialects/eval/interp_internal.h"
#include "dialects/loop/loop.h"

enum { MAX_CALL_DEPTH = 256 };

// --- places ---

void dl_place_set_tensor(dl_frame *frame, dl_place place, dl_ndarray *owned) {
  dl_ndarray **held = dl_at(frame, place);
  dl_ndarray_release(*held);
  *held = owned;
}

void dl_place_copy(dl_frame *to_frame, dl_place to, const dl_frame *from_frame, dl_place from) {
  if (to.kind == DL_PLACE_TENSOR) {
    dl_place_set_tensor(to_frame, to, dl_ndarray_retain(dl_place_tensor(from_frame, from)));
  } else {
    memmove(dl_at(to_frame, to), dl_at(from_frame, from), to.bytes);
  }
}

// --- memory ---

static dl_memory *new_memory(size_t size, bool guarded) {
  dl_memory memory = {.size = size};
  memory.data =
      guarded ? dl_map_guarded(size, &memory.mapped, &memory.mapping) : malloc(size ? size : 1);
  if (!memory.data) return NULL;
  memset(memory.data, 0xff, size);
  dl_memory *kept = dl_malloc(sizeof(*kept));
  *kept = memory;
  return kept;
}

dl_memory *dl_allocate(const dl_frame *frame, const dl_op *op, int64_t count,
                       size_t element_bytes) {
  int64_t size;
  bool fits = count >= 0 && !__builtin_mul_overflow(count, (int64_t)element_bytes, &size);
  dl_memory *memory = fits ? new_memory((size_t)size, frame->interp->eval.engine) : NULL;
  if (!memory) dl_op_error(op, "asks for %lld elements of memory", (long long)count);
  return memory;
}

void dl_memory_free(dl_memory *memory) {
  if (memory->mapping)
    dl_unmap_guarded(memory->mapping, memory->mapped);
  else
    free(memory->data);
  free(memory);
}

// --- frames ---

dl_frame dl_frame_open(dl_interp *interp, const dl_compiled *function) {
  return (dl_frame){
      .interp = interp, .function = function, .memory = dl_calloc(1, function->frame_bytes + 16)};
}

void dl_frame_close(dl_frame *frame) {
  for (size_t i = 0; i < frame->function->num_tensors; i++)
    dl_place_set_tensor(frame, frame->function->tensors[i], NULL);
  for (size_t i = 0; i < frame->locals.len; i++) dl_memory_free(frame->locals.data[i]);
  DL_VEC_FREE(&frame->locals);
  free(frame->memory);
}

// Whether the function called by op may write through its argument.
static bool may_write(const dl_op *op, size_t argument) {
  dl_attr callee = dl_get_attr(op, "callee");
  const dl_op *function = dl_find_function(op, callee->name);
  dl_attr attrs = function ? dl_get_attr(function, "arg_attrs") : NULL;
  if (!attrs || argument >= attrs->count) return true;
  dl_ident readonly = dl_intern_z(dl_op_context(op), "loop.readonly");
  return !dl_dict_get(attrs->elements[argument], readonly);
}

static void observe_pointer(const dl_interp_options *options, const dl_op *op, dl_pointer pointer,
                            dl_type element) {
  if (!pointer.memory || pointer.offset < 0) return;
  int64_t count =
      ((int64_t)pointer.memory->size - pointer.offset) / (int64_t)dl_element_bytes(element);
  dl_ndarray *array = count > 0 ? dl_ndarray_create(element, 1, &count) : NULL;
  if (!array) return;
  memcpy(array->data, pointer.memory->data + pointer.offset, dl_ndarray_bytes(array));
  options->observe(options->user, op, DL_INTERP_MEMORY, array);
  dl_ndarray_release(array);
}

static void observe_call(const dl_frame *frame, const dl_instr *instr) {
  for (size_t i = 0; i < instr->num_operands; i++) {
    dl_place place = instr->operands[i];
    if (place.kind != DL_PLACE_POINTER || !may_write(instr->op, i)) continue;
    observe_pointer(frame->interp->options, instr->op, *(dl_pointer *)dl_at(frame, place),
                    dl_loop_ptr_element(place.type));
  }
}

static void observe_store(const dl_frame *frame, const dl_instr *instr) {
  const dl_interp_options *options = frame->interp->options;
  dl_place place = instr->operands[0];
  int64_t count = (int64_t)place.lanes;
  dl_ndarray *array = dl_ndarray_create(dl_element_type(place.type), 1, &count);
  if (!array) return;
  dl_lanes_store(array->element, dl_at(frame, place), array->data, 1, place.lanes);
  options->observe(options->user, instr->op, DL_INTERP_MEMORY, array);
  dl_ndarray_release(array);
}

static void observe(const dl_frame *frame, const dl_instr *instr) {
  const dl_interp_options *options = frame->interp->options;
  const char *name = dl_op_name(instr->op);
  for (size_t i = 0; i < instr->num_results; i++) {
    if (instr->results[i].kind != DL_PLACE_TENSOR) continue;
    options->observe(options->user, instr->op, i, dl_place_tensor(frame, instr->results[i]));
  }
  if (!strcmp(name, "func.call") || !strcmp(name, "loop.launch")) observe_call(frame, instr);
  if (!strcmp(name, "loop.store")) observe_store(frame, instr);
}

dl_status dl_run_code(dl_frame *frame, const dl_code *code) {
  bool observed = frame->interp->options && frame->interp->options->observe;
  if (frame->interp->eval.work) *frame->interp->eval.work += (double)code->num_instrs;
  for (size_t i = 0; i < code->num_instrs; i++) {
    const dl_instr *instr = &code->instrs[i];
    DL_TRY(instr->run(frame, instr));
    if (observed) observe(frame, instr);
    for (size_t k = 0; k < instr->num_dead; k++) dl_place_set_tensor(frame, instr->dead[k], NULL);
  }
  return DL_OK;
}

// --- constants, kernels, calls ---

static dl_status run_constant(dl_frame *frame, const dl_instr *instr) {
  memcpy(dl_at(frame, instr->results[0]), instr->data, instr->results[0].bytes);
  return DL_OK;
}

static dl_status run_tensor_constant(dl_frame *frame, const dl_instr *instr) {
  dl_ndarray *array = dl_ndarray_of_attr(dl_get_attr(instr->op, "value"));
  // A float constant may be read at another precision than it is written with.
  dl_type element = instr->results[0].type->element;
  if (array && array->element != element && dl_is_float(element)) {
    dl_ndarray *converted = dl_ndarray_convert(array, element);
    dl_ndarray_release(array);
    array = converted;
  }
  if (!array) return dl_op_error(instr->op, "has a value whose elements are not at hand");
  dl_place_set_tensor(frame, instr->results[0], array);
  return DL_OK;
}

static dl_status prepare_constant(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  dl_attr value = dl_get_attr(op, "value");
  dl_place place = instr->results[0];
  if (place.kind == DL_PLACE_TENSOR) {
    instr->run = run_tensor_constant;
    return DL_OK;
  }
  dl_type element = dl_element_type(place.type);
  void *lanes = dl_arena_alloc(c->arena, place.bytes);
  dl_str bytes;
  bool splat;
  if (value->kind == DL_ATTR_INTEGER || value->kind == DL_ATTR_FLOAT) {
    dl_lanes_fill(dl_lane_of(element), lanes, dl_scalar_of_attr(value, element), place.lanes);
  } else if (place.kind == DL_PLACE_LANES && dl_dense_bytes(value, &bytes, &splat)) {
    dl_lanes_load(element, lanes, bytes.data, splat ? 0 : 1, place.lanes);
  } else {
    return dl_op_error(op, "has a value that the interpreter does not know");
  }
  instr->data = lanes;
  instr->run = run_constant;
  return DL_OK;
}

static dl_status run_kernel(dl_frame *frame, const dl_instr *instr) {
  const void *in[DL_KERNEL_MAX_INPUTS];
  for (size_t i = 0; i < instr->num_operands; i++) in[i] = dl_at(frame, instr->operands[i]);
  dl_place result = instr->results[0];
  dl_kernel_run(&instr->kernel, dl_at(frame, result), in, result.lanes);
  uint64_t *noise = frame->interp->noise;
  if (noise && instr->kernel.rounds)
    dl_lanes_perturb(instr->kernel.to, dl_at(frame, result), result.lanes, noise);
  return DL_OK;
}

// A select of whole vectors, tensors or pointers by one condition.
static dl_status run_select_whole(dl_frame *frame, const dl_instr *instr) {
  bool condition = dl_place_int(frame, instr->operands[0]);
  dl_place_copy(frame, instr->results[0], frame, instr->operands[condition ? 1 : 2]);
  return DL_OK;
}

// In strips, so that the lanes need little room.
static dl_status run_kernel_on_tensors(dl_frame *frame, const dl_instr *instr) {
  enum { STRIP = 256 };
  char lanes[DL_KERNEL_MAX_INPUTS + 1][STRIP * sizeof(dl_scalar_value)];
  const void *in[DL_KERNEL_MAX_INPUTS] = {lanes[1], lanes[2], lanes[3]};
  const dl_ndarray *first = dl_place_tensor(frame, instr->operands[instr->num_operands - 1]);
  dl_ndarray *result = dl_ndarray_create(instr->kernel.to, first->rank, first->shape);
  if (!result) return dl_op_error(instr->op, "has a result that does not fit in memory");
  for (int64_t at = 0; at < result->count; at += STRIP) {
    size_t count = result->count - at < STRIP ? (size_t)(result->count - at) : STRIP;
    for (size_t i = 0; i < instr->num_operands; i++) {
      const dl_ndarray *array = dl_place_tensor(frame, instr->operands[i]);
      dl_lanes_load(array->element, lanes[i + 1],
                    array->data + at * (int64_t)dl_element_bytes(array->element), 1, count);
    }
    dl_kernel_run(&instr->kernel, lanes[0], in, count);
    dl_lanes_store(result->element, lanes[0],
                   result->data + at * (int64_t)dl_element_bytes(result->element), 1, count);
  }
  dl_place_set_tensor(frame, instr->results[0], result);
  return DL_OK;
}

static dl_status prepare_kernel(dl_instr *instr) {
  dl_place condition = instr->operands[0], result = instr->results[0];
  bool is_select = instr->num_operands == 3 && !strcmp(dl_op_name(instr->op), "arith.select");
  if (is_select && condition.kind == DL_PLACE_LANES && condition.lanes == 1) {
    instr->run = run_select_whole;
  } else {
    instr->run = result.kind == DL_PLACE_TENSOR ? run_kernel_on_tensors : run_kernel;
  }
  return DL_OK;
}

dl_op *dl_find_function(const dl_op *from, dl_ident name) {
  const dl_op *table = dl_has_trait(from, DL_SYMBOL_TABLE) ? from : dl_enclosing_symbol_table(from);
  dl_op *function = table ? dl_symbol_lookup(table, name) : NULL;
  if (!function || !dl_has_trait(function, DL_FUNCTION)) {
    dl_op_error(from, "there is no function @%s", name);
    return NULL;
  }
  return function;
}

static dl_status run_in_frame(dl_frame *frame) {
  dl_interp *interp = frame->interp;
  if (interp->depth == MAX_CALL_DEPTH)
    return dl_op_error(frame->function->op, "calls are nested too deeply");
  interp->depth++;
  dl_status status = dl_run_code(frame, &frame->function->body);
  interp->depth--;
  return status;
}

static dl_status run_call(dl_frame *frame, const dl_instr *instr) {
  const dl_compiled *callee;
  if (!instr->num_results &&
      dl_run_natively(frame, instr->data, instr->num_operands, instr->operands, 0, NULL))
    return DL_OK;
  DL_TRY(dl_compile_function(frame->interp, (dl_op *)instr->data, &callee));
  dl_frame inner = dl_frame_open(frame->interp, callee);
  for (size_t i = 0; i < instr->num_operands; i++)
    dl_place_copy(&inner, callee->body.args[i], frame, instr->operands[i]);
  dl_status status = run_in_frame(&inner);
  for (size_t i = 0; i < instr->num_results && status == DL_OK; i++)
    dl_place_copy(frame, instr->results[i], &inner, callee->body.ends[i]);
  dl_frame_close(&inner);
  if (status != DL_OK) dl_note(dl_op_loc(instr->op), "called from here");
  return status;
}

static dl_status prepare_call(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c;
  dl_attr callee = dl_get_attr(op, "callee");
  instr->data = dl_find_function(op, callee->name);
  instr->run = run_call;
  return instr->data ? DL_OK : DL_FAILED;
}

// --- choosing ---

static const dl_instr_def *find_def(const dl_instr_def *defs, const char *name) {
  for (; defs->name; defs++) {
    if (!strcmp(defs->name, name)) return defs;
  }
  return NULL;
}

dl_status dl_prepare(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  static const dl_instr_def here[] = {{"func.call", prepare_call}, {NULL, NULL}};
  const dl_instr_def *const tables[] = {here, dl_loop_instrs, dl_tensor_instrs};
  for (size_t i = 0; i < DL_COUNT(tables); i++) {
    const dl_instr_def *def = find_def(tables[i], dl_op_name(op));
    if (def) return def->prepare(c, op, instr);
  }
  if (dl_has_trait(op, DL_CONSTANT)) return prepare_constant(c, op, instr);
  if (dl_kernel_of_op(op, &instr->kernel)) return prepare_kernel(instr);
  return dl_prepare_spec(c, op, instr);
}

static dl_status run_function(dl_interp *interp, dl_op *op, size_t num_inputs,
                              dl_ndarray *const *inputs, size_t *num_outputs,
                              dl_ndarray ***outputs) {
  const dl_compiled *function;
  DL_TRY(dl_compile_function(interp, op, &function));
  dl_type signature = dl_get_attr(op, "loop.signature") ? dl_interp_signature(op) : NULL;
  dl_frame frame = dl_frame_open(interp, function);
  dl_status status = signature ? dl_set_signature_inputs(&frame, signature, num_inputs, inputs)
                               : dl_set_plain_inputs(&frame, num_inputs, inputs);
  if (status == DL_OK) status = run_in_frame(&frame);
  if (status == DL_OK) status = dl_get_outputs(&frame, signature, num_outputs, outputs);
  dl_frame_close(&frame);
  return status;
}

void dl_interp_release(size_t count, dl_ndarray **arrays) {
  for (size_t i = 0; i < count; i++) dl_ndarray_release(arrays[i]);
  free(arrays);
}

static dl_status run_init(dl_interp *interp, dl_ident entry) {
  dl_ident name = dl_intern_z(interp->ctx, "init");
  dl_op *init = dl_symbol_lookup(interp->module, name);
  if (!init || name == entry || !dl_has_trait(init, DL_FUNCTION)) return DL_OK;
  const dl_interp_options *options = interp->options;
  const dl_interp_options quiet = {.engine = interp->eval.engine};
  interp->options = &quiet;
  dl_status status = run_function(interp, init, 0, NULL, &interp->num_weights, &interp->weights);
  interp->options = options;
  return status;
}

dl_status dl_interp_run(dl_op *module, dl_ident name, size_t num_inputs, dl_ndarray *const *inputs,
                        size_t *num_outputs, dl_ndarray ***outputs,
                        const dl_interp_options *options) {
  *num_outputs = 0;
  *outputs = NULL;
  dl_op *function = dl_find_function(module, name);
  if (!function) return DL_FAILED;
  dl_interp interp = {.ctx = dl_op_context(module),
                      .module = module,
                      .options = options,
                      .arena = dl_arena_create()};
  if (options && options->noise) {
    interp.noise_state = options->noise;
    interp.noise = &interp.noise_state;
  }
  interp.eval.noise = interp.noise;
  interp.eval.work = options ? options->work : NULL;
  if (options && options->engine) {
    interp.eval.engine = options->engine;
    options->engine->forget_functions(options->engine);
  }
  dl_status status = run_init(&interp, name);
  if (status == DL_OK)
    status = run_function(&interp, function, num_inputs, inputs, num_outputs, outputs);
  if (status != DL_OK) {
    dl_interp_release(*num_outputs, *outputs);
    *num_outputs = 0;
    *outputs = NULL;
  }
  dl_interp_release(interp.num_weights, interp.weights);
  for (size_t i = 0; i < interp.memories.len; i++) dl_memory_free(interp.memories.data[i]);
  for (size_t i = 0; i < interp.constants.len; i++) dl_ndarray_release(interp.constants.data[i]);
  DL_VEC_FREE(&interp.memories);
  DL_VEC_FREE(&interp.constants);
  dl_ptr_map_free(&interp.functions);
  dl_arena_destroy(interp.arena);
  return status;
}
