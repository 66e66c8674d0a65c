#include "passes/convert/spec_to_tensor.h"

#include "dialects/index_math.h"
#include "dialects/layout.h"
#include "dialects/tensor/compute.h"
#include "dialects/tensor/sizes.h"
#include "dialects/tensor/tensor_ops.h"
#include "ir/floats.h"
#include "passes/convert/flatten_temporaries.h"
#include "passes/convert/scalar_to_arith.h"
#include "passes/convert/stored_iterators.h"

// The state of lowering one op.
typedef struct lowering {
  dl_builder *b;
  dl_context *ctx;
  dl_arena *arena;
  const dl_bound_spec *bound;
  dl_layout *layouts;  // per tensor of the bound spec
  dl_type *types;      // stored types, likewise
  dl_value **tensors;  // stored values, likewise; NULL until its statement is lowered
  dl_value **symbols;  // index values of the symbols
} lowering;

// The lowering of one statement.
typedef struct statement_lowering {
  lowering *low;
  const dl_bound_statement *statement;
  dl_stored_iterators stored;
  size_t num_symbols;
  size_t *symbol_numbers;    // bound symbol of each symbol of the compute
  dl_expr *symbol_exprs;     // per bound symbol: what it is in the compute's maps
  dl_value **symbol_values;  // operands of the compute
  size_t num_captures;
  size_t *captured;  // bound tensor of each capture
  dl_op *compute;
} statement_lowering;

dl_status dl_stored_tensor_type(dl_loc loc, dl_type type, dl_type *stored) {
  dl_layout layout;
  *stored = type;
  if (!dl_is_tensor(type) || type->unranked || !dl_type_layout(type)) return DL_OK;
  DL_TRY(dl_layout_of_type(loc, type, &layout));
  for (size_t d = 0; d < type->rank; d++)
    if (layout.tile[d] > 1 && type->shape[d] == DL_DYNAMIC)
      return dl_error(loc, "layout %s blocks dimension %zu, whose size is unknown",
                      dl_type_layout(type), d);
  *stored = dl_layout_is_row_major(&layout) ? dl_type_with_layout(type, NULL)
                                            : dl_layout_stored_type(&layout, type);
  return DL_OK;
}

// --- symbols ---

// An element read outside of any compute.
static dl_value *extract(lowering *low, dl_value *tensor, dl_value *const *indices) {
  dl_type type = dl_value_type(tensor), scalar = dl_compute_scalar_type(type->element);
  dl_value **operands = dl_arena_alloc(low->arena, (type->rank + 1) * sizeof(dl_value *));
  operands[0] = tensor;
  for (size_t i = 0; i < type->rank; i++) operands[i + 1] = indices[i];
  return dl_result(dl_build(low->b, &(dl_op_state){.def = &tensor_extract,
                                                   .num_operands = type->rank + 1,
                                                   .operands = operands,
                                                   .num_results = 1,
                                                   .result_types = &scalar}),
                   0);
}

// Element `position`, row-major, of an integer tensor, as an index.
static dl_value *index_element(lowering *low, dl_value *tensor, size_t position) {
  dl_type type = dl_value_type(tensor);
  dl_value **indices = dl_arena_alloc(low->arena, (type->rank + 1) * sizeof(dl_value *));
  for (size_t i = type->rank; i-- > 1; position /= (size_t)type->shape[i])
    indices[i] = dl_index_constant(low->b, (int64_t)position % type->shape[i]);
  if (type->rank) indices[0] = dl_index_constant(low->b, (int64_t)position);
  return dl_to_index(low->b, extract(low, tensor, indices), type->element);
}

static dl_value *leaf_index(void *user, dl_builder *b, dl_expr index) {
  lowering *low = user;
  return dl_expr_to_arith(b, index, NULL, low->symbols);
}

static dl_value *extract_at(lowering *low, const dl_bound_read *read) {
  size_t rank = low->bound->tensors[read->tensor].rank;
  dl_value **indices = dl_arena_alloc(low->arena, (rank + 1) * sizeof(dl_value *));
  for (size_t i = 0; i < rank; i++)
    indices[i] = dl_expr_to_arith(low->b, read->indices[i], NULL, low->symbols);
  return extract(low, low->tensors[read->tensor], indices);
}

