// dialects/eval/kernel.h: what arith and math ops, and the scalar operations of op specs, compute.
// One table for constant folding, the evaluator of tensors and the interpreter.
//
// While evaluating, a scalar is a lane: an int64_t (integers and index: sign-extended, unsigned
// types zero-extended, i1 0 or 1), a float (f32 and narrower floats, always rounded to their type)
// or a double (f64).
#ifndef DLIR_DIALECTS_EVAL_KERNEL_H
#define DLIR_DIALECTS_EVAL_KERNEL_H

#include "ir/attrs.h"
#include "ir/op.h"
#include "ir/spec.h"

typedef enum dl_lane { DL_LANE_NONE, DL_LANE_INT, DL_LANE_F32, DL_LANE_F64 } dl_lane;

// A single lane.
typedef union dl_scalar_value {
  int64_t i;
  float f;
  double d;
} dl_scalar_value;

// The lane that holds a scalar type; NONE for types that are not evaluated (i128, f128, complex,
// …).
DL_API dl_lane dl_lane_of(dl_type scalar);
DL_API size_t dl_lane_bytes(dl_lane lane);

enum { DL_KERNEL_MAX_INPUTS = 3 };

// What a kernel computes, as far as code generators know it; the type of its operands decides
// between integers (signed ones) and floats.
typedef enum dl_basic {
  DL_BASIC_NONE,  // only `run` knows
  DL_BASIC_ADD,
  DL_BASIC_SUB,
  DL_BASIC_MUL,
  DL_BASIC_DIV,  // of floats
  DL_BASIC_MAX,  // of floats: NaN wins, and 0 is more than -0
  DL_BASIC_MIN,
  DL_BASIC_NEG,
  DL_BASIC_ABS,
  DL_BASIC_SQRT,
  DL_BASIC_FLOOR,  // of floats, like the next
  DL_BASIC_CEIL,
  DL_BASIC_COMPARE,
  DL_BASIC_SELECT,
  DL_BASIC_AND,
  DL_BASIC_OR,
  DL_BASIC_XOR,
  DL_BASIC_FLOORDIV,
  DL_BASIC_MOD,
  DL_BASIC_SAME,
} dl_basic;

// A function over runs of lanes, and how its results are brought to their type.
typedef struct dl_kernel dl_kernel;
struct dl_kernel {
  void (*run)(const dl_kernel *kernel, void *out, const void *const *in, size_t count);
  size_t num_inputs;
  dl_type from, to;   // element types of the (last) operand and of the result
  unsigned width;     // of integer operands, in bits
  int64_t predicate;  // of comparisons
  bool rounds;        // the exact result need not be a number of the type
  dl_basic basic;
};

// The kernel of an arith or math op (on scalars, or on the lanes of vectors and tensors); false if
// it has none.
DL_API bool dl_kernel_of_op(const dl_op *op, dl_kernel *kernel);
// The kernel of a spec's operation on arguments of type `from` (for SELECT: of the values); false
// for leaves and for types that the operation does not have.
DL_API bool dl_kernel_of_scalar(dl_scalar_op op, dl_type from, dl_type to, dl_kernel *kernel);
// The kernel that combines two values of a scalar type; false for NONE.
DL_API bool dl_kernel_of_combiner(dl_combiner combiner, dl_type type, dl_kernel *kernel);

// out[i] = kernel(in[0][i], …) for i < count. `out` overlaps no input. Integer division by zero
// gives 0.
DL_API void dl_kernel_run(const dl_kernel *kernel, void *out, const void *const *in, size_t count);

// Lanes from and to memory, where an element is stored as dl_element_bytes says; strides in
// elements.
DL_API void dl_lanes_load(dl_type element, void *lanes, const void *memory, int64_t stride,
                          size_t count);
DL_API void dl_lanes_store(dl_type element, const void *lanes, void *memory, int64_t stride,
                           size_t count);
DL_API void dl_lanes_fill(dl_lane lane, void *lanes, dl_scalar_value value, size_t count);
// Moves float lanes of `type` up or down by a unit in the last place, or leaves them, at random: a
// model of rounding in another way. *state is the generator's.
DL_API void dl_lanes_perturb(dl_type type, void *lanes, size_t count, uint64_t *state);
// The next 64 random bits (splitmix64).
DL_API uint64_t dl_random(uint64_t *state);
// The value of an integer or float attribute as a lane of `type`.
DL_API dl_scalar_value dl_scalar_of_attr(dl_attr attr, dl_type type);
DL_API dl_attr dl_attr_of_scalar(dl_type type, dl_scalar_value value);

// The fold hook of every op with a kernel: folds when all operands are constants.
DL_API bool dl_fold_with_kernel(dl_op *op, const dl_attr *constants, dl_folded *results);

#endif
