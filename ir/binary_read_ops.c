// Reading of ops from a binary module: forms, then bodies.
//
// A form holds what ops of one kind share, prepared for creating them. A body numbers its values in
// the order of their definition; an operand says how far back, or ahead, its value is.
#include "ir/binary_reader.h"
#include "ir/forms_internal.h"
#include "ir/op_internal.h"

typedef unsigned long long ull;

// --- forms ---

typedef struct form_attr {
  dl_ident name;
  uint32_t from;  // position in the file
  bool inherent;
} form_attr;

typedef struct form_reader {
  dl_binary *file;
  dl_bytes in;
  dl_binary_form *form;
} form_reader;

static dl_status get_count(form_reader *r, uint64_t limit, size_t *count) {
  uint64_t value;
  DL_TRY(dl_binary_index(r->file, &r->in, limit + 1, "a count of", &value));
  *count = value;
  r->form->min_bytes += value;
  return DL_OK;
}

static dl_status find_def(form_reader *r, const uint8_t *at, dl_ident name) {
  dl_context *ctx = r->file->ctx;
  dl_str text = dl_str_of(name);
  const dl_op_def *def = dl_find_op_def(ctx, text);
  bool allowed = text.len && dl_allows_unregistered(ctx);
  if (!def && allowed) def = dl_unregistered_op_def(ctx, text);
  if (!def)
    return dl_binary_error(r->file, at,
                           "operation '%s' is not registered by any loaded dialect (unregistered "
                           "operations are not allowed here)",
                           name);
  r->form->info = dl_op_info_of(ctx, def);
  return DL_OK;
}
static dl_status read_result_types(form_reader *r) {
  dl_op_state *state = &r->form->state;
  DL_TRY(get_count(r, DL_BINARY_MAX_VALUES, &state->num_results));
  if (state->num_results > dl_bytes_left(&r->in))
    return dl_binary_error(r->file, r->in.at, "the forms end too early");
  dl_type *types = dl_arena_alloc(r->file->arena, state->num_results * sizeof(dl_type) + 1);
  for (size_t i = 0; i < state->num_results; i++) {
    uint64_t index;
    DL_TRY(dl_binary_index(r->file, &r->in, r->file->num_types, "type", &index));
    types[i] = r->file->types[index];
  }
  state->result_types = types;
  return DL_OK;
}

// Definitions may have changed since the file was written: what they declare is inherent, as in
// text.
static bool is_declared(const dl_op_info *info, dl_ident name) {
  const dl_context *ctx = info->ctx;
  for (size_t i = 0; i < info->def->num_attrs; i++)
    if (info->attr_names[i] == name) return true;
  return name == ctx->operand_segments || name == ctx->result_segments;
}

typedef DL_VEC(form_attr) form_attrs;

static dl_status read_attr_names(form_reader *r, bool inherent, form_attrs *attrs) {
  size_t count;
  DL_TRY(get_count(r, DL_MAX_OP_ATTRS / 2, &count));
  for (size_t i = 0; i < count; i++) {
    dl_ident name;
    const uint8_t *at = r->in.at;
    DL_TRY(dl_binary_name(r->file, at, dl_get(&r->in), &name));
    bool declared = inherent || is_declared(r->form->info, name);
    form_attr attr = {name, (uint32_t)attrs->len, declared};
    DL_PUSH(attrs, attr);
  }
  return DL_OK;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const form_attr *)a)->name, ((const form_attr *)b)->name);
}

static int by_place(const void *a, const void *b) {
  const form_attr *x = a, *y = b;
  return x->inherent != y->inherent ? y->inherent - x->inherent : strcmp(x->name, y->name);
}