static dl_value *leaf_symbol_read(void *user, dl_builder *b, size_t read) {
  (void)b;
  lowering *low = user;
  return extract_at(low, &low->bound->reads[read]);
}

// The stored dimension that holds a logical dimension of an operand; blocked ones have static
// sizes.
static size_t stored_dim(const dl_layout *layout, size_t dim) {
  for (size_t i = 0; i < layout->num_dims; i++)
    if (layout->dims[i].dim == dim) return i;
  return dim;
}

static dl_value *lower_symbol(lowering *low, const dl_bound_symbol *symbol) {
  dl_scalar_leaves leaves = {low, leaf_symbol_read, leaf_index, NULL};
  dl_value *tensor = low->tensors[symbol->operand];
  switch (symbol->kind) {
    case DL_SYMBOL_DIM:
      return dl_tensor_size(low->b, tensor,
                            stored_dim(&low->layouts[symbol->operand], symbol->index));
    case DL_SYMBOL_ELEMENT:
      return index_element(low, tensor, symbol->index);
    default:
      return dl_scalar_to_arith(low->b, symbol->value, &leaves);
  }
}

// --- the header of a compute ---

static void use_symbols(statement_lowering *s, dl_expr expr) {
  lowering *low = s->low;
  for (size_t i = 0; i < low->bound->num_symbols; i++) {
    if (s->symbol_exprs[i] || !dl_expr_uses_symbol(expr, (unsigned)i)) continue;
    s->symbol_exprs[i] = dl_expr_symbol(low->ctx, (unsigned)s->num_symbols);
    s->symbol_values[s->num_symbols] = low->symbols[i];
    s->symbol_numbers[s->num_symbols++] = i;
  }
}

static void use_body_symbols(statement_lowering *s, const dl_scalar *e) {
  if (e->op == DL_SCALAR_INDEX) use_symbols(s, e->index);
  for (size_t i = 0; i < e->num_args; i++) use_body_symbols(s, e->args[i]);
}

static void collect_captures(statement_lowering *s, const dl_scalar *e) {
  for (size_t i = 0; i < e->num_args; i++) collect_captures(s, e->args[i]);
  if (e->op != DL_SCALAR_GATHER) return;
  for (size_t i = 0; i < s->num_captures; i++)
    if (s->captured[i] == e->tensor) return;
  s->captured[s->num_captures++] = e->tensor;
}

static size_t num_gathers(const dl_scalar *e) {
  size_t count = e->op == DL_SCALAR_GATHER;
  for (size_t i = 0; i < e->num_args; i++) count += num_gathers(e->args[i]);
  return count;
}

// A map of expressions over the bound symbols as one over the compute's; the expressions' symbols
// must all have been used.
static dl_map compute_map(statement_lowering *s, size_t dims, size_t count, const dl_expr *exprs) {
  dl_expr *results = dl_arena_alloc(s->low->arena, (count + 1) * sizeof(dl_expr));
  for (size_t i = 0; i < count; i++)
    results[i] = dl_expr_substitute(exprs[i], 0, NULL, s->low->bound->num_symbols, s->symbol_exprs);
  return dl_affine_map(s->low->ctx, (unsigned)dims, (unsigned)s->num_symbols, count, results);
}

typedef struct expr_rows {
  size_t count;
  dl_expr *exprs;
} expr_rows;

static expr_rows stored_row(statement_lowering *s, size_t tensor, const dl_expr *logical) {
  lowering *low = s->low;
  const dl_layout *layout = &low->layouts[tensor];
  expr_rows row = {layout->num_dims,
                   dl_arena_alloc(low->arena, (layout->num_dims + 1) * sizeof(dl_expr))};
  dl_stored_indices(low->bound, s->statement, &s->stored, layout, logical, row.exprs);
  for (size_t i = 0; i < row.count; i++) use_symbols(s, row.exprs[i]);
  return row;
}

