// One point of a compute: its reads, its body, its domain.
#include "dialects/arith/arith_ops.h"
#include "dialects/tensor/tensor_ops.h"
#include "passes/convert/tensor_to_loop_internal.h"

static dl_expr substitute(const dl_stage *s, dl_expr expr, const dl_expr *iterators) {
  return dl_expr_substitute(expr, s->c.num_iterators, iterators, s->c.num_symbols, s->symbols);
}

static dl_expr *substitute_map(dl_kernel *k, const dl_stage *s, dl_map map,
                               const dl_expr *iterators) {
  dl_expr *out = dl_arena_alloc(k->arena, (map->num_results + 1) * sizeof(dl_expr));
  for (size_t i = 0; i < map->num_results; i++) out[i] = substitute(s, map->results[i], iterators);
  return out;
}

dl_expr dl_border_index(const dl_stage *s, const dl_border *border, const dl_expr *iterators) {
  return substitute(s, s->c.in_maps[border->input]->results[border->dim], iterators);
}

// Where an element is in the buffer, which may hold a part of the tensor only.
static dl_expr offset_in(dl_kernel *k, const dl_tensor_ref *ref, const dl_expr *indices) {
  if (!ref->first) return dl_linear_offset(k->e.ctx, ref->rank, ref->sizes, indices);
  dl_expr *local = dl_arena_alloc(k->arena, (ref->rank + 1) * sizeof(dl_expr));
  for (size_t d = 0; d < ref->rank; d++) local[d] = dl_expr_sub(indices[d], ref->first[d]);
  return dl_linear_offset(k->e.ctx, ref->rank, ref->held, local);
}

dl_expr dl_point_offset(dl_kernel *k, const dl_stage *s, const dl_expr *iterators) {
  dl_expr *indices = substitute_map(k, s, s->c.out_map, iterators);
  return offset_in(k, s->result, indices);
}

bool dl_projection(dl_map map, size_t num_iterators, const dl_expr *extents, size_t *positions) {
  for (size_t i = 0; i < num_iterators; i++) positions[i] = SIZE_MAX;
  for (size_t r = 0; r < map->num_results; r++) {
    dl_expr expr = map->results[r];
    if (expr->kind == DL_EXPR_CONST && expr->value == 0) continue;
    if (expr->kind != DL_EXPR_DIM || positions[expr->value] != SIZE_MAX) return false;
    positions[expr->value] = r;
  }
  for (size_t i = 0; i < num_iterators; i++) {
    bool single = extents[i]->kind == DL_EXPR_CONST && extents[i]->value == 1;
    if (positions[i] == SIZE_MAX && !single) return false;
  }
  return true;
}

// Iterators from the indices that a projection gives.
static void invert(dl_kernel *k, dl_map projection, size_t count, const dl_expr *extents,
                   const dl_expr *indices, dl_expr *iterators) {
  size_t *positions = dl_arena_alloc(k->arena, (count + 1) * sizeof(size_t));
  if (!dl_projection(projection, count, extents, positions)) dl_bug(NULL, "no projection");
  for (size_t i = 0; i < count; i++) {
    bool known = positions[i] != SIZE_MAX;
    iterators[i] = known ? indices[positions[i]] : dl_expr_const(k->e.ctx, 0);
  }
}

dl_expr *dl_input_indices(dl_kernel *k, const dl_stage *s, size_t i, const dl_expr *iterators) {
  return substitute_map(k, s, s->c.in_maps[i], iterators);
}

static size_t input_of(const dl_stage *reader, const dl_stage *stage) {
  for (size_t i = 0; i < reader->c.num_inputs; i++) {
    if (reader->c.inputs[i] == dl_result(stage->op, 0)) return i;
  }
  dl_bug(reader->op, "does not read @%s", stage->c.label);
}

void dl_reader_iterators(dl_kernel *k, const dl_stage *s, const dl_expr *iterators, dl_expr *out) {
  const dl_stage *reader = s->reader;
  dl_expr *indices = substitute_map(k, s, s->c.out_map, iterators);
  invert(k, reader->c.in_maps[input_of(reader, s)], reader->c.num_iterators, reader->extents,
         indices, out);
}

