#include "dialects/arith/arith_ops.h"
#include "dialects/loop/loop_ops.h"
#include "passes/convert/emitter_internal.h"

// Numbers of arith.cmpi's predicates, as in MLIR.
enum { CMPI_SLT = 2, CMPI_SGE = 5 };

void dl_loop_emitter_init(dl_loop_emitter *e, dl_context *ctx, dl_arena *arena) {
  *e = (dl_loop_emitter){.ctx = ctx, .arena = arena, .lanes = 1};
  DL_PUSH(&e->dims, NULL);
  DL_PUSH(&e->ranges, (dl_range){0, 0});
  DL_PUSH(&e->meanings, NULL);
}

void dl_loop_emitter_free(dl_loop_emitter *e) {
  DL_VEC_FREE(&e->dims);
  DL_VEC_FREE(&e->ranges);
  DL_VEC_FREE(&e->meanings);
  DL_VEC_FREE(&e->emitted);
}

dl_expr dl_emit_dim(dl_loop_emitter *e, dl_value *index, dl_range range) {
  DL_PUSH(&e->dims, index);
  DL_PUSH(&e->ranges, range);
  DL_PUSH(&e->meanings, NULL);
  return dl_expr_dim(e->ctx, (unsigned)e->dims.len - 1);
}

// Flattens a sum into terms.
static void add_terms(dl_expr expr, dl_expr_list *terms) {
  if (expr->kind != DL_EXPR_ADD) {
    DL_PUSH(terms, expr);
    return;
  }
  add_terms(expr->lhs, terms);
  add_terms(expr->rhs, terms);
}

// Splits a term into a constant factor and the rest.
static dl_expr split_factor(dl_expr term, int64_t *factor) {
  bool scaled = term->kind == DL_EXPR_MUL && term->rhs->kind == DL_EXPR_CONST;
  *factor = scaled ? term->rhs->value : 1;
  return scaled ? term->lhs : term;
}

// c*s*(x floordiv s) + c*(x mod s) = c*x: what is left of two fused iterators when a buffer holds
// their elements one after the other.
static dl_expr join_one(dl_expr sum, const dl_expr_list *terms) {
  for (size_t i = 0; i < terms->len; i++) {
    int64_t scale, other;
    dl_expr mod = split_factor(terms->data[i], &scale);
    if (mod->kind != DL_EXPR_MOD || mod->rhs->kind != DL_EXPR_CONST) continue;
    dl_expr quotient = dl_expr_floordiv(mod->lhs, mod->rhs);
    for (size_t j = 0; j < terms->len; j++) {
      if (split_factor(terms->data[j], &other) != quotient) continue;
      if (other != scale * mod->rhs->value) continue;
      sum = dl_expr_sub(dl_expr_sub(sum, terms->data[i]), terms->data[j]);
      return dl_expr_add(sum, dl_expr_mul_const(mod->lhs, scale));
    }
  }
  return sum;
}

static dl_expr join_quotients(dl_expr sum) {
  for (dl_expr before = NULL; before != sum;) {
    dl_expr_list terms = {0};
    before = sum;
    add_terms(sum, &terms);
    sum = join_one(sum, &terms);
    DL_VEC_FREE(&terms);
  }
  return sum;
}

dl_expr dl_emit_named(dl_loop_emitter *e, dl_expr meaning) {
  if (meaning->kind == DL_EXPR_DIM || meaning->kind == DL_EXPR_CONST) return meaning;
  for (size_t d = 0; d < e->dims.len; d++) {
    if (e->meanings.data[d] == meaning) return dl_expr_dim(e->ctx, (unsigned)d);
  }
  dl_expr dim = dl_emit_dim(e, NULL, (dl_range){INT64_MIN, INT64_MAX});
  e->meanings.data[dim->value] = meaning;
  return dim;
}