static expr_rows stored_sizes(statement_lowering *s, size_t tensor) {
  lowering *low = s->low;
  const dl_layout *layout = &low->layouts[tensor];
  expr_rows row = {layout->num_dims,
                   dl_arena_alloc(low->arena, (layout->num_dims + 1) * sizeof(dl_expr))};
  dl_layout_sizes(layout, low->bound->tensors[tensor].sizes, row.exprs);
  for (size_t i = 0; i < row.count; i++) use_symbols(s, row.exprs[i]);
  return row;
}

static bool in_range(const statement_lowering *s, dl_expr index, dl_expr size) {
  const dl_bound_statement *st = s->statement;
  dl_range *ranges = dl_arena_alloc(s->low->arena, (st->num_iterators + 1) * sizeof(dl_range));
  if (index->kind == DL_EXPR_DIM && st->iterators[index->value].extent == size) return true;
  for (size_t i = 0; i < st->num_iterators; i++) {
    dl_expr extent = st->iterators[i].extent;
    ranges[i] = (dl_range){0, extent->kind == DL_EXPR_CONST ? extent->value - 1 : INT64_MAX};
  }
  dl_range r = dl_expr_range(index, ranges, st->num_iterators, NULL, 0);
  return size->kind == DL_EXPR_CONST && r.min >= 0 && r.max < size->value;
}

static bool uses_symbols(const lowering *low, dl_expr e) {
  for (size_t i = 0; i < low->bound->num_symbols; i++)
    if (dl_expr_uses_symbol(e, (unsigned)i)) return true;
  return false;
}

// The constant for out-of-range indices, or NULL when there are none.
static dl_attr needed_else(const statement_lowering *s, const dl_bound_read *read) {
  const dl_bound_tensor *tensor = &s->low->bound->tensors[read->tensor];
  if (!read->otherwise) return NULL;
  for (size_t d = 0; d < tensor->rank; d++) {
    dl_expr index = read->indices[d], size = tensor->sizes[d];
    bool plain = index->kind == DL_EXPR_DIM || !uses_symbols(s->low, index);
    if (!plain || !in_range(s, index, size)) return dl_signless_attr(read->otherwise);
  }
  return NULL;
}

static void collect_symbols(statement_lowering *s) {
  lowering *low = s->low;
  size_t n = low->bound->num_symbols + 1;
  s->symbol_numbers = dl_arena_alloc(low->arena, n * sizeof(size_t));
  s->symbol_exprs = dl_arena_alloc(low->arena, n * sizeof(dl_expr));
  s->symbol_values = dl_arena_alloc(low->arena, n * sizeof(dl_value *));
  for (size_t i = 0; i < low->bound->num_symbols; i++) {
    dl_attr constant = dl_constant_value(low->symbols[i]);
    if (constant) s->symbol_exprs[i] = dl_expr_const(low->ctx, constant->integer);
  }
  for (size_t i = 0; i < s->stored.count; i++) use_symbols(s, s->stored.extents[i]);
  for (size_t i = 0; i < s->stored.num_where; i++) use_symbols(s, s->stored.where[i]);
  use_body_symbols(s, s->statement->body);
}

static dl_attr where_set(statement_lowering *s) {
  size_t count = s->stored.num_where;
  if (!count) return NULL;
  bool *equal = dl_arena_alloc(s->low->arena, count * sizeof(bool));
  return dl_affine_set_attr(compute_map(s, s->stored.count, count, s->stored.where), equal);
}

// The op's name, followed by the target's where that is not the op's only result. Without dots,
// which separate computes from iterators in schedules.
static dl_ident statement_label(const lowering *low, const dl_bound_statement *statement) {
  const char *name = strchr(dl_op_name(low->bound->op), '.') + 1;
  const dl_bound_tensor *target = &low->bound->tensors[statement->target];
  if (target->kind == DL_BOUND_RESULT && dl_num_results(low->bound->op) == 1)
    return dl_intern_z(low->ctx, name);
  char text[96];
  snprintf(text, sizeof text, "%s_%s", name, target->name);
  for (char *c = text; *c; c++)
    if (*c == '.') *c = '_';
  return dl_intern_z(low->ctx, text);
}

