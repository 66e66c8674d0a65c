// tensor-fuse: in each kernel function and group, evaluates elementwise computes where they are
// read, so that their results need no memory: a producer's body goes in front of its consumer's,
// its inputs are read at the indices composed of both maps. A consumer's `else` value, and the zero
// outside of a producer's domain, replace what the producer computes, by a predicate where that is
// needed; then only consumers without a reduction take it in, since predicates in inner loops cost
// more than a pass over memory. Contract: exact.
//
// When it pays: the consumer evaluates the producer once for each of its points. Where these read
// different elements each, no work is added. Else the producer may only move elements, which costs
// what reading its result does; a reduction that reads an element once per output channel repeats
// scalar arithmetic that the pass over memory does once, in vectors.
//
// What follows a reduction stays a compute of its own: the conversion to loops runs it on
// accumulators.
#include "dialects/arith/arith.h"
#include "dialects/arith/arith_ops.h"
#include "dialects/index_math.h"
#include "dialects/tensor/compute.h"
#include "dialects/tensor/group.h"
#include "dialects/tensor/tensor_ops.h"
#include "ir/pass.h"
#include "ir/steps.h"

enum { CMPI_SGE = 5 };

typedef DL_VEC(dl_expr) expr_list;

typedef struct fused_input {
  dl_value *tensor;
  dl_map map;
  dl_attr otherwise;
} fused_input;

// One of the two computes on the way into the fused one.
typedef struct side {
  dl_op *op;
  dl_compute c;
  dl_expr *symbols;  // over those of the fused compute
  size_t *inputs;    // their numbers in the fused compute
} side;

typedef struct fusion {
  dl_context *ctx;
  dl_arena *arena;
  side producer, consumer;
  size_t input;  // of the consumer; others that read the same elements are fused with it
  dl_expr *at;   // the producer's iterators, over the consumer's and the fused symbols
  dl_range *iterator_ranges, *symbol_ranges;
  dl_value **symbols;
  size_t num_symbols;
  DL_VEC(fused_input) inputs;
  expr_list inside;  // not negative: the consumer's indices are in range
  expr_list domain;  // not negative: the point is in the producer's domain
} fusion;

// --- symbols and expressions ---

static dl_expr symbol_of(fusion *f, dl_value *value) {
  size_t i = 0;
  while (i < f->num_symbols && f->symbols[i] != value) i++;
  if (i == f->num_symbols) f->symbols[f->num_symbols++] = value;
  return dl_expr_symbol(f->ctx, (unsigned)i);
}

static void read_side(fusion *f, side *s, dl_op *op) {
  s->op = op;
  s->c = dl_compute_read(op, f->arena);
  s->symbols = dl_arena_alloc(f->arena, (s->c.num_symbols + 1) * sizeof(dl_expr));
  s->inputs = dl_arena_alloc(f->arena, (s->c.num_inputs + 1) * sizeof(size_t));
}

static void merge_symbols(fusion *f) {
  side *sides[] = {&f->consumer, &f->producer};
  size_t most = f->consumer.c.num_symbols + f->producer.c.num_symbols;
  f->symbols = dl_arena_alloc(f->arena, (most + 1) * sizeof(dl_value *));
  for (size_t s = 0; s < DL_COUNT(sides); s++) {
    for (size_t i = 0; i < sides[s]->c.num_symbols; i++)
      sides[s]->symbols[i] = symbol_of(f, sides[s]->c.symbols[i]);
  }
}

static dl_expr rebase(const fusion *f, const side *s, dl_expr expr) {
  bool producer = s == &f->producer;
  expr = dl_expr_substitute(expr, producer ? s->c.num_iterators : 0, producer ? f->at : NULL,
                            s->c.num_symbols, s->symbols);
  return dl_expr_simplify(expr, f->iterator_ranges, f->consumer.c.num_iterators, f->symbol_ranges,
                          f->num_symbols);
}

