// Writing of ops: each body numbers its values as they are defined.
#include "ir/binary_writer.h"
#include "ir/forms_internal.h"
#include "ir/op_internal.h"

typedef struct position {
  dl_ident path;
  uint64_t line, column;
} position;

// The values of a body, and the place before.
typedef struct scope {
  dl_ptr_map values;  // dl_value -> number + 1
  uint64_t num_values, num_seen;
  dl_ptr_map blocks;  // dl_block -> number in its region + 1
  dl_place last;      // 0: none, or a position
  position last_position;
  bool at_position;  // it is the place before
  dl_buffer out;
  unsigned depth;
} scope;

static dl_status write_body(dl_binary_writer *w, dl_op *op, unsigned depth, uint64_t *index);

// --- numbering ---

static bool is_apart(const dl_op *op) {
  return dl_has_trait(op, DL_ISOLATED) && dl_num_regions(op) > 0;
}

static void number_region(scope *s, const dl_region *region);

static void number_op(scope *s, const dl_op *op) {
  for (size_t i = 0; i < dl_num_results(op); i++)
    dl_ptr_map_set(&s->values, dl_result(op, i), (void *)(uintptr_t)++s->num_values);
  if (is_apart(op)) return;
  for (size_t i = 0; i < dl_num_regions(op); i++) number_region(s, dl_op_region(op, i));
}

static void number_region(scope *s, const dl_region *region) {
  uintptr_t number = 0;
  DL_FOR_BLOCKS(block, region) {
    dl_ptr_map_set(&s->blocks, block, (void *)++number);
    for (size_t i = 0; i < dl_num_args(block); i++)
      dl_ptr_map_set(&s->values, dl_arg(block, i), (void *)(uintptr_t)++s->num_values);
    DL_FOR_OPS(op, block) number_op(s, op);
  }
}

// --- places and names ---

static bool same_position(const position *a, const position *b) {
  return a->path == b->path && a->line == b->line && a->column == b->column;
}

static void write_position(dl_binary_writer *w, scope *s, const position *at) {
  if (s->last_position.path == at->path) {
    int64_t lines = (int64_t)(at->line - s->last_position.line);
    dl_put(&s->out, dl_zigzag(lines) << 2 | DL_PLACE_NEAR);
  } else {
    dl_put(&s->out, dl_write_string_ref(w, at->path) << 2 | DL_PLACE_FAR);
    dl_put(&s->out, at->line);
  }
  dl_put(&s->out, at->column);
  s->last_position = *at;
}

// Lines whose difference could need the two bits of the code do not come from text.
static bool get_position(dl_binary_writer *w, dl_place place, position *at) {
  return dl_place_position(w->ctx, place, &at->path, &at->line, &at->column) && !(at->line >> 60);
}

static void write_place(dl_binary_writer *w, scope *s, dl_place place) {
  position at;
  bool is_position = get_position(w, place, &at);
  if (is_position ? s->at_position && same_position(&at, &s->last_position) : place == s->last)
    dl_put(&s->out, DL_PLACE_SAME);
  else if (is_position)
    write_position(w, s, &at);
  else
    dl_put(&s->out, dl_write_loc_ref(w, dl_place_loc(w->ctx, place)) << 2 | DL_PLACE_IN_TABLE);
  s->at_position = is_position;
  s->last = is_position ? 0 : place;
}

static void write_name(dl_binary_writer *w, scope *s, dl_ident name) {
  dl_put(&s->out, name ? dl_write_string_ref(w, name) + 1 : 0);
}

// --- ops ---

static dl_status write_operand(scope *s, const dl_op *op, size_t i) {
  const dl_value *value = dl_operand(op, i);
  uint64_t number = value ? (uint64_t)(uintptr_t)dl_ptr_map_get(&s->values, value) : 0;
  if (!number)
    return dl_op_error(
        op, "uses a value (operand #%zu) that the isolated op around it does not hold", i);
  number--;
  bool ahead = number >= s->num_seen;
  dl_put(&s->out, (ahead ? number - s->num_seen : s->num_seen - 1 - number) << 1 | ahead);
  return DL_OK;
}

static dl_status write_successor(scope *s, const dl_op *op, size_t i) {
  uint64_t number = (uint64_t)(uintptr_t)dl_ptr_map_get(&s->blocks, dl_successor(op, i));
  if (!number || dl_block_region(dl_successor(op, i)) != dl_block_region(dl_op_block(op)))
    return dl_op_error(op, "has a successor (#%zu) that is not in its region", i);
  dl_put(&s->out, number - 1);
  return DL_OK;
}