// Later names may be made of earlier ones, so they are replaced last first.
dl_expr dl_emit_flatten(const dl_loop_emitter *e, dl_expr expr) {
  expr = join_quotients(expr);
  for (size_t d = e->dims.len; d-- > 1;) {
    if (!e->meanings.data[d] || !dl_expr_uses_dim(expr, (unsigned)d)) continue;
    dl_expr *replacements = dl_calloc(d + 1, sizeof(dl_expr));
    replacements[d] = e->meanings.data[d];
    expr = join_quotients(dl_expr_substitute(expr, d + 1, replacements, 0, NULL));
    free(replacements);
  }
  return expr;
}

dl_expr dl_emit_simplify(dl_loop_emitter *e, dl_expr expr) {
  expr = dl_emit_flatten(e, expr);
  e->ranges.data[DL_LANE] = (dl_range){0, e->lanes - 1};
  return dl_expr_simplify(expr, e->ranges.data, e->ranges.len, NULL, 0);
}

dl_range dl_emit_range(const dl_loop_emitter *e, dl_expr expr) {
  expr = dl_emit_flatten(e, expr);
  e->ranges.data[DL_LANE] = (dl_range){0, e->lanes - 1};
  return dl_expr_range(expr, e->ranges.data, e->ranges.len, NULL, 0);
}

dl_bound dl_emit_bound(dl_loop_emitter *e, size_t count, const dl_expr *exprs) {
  dl_expr *renamed = dl_arena_alloc(e->arena, (e->dims.len + 1) * sizeof(dl_expr));
  dl_expr *results = dl_arena_alloc(e->arena, (count + 1) * sizeof(dl_expr));
  dl_value **operands = dl_arena_alloc(e->arena, (e->dims.len + 1) * sizeof(dl_value *));
  unsigned used = 0;
  for (size_t i = 0; i < count; i++) results[i] = dl_emit_flatten(e, exprs[i]);
  for (unsigned d = 1; d < e->dims.len; d++) {
    bool uses = false;
    for (size_t i = 0; i < count; i++) uses |= dl_expr_uses_dim(results[i], d);
    if (!uses) continue;
    operands[used] = e->dims.data[d];
    renamed[d] = dl_expr_dim(e->ctx, used++);
  }
  for (size_t i = 0; i < count; i++) {
    results[i] = dl_expr_substitute(results[i], e->dims.len, renamed, 0, NULL);
  }
  return (dl_bound){dl_affine_map(e->ctx, used, 0, count, results), operands};
}

dl_emit_mark dl_emit_enter(dl_loop_emitter *e, dl_block *block, dl_op *before) {
  dl_emit_mark mark = {e->b, e->emitted.len};
  e->b.block = block;
  e->b.before = before;
  return mark;
}

void dl_emit_leave(dl_loop_emitter *e, dl_emit_mark mark) {
  e->b = mark.b;
  e->emitted.len = mark.emitted;
}

static dl_value *find_emitted(const dl_loop_emitter *e, const void *source, dl_expr expr,
                              int64_t lanes) {
  for (size_t i = e->emitted.len; i-- > 0;) {
    const dl_emitted *it = &e->emitted.data[i];
    if (it->source == source && it->expr == expr && it->lanes == lanes) return it->value;
  }
  return NULL;
}

static dl_value *remember(dl_loop_emitter *e, const void *source, dl_expr expr, int64_t lanes,
                          dl_value *value) {
  DL_PUSH(&e->emitted, (dl_emitted){source, expr, lanes, value});
  return value;
}

static bool is_vector(const dl_value *value) {
  return dl_value_type(value)->kind == DL_TYPE_VECTOR;
}

static dl_type with_lanes(dl_type element, int64_t lanes) {
  return dl_vector_type(element, 1, &lanes, NULL);
}

void dl_emit_forget(dl_loop_emitter *e, const dl_value *pointer) {
  for (size_t i = 0; i < e->emitted.len; i++) {
    if (e->emitted.data[i].source == pointer) e->emitted.data[i].source = NULL;
  }
}

