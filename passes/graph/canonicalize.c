// graph-canonicalize: removes ops that change nothing (identities, dropout, casts, transpositions,
// paddings and reshapes to the same) and makes one reshape of several. What an op does is read from
// its spec, not from its name. (canonicalize deals with what traits say, such as relu of relu.)
// Contract: exact.
#include "dialects/graph/graph_ops.h"
#include "ir/pass.h"
#include "passes/graph/structure.h"

// The operand that op's result is a copy of, for ops that are bound without a diagnostic.
static dl_value *copied_operand(const dl_op *op) {
  if (!dl_op_def_of(op)->compute || dl_num_results(op) != 1) return NULL;
  dl_bound_spec *bound = dl_spec_bind(op);
  if (!bound) return NULL;
  dl_value *source = dl_copied_operand(bound);
  dl_bound_destroy(bound);
  return source;
}

static dl_outcome remove_copy(dl_rewriter *rw, dl_op *op) {
  dl_value *source = copied_operand(op);
  if (!source || dl_value_type(source) != dl_value_type(dl_result(op, 0))) return DL_NO_MATCH;
  dl_replace(rw, op, source);
  return DL_CHANGED;
}

static dl_value *shape_constant(dl_rewriter *rw, dl_type type) {
  dl_builder *b = dl_rw_builder(rw);
  int64_t rank = (int64_t)type->rank;
  dl_type shape = dl_tensor_type(dl_int_type(b->ctx, 64), 1, &rank, NULL);
  dl_str bytes = {(const char *)type->shape, type->rank * sizeof(int64_t)};
  return dl_result(graph_materialize_constant(b, dl_dense_attr(shape, bytes, false), shape), 0);
}

static bool is_plain_static(dl_type type) { return dl_has_static_shape(type) && !type->encoding; }

// A copy in another shape of such a copy: one reshape from the first source to the last shape.
static dl_outcome merge_reshapes(dl_rewriter *rw, dl_op *op) {
  dl_value *middle = copied_operand(op);
  dl_op *first = middle ? dl_value_def(middle) : NULL;
  dl_value *source = first ? copied_operand(first) : NULL;
  if (!source || !is_plain_static(dl_value_type(source))) return DL_NO_MATCH;
  dl_type type = dl_value_type(dl_result(op, 0));
  if (!is_plain_static(type)) return DL_NO_MATCH;
  dl_value *operands[] = {source, shape_constant(rw, type)};
  dl_op *reshape = dl_rw_build(rw, &(dl_op_state){.def = &graph_reshape,
                                                  .num_operands = 2,
                                                  .operands = operands,
                                                  .num_results = 1,
                                                  .result_types = &type});
  dl_replace(rw, op, dl_result(reshape, 0));
  return DL_CHANGED;
}

static const dl_pattern patterns[] = {
    {NULL, remove_copy, 2, "remove_copy"},
    {NULL, merge_reshapes, 1, "merge_reshapes"},
};

const dl_pass_def dl_pass_graph_canonicalize = {.name = "graph-canonicalize",
                                                .summary = "Remove ops that change nothing",
                                                .anchor = "func.func",
                                                .contract = DL_EXACT,
                                                .num_patterns = DL_COUNT(patterns),
                                                .patterns = patterns};