// --- the body of a compute ---

static dl_value *body_read(void *user, dl_builder *b, size_t read) {
  (void)b;
  statement_lowering *s = user;
  return dl_arg(dl_compute_body(s->compute), read);
}

static dl_value *iterator_value(statement_lowering *s, dl_builder *b, size_t iterator) {
  dl_named_attr name = {dl_intern_z(b->ctx, "name"),
                        dl_string_attr_z(b->ctx, s->stored.names[iterator])};
  dl_type index = dl_index_type(b->ctx);
  return dl_result(dl_build(b, &(dl_op_state){.def = &tensor_iterator,
                                              .num_results = 1,
                                              .result_types = &index,
                                              .num_attrs = 1,
                                              .attrs = &name}),
                   0);
}

static dl_value *body_index(void *user, dl_builder *b, dl_expr index) {
  statement_lowering *s = user;
  dl_expr stored = dl_expr_substitute(index, s->statement->num_iterators, s->stored.logical,
                                      s->low->bound->num_symbols, s->symbol_exprs);
  dl_value **values = dl_arena_alloc(s->low->arena, (s->stored.count + 1) * sizeof(dl_value *));
  for (size_t i = 0; i < s->stored.count; i++)
    if (dl_expr_uses_dim(stored, (unsigned)i)) values[i] = iterator_value(s, b, i);
  return dl_expr_to_arith(b, stored, values, s->symbol_values);
}

static dl_value *body_gather(void *user, dl_builder *b, size_t tensor, dl_value *const *indices) {
  statement_lowering *s = user;
  lowering *low = s->low;
  const dl_layout *layout = &low->layouts[tensor];
  dl_map map = dl_layout_map(low->ctx, layout);
  dl_value **operands = dl_arena_alloc(low->arena, (layout->num_dims + 1) * sizeof(dl_value *));
  operands[0] = low->tensors[tensor];
  for (size_t i = 0; i < layout->num_dims; i++)
    operands[i + 1] = dl_expr_to_arith(b, map->results[i], indices, NULL);
  dl_type scalar = dl_compute_scalar_type(low->types[tensor]->element);
  return dl_result(dl_build(b, &(dl_op_state){.def = &tensor_extract,
                                              .num_operands = layout->num_dims + 1,
                                              .operands = operands,
                                              .num_results = 1,
                                              .result_types = &scalar}),
                   0);
}

static void build_body(statement_lowering *s) {
  dl_builder body = dl_builder_at_end(dl_compute_body(s->compute), dl_op_loc(s->compute));
  dl_scalar_leaves leaves = {s, body_read, body_index, body_gather};
  dl_value *value = dl_scalar_to_arith(&body, s->statement->body, &leaves);
  dl_build(&body, &(dl_op_state){.def = &tensor_yield, .num_operands = 1, .operands = &value});
}

// --- statements ---

static void read_maps(statement_lowering *s, dl_compute *c) {
  lowering *low = s->low;
  const dl_bound_statement *st = s->statement;
  size_t n = st->num_reads;
  expr_rows *rows = dl_arena_alloc(low->arena, (n + 1) * sizeof(expr_rows));
  dl_value **inputs = dl_arena_alloc(low->arena, (n + 1) * sizeof(dl_value *));
  dl_map *maps = dl_arena_alloc(low->arena, (n + 1) * sizeof(dl_map));
  dl_attr *otherwise = dl_arena_alloc(low->arena, (n + 1) * sizeof(dl_attr));
  expr_rows out = stored_row(s, st->target, st->out), shape = stored_sizes(s, st->target);
  for (size_t i = 0; i < n; i++) rows[i] = stored_row(s, st->reads[i].tensor, st->reads[i].indices);
  for (size_t i = 0; i < n; i++) {
    inputs[i] = low->tensors[st->reads[i].tensor];
    maps[i] = compute_map(s, s->stored.count, rows[i].count, rows[i].exprs);
    otherwise[i] = needed_else(s, &st->reads[i]);
  }
  c->out_map = compute_map(s, s->stored.num_parallel, out.count, out.exprs);
  if (!dl_has_static_shape(c->result)) c->shape = compute_map(s, 0, shape.count, shape.exprs);
  c->num_inputs = n;
  c->inputs = inputs;
  c->in_maps = maps;
  c->in_else = otherwise;
}