static dl_status write_region(dl_binary_writer *w, scope *s, const dl_region *region);

static dl_status write_regions(dl_binary_writer *w, scope *s, dl_op *op) {
  if (is_apart(op)) {
    uint64_t body;
    DL_TRY(write_body(w, op, s->depth, &body));
    dl_put(&s->out, body);
    return DL_OK;
  }
  for (size_t i = 0; i < dl_num_regions(op); i++) DL_TRY(write_region(w, s, dl_op_region(op, i)));
  return DL_OK;
}

static dl_status write_op(dl_binary_writer *w, scope *s, dl_op *op) {
  dl_put(&s->out, dl_write_form_ref(w, op, is_apart(op)));
  write_place(w, s, op->loc);
  for (size_t i = 0; i < dl_num_operands(op); i++) DL_TRY(write_operand(s, op, i));
  for (size_t i = 0; i < dl_num_inherent_attrs(op); i++)
    dl_put(&s->out, dl_write_attr_ref(w, dl_inherent_attr(op, i).value));
  for (size_t i = 0; i < dl_num_discardable_attrs(op); i++)
    dl_put(&s->out, dl_write_attr_ref(w, dl_discardable_attr(op, i).value));
  for (size_t i = 0; i < dl_num_successors(op); i++) DL_TRY(write_successor(s, op, i));
  for (size_t i = 0; i < dl_num_results(op); i++) write_name(w, s, dl_value_name(dl_result(op, i)));
  s->num_seen += dl_num_results(op);
  return write_regions(w, s, op);
}

// --- blocks and regions ---

static dl_status write_block(dl_binary_writer *w, scope *s, const dl_block *block) {
  write_name(w, s, dl_block_label(block));
  dl_put(&s->out, dl_num_args(block));
  for (size_t i = 0; i < dl_num_args(block); i++) {
    const dl_value *arg = dl_arg(block, i);
    dl_put(&s->out, dl_write_type_ref(w, dl_value_type(arg)));
    write_place(w, s, dl_as_arg(arg)->loc);
    write_name(w, s, dl_value_name(arg));
  }
  s->num_seen += dl_num_args(block);
  uint64_t num_ops = 0;
  for (dl_op *op = dl_block_first(block); op; op = dl_op_next(op)) num_ops++;
  dl_put(&s->out, num_ops);
  DL_FOR_OPS(op, block) DL_TRY(write_op(w, s, op));
  return DL_OK;
}

static dl_status write_region(dl_binary_writer *w, scope *s, const dl_region *region) {
  if (++s->depth > DL_MAX_NESTING)
    return dl_error(dl_op_loc(dl_region_parent(region)), "nested too deeply (more than %d levels)",
                    DL_MAX_NESTING);
  uint64_t num_blocks = 0;
  DL_FOR_BLOCKS(block, region) num_blocks++;
  dl_put(&s->out, num_blocks);
  DL_FOR_BLOCKS(block, region) DL_TRY(write_block(w, s, block));
  s->depth--;
  return DL_OK;
}

// --- bodies ---

static void finish_body(dl_binary_writer *w, scope *s, dl_status status, uint64_t index) {
  if (status == DL_OK) {
    uint64_t checksum = dl_binary_checksum(s->out.data, s->out.len);
    w->bodies.data[index] = (dl_binary_body){w->code.len, s->out.len, checksum};
    dl_buffer_append(&w->code, s->out.data, s->out.len);
  }
  dl_ptr_map_free(&s->values);
  dl_ptr_map_free(&s->blocks);
  dl_buffer_free(&s->out);
}

static uint64_t claim_body(dl_binary_writer *w) {
  DL_PUSH(&w->bodies, (dl_binary_body){0});
  return w->bodies.len - 1;
}

// The regions of an isolated op.
static dl_status write_body(dl_binary_writer *w, dl_op *op, unsigned depth, uint64_t *index) {
  scope s = {.depth = depth};
  *index = claim_body(w);
  for (size_t i = 0; i < dl_num_regions(op); i++) number_region(&s, dl_op_region(op, i));
  dl_put(&s.out, s.num_values);
  dl_status status = DL_OK;
  for (size_t i = 0; i < dl_num_regions(op) && status == DL_OK; i++)
    status = write_region(w, &s, dl_op_region(op, i));
  finish_body(w, &s, status, *index);
  return status;
}

dl_status dl_write_bodies(dl_binary_writer *w, dl_op *root) {
  scope s = {0};
  uint64_t index = claim_body(w);
  number_op(&s, root);
  dl_put(&s.out, s.num_values);
  dl_status status = write_op(w, &s, root);
  finish_body(w, &s, status, index);
  return status;
}
