// @main and @init: tensors become pointers with the values of their dynamic sizes.
#include "dialects/arith/arith_ops.h"
#include "dialects/func/func_ops.h"
#include "dialects/tensor/tensor_ops.h"
#include "passes/convert/tensor_to_loop_internal.h"

typedef struct host_tensor {
  dl_value *pointer;
  bool owned;        // memory of this run that nothing else is returned in
  dl_value **sizes;  // per dimension: an index where the type is dynamic
} host_tensor;

typedef struct host {
  dl_context *ctx;
  dl_op *source;
  dl_arena *arena;
  const dl_ptr_map *kernels;  // name -> tensor-level kernel
  dl_builder b;
  dl_ptr_map tensors;  // tensor value -> host_tensor
  dl_ptr_map scalars;
} host;

static host_tensor *add_tensor(host *h, const dl_value *tensor) {
  host_tensor *t = dl_arena_alloc(h->arena, sizeof(*t));
  size_t rank = dl_value_type(tensor)->rank;
  t->sizes = dl_arena_alloc(h->arena, (rank + 1) * sizeof(dl_value *));
  dl_ptr_map_set(&h->tensors, tensor, t);
  return t;
}

static host_tensor *tensor_of(const host *h, const dl_value *tensor) {
  return dl_ptr_map_get(&h->tensors, tensor);
}

static dl_value *index_constant(host *h, int64_t value) {
  dl_attr attr = dl_index_attr(h->ctx, value);
  dl_named_attr named = {dl_intern_z(h->ctx, "value"), attr};
  return dl_result(dl_build(&h->b, &(dl_op_state){.def = &arith_constant,
                                                  .num_results = 1,
                                                  .result_types = &attr->type,
                                                  .num_attrs = 1,
                                                  .attrs = &named}),
                   0);
}

static dl_value *size_value(host *h, const dl_value *tensor, size_t dim) {
  int64_t size = dl_value_type(tensor)->shape[dim];
  return size == DL_DYNAMIC ? tensor_of(h, tensor)->sizes[dim] : index_constant(h, size);
}

// The product of a tensor's sizes as a map over the dynamic ones.
static dl_bound num_elements(host *h, dl_type type, const host_tensor *t) {
  dl_value **operands = dl_arena_alloc(h->arena, (type->rank + 1) * sizeof(dl_value *));
  dl_expr count = dl_expr_const(h->ctx, 1);
  unsigned used = 0;
  for (size_t d = 0; d < type->rank; d++) {
    bool dynamic = type->shape[d] == DL_DYNAMIC;
    if (dynamic) operands[used] = t->sizes[d];
    count = dl_expr_mul(
        count, dynamic ? dl_expr_dim(h->ctx, used++) : dl_expr_const(h->ctx, type->shape[d]));
  }
  return (dl_bound){dl_affine_map(h->ctx, used, 0, 1, &count), operands};
}

static void allocate(host *h, const dl_value *tensor, host_tensor *t) {
  dl_type type = dl_value_type(tensor);
  dl_bound elements = num_elements(h, type, t);
  t->pointer = dl_build_loop_alloc(&h->b, dl_storage_type(type->element), elements);
  t->owned = true;
}

// --- calls of kernels ---

// A kernel's index value, computed on the host. `scope` maps the kernel's values to the host's.
static dl_value *mirror(host *h, dl_ptr_map *scope, dl_value *value, const dl_op *call) {
  dl_value *known = dl_ptr_map_get(scope, value);
  if (known) return known;
  dl_op *op = dl_value_def(value);
  if (dl_is(op, tensor_dim)) {
    size_t arg = dl_value_index(dl_operand(op, 0));
    return size_value(h, dl_operand(call, arg),
                      (size_t)dl_constant_value(dl_operand(op, 1))->integer);
  }
  dl_ptr_map mapping = {0};
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_ptr_map_set(&mapping, dl_operand(op, i), mirror(h, scope, dl_operand(op, i), call));
  }
  dl_op *copy = dl_op_clone(op, &mapping);
  dl_ptr_map_free(&mapping);
  dl_builder_insert(&h->b, copy);
  dl_ptr_map_set(scope, value, dl_result(copy, 0));
  return dl_result(copy, 0);
}

