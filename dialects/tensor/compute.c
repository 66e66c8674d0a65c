#include "dialects/tensor/compute.h"

#include <math.h>

#include "dialects/tensor/tensor_ops.h"

bool dl_combiner_parse(dl_str name, dl_combiner *combiner) {
  for (dl_combiner c = DL_COMBINE_SUM; c <= DL_COMBINE_OR; c++) {
    if (!dl_str_is(name, dl_combiner_name(c))) continue;
    *combiner = c;
    return true;
  }
  return false;
}

dl_type dl_compute_scalar_type(dl_type element) {
  bool has_sign = dl_is_integer(element) && element->signedness != DL_SIGNLESS;
  return has_sign ? dl_int_type(element->ctx, element->width) : element;
}

dl_attr dl_signless_attr(dl_attr value) {
  dl_type type = dl_compute_scalar_type(value->type);
  return type == value->type ? value : dl_int_attr(type, value->integer);
}

// The bits of the smallest (largest) value of an integer type, in dl_int_attr's terms. Booleans are ordered
// false, true.
static int64_t integer_bound(dl_type type, bool largest) {
  if (type->width == 1) return largest;
  unsigned width = type->width > 64 ? 64 : type->width;
  if (type->signedness == DL_UNSIGNED) return largest ? (int64_t)(~0ull >> (64 - width)) : 0;
  int64_t max = (int64_t)(~0ull >> (65 - width));
  return largest ? max : -max - 1;
}

dl_attr dl_combiner_identity(dl_combiner combiner, dl_type scalar) {
  bool largest = combiner == DL_COMBINE_MIN;
  switch (combiner) {
    case DL_COMBINE_MAX:
    case DL_COMBINE_MIN:
      if (dl_is_float(scalar)) return dl_float_attr(scalar, largest ? INFINITY : -INFINITY);
      if (dl_is_index(scalar)) return dl_int_attr(scalar, largest ? INT64_MAX : INT64_MIN);
      return dl_int_attr(scalar, integer_bound(scalar, largest));
    case DL_COMBINE_AND:
      return dl_int_attr(scalar, dl_is_integer(scalar) && scalar->width == 1 ? 1 : -1);
    default:
      break;
  }
  int64_t value = combiner == DL_COMBINE_PROD;
  return dl_is_float(scalar) ? dl_float_attr(scalar, (double)value) : dl_int_attr(scalar, value);
}

static size_t segment(const dl_op *op, size_t i) {
  size_t count;
  dl_operand_group(op, i, &count);
  return count;
}

size_t dl_compute_num_inputs(const dl_op *op) { return segment(op, 0); }
size_t dl_compute_num_captures(const dl_op *op) { return segment(op, 1); }

static dl_value *const *copy_operands(const dl_op *op, size_t first, size_t count,
                                      dl_arena *arena) {
  dl_value **values = dl_arena_alloc(arena, (count + 1) * sizeof(dl_value *));
  for (size_t i = 0; i < count; i++) values[i] = dl_operand(op, first + i);
  return values;
}

static dl_map map_attr(const dl_op *op, const char *name) {
  dl_attr attr = dl_get_attr(op, name);
  return attr ? attr->map : NULL;
}

static void read_inputs(const dl_op *op, dl_compute *c, dl_arena *arena) {
  dl_attr maps = dl_get_attr(op, "in_maps"), otherwise = dl_get_attr(op, "in_else");
  dl_map *in_maps = dl_arena_alloc(arena, (c->num_inputs + 1) * sizeof(dl_map));
  dl_attr *in_else = dl_arena_alloc(arena, (c->num_inputs + 1) * sizeof(dl_attr));
  for (size_t i = 0; i < c->num_inputs; i++) {
    in_maps[i] = maps->elements[i]->map;
    bool in_range = otherwise->elements[i]->kind == DL_ATTR_UNIT;
    in_else[i] = in_range ? NULL : otherwise->elements[i];
  }
  c->in_maps = in_maps;
  c->in_else = in_else;
}

dl_compute dl_compute_read(const dl_op *op, dl_arena *arena) {
  dl_context *ctx = dl_op_context(op);
  dl_attr names = dl_get_attr(op, "iterators");
  dl_compute c = {
      .label = dl_intern(ctx, dl_get_str(op, "label")),
      .num_inputs = segment(op, 0),
      .num_captures = segment(op, 1),
      .num_symbols = segment(op, 2),
      .num_iterators = names->count,
      .num_parallel = (size_t)dl_get_i64(op, "parallel", 0),
      .sizes = map_attr(op, "sizes"),
      .out_map = map_attr(op, "out_map"),
      .shape = map_attr(op, "shape"),
      .init = dl_get_attr(op, "init"),
      .where = dl_get_attr(op, "where"),
      .result = dl_value_type(dl_result(op, 0)),
  };
  c.inputs = copy_operands(op, 0, c.num_inputs, arena);
  c.captures = copy_operands(op, c.num_inputs, c.num_captures, arena);
  c.symbols = copy_operands(op, c.num_inputs + c.num_captures, c.num_symbols, arena);
  dl_ident *iterators = dl_arena_alloc(arena, (c.num_iterators + 1) * sizeof(dl_ident));
  for (size_t i = 0; i < c.num_iterators; i++)
    iterators[i] = dl_intern(ctx, names->elements[i]->bytes);
  c.iterators = iterators;
  dl_combiner_parse(dl_get_str(op, "combiner"), &c.combiner);
  read_inputs(op, &c, arena);
  return c;
}

