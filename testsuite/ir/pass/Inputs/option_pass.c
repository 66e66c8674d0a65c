// A plugin with a pass that says what its options are.
#include "ir/plugin.h"

static dl_status print_options(dl_pass *pass, dl_op *op) {
  const int64_t *values;
  size_t count = dl_option_list(pass, "list", &values);
  dl_buffer list = {0};
  for (size_t i = 0; i < count; i++)
    dl_buffer_printf(&list, "%s%lld", i ? " " : "", (long long)values[i]);
  dl_str text = dl_option_str(pass, "text");
  dl_remark(dl_op_loc(op), "flag=%d count=%lld text='%.*s' list=[%s]", dl_option_bool(pass, "flag"),
            (long long)dl_option_int(pass, "count"), (int)text.len, text.data,
            list.data ? list.data : "");
  dl_buffer_free(&list);
  return DL_OK;
}

static const dl_option_def options[] = {
    {"flag", "A flag", DL_OPTION_BOOL, NULL},
    {"count", "A number", DL_OPTION_INT, "7"},
    {"text", "A string", DL_OPTION_STRING, "some text"},
    {"list", "Numbers", DL_OPTION_INT_LIST, "1,2"},
};

static const dl_pass_def pass = {
    .name = "test-options",
    .summary = "Print the options",
    .num_options = DL_COUNT(options),
    .options = options,
    .run = print_options,
};

static const dl_pass_def *const passes[] = {&pass};

DL_API const dl_module_def *dl_module_query(uint32_t host_version) {
  static const dl_module_def module = {
      .version = DL_PLUGIN_VERSION, .name = "options", .num_passes = 1, .passes = passes};
  return host_version == DL_PLUGIN_VERSION ? &module : NULL;
}
