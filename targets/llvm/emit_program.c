// emit_program.c: which functions of a loop-level module become which units.
#include "dialects/loop/loop.h"
#include "ir/op_def.h"
#include "targets/llvm/emit_internal.h"

enum { WEIGHT_ALIGNMENT = 64 };

static dl_op *find_function(dl_op *module, const char *name) {
  return dl_symbol_lookup(module, dl_intern_z(dl_op_context(module), name));
}

dl_status dl_weight_offsets(dl_op *module, uint64_t **offsets, size_t *count) {
  dl_op *init = find_function(module, "init");
  *offsets = NULL;
  *count = 0;
  if (!init) return DL_OK;
  dl_type type = dl_signature_of(init);
  if (!type) return DL_FAILED;
  uint64_t *result = dl_calloc(type->num_results + 1, sizeof(*result));
  for (size_t i = 0; i < type->num_results; i++) {
    int64_t elements = dl_num_elements(type->results[i]);
    if (elements < 0) {
      free(result);
      return dl_error(dl_op_loc(init), "result %zu of '@init' has no constant size", i);
    }
    uint64_t end = result[i] + (uint64_t)elements * dl_element_bytes(type->results[i]->element);
    result[i + 1] = (end + WEIGHT_ALIGNMENT - 1) & ~(uint64_t)(WEIGHT_ALIGNMENT - 1);
  }
  *offsets = result;
  *count = type->num_results;
  return DL_OK;
}

typedef struct kernel_use {
  dl_op *kernel;
  size_t grid_rank;
} kernel_use;

typedef struct collection {
  dl_op *module;
  DL_VEC(kernel_use) kernels;
  dl_status status;
} collection;

// Whether the kernel takes the launch's arguments, and then an index per dimension of the grid.
static bool takes(dl_op *kernel, dl_op *launch, size_t rank) {
  size_t count, first = dl_operand_group(launch, DL_LOOP_LAUNCH_ARGUMENTS, &count);
  dl_block *body = dl_region_first(dl_op_region(kernel, 0));
  if (dl_num_args(body) != count + rank) return false;
  for (size_t i = 0; i < count; i++)
    if (dl_value_type(dl_arg(body, i)) != dl_value_type(dl_operand(launch, first + i)))
      return false;
  for (size_t i = count; i < count + rank; i++)
    if (!dl_is_index(dl_value_type(dl_arg(body, i)))) return false;
  return true;
}

static void add_kernel(collection *c, dl_op *launch) {
  dl_ident name = dl_get_attr(launch, "callee")->name;
  dl_op *kernel = dl_symbol_lookup(c->module, name);
  size_t rank = dl_map_results(launch, "grid");
  if (!kernel || !dl_has_trait(kernel, DL_FUNCTION) || dl_region_empty(dl_op_region(kernel, 0)))
    c->status = dl_error(dl_op_loc(launch), "no kernel '@%s'", name);
  else if (!takes(kernel, launch, rank))
    c->status = dl_error(dl_op_loc(launch), "'@%s' takes other arguments and indices", name);
  for (size_t i = 0; i < c->kernels.len; i++)
    if (c->kernels.data[i].kernel == kernel) return;
  DL_PUSH(&c->kernels, (kernel_use){kernel, rank});
}

static bool visit_launch(dl_op *op, void *user) {
  if (!strcmp(dl_op_name(op), "loop.launch")) add_kernel(user, op);
  return true;
}

static const dl_emit_table *const tables[] = {&dl_emit_arith_table, &dl_emit_math_table,
                                              &dl_emit_loop_table,  &dl_emit_call_table,
                                              &dl_emit_host_table,  &dl_emit_device_host_table};
enum { KERNEL_TABLES = 4, HOST_TABLES = 5, DEVICE_HOST_TABLES = 6 };  // later ones override

static void find_handlers(dl_context *ctx, size_t num_tables, dl_ptr_map *handlers) {
  for (size_t t = 0; t < num_tables; t++)
    for (size_t i = 0; i < tables[t]->count; i++) {
      const dl_emit_row *row = &tables[t]->rows[i];
      const dl_op_def *def = dl_find_op_def(ctx, dl_str_of(row->op));
      if (def) dl_ptr_map_set(handlers, def, (void *)row);
    }
}

static dl_unit new_unit(const dl_emit_options *options, const char *name) {
  dl_unit unit = {.context = LLVMContextCreate(), .name = name, .scalar = true};
  unit.module = LLVMModuleCreateWithNameInContext(options->prefix, unit.context);
  LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(options->target);
  LLVMSetModuleDataLayout(unit.module, layout);
  LLVMDisposeTargetData(layout);
  LLVMSetTarget(unit.module, options->triple);
  return unit;
}

typedef struct program {
  dl_op *module, *main;
  const dl_emit_options *options;
  dl_unit_list *units;
  dl_status (*check)(dl_op *op);  // NULL: kernels are for the CPU
  dl_ptr_map kernel_handlers, host_handlers;
  uint64_t *weight_offsets;
  size_t num_weights;
} program;

