// The tables of a binary module: strings, types, attributes, locations, forms.
#include "ir/attrs.h"
#include "ir/binary_writer.h"

// --- tables ---

static uint64_t find(const dl_table_writer *table, const void *object) {
  return (uint64_t)(uintptr_t)dl_ptr_map_get(&table->indices, object);
}

static uint64_t add(dl_table_writer *table, const void *object) {
  dl_ptr_map_set(&table->indices, object, (void *)(uintptr_t)++table->count);
  return table->count - 1;
}

static uint64_t add_string(dl_binary_writer *w, const void *object, dl_str text) {
  dl_buffer_append(&w->strings.records, text.data, text.len);
  uint64_t end = w->strings.records.len;
  dl_buffer_append(&w->string_ends, &end, sizeof(end));
  return add(&w->strings, object);
}

uint64_t dl_write_string_ref(dl_binary_writer *w, dl_ident text) {
  uint64_t known = find(&w->strings, text);
  return known ? known - 1 : add_string(w, text, (dl_str){text, dl_ident_len(text)});
}

uint64_t dl_write_data(dl_binary_writer *w, dl_str bytes) {
  static const char zeros[DL_BINARY_ALIGNMENT];
  dl_buffer_append(&w->data, zeros, -w->data.len % DL_BINARY_ALIGNMENT);
  uint64_t offset = w->data.len;
  dl_buffer_append(&w->data, bytes.data, bytes.len);
  return offset;
}

// --- types ---

uint64_t dl_write_type_ref(dl_binary_writer *w, dl_type type) {
  uint64_t known = find(&w->types, type);
  if (known) return known - 1;
  dl_buffer text = {0};
  dl_print_type(&text, type);
  dl_put(&w->types.records,
         dl_write_string_ref(w, dl_intern(w->ctx, (dl_str){text.data, text.len})));
  dl_buffer_free(&text);
  return add(&w->types, type);
}

// --- attributes ---

static dl_attr_record record_of(dl_attr attr) {
  switch (attr->kind) {
    case DL_ATTR_UNIT:
      return DL_RECORD_UNIT;
    case DL_ATTR_INTEGER:
      return attr->bytes.len ? DL_RECORD_TEXT : DL_RECORD_INTEGER;
    case DL_ATTR_FLOAT:
      return attr->bytes.len ? DL_RECORD_TEXT : DL_RECORD_FLOAT;
    case DL_ATTR_STRING:
      return attr->type ? DL_RECORD_TEXT : DL_RECORD_STRING;
    case DL_ATTR_TYPE:
      return DL_RECORD_TYPE;
    case DL_ATTR_ARRAY:
      return DL_RECORD_ARRAY;
    case DL_ATTR_DICT:
      return DL_RECORD_DICT;
    case DL_ATTR_SYMBOL:
      return attr->count ? DL_RECORD_TEXT : DL_RECORD_SYMBOL;
    case DL_ATTR_DENSE:
      if (!dl_element_bytes(attr->type->element)) return DL_RECORD_TEXT;  // strings
      return attr->bytes.len < DL_BINARY_IN_PLACE ? DL_RECORD_DENSE : DL_RECORD_DENSE_IN_DATA;
    case DL_ATTR_DENSE_ARRAY:
      return DL_RECORD_DENSE_ARRAY;
    case DL_ATTR_RESOURCE:
      return DL_RECORD_RESOURCE;
    default:
      return DL_RECORD_TEXT;
  }
}

// Strings may hold NUL bytes, which names cannot.
static uint64_t string_attr_ref(dl_binary_writer *w, dl_attr attr) {
  if (!attr->bytes.len || !memchr(attr->bytes.data, 0, attr->bytes.len))
    return dl_write_string_ref(w, dl_intern(w->ctx, attr->bytes));
  uint64_t known = find(&w->strings, attr);
  return known ? known - 1 : add_string(w, attr, attr->bytes);
}

static void write_text(dl_binary_writer *w, dl_buffer *out, dl_attr attr) {
  dl_buffer text = {0};
  dl_print_attr(&text, attr);
  dl_put(out, dl_write_string_ref(w, dl_intern(w->ctx, (dl_str){text.data, text.len})));
  dl_buffer_free(&text);
}

