// The ops of the tensor level, and those of any level that their specs define.
#include "dialects/eval/eval.h"
#include "dialects/eval/interp_internal.h"
#include "dialects/tensor/compute.h"

static dl_ndarray **tensors_at(const dl_frame *frame, size_t count, const dl_place *places) {
  dl_ndarray **arrays = dl_calloc(count, sizeof(*arrays));
  for (size_t i = 0; i < count; i++) {
    if (places[i].kind == DL_PLACE_TENSOR) arrays[i] = dl_place_tensor(frame, places[i]);
  }
  return arrays;
}

// --- compute, group, ops with specs ---

static dl_status run_compute(dl_frame *frame, const dl_instr *instr) {
  size_t num_inputs = dl_compute_num_inputs(instr->op);
  size_t num_tensors = num_inputs + dl_compute_num_captures(instr->op);
  size_t num_symbols = instr->num_operands - num_tensors;
  dl_ndarray **tensors = tensors_at(frame, num_tensors, instr->operands), *result = NULL;
  int64_t *symbols = dl_calloc(num_symbols, sizeof(*symbols));
  for (size_t i = 0; i < num_symbols; i++)
    symbols[i] = dl_place_int(frame, instr->operands[num_tensors + i]);
  dl_status status = dl_eval_compute(instr->op, tensors, tensors + num_inputs, symbols, &result,
                                     &frame->interp->eval);
  if (status == DL_OK) dl_place_set_tensor(frame, instr->results[0], result);
  free(tensors);
  free(symbols);
  return status;
}

static dl_status prepare_compute(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c, (void)op;
  instr->run = run_compute;
  return DL_OK;
}

static dl_status run_group(dl_frame *frame, const dl_instr *instr) {
  const dl_code *body = &instr->regions[0];
  for (size_t i = 0; i < instr->num_operands; i++)
    dl_place_copy(frame, body->args[i], frame, instr->operands[i]);
  DL_TRY(dl_run_code(frame, body));
  for (size_t i = 0; i < instr->num_results; i++)
    dl_place_copy(frame, instr->results[i], frame, body->ends[i]);
  return DL_OK;
}

static dl_status prepare_group(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c;
  instr->run = run_group;
  bool fits = instr->regions[0].num_args == instr->num_operands &&
              instr->regions[0].num_ends == instr->num_results;
  return fits ? DL_OK : dl_op_error(op, "has another number of arguments or results than its body");
}

static dl_status check_result(const dl_op *op, size_t i, const dl_ndarray *array) {
  if (dl_ndarray_fits(array, dl_value_type(dl_result(op, i)))) return DL_OK;
  return dl_op_error(op, "computes a result #%zu that does not have its type", i);
}

static dl_status run_spec(dl_frame *frame, const dl_instr *instr) {
  dl_ndarray **operands = tensors_at(frame, instr->num_operands, instr->operands);
  dl_ndarray **results = dl_calloc(instr->num_results, sizeof(*results));
  dl_status status = dl_eval_spec(instr->op, operands, results, &frame->interp->eval);
  for (size_t i = 0; i < instr->num_results && status == DL_OK; i++)
    status = check_result(instr->op, i, results[i]);
  for (size_t i = 0; i < instr->num_results; i++) {
    if (status == DL_OK) {
      dl_place_set_tensor(frame, instr->results[i], results[i]);
    } else {
      dl_ndarray_release(results[i]);
    }
  }
  free(operands);
  free(results);
  return status;
}

dl_status dl_prepare_spec(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c;
  if (!dl_op_def_of(op)->compute) return dl_op_error(op, "cannot be interpreted");
  instr->run = run_spec;
  return DL_OK;
}

// --- the same elements ---

static dl_status run_same(dl_frame *frame, const dl_instr *instr) {
  dl_ndarray *array = dl_place_tensor(frame, instr->operands[0]);
  DL_TRY(check_result(instr->op, 0, array));
  dl_place_set_tensor(frame, instr->results[0], dl_ndarray_retain(array));
  return DL_OK;
}

static dl_status prepare_same(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c, (void)op;
  instr->run = run_same;
  return DL_OK;
}

