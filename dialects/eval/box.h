// dialects/eval/box.h: evaluating dense computations: a box of iterators, reads at affine indices,
// a scalar body, a combiner. What tensor.compute and the statements of op specs come down to.
//
// Bodies are programs over registers that hold strips: the values at up to DL_STRIP consecutive
// points of one iterator. So an instruction is a loop over lanes, and its dispatch costs little per
// point.
#ifndef DLIR_DIALECTS_EVAL_BOX_H
#define DLIR_DIALECTS_EVAL_BOX_H

#include "dialects/eval/kernel.h"
#include "dialects/ndarray.h"

enum { DL_STRIP = 256 };

typedef uint32_t dl_register;

// One way of reading an array; dimensions of the indices are the box's iterators, there are no
// symbols.
typedef struct dl_box_read {
  const dl_ndarray *array;
  const dl_expr *indices;  // one per dimension of the array
  dl_type type;            // of the scalar read (the array's element type, signs aside)
  bool has_otherwise;      // else all indices must be in range
  dl_scalar_value otherwise;
} dl_box_read;

typedef struct dl_box_op {
  enum { DL_BOX_KERNEL, DL_BOX_READ, DL_BOX_GATHER } kind;
  dl_register out, in[DL_KERNEL_MAX_INPUTS];
  dl_kernel kernel;
  size_t read;              // READ
  const dl_ndarray *array;  // GATHER: at the indices in `indices`
  dl_type type;             // GATHER
  const dl_register *indices;
} dl_box_op;

typedef struct dl_box_register {
  dl_lane lane;
  enum { DL_REGISTER_RESULT, DL_REGISTER_CONSTANT, DL_REGISTER_ITERATOR } kind;
  dl_scalar_value value;  // CONSTANT
  size_t iterator;        // ITERATOR
} dl_box_register;

typedef struct dl_box {
  dl_loc loc;                          // of diagnostics
  dl_arena *arena;                     // of everything in here
  size_t num_iterators, num_parallel;  // parallel ones first
  const int64_t *extents;
  size_t num_reads;
  const dl_box_read *reads;
  DL_VEC(dl_box_register) registers;
  DL_VEC(dl_box_op) ops;
  dl_register result;
  dl_type type;          // of the result, and of what is stored (signs aside)
  dl_combiner combiner;  // integers are combined with the sign of the target's elements
  dl_scalar_value init;  // with a combiner
  dl_ndarray *target;
  const dl_expr *out;        // one index per dimension of the target, over the parallel iterators
  uint64_t *noise;           // NULL, or the state with which every rounding is perturbed
  struct dl_engine *engine;  // that may run it, or NULL (dialects/engine.h)
  double *work;              // NULL, or where its points are added
  // Conditions e >= 0 or e = 0. Points outside of one over parallel iterators store 0; others
  // contribute nothing. Nothing is read at points outside.
  size_t num_conditions;
  const dl_expr *conditions;
  const bool *is_equality;
} dl_box;

// Building the body. Instructions run in the order in which they are added.
dl_register dl_box_constant(dl_box *box, dl_type type, dl_scalar_value value);
dl_register dl_box_iterator(dl_box *box, size_t iterator);
dl_register dl_box_add_read(dl_box *box, size_t read);
dl_register dl_box_kernel(dl_box *box, const dl_kernel *kernel, const dl_register *inputs);
dl_register dl_box_gather(dl_box *box, const dl_ndarray *array, dl_type type,
                          const dl_register *indices);
// The value of an expression over the iterators.
dl_register dl_box_expr(dl_box *box, dl_expr expr);

// Evaluates into the target. Fails with a diagnostic at an index out of range.
dl_status dl_box_run(dl_box *box);
void dl_box_free(dl_box *box);  // not the arena

#endif