// --- scalars and vectors ---

dl_value *dl_emit_constant(dl_loop_emitter *e, dl_attr scalar, bool vector) {
  int64_t lanes = vector ? e->lanes : 1;
  dl_value *known = find_emitted(e, scalar, NULL, lanes);
  if (known) return known;
  dl_attr value = lanes > 1 ? dl_splat_attr(with_lanes(scalar->type, lanes), scalar) : scalar;
  dl_named_attr attr = {dl_intern_z(e->ctx, "value"), value};
  dl_op *op = dl_build(&e->b, &(dl_op_state){.def = &arith_constant,
                                             .num_results = 1,
                                             .result_types = &value->type,
                                             .num_attrs = 1,
                                             .attrs = &attr});
  return remember(e, scalar, NULL, lanes, dl_result(op, 0));
}

dl_value *dl_emit_splat(dl_loop_emitter *e, dl_value *value) {
  if (e->lanes == 1 || is_vector(value)) return value;
  dl_attr constant = dl_constant_value(value);
  if (constant) return dl_emit_constant(e, constant, true);
  dl_value *known = find_emitted(e, value, NULL, e->lanes);
  if (known) return known;
  return remember(e, value, NULL, e->lanes, dl_build_loop_splat(&e->b, value, e->lanes));
}

static dl_value *build_value(dl_loop_emitter *e, const dl_op_def *def, size_t count,
                             dl_value **operands, dl_type type, size_t num_attrs,
                             const dl_named_attr *attrs) {
  return dl_result(dl_build(&e->b, &(dl_op_state){.def = def,
                                                  .num_operands = count,
                                                  .operands = operands,
                                                  .num_results = 1,
                                                  .result_types = &type,
                                                  .num_attrs = num_attrs,
                                                  .attrs = attrs}),
                   0);
}

dl_value *dl_emit_elementwise(dl_loop_emitter *e, const dl_op *like, size_t count,
                              dl_value **operands) {
  bool vector = false;
  for (size_t i = 0; i < count; i++) vector |= is_vector(operands[i]);
  for (size_t i = 0; i < count && vector; i++) operands[i] = dl_emit_splat(e, operands[i]);
  dl_type type = dl_value_type(dl_result(like, 0));
  DL_VEC(dl_named_attr) attrs = {0};
  for (size_t i = 0; i < dl_num_inherent_attrs(like); i++)
    DL_PUSH(&attrs, dl_inherent_attr(like, i));
  dl_value *value = build_value(e, dl_op_def_of(like), count, operands,
                                vector ? with_lanes(type, e->lanes) : type, attrs.len, attrs.data);
  DL_VEC_FREE(&attrs);
  return value;
}

dl_value *dl_emit_binary(dl_loop_emitter *e, const dl_op_def *def, dl_value *a, dl_value *b) {
  if (is_vector(a) || is_vector(b)) a = dl_emit_splat(e, a), b = dl_emit_splat(e, b);
  dl_value *operands[] = {a, b};
  return build_value(e, def, 2, operands, dl_value_type(a), 0, NULL);
}

dl_value *dl_emit_combine(dl_loop_emitter *e, dl_combiner combiner, bool is_unsigned, dl_value *a,
                          dl_value *b) {
  static const struct {
    const dl_op_def *on_float, *on_signed, *on_unsigned;
  } table[] = {
      [DL_COMBINE_SUM] = {&arith_addf, &arith_addi, &arith_addi},
      [DL_COMBINE_PROD] = {&arith_mulf, &arith_muli, &arith_muli},
      [DL_COMBINE_MAX] = {&arith_maximumf, &arith_maxsi, &arith_maxui},
      [DL_COMBINE_MIN] = {&arith_minimumf, &arith_minsi, &arith_minui},
      [DL_COMBINE_AND] = {NULL, &arith_andi, &arith_andi},
      [DL_COMBINE_OR] = {NULL, &arith_ori, &arith_ori},
  };
  dl_type element = dl_element_type(dl_value_type(a));
  const dl_op_def *def = dl_is_float(element) ? table[combiner].on_float
                         : is_unsigned        ? table[combiner].on_unsigned
                                              : table[combiner].on_signed;
  return dl_emit_binary(e, def, a, b);
}

