// tensor-partition-constants: what @main computes from constants alone moves into a private
// function @init, which the compiler runs once; @main gets its results as tensor.weight. Contract:
// exact.
#include "dialects/func/func_ops.h"
#include "dialects/tensor/tensor_ops.h"
#include "ir/pass.h"

typedef DL_VEC(dl_op *) op_list;
typedef DL_VEC(dl_value *) value_list;

typedef struct partition {
  dl_op *module, *main;
  dl_block *block;
  dl_ptr_map constant;  // ops that depend on constants alone
  dl_ptr_map staying;   // ops that stay in @main
  value_list weights;   // tensors of moving ops that staying ops use
} partition;

static bool is_kernel_call(const partition *p, const dl_op *op) {
  dl_attr callee = dl_is(op, func_call) ? dl_get_attr(op, "callee") : NULL;
  dl_op *kernel = callee ? dl_symbol_lookup(p->module, callee->name) : NULL;
  return kernel && dl_get_attr(kernel, "tensor.kernel");
}

static bool depends_on_constants_alone(const partition *p, const dl_op *op) {
  if (!dl_has_trait(op, DL_PURE) && !is_kernel_call(p, op)) return false;
  if (dl_has_trait(op, DL_TERMINATOR) || dl_is(op, tensor_weight)) return false;
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_op *def = dl_value_def(dl_operand(op, i));
    if (!def || !dl_ptr_map_has(&p->constant, def)) return false;
  }
  return true;
}

static dl_op *user_in(const dl_block *block, const dl_use *use) {
  dl_op *op = dl_use_owner(use);
  while (dl_op_block(op) != block) op = dl_op_parent(op);
  return op;
}

static bool used_by_staying(const partition *p, const dl_value *value) {
  for (dl_use *use = dl_first_use(value); use; use = dl_next_use(use))
    if (dl_ptr_map_has(&p->staying, user_in(p->block, use))) return true;
  return false;
}

// Scalars are no weights: an op stays for the sake of one that staying ops use.
static bool must_stay(const partition *p, const dl_op *op) {
  if (!dl_ptr_map_has(&p->constant, op)) return true;
  for (size_t i = 0; i < dl_num_results(op); i++)
    if (!dl_is_tensor(dl_value_type(dl_result(op, i))) && used_by_staying(p, dl_result(op, i)))
      return true;
  return false;
}

static void classify(partition *p) {
  DL_FOR_OPS(op, p->block)
  if (depends_on_constants_alone(p, op)) dl_ptr_map_set(&p->constant, op, op);
  for (dl_op *op = dl_block_last(p->block); op; op = dl_op_prev(op))
    if (must_stay(p, op)) dl_ptr_map_set(&p->staying, op, op);
  DL_FOR_OPS(op, p->block) {
    if (dl_ptr_map_has(&p->staying, op)) continue;
    for (size_t i = 0; i < dl_num_results(op); i++)
      if (used_by_staying(p, dl_result(op, i))) DL_PUSH(&p->weights, dl_result(op, i));
  }
}

static dl_op *create_init(const partition *p) {
  DL_VEC(dl_type) types = {0};
  for (size_t i = 0; i < p->weights.len; i++) DL_PUSH(&types, dl_value_type(p->weights.data[i]));
  dl_builder b = dl_builder_after(p->main);
  dl_type type = dl_function_type(b.ctx, 0, NULL, types.len, types.data);
  dl_named_attr attrs[] = {
      {dl_intern_z(b.ctx, "sym_name"), dl_string_attr_z(b.ctx, "init")},
      {dl_intern_z(b.ctx, "sym_visibility"), dl_string_attr_z(b.ctx, "private")},
      {dl_intern_z(b.ctx, "function_type"), dl_type_attr(type)},
  };
  dl_op *init = dl_build(
      &b, &(dl_op_state){
              .def = &func_func, .num_attrs = DL_COUNT(attrs), .attrs = attrs, .num_regions = 1});
  dl_block_append(dl_op_region(init, 0), dl_block_create(b.ctx));
  DL_VEC_FREE(&types);
  return init;
}