// Size `dim` of a value of the kernel, on the host.
static dl_value *mirror_size(host *h, dl_ptr_map *scope, dl_value *tensor, size_t dim,
                             const dl_op *call) {
  dl_type type = dl_value_type(tensor);
  if (type->shape[dim] != DL_DYNAMIC) return index_constant(h, type->shape[dim]);
  dl_op *op = dl_value_def(tensor);
  if (!op) return size_value(h, dl_operand(call, dl_value_index(tensor)), dim);
  if (dl_is(op, tensor_cast)) return mirror_size(h, scope, dl_operand(op, 0), dim, call);
  if (dl_is(op, tensor_reinterpret)) {
    size_t before = 0;
    for (size_t d = 0; d < dim; d++) before += type->shape[d] == DL_DYNAMIC;
    return mirror(h, scope, dl_operand(op, 1 + before), call);
  }
  dl_compute c = dl_compute_read(op, h->arena);
  dl_value **operands = dl_arena_alloc(h->arena, (c.num_symbols + 1) * sizeof(dl_value *));
  dl_expr *dims = dl_arena_alloc(h->arena, (c.num_symbols + 1) * sizeof(dl_expr));
  for (size_t i = 0; i < c.num_symbols; i++) {
    operands[i] = mirror(h, scope, c.symbols[i], call);
    dims[i] = dl_expr_dim(h->ctx, (unsigned)i);
  }
  dl_expr size = dl_expr_substitute(c.shape->results[dim], 0, NULL, c.num_symbols, dims);
  dl_map map = dl_affine_map(h->ctx, (unsigned)c.num_symbols, 0, 1, &size);
  return dl_build_loop_apply(&h->b, (dl_bound){map, operands});
}

static void add_results(host *h, dl_op *call, const dl_op *kernel) {
  dl_block *body = dl_region_first(dl_op_region(kernel, 0));
  dl_op *ret = dl_block_terminator(body);
  dl_ptr_map scope = {0};
  for (size_t i = 0; i < dl_num_args(body); i++) {
    dl_value *scalar = dl_ptr_map_get(&h->scalars, dl_operand(call, i));
    if (scalar) dl_ptr_map_set(&scope, dl_arg(body, i), scalar);
  }
  for (size_t r = 0; r < dl_num_results(call); r++) {
    dl_value *result = dl_result(call, r);
    host_tensor *t = add_tensor(h, result);
    dl_type type = dl_value_type(result);
    for (size_t d = 0; d < type->rank; d++) {
      if (type->shape[d] == DL_DYNAMIC) {
        t->sizes[d] = mirror_size(h, &scope, dl_operand(ret, r), d, call);
      }
    }
    allocate(h, result, t);
  }
  dl_ptr_map_free(&scope);
}

static dl_status convert_call(host *h, dl_op *op) {
  dl_attr callee = dl_get_attr(op, "callee");
  const dl_op *kernel = dl_ptr_map_get(h->kernels, callee->name);
  if (!kernel) return dl_error(dl_op_loc(op), "@%s is no kernel", callee->name);
  add_results(h, op, kernel);
  DL_VEC(dl_value *) operands = {0};
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    host_tensor *t = tensor_of(h, dl_operand(op, i));
    DL_PUSH(&operands, t ? t->pointer : dl_ptr_map_get(&h->scalars, dl_operand(op, i)));
  }
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    host_tensor *t = tensor_of(h, dl_operand(op, i));
    dl_type type = dl_value_type(dl_operand(op, i));
    for (size_t d = 0; t && d < type->rank; d++) {
      if (type->shape[d] == DL_DYNAMIC) {
        dl_type declared = dl_value_type(dl_arg(dl_region_first(dl_op_region(kernel, 0)), i));
        if (declared->shape[d] == DL_DYNAMIC) DL_PUSH(&operands, t->sizes[d]);
      }
    }
  }
  for (size_t r = 0; r < dl_num_results(op); r++) {
    DL_PUSH(&operands, tensor_of(h, dl_result(op, r))->pointer);
  }
  dl_named_attr attr = {dl_intern_z(h->ctx, "callee"), callee};
  dl_build(&h->b, &(dl_op_state){.def = &func_call,
                                 .num_operands = operands.len,
                                 .operands = operands.data,
                                 .num_attrs = 1,
                                 .attrs = &attr});
  DL_VEC_FREE(&operands);
  return DL_OK;
}