static void read_captures(statement_lowering *s, dl_compute *c) {
  lowering *low = s->low;
  size_t most = num_gathers(s->statement->body);
  s->captured = dl_arena_alloc(low->arena, (most + 1) * sizeof(size_t));
  collect_captures(s, s->statement->body);
  dl_value **captures = dl_arena_alloc(low->arena, (most + 1) * sizeof(dl_value *));
  for (size_t i = 0; i < s->num_captures; i++) captures[i] = low->tensors[s->captured[i]];
  c->num_captures = s->num_captures;
  c->captures = captures;
}

static dl_value *lower_compute(lowering *low, const dl_bound_statement *st) {
  statement_lowering s = {.low = low, .statement = st};
  s.stored = dl_stored_iterators_of(low->bound, st, low->layouts, low->arena);
  collect_symbols(&s);
  dl_compute c = {.label = statement_label(low, st),
                  .num_iterators = s.stored.count,
                  .num_parallel = s.stored.num_parallel,
                  .iterators = s.stored.names,
                  .combiner = st->combiner,
                  .init = st->init ? dl_signless_attr(st->init) : NULL,
                  .result = low->types[st->target]};
  read_captures(&s, &c);
  read_maps(&s, &c);
  c.where = where_set(&s);
  c.num_symbols = s.num_symbols;
  c.symbols = s.symbol_values;
  c.sizes = compute_map(&s, 0, s.stored.count, s.stored.extents);
  s.compute = dl_compute_build(low->b, &c);
  build_body(&s);
  return dl_result(s.compute, 0);
}

static bool is_row_major(const lowering *low, size_t tensor) {
  return dl_layout_is_row_major(&low->layouts[tensor]);
}

static dl_status lower_reshape(lowering *low, const dl_bound_statement *st, dl_value **result) {
  if (!is_row_major(low, st->source) || !is_row_major(low, st->target))
    return dl_error(dl_op_loc(low->bound->op), "reshapes take and give row-major tensors");
  const dl_bound_tensor *target = &low->bound->tensors[st->target];
  dl_type type = low->types[st->target];
  dl_value **operands = dl_arena_alloc(low->arena, (type->rank + 1) * sizeof(dl_value *));
  size_t count = 0;
  operands[count++] = low->tensors[st->source];
  for (size_t d = 0; d < type->rank; d++)
    if (type->shape[d] == DL_DYNAMIC)
      operands[count++] = dl_expr_to_arith(low->b, target->sizes[d], NULL, low->symbols);
  *result = dl_result(dl_build(low->b, &(dl_op_state){.def = &tensor_reinterpret,
                                                      .num_operands = count,
                                                      .operands = operands,
                                                      .num_results = 1,
                                                      .result_types = &type}),
                      0);
  return DL_OK;
}

typedef struct element_leaves {
  lowering *low;
  const dl_bound_statement *statement;
} element_leaves;

static dl_value *element_read(void *user, dl_builder *b, size_t read) {
  (void)b;
  element_leaves *e = user;
  return extract_at(e->low, &e->statement->reads[read]);
}

static dl_value *element_index(void *user, dl_builder *b, dl_expr index) {
  return leaf_index(((element_leaves *)user)->low, b, index);
}

// The elements as a dense attribute, if all are known numbers.
static dl_attr known_elements(const lowering *low, const dl_bound_statement *st) {
  dl_type type = low->types[st->target];
  size_t bytes = dl_element_bytes(type->element);
  char *data = dl_arena_alloc(low->arena, st->num_elements * bytes + 1);
  for (size_t i = 0; i < st->num_elements; i++) {
    const dl_scalar *element = st->elements[i];
    if (element->op != DL_SCALAR_CONST) return NULL;
    if (dl_is_float(type->element))
      dl_float_store(type->element->float_kind, element->constant->number, data + i * bytes);
    else
      memcpy(data + i * bytes, &element->constant->integer, bytes);
  }
  return dl_dense_attr(type, (dl_str){data, st->num_elements * bytes}, false);
}

