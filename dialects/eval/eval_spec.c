// Evaluates bound specs directly, without the lowering to tensor.compute, so that one can be
// checked against the other.
#include "dialects/eval/box.h"
#include "dialects/eval/eval.h"
#include "ir/spec.h"

typedef struct evaluation {
  const dl_bound_spec *bound;
  dl_loc loc;
  dl_ndarray *
      *tensors;  // by number in the bound spec; NULL: not computed yet, or an absent operand
  int64_t *symbols;
  size_t num_known;  // symbols
  dl_arena *arena;
  dl_eval_options options;
} evaluation;

static const dl_expr *bind_exprs(const evaluation *e, size_t count, const dl_expr *exprs) {
  dl_expr *bound = dl_arena_alloc(e->arena, count * sizeof(dl_expr) + 1);
  for (size_t i = 0; i < count; i++) bound[i] = dl_bind_symbols(exprs[i], e->num_known, e->symbols);
  return bound;
}

// --- scalar trees ---

static dl_status add_scalar(const evaluation *e, dl_box *box, const dl_scalar *scalar,
                            dl_register *reg);

static dl_status add_args(const evaluation *e, dl_box *box, const dl_scalar *scalar,
                          dl_register *regs) {
  for (size_t i = 0; i < scalar->num_args; i++)
    DL_TRY(add_scalar(e, box, scalar->args[i], &regs[i]));
  return DL_OK;
}

static dl_status add_gather(const evaluation *e, dl_box *box, const dl_scalar *scalar,
                            dl_register *reg) {
  const dl_ndarray *array = e->tensors[scalar->tensor];
  if (!array || array->rank != scalar->num_args)
    return dl_error(e->loc, "the spec reads a tensor that is absent or has another rank");
  dl_register *indices = dl_arena_alloc(e->arena, scalar->num_args * sizeof(*indices) + 1);
  DL_TRY(add_args(e, box, scalar, indices));
  *reg = dl_box_gather(box, array, scalar->type, indices);
  return DL_OK;
}

static dl_status add_operation(const evaluation *e, dl_box *box, const dl_scalar *scalar,
                               dl_register *reg) {
  dl_register inputs[DL_KERNEL_MAX_INPUTS];
  dl_kernel kernel;
  bool known = scalar->num_args && scalar->num_args <= DL_KERNEL_MAX_INPUTS &&
               dl_kernel_of_scalar(scalar->op, scalar->args[scalar->num_args - 1]->type,
                                   scalar->type, &kernel);
  if (!known)
    return dl_error(e->loc, "'%s' cannot be evaluated on this element type",
                    dl_scalar_op_name(scalar->op));
  DL_TRY(add_args(e, box, scalar, inputs));
  *reg = dl_box_kernel(box, &kernel, inputs);
  return DL_OK;
}

static dl_status add_scalar(const evaluation *e, dl_box *box, const dl_scalar *scalar,
                            dl_register *reg) {
  if (!dl_lane_of(scalar->type))
    return dl_error(e->loc, "has an element type that cannot be evaluated");
  switch (scalar->op) {
    case DL_SCALAR_CONST:
      *reg = dl_box_constant(box, scalar->type, dl_scalar_of_attr(scalar->constant, scalar->type));
      return DL_OK;
    case DL_SCALAR_READ:
      *reg = dl_box_add_read(box, scalar->read);
      return DL_OK;
    case DL_SCALAR_INDEX:
      *reg = dl_box_expr(box, dl_bind_symbols(scalar->index, e->num_known, e->symbols));
      return DL_OK;
    case DL_SCALAR_GATHER:
      return add_gather(e, box, scalar, reg);
    default:
      return add_operation(e, box, scalar, reg);
  }
}

