// Verifier of tensor.compute: attributes against operands, index ranges, the body.
#include "dialects/tensor/compute.h"
#include "dialects/tensor/tensor_ops.h"

static void fail_if(dl_status *status, bool wrong) {
  if (wrong) *status = DL_FAILED;
}

static bool is_map(dl_attr attr) { return attr && attr->kind == DL_ATTR_MAP; }

static bool is_array_of(dl_attr attr, size_t count, dl_attr_kind kind) {
  if (!attr || attr->kind != DL_ATTR_ARRAY || attr->count != count) return false;
  for (size_t i = 0; i < count && kind != DL_ATTR_UNIT; i++)
    if (attr->elements[i]->kind != kind) return false;
  return true;
}

// What dl_compute_read relies on.
static dl_status verify_form(const dl_op *op) {
  dl_loc loc = dl_op_loc(op);
  dl_attr names = dl_get_attr(op, "iterators"), where = dl_get_attr(op, "where");
  size_t inputs = dl_compute_num_inputs(op);
  if (!names || !is_array_of(names, names->count, DL_ATTR_STRING))
    return dl_error(loc, "'iterators' must be an array of names");
  int64_t parallel = dl_get_i64(op, "parallel", -1);
  if (parallel < 0 || (size_t)parallel > names->count)
    return dl_error(loc, "'parallel' must count some of the %zu iterators", names->count);
  if (!is_map(dl_get_attr(op, "sizes")) || !is_map(dl_get_attr(op, "out_map")))
    return dl_error(loc, "'sizes' and 'out_map' must be affine maps");
  if (!is_array_of(dl_get_attr(op, "in_maps"), inputs, DL_ATTR_MAP))
    return dl_error(loc, "'in_maps' must hold one affine map for each of the %zu inputs", inputs);
  if (!is_array_of(dl_get_attr(op, "in_else"), inputs, DL_ATTR_UNIT))
    return dl_error(loc, "'in_else' must hold one entry for each of the %zu inputs", inputs);
  if (dl_get_attr(op, "shape") && !is_map(dl_get_attr(op, "shape")))
    return dl_error(loc, "'shape' must be an affine map");
  if (where && where->kind != DL_ATTR_SET) return dl_error(loc, "'where' must be an affine set");
  return DL_OK;
}

static dl_status verify_names(const dl_compute *c, dl_loc loc) {
  for (size_t i = 0; i < c->num_iterators; i++)
    for (size_t j = 0; j < i; j++)
      if (c->iterators[i] == c->iterators[j])
        return dl_error(loc, "two iterators have the name '%s'", c->iterators[i]);
  return DL_OK;
}

static dl_status verify_map(dl_loc loc, const char *what, dl_map map, size_t dims, size_t symbols,
                            size_t results) {
  if (map->num_dims != dims)
    return dl_error(loc, "%s is a map over %u iterators, but there are %zu", what, map->num_dims,
                    dims);
  if (map->num_symbols != symbols)
    return dl_error(loc, "%s is a map over %u symbols, but there are %zu", what, map->num_symbols,
                    symbols);
  if (map->num_results != results)
    return dl_error(loc, "%s has %zu expressions, expected %zu", what, map->num_results, results);
  return DL_OK;
}

static dl_status verify_maps(const dl_compute *c, dl_loc loc) {
  dl_status status = verify_map(loc, "'sizes'", c->sizes, 0, c->num_symbols, c->num_iterators);
  for (size_t i = 0; i < c->num_inputs; i++) {
    char what[48];
    snprintf(what, sizeof what, "the index of input %zu", i);
    size_t rank = dl_value_type(c->inputs[i])->rank;
    fail_if(&status, verify_map(loc, what, c->in_maps[i], c->num_iterators, c->num_symbols, rank));
  }
  fail_if(&status,
          verify_map(loc, "'out'", c->out_map, c->num_parallel, c->num_symbols, c->result->rank));
  if (c->shape)
    fail_if(&status, verify_map(loc, "'shape'", c->shape, 0, c->num_symbols, c->result->rank));
  if (c->where)
    fail_if(&status, verify_map(loc, "'where'", c->where->map, c->num_iterators, c->num_symbols,
                                c->where->map->num_results));
  return status;
}

static bool is_scalar_of(dl_attr attr, dl_type type) {
  return (attr->kind == DL_ATTR_INTEGER || attr->kind == DL_ATTR_FLOAT) &&
         attr->type == dl_compute_scalar_type(type);
}

