// inline: replaces calls by the body of the function called. Callees are finished before their
// callers. Calls within a cycle of calls, of declarations and those marked `no_inline` (on the call
// or the function) stay; so do calls of functions with several blocks where only one block is
// allowed. Inlined ops are located at callsite(callee at caller).
#include "dialects/cf/cf_ops.h"
#include "ir/call_graph.h"
#include "ir/pass.h"

typedef struct inliner {
  dl_pass *pass;
  const dl_call_graph *graph;
  int64_t threshold;
  dl_ptr_map sizes;  // function -> 1 + the number of ops in it
} inliner;

// --- whether ---

static bool count_op(dl_op *op, void *user) {
  (void)op;
  ++*(size_t *)user;
  return true;
}

static size_t size_of(inliner *state, dl_op *function) {
  size_t size = (uintptr_t)dl_ptr_map_get(&state->sizes, function);
  if (size) return size - 1;
  dl_walk(function, count_op, &size);
  dl_ptr_map_set(&state->sizes, function, (void *)(size + 1));
  return size;
}

static bool is_small_enough(inliner *state, dl_op *callee, dl_op *caller) {
  if (state->threshold < 0) return true;
  return 100 * size_of(state, callee) <= (size_t)state->threshold * size_of(state, caller);
}

static bool has_one_block(const dl_region *region) {
  return dl_region_first(region) == dl_region_last(region);
}

static bool returns_everywhere(const dl_region *body) {
  DL_FOR_BLOCKS(block, body) {
    const dl_op *last = dl_block_last(block);
    if (!last || (!dl_has_trait(last, DL_RETURN) && dl_num_successors(last) == 0)) return false;
  }
  return true;
}

static bool may_have_blocks(const dl_op *call) {
  return !dl_has_trait(dl_op_parent(call), DL_SINGLE_BLOCK | DL_NO_TERMINATOR);
}

// The function whose body can stand in for the call, or NULL.
static dl_op *inlinable_callee(inliner *state, const dl_op *call, dl_op *caller) {
  const dl_call_node *node = dl_callee(state->graph, call);
  if (!node || node->recursive) return NULL;
  dl_op *callee = node->function;
  const dl_region *body = dl_op_region(callee, 0);
  if (dl_region_empty(body) || !returns_everywhere(body)) return NULL;
  if (!has_one_block(body) && !may_have_blocks(call)) return NULL;
  if (dl_get_attr(callee, "no_inline") || dl_get_attr(call, "no_inline")) return NULL;
  return is_small_enough(state, callee, caller) ? callee : NULL;
}

// --- how ---

static bool locate_at_call(dl_op *op, void *user) {
  const dl_op *call = user;
  dl_op_set_loc(op, dl_loc_callsite(dl_op_context(op), dl_op_loc(op), dl_op_loc(call)));
  return true;
}

static void map_arguments(dl_ptr_map *mapping, dl_op *call, const dl_block *entry) {
  for (size_t i = 0; i < dl_num_args(entry); i++)
    dl_ptr_map_set(mapping, dl_arg(entry, i), dl_operand(call, i));
}

static void clone_ops(dl_block *from, dl_block *to, dl_op *before, dl_op *call,
                      dl_ptr_map *mapping) {
  dl_op *last = dl_block_last(from);
  for (dl_op *op = dl_block_first(from); op; op = dl_op_next(op)) {
    if (op == last && dl_has_trait(op, DL_RETURN)) continue;
    dl_op *copy = dl_op_clone(op, mapping);
    dl_walk(copy, locate_at_call, call);
    dl_builder b = {.ctx = dl_op_context(op), .block = to, .before = before, .loc = dl_op_loc(op)};
    dl_builder_insert(&b, copy);
  }
}

static dl_value *copy_of(const dl_ptr_map *mapping, dl_value *value) {
  dl_value *copy = dl_ptr_map_get(mapping, value);
  return copy ? copy : value;
}

static void inline_straight(dl_op *call, dl_op *callee, dl_ptr_map *mapping) {
  dl_block *body = dl_region_first(dl_op_region(callee, 0));
  clone_ops(body, dl_op_block(call), call, call, mapping);
  for (size_t i = 0; i < dl_num_results(call); i++)
    dl_replace_all_uses(dl_result(call, i), copy_of(mapping, dl_operand(dl_block_last(body), i)));
}

// What follows the call, as a block that takes its results.
static dl_block *split_after(dl_op *call) {
  dl_block *block = dl_op_block(call), *rest = dl_block_create(dl_op_context(call));
  dl_block *next = dl_block_next(block);
  if (next)
    dl_block_insert_before(rest, next);
  else
    dl_block_append(dl_block_region(block), rest);
  for (dl_op *op = dl_op_next(call), *following; op; op = following) {
    following = dl_op_next(op);
    dl_op_unlink(op);
    dl_op_append(rest, op);
  }
  for (size_t i = 0; i < dl_num_results(call); i++) {
    dl_value *result = dl_result(call, i);
    dl_value *argument = dl_add_arg(rest, dl_value_type(result), dl_op_loc(call));
    dl_value_set_name(argument, dl_value_name(result));
    dl_replace_all_uses(result, argument);
  }
  return rest;
}