// Emits a kernel (grid_rank as launched) or, when `kernel` is NULL, the host function into the
// unit.
static dl_status emit_into(program *p, dl_unit *unit, dl_op *kernel, size_t grid_rank) {
  dl_op_list callees = {0}, launches = {0};
  dl_emitter e = {.options = p->options,
                  .root = p->module,
                  .ctx = unit->context,
                  .module = unit->module,
                  .b = LLVMCreateBuilderInContext(unit->context),
                  .handlers = kernel ? &p->kernel_handlers : &p->host_handlers,
                  .callees = &callees,
                  .launches = &launches,
                  .scalar = true,
                  .on_device = p->check != NULL,
                  .check = p->check,
                  .weight_offsets = p->weight_offsets,
                  .num_weights = p->num_weights};
  dl_status status = !kernel       ? dl_emit_host(&e, p->main)
                     : e.on_device ? dl_emit_device_kernel(&e, kernel, grid_rank)
                                   : dl_emit_kernel(&e, kernel, grid_rank);
  if (status == DL_OK) status = dl_emit_callees(&e);
  unit->scalar &= e.scalar;
  LLVMDisposeBuilder(e.b);
  dl_ptr_map_free(&e.values);
  DL_VEC_FREE(&callees);
  DL_VEC_FREE(&launches);
  return status;
}

static dl_status emit_units(program *p, const collection *c) {
  DL_PUSH(p->units, new_unit(p->options, "host"));
  DL_TRY(emit_into(p, &p->units->data[0], NULL, 0));
  for (size_t i = 0; i < c->kernels.len && !p->options->device; i++) {
    dl_op *kernel = c->kernels.data[i].kernel;
    if (!p->options->single) DL_PUSH(p->units, new_unit(p->options, dl_symbol_name(kernel)));
    dl_unit *unit = &p->units->data[p->units->len - 1];
    DL_TRY(emit_into(p, unit, kernel, c->kernels.data[i].grid_rank));
  }
  return DL_OK;
}

static dl_status emit_device_unit(program *p, const collection *c) {
  DL_PUSH(p->units, new_unit(p->options, "kernels"));
  for (size_t i = 0; i < c->kernels.len; i++)
    DL_TRY(
        emit_into(p, &p->units->data[0], c->kernels.data[i].kernel, c->kernels.data[i].grid_rank));
  return DL_OK;
}

static dl_status emit_program(program *p,
                              dl_status (*emit)(program *p, const collection *kernels)) {
  dl_op *module = p->module;
  p->main = find_function(module, p->options->main);
  if (!p->main || !dl_has_trait(p->main, DL_FUNCTION) || dl_region_empty(dl_op_region(p->main, 0)))
    return dl_error(dl_op_loc(module), "the module has no function '@%s'", p->options->main);
  collection c = {.module = module};
  dl_walk(p->main, visit_launch, &c);
  find_handlers(dl_op_context(module), KERNEL_TABLES, &p->kernel_handlers);
  find_handlers(dl_op_context(module), p->options->device ? DEVICE_HOST_TABLES : HOST_TABLES,
                &p->host_handlers);
  dl_status status =
      c.status ? c.status : dl_weight_offsets(module, &p->weight_offsets, &p->num_weights);
  if (status == DL_OK) status = emit(p, &c);
  dl_ptr_map_free(&p->kernel_handlers);
  dl_ptr_map_free(&p->host_handlers);
  free(p->weight_offsets);
  DL_VEC_FREE(&c.kernels);
  return status;
}

dl_status dl_emit_program(dl_op *module, const dl_emit_options *options, dl_unit_list *units) {
  program p = {.module = module, .options = options, .units = units};
  return emit_program(&p, emit_units);
}

dl_status dl_emit_one_kernel(dl_op *module, dl_op *kernel, size_t grid_rank,
                             const dl_emit_options *options, dl_unit_list *units) {
  program p = {.module = module, .options = options, .units = units};
  find_handlers(dl_op_context(module), KERNEL_TABLES, &p.kernel_handlers);
  DL_PUSH(units, new_unit(options, dl_symbol_name(kernel)));
  dl_status status = emit_into(&p, &units->data[units->len - 1], kernel, grid_rank);
  dl_ptr_map_free(&p.kernel_handlers);
  return status;
}

dl_status dl_emit_device_kernels(dl_op *module, const dl_emit_options *options,
                                 dl_status (*check)(dl_op *op), dl_unit_list *units) {
  program p = {.module = module, .options = options, .units = units, .check = check};
  return emit_program(&p, emit_device_unit);
}

void dl_units_dispose(dl_unit_list *units) {
  for (size_t i = 0; i < units->len; i++) {
    LLVMDisposeModule(units->data[i].module);
    LLVMContextDispose(units->data[i].context);
  }
  DL_VEC_FREE(units);
}