// --- reads ---

static bool constant_indices(size_t rank, const dl_expr *indices) {
  for (size_t i = 0; i < rank; i++) {
    if (indices[i]->kind != DL_EXPR_CONST) return false;
  }
  return true;
}

// The element of a dense constant at a constant offset, or NULL.
static dl_attr constant_element(dl_attr dense, dl_expr offset) {
  dl_type element = dense->type->element;
  double number;
  int64_t integer;
  if (offset->kind != DL_EXPR_CONST) return NULL;
  if (dl_is_float(element) && dl_dense_f64(dense, (size_t)offset->value, &number)) {
    return dl_float_attr(element, number);
  }
  if (!dl_is_float(element) && dl_dense_i64(dense, (size_t)offset->value, &integer)) {
    return dl_int_attr(element, integer);
  }
  return NULL;
}

static dl_value *constant_pointer(dl_kernel *k, dl_tensor_ref *ref) {
  if (ref->pointer) return ref->pointer;
  dl_block *entry = dl_region_first(dl_op_region(k->func, 0));
  dl_builder start = dl_builder_at_start(entry, k->e.b.loc);
  return ref->pointer = dl_build_loop_constant(&start, ref->constant);
}

static dl_value *read_ref(dl_kernel *k, dl_tensor_ref *ref, const dl_expr *indices) {
  dl_loop_emitter *e = &k->e;
  if (ref->stage && ref->stage == k->active) return k->accumulator;
  dl_expr offset = offset_in(k, ref, indices);
  if (ref->constant) {
    dl_attr element = NULL;
    bool uniform = ref->constant->kind == DL_ATTR_DENSE && ref->constant->splat;
    if (uniform) element = constant_element(ref->constant, dl_expr_const(e->ctx, 0));
    if (!element && constant_indices(ref->rank, indices)) {
      element = constant_element(ref->constant, offset);
    }
    if (element) return dl_emit_constant(e, element, false);
    return dl_emit_load(e, constant_pointer(k, ref), offset);
  }
  return dl_emit_load(e, ref->pointer, offset);
}

// The condition under which input i is in range.
static dl_condition input_condition(dl_kernel *k, const dl_stage *s, size_t input,
                                    const dl_tensor_ref *ref, const dl_expr *indices) {
  dl_expr_list nonnegative = {0};
  for (size_t b = 0; b < s->borders.len; b++) {
    const dl_border *border = &s->borders.data[b];
    if (border->input != input || border->satisfied) continue;
    dl_expr index = indices[border->dim];
    DL_PUSH(&nonnegative, index);
    DL_PUSH(&nonnegative, dl_expr_add_const(dl_expr_sub(ref->sizes[border->dim], index), -1));
  }
  dl_condition condition = dl_emit_condition(&k->e, nonnegative.len, nonnegative.data);
  DL_VEC_FREE(&nonnegative);
  return condition;
}

// Reads input i; NULL when the point then contributes nothing.
dl_value *dl_read_input(dl_kernel *k, dl_stage *s, size_t i, const dl_expr *iterators) {
  dl_tensor_ref *ref = dl_kernel_ref(k, s->c.inputs[i]);
  dl_expr *indices = dl_input_indices(k, s, i, iterators);
  if (!s->c.in_else[i]) return read_ref(k, ref, indices);
  dl_condition condition = input_condition(k, s, i, ref, indices);
  if (condition.truth == DL_TRUTH_ALWAYS) return read_ref(k, ref, indices);
  if (condition.truth == DL_TRUTH_NEVER) {
    return s->vanishes[i] ? NULL : dl_emit_constant(&k->e, s->c.in_else[i], false);
  }
  dl_guard guard = dl_guard_begin(&k->e, condition);
  dl_value *value = read_ref(k, ref, indices);
  return dl_guard_end(&k->e, &guard, value, s->c.in_else[i]);
}

