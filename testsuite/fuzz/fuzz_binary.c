// A libFuzzer target for the reader of binary modules. Checksums are made right first: what is
// behind them is what a fuzzer would otherwise never reach. A module that reads is verified and
// printed.
#include "ir/binary_internal.h"
#include "ir/text.h"

dl_status dl_register_builtin_dialects(dl_context *ctx);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fix_bodies(uint8_t *bytes, const dl_binary_section *bodies,
                       const dl_binary_section *code) {
  for (uint64_t at = 0; at + sizeof(dl_binary_body) <= bodies->size; at += sizeof(dl_binary_body)) {
    dl_binary_body body;
    memcpy(&body, bytes + bodies->offset + at, sizeof(body));
    if (body.offset > code->size || body.size > code->size - body.offset) continue;
    body.checksum = dl_binary_checksum(bytes + code->offset + body.offset, body.size);
    memcpy(bytes + bodies->offset + at, &body, sizeof(body));
  }
}

static void fix_sections(uint8_t *bytes, size_t size, const dl_binary_header *header) {
  dl_binary_section known[DL_NUM_SECTIONS] = {0}, section;
  for (uint32_t i = 0; i < header->num_sections; i++) {
    memcpy(&section, bytes + sizeof(*header) + i * sizeof(section), sizeof(section));
    bool inside = section.offset <= size && section.size <= size - section.offset;
    if (inside && section.kind < DL_NUM_SECTIONS) known[section.kind] = section;
  }
  fix_bodies(bytes, &known[DL_SECTION_BODIES], &known[DL_SECTION_CODE]);
  for (uint32_t i = 0; i < header->num_sections; i++) {
    uint8_t *at = bytes + sizeof(*header) + i * sizeof(section);
    memcpy(&section, at, sizeof(section));
    if (section.offset > size || section.size > size - section.offset) continue;
    section.checksum = dl_binary_checksum(bytes + section.offset, section.size);
    memcpy(at, &section, sizeof(section));
  }
}

static void fix_checksums(uint8_t *bytes, size_t size) {
  dl_binary_header header;
  if (size < sizeof(header)) return;
  memcpy(&header, bytes, sizeof(header));
  if (header.num_sections > (size - sizeof(header)) / sizeof(dl_binary_section)) return;
  header.file_size = size;
  header.checksum = 0;
  fix_sections(bytes, size, &header);
  memcpy(bytes, &header, sizeof(header));
  header.checksum =
      dl_binary_checksum(bytes, sizeof(header) + header.num_sections * sizeof(dl_binary_section));
  memcpy(bytes, &header, sizeof(header));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  dl_context *ctx = dl_context_create();
  uint8_t *bytes = dl_malloc(size);
  if (size) memcpy(bytes, data, size);
  if (size && data[size - 1] & 1) fix_checksums(bytes, size);
  dl_register_builtin_dialects(ctx);
  dl_allow_unregistered(ctx, true);
  dl_read_options options = {.lazy = size && data[size - 1] & 2};
  dl_op *module = dl_read_binary(ctx, (dl_str){(const char *)bytes, size}, "fuzz.dlbc", &options);
  free(bytes);
  if (module && dl_verify(module) == DL_OK) {
    dl_buffer text = {0};
    dl_print_op(&text, module, &(dl_print_options){.locations = true});
    dl_buffer_free(&text);
  }
  if (module) dl_op_destroy_tree(module);
  dl_context_destroy(ctx);
  return 0;
}
