// symbol-dce: erases private symbols (sym_visibility = "private" or "nested") that nothing alive
// refers to. References are matched by name alone, so a name that two nested tables share keeps
// both alive.
#include "ir/pass.h"

typedef struct symbol_dce {
  dl_pass *pass;
  dl_ptr_map alive;            // names referred to
  DL_VEC(dl_op *) pending;     // live symbols whose bodies are still to be looked at
  DL_VEC(dl_op *) candidates;  // private symbols
} symbol_dce;

static void mark_attr(symbol_dce *state, dl_attr attr);

static void mark_list(symbol_dce *state, size_t count, const dl_attr *attrs) {
  for (size_t i = 0; i < count; i++) mark_attr(state, attrs[i]);
}

static void mark_attr(symbol_dce *state, dl_attr attr) {
  switch (attr->kind) {
    case DL_ATTR_SYMBOL:
      dl_ptr_map_set(&state->alive, attr->name, (void *)attr->name);
      mark_list(state, attr->count, attr->elements);
      return;
    case DL_ATTR_ARRAY:
    case DL_ATTR_DIALECT:
    case DL_ATTR_CALL:
      mark_list(state, attr->count, attr->elements);
      return;
    case DL_ATTR_KEYED:
    case DL_ATTR_DISTINCT:
      mark_list(state, 1, attr->elements);
      return;
    case DL_ATTR_DICT:
      for (size_t i = 0; i < attr->count; i++) mark_attr(state, attr->entries[i].value);
      return;
    default:
      return;
  }
}

static void mark_attrs_of(symbol_dce *state, const dl_op *op) {
  for (size_t i = 0; i < dl_num_inherent_attrs(op); i++)
    mark_attr(state, dl_inherent_attr(op, i).value);
  for (size_t i = 0; i < dl_num_discardable_attrs(op); i++)
    mark_attr(state, dl_discardable_attr(op, i).value);
}

static bool is_private(const dl_op *op) {
  dl_str visibility = dl_get_str(op, "sym_visibility");
  return dl_symbol_name(op) &&
         (dl_str_is(visibility, "private") || dl_str_is(visibility, "nested"));
}

// Everything reachable without passing a private symbol is alive.
static void mark_op(symbol_dce *state, dl_op *op) {
  mark_attrs_of(state, op);
  for (size_t i = 0; i < dl_num_regions(op); i++) DL_FOR_BLOCKS(block, dl_op_region(op, i)) {
      DL_FOR_OPS(inner, block) {
        if (is_private(inner))
          DL_PUSH(&state->candidates, inner);
        else
          mark_op(state, inner);
      }
    }
}

// Revives candidates whose name became known, until none does; compacts the list.
static bool revive(symbol_dce *state) {
  size_t kept = 0, count = state->candidates.len;
  for (size_t i = 0; i < count; i++) {
    dl_op *op = state->candidates.data[i];
    bool named = dl_ptr_map_has(&state->alive, dl_symbol_name(op));
    if (named)
      DL_PUSH(&state->pending, op);
    else
      state->candidates.data[kept++] = op;
  }
  state->candidates.len = kept;
  bool any = state->pending.len > 0;
  while (state->pending.len) mark_op(state, state->pending.data[--state->pending.len]);
  return any;
}

static dl_status run_symbol_dce(dl_pass *pass, dl_op *root) {
  symbol_dce state = {.pass = pass};
  mark_op(&state, root);
  while (revive(&state)) continue;
  for (size_t i = 0; i < state.candidates.len; i++) {
    dl_op_erase(state.candidates.data[i]);
    dl_count(pass, "erased", 1);
    dl_pass_changed(pass);
  }
  DL_VEC_FREE(&state.candidates);
  DL_VEC_FREE(&state.pending);
  dl_ptr_map_free(&state.alive);
  return DL_OK;
}

static const char *const symbol_dce_statistics[] = {"erased"};

const dl_pass_def dl_pass_symbol_dce = {
    .name = "symbol-dce",
    .summary = "Erase private symbols that nothing refers to",
    .anchor = "builtin.module",
    .contract = DL_EXACT,
    .num_statistics = DL_COUNT(symbol_dce_statistics),
    .statistics = symbol_dce_statistics,
    .run = run_symbol_dce,
};