static dl_status run_reinterpret(dl_frame *frame, const dl_instr *instr) {
  dl_type type = instr->results[0].type;
  int64_t *shape = dl_calloc(type->rank, sizeof(*shape));
  size_t next = 1;
  for (size_t i = 0; i < type->rank; i++) {
    bool dynamic = type->shape[i] == DL_DYNAMIC;
    shape[i] = dynamic ? dl_place_int(frame, instr->operands[next++]) : type->shape[i];
  }
  dl_ndarray *view =
      dl_ndarray_reshape(dl_place_tensor(frame, instr->operands[0]), type->rank, shape);
  free(shape);
  if (!view) return dl_op_error(instr->op, "changes the number of elements");
  dl_place_set_tensor(frame, instr->results[0], view);
  return DL_OK;
}

static dl_status prepare_reinterpret(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c, (void)op;
  instr->run = run_reinterpret;
  return DL_OK;
}

// --- scalars from and to tensors ---

static dl_status run_dim(dl_frame *frame, const dl_instr *instr) {
  const dl_ndarray *array = dl_place_tensor(frame, instr->operands[0]);
  int64_t dim = dl_place_int(frame, instr->operands[1]);
  if (dim < 0 || (size_t)dim >= array->rank)
    return dl_op_error(instr->op, "asks for dimension %lld of %zu", (long long)dim, array->rank);
  *(int64_t *)dl_at(frame, instr->results[0]) = array->shape[dim];
  return DL_OK;
}

static dl_status prepare_dim(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c, (void)op;
  instr->run = run_dim;
  return DL_OK;
}

static dl_status run_extract(dl_frame *frame, const dl_instr *instr) {
  const dl_ndarray *array = dl_place_tensor(frame, instr->operands[0]);
  int64_t element = 0;
  for (size_t i = 0; i < array->rank; i++) {
    int64_t index = dl_place_int(frame, instr->operands[i + 1]);
    if (index < 0 || index >= array->shape[i])
      return dl_op_error(instr->op, "index %zu is %lld, outside of [0, %lld)", i, (long long)index,
                         (long long)array->shape[i]);
    element = element * array->shape[i] + index;
  }
  dl_lanes_load(instr->results[0].type, dl_at(frame, instr->results[0]),
                array->data + element * (int64_t)dl_element_bytes(array->element), 1, 1);
  return DL_OK;
}

static dl_status prepare_extract(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c, (void)op;
  instr->run = run_extract;
  return DL_OK;
}

static dl_status run_from_elements(dl_frame *frame, const dl_instr *instr) {
  dl_type type = instr->results[0].type;
  dl_ndarray *array = dl_ndarray_create(type->element, type->rank, type->shape);
  if (!array || (size_t)array->count != instr->num_operands) {
    dl_ndarray_release(array);
    return dl_op_error(instr->op, "has another number of elements than its type");
  }
  for (size_t i = 0; i < instr->num_operands; i++)
    dl_lanes_store(type->element, dl_at(frame, instr->operands[i]),
                   array->data + i * dl_element_bytes(type->element), 1, 1);
  dl_place_set_tensor(frame, instr->results[0], array);
  return DL_OK;
}

static dl_status prepare_from_elements(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c, (void)op;
  instr->run = run_from_elements;
  return DL_OK;
}

static dl_status run_weight(dl_frame *frame, const dl_instr *instr) {
  dl_interp *interp = frame->interp;
  uint64_t index = (uint64_t)dl_get_i64(instr->op, "index", 0);
  if (index >= interp->num_weights)
    return dl_op_error(instr->op, "asks for a weight that @init does not make");
  DL_TRY(check_result(instr->op, 0, interp->weights[index]));
  dl_place_set_tensor(frame, instr->results[0], dl_ndarray_retain(interp->weights[index]));
  return DL_OK;
}

static dl_status prepare_weight(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c, (void)op;
  instr->run = run_weight;
  return DL_OK;
}

const dl_instr_def dl_tensor_instrs[] = {
    {"tensor.compute", prepare_compute},
    {"tensor.group", prepare_group},
    {"tensor.cast", prepare_same},
    {"tensor.reinterpret", prepare_reinterpret},
    {"tensor.dim", prepare_dim},
    {"tensor.extract", prepare_extract},
    {"tensor.from_elements", prepare_from_elements},
    {"tensor.weight", prepare_weight},
    {"graph.group", prepare_group},
    {"graph.relayout", prepare_same},
    {NULL, NULL},
};
