// What goes into a function, and what comes out.
#include "dialects/eval/interp_internal.h"
#include "dialects/loop/loop.h"

dl_type dl_interp_signature(const dl_op *function) {
  dl_attr signature = dl_get_attr(function, "loop.signature");
  if (!signature) signature = dl_get_attr(function, "function_type");
  return signature && signature->kind == DL_ATTR_TYPE ? signature->type : NULL;
}

static void set_pointer(dl_frame *frame, dl_place place, dl_ndarray *array) {
  dl_memory *memory = dl_arena_alloc(frame->interp->arena, sizeof(*memory));
  *memory = (dl_memory){.data = array->data, .size = dl_ndarray_bytes(array)};
  *(dl_pointer *)dl_at(frame, place) = (dl_pointer){memory, 0};
}

static dl_status set_input(dl_frame *frame, dl_place place, dl_ndarray *array) {
  const dl_op *function = frame->function->op;
  if (place.kind == DL_PLACE_TENSOR) {
    if (!dl_ndarray_fits(array, place.type))
      return dl_op_error(function, "is given a tensor of another type");
    dl_place_set_tensor(frame, place, dl_ndarray_retain(array));
  } else if (place.kind == DL_PLACE_POINTER) {
    set_pointer(frame, place, array);
  } else {
    if ((size_t)array->count != place.lanes || array->element != dl_element_type(place.type))
      return dl_op_error(function, "is given a value of another type");
    dl_lanes_load(array->element, dl_at(frame, place), array->data, 1, place.lanes);
  }
  return DL_OK;
}

dl_status dl_set_plain_inputs(dl_frame *frame, size_t count, dl_ndarray *const *inputs) {
  const dl_code *body = &frame->function->body;
  if (count != body->num_args)
    return dl_op_error(frame->function->op, "takes %zu inputs, not %zu", body->num_args, count);
  for (size_t i = 0; i < count; i++) DL_TRY(set_input(frame, body->args[i], inputs[i]));
  return DL_OK;
}

// loop.signature: a pointer per input, then its dynamic sizes.
dl_status dl_set_signature_inputs(dl_frame *frame, dl_type signature, size_t count,
                                  dl_ndarray *const *inputs) {
  const dl_code *body = &frame->function->body;
  const dl_op *function = frame->function->op;
  if (count != signature->num_inputs)
    return dl_op_error(function, "takes %zu inputs, not %zu", signature->num_inputs, count);
  size_t next = count;
  for (size_t i = 0; i < count; i++) {
    dl_type type = signature->inputs[i];
    if (!dl_ndarray_fits(inputs[i], type))
      return dl_op_error(function, "is given a tensor of another type");
    if (i < body->num_args) set_pointer(frame, body->args[i], inputs[i]);
    for (size_t d = 0; d < type->rank; d++) {
      if (type->shape[d] != DL_DYNAMIC) continue;
      if (next < body->num_args) *(int64_t *)dl_at(frame, body->args[next]) = inputs[i]->shape[d];
      next++;
    }
  }
  return next == body->num_args
             ? DL_OK
             : dl_op_error(function, "does not have the arguments of its signature");
}

static dl_ndarray *copy_memory(const dl_op *function, dl_pointer pointer, dl_type element,
                               size_t rank, const int64_t *shape) {
  dl_ndarray *array = dl_ndarray_create(element, rank, shape);
  size_t size = array ? dl_ndarray_bytes(array) : 0;
  bool fits = array && pointer.memory && pointer.offset >= 0 &&
              (size_t)pointer.offset <= pointer.memory->size &&
              size <= pointer.memory->size - (size_t)pointer.offset;
  if (fits) {
    memcpy(array->data, pointer.memory->data + pointer.offset, size);
    return array;
  }
  dl_ndarray_release(array);
  dl_op_error(function, "gives a pointer to less memory than its result takes");
  return NULL;
}

static dl_ndarray *get_output(const dl_frame *frame, dl_place place) {
  dl_type type = place.type;
  if (place.kind == DL_PLACE_TENSOR) return dl_ndarray_retain(dl_place_tensor(frame, place));
  if (place.kind == DL_PLACE_POINTER) {
    dl_pointer pointer = *(dl_pointer *)dl_at(frame, place);
    dl_type element = dl_loop_ptr_element(type);
    int64_t left = pointer.memory ? (int64_t)pointer.memory->size - pointer.offset : 0;
    int64_t count = left / (int64_t)dl_element_bytes(element);
    return copy_memory(frame->function->op, pointer, element, 1, &count);
  }
  bool is_vector = type->kind == DL_TYPE_VECTOR;
  dl_ndarray *array =
      dl_ndarray_create(dl_element_type(type), is_vector ? type->rank : 0, type->shape);
  dl_lanes_store(array->element, dl_at(frame, place), array->data, 1, place.lanes);
  return array;
}

// Output i of a signature; *next is the place of its first dynamic size.
static dl_ndarray *get_signature_output(const dl_frame *frame, dl_type type, size_t i,
                                        size_t *next) {
  const dl_code *body = &frame->function->body;
  int64_t *shape = dl_arena_alloc(frame->interp->arena, type->rank * sizeof(int64_t) + 1);
  for (size_t d = 0; d < type->rank; d++) {
    shape[d] = type->shape[d];
    if (shape[d] != DL_DYNAMIC) continue;
    if (*next == body->num_ends) {
      dl_op_error(frame->function->op, "does not return the sizes that its signature needs");
      return NULL;
    }
    shape[d] = dl_place_int(frame, body->ends[(*next)++]);
  }
  return copy_memory(frame->function->op, *(dl_pointer *)dl_at(frame, body->ends[i]), type->element,
                     type->rank, shape);
}

dl_status dl_get_outputs(const dl_frame *frame, dl_type signature, size_t *count,
                         dl_ndarray ***outputs) {
  const dl_code *body = &frame->function->body;
  size_t total = signature ? signature->num_results : body->num_ends, next = total;
  *outputs = dl_calloc(total, sizeof(**outputs));
  *count = total;
  for (size_t i = 0; i < total; i++) {
    (*outputs)[i] = signature ? get_signature_output(frame, signature->results[i], i, &next)
                              : get_output(frame, body->ends[i]);
    if (!(*outputs)[i]) return DL_FAILED;
  }
  return DL_OK;
}