// --- the body ---

static bool adds(const dl_op *op) { return dl_is(op, arith_addf) || dl_is(op, arith_addi); }

const dl_op *dl_find_addition(const dl_stage *s, size_t addend) {
  const dl_stage *reader = s->reader;
  if (!reader || s->c.combiner != DL_COMBINE_SUM || addend >= reader->c.num_inputs) return NULL;
  dl_block *body = dl_compute_body(reader->op);
  dl_value *sum = dl_arg(body, input_of(reader, s)), *added = dl_arg(body, addend);
  if (!dl_has_one_use(added)) return NULL;
  while (dl_has_one_use(sum)) {
    const dl_op *op = dl_use_owner(dl_first_use(sum));
    if (sum == added || !adds(op)) return NULL;
    if (dl_operand(op, 0) == added || dl_operand(op, 1) == added) return op;
    sum = dl_result(op, 0);
  }
  return NULL;
}

// The other operand of the addition that is left out.
static dl_value *without_addend(const dl_kernel *k, const dl_stage *s, const dl_op *op) {
  bool first = dl_operand(op, 0) == dl_arg(dl_compute_body(s->op), k->addend);
  return dl_operand(op, first);
}

static dl_value *emit_iterator(dl_kernel *k, const dl_stage *s, const dl_op *op,
                               const dl_expr *iterators) {
  dl_str name = dl_get_str(op, "name");
  for (size_t i = 0; i < s->c.num_iterators; i++) {
    if (dl_str_is(name, s->c.iterators[i])) {
      return dl_emit_index(&k->e, dl_emit_simplify(&k->e, iterators[i]));
    }
  }
  dl_bug(op, "no iterator of this name");
}

// tensor.extract: row-major offset from computed indices.
static dl_value *emit_extract(dl_kernel *k, const dl_op *op, dl_value *const *operands) {
  dl_loop_emitter *e = &k->e;
  dl_tensor_ref *ref = dl_kernel_ref(k, dl_operand(op, 0));
  dl_value *pointer = ref->constant ? constant_pointer(k, ref) : ref->pointer;
  dl_value *offset = dl_emit_constant(e, dl_index_attr(e->ctx, 0), false);
  for (size_t i = 0; i < ref->rank; i++) {
    if (i) offset = dl_emit_binary(e, &arith_muli, offset, dl_emit_index(e, ref->sizes[i]));
    offset = dl_emit_binary(e, &arith_addi, offset, operands[1 + i]);
  }
  return dl_emit_load_at(e, pointer, offset);
}

static dl_value *scalar_in_scope(dl_kernel *k, dl_ptr_map *values, dl_value *value) {
  dl_value *known = dl_ptr_map_get(values, value);
  return known ? known : dl_ptr_map_get(&k->scalars, value);
}

static dl_value *emit_body_op(dl_kernel *k, dl_stage *s, const dl_op *op, const dl_expr *iterators,
                              dl_ptr_map *values) {
  if (dl_is(op, arith_constant)) {
    return dl_emit_constant(&k->e, dl_get_attr(op, "value"), false);
  }
  if (dl_is(op, tensor_iterator)) return emit_iterator(k, s, op, iterators);
  if (op == k->added) return scalar_in_scope(k, values, without_addend(k, s, op));
  DL_VEC(dl_value *) operands = {0};
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    DL_PUSH(&operands, scalar_in_scope(k, values, dl_operand(op, i)));
  }
  dl_value *result = dl_is(op, tensor_extract)
                         ? emit_extract(k, op, operands.data)
                         : dl_emit_elementwise(&k->e, op, operands.len, operands.data);
  DL_VEC_FREE(&operands);
  return result;
}

