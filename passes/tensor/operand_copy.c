#include "passes/tensor/operand_copy.h"

#include "dialects/machine.h"
#include "dialects/schedule.h"
#include "dialects/tensor/group.h"
#include "dialects/tensor/tensor_ops.h"

// --- the range of an index ---

typedef struct bounds {
  dl_expr first, last;  // over the symbols
} bounds;

static dl_expr substitute_one(const dl_compute *c, dl_expr expr, unsigned iterator, dl_expr value,
                              dl_arena *arena) {
  dl_expr *dims = dl_arena_alloc(arena, (c->num_iterators + 1) * sizeof(dl_expr));
  dims[iterator] = value;
  return dl_expr_substitute(expr, c->num_iterators, dims, 0, NULL);
}

// Ends of an index whose iterators have extents that are not all known.
static bool symbolic_bounds(const dl_compute *c, dl_expr index, dl_arena *arena, bounds *out) {
  dl_context *ctx = index->ctx;
  *out = (bounds){index, index};
  for (unsigned i = 0; i < c->num_iterators; i++) {
    int64_t coefficient;
    dl_expr rest, zero = dl_expr_const(ctx, 0);
    dl_expr last = dl_expr_add_const(c->sizes->results[i], -1);
    if (!dl_expr_uses_dim(index, i)) continue;
    if (!dl_expr_split_dim(index, i, &coefficient, &rest)) return false;
    out->first = substitute_one(c, out->first, i, coefficient > 0 ? zero : last, arena);
    out->last = substitute_one(c, out->last, i, coefficient > 0 ? last : zero, arena);
  }
  return true;
}

static bool index_bounds(const dl_compute *c, dl_expr index, dl_arena *arena, bounds *out) {
  dl_range *iterators = dl_arena_alloc(arena, (c->num_iterators + 1) * sizeof(dl_range));
  dl_range *symbols = dl_arena_alloc(arena, (c->num_symbols + 1) * sizeof(dl_range));
  dl_compute_ranges(c, iterators);
  dl_compute_symbol_ranges(c, symbols);
  dl_range range = dl_expr_range(index, iterators, c->num_iterators, symbols, c->num_symbols);
  if (range.min == INT64_MIN || range.max == INT64_MAX)
    return symbolic_bounds(c, index, arena, out);
  *out = (bounds){dl_expr_const(index->ctx, range.min), dl_expr_const(index->ctx, range.max)};
  return true;
}

static bool inside(const bounds *b, int64_t size) {
  bool known = b->first->kind == DL_EXPR_CONST && b->last->kind == DL_EXPR_CONST;
  return known && size != DL_DYNAMIC && b->first->value >= 0 && b->last->value < size;
}

bool dl_reads_outside(const dl_op *compute, size_t input) {
  dl_arena *arena = dl_arena_create();
  dl_compute c = dl_compute_read(compute, arena);
  bool outside = false;
  dl_map map = c.in_maps[input];
  for (size_t d = 0; d < map->num_results && c.in_else[input]; d++) {
    bounds b;
    int64_t size = dl_value_type(c.inputs[input])->shape[d];
    outside |= !index_bounds(&c, map->results[d], arena, &b) || !inside(&b, size);
  }
  dl_arena_destroy(arena);
  return outside;
}

// --- the copy ---

static bool label_taken(const dl_block *block, dl_ident label) {
  DL_FOR_OPS(op, block) {
    if (dl_is(op, tensor_compute) && dl_str_is(dl_get_str(op, "label"), label)) return true;
  }
  return false;
}

static dl_ident copy_label(const dl_op *compute, const dl_compute *c, size_t input) {
  dl_context *ctx = dl_op_context(compute);
  dl_ident label = dl_intern_f(ctx, "%s_in%zu", c->label, input);
  while (label_taken(dl_op_block(compute), label)) label = dl_intern_f(ctx, "%s_", label);
  return label;
}

static dl_attr zero_of(dl_type element) {
  return dl_combiner_identity(DL_COMBINE_SUM, dl_compute_scalar_type(element));
}