static dl_value *lower_elements(lowering *low, const dl_bound_statement *st) {
  bool temporary = low->bound->tensors[st->target].kind == DL_BOUND_TEMPORARY;
  dl_attr known = temporary ? known_elements(low, st) : NULL;
  dl_type type = low->types[st->target];
  if (known) return dl_result(tensor_materialize_constant(low->b, known, type), 0);
  element_leaves e = {low, st};
  dl_scalar_leaves leaves = {&e, element_read, element_index, NULL};
  dl_value **elements = dl_arena_alloc(low->arena, (st->num_elements + 1) * sizeof(dl_value *));
  for (size_t i = 0; i < st->num_elements; i++)
    elements[i] = dl_scalar_to_arith(low->b, st->elements[i], &leaves);
  return dl_result(dl_build(low->b, &(dl_op_state){.def = &tensor_from_elements,
                                                   .num_operands = st->num_elements,
                                                   .operands = elements,
                                                   .num_results = 1,
                                                   .result_types = &type}),
                   0);
}

static dl_status lower_statement(lowering *low, const dl_bound_statement *st) {
  dl_value *result = NULL;
  switch (st->kind) {
    case DL_STATEMENT_COMPUTE:
      result = lower_compute(low, st);
      break;
    case DL_STATEMENT_ELEMENTS:
      result = lower_elements(low, st);
      break;
    case DL_STATEMENT_RESHAPE:
      DL_TRY(lower_reshape(low, st, &result));
      break;
  }
  low->tensors[st->target] = result;
  return DL_OK;
}

// --- tensors of the bound spec ---

static dl_type temporary_type(const dl_bound_tensor *tensor, const dl_layout *layout) {
  int64_t shape[DL_LAYOUT_MAX_DIMS];
  for (size_t d = 0; d < tensor->rank; d++)
    shape[d] = tensor->sizes[d]->kind == DL_EXPR_CONST ? tensor->sizes[d]->value : DL_DYNAMIC;
  return dl_layout_stored_type(layout, dl_tensor_type(tensor->element, tensor->rank, shape, NULL));
}

// Whether `st` reads tensor `t` at the indices at which it writes.
static bool reads_in_place(const dl_bound_spec *bound, const dl_bound_statement *st, size_t t) {
  size_t rank = bound->tensors[t].rank;
  if (st->kind != DL_STATEMENT_COMPUTE || bound->tensors[st->target].rank != rank) return false;
  for (size_t r = 0; r < st->num_reads; r++) {
    const dl_bound_read *read = &st->reads[r];
    if (read->tensor != t) continue;
    bool same = true;
    for (size_t d = 0; d < rank; d++) same &= read->indices[d] == st->out[d];
    if (same) return true;
  }
  return false;
}

// Splits dimension `dim` of a layout by a block that is stored innermost.
static void add_inner_block(dl_layout *layout, unsigned dim, int64_t block) {
  for (size_t i = 0; i < layout->num_dims; i++)
    if (layout->dims[i].dim == dim) layout->dims[i].below *= block;
  layout->dims[layout->num_dims++] = (dl_layout_dim){dim, block, 1};
  layout->tile[dim] *= block;
}

// A temporary that `st` reads at other indices than it writes at keeps the order of its dimensions,
// with lanes innermost along the iterators along which the target has them.
static void block_as_target(lowering *low, const dl_bound_statement *st, size_t t) {
  const dl_layout *target = &low->layouts[st->target];
  dl_layout *layout = &low->layouts[t];
  for (size_t r = 0; r < st->num_reads; r++) {
    const dl_bound_read *read = &st->reads[r];
    if (read->tensor != t || !dl_layout_is_row_major(layout)) continue;
    for (unsigned d = 0; d < layout->rank; d++)
      for (unsigned to = 0; to < target->rank; to++)
        if (read->indices[d] == st->out[to] && target->tile[to] > 1 &&
            layout->num_dims < DL_LAYOUT_MAX_DIMS)
          add_inner_block(layout, d, target->tile[to]);
  }
}

