// sccp: sparse conditional constant propagation (Wegman and Zadeck, 1991) through blocks, regions
// and, on a symbol table, calls of private functions. A value is a constant if it is on every path
// that can be taken for the constants found; what is never reached counts for nothing. Branches are
// left for canonicalize.
#include "ir/call_graph.h"
#include "ir/constants.h"
#include "ir/effects.h"
#include "ir/pass.h"

// What is known of a value: nothing yet (absent), a constant, or that it varies.
static const struct dl_attr_data varying_mark;
#define VARYING ((void *)&varying_mark)

typedef DL_VEC(dl_op *) op_list;

typedef struct sccp {
  dl_pass *pass;
  dl_op *root;
  const dl_call_graph *graph;  // NULL: functions are looked at one by one
  dl_ptr_map values;           // dl_value -> dl_attr or VARYING
  dl_ptr_map reached;          // dl_block
  op_list pending;
} sccp;

static void push_users(sccp *s, const dl_value *value) {
  for (dl_use *use = dl_first_use(value); use; use = dl_next_use(use))
    if (dl_ptr_map_has(&s->reached, dl_op_block(dl_use_owner(use))))
      DL_PUSH(&s->pending, dl_use_owner(use));
}

static void *state_of(const sccp *s, const dl_value *value) {
  return dl_ptr_map_get(&s->values, value);
}

static dl_attr constant_of(const sccp *s, const dl_value *value) {
  void *state = state_of(s, value);
  return state == VARYING ? NULL : state;
}

// Joins what is known of a value with one more thing that it may be; NULL: nothing yet.
static void join(sccp *s, dl_value *value, void *state) {
  void *old = state_of(s, value);
  if (!state || state == old || old == VARYING) return;
  dl_ptr_map_set(&s->values, value, old ? VARYING : state);
  push_users(s, value);
}

static void join_results(sccp *s, dl_op *op, void *state) {
  for (size_t i = 0; i < dl_num_results(op); i++) join(s, dl_result(op, i), state);
}

static void reach(sccp *s, dl_block *block) {
  if (dl_ptr_map_has(&s->reached, block)) return;
  dl_ptr_map_set(&s->reached, block, block);
  DL_FOR_OPS(op, block) DL_PUSH(&s->pending, op);
}

static void vary_arguments(sccp *s, const dl_block *block) {
  for (size_t i = 0; i < dl_num_args(block); i++) join(s, dl_arg(block, i), VARYING);
}

// --- between blocks ---

// The constants of all operands; they must be freed.
static dl_attr *constants_of_operands(const sccp *s, const dl_op *op) {
  dl_attr *constants = dl_calloc(dl_num_operands(op) + 1, sizeof(*constants));
  for (size_t i = 0; i < dl_num_operands(op); i++) constants[i] = constant_of(s, dl_operand(op, i));
  return constants;
}

static bool awaits_operands(const sccp *s, const dl_op *op) {
  for (size_t i = 0; i < dl_num_operands(op); i++)
    if (!state_of(s, dl_operand(op, i))) return true;
  return false;
}

static void follow_successor(sccp *s, dl_op *op, size_t i) {
  dl_block *block = dl_successor(op, i);
  size_t first, count;
  reach(s, block);
  if (!dl_successor_operands(op, i, &first, &count)) {
    vary_arguments(s, block);
    return;
  }
  for (size_t k = 0; k < count; k++)
    join(s, dl_arg(block, k), state_of(s, dl_operand(op, first + k)));
}

// A branch that constants can decide waits for its condition.
static void visit_branch(sccp *s, dl_op *op) {
  const dl_op_def *def = dl_op_def_of(op);
  size_t taken = dl_num_successors(op);
  if (def->branch) {
    dl_attr *constants = constants_of_operands(s, op);
    taken = def->branch(op, constants);
    free(constants);
    bool undecided = taken == dl_num_successors(op);
    if (undecided && dl_num_operands(op) && !state_of(s, dl_operand(op, 0))) return;
  }
  for (size_t i = 0; i < dl_num_successors(op); i++)
    if (taken == i || taken == dl_num_successors(op)) follow_successor(s, op, i);
}

// --- between regions ---

// Values that arrive with an edge: the first ones of a region, or of an op's results, are its own.
static void follow_edge(sccp *s, dl_op *op, const dl_op *from, const dl_control_edge *edge) {
  dl_block *entry =
      edge->to == DL_PARENT ? NULL : dl_region_first(dl_op_region(op, (size_t)edge->to));
  if (entry) reach(s, entry);
  for (size_t i = 0; entry && i < edge->first_input; i++) join(s, dl_arg(entry, i), VARYING);
  for (size_t i = 0; i < edge->count; i++) {
    size_t input = edge->first_input + i;
    void *state = state_of(s, dl_operand(from, edge->first + i));
    join(s, entry ? dl_arg(entry, input) : dl_result(op, input), state);
  }
}