typedef struct copying {
  dl_context *ctx;
  dl_arena *arena;
  dl_op *compute;
  dl_compute c;
  size_t input, rank;
  bounds *bounds;
} copying;

static dl_map map_of(const copying *f, unsigned dims, const dl_expr *results) {
  return dl_affine_map(f->ctx, dims, (unsigned)f->c.num_symbols, f->rank, results);
}

static dl_op *build_copy(const copying *f, dl_ident label) {
  dl_value *source = f->c.inputs[f->input];
  dl_type type = dl_value_type(source);
  size_t bytes = (f->rank + 1) * sizeof(dl_expr);
  dl_expr *sizes = dl_arena_alloc(f->arena, bytes), *at = dl_arena_alloc(f->arena, bytes);
  dl_expr *own = dl_arena_alloc(f->arena, bytes);
  dl_ident *names = dl_arena_alloc(f->arena, (f->rank + 1) * sizeof(dl_ident));
  int64_t *shape = dl_arena_alloc(f->arena, (f->rank + 1) * sizeof(int64_t));
  bool whole = true, constant = true;
  for (size_t d = 0; d < f->rank; d++) {
    const bounds *b = &f->bounds[d];
    sizes[d] = dl_expr_add_const(dl_expr_sub(b->last, b->first), 1);
    shape[d] = sizes[d]->kind == DL_EXPR_CONST ? sizes[d]->value : DL_DYNAMIC;
    own[d] = dl_expr_dim(f->ctx, (unsigned)d);
    at[d] = dl_expr_add(own[d], b->first);
    names[d] = dl_intern_f(f->ctx, "i%zu", d);
    whole &= inside(b, type->shape[d]);
    constant &= shape[d] != DL_DYNAMIC;
  }
  dl_attr otherwise = f->c.in_else[f->input];
  if (!otherwise) otherwise = zero_of(type->element);
  if (whole) otherwise = NULL;
  dl_map read = map_of(f, (unsigned)f->rank, at);
  dl_compute copy = {.label = label,
                     .num_inputs = 1,
                     .num_symbols = f->c.num_symbols,
                     .inputs = &source,
                     .symbols = f->c.symbols,
                     .num_iterators = f->rank,
                     .num_parallel = f->rank,
                     .iterators = names,
                     .sizes = map_of(f, 0, sizes),
                     .in_maps = &read,
                     .in_else = &otherwise,
                     .out_map = map_of(f, (unsigned)f->rank, own),
                     .shape = constant ? NULL : map_of(f, 0, sizes),
                     .result = dl_tensor_type(type->element, f->rank, shape, NULL)};
  dl_builder b = dl_builder_before(f->compute);
  dl_op *op = dl_compute_build(&b, &copy);
  dl_block *body = dl_compute_body(op);
  dl_builder end = dl_builder_at_end(body, b.loc);
  dl_value *element = dl_arg(body, 0);
  dl_build(&end, &(dl_op_state){.def = &tensor_yield, .num_operands = 1, .operands = &element});
  return op;
}

static void replace_element(dl_op *op, const char *name, size_t i, dl_attr element) {
  DL_VEC(dl_attr) elements = {0};
  dl_attr array = dl_get_attr(op, name);
  for (size_t e = 0; e < array->count; e++)
    DL_PUSH(&elements, e == i ? element : array->elements[e]);
  dl_set_attr(op, name, dl_array_attr(dl_op_context(op), elements.len, elements.data));
  DL_VEC_FREE(&elements);
}

static void read_copy(const copying *f, dl_op *copy) {
  dl_map map = f->c.in_maps[f->input];
  dl_expr *indices = dl_arena_alloc(f->arena, (f->rank + 1) * sizeof(dl_expr));
  for (size_t d = 0; d < f->rank; d++)
    indices[d] = dl_expr_sub(map->results[d], f->bounds[d].first);
  dl_map shifted = map_of(f, map->num_dims, indices);
  replace_element(f->compute, "in_maps", f->input, dl_affine_map_attr(shifted));
  replace_element(f->compute, "in_else", f->input, dl_unit_attr(f->ctx));
  dl_set_operand(f->compute, f->input, dl_result(copy, 0));
}

