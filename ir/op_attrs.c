// The attributes of an op: one sorted array, the inherent ones first.
#include "ir/context_internal.h"
#include "ir/op_internal.h"

static bool find(const dl_op *op, uint32_t from, uint32_t to, dl_ident name, uint32_t *at) {
  for (*at = from; *at < to; (*at)++) {
    if (op->attrs[*at].name == name) return true;
    if (strcmp(op->attrs[*at].name, name) > 0) return false;
  }
  return false;
}

static void grow(dl_op *op) {
  dl_context *ctx = dl_op_context(op);
  dl_named_attr *attrs = dl_outer_alloc(ctx, op->num_attrs + 4, sizeof(*attrs));
  if (op->num_attrs) memcpy(attrs, op->attrs, op->num_attrs * sizeof(*attrs));
  if (op->attrs != dl_inline_attrs(op)) dl_outer_free(ctx, op->attrs, sizeof(*attrs));
  op->attrs = attrs;
}

static uint32_t capacity(const dl_op *op) {
  return op->attrs == dl_inline_attrs(op) ? op->inline_attrs : dl_outer_capacity(op->attrs);
}

static void insert_at(dl_op *op, uint32_t at, dl_named_attr attr) {
  if (op->num_attrs == DL_MAX_OP_ATTRS) dl_bug(op, "too many attributes");
  if (op->num_attrs == capacity(op)) grow(op);
  memmove(op->attrs + at + 1, op->attrs + at, (op->num_attrs - at) * sizeof(*op->attrs));
  op->attrs[at] = attr;
  op->num_attrs++;
}

static void remove_at(dl_op *op, uint32_t at) {
  op->num_attrs--;
  memmove(op->attrs + at, op->attrs + at + 1, (op->num_attrs - at) * sizeof(*op->attrs));
}

static void note_name(dl_op *op, dl_ident name) {
  if (op->block && name == op->info->ctx->sym_name) dl_symbols_changed(op->block);
}

void dl_set_inherent_attr(dl_op *op, dl_ident name, dl_attr value) {
  uint32_t at;
  note_name(op, name);
  if (find(op, 0, op->num_inherent, name, &at)) {
    op->attrs[at].value = value;
    if (value) return;
    remove_at(op, at);
    op->num_inherent--;
  } else if (value) {
    insert_at(op, at, (dl_named_attr){name, value});
    op->num_inherent++;
  }
}

void dl_set_discardable_attr(dl_op *op, dl_ident name, dl_attr value) {
  uint32_t at;
  note_name(op, name);
  if (find(op, op->num_inherent, op->num_attrs, name, &at)) {
    op->attrs[at].value = value;
    if (!value) remove_at(op, at);
  } else if (value) {
    insert_at(op, at, (dl_named_attr){name, value});
  }
}

bool dl_is_inherent(const dl_op *op, dl_ident name) {
  const dl_context *ctx = op->info->ctx;
  uint32_t at;
  for (size_t i = 0; i < op->info->def->num_attrs; i++) {
    if (op->info->attr_names[i] == name) return true;
  }
  bool segments = name == ctx->operand_segments || name == ctx->result_segments;
  return (segments && !(op->info->def->traits & DL_UNREGISTERED)) ||
         find(op, 0, op->num_inherent, name, &at);
}

void dl_set_attr_ident(dl_op *op, dl_ident name, dl_attr value) {
  if (dl_is_inherent(op, name)) {
    dl_set_inherent_attr(op, name, value);
  } else {
    dl_set_discardable_attr(op, name, value);
  }
}

void dl_set_attr(dl_op *op, const char *name, dl_attr value) {
  dl_set_attr_ident(op, dl_intern_z(dl_op_context(op), name), value);
}

dl_attr dl_get_attr(const dl_op *op, const char *name) {
  for (uint32_t i = 0; i < op->num_attrs; i++) {
    if (!strcmp(op->attrs[i].name, name)) return op->attrs[i].value;
  }
  return NULL;
}

dl_attr dl_get_attr_ident(const dl_op *op, dl_ident name) {
  for (uint32_t i = 0; i < op->num_attrs; i++) {
    if (op->attrs[i].name == name) return op->attrs[i].value;
  }
  return NULL;
}

size_t dl_num_inherent_attrs(const dl_op *op) { return op->num_inherent; }

dl_named_attr dl_inherent_attr(const dl_op *op, size_t i) { return op->attrs[i]; }

size_t dl_num_discardable_attrs(const dl_op *op) { return op->num_attrs - op->num_inherent; }

dl_named_attr dl_discardable_attr(const dl_op *op, size_t i) {
  return op->attrs[op->num_inherent + i];
}

int64_t dl_get_i64(const dl_op *op, const char *name, int64_t otherwise) {
  dl_attr attr = dl_get_attr(op, name);
  return attr && attr->kind == DL_ATTR_INTEGER ? attr->integer : otherwise;
}

dl_str dl_get_str(const dl_op *op, const char *name) {
  dl_attr attr = dl_get_attr(op, name);
  return attr && attr->kind == DL_ATTR_STRING ? attr->bytes : (dl_str){"", 0};
}
