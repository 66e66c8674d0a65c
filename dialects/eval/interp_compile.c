#include "dialects/eval/interp_internal.h"
#include "dialects/loop/loop.h"
#include "dialects/tensor/tensor_ops.h"

static size_t lanes_of(dl_type type) {
  if (type->kind != DL_TYPE_VECTOR) return 1;
  int64_t count = dl_num_elements(type);
  return count < 0 ? 0 : (size_t)count;
}

static bool describe(dl_type type, dl_place *place) {
  *place = (dl_place){.type = type, .lanes = 1};
  if (dl_is_tensor(type)) {
    place->kind = DL_PLACE_TENSOR;
    place->bytes = sizeof(dl_ndarray *);
  } else if (dl_is_loop_ptr(type)) {
    place->kind = DL_PLACE_POINTER;
    place->bytes = sizeof(dl_pointer);
  } else {
    dl_lane lane = dl_lane_of(dl_element_type(type));
    place->kind = DL_PLACE_LANES;
    place->lanes = lanes_of(type);
    place->bytes = (uint32_t)(place->lanes * dl_lane_bytes(lane));
    return lane != DL_LANE_NONE && place->lanes > 0;
  }
  return true;
}

uint32_t dl_add_scratch(dl_compiler *c, size_t bytes) {
  uint32_t offset = c->frame_bytes;
  c->frame_bytes += (uint32_t)((bytes + 15) & ~(size_t)15);
  return offset;
}

static dl_status add_place(dl_compiler *c, const dl_value *value, dl_place *place) {
  if (!describe(dl_value_type(value), place))
    return dl_error(dl_value_loc(value), "the interpreter has no values of this type");
  place->offset = dl_add_scratch(c, place->bytes);
  if (place->kind == DL_PLACE_TENSOR) DL_PUSH(&c->tensors, *place);
  dl_place *kept = dl_arena_alloc(c->arena, sizeof(*kept));
  *kept = *place;
  dl_ptr_map_set(&c->places, value, kept);
  return DL_OK;
}

static dl_place *alloc_places(dl_compiler *c, size_t count) {
  return dl_arena_alloc(c->arena, count * sizeof(dl_place) + 1);
}

static dl_place *operand_places(dl_compiler *c, const dl_op *op) {
  dl_place *places = alloc_places(c, dl_num_operands(op));
  for (size_t i = 0; i < dl_num_operands(op); i++)
    places[i] = *(dl_place *)dl_ptr_map_get(&c->places, dl_operand(op, i));
  return places;
}

// The op in `block` that holds the use.
static const dl_op *user_in(const dl_block *block, const dl_op *user) {
  while (dl_op_block(user) != block) user = dl_op_parent(user);
  return user;
}

static const dl_op *last_user(const dl_value *value, const dl_op *def) {
  const dl_op *last = def;
  for (dl_use *use = dl_first_use(value); use; use = dl_next_use(use)) {
    const dl_op *user = user_in(dl_op_block(def), dl_use_owner(use));
    if (dl_op_is_before(last, user)) last = user;
  }
  return last;
}

// Tensors of this block that no op after `op` uses; the terminator's operands stay.
static void find_dead(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  instr->dead = alloc_places(c, instr->num_operands + instr->num_results);
  for (size_t i = 0; i < instr->num_operands + instr->num_results; i++) {
    bool is_result = i >= instr->num_operands;
    const dl_value *value = is_result ? dl_result(op, i - instr->num_operands) : dl_operand(op, i);
    const dl_op *def = dl_value_def(value);
    if (!dl_is_tensor(dl_value_type(value)) || !def || dl_op_block(def) != dl_op_block(op))
      continue;
    dl_place *place = dl_ptr_map_get(&c->places, value);
    if (last_user(value, def) == op) instr->dead[instr->num_dead++] = *place;
  }
}

static dl_status compile_block(dl_compiler *c, dl_block *block, dl_code *code);

static dl_status compile_instr(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  *instr = (dl_instr){.op = op,
                      .num_operands = dl_num_operands(op),
                      .num_results = dl_num_results(op),
                      .num_regions = dl_num_regions(op)};
  instr->operands = operand_places(c, op);
  instr->results = alloc_places(c, instr->num_results);
  for (size_t i = 0; i < instr->num_results; i++)
    DL_TRY(add_place(c, dl_result(op, i), &instr->results[i]));
  find_dead(c, op, instr);
  if (dl_is(op, tensor_compute)) return dl_prepare(c, op, instr);  // its body is no code of its own
  instr->regions = dl_arena_alloc(c->arena, instr->num_regions * sizeof(dl_code) + 1);
  for (size_t i = 0; i < instr->num_regions; i++) {
    dl_block *block = dl_region_first(dl_op_region(op, i));
    if (block) DL_TRY(compile_block(c, block, &instr->regions[i]));
  }
  return dl_prepare(c, op, instr);
}