dl_ident dl_copy_operand(dl_loc loc, dl_op *compute, size_t input) {
  copying f = {.ctx = dl_op_context(compute),
               .arena = dl_arena_create(),
               .compute = compute,
               .input = input};
  f.c = dl_compute_read(compute, f.arena);
  f.rank = f.c.in_maps[input]->num_results;
  f.bounds = dl_arena_alloc(f.arena, (f.rank + 1) * sizeof(bounds));
  dl_ident label = copy_label(compute, &f.c, input);
  for (size_t d = 0; d < f.rank && label; d++) {
    if (index_bounds(&f.c, f.c.in_maps[input]->results[d], f.arena, &f.bounds[d])) continue;
    dl_error(loc, "which elements @%s reads of its input %zu is not known", f.c.label, input);
    label = NULL;
  }
  if (label) read_copy(&f, build_copy(&f, label));
  dl_arena_destroy(f.arena);
  return label;
}

// --- schedules ---

static void bind_all(dl_context *ctx, dl_ident label, size_t rank, dl_attr_list *out) {
  for (size_t d = 0; d < rank; d++) {
    const char *word = d + 1 < rank ? "group" : "lane";
    DL_PUSH(out, dl_prim_bind(ctx, dl_intern_f(ctx, "%s.i%zu", label, d), word));
  }
}

void dl_schedule_copy(const dl_op *compute, size_t input, dl_ident label, bool spread,
                      dl_attr_list *out) {
  dl_context *ctx = dl_op_context(compute);
  dl_type type = dl_value_type(dl_operand(compute, input));
  dl_machine machine = dl_machine_of(compute);
  int64_t lanes = dl_machine_lanes(&machine, dl_compute_scalar_type(type->element));
  if (type->rank && machine.subgroup_size && spread) bind_all(ctx, label, type->rank, out);
  if (type->rank == 0 || machine.subgroup_size) return;
  dl_ident last = dl_intern_f(ctx, "%s.i%zu", label, type->rank - 1);
  dl_ident lane = dl_intern_f(ctx, "%s.in", last), first = dl_intern_f(ctx, "%s.i0", label);
  if (lanes > 1) {
    DL_PUSH(out, dl_prim_tile(ctx, last, lanes, DL_REMAINDER_MASK));
    DL_PUSH(out, dl_prim_names(ctx, DL_PRIM_VECTORIZE, 1, &lane));
  }
  if (!spread || type->rank < 2) return;
  dl_ident outer[] = {first, dl_intern_f(ctx, "%s.i1", label)};
  DL_PUSH(out, dl_prim_names(ctx, DL_PRIM_PARALLEL, type->rank > 2 ? 2 : 1, outer));
}

static const char *property_of(const dl_op *op) {
  return dl_is(op, tensor_group) ? "schedule" : "tensor.schedule";
}

typedef struct visitor {
  dl_pass *pass;
  dl_change_schedule change;
  dl_status status;
} visitor;

static bool visit(dl_op *op, void *user) {
  visitor *v = user;
  bool kernel = dl_has_trait(op, DL_FUNCTION) && dl_get_attr(op, "tensor.kernel");
  if (!kernel && !dl_is(op, tensor_group)) return true;
  const dl_block *body = kernel ? dl_region_first(dl_op_region(op, 0)) : dl_group_body(op);
  dl_attr schedule = dl_get_attr(op, property_of(op));
  if (schedule && v->change(v->pass, op, schedule, body) != DL_OK) v->status = DL_FAILED;
  return true;
}

dl_status dl_for_schedules(dl_pass *pass, dl_op *root, dl_change_schedule change) {
  visitor v = {pass, change, DL_OK};
  dl_walk(root, visit, &v);
  return v.status;
}

void dl_set_schedule(dl_op *op, const dl_attr_list *primitives) {
  dl_set_attr(op, property_of(op),
              dl_schedule_attr(dl_op_context(op), primitives->len, primitives->data));
}
