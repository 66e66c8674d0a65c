// ir/call_graph.h: which functions of a symbol table call which.
#ifndef DLIR_IR_CALL_GRAPH_H
#define DLIR_IR_CALL_GRAPH_H

#include "ir/analysis.h"
#include "ir/op.h"

typedef struct dl_call_node dl_call_node;
struct dl_call_node {
  dl_op *function;          // an op with DL_FUNCTION
  DL_VEC(dl_op *) calls;    // ops with DL_CALL inside, in the order of the text
  DL_VEC(dl_op *) callers;  // calls of it
  bool recursive;           // it may call itself, directly or through others
  bool referred_to;         // its name stands elsewhere than in a call: there may be other callers
  size_t index, low;        // of the search for cycles
  bool on_stack;
};

typedef struct dl_call_graph {
  dl_ptr_map by_name;                // dl_ident -> dl_call_node, of functions directly in the table
  DL_VEC(dl_call_node *) bottom_up;  // callees before callers, except within cycles
} dl_call_graph;

// The function that a call names, or NULL when the table does not hold it.
DL_API dl_call_node *dl_callee(const dl_call_graph *graph, const dl_op *call);

// For an op with DL_SYMBOL_TABLE; the result is a dl_call_graph *.
extern DL_API const dl_analysis_def dl_call_graph_analysis;

#endif