// A map of one of the sides as one of the fused compute, over that many of its iterators.
static dl_map rebase_map(const fusion *f, const side *s, dl_map map, size_t num_dims) {
  if (!map) return NULL;
  dl_expr *results = dl_arena_alloc(f->arena, (map->num_results + 1) * sizeof(dl_expr));
  for (size_t i = 0; i < map->num_results; i++) results[i] = rebase(f, s, map->results[i]);
  return dl_affine_map(f->ctx, (unsigned)num_dims, (unsigned)f->num_symbols, map->num_results,
                       results);
}

static bool not_negative(const fusion *f, dl_expr expr) {
  return dl_expr_range(expr, f->iterator_ranges, f->consumer.c.num_iterators, f->symbol_ranges,
                       f->num_symbols)
             .min >= 0;
}

// Whether an index is below a size; an iterator is below its extent, even when that is symbolic.
static bool is_below(const fusion *f, dl_expr index, dl_expr size) {
  const side *consumer = &f->consumer;
  bool iterator = index->kind == DL_EXPR_DIM;
  if (iterator && rebase(f, consumer, consumer->c.sizes->results[index->value]) == size)
    return true;
  return not_negative(f, dl_expr_add_const(dl_expr_sub(size, index), -1));
}

// --- whether and how ---

// The iterators at which the producer makes the element read. Its indices have to be distinct
// iterators, or 0 in dimensions of one element.
static bool find_iterators(fusion *f) {
  const dl_compute *p = &f->producer.c;
  dl_map read = f->consumer.c.in_maps[f->input];
  f->at = dl_arena_alloc(f->arena, (p->num_iterators + 1) * sizeof(dl_expr));
  for (size_t r = 0; r < p->out_map->num_results; r++) {
    dl_expr index = p->out_map->results[r];
    if (index->kind == DL_EXPR_CONST && index->value == 0) continue;
    if (index->kind != DL_EXPR_DIM || f->at[index->value]) return false;
    f->at[index->value] = rebase(f, &f->consumer, read->results[r]);
  }
  for (size_t i = 0; i < p->num_iterators; i++) {
    dl_expr extent = p->sizes->results[i];
    if (f->at[i]) continue;
    if (extent->kind != DL_EXPR_CONST || extent->value != 1) return false;
    f->at[i] = dl_expr_const(f->ctx, 0);
  }
  return true;
}

static dl_expr result_size(const fusion *f, size_t dim) {
  const dl_compute *p = &f->producer.c;
  int64_t size = p->result->shape[dim];
  if (size != DL_DYNAMIC) return dl_expr_const(f->ctx, size);
  return rebase(f, &f->producer, p->shape->results[dim]);
}

static void find_inside(fusion *f) {
  const side *consumer = &f->consumer;
  if (!consumer->c.in_else[f->input]) return;
  dl_map map = consumer->c.in_maps[f->input];
  for (size_t d = 0; d < map->num_results; d++) {
    dl_expr index = rebase(f, consumer, map->results[d]), size = result_size(f, d);
    if (!not_negative(f, index)) DL_PUSH(&f->inside, index);
    if (!is_below(f, index, size))
      DL_PUSH(&f->inside, dl_expr_add_const(dl_expr_sub(size, index), -1));
  }
}

static bool consumer_demands(const fusion *f, dl_expr constraint) {
  dl_attr where = f->consumer.c.where;
  for (size_t i = 0; where && i < where->map->num_results; i++) {
    if (rebase(f, &f->consumer, where->map->results[i]) == constraint) return true;
  }
  return false;
}

static void find_domain(fusion *f) {
  dl_attr where = f->producer.c.where;
  for (size_t i = 0; where && i < where->map->num_results; i++) {
    dl_expr constraint = rebase(f, &f->producer, where->map->results[i]);
    dl_expr negated = dl_expr_mul_const(constraint, -1);
    bool equality = where->is_equality[i];
    if (consumer_demands(f, constraint)) continue;
    if (!not_negative(f, constraint)) DL_PUSH(&f->domain, constraint);
    if (equality && !not_negative(f, negated)) DL_PUSH(&f->domain, negated);
  }
}

