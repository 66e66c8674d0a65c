#include "dialects/loop/loop.h"
#include "dialects/loop/loop_ops.h"

#define MAX_SEGMENTS 4

dl_type dl_loop_ptr_type(dl_type element) {
  dl_context *ctx = element->ctx;
  dl_attr param = dl_type_attr(element);
  return dl_dialect_type(ctx, dl_intern_z(ctx, "loop"), dl_intern_z(ctx, "ptr"), 1, &param);
}

bool dl_is_loop_ptr(dl_type type) {
  return dl_is_dialect_type(type, "loop", "ptr") && type->num_params == 1 &&
         type->params[0]->kind == DL_ATTR_TYPE;
}

dl_type dl_loop_ptr_element(dl_type pointer) { return pointer->params[0]->type; }

dl_bound dl_bound_const(dl_context *ctx, int64_t value) {
  return (dl_bound){dl_constant_map(ctx, 1, &value), NULL};
}

dl_bound dl_bound_of(const dl_op *op, const char *name, size_t group, dl_arena *arena) {
  size_t count, first = dl_operand_group(op, group, &count);
  dl_value **operands = dl_arena_alloc(arena, (count + 1) * sizeof(dl_value *));
  for (size_t i = 0; i < count; i++) operands[i] = dl_operand(op, first + i);
  return (dl_bound){dl_get_attr(op, name)->map, operands};
}

// The pieces of an op under construction: operand groups and attributes in the order they are
// added.
typedef struct draft {
  dl_builder *b;
  DL_VEC(dl_value *) operands;
  int32_t segments[MAX_SEGMENTS];
  size_t num_segments;
  dl_named_attr attrs[MAX_SEGMENTS];
  size_t num_attrs;
} draft;

static void add_operands(draft *d, size_t count, dl_value *const *values) {
  for (size_t i = 0; i < count; i++) DL_PUSH(&d->operands, values[i]);
  d->segments[d->num_segments++] = (int32_t)count;
}

static void add_operand(draft *d, dl_value *value) { add_operands(d, value != NULL, &value); }

static void add_attr(draft *d, const char *name, dl_attr value) {
  d->attrs[d->num_attrs++] = (dl_named_attr){dl_intern_z(d->b->ctx, name), value};
}

static void add_bound(draft *d, const char *name, dl_bound bound) {
  add_operands(d, bound.map->num_dims, bound.operands);
  add_attr(d, name, dl_affine_map_attr(bound.map));
}

static void add_segments(draft *d) {
  add_attr(d, "operandSegmentSizes", dl_i32_array_attr(d->b->ctx, d->num_segments, d->segments));
}

static dl_op *finish(draft *d, const dl_op_def *def, size_t num_results, const dl_type *types) {
  dl_op *op = dl_build(d->b, &(dl_op_state){.def = def,
                                            .num_operands = d->operands.len,
                                            .operands = d->operands.data,
                                            .num_results = num_results,
                                            .result_types = types,
                                            .num_attrs = d->num_attrs,
                                            .attrs = d->attrs,
                                            .num_regions = def->num_regions});
  DL_VEC_FREE(&d->operands);
  return op;
}

static dl_value *finish_value(draft *d, const dl_op_def *def, dl_type type) {
  return dl_result(finish(d, def, 1, &type), 0);
}

static dl_block *add_block(dl_op *op, size_t region) {
  dl_block *block = dl_block_create(dl_op_context(op));
  dl_block_append(dl_op_region(op, region), block);
  return block;
}

dl_op *dl_build_loop_for(dl_builder *b, dl_bound lower, dl_bound upper, int64_t step,
                         size_t num_inits, dl_value *const *inits) {
  draft d = {.b = b};
  add_bound(&d, "lower", lower);
  add_bound(&d, "upper", upper);
  add_operands(&d, num_inits, inits);
  add_attr(&d, "step", dl_i64_attr(b->ctx, step));
  add_segments(&d);
  DL_VEC(dl_type) types = {0};
  for (size_t i = 0; i < num_inits; i++) DL_PUSH(&types, dl_value_type(inits[i]));
  dl_op *op = finish(&d, &loop_for, types.len, types.data);
  dl_block *body = add_block(op, 0);
  dl_add_arg(body, dl_index_type(b->ctx), b->loc);
  for (size_t i = 0; i < num_inits; i++) dl_add_arg(body, types.data[i], b->loc);
  DL_VEC_FREE(&types);
  return op;
}

dl_op *dl_build_loop_parallel(dl_builder *b, dl_bound upper) {
  draft d = {.b = b};
  add_bound(&d, "upper", upper);
  dl_op *op = finish(&d, &loop_parallel, 0, NULL);
  dl_block *body = add_block(op, 0);
  for (size_t i = 0; i < upper.map->num_results; i++) {
    dl_add_arg(body, dl_index_type(b->ctx), b->loc);
  }
  dl_builder inner = dl_builder_at_end(body, b->loc);
  dl_build_loop_yield(&inner, 0, NULL);
  return op;
}

dl_op *dl_build_loop_if(dl_builder *b, dl_value *condition, size_t num_results,
                        const dl_type *types, bool with_else) {
  draft d = {.b = b};
  add_operand(&d, condition);
  dl_op *op = finish(&d, &loop_if, num_results, types);
  add_block(op, 0);
  if (num_results || with_else) add_block(op, 1);
  return op;
}

void dl_build_loop_yield(dl_builder *b, size_t count, dl_value *const *values) {
  draft d = {.b = b};
  add_operands(&d, count, values);
  finish(&d, &loop_yield, 0, NULL);
}