static dl_status add_reads(const evaluation *e, dl_box *box, size_t count,
                           const dl_bound_read *from) {
  dl_box_read *reads = dl_arena_alloc(e->arena, count * sizeof(*reads) + 1);
  for (size_t i = 0; i < count; i++) {
    const dl_ndarray *array = e->tensors[from[i].tensor];
    if (!array) return dl_error(e->loc, "the spec reads a tensor that is absent");
    reads[i] = (dl_box_read){.array = array,
                             .indices = bind_exprs(e, array->rank, from[i].indices),
                             .type = array->element,
                             .has_otherwise = from[i].otherwise != NULL};
    if (from[i].otherwise)
      reads[i].otherwise = dl_scalar_of_attr(from[i].otherwise, array->element);
  }
  box->num_reads = count;
  box->reads = reads;
  return DL_OK;
}

// Evaluates `body` at every point into box->target.
static dl_status run_box(const evaluation *e, dl_box *box, size_t num_reads,
                         const dl_bound_read *reads, const dl_scalar *body) {
  box->loc = e->loc;
  box->arena = e->arena;
  box->noise = e->options.noise;
  box->engine = e->options.engine;
  box->work = e->options.work;
  box->type = body->type;
  dl_status status = add_reads(e, box, num_reads, reads);
  if (status == DL_OK) status = add_scalar(e, box, body, &box->result);
  if (status == DL_OK) status = dl_box_run(box);
  dl_box_free(box);
  return status;
}

// --- symbols ---

static dl_status eval_computed(const evaluation *e, const dl_scalar *value, int64_t *result) {
  dl_ndarray *target = dl_ndarray_create(value->type, 0, NULL);
  dl_box box = {.target = target};
  dl_status status = run_box(e, &box, e->bound->num_reads, e->bound->reads, value);
  if (status == DL_OK) *result = dl_ndarray_i64(target, 0);
  dl_ndarray_release(target);
  return status;
}

static dl_status eval_symbol(const evaluation *e, const dl_bound_symbol *symbol, int64_t *value) {
  if (symbol->kind == DL_SYMBOL_COMPUTED) return eval_computed(e, symbol->value, value);
  const dl_ndarray *array = e->tensors[symbol->operand];
  size_t limit = !array ? 0 : symbol->kind == DL_SYMBOL_DIM ? array->rank : (size_t)array->count;
  if (symbol->index >= limit)
    return dl_error(e->loc, "operand %zu is too small for the spec", symbol->operand);
  *value = symbol->kind == DL_SYMBOL_DIM ? array->shape[symbol->index]
                                         : dl_ndarray_i64(array, (int64_t)symbol->index);
  return DL_OK;
}

static dl_status eval_symbols(evaluation *e) {
  e->symbols = dl_arena_alloc(e->arena, e->bound->num_symbols * sizeof(int64_t) + 1);
  for (; e->num_known < e->bound->num_symbols; e->num_known++)
    DL_TRY(eval_symbol(e, &e->bound->symbols[e->num_known], &e->symbols[e->num_known]));
  return DL_OK;
}

// --- statements ---

static dl_status create_target(evaluation *e, size_t number) {
  const dl_bound_tensor *tensor = &e->bound->tensors[number];
  int64_t *shape = dl_arena_alloc(e->arena, tensor->rank * sizeof(int64_t) + 1);
  if (!dl_eval_sizes(tensor->rank, tensor->sizes, e->symbols, shape))
    return dl_error(e->loc, "the sizes of '%s' cannot be computed", tensor->name);
  e->tensors[number] = dl_ndarray_create(tensor->element, tensor->rank, shape);
  if (e->tensors[number]) return DL_OK;
  return dl_error(e->loc, "'%s' has negative sizes or does not fit in memory", tensor->name);
}