// --- other ops ---

static void convert_view(host *h, dl_op *op) {
  host_tensor *source = tensor_of(h, dl_operand(op, 0));
  host_tensor *t = add_tensor(h, dl_result(op, 0));
  dl_type type = dl_value_type(dl_result(op, 0));
  size_t next = 1;
  for (size_t d = 0; d < type->rank; d++) {
    if (type->shape[d] != DL_DYNAMIC) continue;
    t->sizes[d] = dl_is(op, tensor_cast) ? size_value(h, dl_operand(op, 0), d)
                                         : dl_ptr_map_get(&h->scalars, dl_operand(op, next++));
  }
  t->pointer = source->pointer;
  t->owned = source->owned;
}

static void convert_extract(host *h, dl_op *op) {
  dl_value *tensor = dl_operand(op, 0);
  dl_type type = dl_value_type(tensor);
  dl_value **operands = dl_arena_alloc(h->arena, (2 * type->rank + 1) * sizeof(dl_value *));
  dl_expr *sizes = dl_arena_alloc(h->arena, (type->rank + 1) * sizeof(dl_expr));
  dl_expr *indices = dl_arena_alloc(h->arena, (type->rank + 1) * sizeof(dl_expr));
  unsigned used = 0;
  for (size_t d = 0; d < type->rank; d++) {
    operands[used] = dl_ptr_map_get(&h->scalars, dl_operand(op, 1 + d));
    indices[d] = dl_expr_dim(h->ctx, used++);
    sizes[d] = dl_expr_const(h->ctx, type->shape[d]);
    if (type->shape[d] != DL_DYNAMIC) continue;
    operands[used] = tensor_of(h, tensor)->sizes[d];
    sizes[d] = dl_expr_dim(h->ctx, used++);
  }
  dl_expr offset = dl_linear_offset(h->ctx, type->rank, sizes, indices);
  dl_bound at = {dl_affine_map(h->ctx, used, 0, 1, &offset), operands};
  dl_value *pointer = tensor_of(h, tensor)->pointer;
  dl_value *value = dl_build_loop_load(&h->b, dl_storage_type(type->element), pointer, at, NULL);
  dl_ptr_map_set(&h->scalars, dl_result(op, 0), value);
}

static void convert_from_elements(host *h, dl_op *op) {
  host_tensor *t = add_tensor(h, dl_result(op, 0));
  allocate(h, dl_result(op, 0), t);
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_value *value = dl_ptr_map_get(&h->scalars, dl_operand(op, i));
    dl_build_loop_store(&h->b, value, t->pointer, dl_bound_const(h->ctx, (int64_t)i), NULL);
  }
}

static dl_status convert_scalar(host *h, dl_op *op) {
  dl_ptr_map mapping = {0};
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_value *scalar = dl_ptr_map_get(&h->scalars, dl_operand(op, i));
    if (!scalar) {
      dl_ptr_map_free(&mapping);
      return dl_error(dl_op_loc(op), "'%s' is not part of a kernel", dl_op_name(op));
    }
    dl_ptr_map_set(&mapping, dl_operand(op, i), scalar);
  }
  dl_op *copy = dl_op_clone(op, &mapping);
  dl_ptr_map_free(&mapping);
  dl_builder_insert(&h->b, copy);
  for (size_t i = 0; i < dl_num_results(op); i++) {
    dl_ptr_map_set(&h->scalars, dl_result(op, i), dl_result(copy, i));
  }
  return DL_OK;
}

