// A kernel function: its tensors become pointers, its computes loop nests.
#include "dialects/arith/arith_ops.h"
#include "dialects/func/func_ops.h"
#include "dialects/tensor/tensor_ops.h"
#include "passes/convert/tensor_to_loop_internal.h"

dl_tensor_ref *dl_kernel_ref(const dl_kernel *k, const dl_value *tensor) {
  return dl_ptr_map_get(&k->refs, tensor);
}

dl_expr dl_kernel_expr(dl_kernel *k, const dl_value *index) {
  dl_expr known = dl_ptr_map_get(&k->exprs, index);
  if (known) return known;
  dl_attr constant = dl_constant_value(index);
  dl_expr expr =
      constant ? dl_expr_const(k->e.ctx, constant->integer)
               : dl_emit_dim(&k->e, dl_ptr_map_get(&k->scalars, index), (dl_range){0, INT64_MAX});
  dl_ptr_map_set(&k->exprs, index, (void *)expr);
  return expr;
}

dl_type dl_storage_type(dl_type element) {
  bool marked = dl_is_integer(element) && element->signedness != DL_SIGNLESS;
  return marked ? dl_int_type(element->ctx, element->width) : element;
}

// --- the function ---

static size_t num_dynamic(dl_type tensor) {
  size_t count = 0;
  for (size_t i = 0; i < tensor->rank; i++) count += tensor->shape[i] == DL_DYNAMIC;
  return count;
}

static dl_tensor_ref *add_ref(dl_kernel *k, const dl_value *tensor) {
  dl_tensor_ref *ref = dl_arena_alloc(k->arena, sizeof(*ref));
  ref->rank = dl_value_type(tensor)->rank;
  ref->sizes = dl_arena_alloc(k->arena, (ref->rank + 1) * sizeof(dl_expr));
  dl_ptr_map_set(&k->refs, tensor, ref);
  return ref;
}

typedef DL_VEC(dl_type) type_list;

static dl_type pointer_to(dl_type tensor) {
  return dl_loop_ptr_type(dl_storage_type(tensor->element));
}

// The types of the new function's arguments: each argument, a size per dynamic dimension of the
// tensors among them, a pointer per result.
static void signature(dl_type old, type_list *out) {
  for (size_t i = 0; i < old->num_inputs; i++) {
    dl_type type = old->inputs[i];
    DL_PUSH(out, dl_is_tensor(type) ? pointer_to(type) : type);
  }
  for (size_t i = 0; i < old->num_inputs; i++) {
    size_t count = dl_is_tensor(old->inputs[i]) ? num_dynamic(old->inputs[i]) : 0;
    for (size_t d = 0; d < count; d++) DL_PUSH(out, dl_index_type(old->ctx));
  }
  for (size_t i = 0; i < old->num_results; i++) DL_PUSH(out, pointer_to(old->results[i]));
}

static void create_function(dl_kernel *k) {
  dl_context *ctx = k->e.ctx;
  type_list types = {0};
  signature(dl_get_attr(k->source, "function_type")->type, &types);
  dl_type type = dl_function_type(ctx, types.len, types.data, 0, NULL);
  dl_named_attr attrs[] = {
      {dl_intern_z(ctx, "sym_name"), dl_get_attr(k->source, "sym_name")},
      {dl_intern_z(ctx, "sym_visibility"), dl_string_attr_z(ctx, "private")},
      {dl_intern_z(ctx, "function_type"), dl_type_attr(type)},
      {dl_intern_z(ctx, "tensor.kernel"), dl_unit_attr(ctx)},
  };
  dl_builder b = dl_builder_before(k->source);
  k->func = dl_build(
      &b, &(dl_op_state){
              .def = &func_func, .num_attrs = DL_COUNT(attrs), .attrs = attrs, .num_regions = 1});
  dl_block *body = dl_block_create(ctx);
  dl_block_append(dl_op_region(k->func, 0), body);
  dl_block *old = dl_region_first(dl_op_region(k->source, 0));
  for (size_t i = 0; i < types.len; i++) {
    dl_value *arg = dl_add_arg(body, types.data[i], dl_op_loc(k->source));
    if (i < dl_num_args(old)) dl_value_set_name(arg, dl_value_name(dl_arg(old, i)));
  }
  DL_VEC_FREE(&types);
  k->e.b = dl_builder_at_end(body, dl_op_loc(k->source));
}