dl_value *dl_build_loop_load(dl_builder *b, dl_type type, dl_value *pointer, dl_bound at,
                             dl_value *count) {
  draft d = {.b = b};
  add_operand(&d, pointer);
  add_bound(&d, "map", at);
  add_operand(&d, count);
  add_segments(&d);
  return finish_value(&d, &loop_load, type);
}

void dl_build_loop_store(dl_builder *b, dl_value *value, dl_value *pointer, dl_bound at,
                         dl_value *count) {
  draft d = {.b = b};
  add_operand(&d, value);
  add_operand(&d, pointer);
  add_bound(&d, "map", at);
  add_operand(&d, count);
  add_segments(&d);
  finish(&d, &loop_store, 0, NULL);
}

dl_value *dl_build_loop_gather(dl_builder *b, dl_type type, dl_value *pointer, dl_value *offsets,
                               dl_value *mask) {
  draft d = {.b = b};
  add_operand(&d, pointer);
  add_operand(&d, offsets);
  add_operand(&d, mask);
  return finish_value(&d, &loop_gather, type);
}

dl_value *dl_build_loop_splat(dl_builder *b, dl_value *scalar, int64_t lanes) {
  draft d = {.b = b};
  add_operand(&d, scalar);
  return finish_value(&d, &loop_splat, dl_vector_type(dl_value_type(scalar), 1, &lanes, NULL));
}

dl_value *dl_build_loop_repeat(dl_builder *b, dl_value *vector, int64_t times) {
  draft d = {.b = b};
  dl_type type = dl_value_type(vector);
  int64_t lanes = type->shape[0] * times;
  add_operand(&d, vector);
  return finish_value(&d, &loop_repeat, dl_vector_type(type->element, 1, &lanes, NULL));
}

dl_value *dl_build_loop_machine_op(dl_builder *b, dl_str name, dl_value *accumulator, dl_value *lhs,
                                   dl_value *rhs) {
  draft d = {.b = b};
  add_operand(&d, accumulator);
  add_operand(&d, lhs);
  add_operand(&d, rhs);
  add_attr(&d, "name", dl_string_attr(b->ctx, name));
  return finish_value(&d, &loop_machine_op, dl_value_type(accumulator));
}

dl_value *dl_build_loop_iota(dl_builder *b, int64_t lanes) {
  draft d = {.b = b};
  return finish_value(&d, &loop_iota, dl_vector_type(dl_index_type(b->ctx), 1, &lanes, NULL));
}

dl_value *dl_build_loop_reduce(dl_builder *b, const char *kind, dl_value *vector) {
  draft d = {.b = b};
  add_operand(&d, vector);
  add_attr(&d, "kind", dl_string_attr_z(b->ctx, kind));
  return finish_value(&d, &loop_reduce, dl_element_type(dl_value_type(vector)));
}

dl_value *dl_build_loop_apply(dl_builder *b, dl_bound at) {
  draft d = {.b = b};
  add_bound(&d, "map", at);
  return finish_value(&d, &loop_apply, dl_index_type(b->ctx));
}

dl_value *dl_build_loop_local(dl_builder *b, dl_type element, int64_t elements) {
  draft d = {.b = b};
  add_attr(&d, "elements", dl_i64_attr(b->ctx, elements));
  return finish_value(&d, &loop_local, dl_loop_ptr_type(element));
}

dl_value *dl_build_loop_constant(dl_builder *b, dl_attr value) {
  draft d = {.b = b};
  add_attr(&d, "value", value);
  return finish_value(&d, &loop_constant, dl_loop_ptr_type(value->type->element));
}

dl_value *dl_build_loop_alloc(dl_builder *b, dl_type element, dl_bound elements) {
  draft d = {.b = b};
  add_bound(&d, "elements", elements);
  return finish_value(&d, &loop_alloc, dl_loop_ptr_type(element));
}

dl_value *dl_build_loop_arena(dl_builder *b, dl_bound bytes) {
  draft d = {.b = b};
  add_bound(&d, "bytes", bytes);
  return finish_value(&d, &loop_arena, dl_loop_ptr_type(dl_int_type(b->ctx, 8)));
}

dl_value *dl_build_loop_slice(dl_builder *b, dl_type element, dl_value *arena, dl_bound bytes) {
  draft d = {.b = b};
  add_operand(&d, arena);
  add_bound(&d, "bytes", bytes);
  return finish_value(&d, &loop_slice, dl_loop_ptr_type(element));
}

dl_value *dl_build_loop_weight(dl_builder *b, dl_type element, int64_t index) {
  draft d = {.b = b};
  add_attr(&d, "index", dl_i64_attr(b->ctx, index));
  return finish_value(&d, &loop_weight, dl_loop_ptr_type(element));
}

void dl_build_loop_copy(dl_builder *b, dl_value *from, dl_value *to, dl_bound elements) {
  draft d = {.b = b};
  add_operand(&d, from);
  add_operand(&d, to);
  add_bound(&d, "elements", elements);
  finish(&d, &loop_copy, 0, NULL);
}

dl_op *dl_build_loop_launch(dl_builder *b, dl_ident callee, size_t num_arguments,
                            dl_value *const *arguments, dl_bound grid) {
  draft d = {.b = b};
  add_operands(&d, num_arguments, arguments);
  add_bound(&d, "grid", grid);
  add_attr(&d, "callee", dl_symbol_attr(b->ctx, callee));
  add_segments(&d);
  return finish(&d, &loop_launch, 0, NULL);
}