static dl_status place_attrs(form_reader *r, const uint8_t *at, form_attrs *attrs) {
  dl_binary_form *form = r->form;
  size_t count = attrs->len;
  if (count) qsort(attrs->data, count, sizeof(form_attr), by_name);
  for (size_t i = 1; i < count; i++)
    if (attrs->data[i - 1].name == attrs->data[i].name)
      return dl_binary_error(r->file, at, "attribute '%s' is given twice", attrs->data[i].name);
  if (count) qsort(attrs->data, count, sizeof(form_attr), by_place);
  dl_ident *names = dl_arena_alloc(r->file->arena, count * sizeof(dl_ident) + 1);
  uint32_t *places = dl_arena_alloc(r->file->arena, count * sizeof(uint32_t) + 1);
  for (uint32_t i = 0; i < count; i++) {
    names[i] = attrs->data[i].name;
    places[attrs->data[i].from] = i;
    form->num_inherent += attrs->data[i].inherent;
  }
  form->names = names;
  form->places = places;
  form->num_attrs = (uint32_t)count;
  form->state.num_attrs = count;
  return DL_OK;
}

static dl_status read_attrs(form_reader *r) {
  form_attrs attrs = {0};
  const uint8_t *at = r->in.at;
  dl_status status = read_attr_names(r, true, &attrs);
  if (status == DL_OK) status = read_attr_names(r, false, &attrs);
  if (status == DL_OK) status = place_attrs(r, at, &attrs);
  DL_VEC_FREE(&attrs);
  return status;
}

static dl_status read_regions_and_successors(form_reader *r, uint64_t flags) {
  dl_binary_form *form = r->form;
  const uint8_t *at = r->in.at;
  DL_TRY(get_count(r, DL_MAX_REGIONS, &form->state.num_regions));
  form->isolated = flags & DL_FORM_ISOLATED;
  if (flags > DL_FORM_ISOLATED || (form->isolated && !form->state.num_regions))
    return dl_binary_error(r->file, at, "the flags of a form are %llu", (ull)flags);
  if (form->isolated) form->min_bytes += 1 - form->state.num_regions;
  return get_count(r, DL_MAX_SUCCESSORS, &form->state.num_successors);
}

static dl_status read_form(form_reader *r) {
  dl_ident name;
  const uint8_t *at = r->in.at;
  DL_TRY(dl_binary_name(r->file, at, dl_get(&r->in), &name));
  DL_TRY(find_def(r, at, name));
  uint64_t flags = dl_get(&r->in);
  DL_TRY(get_count(r, DL_BINARY_MAX_VALUES, &r->form->state.num_operands));
  DL_TRY(read_result_types(r));
  DL_TRY(read_attrs(r));
  return read_regions_and_successors(r, flags);
}

dl_status dl_binary_read_forms(dl_binary *file) {
  form_reader r = {.file = file, .in = file->sections[DL_SECTION_FORMS]};
  uint64_t count;
  DL_TRY(dl_binary_count(file, &r.in, 8, &count));
  file->forms = dl_arena_alloc(file->arena, count * sizeof(dl_binary_form) + 1);
  for (; file->num_forms < count; file->num_forms++) {
    r.form = &file->forms[file->num_forms];
    DL_TRY(read_form(&r));
  }
  return dl_binary_end(file, &r.in, "forms");
}

// --- bodies ---

typedef struct late_use {
  dl_use *use;
  uint64_t value;
} late_use;

// A body being read.
typedef struct body_reader {
  dl_binary *file;
  dl_bytes in;
  dl_value **values;  // NULL until defined
  uint64_t num_values, num_seen;
  DL_VEC(late_use) late_uses;      // of values that are defined later
  DL_VEC(dl_block *) blocks;       // of the regions around
  size_t first_block, num_blocks;  // of the innermost one
  dl_place last;                   // 0: none yet
  dl_ident path;                   // of the last position
  uint32_t path_index;
  uint64_t last_line;
  unsigned depth;
} body_reader;

static dl_status read_region(body_reader *b, dl_region *region);

// --- places and names ---

static dl_place position(body_reader *b, uint64_t line) {
  dl_context *ctx = b->file->ctx;
  uint64_t column = dl_get(&b->in);
  b->last_line = line;
  b->last = b->path_index == DL_NO_PATH ? dl_place_of(dl_loc_file(ctx, b->path, line, column))
                                        : dl_place_file(ctx, b->path_index, line, column);
  return b->last;
}

static dl_status enter_file(body_reader *b, const uint8_t *at, uint64_t string) {
  DL_TRY(dl_binary_name(b->file, at, string, &b->path));
  b->path_index = dl_path_index(b->file->ctx, b->path);
  return DL_OK;
}