static void bind_arguments(dl_kernel *k) {
  dl_block *old = k->block;
  dl_block *body = k->func ? dl_region_first(dl_op_region(k->func, 0)) : NULL;
  size_t next = dl_num_args(old);
  for (size_t i = 0; i < dl_num_args(old); i++) {
    dl_value *from = dl_arg(old, i), *to = body ? dl_arg(body, i) : NULL;
    dl_type type = dl_value_type(from);
    if (!dl_is_tensor(type)) {
      dl_ptr_map_set(&k->scalars, from, to);
      continue;
    }
    dl_tensor_ref *ref = add_ref(k, from);
    ref->pointer = to;
    for (size_t d = 0; d < type->rank; d++) {
      if (type->shape[d] != DL_DYNAMIC) {
        ref->sizes[d] = dl_expr_const(k->e.ctx, type->shape[d]);
        continue;
      }
      dl_value *size = body ? dl_arg(body, next++) : NULL;
      ref->sizes[d] = dl_emit_dim(&k->e, size, (dl_range){0, INT64_MAX});
    }
  }
}

// --- stages ---

static void add_borders(dl_kernel *k, dl_stage *s) {
  dl_range *iterators = dl_arena_alloc(k->arena, (s->c.num_iterators + 1) * sizeof(dl_range));
  dl_range *symbols = dl_arena_alloc(k->arena, (s->c.num_symbols + 1) * sizeof(dl_range));
  dl_compute_ranges(&s->c, iterators);
  dl_compute_symbol_ranges(&s->c, symbols);
  for (size_t i = 0; i < s->c.num_inputs; i++) {
    if (!s->c.in_else[i]) continue;
    dl_map map = s->c.in_maps[i];
    for (size_t d = 0; d < map->num_results; d++) {
      dl_range range =
          dl_expr_range(map->results[d], iterators, s->c.num_iterators, symbols, s->c.num_symbols);
      int64_t size = dl_value_type(s->c.inputs[i])->shape[d];
      if (range.min >= 0 && size != DL_DYNAMIC && range.max < size) continue;
      DL_PUSH(&s->borders, (dl_border){i, d, false});
    }
  }
}

static bool is_zero(dl_attr attr) {
  return attr->kind == DL_ATTR_FLOAT ? attr->number == 0 : attr->integer == 0;
}

// Whether the yielded value is zero when input i reads its `else` value, because that is zero and a
// factor.
static bool zero_factor(const dl_stage *s, const dl_value *value, size_t input) {
  const dl_op *op = dl_value_def(value);
  if (!op) return value == dl_arg(dl_compute_body(s->op), input) && is_zero(s->c.in_else[input]);
  if (!dl_is(op, arith_mulf) && !dl_is(op, arith_muli)) return false;
  return zero_factor(s, dl_operand(op, 0), input) || zero_factor(s, dl_operand(op, 1), input);
}

// A product with a factor that is read as zero counts as zero, whatever the other factor is: taps
// in the padding of a convolution are left out.
static bool vanishes(const dl_stage *s, size_t input) {
  if (!s->c.combiner || !s->c.in_else[input]) return false;
  dl_value *yielded = dl_compute_yielded(s->op);
  if (s->c.combiner == DL_COMBINE_SUM && zero_factor(s, yielded, input)) return true;
  return yielded == dl_arg(dl_compute_body(s->op), input) &&
         s->c.in_else[input] == dl_combiner_identity(s->c.combiner, s->c.in_else[input]->type);
}

