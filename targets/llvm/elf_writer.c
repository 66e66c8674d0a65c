#include "targets/llvm/elf_writer.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>

struct dl_elf_writer {
  dl_loc loc;
  FILE *file;
  uint16_t machine;
  uint64_t size;  // of the bytes so far
};

enum { SECTION_NULL, SECTION_DATA, SECTION_STACK, SECTION_SYMBOLS, SECTION_STRINGS, NUM_SECTIONS };

static dl_status failed(dl_elf_writer *w) {
  return dl_error(w->loc, "cannot write the weights: %s", strerror(errno));
}

static dl_status put(dl_elf_writer *w, const void *bytes, size_t size) {
  return size == 0 || fwrite(bytes, size, 1, w->file) == 1 ? DL_OK : failed(w);
}

static dl_status put_zeros(dl_elf_writer *w, uint64_t count) {
  static const char zeros[DL_ELF_PAGE];
  for (; count > sizeof(zeros); count -= sizeof(zeros)) DL_TRY(put(w, zeros, sizeof(zeros)));
  return put(w, zeros, count);
}

dl_elf_writer *dl_elf_create(dl_loc loc, const char *path, uint16_t machine) {
  dl_elf_writer *w = dl_calloc(1, sizeof(*w));
  *w = (dl_elf_writer){.loc = loc, .machine = machine};
  w->file = fopen(path, "wb");
  if (!w->file || put_zeros(w, DL_ELF_PAGE)) {
    if (!w->file) failed(w);
    dl_elf_destroy(w);
    return NULL;
  }
  return w;
}

dl_status dl_elf_append(dl_elf_writer *w, const void *bytes, size_t size) {
  w->size += size;
  return put(w, bytes, size);
}

dl_status dl_elf_align(dl_elf_writer *w, size_t alignment) {
  uint64_t rest = w->size % alignment;
  if (!rest) return DL_OK;
  w->size += alignment - rest;
  return put_zeros(w, alignment - rest);
}

uint64_t dl_elf_size(const dl_elf_writer *w) { return w->size; }

static uint32_t add_string(dl_buffer *strings, const char *text) {
  uint32_t offset = (uint32_t)strings->len;
  dl_buffer_append(strings, text, strlen(text) + 1);
  return offset;
}

// On x86-64 the section is marked large: the linker places it where it does not push code and
// tables out of each other's reach.
static void describe_sections(const dl_elf_writer *w, dl_buffer *strings, uint64_t tables,
                              Elf64_Shdr *sections) {
  uint64_t large = w->machine == EM_X86_64 ? 0x10000000 : 0;  // SHF_X86_64_LARGE
  sections[SECTION_DATA] = (Elf64_Shdr){.sh_name = add_string(strings, ".lrodata.dlir"),
                                        .sh_type = SHT_PROGBITS,
                                        .sh_flags = SHF_ALLOC | large,
                                        .sh_offset = DL_ELF_PAGE,
                                        .sh_size = w->size,
                                        .sh_addralign = DL_ELF_PAGE};
  sections[SECTION_STACK] = (Elf64_Shdr){.sh_name = add_string(strings, ".note.GNU-stack"),
                                         .sh_type = SHT_PROGBITS,
                                         .sh_offset = tables,
                                         .sh_addralign = 1};
  sections[SECTION_SYMBOLS] = (Elf64_Shdr){.sh_name = add_string(strings, ".symtab"),
                                           .sh_type = SHT_SYMTAB,
                                           .sh_offset = tables,
                                           .sh_size = 2 * sizeof(Elf64_Sym),
                                           .sh_link = SECTION_STRINGS,
                                           .sh_info = 1,  // the first global symbol
                                           .sh_addralign = 8,
                                           .sh_entsize = sizeof(Elf64_Sym)};
  sections[SECTION_STRINGS] = (Elf64_Shdr){.sh_name = add_string(strings, ".strtab"),
                                           .sh_type = SHT_STRTAB,
                                           .sh_offset = tables + 2 * sizeof(Elf64_Sym),
                                           .sh_size = strings->len,
                                           .sh_addralign = 1};
}

static Elf64_Ehdr header(const dl_elf_writer *w, uint64_t section_table) {
  return (Elf64_Ehdr){.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
                                  EV_CURRENT, ELFOSABI_NONE},
                      .e_type = ET_REL,
                      .e_machine = w->machine,
                      .e_version = EV_CURRENT,
                      .e_shoff = section_table,
                      .e_ehsize = sizeof(Elf64_Ehdr),
                      .e_shentsize = sizeof(Elf64_Shdr),
                      .e_shnum = NUM_SECTIONS,
                      .e_shstrndx = SECTION_STRINGS};
}

// Page, bytes, symbols, strings, section table.
static dl_status put_tables(dl_elf_writer *w, const char *symbol, dl_buffer *strings) {
  uint64_t data_size = w->size, tables = DL_ELF_PAGE + ((data_size + 7) & ~7ull);
  dl_buffer_putc(strings, 0);
  Elf64_Sym symbols[2] = {{0}};
  symbols[1] = (Elf64_Sym){.st_name = add_string(strings, symbol),
                           .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT),
                           .st_other = STV_HIDDEN,
                           .st_shndx = SECTION_DATA,
                           .st_size = data_size};
  Elf64_Shdr sections[NUM_SECTIONS] = {{0}};
  describe_sections(w, strings, tables, sections);
  uint64_t end = tables + sizeof(symbols) + strings->len, section_table = (end + 7) & ~7ull;
  Elf64_Ehdr file_header = header(w, section_table);
  DL_TRY(put_zeros(w, tables - DL_ELF_PAGE - data_size));
  DL_TRY(put(w, symbols, sizeof(symbols)));
  DL_TRY(put(w, strings->data, strings->len));
  DL_TRY(put_zeros(w, section_table - end));
  DL_TRY(put(w, sections, sizeof(sections)));
  if (fseek(w->file, 0, SEEK_SET)) return failed(w);
  return put(w, &file_header, sizeof(file_header));
}

dl_status dl_elf_finish(dl_elf_writer *w, const char *symbol) {
  dl_buffer strings = {0};
  dl_status status = put_tables(w, symbol, &strings);
  dl_buffer_free(&strings);
  FILE *file = w->file;
  w->file = NULL;
  if (fclose(file) && status == DL_OK) return failed(w);
  return status;
}

dl_status dl_elf_finish_plain(dl_elf_writer *w, const void *header, size_t size) {
  dl_status status = fseek(w->file, 0, SEEK_SET) ? failed(w) : put(w, header, size);
  FILE *file = w->file;
  w->file = NULL;
  if (fclose(file) && status == DL_OK) return failed(w);
  return status;
}

void dl_elf_destroy(dl_elf_writer *w) {
  if (!w) return;
  if (w->file) fclose(w->file);
  free(w);
}
