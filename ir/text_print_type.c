// Printing of types and locations.

#include <inttypes.h>

#include "ir/context_internal.h"
#include "ir/hash.h"
#include "ir/text_internal.h"

static void write_types(dl_printer *o, size_t count, const dl_type *types) {
  for (size_t i = 0; i < count; i++) {
    if (i) dl_buffer_puts(o->out, ", ");
    dl_write_type(o, types[i]);
  }
}

static void write_function_type(dl_printer *o, dl_type type) {
  dl_buffer_putc(o->out, '(');
  write_types(o, type->num_inputs, type->inputs);
  dl_buffer_puts(o->out, ") -> ");
  bool bare = type->num_results == 1 && type->results[0]->kind != DL_TYPE_FUNCTION;
  if (!bare) dl_buffer_putc(o->out, '(');
  write_types(o, type->num_results, type->results);
  if (!bare) dl_buffer_putc(o->out, ')');
}

static void write_dim(dl_printer *o, dl_type type, size_t i) {
  bool scalable = type->scalable && type->scalable[i];
  if (scalable) dl_buffer_putc(o->out, '[');
  if (type->shape[i] == DL_DYNAMIC)
    dl_buffer_putc(o->out, '?');
  else
    dl_buffer_put_signed(o->out, type->shape[i]);
  if (scalable) dl_buffer_putc(o->out, ']');
}

static void write_shaped(dl_printer *o, const char *keyword, dl_type type) {
  dl_buffer_puts(o->out, keyword);
  if (type->unranked) dl_buffer_puts(o->out, "*x");
  for (size_t i = 0; i < type->rank; i++) {
    write_dim(o, type, i);
    dl_buffer_putc(o->out, 'x');
  }
  dl_write_type(o, type->element);
  const dl_attr extras[] = {type->encoding, type->layout, type->space};
  for (size_t i = 0; i < DL_COUNT(extras); i++) {
    if (!extras[i]) continue;
    dl_buffer_puts(o->out, ", ");
    dl_write_attr_untyped(o, extras[i]);
  }
  dl_buffer_putc(o->out, '>');
}

static void write_nested(dl_printer *o, const char *keyword, size_t count, const dl_type *types) {
  dl_buffer_puts(o->out, keyword);
  write_types(o, count, types);
  dl_buffer_putc(o->out, '>');
}

static void write_integer_type(dl_printer *o, dl_type type) {
  static const char *const prefixes[] = {"i", "si", "ui"};
  dl_buffer_printf(o->out, "%s%u", prefixes[type->signedness], type->width);
}

static void write_new_type(dl_printer *o, dl_type type) {
  switch (type->kind) {
    case DL_TYPE_NONE:
      dl_buffer_puts(o->out, "none");
      return;
    case DL_TYPE_INDEX:
      dl_buffer_puts(o->out, "index");
      return;
    case DL_TYPE_INTEGER:
      write_integer_type(o, type);
      return;
    case DL_TYPE_FLOAT:
      dl_buffer_puts(o->out, dl_float_name(type->float_kind));
      return;
    case DL_TYPE_COMPLEX:
      write_nested(o, "complex<", 1, &type->element);
      return;
    case DL_TYPE_FUNCTION:
      write_function_type(o, type);
      return;
    case DL_TYPE_TUPLE:
      write_nested(o, "tuple<", type->num_results, type->results);
      return;
    case DL_TYPE_TENSOR:
      write_shaped(o, "tensor<", type);
      return;
    case DL_TYPE_MEMREF:
      write_shaped(o, "memref<", type);
      return;
    case DL_TYPE_VECTOR:
      write_shaped(o, "vector<", type);
      return;
    case DL_TYPE_DIALECT:
      dl_buffer_printf(o->out, "!%s", type->dialect);
      dl_write_params(o, type->name, type->num_params, type->params);
      return;
  }
}

// --- the texts of types that were written before ---

static size_t slot_of(const dl_printed_types *types, dl_type type) {
  size_t mask = types->capacity - 1, i = dl_hash_pointer(type) & mask;
  while (types->slots[i].type && types->slots[i].type != type) i = (i + 1) & mask;
  return i;
}