static bool may_trap(const dl_op *compute) {
  DL_FOR_OPS(op, dl_compute_body(compute)) {
    if (dl_has_trait(op, DL_MAY_TRAP)) return true;
  }
  return false;
}

// Whether the producer may be evaluated for points at which it has no value.
static bool can_be_guarded(const fusion *f) {
  return !f->consumer.c.combiner && !f->producer.c.num_captures && !may_trap(f->producer.op);
}

// Whether the consumer's points read different elements each.
static bool reads_once(const fusion *f) {
  const dl_compute *c = &f->consumer.c;
  dl_map map = c->in_maps[f->input];
  for (size_t i = 0; i < c->num_iterators; i++) {
    dl_expr extent = c->sizes->results[i];
    bool used = extent->kind == DL_EXPR_CONST && extent->value == 1;
    for (size_t r = 0; r < map->num_results; r++)
      used |= dl_expr_uses_dim(map->results[r], (unsigned)i);
    if (!used) return false;
  }
  return true;
}

static bool moves_only(const dl_op *compute) {
  dl_block *body = dl_compute_body(compute);
  return dl_block_first(body) == dl_block_last(body) && dl_compute_num_inputs(compute) == 1;
}

// Decides everything but whether other users of the producer's result agree.
static bool plan(fusion *f) {
  const dl_compute *p = &f->producer.c, *c = &f->consumer.c;
  f->iterator_ranges = dl_arena_alloc(f->arena, (c->num_iterators + 1) * sizeof(dl_range));
  dl_compute_ranges(c, f->iterator_ranges);
  merge_symbols(f);
  f->symbol_ranges = dl_arena_alloc(f->arena, (f->num_symbols + 1) * sizeof(dl_range));
  for (size_t i = 0; i < f->num_symbols; i++) f->symbol_ranges[i] = (dl_range){0, INT64_MAX};
  if (p->combiner || !find_iterators(f)) return false;
  find_inside(f);
  find_domain(f);
  bool guarded = f->inside.len || f->domain.len;
  if (guarded && !can_be_guarded(f)) return false;
  return moves_only(f->producer.op) || reads_once(f);
}

static void open_fusion(fusion *f, dl_op *producer, dl_op *consumer, size_t input) {
  *f = (fusion){.ctx = dl_op_context(consumer), .arena = dl_arena_create(), .input = input};
  read_side(f, &f->producer, producer);
  read_side(f, &f->consumer, consumer);
}

static void close_fusion(fusion *f) {
  DL_VEC_FREE(&f->inputs);
  DL_VEC_FREE(&f->inside);
  DL_VEC_FREE(&f->domain);
  dl_arena_destroy(f->arena);
}

// --- the fused compute ---

static size_t add_input(fusion *f, fused_input input) {
  for (size_t i = 0; i < f->inputs.len; i++) {
    const fused_input *known = &f->inputs.data[i];
    if (known->tensor == input.tensor && known->map == input.map &&
        known->otherwise == input.otherwise)
      return i;
  }
  DL_PUSH(&f->inputs, input);
  return f->inputs.len - 1;
}

static bool is_fused(const fusion *f, size_t input) {
  const dl_compute *c = &f->consumer.c;
  return c->inputs[input] == c->inputs[f->input] && c->in_maps[input] == c->in_maps[f->input] &&
         c->in_else[input] == c->in_else[f->input];
}

static bool is_in_range(const fusion *f, const dl_value *tensor, dl_map map) {
  dl_type type = dl_value_type(tensor);
  for (size_t d = 0; d < map->num_results; d++) {
    if (type->shape[d] == DL_DYNAMIC || !not_negative(f, map->results[d])) return false;
    if (!is_below(f, map->results[d], dl_expr_const(f->ctx, type->shape[d]))) return false;
  }
  return true;
}

static dl_attr zero_of(dl_type tensor) {
  return dl_combiner_identity(DL_COMBINE_SUM, dl_compute_scalar_type(tensor->element));
}

