// ir/binary_writer.h: the state of the binary writer, shared by its files.
#ifndef DLIR_IR_BINARY_WRITER_H
#define DLIR_IR_BINARY_WRITER_H

#include "ir/binary_internal.h"

// A table of the file: records are appended when what they describe is first met, after those that
// they refer to.
typedef struct dl_table_writer {
  dl_ptr_map indices;  // object -> index + 1
  dl_buffer records;
  uint64_t count;
} dl_table_writer;

typedef struct dl_known_form {
  uint64_t hash;
  uint64_t index;
  size_t offset, size;  // of its record
} dl_known_form;

typedef struct dl_binary_writer {
  dl_context *ctx;
  dl_table_writer strings, types, attrs, locs;
  dl_buffer string_ends;  // uint64_t each
  dl_buffer forms;
  uint64_t num_forms;
  dl_known_form *known_forms;  // open addressing by hash; size 0: free
  size_t form_capacity;
  DL_VEC(dl_binary_body) bodies;
  dl_buffer code, data;
  DL_VEC(dl_ident) resources;  // in the order in which attributes name them
} dl_binary_writer;

// The index of what is given, which is added to its table when it is new.
uint64_t dl_write_string_ref(dl_binary_writer *w, dl_ident text);
uint64_t dl_write_type_ref(dl_binary_writer *w, dl_type type);
uint64_t dl_write_attr_ref(dl_binary_writer *w, dl_attr attr);
uint64_t dl_write_loc_ref(dl_binary_writer *w, dl_loc loc);
// What ops of the same kind share: definition, counts, result types, attribute names.
uint64_t dl_write_form_ref(dl_binary_writer *w, const dl_op *op, bool isolated);
// Pads `data` and appends the bytes; returns their offset.
uint64_t dl_write_data(dl_binary_writer *w, dl_str bytes);
// Writes the body with the root op and those of isolated ops below.
dl_status dl_write_bodies(dl_binary_writer *w, dl_op *root);

#endif
