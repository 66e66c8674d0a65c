#include "ir/context_internal.h"
#include "ir/op_internal.h"

static dl_str symbol_text(const dl_op *op) {
  dl_attr name = dl_get_attr_ident(op, dl_op_context(op)->sym_name);
  return name && name->kind == DL_ATTR_STRING ? name->bytes : (dl_str){0};
}

dl_ident dl_symbol_name(const dl_op *op) {
  dl_str text = symbol_text(op);
  return text.data ? dl_intern(dl_op_context(op), text) : NULL;
}

dl_op *dl_symbol_lookup(const dl_op *symbol_table, dl_ident name) {
  dl_str wanted = {name, dl_ident_len(name)};
  for (uint32_t i = 0; i < symbol_table->num_regions; i++) {
    DL_FOR_BLOCKS(block, &dl_filled_regions(symbol_table)[i]) {
      for (dl_op *op = block->first; op; op = op->next) {
        dl_str text = symbol_text(op);
        if (text.data && dl_str_equal(text, wanted)) return op;
      }
    }
  }
  return NULL;
}

dl_op *dl_enclosing_symbol_table(const dl_op *op) {
  for (op = dl_op_parent(op); op; op = dl_op_parent(op)) {
    if (dl_has_trait(op, DL_SYMBOL_TABLE)) return (dl_op *)op;
  }
  return NULL;
}

dl_ident dl_symbol_unique_name(const dl_op *symbol_table, const char *hint) {
  dl_context *ctx = dl_op_context(symbol_table);
  dl_ident name = dl_intern_z(ctx, hint);
  for (unsigned i = 0; dl_symbol_lookup(symbol_table, name); i++)
    name = dl_intern_f(ctx, "%s_%u", hint, i);
  return name;
}
