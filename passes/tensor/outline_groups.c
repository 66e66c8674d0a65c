// tensor-outline-groups: every tensor.group becomes a private function, its kernel, and a call of
// it; a compute outside of any group gets a group, and so a kernel, of its own. Groups that compute
// the same share one function. Contract: exact.
#include "dialects/func/func_ops.h"
#include "dialects/tensor/compute.h"
#include "dialects/tensor/group.h"
#include "dialects/tensor/tensor_ops.h"
#include "ir/equivalence.h"
#include "ir/pass.h"

typedef DL_VEC(dl_op *) op_list;

typedef struct outliner {
  dl_op *module;
  op_list groups;
  op_list kernels;  // made so far, in order
} outliner;

static dl_ident label_of(const dl_op *compute) {
  dl_ident name = dl_loc_first_name(dl_op_loc(compute));
  return name ? name : dl_intern(dl_op_context(compute), dl_get_str(compute, "label"));
}

static void wrap_computes(dl_block *block) {
  op_list computes = {0};
  DL_FOR_OPS(op, block)
  if (dl_is(op, tensor_compute)) DL_PUSH(&computes, op);
  for (size_t i = 0; i < computes.len; i++) {
    dl_op *compute = computes.data[i];
    dl_value *result = dl_result(compute, 0);
    dl_group_build(1, &compute, 1, &result, label_of(compute), dl_op_loc(compute));
  }
  DL_VEC_FREE(&computes);
}

