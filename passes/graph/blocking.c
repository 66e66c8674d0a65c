#include "passes/graph/blocking.h"

#include "passes/graph/structure.h"

static bool *flag(const dl_blocking *b, size_t tensor, size_t dim) {
  return &b->blocked[tensor * DL_LAYOUT_MAX_DIMS + dim];
}

static dl_blocking no_blocking(const dl_bound_spec *bound, int64_t block, dl_arena *arena) {
  size_t flags = (bound->num_tensors + 1) * DL_LAYOUT_MAX_DIMS;
  return (dl_blocking){.bound = bound,
                       .block = block,
                       .blocked = dl_arena_alloc(arena, flags * sizeof(bool)),
                       .weight = SIZE_MAX};
}

static int64_t constant_size(dl_expr size) {
  return size->kind == DL_EXPR_CONST ? size->value : -1;
}

static bool has_small_ranks(const dl_bound_spec *bound) {
  for (size_t t = 0; t < bound->num_tensors; t++)
    if (bound->tensors[t].rank > DL_LAYOUT_MAX_DIMS) return false;
  return true;
}

// --- continuing a blocking through the statements ---

typedef struct access {
  size_t tensor;
  const dl_expr *indices;
  dl_attr otherwise;
} access;

// Access 0 is the write of the target, the others are the reads.
static access access_of(const dl_bound_statement *st, size_t i) {
  if (i == 0) return (access){st->target, st->out, NULL};
  const dl_bound_read *read = &st->reads[i - 1];
  return (access){read->tensor, read->indices, read->otherwise};
}

static bool runs_along(const dl_bound_statement *st, const access *a, size_t dim, size_t iterator,
                       int64_t block) {
  return dl_unit_iterator(st, a->indices[dim], block) == iterator;
}

// Blocks every dimension along which the iterator runs. Returns whether that is new for some.
static bool block_iterator(dl_blocking *b, const dl_bound_statement *st, size_t iterator) {
  bool changed = false;
  for (size_t i = 0; i <= st->num_reads; i++) {
    access a = access_of(st, i);
    for (size_t d = 0; d < b->bound->tensors[a.tensor].rank; d++) {
      if (*flag(b, a.tensor, d) || !runs_along(st, &a, d, iterator, b->block)) continue;
      *flag(b, a.tensor, d) = changed = true;
    }
  }
  return changed;
}

static bool spread_in(dl_blocking *b, const dl_bound_statement *st) {
  bool changed = false;
  for (size_t i = 0; i <= st->num_reads; i++) {
    access a = access_of(st, i);
    for (size_t d = 0; d < b->bound->tensors[a.tensor].rank; d++) {
      size_t iterator =
          *flag(b, a.tensor, d) ? dl_unit_iterator(st, a.indices[d], b->block) : SIZE_MAX;
      if (iterator != SIZE_MAX) changed |= block_iterator(b, st, iterator);
    }
  }
  return changed;
}

// A blocked dimension is static, and an index into it runs along it in step, or is constant. Lanes
// beyond its size hold zeros, which must be what a read there is to give.
static bool fits(const dl_blocking *b, const dl_bound_statement *st, const access *a, size_t dim) {
  int64_t size = constant_size(b->bound->tensors[a->tensor].sizes[dim]);
  dl_expr index = a->indices[dim];
  if (size < 0) return false;
  if (index->kind == DL_EXPR_CONST) return true;
  if (dl_unit_iterator(st, index, b->block) == SIZE_MAX) return false;
  return size % b->block == 0 || index->kind == DL_EXPR_DIM || !a->otherwise;
}

static bool has_gather_of(const dl_blocking *b, const dl_scalar *scalar) {
  for (size_t d = 0; scalar->op == DL_SCALAR_GATHER && d < b->bound->tensors[scalar->tensor].rank;
       d++)
    if (*flag(b, scalar->tensor, d)) return true;
  for (size_t i = 0; i < scalar->num_args; i++)
    if (has_gather_of(b, scalar->args[i])) return true;
  return false;
}