static dl_block *create_copy(const dl_block *block, dl_block *before, dl_ptr_map *mapping) {
  dl_block *copy = dl_block_create(dl_op_context(dl_block_first(block)));
  dl_block_insert_before(copy, before);
  dl_block_set_label(copy, dl_block_label(block));
  dl_ptr_map_set(mapping, block, copy);
  for (size_t i = 0; i < dl_num_args(block); i++) {
    dl_value *arg = dl_arg(block, i);
    dl_value *added = dl_add_arg(copy, dl_value_type(arg), dl_value_loc(arg));
    dl_value_set_name(added, dl_value_name(arg));
    dl_ptr_map_set(mapping, arg, added);
  }
  return copy;
}

static void branch_on_return(const dl_op *last, dl_block *copy, dl_block *rest,
                             const dl_ptr_map *mapping) {
  DL_VEC(dl_value *) values = {0};
  for (size_t i = 0; i < dl_num_operands(last); i++)
    DL_PUSH(&values, copy_of(mapping, dl_operand(last, i)));
  dl_builder b = dl_builder_at_end(copy, dl_op_loc(last));
  dl_build(&b, &(dl_op_state){.def = &cf_br,
                              .num_operands = values.len,
                              .operands = values.data,
                              .num_successors = 1,
                              .successors = &rest});
  DL_VEC_FREE(&values);
}

// Blocks may use values of blocks that come later in the text, so all are there before any is
// filled, and operands are mapped once more when all are.
static bool map_operands(dl_op *op, void *user) {
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    dl_value *copy = copy_of(user, dl_operand(op, i));
    if (copy != dl_operand(op, i)) dl_set_operand(op, i, copy);
  }
  return true;
}

static void inline_blocks(dl_op *call, dl_op *callee, dl_ptr_map *mapping) {
  dl_region *body = dl_op_region(callee, 0);
  dl_block *entry = dl_region_first(body), *rest = split_after(call), *around = dl_op_block(call);
  for (dl_block *block = dl_block_next(entry); block; block = dl_block_next(block))
    create_copy(block, rest, mapping);
  dl_ptr_map_set(mapping, entry, around);
  DL_FOR_BLOCKS(block, body)
  clone_ops(block, dl_ptr_map_get(mapping, block), block == entry ? call : NULL, call, mapping);
  DL_FOR_BLOCKS(block, body) {
    dl_block *copy = dl_ptr_map_get(mapping, block);
    const dl_op *last = dl_block_last(block);
    if (dl_has_trait(last, DL_RETURN)) branch_on_return(last, copy, rest, mapping);
    if (block != entry) {
      DL_FOR_OPS(op, copy) dl_walk(op, map_operands, mapping);
    }
  }
}

static void inline_call(inliner *state, dl_op *call, dl_op *callee) {
  dl_region *body = dl_op_region(callee, 0);
  dl_ptr_map mapping = {0};
  map_arguments(&mapping, call, dl_region_first(body));
  if (has_one_block(body))
    inline_straight(call, callee, &mapping);
  else
    inline_blocks(call, callee, &mapping);
  dl_op_erase(call);
  dl_ptr_map_free(&mapping);
  dl_count(state->pass, "inlined", 1);
  dl_pass_changed(state->pass);
}

static void inline_into(inliner *state, const dl_call_node *node) {
  bool any = false;
  for (size_t i = 0; i < node->calls.len; i++) {
    dl_op *call = node->calls.data[i];
    dl_op *callee = inlinable_callee(state, call, node->function);
    if (callee) inline_call(state, call, callee);
    any |= callee != NULL;
  }
  if (any) dl_ptr_map_remove(&state->sizes, node->function);
}

static dl_status run_inline(dl_pass *pass, dl_op *module) {
  inliner state = {.pass = pass,
                   .graph = dl_get_analysis(pass, &dl_call_graph_analysis, module),
                   .threshold = dl_option_int(pass, "inlining-threshold")};
  for (size_t i = 0; i < state.graph->bottom_up.len; i++)
    inline_into(&state, state.graph->bottom_up.data[i]);
  dl_ptr_map_free(&state.sizes);
  return DL_OK;
}

static const char *const inline_statistics[] = {"inlined"};
static const dl_analysis_def *const inline_analyses[] = {&dl_call_graph_analysis};
static const dl_option_def inline_options[] = {
    {"inlining-threshold",
     "Largest size of a callee, in percent of its caller's number of ops; -1: any", DL_OPTION_INT,
     "-1"},
};

const dl_pass_def dl_pass_inline = {
    .name = "inline",
    .summary = "Replace calls by the bodies of the functions called",
    .anchor = "builtin.module",
    .contract = DL_EXACT,
    .num_options = DL_COUNT(inline_options),
    .options = inline_options,
    .num_statistics = DL_COUNT(inline_statistics),
    .statistics = inline_statistics,
    .num_analyses = DL_COUNT(inline_analyses),
    .analyses = inline_analyses,
    .run = run_inline,
};