// A C-like identifier from a label.
static dl_ident function_hint(dl_context *ctx, dl_str label) {
  dl_buffer text = {0};
  for (size_t i = 0; i < label.len; i++) {
    char c = label.data[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    dl_buffer_putc(&text, plain ? c : '_');
  }
  bool digit = text.len && text.data[0] >= '0' && text.data[0] <= '9';
  dl_ident hint =
      dl_intern_f(ctx, "%s%s", digit || !text.len ? "kernel_" : "", text.len ? text.data : "");
  dl_buffer_free(&text);
  return hint;
}

static dl_type function_type(const dl_op *group) {
  DL_VEC(dl_type) inputs = {0};
  DL_VEC(dl_type) results = {0};
  for (size_t i = 0; i < dl_num_operands(group); i++)
    DL_PUSH(&inputs, dl_value_type(dl_operand(group, i)));
  for (size_t i = 0; i < dl_num_results(group); i++)
    DL_PUSH(&results, dl_value_type(dl_result(group, i)));
  dl_type type =
      dl_function_type(dl_op_context(group), inputs.len, inputs.data, results.len, results.data);
  DL_VEC_FREE(&inputs);
  DL_VEC_FREE(&results);
  return type;
}

// The kernel of a group, detached and without a name yet. Takes the group's region.
static dl_op *make_kernel(dl_op *group) {
  dl_context *ctx = dl_op_context(group);
  dl_attr schedule = dl_get_attr(group, "schedule");
  dl_named_attr attrs[] = {
      {dl_intern_z(ctx, "sym_name"), dl_string_attr_z(ctx, "kernel")},
      {dl_intern_z(ctx, "sym_visibility"), dl_string_attr_z(ctx, "private")},
      {dl_intern_z(ctx, "function_type"), dl_type_attr(function_type(group))},
      {dl_intern_z(ctx, "tensor.kernel"), dl_unit_attr(ctx)},
      {dl_intern_z(ctx, "tensor.schedule"), schedule},
  };
  dl_op *kernel = dl_op_create(ctx, &(dl_op_state){.def = &func_func,
                                                   .loc = dl_op_loc(group),
                                                   .num_attrs = schedule ? 5 : 4,
                                                   .attrs = attrs,
                                                   .num_regions = 1});
  dl_region_take(dl_op_region(kernel, 0), dl_op_region(group, 0));
  dl_op *yield = dl_block_last(dl_region_first(dl_op_region(kernel, 0)));
  dl_builder b = dl_builder_before(yield);
  DL_VEC(dl_value *) values = {0};
  for (size_t i = 0; i < dl_num_operands(yield); i++) DL_PUSH(&values, dl_operand(yield, i));
  dl_build(
      &b, &(dl_op_state){.def = &func_return, .num_operands = values.len, .operands = values.data});
  dl_op_erase(yield);
  DL_VEC_FREE(&values);
  return kernel;
}

static void call_kernel(dl_op *group, const dl_op *kernel) {
  dl_builder b = dl_builder_before(group);
  dl_named_attr callee = {dl_intern_z(b.ctx, "callee"),
                          dl_symbol_attr(b.ctx, dl_symbol_name(kernel))};
  DL_VEC(dl_value *) values = {0};
  DL_VEC(dl_type) types = {0};
  for (size_t i = 0; i < dl_num_operands(group); i++) DL_PUSH(&values, dl_operand(group, i));
  for (size_t i = 0; i < dl_num_results(group); i++)
    DL_PUSH(&types, dl_value_type(dl_result(group, i)));
  dl_op *call = dl_build(&b, &(dl_op_state){.def = &func_call,
                                            .num_operands = values.len,
                                            .operands = values.data,
                                            .num_results = types.len,
                                            .result_types = types.data,
                                            .num_attrs = 1,
                                            .attrs = &callee});
  values.len = 0;
  for (size_t i = 0; i < types.len; i++) {
    dl_value_set_name(dl_result(call, i), dl_value_name(dl_result(group, i)));
    DL_PUSH(&values, dl_result(call, i));
  }
  dl_op_replace(group, values.len, values.data);
  DL_VEC_FREE(&values);
  DL_VEC_FREE(&types);
}

static dl_op *find_equal(const outliner *o, const dl_op *kernel, uint64_t hash,
                         const uint64_t *hashes) {
  for (size_t i = 0; i < o->kernels.len; i++)
    if (hashes[i] == hash && dl_ops_equivalent(o->kernels.data[i], kernel))
      return o->kernels.data[i];
  return NULL;
}

// Kernels stay detached and unnamed until all are known, so that only what they compute is
// compared.
static dl_op **make_kernels(outliner *o) {
  dl_op **kernel_of = dl_calloc(o->groups.len + 1, sizeof(dl_op *));
  uint64_t *hashes = dl_calloc(o->groups.len + 1, sizeof(uint64_t));
  for (size_t i = 0; i < o->groups.len; i++) {
    dl_op *kernel = make_kernel(o->groups.data[i]);
    uint64_t hash = dl_op_hash(kernel);
    dl_op *equal = find_equal(o, kernel, hash, hashes);
    kernel_of[i] = equal ? equal : kernel;
    if (equal) {
      dl_op_destroy_tree(kernel);
    } else {
      hashes[o->kernels.len] = hash;
      DL_PUSH(&o->kernels, kernel);
    }
  }
  free(hashes);
  return kernel_of;
}

static void name_kernel(outliner *o, dl_op *kernel, const dl_op *group) {
  dl_context *ctx = dl_op_context(kernel);
  dl_ident hint = function_hint(ctx, dl_get_str(group, "label"));
  dl_ident name = dl_symbol_unique_name(o->module, hint);
  dl_set_attr(kernel, "sym_name", dl_string_attr_z(ctx, name));
  dl_op_append(dl_region_first(dl_op_region(o->module, 0)), kernel);
}

static dl_status run(dl_pass *pass, dl_op *module) {
  outliner o = {.module = module};
  DL_FOR_OPS(func, dl_region_first(dl_op_region(module, 0))) {
    if (!dl_is(func, func_func) || dl_get_attr(func, "tensor.kernel")) continue;
    DL_FOR_BLOCKS(block, dl_op_region(func, 0)) {
      wrap_computes(block);
      DL_FOR_OPS(op, block)
      if (dl_is(op, tensor_group)) DL_PUSH(&o.groups, op);
    }
  }
  dl_op **kernel_of = make_kernels(&o);
  for (size_t i = 0; i < o.groups.len; i++) {
    if (!dl_op_block(kernel_of[i])) name_kernel(&o, kernel_of[i], o.groups.data[i]);
    call_kernel(o.groups.data[i], kernel_of[i]);
  }
  if (o.groups.len) dl_pass_changed(pass);
  dl_count(pass, "kernels", (int64_t)o.kernels.len);
  dl_count(pass, "calls", (int64_t)o.groups.len);
  free(kernel_of);
  DL_VEC_FREE(&o.groups);
  DL_VEC_FREE(&o.kernels);
  return DL_OK;
}

static const char *const statistics[] = {"kernels", "calls"};

const dl_pass_def dl_pass_tensor_outline_groups = {
    .name = "tensor-outline-groups",
    .summary = "Make every group a kernel function; equal ones are shared",
    .anchor = "builtin.module",
    .contract = DL_EXACT,
    .num_statistics = DL_COUNT(statistics),
    .statistics = statistics,
    .run = run};
