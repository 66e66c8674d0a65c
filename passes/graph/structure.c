#include "passes/graph/structure.h"

bool dl_is_compile_time(const dl_value *value) {
  const dl_op *op = dl_value_def(value);
  if (!op || !dl_has_trait(op, DL_PURE) || dl_num_regions(op)) return false;
  for (size_t i = 0; i < dl_num_operands(op); i++)
    if (!dl_is_compile_time(dl_operand(op, i))) return false;
  return true;
}

bool dl_is_table(const dl_bound_statement *st) {
  if (st->kind != DL_STATEMENT_ELEMENTS) return false;
  for (size_t i = 0; i < st->num_elements; i++)
    if (st->elements[i]->op != DL_SCALAR_CONST) return false;
  return true;
}

bool dl_is_dense_compute(const dl_bound_spec *bound) {
  bool computes = false;
  for (size_t i = 0; i < bound->num_statements; i++) {
    const dl_bound_statement *st = &bound->statements[i];
    if (st->kind == DL_STATEMENT_ELEMENTS && !dl_is_table(st)) return false;
    computes |= bound->statements[i].kind == DL_STATEMENT_COMPUTE;
  }
  return computes;
}

static bool has_gather(const dl_scalar *scalar) {
  if (scalar->op == DL_SCALAR_GATHER) return true;
  for (size_t i = 0; i < scalar->num_args; i++)
    if (has_gather(scalar->args[i])) return true;
  return false;
}

static bool is_identity(const dl_bound_statement *st, size_t rank) {
  if (rank != st->num_iterators) return false;
  for (size_t d = 0; d < rank; d++)
    if (st->out[d]->kind != DL_EXPR_DIM || st->out[d]->value != (int64_t)d) return false;
  return true;
}

static bool is_one(dl_expr size) { return dl_expr_is_const(size, 1); }

// Whether a read of a tensor of the target's rank takes the element at the place that is written.
// In dimensions of size 1 there is only one.
static bool reads_equally(const dl_bound_spec *bound, const dl_bound_statement *st,
                          const dl_bound_read *read) {
  const dl_bound_tensor *from = &bound->tensors[read->tensor], *to = &bound->tensors[st->target];
  for (size_t d = 0; d < to->rank; d++)
    if (read->indices[d] != st->out[d] && !(is_one(from->sizes[d]) && is_one(to->sizes[d])))
      return false;
  return true;
}

// Each index is an iterator or constant: a broadcast.
static bool is_broadcast(const dl_bound_spec *bound, const dl_bound_read *read) {
  for (size_t d = 0; d < bound->tensors[read->tensor].rank; d++)
    if (read->indices[d]->kind != DL_EXPR_DIM && read->indices[d]->kind != DL_EXPR_CONST)
      return false;
  return !read->otherwise;
}

static bool statement_is_elementwise(const dl_bound_spec *bound, const dl_bound_statement *st,
                                     size_t operand, bool *reads_operand) {
  size_t rank = bound->tensors[st->target].rank;
  if (st->kind != DL_STATEMENT_COMPUTE || st->combiner != DL_COMBINE_NONE) return false;
  if (has_gather(st->body) || !is_identity(st, rank)) return false;
  for (size_t r = 0; r < st->num_reads; r++) {
    const dl_bound_read *read = &st->reads[r];
    const dl_bound_tensor *tensor = &bound->tensors[read->tensor];
    if (!is_broadcast(bound, read)) return false;
    if (tensor->kind != DL_BOUND_OPERAND || tensor->number != operand) continue;
    if (tensor->rank != rank || !reads_equally(bound, st, read)) return false;
    *reads_operand = true;
  }
  return true;
}

bool dl_is_elementwise_in(const dl_bound_spec *bound, size_t operand) {
  bool reads_operand = false;
  if (dl_num_results(bound->op) != 1 || !bound->num_statements) return false;
  for (size_t i = 0; i < bound->num_statements; i++)
    if (!statement_is_elementwise(bound, &bound->statements[i], operand, &reads_operand))
      return false;
  return reads_operand;
}

