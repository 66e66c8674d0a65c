// Machine ops in place of the innermost loop of a reduction and the lanes around it.
//
// A factor that depends on the lanes is read as one vector of lanes * terms elements, lane after
// lane; one that does not is read as `terms` elements, which are repeated.
#include "dialects/arith/arith_ops.h"
#include "passes/convert/nest_walk_internal.h"

// --- whether a compute is the op's sum ---

// Whether a value is the extension of an input, of the factor's type.
static bool is_factor(const dl_stage *s, const dl_value *value, dl_type type, size_t *input) {
  const dl_op *op = dl_value_def(value);
  bool is_unsigned = type->signedness == DL_UNSIGNED;
  if (!op || dl_op_def_of(op) != (is_unsigned ? &arith_extui : &arith_extsi)) return false;
  for (size_t i = 0; i < s->c.num_inputs; i++) {
    const dl_value *arg = dl_arg(dl_compute_body(s->op), i);
    if (dl_operand(op, 0) != arg || dl_value_type(arg)->width != type->width) continue;
    *input = i;
    return true;
  }
  return false;
}

static bool is_product(const dl_stage *s, dl_tensorized *t) {
  const dl_value *yielded = dl_compute_yielded(s->op);
  const dl_op *product = dl_value_def(yielded);
  dl_type result = s->c.result->element;
  bool sums = s->c.combiner == DL_COMBINE_SUM && dl_is_integer(result) &&
              result->width == t->op.accumulator->width;
  if (!sums || !product || !dl_is(product, arith_muli)) return false;
  const dl_value *x = dl_operand(product, 0), *y = dl_operand(product, 1);
  if (is_factor(s, x, t->op.lhs, &t->lhs) && is_factor(s, y, t->op.rhs, &t->rhs)) return true;
  return is_factor(s, y, t->op.lhs, &t->lhs) && is_factor(s, x, t->op.rhs, &t->rhs);
}

// A domain that leaves out some of the op's terms cannot be told to it.
static bool has_reduce_domain(const dl_stage *s) {
  dl_map set = s->c.where ? s->c.where->map : NULL;
  for (size_t i = 0; set && i < set->num_results; i++) {
    for (size_t d = s->c.num_parallel; d < s->c.num_iterators; d++)
      if (dl_expr_uses_dim(set->results[i], (unsigned)d)) return true;
  }
  return false;
}

dl_status dl_tensorize_check(dl_walk_state *w) {
  dl_stage *s = w->stage;
  size_t last = w->nest->num_loops - 1;
  const dl_axis *terms = w->nest->num_loops ? &w->nest->axes.data[w->nest->loops[last]] : NULL;
  if (!terms || !terms->machine_op) return DL_OK;
  const dl_axis *lanes = &w->nest->axes.data[w->nest->loops[last - 1]];
  dl_tensorized *t = dl_arena_alloc(w->k->arena, sizeof(*t));
  DL_TRY(dl_machine_find_op(s->op, dl_str_of(terms->machine_op), &t->op));
  if (!is_product(s, t) || has_reduce_domain(s))
    return dl_error(dl_op_loc(s->op), "@%s does not compute what the machine's op '%s' does",
                    s->c.label, terms->machine_op);
  if (terms->extent != t->op.terms || lanes->extent != t->op.lanes)
    return dl_error(dl_op_loc(s->op),
                    "'%s' takes %lld lanes of %lld terms, but '%s' and '%s' are %lld and %lld",
                    terms->machine_op, (long long)t->op.lanes, (long long)t->op.terms, lanes->name,
                    terms->name, (long long)lanes->extent, (long long)terms->extent);
  s->tensorized = t;
  return DL_OK;
}

// --- emission ---

// Whether a factor differs between the lanes.
static bool uses_lanes(dl_walk_state *w, size_t input, const dl_expr *iterators) {
  dl_expr *indices = dl_input_indices(w->k, w->stage, input, iterators);
  for (size_t d = 0; d < w->stage->c.in_maps[input]->num_results; d++)
    if (dl_expr_uses_dim(dl_emit_flatten(w->e, indices[d]), DL_LANE)) return true;
  return false;
}

// The factor with all terms of all lanes; NULL when they contribute nothing.
static dl_value *emit_factor(dl_walk_state *w, size_t input, const dl_expr *iterators,
                             dl_expr term) {
  dl_loop_emitter *e = w->e;
  const dl_machine_op *op = &w->stage->tensorized->op;
  int64_t outer_lanes = e->lanes;
  dl_value *outer_count = e->count;
  bool wide = uses_lanes(w, input, iterators);
  dl_expr lane = dl_expr_dim(e->ctx, DL_LANE), terms = dl_expr_const(e->ctx, op->terms);
  size_t num_dims = (size_t)term->value + 1, count = w->nest->num_iterators;
  dl_expr *replaced = dl_arena_alloc(w->k->arena, num_dims * sizeof(dl_expr));
  dl_expr *at = dl_arena_alloc(w->k->arena, (count + 1) * sizeof(dl_expr));
  replaced[term->value] = wide ? dl_expr_mod(lane, terms) : lane;
  if (wide) replaced[DL_LANE] = dl_expr_floordiv(lane, terms);
  for (size_t i = 0; i < count; i++)
    at[i] = dl_expr_substitute(dl_emit_flatten(e, iterators[i]), num_dims, replaced, 0, NULL);
  if (e->count && wide) {
    dl_value *factor = dl_emit_constant(e, dl_index_attr(e->ctx, op->terms), false);
    e->count = dl_emit_binary(e, &arith_muli, e->count, factor);
  } else {
    e->count = NULL;
  }
  e->lanes = wide ? op->lanes * op->terms : op->terms;
  dl_value *value = dl_read_input(w->k, w->stage, input, at);
  if (value) value = dl_emit_splat(e, value);
  e->lanes = outer_lanes;
  e->count = outer_count;
  return value && !wide ? dl_build_loop_repeat(&e->b, value, op->lanes) : value;
}

dl_value *dl_tensorize_emit(dl_walk_state *w, dl_value *accumulator) {
  const dl_tensorized *t = w->stage->tensorized;
  dl_expr term = w->temp[w->nest->loops[w->nest->num_loops - 1]];
  dl_expr *iterators = dl_arena_alloc(w->k->arena, (w->nest->num_iterators + 1) * sizeof(dl_expr));
  dl_walk_iterators(w, iterators);
  dl_value *lhs = emit_factor(w, t->lhs, iterators, term);
  dl_value *rhs = lhs ? emit_factor(w, t->rhs, iterators, term) : NULL;
  if (!rhs) return accumulator;
  return dl_build_loop_machine_op(&w->e->b, t->op.name, accumulator, lhs, rhs);
}