static dl_status verify_types(const dl_compute *c, dl_loc loc) {
  dl_status status = DL_OK;
  if (!dl_has_static_shape(c->result) && !c->shape)
    status = dl_error(loc, "a result of dynamic size needs 'shape'");
  for (size_t i = 0; i < c->num_inputs; i++) {
    dl_type element = dl_value_type(c->inputs[i])->element;
    if (c->in_else[i] && !is_scalar_of(c->in_else[i], element))
      status = dl_error(loc, "the 'else' value of input %zu must have the type of its elements", i);
  }
  bool reduces = c->num_iterators > c->num_parallel;
  if (reduces && !c->combiner)
    status =
        dl_error(loc, "reduce iterators need one of the combiners sum, prod, max, min, and, or");
  if (!c->combiner != !c->init) status = dl_error(loc, "combiner and 'init' go together");
  if (c->init && !is_scalar_of(c->init, c->result->element))
    status = dl_error(loc, "'init' must have the type of the result's elements");
  return status;
}

static dl_status verify_sizes(const dl_compute *c, dl_loc loc) {
  for (size_t i = 0; i < c->num_iterators; i++) {
    dl_expr size = c->sizes->results[i];
    if (size->kind == DL_EXPR_CONST && size->value < 0)
      return dl_error(loc, "iterator '%s' has the negative extent %ld", c->iterators[i],
                      (long)size->value);
  }
  for (size_t i = 0; c->shape && i < c->result->rank; i++) {
    dl_expr size = c->shape->results[i];
    int64_t declared = c->result->shape[i];
    if (size->kind == DL_EXPR_CONST && declared != DL_DYNAMIC && declared != size->value)
      return dl_error(loc, "'shape' says %ld for dimension %zu, the type %ld", (long)size->value, i,
                      (long)declared);
  }
  return DL_OK;
}

typedef struct bounds {
  const dl_compute *compute;
  const dl_range *iterators, *symbols;
  dl_loc loc;
} bounds;

// An index whose every value is certain to lie outside for some iteration is an error. Symbolic
// parts and points that `where` excludes are given the benefit of the doubt.
static dl_status verify_in_range(const bounds *b, const char *what, size_t dim, dl_expr index,
                                 int64_t size) {
  const dl_compute *c = b->compute;
  if (size == DL_DYNAMIC || c->where) return DL_OK;
  for (unsigned s = 0; s < c->num_symbols; s++)
    if (dl_expr_uses_symbol(index, s)) return DL_OK;
  dl_range r = dl_expr_range(index, b->iterators, c->num_iterators, b->symbols, c->num_symbols);
  bool below = r.min != INT64_MIN && r.min < 0, above = r.max != INT64_MAX && r.max >= size;
  if (r.min > r.max || (!below && !above)) return DL_OK;
  return dl_error(b->loc,
                  "%s: index %zu takes values from %ld to %ld, but the dimension has the size %ld",
                  what, dim, (long)r.min, (long)r.max, (long)size);
}

// Ranges of quotients and remainders are bounds, not exact values: only affine indices are judged.
static bool is_affine(dl_expr e) {
  switch (e->kind) {
    case DL_EXPR_CONST:
    case DL_EXPR_DIM:
    case DL_EXPR_SYMBOL:
      return true;
    case DL_EXPR_ADD:
    case DL_EXPR_MUL:
      return is_affine(e->lhs) && is_affine(e->rhs);
    default:
      return false;
  }
}

static bool has_empty_iterator(const dl_compute *c) {
  for (size_t i = 0; i < c->num_iterators; i++)
    if (c->sizes->results[i]->kind == DL_EXPR_CONST && c->sizes->results[i]->value == 0)
      return true;
  return false;
}

static dl_status verify_access(const bounds *b, const char *what, dl_map map, dl_type tensor) {
  dl_status status = DL_OK;
  for (size_t i = 0; i < map->num_results; i++)
    if (is_affine(map->results[i]))
      fail_if(&status, verify_in_range(b, what, i, map->results[i], tensor->shape[i]));
  return status;
}