static dl_status get_place(body_reader *b, dl_place *place) {
  const uint8_t *at = b->in.at;
  uint64_t code = dl_get(&b->in), rest = code >> 2;
  switch ((dl_place_code)(code & 3)) {
    case DL_PLACE_NEAR:
      if (!b->path) return dl_binary_error(b->file, at, "a line without a file before it");
      *place = position(b, b->last_line + (uint64_t)dl_unzigzag(rest));
      return DL_OK;
    case DL_PLACE_FAR:
      DL_TRY(enter_file(b, at, rest));
      *place = position(b, dl_get(&b->in));
      return DL_OK;
    case DL_PLACE_SAME:
      if (!b->last) return dl_binary_error(b->file, at, "the first place repeats one");
      *place = b->last;
      return DL_OK;
    case DL_PLACE_IN_TABLE:
      break;
  }
  if (rest >= b->file->num_locs)
    return dl_binary_error(b->file, at, "location %llu of %llu", (ull)rest, (ull)b->file->num_locs);
  *place = b->last = dl_place_of(b->file->locs[rest]);
  return DL_OK;
}

// A value's name, as its number.
static dl_status get_value_name(body_reader *b, uint32_t *number) {
  dl_binary *file = b->file;
  dl_ident name;
  const uint8_t *at = b->in.at;
  uint64_t code = dl_get(&b->in), index = code - 1;
  *number = 0;
  if (!code) return DL_OK;
  if (index < file->num_strings)
    *number = atomic_load_explicit(&file->name_numbers[index], memory_order_relaxed);
  if (*number) return DL_OK;
  DL_TRY(dl_binary_name(file, at, index, &name));
  *number = dl_name_index(file->ctx, name);
  atomic_store_explicit(&file->name_numbers[index], *number, memory_order_relaxed);
  return DL_OK;
}

static dl_status get_label(body_reader *b, dl_ident *label) {
  const uint8_t *at = b->in.at;
  uint64_t code = dl_get(&b->in);
  *label = NULL;
  return code ? dl_binary_name(b->file, at, code - 1, label) : DL_OK;
}

// --- values ---

static dl_status define(body_reader *b, dl_value *value) {
  if (b->num_seen == b->num_values)
    return dl_binary_error(b->file, b->in.at, "more than the %llu values that the body announced",
                           (ull)b->num_values);
  b->values[b->num_seen++] = value;
  return DL_OK;
}

static dl_status read_operand(body_reader *b, dl_use *use) {
  const uint8_t *at = b->in.at;
  uint64_t code = dl_get(&b->in), distance = code >> 1;
  uint64_t number = code & 1 ? b->num_seen + distance : b->num_seen - 1 - distance;
  if (number >= b->num_values)
    return dl_binary_error(b->file, at, "an operand %llu values %s of value %llu, of %llu",
                           (ull)distance, code & 1 ? "ahead" : "back", (ull)b->num_seen,
                           (ull)b->num_values);
  dl_value *value = b->values[number];
  if (value)
    dl_use_assign(use, value);
  else
    DL_PUSH(&b->late_uses, (late_use){use, number});
  return DL_OK;
}

static dl_status resolve_late_uses(body_reader *b) {
  if (b->num_seen != b->num_values)
    return dl_binary_error(b->file, b->in.at, "%llu of %llu values are missing",
                           (ull)(b->num_values - b->num_seen), (ull)b->num_values);
  for (size_t i = 0; i < b->late_uses.len; i++)
    dl_use_assign(b->late_uses.data[i].use, b->values[b->late_uses.data[i].value]);
  return DL_OK;
}

// --- ops ---

static dl_status read_op_attrs(body_reader *b, const dl_binary_form *form, dl_op *op) {
  for (uint32_t i = 0; i < form->num_attrs; i++) {
    uint64_t index;
    DL_TRY(dl_binary_index(b->file, &b->in, b->file->num_attrs, "attribute", &index));
    uint32_t at = form->places[i];
    op->attrs[at] = (dl_named_attr){form->names[at], b->file->attrs[index]};
  }
  op->num_attrs = (uint16_t)form->num_attrs;
  op->num_inherent = (uint16_t)form->num_inherent;
  return DL_OK;
}