static dl_status compile_block(dl_compiler *c, dl_block *block, dl_code *code) {
  if (dl_block_next(block))
    return dl_op_error(dl_block_parent(block),
                       "has several blocks, which the interpreter does not run");
  code->num_args = dl_num_args(block);
  code->args = alloc_places(c, code->num_args);
  for (size_t i = 0; i < code->num_args; i++)
    DL_TRY(add_place(c, dl_arg(block, i), &code->args[i]));
  size_t count = 0;
  DL_FOR_OPS(op, block) { count++; }
  code->instrs = dl_arena_alloc(c->arena, count * sizeof(dl_instr) + 1);
  for (dl_op *op = dl_block_first(block); op != dl_block_last(block); op = dl_op_next(op))
    DL_TRY(compile_instr(c, op, &code->instrs[code->num_instrs++]));
  const dl_op *end = dl_block_last(block);
  code->num_ends = dl_num_operands(end);
  code->ends = operand_places(c, end);
  return DL_OK;
}

static dl_status compile(dl_compiler *c, dl_op *op, dl_compiled *function) {
  dl_block *block = dl_num_regions(op) ? dl_region_first(dl_op_region(op, 0)) : NULL;
  if (!block) return dl_op_error(op, "has no body to run");
  function->op = op;
  DL_TRY(compile_block(c, block, &function->body));
  function->frame_bytes = c->frame_bytes;
  function->num_tensors = c->tensors.len;
  function->tensors = alloc_places(c, c->tensors.len);
  if (c->tensors.len) memcpy(function->tensors, c->tensors.data, c->tensors.len * sizeof(dl_place));
  return DL_OK;
}

dl_status dl_compile_function(dl_interp *interp, dl_op *op, const dl_compiled **compiled) {
  *compiled = dl_ptr_map_get(&interp->functions, op);
  if (*compiled) return DL_OK;
  dl_compiler c = {.interp = interp, .arena = interp->arena};
  dl_compiled *function = dl_arena_alloc(interp->arena, sizeof(*function));
  dl_status status = compile(&c, op, function);
  if (status == DL_OK) dl_ptr_map_set(&interp->functions, op, function);
  *compiled = function;
  dl_ptr_map_free(&c.places);
  DL_VEC_FREE(&c.tensors);
  return status;
}

// --- index expressions ---

static void compile_expr(dl_compiler *c, dl_expr expr, size_t first, size_t count,
                         dl_index_expr *out) {
  int64_t *coefficients = dl_arena_alloc(c->arena, count * sizeof(int64_t) + 1);
  *out = (dl_index_expr){.expr = expr, .first = first, .count = count};
  for (size_t i = 0; i < count; i++) {
    if (!dl_expr_split_dim(expr, (unsigned)i, &coefficients[i], &expr)) return;
  }
  if (expr->kind != DL_EXPR_CONST) return;
  out->coefficients = coefficients;
  out->constant = expr->value;
}

dl_status dl_add_exprs(dl_compiler *c, const dl_op *op, dl_instr *instr, const char *name,
                       size_t group) {
  dl_attr attr = dl_get_attr(op, name);
  size_t count, first = dl_operand_group(op, group, &count);
  if (!attr || attr->kind != DL_ATTR_MAP || attr->map->num_dims != count || attr->map->num_symbols)
    return dl_op_error(op, "needs the map '%s' over its operands", name);
  size_t total = instr->num_exprs + attr->map->num_results;
  dl_index_expr *exprs = dl_arena_alloc(c->arena, total * sizeof(*exprs) + 1);
  if (instr->num_exprs) memcpy(exprs, instr->exprs, instr->num_exprs * sizeof(*exprs));
  for (size_t i = 0; i < attr->map->num_results; i++)
    compile_expr(c, attr->map->results[i], first, count, &exprs[instr->num_exprs + i]);
  instr->exprs = exprs;
  instr->num_exprs = total;
  return DL_OK;
}

static dl_status eval_general(const dl_frame *frame, const dl_instr *instr,
                              const dl_index_expr *expr, int64_t *value) {
  int64_t few[16] = {0}, *dims = few;
  if (expr->count > DL_COUNT(few)) dims = dl_malloc(expr->count * sizeof(*dims));
  for (size_t i = 0; i < expr->count; i++)
    dims[i] = dl_place_int(frame, instr->operands[expr->first + i]);
  bool known = dl_expr_eval(expr->expr, dims, NULL, value);
  if (dims != few) free(dims);
  return known
             ? DL_OK
             : dl_op_error(instr->op, "has an index without value (division by zero or overflow)");
}

dl_status dl_eval_index(const dl_frame *frame, const dl_instr *instr, size_t i, int64_t *value) {
  const dl_index_expr *expr = &instr->exprs[i];
  if (!expr->coefficients) return eval_general(frame, instr, expr, value);
  uint64_t sum = (uint64_t)expr->constant;
  for (size_t k = 0; k < expr->count; k++) {
    int64_t operand = dl_place_int(frame, instr->operands[expr->first + k]);
    sum += (uint64_t)expr->coefficients[k] * (uint64_t)operand;
  }
  *value = (int64_t)sum;
  return DL_OK;
}
