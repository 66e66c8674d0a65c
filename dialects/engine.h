// dialects/engine.h: native code for the interpreter. An engine is what a target lends to the
// reference interpreter where that would take too long: --check-each-pass runs whole models with it
// (docs/passes.md). It computes the same values; what it declines, the interpreter does itself.
#ifndef DLIR_DIALECTS_ENGINE_H
#define DLIR_DIALECTS_ENGINE_H

#include "dialects/eval/box.h"
#include "ir/op.h"

// What a launch or a call hands to a function of the loop level: each argument in 8 bytes, a
// pointer as the address it holds; for a launch the extents of the grid follow.
typedef struct dl_engine_call {
  dl_op *function;
  size_t num_slots, grid_rank;
  const uint64_t *slots;
} dl_engine_call;

typedef struct dl_engine dl_engine;
struct dl_engine {
  // Evaluates a box that is complete but for what dl_box_run adds, every reduction in the order of
  // its iterators, with the box's noise where it has a state for that. Called for large boxes.
  // False: nothing was done.
  bool (*run_box)(dl_engine *engine, dl_box *box);
  // Runs a function without results, for every point of the grid. Memory is not checked: wrong code
  // crashes. False: nothing was done.
  bool (*run_function)(dl_engine *engine, const dl_engine_call *call);
  // Called when a program begins: its functions are others than those of the last one.
  void (*forget_functions)(dl_engine *engine);
  void (*destroy)(dl_engine *engine);
};

#endif