static dl_status read_successors(body_reader *b, dl_op *op) {
  for (uint32_t i = 0; i < op->num_successors; i++) {
    uint64_t index;
    DL_TRY(dl_binary_index(b->file, &b->in, b->num_blocks, "block", &index));
    dl_successors(op)[i] = b->blocks.data[b->first_block + index];
  }
  return DL_OK;
}

static dl_status read_results(body_reader *b, dl_op *op) {
  for (uint32_t i = 0; i < op->num_results; i++) {
    DL_TRY(get_value_name(b, &op->results[i].name));
    DL_TRY(define(b, &op->results[i]));
  }
  return DL_OK;
}

static dl_status read_isolated(body_reader *b, dl_op *op) {
  dl_binary *file = b->file;
  const uint8_t *at = b->in.at;
  uint64_t body;
  DL_TRY(dl_binary_index(file, &b->in, file->num_bodies, "body", &body));
  if (atomic_exchange(&file->claimed[body], true))
    return dl_binary_error(file, at, "body %llu belongs to another op already", (ull)body);
  if (!file->lazy) return dl_binary_read_body(file, op, body, b->depth);
  dl_binary_postpone_body(file, op, body, b->depth);
  return DL_OK;
}

static dl_status read_op_regions(body_reader *b, const dl_binary_form *form, dl_op *op) {
  if (form->isolated) return read_isolated(b, op);
  for (uint32_t i = 0; i < op->num_regions; i++) DL_TRY(read_region(b, &dl_regions(op)[i]));
  return DL_OK;
}

static dl_status fill_op(body_reader *b, const dl_binary_form *form, dl_op *op) {
  for (uint32_t i = 0; i < op->num_operands; i++) DL_TRY(read_operand(b, &op->operands[i]));
  if (form->num_attrs) DL_TRY(read_op_attrs(b, form, op));
  if (op->num_successors) DL_TRY(read_successors(b, op));
  DL_TRY(read_results(b, op));
  return op->num_regions ? read_op_regions(b, form, op) : DL_OK;
}

// The op belongs to the block, or to the caller when there is none, before it is complete.
static dl_status read_op(body_reader *b, dl_block *block, dl_op **op) {
  dl_place place;
  uint64_t index;
  DL_TRY(dl_binary_index(b->file, &b->in, b->file->num_forms, "form", &index));
  const dl_binary_form *form = &b->file->forms[index];
  DL_TRY(get_place(b, &place));
  if (form->min_bytes > dl_bytes_left(&b->in))
    return dl_binary_error(b->file, b->in.at, "the body ends within an op");
  *op = dl_op_create_bare(form->info, place, &form->state);
  if (block) dl_op_append(block, *op);
  return fill_op(b, form, *op);
}

// --- blocks and regions ---

static dl_status read_arg(body_reader *b, dl_block *block) {
  uint64_t type;
  dl_place place;
  uint32_t name;
  DL_TRY(dl_binary_index(b->file, &b->in, b->file->num_types, "type", &type));
  DL_TRY(get_place(b, &place));
  DL_TRY(get_value_name(b, &name));
  dl_value *arg = dl_add_arg(block, b->file->types[type], NULL);
  dl_as_arg(arg)->loc = place;
  arg->name = name;
  return define(b, arg);
}

static dl_status read_block(body_reader *b, dl_block *block) {
  dl_ident label;
  uint64_t num_args, num_ops;
  DL_TRY(get_label(b, &label));
  dl_block_set_label(block, label);
  DL_TRY(dl_binary_count(b->file, &b->in, 3, &num_args));
  for (uint64_t i = 0; i < num_args; i++) DL_TRY(read_arg(b, block));
  DL_TRY(dl_binary_count(b->file, &b->in, 2, &num_ops));
  for (uint64_t i = 0; i < num_ops; i++) {
    dl_op *op;
    DL_TRY(read_op(b, block, &op));
  }
  return DL_OK;
}

