// loop-outline-parallel: makes a function of the body of each loop.parallel of a kernel, with a
// loop.launch in its place, and inlines what is left of the kernel into its callers. Contract:
// exact.
#include "dialects/func/func_ops.h"
#include "dialects/loop/loop.h"
#include "dialects/loop/loop_ops.h"
#include "ir/pass.h"

typedef DL_VEC(dl_op *) op_list;

// --- outlining ---

typedef struct outline {
  dl_op *loop;
  DL_VEC(dl_value *) captured;  // become arguments
  op_list constants;            // are made anew inside
} outline;

static bool captures(const outline *o, const dl_value *value) {
  for (size_t i = 0; i < o->captured.len; i++) {
    if (o->captured.data[i] == value) return true;
  }
  for (size_t i = 0; i < o->constants.len; i++) {
    if (dl_result(o->constants.data[i], 0) == value) return true;
  }
  return false;
}

static bool defined_inside(const outline *o, const dl_value *value) {
  dl_op *def = dl_value_def(value);
  dl_op *around = def ? def : dl_block_parent(dl_value_block(value));
  return around && dl_op_is_ancestor(o->loop, around);
}

static bool collect(dl_op *op, void *user) {
  outline *o = user;
  if (op == o->loop) return true;
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_value *value = dl_operand(op, i);
    if (defined_inside(o, value) || captures(o, value)) continue;
    dl_op *def = dl_value_def(value);
    if (def && (dl_has_trait(def, DL_CONSTANT) || dl_is(def, loop_constant))) {
      DL_PUSH(&o->constants, def);
    } else {
      DL_PUSH(&o->captured, value);
    }
  }
  return true;
}

// Whether the function's argument is only read through.
static bool only_read(const dl_value *pointer) {
  for (dl_use *use = dl_first_use(pointer); use; use = dl_next_use(use)) {
    dl_op *user = dl_use_owner(use);
    if (!dl_is(user, loop_load) && !dl_is(user, loop_gather)) return false;
  }
  return true;
}

static void mark_readonly(dl_op *func) {
  dl_context *ctx = dl_op_context(func);
  dl_block *body = dl_region_first(dl_op_region(func, 0));
  dl_named_attr readonly = {dl_intern_z(ctx, "loop.readonly"), dl_unit_attr(ctx)};
  DL_VEC(dl_attr) attrs = {0};
  for (size_t i = 0; i < dl_num_args(body); i++) {
    dl_value *arg = dl_arg(body, i);
    bool marked = dl_is_loop_ptr(dl_value_type(arg)) && only_read(arg);
    DL_PUSH(&attrs, dl_dict_attr(ctx, marked, &readonly));
  }
  dl_set_attr(func, "arg_attrs", dl_array_attr(ctx, attrs.len, attrs.data));
  DL_VEC_FREE(&attrs);
}

static dl_op *create_function(const outline *o, dl_op *kernel, dl_ident name) {
  dl_context *ctx = dl_op_context(kernel);
  dl_block *loop_body = dl_region_first(dl_op_region(o->loop, 0));
  DL_VEC(dl_type) types = {0};
  for (size_t i = 0; i < o->captured.len; i++) DL_PUSH(&types, dl_value_type(o->captured.data[i]));
  for (size_t i = 0; i < dl_num_args(loop_body); i++) DL_PUSH(&types, dl_index_type(ctx));
  dl_type type = dl_function_type(ctx, types.len, types.data, 0, NULL);
  dl_named_attr attrs[] = {
      {dl_intern_z(ctx, "sym_name"), dl_string_attr_z(ctx, name)},
      {dl_intern_z(ctx, "sym_visibility"), dl_string_attr_z(ctx, "private")},
      {dl_intern_z(ctx, "function_type"), dl_type_attr(type)},
      {dl_intern_z(ctx, "loop.kernel"), dl_unit_attr(ctx)},
  };
  dl_builder b = dl_builder_before(kernel);
  b.loc = dl_op_loc(o->loop);
  dl_op *func = dl_build(
      &b, &(dl_op_state){
              .def = &func_func, .num_attrs = DL_COUNT(attrs), .attrs = attrs, .num_regions = 1});
  dl_block *body = dl_block_create(ctx);
  dl_block_append(dl_op_region(func, 0), body);
  for (size_t i = 0; i < types.len; i++) {
    size_t grid = i - o->captured.len;
    dl_value *from = i < o->captured.len ? o->captured.data[i] : dl_arg(loop_body, grid);
    dl_value *arg = dl_add_arg(body, types.data[i], b.loc);
    dl_value_set_name(arg, dl_value_name(from));
  }
  DL_VEC_FREE(&types);
  return func;
}