static int64_t constant_extent(dl_expr extent) {
  return extent->kind == DL_EXPR_CONST ? extent->value : DL_DYNAMIC;
}

static void add_stage(dl_kernel *k, dl_op *op) {
  dl_context *ctx = k->e.ctx;
  dl_stage *s = dl_arena_alloc(k->arena, sizeof(*s));
  s->op = op;
  s->c = dl_compute_read(op, k->arena);
  s->symbols = dl_arena_alloc(k->arena, (s->c.num_symbols + 1) * sizeof(dl_expr));
  for (size_t i = 0; i < s->c.num_symbols; i++) s->symbols[i] = dl_kernel_expr(k, s->c.symbols[i]);
  s->extents = dl_arena_alloc(k->arena, (s->c.num_iterators + 1) * sizeof(dl_expr));
  int64_t *extents = dl_arena_alloc(k->arena, (s->c.num_iterators + 1) * sizeof(int64_t));
  for (size_t i = 0; i < s->c.num_iterators; i++) {
    s->extents[i] =
        dl_expr_substitute(s->c.sizes->results[i], 0, NULL, s->c.num_symbols, s->symbols);
    extents[i] = constant_extent(s->extents[i]);
  }
  dl_nest_init(&s->nest, s->c.label, s->c.num_iterators, s->c.num_parallel, s->c.iterators,
               extents);
  add_borders(k, s);
  s->vanishes = dl_arena_alloc(k->arena, s->c.num_inputs + 1);
  for (size_t i = 0; i < s->c.num_inputs; i++) s->vanishes[i] = vanishes(s, i);
  s->result = add_ref(k, dl_result(op, 0));
  s->result->stage = s;
  for (size_t d = 0; d < s->result->rank; d++) {
    int64_t size = s->c.result->shape[d];
    s->result->sizes[d] = size == DL_DYNAMIC ? dl_expr_substitute(s->c.shape->results[d], 0, NULL,
                                                                  s->c.num_symbols, s->symbols)
                                             : dl_expr_const(ctx, size);
  }
  DL_PUSH(&k->stages, s);
}

// The same elements under another shape; dynamic sizes are given by values.
static void add_view(dl_kernel *k, dl_op *op) {
  dl_tensor_ref *source = dl_kernel_ref(k, dl_operand(op, 0));
  dl_tensor_ref *ref = add_ref(k, dl_result(op, 0));
  dl_type type = dl_value_type(dl_result(op, 0));
  bool cast = dl_is(op, tensor_cast);
  size_t next = 1;
  for (size_t d = 0; d < ref->rank; d++) {
    if (type->shape[d] != DL_DYNAMIC) {
      ref->sizes[d] = dl_expr_const(k->e.ctx, type->shape[d]);
    } else {
      ref->sizes[d] = cast ? source->sizes[d] : dl_kernel_expr(k, dl_operand(op, next++));
    }
  }
  ref->constant = source->constant;
  ref->viewed = source;
}

static void add_scalar(dl_kernel *k, dl_op *op) {
  if (!k->func) return;
  dl_ptr_map mapping = {0};
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_value *operand = dl_operand(op, i);
    dl_ptr_map_set(&mapping, operand, dl_ptr_map_get(&k->scalars, operand));
  }
  dl_op *copy = dl_op_clone(op, &mapping);
  dl_builder_insert(&k->e.b, copy);
  for (size_t i = 0; i < dl_num_results(op); i++) {
    dl_ptr_map_set(&k->scalars, dl_result(op, i), dl_result(copy, i));
  }
  dl_ptr_map_free(&mapping);
}

static void add_dim(dl_kernel *k, dl_op *op) {
  dl_tensor_ref *ref = dl_kernel_ref(k, dl_operand(op, 0));
  dl_attr index = dl_constant_value(dl_operand(op, 1));
  dl_expr size = ref->sizes[index->integer];
  dl_ptr_map_set(&k->exprs, dl_result(op, 0), (void *)size);
  if (k->func) dl_ptr_map_set(&k->scalars, dl_result(op, 0), dl_emit_index(&k->e, size));
}

