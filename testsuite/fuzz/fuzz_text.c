// A libFuzzer target for the textual form. What is read is verified and printed, in the form that
// the first byte chooses; printed text must read back and print the same.
#include <stdio.h>

#include "ir/plugin.h"
#include "ir/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static dl_context *make_context(void) {
  dl_context *ctx = dl_context_create();
  dl_register_builtin_dialects(ctx);
  dl_allow_unregistered(ctx, true);
  return ctx;
}

static void fail(const char *what, const dl_buffer *first, const dl_buffer *second) {
  fprintf(stderr, "%s:\n%s\n-----\n%s\n", what, first->data, second->data ? second->data : "");
  abort();
}

static void check_again(const dl_buffer *text, const dl_print_options *options) {
  dl_context *ctx = make_context();
  dl_buffer again = {0};
  dl_set_diag_handler(ctx, dl_print_diagnostic, stderr);
  dl_op *module = dl_parse_module(ctx, (dl_str){text->data, text->len}, "printed");
  if (!module) fail("printed text does not read", text, &again);
  dl_print_op(&again, module, options);
  if (again.len != text->len || memcmp(again.data, text->data, again.len))
    fail("text changes when it is printed again", text, &again);
  dl_buffer_free(&again);
  dl_op_destroy_tree(module);
  dl_context_destroy(ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  const dl_print_options options = {.generic = data[0] & 1,
                                    .locations = data[0] & 2,
                                    .local_scope = data[0] & 4,
                                    .print_resources = true};
  dl_context *ctx = make_context();
  dl_op *module = dl_parse_module(ctx, (dl_str){(const char *)data + 1, size - 1}, "fuzz");
  if (module) {
    dl_buffer text = {0};
    if (dl_verify(module) == DL_OK) {
      dl_print_op(&text, module, &options);
      check_again(&text, &options);
    }
    dl_buffer_free(&text);
    dl_op_destroy_tree(module);
  }
  dl_context_destroy(ctx);
  return 0;
}