// A temporary lies as what is computed from it element by element. Statements only read earlier
// targets, so the last ones are settled first.
static void lay_out_temporaries(lowering *low) {
  const dl_bound_spec *bound = low->bound;
  for (size_t i = bound->num_statements; i-- > 0;) {
    size_t target = bound->statements[i].target;
    const dl_bound_tensor *tensor = &bound->tensors[target];
    if (tensor->kind != DL_BOUND_TEMPORARY) continue;
    for (size_t user = i + 1; user < bound->num_statements; user++) {
      const dl_bound_statement *st = &bound->statements[user];
      if (reads_in_place(bound, st, target))
        low->layouts[target] = low->layouts[st->target];
      else if (st->kind == DL_STATEMENT_COMPUTE)
        block_as_target(low, st, target);
    }
    low->types[target] = temporary_type(tensor, &low->layouts[target]);
  }
}

static dl_status set_tensor(lowering *low, size_t i) {
  const dl_bound_tensor *tensor = &low->bound->tensors[i];
  const dl_op *op = low->bound->op;
  if (tensor->rank > DL_LAYOUT_MAX_DIMS)
    return dl_error(dl_op_loc(op), "a tensor of rank %zu; at most %d is supported", tensor->rank,
                    DL_LAYOUT_MAX_DIMS);
  if (tensor->kind == DL_BOUND_TEMPORARY) {
    low->layouts[i] = dl_layout_row_major(tensor->rank);
    return DL_OK;
  }
  bool operand = tensor->kind == DL_BOUND_OPERAND;
  dl_value *value = operand ? dl_operand(op, tensor->number) : dl_result(op, tensor->number);
  dl_type type = dl_value_type(value);
  DL_TRY(dl_layout_of_type(dl_op_loc(op), type, &low->layouts[i]));
  return dl_stored_tensor_type(dl_op_loc(op), type, &low->types[i]);
}

static dl_status set_tensors(lowering *low, dl_value *const *operands) {
  size_t n = low->bound->num_tensors + 1;
  low->layouts = dl_arena_alloc(low->arena, n * sizeof(dl_layout));
  low->types = dl_arena_alloc(low->arena, n * sizeof(dl_type));
  low->tensors = dl_arena_alloc(low->arena, n * sizeof(dl_value *));
  for (size_t i = 0; i < low->bound->num_tensors; i++) {
    DL_TRY(set_tensor(low, i));
    const dl_bound_tensor *tensor = &low->bound->tensors[i];
    if (tensor->kind == DL_BOUND_OPERAND) low->tensors[i] = operands[tensor->number];
  }
  lay_out_temporaries(low);
  return DL_OK;
}

static dl_status lower_all(lowering *low, dl_value *const *operands, dl_value **results) {
  DL_TRY(set_tensors(low, operands));
  low->symbols = dl_arena_alloc(low->arena, (low->bound->num_symbols + 1) * sizeof(dl_value *));
  for (size_t i = 0; i < low->bound->num_symbols; i++)
    low->symbols[i] = lower_symbol(low, &low->bound->symbols[i]);
  for (size_t i = 0; i < low->bound->num_statements; i++)
    DL_TRY(lower_statement(low, &low->bound->statements[i]));
  for (size_t i = 0; i < low->bound->num_tensors; i++) {
    const dl_bound_tensor *tensor = &low->bound->tensors[i];
    if (tensor->kind == DL_BOUND_RESULT) results[tensor->number] = low->tensors[i];
  }
  return DL_OK;
}

dl_status dl_lower_bound_spec(dl_builder *b, const dl_op *op, dl_value *const *operands,
                              dl_value **results) {
  dl_bound_spec *bound = dl_spec_bind(op);
  if (!bound) return DL_FAILED;
  lowering low = {.b = b, .ctx = b->ctx, .arena = dl_arena_create()};
  low.bound = dl_flatten_temporaries(bound, low.arena);
  dl_status status = lower_all(&low, operands, results);
  dl_arena_destroy(low.arena);
  dl_bound_destroy(bound);
  return status;
}