// What is returned must be memory of this run that is returned once.
static dl_value *returned_pointer(host *h, const dl_value *tensor) {
  host_tensor *t = tensor_of(h, tensor);
  if (t->owned) {
    dl_use *use = dl_first_use(t->pointer);
    bool twice = false;
    for (; use; use = dl_next_use(use)) twice |= dl_is(dl_use_owner(use), func_return);
    if (!twice) return t->pointer;
  }
  host_tensor copy = *t;
  allocate(h, tensor, &copy);
  dl_bound elements = num_elements(h, dl_value_type(tensor), t);
  dl_build_loop_copy(&h->b, t->pointer, copy.pointer, elements);
  return copy.pointer;
}

static void convert_return(host *h, dl_op *op) {
  DL_VEC(dl_value *) operands = {0};
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_value *pointer = returned_pointer(h, dl_operand(op, i));
    for (size_t j = 0; j < operands.len; j++) {
      if (operands.data[j] != pointer) continue;
      tensor_of(h, dl_operand(op, i))->owned = false;
      pointer = returned_pointer(h, dl_operand(op, i));
      break;
    }
    DL_PUSH(&operands, pointer);
  }
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_type type = dl_value_type(dl_operand(op, i));
    for (size_t d = 0; d < type->rank; d++) {
      if (type->shape[d] != DL_DYNAMIC) continue;
      DL_PUSH(&operands, tensor_of(h, dl_operand(op, i))->sizes[d]);
    }
  }
  dl_build(
      &h->b,
      &(dl_op_state){.def = &func_return, .num_operands = operands.len, .operands = operands.data});
  DL_VEC_FREE(&operands);
}

static dl_status convert_op(host *h, dl_op *op) {
  h->b.loc = dl_op_loc(op);
  if (dl_is(op, func_call)) return convert_call(h, op);
  if (dl_is(op, func_return)) {
    convert_return(h, op);
  } else if (dl_is(op, tensor_weight) || dl_is(op, tensor_constant)) {
    dl_type element = dl_storage_type(dl_value_type(dl_result(op, 0))->element);
    host_tensor *t = add_tensor(h, dl_result(op, 0));
    t->pointer = dl_is(op, tensor_weight)
                     ? dl_build_loop_weight(&h->b, element, dl_get_i64(op, "index", 0))
                     : dl_build_loop_constant(&h->b, dl_get_attr(op, "value"));
  } else if (dl_is(op, tensor_reinterpret) || dl_is(op, tensor_cast)) {
    convert_view(h, op);
  } else if (dl_is(op, tensor_dim)) {
    dl_attr index = dl_constant_value(dl_operand(op, 1));
    if (!index) return dl_error(dl_op_loc(op), "needs a constant dimension");
    dl_ptr_map_set(&h->scalars, dl_result(op, 0),
                   size_value(h, dl_operand(op, 0), (size_t)index->integer));
  } else if (dl_is(op, tensor_extract)) {
    convert_extract(h, op);
  } else if (dl_is(op, tensor_from_elements)) {
    convert_from_elements(h, op);
  } else {
    return convert_scalar(h, op);
  }
  return DL_OK;
}

// --- the function ---

typedef DL_VEC(dl_type) type_list;

// Pointers, then an index per dynamic dimension.
static void flatten(size_t count, const dl_type *tensors, type_list *out) {
  for (size_t i = 0; i < count; i++) {
    dl_type type = tensors[i];
    DL_PUSH(out, dl_is_tensor(type) ? dl_loop_ptr_type(dl_storage_type(type->element)) : type);
  }
  for (size_t i = 0; i < count; i++) {
    for (size_t d = 0; dl_is_tensor(tensors[i]) && d < tensors[i]->rank; d++) {
      if (tensors[i]->shape[d] == DL_DYNAMIC) DL_PUSH(out, dl_index_type(tensors[i]->ctx));
    }
  }
}