static dl_expr without_units(const dl_bound_statement *st, dl_expr index) {
  for (size_t i = 0; i < st->num_iterators; i++) {
    int64_t coefficient;
    dl_expr rest;
    bool drop = is_one(st->iterators[i].extent) && index->kind != DL_EXPR_DIM;
    if (drop && dl_expr_split_dim(index, (unsigned)i, &coefficient, &rest)) index = rest;
  }
  return index;
}

size_t dl_unit_iterator(const dl_bound_statement *st, dl_expr index, int64_t block) {
  index = without_units(st, index);
  for (size_t i = 0; i < st->num_iterators; i++) {
    int64_t coefficient;
    dl_expr rest;
    if (!dl_expr_split_dim(index, (unsigned)i, &coefficient, &rest)) continue;
    if (coefficient == 1 && dl_expr_is_multiple(rest, block)) return i;
  }
  return SIZE_MAX;
}

static bool same_sizes(const dl_bound_tensor *a, const dl_bound_tensor *b) {
  bool same = a->rank == b->rank;
  for (size_t d = 0; same && d < a->rank; d++) same = a->sizes[d] == b->sizes[d];
  return same;
}

dl_value *dl_copied_operand(const dl_bound_spec *bound) {
  if (bound->num_statements != 1 || dl_num_results(bound->op) != 1) return NULL;
  const dl_bound_statement *st = &bound->statements[0];
  const dl_bound_tensor *target = &bound->tensors[st->target], *source = NULL;
  if (st->kind == DL_STATEMENT_RESHAPE) source = &bound->tensors[st->source];
  if (st->kind == DL_STATEMENT_COMPUTE && st->body->op == DL_SCALAR_READ && !st->combiner) {
    const dl_bound_read *read = &st->reads[st->body->read];
    source = &bound->tensors[read->tensor];
    bool in_place = same_sizes(source, target) && is_identity(st, target->rank) &&
                    reads_equally(bound, st, read);
    if (!in_place) return NULL;
  }
  if (!source || source->kind != DL_BOUND_OPERAND) return NULL;
  return dl_operand(bound->op, source->number);
}

static bool is_operand(const dl_bound_spec *bound, size_t tensor, size_t operand) {
  return bound->tensors[tensor].kind == DL_BOUND_OPERAND &&
         bound->tensors[tensor].number == operand;
}

static bool gathers_from(const dl_bound_spec *bound, const dl_scalar *scalar, size_t operand) {
  if (scalar->op == DL_SCALAR_GATHER && is_operand(bound, scalar->tensor, operand)) return true;
  for (size_t i = 0; i < scalar->num_args; i++)
    if (gathers_from(bound, scalar->args[i], operand)) return true;
  return false;
}

static bool statement_depends_on(const dl_bound_spec *bound, const dl_bound_statement *st,
                                 size_t operand) {
  if (st->kind == DL_STATEMENT_RESHAPE) return is_operand(bound, st->source, operand);
  for (size_t r = 0; r < st->num_reads; r++)
    if (is_operand(bound, st->reads[r].tensor, operand)) return true;
  if (st->kind == DL_STATEMENT_COMPUTE) return gathers_from(bound, st->body, operand);
  for (size_t i = 0; i < st->num_elements; i++)
    if (gathers_from(bound, st->elements[i], operand)) return true;
  return false;
}

bool dl_depends_on(const dl_bound_spec *bound, size_t operand) {
  for (size_t i = 0; i < bound->num_symbols; i++) {
    const dl_bound_symbol *symbol = &bound->symbols[i];
    if (symbol->kind != DL_SYMBOL_COMPUTED && symbol->operand == operand) return true;
    if (symbol->kind == DL_SYMBOL_COMPUTED && gathers_from(bound, symbol->value, operand))
      return true;
  }
  for (size_t r = 0; r < bound->num_reads; r++)
    if (is_operand(bound, bound->reads[r].tensor, operand)) return true;
  for (size_t i = 0; i < bound->num_statements; i++)
    if (statement_depends_on(bound, &bound->statements[i], operand)) return true;
  return false;
}