static dl_status verify_accesses(const dl_compute *c, dl_loc loc, dl_arena *arena) {
  if (has_empty_iterator(c)) return DL_OK;
  dl_range *iterators = dl_arena_alloc(arena, (c->num_iterators + 1) * sizeof(dl_range));
  dl_range *symbols = dl_arena_alloc(arena, (c->num_symbols + 1) * sizeof(dl_range));
  dl_compute_ranges(c, iterators);
  dl_compute_symbol_ranges(c, symbols);
  bounds b = {c, iterators, symbols, loc};
  dl_status status = verify_access(&b, "result", c->out_map, c->result);
  for (size_t i = 0; i < c->num_inputs; i++) {
    if (c->in_else[i]) continue;
    char what[32];
    snprintf(what, sizeof what, "input %zu", i);
    fail_if(&status, verify_access(&b, what, c->in_maps[i], dl_value_type(c->inputs[i])));
  }
  return status;
}

static dl_status verify_body(const dl_op *op, const dl_compute *c, dl_loc loc) {
  dl_block *body = dl_compute_body(op);
  if (!body || dl_block_next(body)) return dl_error(loc, "the body must be one block");
  if (dl_num_args(body) != c->num_inputs)
    return dl_error(loc, "the body has %zu arguments, but there are %zu inputs", dl_num_args(body),
                    c->num_inputs);
  for (size_t i = 0; i < c->num_inputs; i++)
    if (dl_value_type(dl_arg(body, i)) !=
        dl_compute_scalar_type(dl_value_type(c->inputs[i])->element))
      return dl_error(loc, "body argument %zu must have the type of input %zu's elements", i, i);
  dl_op *yield = dl_block_last(body);
  if (!yield || !dl_is(yield, tensor_yield) || dl_num_operands(yield) != 1)
    return dl_error(loc, "the body must end in a tensor.yield of one value");
  if (dl_value_type(dl_operand(yield, 0)) != dl_compute_scalar_type(c->result->element))
    return dl_error(dl_op_loc(yield),
                    "the yielded value must have the type of the result's elements");
  return DL_OK;
}

typedef struct outside_uses {
  const dl_op *compute;
  dl_status status;
} outside_uses;

static bool is_capture_or_symbol(const dl_op *compute, const dl_value *value) {
  for (size_t i = dl_compute_num_inputs(compute); i < dl_num_operands(compute); i++)
    if (dl_operand(compute, i) == value) return true;
  return false;
}

static bool check_outside_uses(dl_op *op, void *user) {
  outside_uses *o = user;
  for (size_t i = 0; op != o->compute && i < dl_num_operands(op); i++) {
    dl_value *value = dl_operand(op, i);
    dl_op *def = dl_value_def(value) ? dl_value_def(value) : dl_block_parent(dl_value_block(value));
    bool inside = def && dl_op_is_ancestor(o->compute, def) && value != dl_result(o->compute, 0);
    if (!inside && !is_capture_or_symbol(o->compute, value))
      o->status = dl_error(dl_op_loc(op),
                           "operand %zu comes from outside of the compute, but is neither "
                           "a capture nor a symbol of it",
                           i);
  }
  return true;
}

static dl_status verify_outside_uses(dl_op *op) {
  outside_uses o = {op, DL_OK};
  dl_walk(op, check_outside_uses, &o);
  return o.status;
}

static dl_status verify_tensor_types(const dl_op *op) {
  for (size_t i = 0; i < dl_compute_num_inputs(op) + dl_compute_num_captures(op); i++)
    if (!dl_is_tensor(dl_value_type(dl_operand(op, i))) ||
        dl_value_type(dl_operand(op, i))->unranked)
      return dl_error(dl_op_loc(op), "operand %zu must be a ranked tensor", i);
  dl_type result = dl_value_type(dl_result(op, 0));
  if (!dl_is_tensor(result) || result->unranked)
    return dl_error(dl_op_loc(op), "the result must be a ranked tensor");
  return DL_OK;
}

dl_status tensor_compute_verify(dl_op *op) {
  DL_TRY(verify_tensor_types(op));
  DL_TRY(verify_form(op));
  dl_loc loc = dl_op_loc(op);
  dl_arena *arena = dl_arena_create();
  dl_compute c = dl_compute_read(op, arena);
  dl_status status = verify_names(&c, loc);
  fail_if(&status, verify_types(&c, loc));
  fail_if(&status, verify_body(op, &c, loc));
  fail_if(&status, verify_outside_uses(op));
  if (verify_maps(&c, loc) != DL_OK)
    status = DL_FAILED;
  else if (verify_sizes(&c, loc) != DL_OK || verify_accesses(&c, loc, arena) != DL_OK)
    status = DL_FAILED;
  dl_arena_destroy(arena);
  return status;
}