// Where the predicate does not hold, the producer's indices may be out of range: any value will do
// there.
static void add_producer_inputs(fusion *f) {
  side *p = &f->producer;
  bool guarded = f->inside.len || f->domain.len;
  for (size_t i = 0; i < p->c.num_inputs; i++) {
    dl_value *tensor = p->c.inputs[i];
    dl_map map = rebase_map(f, p, p->c.in_maps[i], f->consumer.c.num_iterators);
    dl_attr otherwise = p->c.in_else[i];
    if (guarded && !otherwise && !is_in_range(f, tensor, map))
      otherwise = zero_of(dl_value_type(tensor));
    p->inputs[i] = add_input(f, (fused_input){tensor, map, otherwise});
  }
}

static void add_inputs(fusion *f) {
  side *c = &f->consumer;
  for (size_t i = 0; i < c->c.num_inputs; i++) {
    if (i == f->input) {
      add_producer_inputs(f);
    } else if (!is_fused(f, i)) {
      dl_map map = rebase_map(f, c, c->c.in_maps[i], c->c.num_iterators);
      c->inputs[i] = add_input(f, (fused_input){c->c.inputs[i], map, c->c.in_else[i]});
    }
  }
}

static void set_inputs(fusion *f, dl_compute *out) {
  size_t count = f->inputs.len;
  dl_value **tensors = dl_arena_alloc(f->arena, (count + 1) * sizeof(dl_value *));
  dl_map *maps = dl_arena_alloc(f->arena, (count + 1) * sizeof(dl_map));
  dl_attr *otherwise = dl_arena_alloc(f->arena, (count + 1) * sizeof(dl_attr));
  for (size_t i = 0; i < count; i++) {
    tensors[i] = f->inputs.data[i].tensor;
    maps[i] = f->inputs.data[i].map;
    otherwise[i] = f->inputs.data[i].otherwise;
  }
  out->num_inputs = count;
  out->inputs = tensors;
  out->in_maps = maps;
  out->in_else = otherwise;
}

static void set_captures(fusion *f, dl_compute *out) {
  const side *sides[] = {&f->consumer, &f->producer};
  size_t most = f->consumer.c.num_captures + f->producer.c.num_captures, count = 0;
  dl_value **captures = dl_arena_alloc(f->arena, (most + 1) * sizeof(dl_value *));
  for (size_t s = 0; s < DL_COUNT(sides); s++) {
    for (size_t i = 0; i < sides[s]->c.num_captures; i++) {
      size_t known = 0;
      while (known < count && captures[known] != sides[s]->c.captures[i]) known++;
      if (known == count) captures[count++] = sides[s]->c.captures[i];
    }
  }
  out->num_captures = count;
  out->captures = captures;
}

static dl_op *build_header(fusion *f, dl_builder *b) {
  const side *c = &f->consumer;
  dl_compute out = c->c;
  add_inputs(f);
  set_inputs(f, &out);
  set_captures(f, &out);
  out.num_symbols = f->num_symbols;
  out.symbols = f->symbols;
  out.sizes = rebase_map(f, c, c->c.sizes, 0);
  out.out_map = rebase_map(f, c, c->c.out_map, c->c.num_parallel);
  out.shape = rebase_map(f, c, c->c.shape, 0);
  if (c->c.where) {
    dl_map set = rebase_map(f, c, c->c.where->map, c->c.num_iterators);
    out.where = dl_affine_set_attr(set, c->c.where->is_equality);
  }
  return dl_compute_build(b, &out);
}

// --- its body ---

static dl_value *build_value(dl_builder *b, const dl_op_def *def, size_t num_operands,
                             dl_value *const *operands, dl_type type, const char *name,
                             dl_attr attr) {
  dl_named_attr named = {name ? dl_intern_z(b->ctx, name) : NULL, attr};
  return dl_result(dl_build(b, &(dl_op_state){.def = def,
                                              .num_operands = num_operands,
                                              .operands = operands,
                                              .num_results = 1,
                                              .result_types = &type,
                                              .num_attrs = name != NULL,
                                              .attrs = &named}),
                   0);
}