static dl_status read_ops(dl_kernel *k) {
  DL_FOR_OPS(op, k->block) {
    if (dl_has_trait(op, DL_TERMINATOR)) continue;
    if (dl_is(op, tensor_compute)) {
      add_stage(k, op);
    } else if (dl_is(op, tensor_constant)) {
      dl_tensor_ref *ref = add_ref(k, dl_result(op, 0));
      ref->constant = dl_get_attr(op, "value");
      dl_type type = dl_value_type(dl_result(op, 0));
      for (size_t d = 0; d < ref->rank; d++)
        ref->sizes[d] = dl_expr_const(k->e.ctx, type->shape[d]);
    } else if (dl_is(op, tensor_reinterpret) || dl_is(op, tensor_cast)) {
      add_view(k, op);
    } else if (dl_is(op, tensor_dim)) {
      add_dim(k, op);
    } else if (dl_num_regions(op) == 0 && dl_has_trait(op, DL_PURE) && dl_num_results(op) == 1 &&
               !dl_is_tensor(dl_value_type(dl_result(op, 0)))) {
      add_scalar(k, op);
    } else {
      return dl_error(dl_op_loc(op), "'%s' has no place in a kernel", dl_op_name(op));
    }
  }
  return DL_OK;
}

// --- buffers and emission ---

static dl_op *find_return(const dl_kernel *k) { return dl_block_terminator(k->block); }

// A result's pointer goes to the root that makes it, through views.
static void bind_results(dl_kernel *k) {
  dl_op *ret = find_return(k);
  dl_block *body = dl_region_first(dl_op_region(k->func, 0));
  size_t first = dl_num_args(body) - dl_num_operands(ret);
  for (size_t i = 0; i < dl_num_operands(ret); i++) {
    dl_tensor_ref *ref = dl_kernel_ref(k, dl_operand(ret, i));
    while (ref->viewed) ref = ref->viewed;
    if (ref->stage && !ref->pointer) ref->pointer = dl_arg(body, first + i);
  }
}

dl_expr dl_ref_elements(dl_kernel *k, const dl_tensor_ref *ref) {
  const dl_expr *sizes = ref->first ? ref->held : ref->sizes;
  dl_expr count = dl_expr_const(k->e.ctx, 1);
  for (size_t d = 0; d < ref->rank; d++) count = dl_expr_mul(count, sizes[d]);
  return count;
}

static void bind_buffers(dl_kernel *k) {
  for (size_t i = 0; i < k->stages.len; i++) {
    dl_stage *s = k->stages.data[i];
    if (s->role == DL_ROLE_DRIVER || s->local || s->result->pointer) continue;
    dl_expr elements = dl_ref_elements(k, s->result);
    s->result->pointer = dl_build_loop_alloc(&k->e.b, dl_storage_type(s->c.result->element),
                                             dl_emit_bound(&k->e, 1, &elements));
  }
  for (size_t i = 0; i < k->refs.capacity; i++) {
    dl_tensor_ref *ref = k->refs.keys[i] ? k->refs.values[i] : NULL;
    dl_tensor_ref *base = ref ? ref->viewed : NULL;
    while (base && base->viewed) base = base->viewed;
    if (base) ref->pointer = base->pointer;
  }
}

// Results that are arguments, constants, or returned twice: copied.
static dl_status copy_results(dl_kernel *k) {
  dl_op *ret = find_return(k);
  dl_block *body = dl_region_first(dl_op_region(k->func, 0));
  size_t first = dl_num_args(body) - dl_num_operands(ret);
  for (size_t i = 0; i < dl_num_operands(ret); i++) {
    dl_tensor_ref *ref = dl_kernel_ref(k, dl_operand(ret, i));
    dl_value *to = dl_arg(body, first + i);
    if (ref->pointer == to) continue;
    if (!ref->pointer) ref->pointer = dl_build_loop_constant(&k->e.b, ref->constant);
    dl_expr elements = dl_ref_elements(k, ref);
    dl_build_loop_copy(&k->e.b, ref->pointer, to, dl_emit_bound(&k->e, 1, &elements));
  }
  return DL_OK;
}