static void write_dense(dl_binary_writer *w, dl_buffer *out, dl_attr attr, dl_attr_record record) {
  dl_put(out, dl_write_type_ref(w, attr->type));
  dl_put(out, attr->splat);
  dl_put(out, attr->bytes.len);
  if (record == DL_RECORD_DENSE)
    dl_buffer_append(out, attr->bytes.data, attr->bytes.len);
  else
    dl_put(out, dl_write_data(w, attr->bytes));
}

static void write_typed(dl_binary_writer *w, dl_buffer *out, dl_attr attr, uint64_t value) {
  dl_put(out, dl_write_type_ref(w, attr->type));
  dl_put(out, value);
}

static void write_resource(dl_binary_writer *w, dl_buffer *out, dl_attr attr) {
  write_typed(w, out, attr, dl_write_string_ref(w, attr->name));
  for (size_t i = 0; i < w->resources.len; i++)
    if (w->resources.data[i] == attr->name) return;
  DL_PUSH(&w->resources, attr->name);
}

// What follows the kind in an attribute's record. Records that it refers to have been written.
static void write_attr(dl_binary_writer *w, dl_buffer *out, dl_attr attr, dl_attr_record record) {
  uint64_t bits;
  switch (record) {
    case DL_RECORD_INTEGER:
      write_typed(w, out, attr, dl_zigzag(attr->integer));
      break;
    case DL_RECORD_FLOAT:
      memcpy(&bits, &attr->number, sizeof(bits));
      write_typed(w, out, attr, __builtin_bswap64(bits));  // the last bytes are mostly zeros
      break;
    case DL_RECORD_STRING:
      dl_put(out, string_attr_ref(w, attr));
      break;
    case DL_RECORD_TYPE:
      dl_put(out, dl_write_type_ref(w, attr->type));
      break;
    case DL_RECORD_ARRAY:
      dl_put(out, attr->count);
      for (size_t i = 0; i < attr->count; i++) dl_put(out, dl_write_attr_ref(w, attr->elements[i]));
      break;
    case DL_RECORD_DICT:
      dl_put(out, attr->count);
      for (size_t i = 0; i < attr->count; i++) {
        dl_put(out, dl_write_string_ref(w, attr->entries[i].name));
        dl_put(out, dl_write_attr_ref(w, attr->entries[i].value));
      }
      break;
    case DL_RECORD_SYMBOL:
      dl_put(out, dl_write_string_ref(w, attr->name));
      break;
    case DL_RECORD_DENSE:
    case DL_RECORD_DENSE_IN_DATA:
      write_dense(w, out, attr, record);
      break;
    case DL_RECORD_DENSE_ARRAY:
      write_typed(w, out, attr, attr->count);
      dl_buffer_append(out, attr->bytes.data, attr->bytes.len);
      break;
    case DL_RECORD_RESOURCE:
      write_resource(w, out, attr);
      break;
    default:
      if (record == DL_RECORD_TEXT) write_text(w, out, attr);
      break;
  }
}

uint64_t dl_write_attr_ref(dl_binary_writer *w, dl_attr attr) {
  uint64_t known = find(&w->attrs, attr);
  if (known) return known - 1;
  dl_attr_record record = record_of(attr);
  dl_buffer out = {0};  // apart, because elements write their records first
  dl_put(&out, record);
  write_attr(w, &out, attr, record);
  dl_buffer_append(&w->attrs.records, out.data, out.len);
  dl_buffer_free(&out);
  return add(&w->attrs, attr);
}

// --- locations ---

static void write_file_loc(dl_binary_writer *w, dl_buffer *out, dl_loc loc) {
  dl_put(out, dl_write_string_ref(w, loc->name));
  dl_put(out, loc->line);
  dl_put(out, loc->column);
  dl_put(out, loc->end_line);
  dl_put(out, loc->end_column);
}

static void write_fused_loc(dl_binary_writer *w, dl_buffer *out, dl_loc loc) {
  dl_put(out, loc->metadata ? dl_write_attr_ref(w, loc->metadata) + 1 : 0);
  dl_put(out, loc->num_locs);
  for (size_t i = 0; i < loc->num_locs; i++) dl_put(out, dl_write_loc_ref(w, loc->locs[i]));
}