static void follow_control(sccp *s, dl_op *op, const dl_op *from, int region) {
  dl_attr *constants = constants_of_operands(s, op);
  dl_control_edge edges[DL_MAX_EDGES];
  size_t count = dl_op_def_of(op)->control(op, region, constants, edges);
  for (size_t i = 0; i < count; i++) follow_edge(s, op, from, &edges[i]);
  free(constants);
}

static int region_number(const dl_op *op, const dl_region *region) {
  int i = 0;
  while (dl_op_region(op, (size_t)i) != region) i++;
  return i;
}

static void visit_unknown_regions(sccp *s, dl_op *op) {
  for (size_t i = 0; i < dl_num_regions(op); i++) DL_FOR_BLOCKS(block, dl_op_region(op, i)) {
      if (block != dl_region_first(dl_op_region(op, i))) continue;
      reach(s, block);
      vary_arguments(s, block);
    }
  join_results(s, op, VARYING);
}

// --- between functions ---

static bool is_private(const dl_op *function) {
  return dl_str_is(dl_get_str(function, "sym_visibility"), "private");
}

// The function called, if all its calls are known.
static const dl_call_node *known_callee(const sccp *s, const dl_op *call) {
  const dl_call_node *node = s->graph ? dl_callee(s->graph, call) : NULL;
  bool body = node && !dl_region_empty(dl_op_region(node->function, 0));
  return body && is_private(node->function) && !node->referred_to ? node : NULL;
}

static void visit_call(sccp *s, dl_op *call) {
  const dl_call_node *callee = known_callee(s, call);
  if (!callee) {
    join_results(s, call, VARYING);
    return;
  }
  dl_region *body = dl_op_region(callee->function, 0);
  dl_block *entry = dl_region_first(body);
  reach(s, entry);
  for (size_t i = 0; i < dl_num_args(entry); i++)
    join(s, dl_arg(entry, i), state_of(s, dl_operand(call, i)));
  DL_FOR_BLOCKS(block, body) {
    const dl_op *last = dl_block_last(block);
    if (!dl_has_trait(last, DL_RETURN) || !dl_ptr_map_has(&s->reached, block)) continue;
    for (size_t i = 0; i < dl_num_results(call); i++)
      join(s, dl_result(call, i), state_of(s, dl_operand(last, i)));
  }
}

static void visit_return(sccp *s, dl_op *op, dl_op *function) {
  const dl_call_node *node =
      s->graph ? dl_ptr_map_get(&s->graph->by_name, dl_symbol_name(function)) : NULL;
  (void)op;
  for (size_t i = 0; node && node->function == function && i < node->callers.len; i++)
    if (dl_ptr_map_has(&s->reached, dl_op_block(node->callers.data[i])))
      DL_PUSH(&s->pending, node->callers.data[i]);
}

// --- ops ---

static void visit_terminator(sccp *s, dl_op *op) {
  dl_op *parent = dl_op_parent(op);
  if (dl_num_successors(op))
    visit_branch(s, op);
  else if (dl_has_trait(parent, DL_FUNCTION))
    visit_return(s, op, parent);
  else if (dl_op_def_of(parent)->control)
    follow_control(s, parent, op, region_number(parent, dl_block_region(dl_op_block(op))));
}

static void visit_folded(sccp *s, dl_op *op) {
  const dl_op_def *def = dl_op_def_of(op);
  size_t count = dl_num_results(op);
  if (!def->fold) {
    join_results(s, op, VARYING);
    return;
  }
  dl_attr *constants = constants_of_operands(s, op);
  dl_folded *folded = dl_calloc(count + 1, sizeof(*folded));
  bool done = def->fold(op, constants, folded);
  for (size_t i = 0; i < count; i++) {
    void *state = !done             ? VARYING
                  : folded[i].value ? state_of(s, folded[i].value)
                                    : (void *)folded[i].constant;
    join(s, dl_result(op, i), state);
  }
  free(folded);
  free(constants);
}

static void visit(sccp *s, dl_op *op) {
  if (dl_has_trait(op, DL_TERMINATOR) || dl_num_successors(op))
    visit_terminator(s, op);
  else if (dl_has_trait(op, DL_CALL))
    visit_call(s, op);
  else if (dl_num_regions(op) && dl_op_def_of(op)->control)
    follow_control(s, op, op, DL_PARENT);
  else if (dl_has_trait(op, DL_FUNCTION))
    return;  // reached by its callers, or from the start
  else if (dl_num_regions(op))
    visit_unknown_regions(s, op);
  else if (dl_has_trait(op, DL_CONSTANT))
    join_results(s, op, (void *)dl_constant_value(dl_result(op, 0)));
  else if (!awaits_operands(s, op))
    visit_folded(s, op);
}