static dl_status read_blocks(body_reader *b, dl_region *region) {
  uint64_t count;
  DL_TRY(dl_binary_count(b->file, &b->in, 3, &count));
  b->first_block = b->blocks.len;
  b->num_blocks = count;
  for (uint64_t i = 0; i < count; i++) {
    dl_block *block = dl_block_create(b->file->ctx);
    dl_block_append(region, block);
    DL_PUSH(&b->blocks, block);
  }
  DL_FOR_BLOCKS(block, region) DL_TRY(read_block(b, block));
  return DL_OK;
}

static dl_status read_region(body_reader *b, dl_region *region) {
  if (b->depth >= DL_MAX_NESTING)
    return dl_binary_error(b->file, b->in.at, "nested too deeply (more than %d levels)",
                           DL_MAX_NESTING);
  size_t first_block = b->first_block, num_blocks = b->num_blocks, len = b->blocks.len;
  b->depth++;
  dl_status status = read_blocks(b, region);
  b->depth--;
  b->blocks.len = len;
  b->first_block = first_block;
  b->num_blocks = num_blocks;
  return status;
}

// --- whole bodies ---

static dl_status open_body(body_reader *b, uint64_t index) {
  const dl_binary *file = b->file;
  const dl_binary_body *body = &file->bodies[index];
  const dl_bytes *code = &file->sections[DL_SECTION_CODE];
  uint64_t room = dl_bytes_left(code);
  if (body->offset > room || body->size > room - body->offset)
    return dl_binary_error(file, body, "body %llu lies outside of the code", (ull)index);
  const uint8_t *at = code->at + body->offset;
  if (dl_binary_checksum(at, body->size) != body->checksum)
    return dl_binary_error(file, at, "body %llu is damaged (checksum)", (ull)index);
  b->in = (dl_bytes){at, at + body->size, false};
  DL_TRY(dl_binary_count(file, &b->in, 1, &b->num_values));
  b->values = dl_calloc(b->num_values, sizeof(*b->values));
  return DL_OK;
}

static dl_status close_body(body_reader *b, dl_status status) {
  if (status == DL_OK) status = dl_binary_end(b->file, &b->in, "ops");
  if (status == DL_OK) status = resolve_late_uses(b);
  free(b->values);
  DL_VEC_FREE(&b->late_uses);
  DL_VEC_FREE(&b->blocks);
  return status;
}

void dl_binary_empty_regions(dl_op *op) {
  for (uint32_t i = 0; i < op->num_regions; i++)
    while (dl_regions(op)[i].first) dl_block_erase(dl_regions(op)[i].first);
}

dl_status dl_binary_read_body(dl_binary *file, dl_op *op, uint64_t body, unsigned depth) {
  body_reader b = {.file = file, .depth = depth};
  dl_status status = open_body(&b, body);
  for (uint32_t i = 0; i < op->num_regions && status == DL_OK; i++)
    status = read_region(&b, &dl_regions(op)[i]);
  status = close_body(&b, status);
  if (status != DL_OK) dl_binary_empty_regions(op);
  return status;
}

static dl_status read_root(dl_binary *file, dl_op **root) {
  body_reader b = {.file = file};
  *root = NULL;
  file->claimed[0] = true;
  dl_status status = open_body(&b, 0);
  if (status == DL_OK) status = read_op(&b, NULL, root);
  return close_body(&b, status);
}

dl_op *dl_binary_read_root(dl_binary *file) {
  dl_bytes in = file->sections[DL_SECTION_BODIES];
  size_t size = dl_bytes_left(&in);
  file->bodies = (const dl_binary_body *)in.at;
  file->num_bodies = size / sizeof(dl_binary_body);
  if (!size || size % sizeof(dl_binary_body)) {
    dl_binary_error(file, in.at, "the list of bodies is incomplete");
    return NULL;
  }
  file->claimed = dl_arena_alloc(file->arena, file->num_bodies * sizeof(atomic_bool));
  dl_op *root;
  if (read_root(file, &root) == DL_OK) return root;
  if (root) dl_op_destroy_tree(root);
  return NULL;
}