// A dimension that uses a blocked iterator in another way would be read lane by lane from several
// blocks.
static bool iterators_agree(const dl_blocking *b, const dl_bound_statement *st) {
  bool *split = dl_calloc(st->num_iterators + 1, sizeof(bool));
  bool agree = true;
  for (size_t i = 0; i <= st->num_reads; i++) {
    access a = access_of(st, i);
    for (size_t d = 0; d < b->bound->tensors[a.tensor].rank; d++) {
      if (!*flag(b, a.tensor, d)) continue;
      agree &= fits(b, st, &a, d);
      size_t iterator = dl_unit_iterator(st, a.indices[d], b->block);
      if (iterator != SIZE_MAX) split[iterator] = true;
    }
  }
  for (size_t i = 0; agree && i <= st->num_reads; i++) {
    access a = access_of(st, i);
    for (size_t d = 0; d < b->bound->tensors[a.tensor].rank; d++)
      for (size_t it = 0; it < st->num_iterators; it++)
        if (split[it] && !*flag(b, a.tensor, d) && dl_expr_uses_dim(a.indices[d], (unsigned)it))
          agree = false;
  }
  free(split);
  return agree;
}

static bool spread(dl_blocking *b) {
  const dl_bound_spec *bound = b->bound;
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < bound->num_statements; i++)
      changed |= spread_in(b, &bound->statements[i]);
  }
  for (size_t i = 0; i < bound->num_statements; i++) {
    const dl_bound_statement *st = &bound->statements[i];
    if (dl_is_table(st)) continue;
    if (st->kind != DL_STATEMENT_COMPUTE || has_gather_of(b, st->body)) return false;
    if (!iterators_agree(b, st)) return false;
  }
  return true;
}

// --- contractions ---

static bool is_product_of_reads(const dl_scalar *e) {
  if (e->op == DL_SCALAR_READ) return true;
  return e->op == DL_SCALAR_MUL && is_product_of_reads(e->args[0]) &&
         is_product_of_reads(e->args[1]);
}

typedef struct contraction {
  const dl_bound_statement *statement;
  access result, data, weight;
} contraction;

static bool find_contraction(const dl_bound_spec *bound, const bool *is_constant, contraction *c) {
  for (size_t i = 0; i < bound->num_statements; i++) {
    const dl_bound_statement *st = &bound->statements[i];
    if (st->kind != DL_STATEMENT_COMPUTE || st->combiner != DL_COMBINE_SUM || st->num_reads != 2)
      continue;
    bool first = is_constant[st->reads[0].tensor], second = is_constant[st->reads[1].tensor];
    if (!is_product_of_reads(st->body) || first == second) continue;
    *c = (contraction){st, access_of(st, 0), access_of(st, first ? 2 : 1),
                       access_of(st, first ? 1 : 2)};
    return true;
  }
  return false;
}

static size_t dim_along(const dl_blocking *b, const contraction *c, const access *a,
                        size_t iterator) {
  for (size_t d = 0; d < b->bound->tensors[a->tensor].rank; d++)
    if (runs_along(c->statement, a, d, iterator, b->block)) return d;
  return SIZE_MAX;
}

static int64_t extent_of(const contraction *c, size_t iterator) {
  return constant_size(c->statement->iterators[iterator].extent);
}

// The iterator that runs along a dimension of the result and of the weight; *dim is that of the
// result. With `batches`, it may run along one of the data too.
static size_t iterator_of_both(const dl_blocking *b, const contraction *c, bool batches,
                               size_t *dim) {
  for (size_t d = 0; d < b->bound->tensors[c->result.tensor].rank; d++) {
    size_t iterator = dl_unit_iterator(c->statement, c->result.indices[d], b->block);
    if (iterator == SIZE_MAX || dim_along(b, c, &c->weight, iterator) == SIZE_MAX) continue;
    if (!batches && dim_along(b, c, &c->data, iterator) != SIZE_MAX) continue;
    *dim = d;
    return iterator;
  }
  return SIZE_MAX;
}

// A matrix product per element of a batch has features beside the batch; where channels are
// convolved one by one, these are the batch.
static size_t feature_iterator(const dl_blocking *b, const contraction *c, size_t *dim) {
  size_t iterator = iterator_of_both(b, c, false, dim);
  return iterator == SIZE_MAX ? iterator_of_both(b, c, true, dim) : iterator;
}