static void fill_function(const outline *o, dl_op *func) {
  dl_block *body = dl_region_first(dl_op_region(func, 0));
  dl_block *loop_body = dl_region_first(dl_op_region(o->loop, 0));
  dl_builder b = dl_builder_at_end(body, dl_op_loc(o->loop));
  dl_ptr_map mapping = {0};
  for (size_t i = 0; i < o->captured.len; i++) {
    dl_ptr_map_set(&mapping, o->captured.data[i], dl_arg(body, i));
  }
  for (size_t i = 0; i < dl_num_args(loop_body); i++) {
    dl_ptr_map_set(&mapping, dl_arg(loop_body, i), dl_arg(body, o->captured.len + i));
  }
  for (size_t i = 0; i < o->constants.len; i++) {
    dl_builder_insert(&b, dl_op_clone(o->constants.data[i], &mapping));
  }
  DL_FOR_OPS(op, loop_body) {
    if (dl_is(op, loop_yield)) continue;
    dl_builder_insert(&b, dl_op_clone(op, &mapping));
  }
  dl_build(&b, &(dl_op_state){.def = &func_return});
  dl_ptr_map_free(&mapping);
}

// Which of a launch's arguments, followed by the extents of its grid, is `value`; -1: none.
static int64_t slot_of(const dl_op *launch, const dl_value *value) {
  size_t num_args, first = dl_operand_group(launch, DL_LOOP_LAUNCH_ARGUMENTS, &num_args);
  for (size_t i = 0; i < num_args; i++)
    if (dl_operand(launch, first + i) == value) return (int64_t)i;
  dl_arena *arena = dl_arena_create();
  dl_bound grid = dl_bound_of(launch, "grid", DL_LOOP_LAUNCH_GRID, arena);
  int64_t slot = -1;
  for (size_t i = 0; i < grid.map->num_results && slot < 0; i++) {
    dl_expr extent = grid.map->results[i];
    if (extent->kind == DL_EXPR_DIM && grid.operands[extent->value] == value)
      slot = (int64_t)(num_args + i);
  }
  dl_arena_destroy(arena);
  return slot;
}

// What multiplies the launch's operations is an argument of the kernel; the launch must have it
// too.
static void move_factors(dl_op *launch, const dl_op *kernel) {
  dl_attr factors = dl_get_attr(launch, "flops_factors");
  if (!factors) return;
  dl_block *body = dl_region_first(dl_op_region(kernel, 0));
  int64_t *slots = dl_calloc(factors->count + 1, sizeof(*slots));
  bool known = true;
  for (size_t i = 0; i < factors->count; i++) {
    slots[i] = slot_of(launch, dl_arg(body, (size_t)dl_i64_at(factors, i)));
    known &= slots[i] >= 0;
  }
  dl_set_attr(launch, "flops_factors",
              known ? dl_i64_array_attr(dl_op_context(launch), factors->count, slots) : NULL);
  if (!known) dl_set_attr(launch, "flops", NULL);
  free(slots);
}

static void outline_loop(dl_op *kernel, dl_op *loop) {
  outline o = {.loop = loop};
  dl_walk(loop, collect, &o);
  dl_ident hint = dl_intern_f(dl_op_context(kernel), "%s_loops", dl_symbol_name(kernel));
  dl_op *func =
      create_function(&o, kernel, dl_symbol_unique_name(dl_enclosing_symbol_table(kernel), hint));
  fill_function(&o, func);
  mark_readonly(func);
  dl_arena *arena = dl_arena_create();
  dl_builder b = dl_builder_before(loop);
  dl_op *launch = dl_build_loop_launch(&b, dl_symbol_name(func), o.captured.len, o.captured.data,
                                       dl_bound_of(loop, "upper", 0, arena));
  for (size_t i = 0; i < dl_num_discardable_attrs(loop); i++) {
    dl_named_attr attr = dl_discardable_attr(loop, i);
    dl_set_discardable_attr(launch, attr.name, attr.value);
  }
  move_factors(launch, kernel);
  dl_arena_destroy(arena);
  dl_op_erase(loop);
  DL_VEC_FREE(&o.captured);
  DL_VEC_FREE(&o.constants);
}

