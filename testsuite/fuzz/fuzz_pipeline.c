// A libFuzzer target for pipeline strings: what is read prints and reads again.
#include <stdio.h>

#include "ir/pass.h"
#include "ir/plugin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  dl_context *ctx = dl_context_create();
  dl_register_builtin_dialects(ctx);
  dl_register_builtin_passes(ctx);
  dl_pass_manager *pm = dl_parse_pipeline(ctx, (dl_str){(const char *)data, size});
  if (pm) {
    dl_buffer text = {0};
    dl_print_pipeline(&text, pm);
    dl_pass_manager *again = dl_parse_pipeline(ctx, (dl_str){text.data, text.len});
    if (!again) {
      fprintf(stderr, "the printed pipeline does not read: %s\n", text.data);
      abort();
    }
    dl_pass_manager_destroy(again);
    dl_pass_manager_destroy(pm);
    dl_buffer_free(&text);
  }
  dl_context_destroy(ctx);
  return 0;
}