// All ops that depend on constants alone are copied, in order; what no weight needs is dead there.
static void fill_init(const partition *p, dl_op *init) {
  dl_block *body = dl_region_first(dl_op_region(init, 0));
  dl_ptr_map copies = {0};
  op_list cloned = {0};
  value_list results = {0};
  DL_FOR_OPS(op, p->block) {
    if (!dl_ptr_map_has(&p->constant, op)) continue;
    dl_op *copy = dl_op_clone(op, &copies);
    dl_op_append(body, copy);
    DL_PUSH(&cloned, copy);
  }
  for (size_t i = 0; i < p->weights.len; i++)
    DL_PUSH(&results, dl_ptr_map_get(&copies, p->weights.data[i]));
  dl_builder b = dl_builder_at_end(body, dl_op_loc(init));
  dl_build(&b, &(dl_op_state){
                   .def = &func_return, .num_operands = results.len, .operands = results.data});
  for (size_t i = cloned.len; i-- > 0;) {
    bool used = false;
    for (size_t r = 0; r < dl_num_results(cloned.data[i]); r++)
      used |= dl_has_uses(dl_result(cloned.data[i], r));
    if (!used) dl_op_erase(cloned.data[i]);
  }
  dl_ptr_map_free(&copies);
  DL_VEC_FREE(&cloned);
  DL_VEC_FREE(&results);
}

static void replace_by_weight(const partition *p, size_t index) {
  dl_value *value = p->weights.data[index];
  dl_builder b = dl_builder_before(dl_value_def(value));
  dl_type type = dl_value_type(value);
  dl_named_attr attr = {dl_intern_z(b.ctx, "index"), dl_i64_attr(b.ctx, (int64_t)index)};
  dl_op *weight = dl_build(&b, &(dl_op_state){.def = &tensor_weight,
                                              .num_results = 1,
                                              .result_types = &type,
                                              .num_attrs = 1,
                                              .attrs = &attr});
  dl_value_set_name(dl_result(weight, 0), dl_value_name(value));
  dl_replace_all_uses(value, dl_result(weight, 0));
}

static void erase_moved(const partition *p) {
  for (dl_op *op = dl_block_last(p->block), *previous; op; op = previous) {
    previous = dl_op_prev(op);
    if (dl_ptr_map_has(&p->constant, op) && !dl_ptr_map_has(&p->staying, op)) dl_op_erase(op);
  }
}

static dl_status move_constants(partition *p) {
  classify(p);
  if (!p->weights.len) return DL_OK;
  if (dl_symbol_lookup(p->module, dl_intern_z(dl_op_context(p->module), "init")))
    return dl_error(dl_op_loc(p->main), "there is a function @init already");
  fill_init(p, create_init(p));
  for (size_t i = 0; i < p->weights.len; i++) replace_by_weight(p, i);
  erase_moved(p);
  return DL_OK;
}

static dl_status run(dl_pass *pass, dl_op *module) {
  dl_op *main = dl_symbol_lookup(module, dl_intern_z(dl_op_context(module), "main"));
  if (!main || !dl_is(main, func_func) || dl_region_empty(dl_op_region(main, 0))) return DL_OK;
  partition p = {.module = module, .main = main, .block = dl_region_first(dl_op_region(main, 0))};
  dl_status status = move_constants(&p);
  if (p.weights.len) dl_pass_changed(pass);
  dl_count(pass, "weights", (int64_t)p.weights.len);
  dl_ptr_map_free(&p.constant);
  dl_ptr_map_free(&p.staying);
  DL_VEC_FREE(&p.weights);
  return status;
}

static const char *const statistics[] = {"weights"};

const dl_pass_def dl_pass_tensor_partition_constants = {
    .name = "tensor-partition-constants",
    .summary = "Move what depends on constants alone into @init, run once by the compiler",
    .anchor = "builtin.module",
    .contract = DL_EXACT,
    .num_statistics = DL_COUNT(statistics),
    .statistics = statistics,
    .run = run};