// Blocks the channels that are summed over, where there are enough of them or the activation has
// them in blocks.
static void block_channels(dl_blocking *b, const contraction *c, const dl_layout *current) {
  const dl_bound_tensor *data = &b->bound->tensors[c->data.tensor];
  for (size_t d = 0; d < data->rank; d++) {
    size_t iterator = dl_unit_iterator(c->statement, c->data.indices[d], b->block);
    if (iterator == SIZE_MAX || iterator < c->statement->num_parallel) continue;
    size_t weight_dim = dim_along(b, c, &c->weight, iterator);
    bool in_blocks = data->kind == DL_BOUND_OPERAND && current[c->data.tensor].tile[d] == b->block;
    if (weight_dim == SIZE_MAX || (extent_of(c, iterator) < b->block && !in_blocks)) continue;
    *flag(b, c->data.tensor, d) = *flag(b, c->weight.tensor, weight_dim) = true;
  }
}

// The largest of block, block/2, … that divides the features of a result that itself is not
// blocked.
static int64_t dividing_block(int64_t block, int64_t features) {
  while (block > 1 && features % block) block /= 2;
  return block;
}

bool dl_block_contraction(const dl_bound_spec *bound, int64_t block, const dl_layout *current,
                          const bool *is_constant, dl_arena *arena, dl_blocking *blocking) {
  contraction c;
  size_t dim;
  if (!has_small_ranks(bound) || !find_contraction(bound, is_constant, &c)) return false;
  dl_blocking b = no_blocking(bound, block, arena);
  size_t feature = feature_iterator(&b, &c, &dim);
  if (feature == SIZE_MAX || extent_of(&c, feature) < block) return false;
  b.weight = c.weight.tensor;
  b.feature = dim_along(&b, &c, &c.weight, feature);
  *flag(&b, b.weight, b.feature) = true;
  if (bound->tensors[c.result.tensor].rank < 3) {
    b.block = dividing_block(block, extent_of(&c, feature));
    *blocking = b;
    return b.block >= 4;
  }
  *flag(&b, c.result.tensor, dim) = true;
  block_channels(&b, &c, current);
  *blocking = b;
  return spread(&b);
}

// --- other ops ---

bool dl_block_alike(const dl_bound_spec *bound, int64_t block, const dl_layout *current,
                    const bool *is_constant, dl_arena *arena, dl_blocking *blocking) {
  if (!has_small_ranks(bound)) return false;
  *blocking = no_blocking(bound, block, arena);
  bool any = false;
  for (size_t t = 0; t < bound->num_tensors; t++) {
    if (bound->tensors[t].kind != DL_BOUND_OPERAND || is_constant[t]) continue;
    for (size_t d = 0; d < current[t].rank; d++)
      any |= *flag(blocking, t, d) = current[t].tile[d] == block;
  }
  return any && spread(blocking);
}

// --- keywords ---

// The letter that dl_layout_parse gives dimension `dim` of a tensor.
static char letter(size_t rank, size_t dim, bool weight, size_t feature) {
  static const char *const activations[] = {"NCW", "NCHW", "NCDHW"}, *const weights[] = {
                                                                         "OIW", "OIHW", "OIDHW"};
  bool named = rank >= 3 && rank <= 5;
  if (named && weight && feature == 0) return weights[rank - 3][dim];
  return named && !weight ? activations[rank - 3][dim] : (char)('A' + dim);
}

static void put_block(dl_buffer *text, int64_t block, char c) {
  dl_buffer_printf(text, "%ld%c", (long)block, c - 'A' + 'a');
}

dl_ident dl_blocked_layout(const dl_blocking *b, size_t tensor, bool is_constant) {
  size_t rank = b->bound->tensors[tensor].rank, feature = tensor == b->weight ? b->feature : 0;
  dl_buffer text = {0};
  bool any = false;
  for (size_t d = 0; d < rank; d++) any |= *flag(b, tensor, d);
  if (!any) return NULL;
  dl_buffer_putc(&text, letter(rank, feature, is_constant, feature));
  for (size_t d = 0; d < rank; d++)
    if (d != feature) dl_buffer_putc(&text, letter(rank, d, is_constant, feature));
  for (size_t d = 0; d < rank; d++)
    if (d != feature && *flag(b, tensor, d))
      put_block(&text, b->block, letter(rank, d, is_constant, feature));
  if (*flag(b, tensor, feature))
    put_block(&text, b->block, letter(rank, feature, is_constant, feature));
  dl_ident keyword = dl_intern(dl_op_context(b->bound->op), (dl_str){text.data, text.len});
  dl_buffer_free(&text);
  return keyword;
}
