// symbol-privatize: makes the symbols of a table private, so that symbol-dce and others may change
// them, but for those listed.
#include "ir/pass.h"

static bool is_listed(dl_str list, dl_str name) {
  while (list.len) {
    const char *comma = memchr(list.data, ',', list.len);
    size_t len = comma ? (size_t)(comma - list.data) : list.len;
    if (dl_str_equal((dl_str){list.data, len}, name)) return true;
    list = comma ? (dl_str){comma + 1, list.len - len - 1} : (dl_str){0};
  }
  return false;
}

static void privatize(dl_pass *pass, dl_op *op) {
  bool already = dl_str_is(dl_get_str(op, "sym_visibility"), "private");
  dl_ident name = dl_has_trait(op, DL_SYMBOL) ? dl_symbol_name(op) : NULL;
  if (!name || already || is_listed(dl_option_str(pass, "exclude"), dl_str_of(name))) return;
  dl_set_attr(op, "sym_visibility", dl_string_attr_z(dl_op_context(op), "private"));
  dl_pass_changed(pass);
}

static dl_status run(dl_pass *pass, dl_op *table) {
  for (size_t i = 0; i < dl_num_regions(table); i++) DL_FOR_BLOCKS(block, dl_op_region(table, i)) {
      DL_FOR_OPS(op, block) privatize(pass, op);
    }
  return DL_OK;
}

static const dl_option_def options[] = {
    {"exclude", "Comma-separated names of symbols that stay as they are", DL_OPTION_STRING, NULL},
};

const dl_pass_def dl_pass_symbol_privatize = {
    .name = "symbol-privatize",
    .summary = "Make symbols private",
    .anchor = "builtin.module",
    .contract = DL_EXACT,
    .num_options = DL_COUNT(options),
    .options = options,
    .run = run,
};
