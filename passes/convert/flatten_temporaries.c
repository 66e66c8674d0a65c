#include "passes/convert/flatten_temporaries.h"

typedef struct flattener {
  dl_arena *arena;
  dl_bound_spec bound;  // a copy whose tensors and statements may be changed
  dl_bound_tensor *tensors;
  dl_bound_statement *statements;
} flattener;

static bool is_identity(const dl_expr *indices, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (indices[i]->kind != DL_EXPR_DIM || indices[i]->value != (int64_t)i) return false;
  return true;
}

static const dl_bound_read *read_of(const dl_bound_statement *st, size_t tensor, size_t *count) {
  const dl_bound_read *found = NULL;
  for (size_t r = 0; r < st->num_reads; r++) {
    if (st->reads[r].tensor != tensor) continue;
    found = &st->reads[r];
    ++*count;
  }
  return found;
}

static bool gathers_from(const dl_scalar *scalar, size_t tensor) {
  if (scalar->op == DL_SCALAR_GATHER && scalar->tensor == tensor) return true;
  for (size_t i = 0; i < scalar->num_args; i++)
    if (gathers_from(scalar->args[i], tensor)) return true;
  return false;
}

// The only statement that uses the temporary, if it reads it once, point by point.
static dl_bound_statement *point_reader(flattener *f, const dl_bound_statement *writer) {
  size_t rank = f->bound.tensors[writer->target].rank, count = 0;
  dl_bound_statement *reader = NULL;
  for (size_t i = 0; i < f->bound.num_statements; i++) {
    dl_bound_statement *st = &f->statements[i];
    if (st->kind == DL_STATEMENT_RESHAPE && st->source == writer->target) return NULL;
    if (st->kind != DL_STATEMENT_COMPUTE) continue;
    if (gathers_from(st->body, writer->target)) return NULL;
    const dl_bound_read *read = read_of(st, writer->target, &count);
    if (!read) continue;
    bool by_point = st->num_iterators == rank && st->num_parallel == rank && !read->otherwise;
    if (!by_point || !is_identity(read->indices, rank)) return NULL;
    reader = st;
  }
  return count == 1 ? reader : NULL;
}

static bool same_extents(const dl_bound_statement *a, const dl_bound_statement *b, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (a->iterators[i].extent != b->iterators[i].extent) return false;
  return true;
}

static void flatten(flattener *f, dl_bound_statement *writer) {
  size_t t = writer->target, rank = f->tensors[t].rank;
  bool computes = writer->kind == DL_STATEMENT_COMPUTE && f->tensors[t].kind == DL_BOUND_TEMPORARY;
  if (!computes || writer->num_parallel != rank || !is_identity(writer->out, rank)) return;
  dl_bound_statement *reader = point_reader(f, writer);
  if (!reader || !same_extents(writer, reader, rank)) return;
  const dl_bound_tensor *result = &f->tensors[reader->target];
  f->tensors[t].rank = result->rank;
  f->tensors[t].sizes = result->sizes;
  writer->out = reader->out;
  dl_bound_read *reads = dl_arena_alloc(f->arena, (reader->num_reads + 1) * sizeof *reads);
  memcpy(reads, reader->reads, reader->num_reads * sizeof *reads);
  for (size_t r = 0; r < reader->num_reads; r++)
    if (reads[r].tensor == t) reads[r].indices = reader->out;
  reader->reads = reads;
}

const dl_bound_spec *dl_flatten_temporaries(const dl_bound_spec *bound, dl_arena *arena) {
  if (bound->num_statements < 2) return bound;
  flattener *f = dl_arena_alloc(arena, sizeof *f);
  f->arena = arena;
  f->bound = *bound;
  f->tensors = dl_arena_alloc(arena, bound->num_tensors * sizeof *f->tensors);
  f->statements = dl_arena_alloc(arena, bound->num_statements * sizeof *f->statements);
  memcpy(f->tensors, bound->tensors, bound->num_tensors * sizeof *f->tensors);
  memcpy(f->statements, bound->statements, bound->num_statements * sizeof *f->statements);
  f->bound.tensors = f->tensors;
  f->bound.statements = f->statements;
  for (size_t i = bound->num_statements; i-- > 0;) flatten(f, &f->statements[i]);
  return &f->bound;
}
