#include "dialects/eval/box.h"
#include "dialects/eval/eval.h"
#include "dialects/tensor/compute.h"

dl_expr dl_bind_symbols(dl_expr expr, size_t num_symbols, const int64_t *values) {
  if (!num_symbols) return expr;
  dl_expr *constants = dl_malloc(num_symbols * sizeof(*constants));
  for (size_t i = 0; i < num_symbols; i++) constants[i] = dl_expr_const(expr->ctx, values[i]);
  dl_expr bound = dl_expr_substitute(expr, 0, NULL, num_symbols, constants);
  free(constants);
  return bound;
}

bool dl_eval_sizes(size_t count, const dl_expr *exprs, const int64_t *symbols, int64_t *values) {
  for (size_t i = 0; i < count; i++) {
    if (!dl_expr_eval(exprs[i], NULL, symbols, &values[i])) return false;
  }
  return true;
}

typedef struct builder {
  const dl_op *op;
  dl_compute compute;
  const int64_t *symbols;
  dl_ndarray *const *inputs, *const *captures;
  dl_box box;
  dl_ptr_map registers;  // dl_value -> register + 1
} builder;

static const dl_expr *bind_map(const builder *b, dl_map map) {
  dl_expr *exprs = dl_arena_alloc(b->box.arena, map->num_results * sizeof(dl_expr) + 1);
  for (size_t i = 0; i < map->num_results; i++)
    exprs[i] = dl_bind_symbols(map->results[i], b->compute.num_symbols, b->symbols);
  return exprs;
}

static const int64_t *eval_map(const builder *b, dl_map map) {
  int64_t *values = dl_arena_alloc(b->box.arena, map->num_results * sizeof(int64_t) + 1);
  if (dl_eval_sizes(map->num_results, map->results, b->symbols, values)) return values;
  dl_op_error(b->op, "has sizes that cannot be computed");
  return NULL;
}

static void add_reads(builder *b) {
  const dl_compute *compute = &b->compute;
  dl_box_read *reads = dl_arena_alloc(b->box.arena, compute->num_inputs * sizeof(*reads) + 1);
  for (size_t i = 0; i < compute->num_inputs; i++) {
    dl_attr otherwise = compute->in_else[i];
    dl_type type = dl_compute_scalar_type(b->inputs[i]->element);
    reads[i] = (dl_box_read){.array = b->inputs[i],
                             .indices = bind_map(b, compute->in_maps[i]),
                             .type = type,
                             .has_otherwise = otherwise != NULL};
    if (otherwise) reads[i].otherwise = dl_scalar_of_attr(otherwise, type);
  }
  b->box.num_reads = compute->num_inputs;
  b->box.reads = reads;
}

static void set_register(builder *b, const dl_value *value, dl_register reg) {
  dl_ptr_map_set(&b->registers, value, (void *)((uintptr_t)reg + 1));
}

static size_t position(const dl_value *value, size_t count, dl_value *const *among) {
  size_t i = 0;
  while (i < count && among[i] != value) i++;
  return i;
}

// The register of a value of the body, or of one of the compute's symbols.
static dl_register register_of(builder *b, const dl_value *value) {
  uintptr_t known = (uintptr_t)dl_ptr_map_get(&b->registers, value);
  if (known) return (dl_register)(known - 1);
  size_t symbol = position(value, b->compute.num_symbols, b->compute.symbols);
  if (symbol == b->compute.num_symbols) dl_bug(b->op, "a body uses a value from outside");
  dl_register reg =
      dl_box_constant(&b->box, dl_value_type(value), (dl_scalar_value){.i = b->symbols[symbol]});
  set_register(b, value, reg);
  return reg;
}

static dl_status add_iterator(builder *b, const dl_op *op, dl_register *reg) {
  dl_str name = dl_get_str(op, "name");
  for (size_t i = 0; i < b->compute.num_iterators; i++) {
    if (!dl_str_is(name, b->compute.iterators[i])) continue;
    *reg = dl_box_iterator(&b->box, i);
    return DL_OK;
  }
  return dl_op_error(op, "names no iterator of the compute");
}

