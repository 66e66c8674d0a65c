// passes/reduce/reduce.h: makes a module smaller while something about it stays true: delta
// debugging over strategies that each know one kind of thing to take away. What dlreduce does.
//
// A strategy numbers its targets (ops, attributes, sizes …) in a module. All of them are tried at
// once, then halves, quarters and so on, down to single ones; what stays interesting becomes the
// module to go on from. Rounds over all strategies repeat until one changes nothing (Zeller and
// Hildebrandt, "Simplifying and isolating failure-inducing input", 2002). Only modules that verify
// are tested, and the result does not depend on how many are tested at a time.
#ifndef DLIR_PASSES_REDUCE_REDUCE_H
#define DLIR_PASSES_REDUCE_REDUCE_H

#include "ir/op.h"

typedef struct dl_reduce_options {
  // Which is the first of the modules that are interesting? `count` when none is.
  size_t (*first_interesting)(void *user, size_t count, dl_op *const *candidates);
  // Called when a smaller module was found.
  void (*progress)(void *user, const char *strategy, dl_op *module);
  bool (*expired)(void *user);  // whether to stop and keep what there is
  void *user;
  size_t at_a_time;        // modules per call of first_interesting, at least 1
  const char *strategies;  // comma-separated names; NULL: all
} dl_reduce_options;

// Reduces a verified, interesting module, which it takes over; returns the smallest one found, or
// NULL after a diagnostic about `strategies`.
DL_API dl_op *dl_reduce(dl_op *module, const dl_reduce_options *options);

// The names and summaries of the strategies, in their order.
DL_API size_t dl_num_reductions(void);
DL_API const char *dl_reduction_name(size_t i);
DL_API const char *dl_reduction_summary(size_t i);

#endif