// --- indices ---

static dl_value *emit_iota(dl_loop_emitter *e) {
  dl_value *known = find_emitted(e, e->ctx, NULL, e->lanes);
  if (known) return known;
  return remember(e, e->ctx, NULL, e->lanes, dl_build_loop_iota(&e->b, e->lanes));
}

static dl_value *emit_index_constant(dl_loop_emitter *e, int64_t value) {
  return dl_emit_constant(e, dl_index_attr(e->ctx, value), false);
}

// An expression that is not linear in the lane, operation by operation.
static dl_value *emit_index_tree(dl_loop_emitter *e, dl_expr expr) {
  static const dl_op_def *const defs[] = {
      [DL_EXPR_ADD] = &arith_addi,
      [DL_EXPR_MUL] = &arith_muli,
      [DL_EXPR_FLOORDIV] = &arith_floordivsi,
      [DL_EXPR_CEILDIV] = &arith_ceildivsi,
  };
  dl_value *lhs = dl_emit_index(e, expr->lhs), *rhs = dl_emit_index(e, expr->rhs);
  if (expr->kind != DL_EXPR_MOD) return dl_emit_binary(e, defs[expr->kind], lhs, rhs);
  dl_value *quotient = dl_emit_binary(e, &arith_floordivsi, lhs, rhs);
  return dl_emit_binary(e, &arith_subi, lhs, dl_emit_binary(e, &arith_muli, quotient, rhs));
}

dl_value *dl_emit_index(dl_loop_emitter *e, dl_expr expr) {
  expr = dl_emit_flatten(e, expr);
  if (expr->kind == DL_EXPR_CONST) return emit_index_constant(e, expr->value);
  int64_t coefficient;
  dl_expr rest;
  if (!dl_expr_split_dim(expr, DL_LANE, &coefficient, &rest)) return emit_index_tree(e, expr);
  if (coefficient == 0) {
    if (expr->kind == DL_EXPR_DIM) return e->dims.data[expr->value];
    dl_value *known = find_emitted(e, e->ctx, expr, 1);
    if (known) return known;
    return remember(e, e->ctx, expr, 1, dl_build_loop_apply(&e->b, dl_emit_bound(e, 1, &expr)));
  }
  dl_value *lane = emit_iota(e);
  if (coefficient != 1) {
    lane = dl_emit_binary(e, &arith_muli, lane, emit_index_constant(e, coefficient));
  }
  if (rest->kind == DL_EXPR_CONST && rest->value == 0) return lane;
  return dl_emit_binary(e, &arith_addi, lane, dl_emit_index(e, rest));
}

dl_expr dl_linear_offset(dl_context *ctx, size_t rank, const dl_expr *sizes,
                         const dl_expr *indices) {
  dl_expr offset = dl_expr_const(ctx, 0), stride = dl_expr_const(ctx, 1);
  for (size_t i = rank; i-- > 0;) {
    offset = dl_expr_add(offset, dl_expr_mul(indices[i], stride));
    stride = dl_expr_mul(stride, sizes[i]);
  }
  return offset;
}

// --- memory ---

static dl_type pointee(const dl_value *pointer) {
  return dl_loop_ptr_element(dl_value_type(pointer));
}

// The lanes below a count.
static dl_value *emit_count_mask(dl_loop_emitter *e, dl_value *count) {
  dl_attr less = dl_i64_attr(e->ctx, CMPI_SLT);
  dl_named_attr attr = {dl_intern_z(e->ctx, "predicate"), less};
  dl_value *operands[] = {emit_iota(e), dl_emit_splat(e, count)};
  return build_value(e, &arith_cmpi, 2, operands, with_lanes(dl_int_type(e->ctx, 1), e->lanes), 1,
                     &attr);
}

