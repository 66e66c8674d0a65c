// elf_writer.h: writes a relocatable ELF64 object that holds one run of read-only bytes,
// page-aligned, under one symbol. Bytes are streamed: weights never pass through LLVM or stay in
// memory. Format: System V ABI, chapter 4 (object files).
#ifndef DLIR_TARGETS_LLVM_ELF_WRITER_H
#define DLIR_TARGETS_LLVM_ELF_WRITER_H

#include "ir/diag.h"

typedef struct dl_elf_writer dl_elf_writer;

enum { DL_ELF_PAGE = 4096 };

// Starts an object for the ELF machine number (EM_X86_64, EM_AARCH64). NULL after a diagnostic.
dl_elf_writer *dl_elf_create(dl_loc loc, const char *path, uint16_t machine);
dl_status dl_elf_append(dl_elf_writer *writer, const void *bytes, size_t size);
// Appends zeros until the size is a multiple of `alignment`.
dl_status dl_elf_align(dl_elf_writer *writer, size_t alignment);
uint64_t dl_elf_size(const dl_elf_writer *writer);
// Writes the tables (the bytes are found under the hidden symbol) and closes the file.
dl_status dl_elf_finish(dl_elf_writer *writer, const char *symbol);
// Instead of dl_elf_finish: no object, but a page that starts with `header`, then the bytes.
dl_status dl_elf_finish_plain(dl_elf_writer *writer, const void *header, size_t size);
void dl_elf_destroy(dl_elf_writer *writer);  // NULL is allowed

#endif