static dl_value *emit_body(dl_kernel *k, dl_stage *s, const dl_expr *iterators) {
  dl_block *body = dl_compute_body(s->op);
  dl_value *yielded = dl_compute_yielded(s->op);
  dl_ptr_map values = {0};
  dl_value *result = NULL;
  for (size_t i = 0; i < s->c.num_inputs; i++) {
    bool done = k->added && dl_op_block(k->added) == body && i == k->addend;
    if (done || !dl_has_uses(dl_arg(body, i))) continue;
    dl_value *value = dl_read_input(k, s, i, iterators);
    if (!value) goto done;
    dl_ptr_map_set(&values, dl_arg(body, i), value);
  }
  DL_FOR_OPS(op, body) {
    if (dl_num_results(op) != 1) continue;
    dl_ptr_map_set(&values, dl_result(op, 0), emit_body_op(k, s, op, iterators, &values));
  }
  result = scalar_in_scope(k, &values, yielded);
done:
  dl_ptr_map_free(&values);
  return result;
}

// --- the domain ---

// The domain's constraints at the iterators, as expressions that must not be negative;
// `parallel_only` leaves out those that mention reduce iterators.
static void add_domain(const dl_stage *s, const dl_expr *iterators, bool parallel_only,
                       dl_expr_list *out) {
  if (!s->c.where) return;
  dl_map set = s->c.where->map;
  for (size_t i = 0; i < set->num_results; i++) {
    bool reduces = false;
    for (size_t d = s->c.num_parallel; d < s->c.num_iterators; d++) {
      reduces |= dl_expr_uses_dim(set->results[i], (unsigned)d);
    }
    if (parallel_only && reduces) continue;
    dl_expr expr = substitute(s, set->results[i], iterators);
    DL_PUSH(out, expr);
    if (s->c.where->is_equality[i]) DL_PUSH(out, dl_expr_mul_const(expr, -1));
  }
}

static dl_condition domain_condition(dl_kernel *k, const dl_stage *s, const dl_expr *iterators,
                                     bool parallel_only) {
  dl_expr_list constraints = {0};
  add_domain(s, iterators, parallel_only, &constraints);
  dl_condition condition = dl_emit_condition(&k->e, constraints.len, constraints.data);
  DL_VEC_FREE(&constraints);
  return condition;
}

static dl_attr zero_of(const dl_stage *s) {
  return dl_combiner_identity(DL_COMBINE_SUM, dl_storage_type(s->c.result->element));
}

dl_attr dl_stage_identity(const dl_stage *s) {
  dl_type element = s->c.result->element;
  dl_attr identity = dl_combiner_identity(s->c.combiner, element);
  if (dl_storage_type(element) == element) return identity;
  return dl_int_attr(dl_storage_type(element), identity->integer);
}

dl_value *dl_point_value(dl_kernel *k, dl_stage *s, const dl_expr *iterators) {
  bool reduces = s->c.combiner != DL_COMBINE_NONE;
  dl_attr otherwise = reduces ? dl_stage_identity(s) : zero_of(s);
  dl_condition condition = domain_condition(k, s, iterators, false);
  if (condition.truth == DL_TRUTH_NEVER) {
    return reduces ? NULL : dl_emit_constant(&k->e, otherwise, false);
  }
  if (condition.truth == DL_TRUTH_ALWAYS) return emit_body(k, s, iterators);
  dl_guard guard = dl_guard_begin(&k->e, condition);
  dl_value *value = emit_body(k, s, iterators);
  if (!value) value = dl_emit_constant(&k->e, otherwise, false);
  return dl_guard_end(&k->e, &guard, value, otherwise);
}

dl_value *dl_point_result(dl_kernel *k, dl_stage *s, const dl_expr *iterators,
                          dl_value *accumulator) {
  dl_condition condition = domain_condition(k, s, iterators, true);
  if (condition.truth == DL_TRUTH_ALWAYS) return accumulator;
  dl_value *zero = dl_emit_constant(&k->e, zero_of(s), false);
  if (condition.truth == DL_TRUTH_NEVER) return zero;
  dl_guard guard = dl_guard_begin(&k->e, condition);
  return dl_guard_end(&k->e, &guard, accumulator, zero_of(s));
}