// What has no name is called `plain` with its number: callers must be able to refer to it.
static dl_attr names_of(host *h, const char *list, const char *plain, size_t count) {
  dl_attr attrs = dl_get_attr(h->source, list);
  dl_ident key = dl_intern_z(h->ctx, "dlir.name");
  dl_attr *names = dl_arena_alloc(h->arena, (count + 1) * sizeof(dl_attr));
  for (size_t i = 0; i < count; i++) {
    dl_attr name = attrs && i < attrs->count ? dl_dict_get(attrs->elements[i], key) : NULL;
    names[i] = name ? name : dl_string_attr_z(h->ctx, dl_intern_f(h->ctx, "%s_%zu", plain, i));
  }
  return dl_array_attr(h->ctx, count, names);
}

static void set_signature(host *h, dl_op *func, dl_type old) {
  dl_named_attr names[] = {
      {dl_intern_z(h->ctx, "inputs"), names_of(h, "arg_attrs", "input", old->num_inputs)},
      {dl_intern_z(h->ctx, "outputs"), names_of(h, "res_attrs", "output", old->num_results)}};
  dl_set_attr(func, "loop.signature", dl_type_attr(old));
  dl_set_attr(func, "dlir.names", dl_dict_attr(h->ctx, 2, names));
}

static dl_op *create_function(host *h) {
  dl_type old = dl_get_attr(h->source, "function_type")->type;
  type_list inputs = {0}, results = {0};
  flatten(old->num_inputs, old->inputs, &inputs);
  flatten(old->num_results, old->results, &results);
  dl_type type = dl_function_type(h->ctx, inputs.len, inputs.data, results.len, results.data);
  dl_named_attr attrs[] = {{dl_intern_z(h->ctx, "sym_name"), dl_get_attr(h->source, "sym_name")},
                           {dl_intern_z(h->ctx, "function_type"), dl_type_attr(type)}};
  dl_builder b = dl_builder_before(h->source);
  dl_op *func = dl_build(
      &b, &(dl_op_state){
              .def = &func_func, .num_attrs = DL_COUNT(attrs), .attrs = attrs, .num_regions = 1});
  dl_attr visibility = dl_get_attr(h->source, "sym_visibility");
  if (visibility) dl_set_attr(func, "sym_visibility", visibility);
  set_signature(h, func, old);
  dl_block *body = dl_block_create(h->ctx);
  dl_block_append(dl_op_region(func, 0), body);
  for (size_t i = 0; i < inputs.len; i++) dl_add_arg(body, inputs.data[i], dl_op_loc(h->source));
  DL_VEC_FREE(&inputs);
  DL_VEC_FREE(&results);
  h->b = dl_builder_at_end(body, dl_op_loc(h->source));
  return func;
}

static void bind_arguments(host *h, dl_op *func) {
  dl_block *old = dl_region_first(dl_op_region(h->source, 0));
  dl_block *body = dl_region_first(dl_op_region(func, 0));
  size_t next = dl_num_args(old);
  for (size_t i = 0; i < dl_num_args(old); i++) {
    dl_value *arg = dl_arg(old, i);
    dl_value_set_name(dl_arg(body, i), dl_value_name(arg));
    if (!dl_is_tensor(dl_value_type(arg))) {
      dl_ptr_map_set(&h->scalars, arg, dl_arg(body, i));
      continue;
    }
    host_tensor *t = add_tensor(h, arg);
    t->pointer = dl_arg(body, i);
    for (size_t d = 0; d < dl_value_type(arg)->rank; d++) {
      if (dl_value_type(arg)->shape[d] == DL_DYNAMIC) t->sizes[d] = dl_arg(body, next++);
    }
  }
}

static dl_status convert_body(host *h) {
  bind_arguments(h, create_function(h));
  DL_FOR_OPS(op, dl_region_first(dl_op_region(h->source, 0))) DL_TRY(convert_op(h, op));
  return DL_OK;
}

dl_status dl_convert_host(dl_op *func, const dl_ptr_map *kernels) {
  host h = {
      .ctx = dl_op_context(func), .source = func, .arena = dl_arena_create(), .kernels = kernels};
  dl_status status = convert_body(&h);
  dl_ptr_map_free(&h.tensors);
  dl_ptr_map_free(&h.scalars);
  dl_arena_destroy(h.arena);
  return status;
}