static void grow(dl_printed_types *types) {
  dl_printed_types bigger = {.len = types->len,
                             .capacity = types->capacity ? 2 * types->capacity : 64};
  bigger.slots = dl_calloc(bigger.capacity, sizeof(*bigger.slots));
  for (size_t i = 0; i < types->capacity; i++)
    if (types->slots[i].type)
      bigger.slots[slot_of(&bigger, types->slots[i].type)] = types->slots[i];
  free(types->slots);
  *types = bigger;
}

static dl_str keep_text(dl_printer *o, size_t start) {
  dl_str text = {o->out->data + start, o->out->len - start};
  return (dl_str){dl_arena_copy_str(o->arena, text), text.len};
}

void dl_write_type(dl_printer *o, dl_type type) {
  dl_printed_types *types = &o->types;
  if (!o->arena) {
    write_new_type(o, type);
    return;
  }
  if (types->capacity) {
    const dl_printed_type *slot = &types->slots[slot_of(types, type)];
    if (slot->type) {
      dl_buffer_append(o->out, slot->text.data, slot->text.len);
      return;
    }
  }
  size_t start = o->out->len;
  write_new_type(o, type);
  if (2 * (types->len + 1) > types->capacity) grow(types);
  types->slots[slot_of(types, type)] = (dl_printed_type){type, keep_text(o, start)};
  types->len++;
}

void dl_print_type(dl_buffer *out, dl_type type) {
  dl_printer o = {.ctx = type->ctx, .out = out};
  dl_write_type(&o, type);
  dl_printer_free(&o);
}

static void write_fused(dl_printer *o, dl_loc loc) {
  dl_buffer_puts(o->out, "fused");
  if (loc->metadata) {
    dl_buffer_putc(o->out, '<');
    dl_write_attr(o, loc->metadata);
    dl_buffer_putc(o->out, '>');
  }
  dl_buffer_putc(o->out, '[');
  for (size_t i = 0; i < loc->num_locs; i++) {
    if (i) dl_buffer_puts(o->out, ", ");
    dl_write_loc(o, loc->locs[i]);
  }
  dl_buffer_putc(o->out, ']');
}

static void write_position(dl_buffer *out, dl_ident path, uint64_t line, uint64_t column) {
  dl_write_string(out, (dl_str){path, dl_ident_len(path)});
  dl_buffer_putc(out, ':');
  dl_buffer_put_unsigned(out, line);
  dl_buffer_putc(out, ':');
  dl_buffer_put_unsigned(out, column);
}

void dl_write_place(dl_printer *o, dl_place place) {
  dl_ident path;
  uint64_t line, column;
  if (dl_place_position(o->ctx, place, &path, &line, &column))
    write_position(o->out, path, line, column);
  else
    dl_write_loc(o, dl_place_loc(o->ctx, place));
}

static void write_file_loc(dl_buffer *out, dl_loc loc) {
  write_position(out, loc->name, loc->line, loc->column);
  bool same_line = loc->end_line == 0 || loc->end_line == loc->line;
  if (same_line && (loc->end_column == 0 || loc->end_column == loc->column)) return;
  dl_buffer_puts(out, " to ");
  if (!same_line) dl_buffer_printf(out, "%" PRIu64, loc->end_line);
  dl_buffer_printf(out, ":%" PRIu64, loc->end_column);
}

void dl_write_loc(dl_printer *o, dl_loc loc) {
  switch (loc->kind) {
    case DL_LOC_UNKNOWN:
      dl_buffer_puts(o->out, "unknown");
      return;
    case DL_LOC_FILE:
      write_file_loc(o->out, loc);
      return;
    case DL_LOC_NAME:
      dl_write_string(o->out, dl_str_of(loc->name));
      if (!loc->child) return;
      dl_buffer_putc(o->out, '(');
      dl_write_loc(o, loc->child);
      dl_buffer_putc(o->out, ')');
      return;
    case DL_LOC_CALLSITE:
      dl_buffer_puts(o->out, "callsite(");
      dl_write_loc(o, loc->child);
      dl_buffer_puts(o->out, " at ");
      dl_write_loc(o, loc->caller);
      dl_buffer_putc(o->out, ')');
      return;
    case DL_LOC_FUSED:
      write_fused(o, loc);
      return;
  }
}

void dl_print_loc(dl_buffer *out, dl_loc loc) {
  dl_printer o = {.ctx = loc->ctx, .out = out};
  dl_write_loc(&o, loc);
  dl_printer_free(&o);
}