static dl_status run_compute(evaluation *e, const dl_bound_statement *statement) {
  int64_t *extents = dl_arena_alloc(e->arena, statement->num_iterators * sizeof(int64_t) + 1);
  for (size_t i = 0; i < statement->num_iterators; i++) {
    if (!dl_eval_sizes(1, &statement->iterators[i].extent, e->symbols, &extents[i]))
      return dl_error(e->loc, "the extent of '%s' cannot be computed",
                      statement->iterators[i].name);
  }
  DL_TRY(create_target(e, statement->target));
  dl_ndarray *target = e->tensors[statement->target];
  dl_box box = {.num_iterators = statement->num_iterators,
                .num_parallel = statement->num_parallel,
                .extents = extents,
                .combiner = statement->combiner,
                .target = target,
                .out = bind_exprs(e, target->rank, statement->out)};
  if (statement->init) box.init = dl_scalar_of_attr(statement->init, statement->body->type);
  return run_box(e, &box, statement->num_reads, statement->reads, statement->body);
}

static dl_status run_reshape(evaluation *e, const dl_bound_statement *statement) {
  const dl_bound_tensor *tensor = &e->bound->tensors[statement->target];
  dl_ndarray *source = e->tensors[statement->source];
  int64_t *shape = dl_arena_alloc(e->arena, tensor->rank * sizeof(int64_t) + 1);
  if (!source || !dl_eval_sizes(tensor->rank, tensor->sizes, e->symbols, shape))
    return dl_error(e->loc, "the sizes of '%s' cannot be computed", tensor->name);
  e->tensors[statement->target] = dl_ndarray_reshape(source, tensor->rank, shape);
  if (e->tensors[statement->target]) return DL_OK;
  return dl_error(e->loc, "'%s' has another number of elements than what it reshapes",
                  tensor->name);
}

// Element i: a box without iterators that writes to index i.
static dl_status run_elements(evaluation *e, const dl_bound_statement *statement) {
  DL_TRY(create_target(e, statement->target));
  for (size_t i = 0; i < statement->num_elements; i++) {
    const dl_expr index = dl_expr_const(e->loc->ctx, (int64_t)i);
    dl_box box = {.target = e->tensors[statement->target], .out = &index};
    DL_TRY(run_box(e, &box, statement->num_reads, statement->reads, statement->elements[i]));
  }
  return DL_OK;
}

static dl_status run_statement(evaluation *e, const dl_bound_statement *statement) {
  switch (statement->kind) {
    case DL_STATEMENT_COMPUTE:
      return run_compute(e, statement);
    case DL_STATEMENT_RESHAPE:
      return run_reshape(e, statement);
    default:
      return run_elements(e, statement);
  }
}

static dl_status evaluate(evaluation *e, dl_ndarray *const *operands) {
  for (size_t i = 0; i < e->bound->num_tensors; i++) {
    const dl_bound_tensor *tensor = &e->bound->tensors[i];
    if (tensor->kind == DL_BOUND_OPERAND && operands[tensor->number])
      e->tensors[i] = dl_ndarray_retain(operands[tensor->number]);
  }
  DL_TRY(eval_symbols(e));
  for (size_t i = 0; i < e->bound->num_statements; i++)
    DL_TRY(run_statement(e, &e->bound->statements[i]));
  return DL_OK;
}

static void take_results(const evaluation *e, dl_ndarray **results) {
  for (size_t i = 0; i < e->bound->num_tensors; i++) {
    const dl_bound_tensor *tensor = &e->bound->tensors[i];
    if (tensor->kind == DL_BOUND_RESULT) results[tensor->number] = dl_ndarray_retain(e->tensors[i]);
  }
}

dl_status dl_eval_spec(const dl_op *op, dl_ndarray *const *operands, dl_ndarray **results,
                       const dl_eval_options *options) {
  dl_bound_spec *bound = dl_spec_bind(op);
  if (!bound) return DL_FAILED;
  evaluation e = {
      .bound = bound, .loc = dl_op_loc(op), .arena = dl_arena_create(), .options = *options};
  e.tensors = dl_arena_alloc(e.arena, bound->num_tensors * sizeof(dl_ndarray *) + 1);
  dl_status status = evaluate(&e, operands);
  if (status == DL_OK) take_results(&e, results);
  for (size_t i = 0; i < bound->num_tensors; i++) dl_ndarray_release(e.tensors[i]);
  dl_arena_destroy(e.arena);
  dl_bound_destroy(bound);
  return status;
}
