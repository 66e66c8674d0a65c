// Cloning in two passes: first everything is created, with unset operands, then the operands and
// successors are set, since they may refer to what comes later.
#include "ir/op_internal.h"

static void create_region(const dl_region *from, dl_region *to, dl_ptr_map *mapping);

static dl_op *create_op(const dl_op *op, dl_ptr_map *mapping) {
  dl_type few[8], *types = few;
  if (op->num_results > DL_COUNT(few)) types = dl_malloc(op->num_results * sizeof(*types));
  for (uint32_t i = 0; i < op->num_results; i++) types[i] = op->results[i].type;
  dl_op *clone = dl_op_create_bare(op->info, op->loc,
                                   &(dl_op_state){.num_operands = op->num_operands,
                                                  .num_results = op->num_results,
                                                  .result_types = types,
                                                  .num_attrs = op->num_attrs,
                                                  .num_regions = op->num_regions,
                                                  .num_successors = op->num_successors,
                                                  .successors = dl_successors(op)});
  if (types != few) free(types);
  if (op->num_attrs) memcpy(clone->attrs, op->attrs, op->num_attrs * sizeof(*op->attrs));
  clone->num_attrs = op->num_attrs;
  clone->num_inherent = op->num_inherent;
  for (uint32_t i = 0; i < op->num_results; i++) {
    clone->results[i].name = op->results[i].name;
    dl_ptr_map_set(mapping, &op->results[i], &clone->results[i]);
  }
  for (uint32_t i = 0; i < op->num_regions; i++)
    create_region(&dl_filled_regions(op)[i], &dl_regions(clone)[i], mapping);
  return clone;
}

static void create_block(const dl_block *from, dl_block *to, dl_ptr_map *mapping) {
  to->label = from->label;
  dl_ptr_map_set(mapping, from, to);
  for (uint32_t i = 0; i < from->num_args; i++) {
    dl_value *arg = &from->args[i]->value, *copy = dl_add_arg(to, arg->type, dl_value_loc(arg));
    copy->name = arg->name;
    dl_ptr_map_set(mapping, arg, copy);
  }
  for (dl_op *op = from->first; op; op = op->next) dl_op_append(to, create_op(op, mapping));
}

static void create_region(const dl_region *from, dl_region *to, dl_ptr_map *mapping) {
  DL_FOR_BLOCKS(block, from) {
    dl_block *copy = dl_block_create(from->ctx);
    dl_block_append(to, copy);
    create_block(block, copy, mapping);
  }
}

static void connect(const dl_op *op, dl_op *clone, const dl_ptr_map *mapping) {
  for (uint32_t i = 0; i < op->num_operands; i++) {
    dl_value *operand = op->operands[i].value, *mapped = dl_ptr_map_get(mapping, operand);
    dl_use_assign(&clone->operands[i], mapped ? mapped : operand);
  }
  for (uint32_t i = 0; i < op->num_successors; i++) {
    dl_block *mapped = dl_ptr_map_get(mapping, dl_successors(op)[i]);
    if (mapped) dl_successors(clone)[i] = mapped;
  }
  for (uint32_t i = 0; i < op->num_regions; i++) {
    dl_block *to = dl_regions(clone)[i].first;
    for (dl_block *from = dl_regions(op)[i].first; from; from = from->next, to = to->next) {
      dl_op *copy = to->first;
      for (dl_op *inner = from->first; inner; inner = inner->next, copy = copy->next)
        connect(inner, copy, mapping);
    }
  }
}

dl_op *dl_op_clone(const dl_op *op, dl_ptr_map *mapping) {
  dl_ptr_map local = {0};
  if (!mapping) mapping = &local;
  dl_op *clone = create_op(op, mapping);
  connect(op, clone, mapping);
  dl_ptr_map_free(&local);
  return clone;
}