// --- inlining ---

// The names in a location, with + between them.
static void add_names(dl_buffer *out, dl_loc loc) {
  if (loc->kind == DL_LOC_NAME) {
    dl_buffer_printf(out, "%s%s", out->len ? "+" : "", loc->name);
  } else if (loc->kind == DL_LOC_FUSED) {
    for (size_t i = 0; i < loc->num_locs; i++) add_names(out, loc->locs[i]);
  } else if (loc->kind == DL_LOC_CALLSITE) {
    add_names(out, loc->child);
  }
}

static void set_label(dl_op *launch, const dl_op *call) {
  dl_buffer label = {0};
  add_names(&label, dl_op_loc(call));
  if (!label.len) dl_buffer_puts(&label, dl_get_attr(call, "callee")->name);
  dl_set_attr(launch, "label", dl_string_attr_z(dl_op_context(call), label.data));
  dl_op_set_loc(launch, dl_op_loc(call));
  dl_buffer_free(&label);
}

static void inline_call(dl_op *call, const dl_op *kernel) {
  dl_block *body = dl_region_first(dl_op_region(kernel, 0));
  dl_builder b = dl_builder_before(call);
  dl_ptr_map mapping = {0};
  for (size_t i = 0; i < dl_num_args(body); i++) {
    dl_ptr_map_set(&mapping, dl_arg(body, i), dl_operand(call, i));
  }
  DL_FOR_OPS(op, body) {
    if (dl_is(op, func_return)) continue;
    dl_op *copy = dl_op_clone(op, &mapping);
    dl_builder_insert(&b, copy);
    if (dl_is(copy, loop_launch)) set_label(copy, call);
  }
  dl_ptr_map_free(&mapping);
  dl_op_erase(call);
}

typedef struct calls {
  const dl_op *table;
  op_list list;
} calls;

static dl_op *called_kernel(const dl_op *table, const dl_op *call) {
  dl_op *callee = dl_symbol_lookup(table, dl_get_attr(call, "callee")->name);
  return callee && dl_get_attr(callee, "tensor.kernel") ? callee : NULL;
}

static bool collect_call(dl_op *op, void *user) {
  calls *c = user;
  if (dl_is(op, func_call) && called_kernel(c->table, op)) DL_PUSH(&c->list, op);
  return true;
}

static dl_status run_outline_parallel(dl_pass *pass, dl_op *module) {
  dl_block *body = dl_region_first(dl_op_region(module, 0));
  op_list kernels = {0};
  DL_FOR_OPS(op, body) {
    if (dl_is(op, func_func) && dl_get_attr(op, "tensor.kernel")) DL_PUSH(&kernels, op);
  }
  for (size_t i = 0; i < kernels.len; i++) {
    DL_FOR_OPS(op, dl_region_first(dl_op_region(kernels.data[i], 0))) {
      if (!dl_is(op, loop_parallel)) continue;
      outline_loop(kernels.data[i], op);
      dl_count(pass, "outlined", 1);
    }
  }
  calls c = {.table = module};
  dl_walk(module, collect_call, &c);
  for (size_t i = 0; i < c.list.len; i++)
    inline_call(c.list.data[i], called_kernel(module, c.list.data[i]));
  for (size_t i = 0; i < kernels.len; i++) dl_op_erase(kernels.data[i]);
  if (kernels.len) dl_pass_changed(pass);
  DL_VEC_FREE(&c.list);
  DL_VEC_FREE(&kernels);
  return DL_OK;
}

static const char *const statistics[] = {"outlined"};

const dl_pass_def dl_pass_loop_outline_parallel = {
    .name = "loop-outline-parallel",
    .summary = "Outline parallel loops of kernels and inline the rest into the host functions",
    .anchor = "builtin.module",
    .contract = DL_EXACT,
    .num_statistics = DL_COUNT(statistics),
    .statistics = statistics,
    .run = run_outline_parallel,
};