typedef DL_VEC(dl_named_attr) attr_list;

static void add_attr(dl_context *ctx, attr_list *attrs, const char *name, dl_attr value) {
  if (value) DL_PUSH(attrs, (dl_named_attr){dl_intern_z(ctx, name), value});
}

static dl_attr names_attr(dl_context *ctx, const dl_compute *c) {
  dl_attr *names = dl_malloc((c->num_iterators + 1) * sizeof(dl_attr));
  for (size_t i = 0; i < c->num_iterators; i++) names[i] = dl_string_attr_z(ctx, c->iterators[i]);
  dl_attr array = dl_array_attr(ctx, c->num_iterators, names);
  free(names);
  return array;
}

static void add_input_attrs(dl_context *ctx, attr_list *attrs, const dl_compute *c) {
  dl_attr *maps = dl_malloc((c->num_inputs + 1) * sizeof(dl_attr));
  dl_attr *otherwise = dl_malloc((c->num_inputs + 1) * sizeof(dl_attr));
  for (size_t i = 0; i < c->num_inputs; i++) {
    maps[i] = dl_affine_map_attr(c->in_maps[i]);
    otherwise[i] = c->in_else && c->in_else[i] ? c->in_else[i] : dl_unit_attr(ctx);
  }
  add_attr(ctx, attrs, "in_maps", dl_array_attr(ctx, c->num_inputs, maps));
  add_attr(ctx, attrs, "in_else", dl_array_attr(ctx, c->num_inputs, otherwise));
  free(maps);
  free(otherwise);
}

static attr_list compute_attrs(dl_context *ctx, const dl_compute *c) {
  attr_list attrs = {0};
  int32_t segments[] = {(int32_t)c->num_inputs, (int32_t)c->num_captures, (int32_t)c->num_symbols};
  add_attr(ctx, &attrs, "label", dl_string_attr_z(ctx, c->label));
  add_attr(ctx, &attrs, "operandSegmentSizes", dl_i32_array_attr(ctx, 3, segments));
  add_attr(ctx, &attrs, "iterators", names_attr(ctx, c));
  add_attr(ctx, &attrs, "parallel", dl_i64_attr(ctx, (int64_t)c->num_parallel));
  add_attr(ctx, &attrs, "sizes", dl_affine_map_attr(c->sizes));
  add_input_attrs(ctx, &attrs, c);
  add_attr(ctx, &attrs, "out_map", dl_affine_map_attr(c->out_map));
  if (c->shape) add_attr(ctx, &attrs, "shape", dl_affine_map_attr(c->shape));
  if (c->combiner) {
    add_attr(ctx, &attrs, "combiner", dl_string_attr_z(ctx, dl_combiner_name(c->combiner)));
    add_attr(ctx, &attrs, "init", c->init);
  }
  add_attr(ctx, &attrs, "where", c->where);
  return attrs;
}

static void append_values(dl_value **to, size_t *count, size_t num, dl_value *const *values) {
  for (size_t i = 0; i < num; i++) to[(*count)++] = values[i];
}

dl_op *dl_compute_build(dl_builder *b, const dl_compute *c) {
  size_t count = 0, total = c->num_inputs + c->num_captures + c->num_symbols;
  dl_value **operands = dl_malloc((total + 1) * sizeof(dl_value *));
  append_values(operands, &count, c->num_inputs, c->inputs);
  append_values(operands, &count, c->num_captures, c->captures);
  append_values(operands, &count, c->num_symbols, c->symbols);
  attr_list attrs = compute_attrs(b->ctx, c);
  dl_op *op = dl_build(b, &(dl_op_state){.def = &tensor_compute,
                                         .num_operands = count,
                                         .operands = operands,
                                         .num_results = 1,
                                         .result_types = &c->result,
                                         .num_attrs = attrs.len,
                                         .attrs = attrs.data,
                                         .num_regions = 1});
  dl_block *body = dl_block_create(b->ctx);
  dl_block_append(dl_op_region(op, 0), body);
  for (size_t i = 0; i < c->num_inputs; i++)
    dl_add_arg(body, dl_compute_scalar_type(dl_value_type(c->inputs[i])->element), dl_op_loc(op));
  DL_VEC_FREE(&attrs);
  free(operands);
  return op;
}

dl_block *dl_compute_body(const dl_op *op) { return dl_region_first(dl_op_region(op, 0)); }

dl_value *dl_compute_yielded(const dl_op *op) {
  return dl_operand(dl_block_terminator(dl_compute_body(op)), 0);
}

void dl_compute_ranges(const dl_compute *c, dl_range *ranges) {
  for (size_t i = 0; i < c->num_iterators; i++) {
    dl_expr size = c->sizes->results[i];
    ranges[i] = (dl_range){0, size->kind == DL_EXPR_CONST ? size->value - 1 : INT64_MAX};
  }
}

void dl_compute_symbol_ranges(const dl_compute *c, dl_range *ranges) {
  for (size_t i = 0; i < c->num_symbols; i++) ranges[i] = (dl_range){0, INT64_MAX};
}