static dl_value *index_value(const fusion *f, dl_builder *b, dl_expr expr) {
  const dl_compute *c = &f->consumer.c;
  dl_value **dims = dl_arena_alloc(f->arena, (c->num_iterators + 1) * sizeof(dl_value *));
  for (size_t i = 0; i < c->num_iterators; i++) {
    if (!dl_expr_uses_dim(expr, (unsigned)i)) continue;
    dl_attr name = dl_string_attr_z(f->ctx, c->iterators[i]);
    dims[i] = build_value(b, &tensor_iterator, 0, NULL, dl_index_type(f->ctx), "name", name);
  }
  return dl_expr_to_arith(b, expr, dims, f->symbols);
}

// The value where all conditions hold, else the constant.
static dl_value *guard(const fusion *f, dl_builder *b, const expr_list *conditions, dl_value *value,
                       dl_attr otherwise) {
  dl_type i1 = dl_int_type(f->ctx, 1);
  dl_value *all = NULL;
  for (size_t i = 0; i < conditions->len; i++) {
    dl_value *pair[] = {index_value(f, b, conditions->data[i]), dl_index_constant(b, 0)};
    dl_attr predicate = dl_i64_attr(f->ctx, CMPI_SGE);
    dl_value *holds = build_value(b, &arith_cmpi, 2, pair, i1, "predicate", predicate);
    dl_value *both[] = {all, holds};
    all = all ? build_value(b, &arith_andi, 2, both, i1, NULL, NULL) : holds;
  }
  if (!all) return value;
  dl_value *operands[] = {all, value, dl_arith_constant(b, otherwise)};
  return build_value(b, &arith_select, 3, operands, dl_value_type(value), NULL, NULL);
}

static dl_value *mapped(const dl_ptr_map *values, dl_value *value) {
  dl_value *to = dl_ptr_map_get(values, value);
  return to ? to : value;
}

static dl_value *build_producer(const fusion *f, dl_builder *b, dl_block *body) {
  const side *p = &f->producer;
  dl_block *from = dl_compute_body(p->op);
  dl_ptr_map values = {0};
  for (size_t i = 0; i < p->c.num_inputs; i++)
    dl_ptr_map_set(&values, dl_arg(from, i), dl_arg(body, p->inputs[i]));
  DL_FOR_OPS(op, from) {
    if (dl_is(op, tensor_yield)) continue;
    if (!dl_is(op, tensor_iterator)) {
      dl_builder_insert(b, dl_op_clone(op, &values));
      continue;
    }
    size_t i = 0;
    while (!dl_str_is(dl_get_str(op, "name"), p->c.iterators[i])) i++;
    dl_ptr_map_set(&values, dl_result(op, 0), index_value(f, b, f->at[i]));
  }
  dl_value *value = mapped(&values, dl_compute_yielded(p->op));
  dl_ptr_map_free(&values);
  value = guard(f, b, &f->domain, value, zero_of(p->c.result));
  return guard(f, b, &f->inside, value, f->consumer.c.in_else[f->input]);
}

static void build_consumer(const fusion *f, dl_builder *b, dl_block *body, dl_value *produced) {
  const side *c = &f->consumer;
  dl_block *from = dl_compute_body(c->op);
  dl_ptr_map values = {0};
  for (size_t i = 0; i < c->c.num_inputs; i++) {
    dl_value *to = is_fused(f, i) ? produced : dl_arg(body, c->inputs[i]);
    dl_ptr_map_set(&values, dl_arg(from, i), to);
  }
  DL_FOR_OPS(op, from) dl_builder_insert(b, dl_op_clone(op, &values));
  dl_ptr_map_free(&values);
}

