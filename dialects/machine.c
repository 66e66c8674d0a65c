#include "dialects/machine.h"

#include <string.h>

static dl_attr find_description(const dl_op *op) {
  for (; op; op = dl_op_parent(op)) {
    dl_attr machine = dl_get_attr(op, "dlir.machine");
    if (machine && machine->kind == DL_ATTR_DICT) return machine;
  }
  return NULL;
}

static dl_attr entry(dl_attr machine, const char *name) {
  return machine ? dl_dict_get(machine, dl_intern_z(machine->ctx, name)) : NULL;
}

static int64_t number(dl_attr machine, const char *name, int64_t least, int64_t otherwise) {
  dl_attr value = entry(machine, name);
  bool valid = value && value->kind == DL_ATTR_INTEGER && value->integer >= least;
  return valid ? value->integer : otherwise;
}

static dl_str text(dl_attr machine, const char *name) {
  dl_attr value = entry(machine, name);
  return value && value->kind == DL_ATTR_STRING ? value->bytes : (dl_str){0};
}

dl_machine dl_machine_of(const dl_op *op) {
  dl_attr machine = find_description(op);
  return (dl_machine){
      .vector_bits = number(machine, "vector_bits", 1, 256),
      .vector_registers = number(machine, "vector_registers", 1, 16),
      .l1_bytes = number(machine, "l1_bytes", 1, 32 << 10),
      .l2_bytes = number(machine, "l2_bytes", 1, 512 << 10),
      .l3_bytes = number(machine, "l3_bytes", 1, 8 << 20),
      .cores = number(machine, "cores", 1, 1),
      .fma_per_cycle = number(machine, "fma_per_cycle", 0, 2),
      .subgroup_size = number(machine, "subgroup_size", 1, 0),
      .name = text(machine, "name"),
      .triple = text(machine, "triple"),
      .cpu = text(machine, "cpu"),
      .features = text(machine, "features"),
  };
}

int64_t dl_machine_lanes(const dl_machine *machine, dl_type element) {
  int64_t lanes = machine->vector_bits / (8 * (int64_t)dl_element_bytes(element));
  return lanes > 0 ? lanes : 1;
}

// --- machine ops ---

// i8, ui8, si8, …: the type of that name, at the start of the text, which is moved behind it.
static dl_type read_integer(dl_context *ctx, dl_str *text) {
  dl_signedness sign = DL_SIGNLESS;
  size_t i = 0, width = 0;
  if (i < text->len && text->data[i] == 'u') sign = DL_UNSIGNED, i++;
  if (i < text->len && text->data[i] == 's') sign = DL_SIGNED, i++;
  if (i == text->len || text->data[i++] != 'i') return NULL;
  for (; i < text->len && text->data[i] >= '0' && text->data[i] <= '9'; i++)
    width = width * 10 + (size_t)(text->data[i] - '0');
  if (width < 1 || width > 64) return NULL;
  *text = (dl_str){text->data + i, text->len - i};
  return dl_integer_type(ctx, (unsigned)width, sign);
}

static bool read_word(dl_str *text, const char *word) {
  size_t len = strlen(word);
  if (text->len < len || memcmp(text->data, word, len)) return false;
  *text = (dl_str){text->data + len, text->len - len};
  return true;
}

static bool read_semantics(dl_context *ctx, dl_str text, dl_machine_op *out) {
  if (!(out->accumulator = read_integer(ctx, &text)) || !read_word(&text, " += ")) return false;
  if (!(out->lhs = read_integer(ctx, &text)) || !read_word(&text, " * ")) return false;
  if (!(out->rhs = read_integer(ctx, &text)) || !read_word(&text, " over ")) return false;
  bool digits = text.len > 0 && text.len < 4;
  for (size_t i = 0; i < text.len && digits; i++) {
    digits = text.data[i] >= '0' && text.data[i] <= '9';
    out->terms = out->terms * 10 + (text.data[i] - '0');
  }
  return digits && out->terms > 0;
}

dl_status dl_machine_find_op(const dl_op *op, dl_str name, dl_machine_op *out) {
  dl_attr machine = find_description(op), ops = entry(machine, "ops");
  dl_ident key = dl_intern(dl_op_context(op), name);
  dl_attr found = ops && ops->kind == DL_ATTR_DICT ? dl_dict_get(ops, key) : NULL;
  if (!found || found->kind != DL_ATTR_DICT)
    return dl_error(dl_op_loc(op), "the machine has no op '%s'", key);
  *out = (dl_machine_op){
      .name = name, .lanes = number(found, "lanes", 1, 0), .intrinsic = text(found, "intrinsic")};
  if (out->lanes && read_semantics(dl_op_context(op), text(found, "compute"), out)) return DL_OK;
  return dl_error(dl_op_loc(op),
                  "the machine's op '%s' needs lanes and a compute as 'i32 += ui8 * si8 over 4'",
                  key);
}