static dl_status apply_schedule(dl_kernel *k) {
  dl_nest **nests = dl_arena_alloc(k->arena, (k->stages.len + 1) * sizeof(dl_nest *));
  for (size_t i = 0; i < k->stages.len; i++) nests[i] = &k->stages.data[i]->nest;
  dl_region_hook hook = {dl_region_resize, k};
  return dl_schedule_apply(dl_op_loc(k->source), &k->schedule, k->stages.len, nests, &hook);
}

static dl_status check_scheduled(const dl_kernel *k) {
  for (size_t i = 0; i < k->stages.len; i++) {
    const dl_stage *s = k->stages.data[i];
    const dl_stage *root = s;
    while (root->role == DL_ROLE_DRIVER) root = root->reader;
    bool has_loops = root->driver ? root->driver == s : root == s;
    if (!s->nest.scheduled || has_loops) continue;
    return dl_error(dl_op_loc(s->op),
                    "the schedule names loops of @%s, which has none: it is computed "
                    "inside of @%s's",
                    s->c.label, root->driver ? root->driver->c.label : root->c.label);
  }
  return DL_OK;
}

static dl_status emit_kernel(dl_kernel *k) {
  create_function(k);
  DL_TRY(dl_kernel_analyze(k));
  DL_TRY(apply_schedule(k));
  DL_TRY(check_scheduled(k));
  for (size_t i = 0; i < k->stages.len; i++) {
    dl_stage *s = k->stages.data[i];
    if (s->role != DL_ROLE_DRIVER) DL_TRY(dl_kernel_check_nest(k, s));
  }
  bind_results(k);
  bind_buffers(k);
  for (size_t i = 0; i < k->stages.len; i++) {
    if (k->stages.data[i]->role == DL_ROLE_ROOT) dl_kernel_emit_nest(k, k->stages.data[i]);
  }
  DL_TRY(copy_results(k));
  dl_build(&k->e.b, &(dl_op_state){.def = &func_return});
  return DL_OK;
}

void dl_kernel_init(dl_kernel *k, dl_op *source, dl_block *block) {
  *k = (dl_kernel){.source = source, .block = block, .arena = dl_arena_create()};
  dl_loop_emitter_init(&k->e, dl_op_context(source), k->arena);
}

void dl_kernel_free(dl_kernel *k) {
  for (size_t i = 0; i < k->stages.len; i++) {
    dl_nest_free(&k->stages.data[i]->nest);
    DL_VEC_FREE(&k->stages.data[i]->borders);
  }
  DL_VEC_FREE(&k->stages);
  dl_ptr_map_free(&k->refs);
  dl_ptr_map_free(&k->scalars);
  dl_ptr_map_free(&k->exprs);
  dl_loop_emitter_free(&k->e);
  dl_arena_destroy(k->arena);
}

static dl_status read_schedule(dl_kernel *k) {
  dl_attr attr = dl_get_attr(k->source, "tensor.schedule");
  return attr ? dl_schedule_parse(dl_op_loc(k->source), attr, k->arena, &k->schedule) : DL_OK;
}

dl_status dl_kernel_analyze(dl_kernel *k) {
  DL_TRY(read_schedule(k));
  bind_arguments(k);
  DL_TRY(read_ops(k));
  dl_kernel_plan(k);
  return DL_OK;
}

dl_status dl_convert_kernel(dl_op *source, dl_op **func) {
  dl_kernel k;
  dl_kernel_init(&k, source, dl_region_first(dl_op_region(source, 0)));
  dl_status status = emit_kernel(&k);
  *func = k.func;
  dl_kernel_free(&k);
  return status;
}