// The lanes that may be touched, or NULL for all of them.
static dl_value *emit_mask(dl_loop_emitter *e) {
  if (!e->count) return e->mask;
  dl_value *below = emit_count_mask(e, e->count);
  return e->mask ? dl_emit_binary(e, &arith_andi, e->mask, below) : below;
}

dl_value *dl_emit_counted(dl_loop_emitter *e, dl_value *vector, dl_attr otherwise) {
  if (!e->count) return vector;
  dl_value *operands[] = {emit_count_mask(e, e->count), vector,
                          dl_emit_constant(e, otherwise, true)};
  return build_value(e, &arith_select, 3, operands, dl_value_type(vector), 0, NULL);
}

dl_value *dl_emit_load_at(dl_loop_emitter *e, dl_value *pointer, dl_value *offset) {
  if (is_vector(offset)) {
    return dl_build_loop_gather(&e->b, with_lanes(pointee(pointer), e->lanes), pointer, offset,
                                emit_mask(e));
  }
  dl_expr d0 = dl_expr_dim(e->ctx, 0);
  dl_bound at = {dl_affine_map(e->ctx, 1, 0, 1, &d0), &offset};
  return dl_build_loop_load(&e->b, pointee(pointer), pointer, at, NULL);
}

dl_value *dl_emit_load(dl_loop_emitter *e, dl_value *pointer, dl_expr offset) {
  offset = dl_emit_simplify(e, offset);
  int64_t coefficient, lanes = dl_expr_uses_dim(offset, DL_LANE) ? e->lanes : 1;
  bool partial = lanes > 1 && (e->count || e->mask);
  dl_value *known = partial ? NULL : find_emitted(e, pointer, offset, lanes);
  if (known) return known;
  dl_expr rest = offset;
  dl_value *value;
  if (lanes == 1) {
    value = dl_build_loop_load(&e->b, pointee(pointer), pointer, dl_emit_bound(e, 1, &rest), NULL);
  } else if (dl_expr_split_dim(offset, DL_LANE, &coefficient, &rest) && coefficient == 1 &&
             !e->mask) {
    value = dl_build_loop_load(&e->b, with_lanes(pointee(pointer), lanes), pointer,
                               dl_emit_bound(e, 1, &rest), e->count);
  } else {
    value = dl_emit_load_at(e, pointer, dl_emit_index(e, offset));
  }
  return partial ? value : remember(e, pointer, offset, lanes, value);
}

void dl_emit_store(dl_loop_emitter *e, dl_value *value, dl_value *pointer, dl_expr offset) {
  offset = dl_emit_simplify(e, offset);
  int64_t coefficient;
  dl_expr rest;
  if (e->lanes == 1) {
    dl_build_loop_store(&e->b, value, pointer, dl_emit_bound(e, 1, &offset), NULL);
    return;
  }
  value = dl_emit_splat(e, value);
  if (!dl_expr_split_dim(offset, DL_LANE, &coefficient, &rest) || coefficient != 1) {
    dl_bug(NULL, "a vector's lanes must be stored next to each other");
  }
  dl_build_loop_store(&e->b, value, pointer, dl_emit_bound(e, 1, &rest), e->count);
}

// --- conditions ---

static dl_value *emit_nonnegative(dl_loop_emitter *e, dl_expr expr) {
  dl_named_attr attr = {dl_intern_z(e->ctx, "predicate"), dl_i64_attr(e->ctx, CMPI_SGE)};
  dl_value *index = dl_emit_index(e, expr), *zero = emit_index_constant(e, 0);
  bool vector = is_vector(index);
  dl_value *operands[] = {index, vector ? dl_emit_splat(e, zero) : zero};
  dl_type i1 = dl_int_type(e->ctx, 1);
  return build_value(e, &arith_cmpi, 2, operands, vector ? with_lanes(i1, e->lanes) : i1, 1, &attr);
}