static dl_op *build_fused(fusion *f) {
  dl_builder b = dl_builder_before(f->consumer.op);
  dl_loc locs[] = {dl_op_loc(f->producer.op), dl_op_loc(f->consumer.op)};
  if (locs[0] != locs[1]) b.loc = dl_loc_fused(f->ctx, 2, locs, NULL);
  dl_op *fused = build_header(f, &b);
  dl_block *body = dl_compute_body(fused);
  dl_builder end = dl_builder_at_end(body, b.loc);
  build_consumer(f, &end, body, build_producer(f, &end, body));
  return fused;
}

// --- the pass ---

static dl_op *producer_of(dl_op *consumer, size_t input) {
  dl_op *def = dl_value_def(dl_operand(consumer, input));
  return def && dl_is(def, tensor_compute) && dl_op_block(def) == dl_op_block(consumer) ? def
                                                                                        : NULL;
}

// Several readers each evaluate the producer: it must only move elements, and none may need its
// result.
static bool other_readers_agree(const fusion *f) {
  dl_op *producer = f->producer.op;
  bool others = false, agree = true;
  for (dl_use *use = dl_first_use(dl_result(producer, 0)); use && agree; use = dl_next_use(use)) {
    dl_op *reader = dl_use_owner(use);
    size_t input = dl_use_index(use);
    if (!dl_is(reader, tensor_compute) || input >= dl_compute_num_inputs(reader)) return false;
    if (reader == f->consumer.op && is_fused(f, input)) continue;
    fusion other;
    open_fusion(&other, producer, reader, input);
    agree = plan(&other);
    close_fusion(&other);
    others = true;
  }
  return agree && (!others || moves_only(producer));
}

// Returns the fused compute in place of the consumer, or NULL.
static dl_op *fuse_input(dl_op *consumer, size_t input) {
  dl_op *producer = producer_of(consumer, input), *fused = NULL;
  if (!producer) return NULL;
  fusion f;
  open_fusion(&f, producer, consumer, input);
  if (plan(&f) && other_readers_agree(&f) && dl_may_step(consumer, "fuse")) {
    fused = build_fused(&f);
    dl_value *result = dl_result(fused, 0);
    dl_value_set_name(result, dl_value_name(dl_result(consumer, 0)));
    dl_op_replace(consumer, 1, &result);
    if (!dl_has_uses(dl_result(producer, 0))) dl_op_erase(producer);
  }
  close_fusion(&f);
  return fused;
}

// Consumers last to first, so that a value with two readers has one by the time they are one
// compute.
static void fuse_block(dl_pass *pass, dl_block *block) {
  for (dl_op *op = dl_block_last(block); op; op = dl_op_prev(op)) {
    if (!dl_is(op, tensor_compute)) continue;
    for (size_t i = 0; i < dl_compute_num_inputs(op);) {
      dl_op *fused = fuse_input(op, i);
      if (!fused) {
        i++;
        continue;
      }
      op = fused;
      i = 0;
      dl_count(pass, "fused", 1);
      dl_pass_changed(pass);
    }
  }
}

static bool visit_group(dl_op *op, void *user) {
  if (dl_is(op, tensor_group) && !dl_get_attr(op, "schedule")) fuse_block(user, dl_group_body(op));
  return true;
}

// A schedule names computes as they are: what has one stays.
static dl_status run(dl_pass *pass, dl_op *func) {
  if (dl_region_empty(dl_op_region(func, 0))) return DL_OK;
  if (!dl_get_attr(func, "tensor.kernel")) {
    dl_walk(func, visit_group, pass);
  } else if (!dl_get_attr(func, "tensor.schedule")) {
    fuse_block(pass, dl_region_first(dl_op_region(func, 0)));
  }
  return DL_OK;
}

static const char *const statistics[] = {"fused"};

const dl_pass_def dl_pass_tensor_fuse = {
    .name = "tensor-fuse",
    .summary = "Evaluate elementwise computes where they are read",
    .anchor = "func.func",
    .contract = DL_EXACT,
    .num_statistics = DL_COUNT(statistics),
    .statistics = statistics,
    .run = run};