// Functions that may be called from elsewhere are reached with any arguments.
static bool start_function(dl_op *op, void *user) {
  sccp *s = user;
  const dl_call_node *node = NULL;
  if (!dl_has_trait(op, DL_FUNCTION) || dl_region_empty(dl_op_region(op, 0))) return true;
  if (s->graph) node = dl_ptr_map_get(&s->graph->by_name, dl_symbol_name(op));
  if (node && node->function == op && is_private(op) && !node->referred_to) return true;
  reach(s, dl_region_first(dl_op_region(op, 0)));
  vary_arguments(s, dl_region_first(dl_op_region(op, 0)));
  return true;
}

static void analyse(sccp *s) {
  visit_unknown_regions(s, s->root);
  dl_walk(s->root, start_function, s);
  while (s->pending.len) visit(s, s->pending.data[--s->pending.len]);
}

// --- replacing ---

typedef struct replacing {
  sccp *s;
  dl_constants constants;
  op_list dead;
} replacing;

// Whether uses of the value could be replaced.
static bool replace_value(replacing *r, dl_value *value, dl_op *user) {
  dl_attr constant = constant_of(r->s, value);
  if (!constant || !user || !dl_has_uses(value)) return false;
  dl_value *made = dl_constants_get(&r->constants, user, constant, dl_value_type(value));
  if (!made || made == value) return false;
  dl_replace_all_uses(value, made);
  dl_count(r->s->pass, "constants", 1);
  dl_pass_changed(r->s->pass);
  return true;
}

static void unify(replacing *r, dl_op *constant) {
  dl_value *same = dl_constants_unify(&r->constants, constant);
  if (!same) return;
  dl_replace_all_uses(dl_result(constant, 0), same);
  dl_op_erase(constant);
  dl_pass_changed(r->s->pass);
}

static void replace_results(replacing *r, dl_op *op) {
  bool any = false;
  if (dl_has_trait(op, DL_CONSTANT)) {
    unify(r, op);
    return;
  }
  for (size_t i = 0; i < dl_num_results(op); i++) any |= replace_value(r, dl_result(op, i), op);
  if (any && dl_op_is_dead(op)) DL_PUSH(&r->dead, op);
}

static void replace_in_block(replacing *r, dl_block *block) {
  for (size_t i = 0; i < dl_num_args(block); i++)
    replace_value(r, dl_arg(block, i), dl_block_first(block));
  DL_FOR_OPS(op, block) replace_results(r, op);
}

static bool replace_in_op(dl_op *op, void *user) {
  replacing *r = user;
  for (size_t i = 0; i < dl_num_regions(op); i++) DL_FOR_BLOCKS(block, dl_op_region(op, i)) {
      if (dl_ptr_map_has(&r->s->reached, block)) replace_in_block(r, block);
    }
  return true;
}

static void replace(sccp *s) {
  replacing r = {.s = s, .constants = {.root = s->root}};
  dl_walk(s->root, replace_in_op, &r);
  for (size_t i = r.dead.len; i-- > 0;) dl_op_erase(r.dead.data[i]);
  dl_constants_free(&r.constants);
  DL_VEC_FREE(&r.dead);
}

static dl_status run_sccp(dl_pass *pass, dl_op *root) {
  bool table = dl_has_trait(root, DL_SYMBOL_TABLE);
  sccp s = {.pass = pass,
            .root = root,
            .graph = table ? dl_get_analysis(pass, &dl_call_graph_analysis, root) : NULL};
  analyse(&s);
  replace(&s);
  dl_ptr_map_free(&s.values);
  dl_ptr_map_free(&s.reached);
  DL_VEC_FREE(&s.pending);
  return DL_OK;
}

static const char *const sccp_statistics[] = {"constants"};
static const dl_analysis_def *const sccp_analyses[] = {&dl_call_graph_analysis};

const dl_pass_def dl_pass_sccp = {
    .name = "sccp",
    .summary = "Sparse conditional constant propagation",
    .contract = DL_EXACT,
    .num_statistics = DL_COUNT(sccp_statistics),
    .statistics = sccp_statistics,
    .num_analyses = DL_COUNT(sccp_analyses),
    .analyses = sccp_analyses,
    .num_preserved = DL_COUNT(sccp_analyses),
    .preserved = sccp_analyses,
    .run = run_sccp,
};
