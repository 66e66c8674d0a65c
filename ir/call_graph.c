// Cycles are the strongly connected components that Tarjan's algorithm finds ("Depth-first search
// and linear graph algorithms", 1972), which come out callees first.
#include "ir/call_graph.h"

#include "ir/op_def.h"

static dl_attr callee_of(const dl_op *call) {
  dl_attr callee = dl_get_attr(call, "callee");
  return callee && callee->kind == DL_ATTR_SYMBOL && callee->count == 0 ? callee : NULL;
}

dl_call_node *dl_callee(const dl_call_graph *graph, const dl_op *call) {
  dl_attr callee = callee_of(call);
  return callee ? dl_ptr_map_get(&graph->by_name, callee->name) : NULL;
}

// --- building ---

static void refer(dl_call_graph *graph, dl_attr attr) {
  dl_call_node *node =
      attr->kind == DL_ATTR_SYMBOL ? dl_ptr_map_get(&graph->by_name, attr->name) : NULL;
  if (node) node->referred_to = true;
  bool nested = attr->kind == DL_ATTR_ARRAY || attr->kind == DL_ATTR_DIALECT ||
                attr->kind == DL_ATTR_CALL || attr->kind == DL_ATTR_SYMBOL ||
                attr->kind == DL_ATTR_KEYED || attr->kind == DL_ATTR_DISTINCT;
  size_t single = attr->kind == DL_ATTR_KEYED || attr->kind == DL_ATTR_DISTINCT;
  for (size_t i = 0; nested && i < (single ? 1 : attr->count); i++) refer(graph, attr->elements[i]);
  for (size_t i = 0; attr->kind == DL_ATTR_DICT && i < attr->count; i++)
    refer(graph, attr->entries[i].value);
}

static void refer_from(dl_call_graph *graph, const dl_op *op) {
  bool call = dl_has_trait(op, DL_CALL);
  for (size_t i = 0; i < dl_num_inherent_attrs(op); i++) {
    dl_named_attr attr = dl_inherent_attr(op, i);
    if (!call || strcmp(attr.name, "callee")) refer(graph, attr.value);
  }
  for (size_t i = 0; i < dl_num_discardable_attrs(op); i++)
    refer(graph, dl_discardable_attr(op, i).value);
}

typedef struct builder {
  dl_call_graph *graph;
  dl_op *table;
  dl_call_node *within;
} builder;

static bool add_call(dl_op *op, void *user) {
  builder *b = user;
  refer_from(b->graph, op);
  if (!dl_has_trait(op, DL_CALL) || dl_enclosing_symbol_table(op) != b->table) return true;
  dl_call_node *callee = dl_callee(b->graph, op);
  if (callee) DL_PUSH(&callee->callers, op);
  if (b->within) DL_PUSH(&b->within->calls, op);
  return true;
}

static void add_functions(dl_call_graph *graph, dl_op *table) {
  for (size_t i = 0; i < dl_num_regions(table); i++) DL_FOR_BLOCKS(block, dl_op_region(table, i)) {
      DL_FOR_OPS(op, block) {
        if (!dl_has_trait(op, DL_FUNCTION) || !dl_symbol_name(op)) continue;
        dl_call_node *node = dl_calloc(1, sizeof(*node));
        node->function = op;
        dl_ptr_map_set(&graph->by_name, dl_symbol_name(op), node);
      }
    }
}

static void add_calls(dl_call_graph *graph, dl_op *table) {
  refer_from(graph, table);
  for (size_t i = 0; i < dl_num_regions(table); i++) DL_FOR_BLOCKS(block, dl_op_region(table, i)) {
      DL_FOR_OPS(op, block) {
        dl_ident name = dl_has_trait(op, DL_FUNCTION) ? dl_symbol_name(op) : NULL;
        builder b = {graph, table, name ? dl_ptr_map_get(&graph->by_name, name) : NULL};
        dl_walk(op, add_call, &b);
      }
    }
}

// --- order and cycles ---

typedef struct search {
  dl_call_graph *graph;
  size_t next;
  DL_VEC(dl_call_node *) stack;
} search;

static void pop_component(search *s, dl_call_node *root) {
  bool several = s->stack.data[s->stack.len - 1] != root;
  dl_call_node *node;
  do {
    node = s->stack.data[--s->stack.len];
    node->on_stack = false;
    node->recursive |= several;
    DL_PUSH(&s->graph->bottom_up, node);
  } while (node != root);
}

static void visit(search *s, dl_call_node *node) {
  node->index = node->low = ++s->next;
  node->on_stack = true;
  DL_PUSH(&s->stack, node);
  for (size_t i = 0; i < node->calls.len; i++) {
    dl_call_node *callee = dl_callee(s->graph, node->calls.data[i]);
    if (!callee) continue;
    if (callee == node) node->recursive = true;
    if (!callee->index) visit(s, callee);
    if (callee->on_stack && callee->low < node->low) node->low = callee->low;
  }
  if (node->low == node->index) pop_component(s, node);
}

static void order(dl_call_graph *graph, dl_op *table) {
  search s = {.graph = graph};
  for (size_t i = 0; i < dl_num_regions(table); i++) DL_FOR_BLOCKS(block, dl_op_region(table, i)) {
      DL_FOR_OPS(op, block) {
        dl_ident name = dl_has_trait(op, DL_FUNCTION) ? dl_symbol_name(op) : NULL;
        dl_call_node *node = name ? dl_ptr_map_get(&graph->by_name, name) : NULL;
        if (node && !node->index) visit(&s, node);
      }
    }
  DL_VEC_FREE(&s.stack);
}

static void *compute(dl_op *table) {
  dl_call_graph *graph = dl_calloc(1, sizeof(*graph));
  add_functions(graph, table);
  add_calls(graph, table);
  order(graph, table);
  return graph;
}

static void destroy(void *result) {
  dl_call_graph *graph = result;
  for (size_t i = 0; i < graph->bottom_up.len; i++) {
    DL_VEC_FREE(&graph->bottom_up.data[i]->calls);
    DL_VEC_FREE(&graph->bottom_up.data[i]->callers);
    free(graph->bottom_up.data[i]);
  }
  DL_VEC_FREE(&graph->bottom_up);
  dl_ptr_map_free(&graph->by_name);
  free(graph);
}

static bool same_node(const dl_call_node *a, const dl_call_node *b) {
  size_t calls = a->calls.len;
  return a->function == b->function && calls == b->calls.len && a->recursive == b->recursive &&
         a->referred_to == b->referred_to && a->callers.len == b->callers.len &&
         (!calls || !memcmp(a->calls.data, b->calls.data, calls * sizeof(*a->calls.data)));
}

static bool holds(dl_op *table, void *kept, void *fresh) {
  (void)table;
  const dl_call_graph *a = kept, *b = fresh;
  bool same = a->bottom_up.len == b->bottom_up.len;
  for (size_t i = 0; same && i < a->bottom_up.len; i++)
    same = same_node(a->bottom_up.data[i], b->bottom_up.data[i]);
  return same;
}

const dl_analysis_def dl_call_graph_analysis = {
    .name = "call graph", .compute = compute, .destroy = destroy, .holds = holds};
