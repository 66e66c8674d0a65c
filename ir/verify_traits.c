#include "ir/context_internal.h"
#include "ir/op_internal.h"
#include "ir/verify_internal.h"

static dl_status verify_same_operands(const dl_op *op) {
  for (uint32_t i = 1; i < op->num_operands; i++) {
    if (op->operands[i].value->type != op->operands[0].value->type)
      return dl_op_error(op, "requires all operands to have the same type");
  }
  return DL_OK;
}

static dl_status verify_same_type(const dl_op *op) {
  DL_TRY(verify_same_operands(op));
  dl_type type = op->num_operands  ? op->operands[0].value->type
                 : op->num_results ? op->results[0].type
                                   : NULL;
  for (uint32_t i = 0; i < op->num_results; i++) {
    if (op->results[i].type != type)
      return dl_op_error(op, "requires the same type for all operands and results");
  }
  return DL_OK;
}

static bool is_shaped(dl_type type) {
  return type->kind == DL_TYPE_VECTOR || type->kind == DL_TYPE_TENSOR ||
         type->kind == DL_TYPE_MEMREF;
}

static bool same_shape(dl_type a, dl_type b) {
  if (a->kind != b->kind || a->unranked != b->unranked || a->rank != b->rank) return false;
  for (size_t i = 0; i < a->rank; i++) {
    bool known = a->shape[i] != DL_DYNAMIC && b->shape[i] != DL_DYNAMIC;
    if (known && a->shape[i] != b->shape[i]) return false;
  }
  return true;
}

// Shaped operands and all results have one shape; scalar operands (a select's condition) apply to
// all lanes.
static dl_status verify_elementwise(const dl_op *op) {
  dl_type shape = NULL;
  for (uint32_t i = 0; i < op->num_operands; i++) {
    dl_type type = op->operands[i].value->type;
    if (!is_shaped(type)) continue;
    if (shape && !same_shape(shape, type))
      return dl_op_error(op, "requires operands of the same shape");
    shape = type;
  }
  for (uint32_t i = 0; i < op->num_results; i++) {
    dl_type type = op->results[i].type;
    if (shape ? !is_shaped(type) || !same_shape(shape, type) : is_shaped(type))
      return dl_op_error(op, "requires results of the shape of the operands");
  }
  return DL_OK;
}

static dl_status verify_constant(const dl_op *op) {
  if (op->num_operands || op->num_results != 1)
    return dl_op_error(op, "must have no operands and one result");
  if (!dl_get_attr_ident(op, dl_op_context(op)->value_name))
    return dl_op_error(op, "requires attribute 'value'");
  return DL_OK;
}

static dl_status verify_symbol(const dl_op *op) {
  dl_attr name = dl_get_attr_ident(op, dl_op_context(op)->sym_name);
  if (!name || name->kind != DL_ATTR_STRING || !name->bytes.len)
    return dl_op_error(op, "requires a string attribute 'sym_name'");
  return DL_OK;
}

static dl_status verify_unique(const dl_op *symbol, dl_ptr_map *seen) {
  dl_ident name = dl_symbol_name(symbol);
  if (!name) return DL_OK;
  const dl_op *present = dl_ptr_map_get(seen, name);
  if (!present) {
    dl_ptr_map_set(seen, name, (void *)symbol);
    return DL_OK;
  }
  dl_error(dl_op_loc(symbol), "redefinition of symbol named '%s'", name);
  dl_note(dl_op_loc(present), "see existing symbol definition here");
  return DL_FAILED;
}

static dl_status verify_symbol_table(const dl_op *op) {
  dl_status status = DL_OK;
  dl_ptr_map seen = {0};
  for (uint32_t i = 0; i < op->num_regions; i++) {
    DL_FOR_BLOCKS(block, &dl_regions(op)[i]) {
      for (const dl_op *symbol = block->first; symbol; symbol = symbol->next) {
        if (verify_unique(symbol, &seen) != DL_OK) status = DL_FAILED;
      }
    }
  }
  dl_ptr_map_free(&seen);
  return status;
}

static dl_status verify_function(const dl_op *op) {
  dl_attr type = dl_get_attr(op, "function_type");
  if (!type || type->kind != DL_ATTR_TYPE || type->type->kind != DL_TYPE_FUNCTION)
    return dl_op_error(op, "requires a function type attribute 'function_type'");
  if (!op->num_regions || !dl_regions(op)[0].first) return DL_OK;
  const dl_block *entry = dl_regions(op)[0].first;
  if (entry->num_args != type->type->num_inputs)
    return dl_op_error(op, "entry block must have %zu arguments to match the function type",
                       type->type->num_inputs);
  for (uint32_t i = 0; i < entry->num_args; i++) {
    if (entry->args[i]->value.type != type->type->inputs[i])
      return dl_op_error(op, "type of entry block argument #%u must match the function type", i);
  }
  return DL_OK;
}

dl_status dl_verify_traits(const dl_op *op) {
  static const struct {
    uint32_t trait;
    dl_status (*verify)(const dl_op *op);
  } checks[] = {
      {DL_SAME_TYPE, verify_same_type},     {DL_SAME_OPERANDS, verify_same_operands},
      {DL_ELEMENTWISE, verify_elementwise}, {DL_CONSTANT, verify_constant},
      {DL_SYMBOL, verify_symbol},           {DL_SYMBOL_TABLE, verify_symbol_table},
      {DL_FUNCTION, verify_function},
  };
  dl_status status = DL_OK;
  uint32_t traits = op->info->traits;
  for (size_t i = 0; i < DL_COUNT(checks); i++) {
    if (traits & checks[i].trait && checks[i].verify(op) != DL_OK) status = DL_FAILED;
  }
  return status;
}