static dl_status add_extract(builder *b, const dl_op *op, dl_register *reg) {
  size_t capture = position(dl_operand(op, 0), b->compute.num_captures, b->compute.captures);
  if (capture == b->compute.num_captures)
    return dl_op_error(op, "reads a tensor that is not captured");
  size_t rank = dl_num_operands(op) - 1;
  if (rank != b->captures[capture]->rank) return dl_op_error(op, "has a wrong number of indices");
  dl_register *indices = dl_arena_alloc(b->box.arena, rank * sizeof(*indices) + 1);
  for (size_t i = 0; i < rank; i++) indices[i] = register_of(b, dl_operand(op, i + 1));
  *reg = dl_box_gather(&b->box, b->captures[capture], dl_value_type(dl_result(op, 0)), indices);
  return DL_OK;
}

static dl_status add_op(builder *b, const dl_op *op) {
  dl_register reg = 0, inputs[DL_KERNEL_MAX_INPUTS];
  dl_kernel kernel;
  if (dl_has_trait(op, DL_CONSTANT)) {
    dl_type type = dl_value_type(dl_result(op, 0));
    reg = dl_box_constant(&b->box, type, dl_scalar_of_attr(dl_get_attr(op, "value"), type));
  } else if (!strcmp(dl_op_name(op), "tensor.iterator")) {
    DL_TRY(add_iterator(b, op, &reg));
  } else if (!strcmp(dl_op_name(op), "tensor.extract")) {
    DL_TRY(add_extract(b, op, &reg));
  } else if (dl_kernel_of_op(op, &kernel)) {
    for (size_t i = 0; i < kernel.num_inputs; i++) inputs[i] = register_of(b, dl_operand(op, i));
    reg = dl_box_kernel(&b->box, &kernel, inputs);
  } else {
    return dl_op_error(op, "cannot be evaluated in the body of a compute");
  }
  set_register(b, dl_result(op, 0), reg);
  return DL_OK;
}

static dl_status add_body(builder *b) {
  dl_block *body = dl_compute_body(b->op);
  for (size_t i = 0; i < dl_num_args(body); i++)
    set_register(b, dl_arg(body, i), dl_box_add_read(&b->box, i));
  for (dl_op *op = dl_block_first(body); op != dl_block_last(body); op = dl_op_next(op))
    DL_TRY(add_op(b, op));
  dl_value *yielded = dl_compute_yielded(b->op);
  b->box.result = register_of(b, yielded);
  b->box.type = dl_value_type(yielded);
  return DL_OK;
}

static void add_conditions(builder *b) {
  dl_attr where = b->compute.where;
  if (!where) return;
  b->box.num_conditions = where->map->num_results;
  b->box.conditions = bind_map(b, where->map);
  b->box.is_equality = where->is_equality;
}

static dl_status create_target(builder *b, dl_ndarray **result) {
  dl_type type = b->compute.result;
  const int64_t *shape = type->shape;
  if (b->compute.shape) {
    shape = eval_map(b, b->compute.shape);
    if (!shape) return DL_FAILED;
  }
  *result = dl_ndarray_create(type->element, type->rank, shape);
  return *result ? DL_OK : dl_op_error(b->op, "has a result that does not fit in memory");
}

static dl_status build_and_run(builder *b, dl_ndarray **result) {
  const dl_compute *compute = &b->compute;
  b->box.extents = eval_map(b, compute->sizes);
  if (!b->box.extents) return DL_FAILED;
  b->box.num_iterators = compute->num_iterators;
  b->box.num_parallel = compute->num_parallel;
  add_reads(b);
  DL_TRY(add_body(b));
  add_conditions(b);
  b->box.combiner = compute->combiner;
  if (compute->init) b->box.init = dl_scalar_of_attr(compute->init, b->box.type);
  b->box.out = bind_map(b, compute->out_map);
  DL_TRY(create_target(b, result));
  b->box.target = *result;
  if (dl_box_run(&b->box) == DL_OK) return DL_OK;
  dl_ndarray_release(*result);
  *result = NULL;
  return DL_FAILED;
}

dl_status dl_eval_compute(const dl_op *op, dl_ndarray *const *inputs, dl_ndarray *const *captures,
                          const int64_t *symbols, dl_ndarray **result,
                          const dl_eval_options *options) {
  dl_arena *arena = dl_arena_create();
  builder b = {.op = op,
               .compute = dl_compute_read(op, arena),
               .symbols = symbols,
               .inputs = inputs,
               .captures = captures,
               .box = {.loc = dl_op_loc(op),
                       .arena = arena,
                       .noise = options->noise,
                       .engine = options->engine,
                       .work = options->work}};
  dl_status status = build_and_run(&b, result);
  dl_box_free(&b.box);
  dl_ptr_map_free(&b.registers);
  dl_arena_destroy(arena);
  return status;
}