dl_condition dl_emit_condition(dl_loop_emitter *e, size_t count, const dl_expr *nonnegative) {
  dl_condition condition = {DL_TRUTH_ALWAYS, NULL, NULL};
  dl_expr_list open = {0};
  for (size_t i = 0; i < count && condition.truth != DL_TRUTH_NEVER; i++) {
    dl_expr expr = dl_emit_simplify(e, nonnegative[i]);
    dl_range range = dl_emit_range(e, expr);
    if (range.max < 0 && range.max != INT64_MAX) condition.truth = DL_TRUTH_NEVER;
    if (range.min < 0) DL_PUSH(&open, expr);
  }
  if (condition.truth == DL_TRUTH_NEVER) open.len = 0;
  for (size_t i = 0; i < open.len; i++) {
    dl_value *value = emit_nonnegative(e, open.data[i]);
    condition.value =
        condition.value ? dl_emit_binary(e, &arith_andi, condition.value, value) : value;
  }
  if (open.len) condition.truth = is_vector(condition.value) ? DL_TRUTH_LANES : DL_TRUTH_SCALAR;
  int64_t coefficient;
  dl_expr rest;
  if (condition.truth == DL_TRUTH_LANES && open.len == 1 &&
      dl_expr_split_dim(open.data[0], DL_LANE, &coefficient, &rest) && coefficient == -1) {
    condition.count = dl_emit_index(e, dl_expr_add_const(rest, 1));
  }
  DL_VEC_FREE(&open);
  return condition;
}

dl_guard dl_guard_begin(dl_loop_emitter *e, dl_condition condition) {
  dl_guard guard = {.condition = condition, .count = e->count, .mask = e->mask};
  if (condition.truth == DL_TRUTH_SCALAR) {
    guard.then_block = dl_block_create(e->ctx);
    guard.outside = dl_emit_enter(e, guard.then_block, NULL);
  } else if (condition.count && !e->count) {
    e->count = condition.count;
  } else {
    dl_value *outer = e->mask;
    e->mask = outer ? dl_emit_binary(e, &arith_andi, outer, condition.value) : condition.value;
  }
  return guard;
}

static dl_value *end_branch(dl_loop_emitter *e, dl_guard *guard, dl_value *value,
                            dl_attr otherwise) {
  dl_type type = dl_value_type(value);
  bool vector = is_vector(value);
  dl_build_loop_yield(&e->b, 1, &value);
  dl_emit_leave(e, guard->outside);
  dl_op *branch = dl_build_loop_if(&e->b, guard->condition.value, 1, &type, true);
  dl_block *then_block = dl_region_first(dl_op_region(branch, 0));
  dl_block_splice(then_block, guard->then_block);
  dl_block_erase(guard->then_block);
  dl_emit_mark mark = dl_emit_enter(e, dl_region_first(dl_op_region(branch, 1)), NULL);
  dl_value *constant = dl_emit_constant(e, otherwise, vector);
  dl_build_loop_yield(&e->b, 1, &constant);
  dl_emit_leave(e, mark);
  return dl_result(branch, 0);
}

dl_value *dl_guard_end(dl_loop_emitter *e, dl_guard *guard, dl_value *value, dl_attr otherwise) {
  if (guard->condition.truth == DL_TRUTH_SCALAR) return end_branch(e, guard, value, otherwise);
  e->count = guard->count;
  e->mask = guard->mask;
  dl_value *operands[] = {guard->condition.value, dl_emit_splat(e, value),
                          dl_emit_constant(e, otherwise, true)};
  return build_value(e, &arith_select, 3, operands, dl_value_type(operands[1]), 0, NULL);
}