static void write_loc(dl_binary_writer *w, dl_buffer *out, dl_loc loc) {
  dl_put(out, loc->kind);
  switch (loc->kind) {
    case DL_LOC_UNKNOWN:
      return;
    case DL_LOC_FILE:
      write_file_loc(w, out, loc);
      return;
    case DL_LOC_NAME:
      dl_put(out, dl_write_string_ref(w, loc->name));
      dl_put(out, loc->child ? dl_write_loc_ref(w, loc->child) + 1 : 0);
      return;
    case DL_LOC_CALLSITE:
      dl_put(out, dl_write_loc_ref(w, loc->child));
      dl_put(out, dl_write_loc_ref(w, loc->caller));
      return;
    case DL_LOC_FUSED:
      write_fused_loc(w, out, loc);
      return;
  }
}

uint64_t dl_write_loc_ref(dl_binary_writer *w, dl_loc loc) {
  uint64_t known = find(&w->locs, loc);
  if (known) return known - 1;
  dl_buffer out = {0};
  write_loc(w, &out, loc);
  dl_buffer_append(&w->locs.records, out.data, out.len);
  dl_buffer_free(&out);
  return add(&w->locs, loc);
}

// --- forms ---

static void write_form(dl_binary_writer *w, dl_buffer *out, const dl_op *op, bool isolated) {
  dl_put(out, dl_write_string_ref(w, dl_intern_z(w->ctx, dl_op_name(op))));
  dl_put(out, isolated ? DL_FORM_ISOLATED : 0);
  dl_put(out, dl_num_operands(op));
  dl_put(out, dl_num_results(op));
  for (size_t i = 0; i < dl_num_results(op); i++)
    dl_put(out, dl_write_type_ref(w, dl_value_type(dl_result(op, i))));
  dl_put(out, dl_num_inherent_attrs(op));
  for (size_t i = 0; i < dl_num_inherent_attrs(op); i++)
    dl_put(out, dl_write_string_ref(w, dl_inherent_attr(op, i).name));
  dl_put(out, dl_num_discardable_attrs(op));
  for (size_t i = 0; i < dl_num_discardable_attrs(op); i++)
    dl_put(out, dl_write_string_ref(w, dl_discardable_attr(op, i).name));
  dl_put(out, dl_num_regions(op));
  dl_put(out, dl_num_successors(op));
}

static dl_known_form *form_slot(dl_binary_writer *w, uint64_t hash, dl_str record) {
  size_t mask = w->form_capacity - 1, i = hash & mask;
  for (;; i = (i + 1) & mask) {
    dl_known_form *slot = &w->known_forms[i];
    if (!slot->size) return slot;
    bool same = slot->hash == hash && slot->size == record.len &&
                !memcmp(w->forms.data + slot->offset, record.data, record.len);
    if (same) return slot;
  }
}

static void grow_forms(dl_binary_writer *w) {
  dl_known_form *old = w->known_forms;
  size_t old_capacity = w->form_capacity;
  w->form_capacity = old ? 2 * old_capacity : 256;
  w->known_forms = dl_calloc(w->form_capacity, sizeof(*old));
  for (size_t i = 0; i < old_capacity; i++) {
    if (!old[i].size) continue;
    dl_str record = {w->forms.data + old[i].offset, old[i].size};
    *form_slot(w, old[i].hash, record) = old[i];
  }
  free(old);
}

uint64_t dl_write_form_ref(dl_binary_writer *w, const dl_op *op, bool isolated) {
  dl_buffer out = {0};
  write_form(w, &out, op, isolated);
  if (2 * w->num_forms >= w->form_capacity) grow_forms(w);
  uint64_t hash = dl_hash_bytes(0, out.data, out.len);
  dl_known_form *slot = form_slot(w, hash, (dl_str){out.data, out.len});
  if (!slot->size) {
    *slot = (dl_known_form){hash, w->num_forms++, w->forms.len, out.len};
    dl_buffer_append(&w->forms, out.data, out.len);
  }
  dl_buffer_free(&out);
  return slot->index;
}
