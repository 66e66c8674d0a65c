// How control runs through the regions of loops and branches.
#include "dialects/loop/loop_ops.h"

enum { FOR_INITS = 2, BODY = 0, THEN = 0, ELSE = 1 };

// From before the loop and from the end of its body alike: into the body once more, or on.
static size_t loop_edges(size_t first, size_t count, dl_control_edge edges[DL_MAX_EDGES]) {
  edges[0] = (dl_control_edge){.to = BODY, .first = first, .count = count, .first_input = 1};
  edges[1] = (dl_control_edge){.to = DL_PARENT, .first = first, .count = count};
  return 2;
}

size_t loop_for_control(const dl_op *op, int from, const dl_attr *operand_constants,
                        dl_control_edge edges[DL_MAX_EDGES]) {
  (void)operand_constants;
  size_t count, first = dl_operand_group(op, FOR_INITS, &count);
  return loop_edges(from == DL_PARENT ? first : 0, count, edges);
}

size_t loop_parallel_control(const dl_op *op, int from, const dl_attr *operand_constants,
                             dl_control_edge edges[DL_MAX_EDGES]) {
  (void)op, (void)from, (void)operand_constants;
  return loop_edges(0, 0, edges);
}

size_t loop_if_control(const dl_op *op, int from, const dl_attr *operand_constants,
                       dl_control_edge edges[DL_MAX_EDGES]) {
  size_t results = dl_num_results(op), num_edges = 0;
  if (from != DL_PARENT) {
    edges[0] = (dl_control_edge){.to = DL_PARENT, .count = results};
    return 1;
  }
  dl_attr condition = operand_constants ? operand_constants[0] : NULL;
  bool known = condition && condition->kind == DL_ATTR_INTEGER;
  bool no_else = dl_region_empty(dl_op_region(op, ELSE));
  if (!known || condition->integer) edges[num_edges++] = (dl_control_edge){.to = THEN};
  if (!known || !condition->integer)
    edges[num_edges++] = (dl_control_edge){.to = no_else ? DL_PARENT : ELSE};
  return num_edges;
}
