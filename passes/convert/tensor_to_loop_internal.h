// convert-tensor-to-loop: what its files share.
//
// A kernel's computes become loop nests. A compute is emitted by itself into a buffer, or, if it is
// a reduction whose only reader is elementwise over its result, it drives the reader's nest: the
// reader takes accumulators from registers.
#ifndef DLIR_PASSES_CONVERT_TENSOR_TO_LOOP_INTERNAL_H
#define DLIR_PASSES_CONVERT_TENSOR_TO_LOOP_INTERNAL_H

#include "dialects/machine.h"
#include "dialects/schedule.h"
#include "passes/convert/emitter_internal.h"

typedef enum dl_role {
  DL_ROLE_ROOT,    // has its own nest and a buffer
  DL_ROLE_DRIVER,  // its nest is that of the root that reads it
  DL_ROLE_INSIDE,  // as a root, but inside of a loop of another's nest
} dl_role;

typedef struct dl_stage dl_stage;

// A tensor value of a kernel: elements in a buffer, or a driving compute.
typedef struct dl_tensor_ref dl_tensor_ref;
struct dl_tensor_ref {
  dl_value *pointer;  // NULL: not in memory
  dl_attr constant;   // the elements, when they are known
  dl_stage *stage;    // the compute that makes it, or NULL
  size_t rank;
  dl_expr *sizes;         // over the emitter's dimensions
  dl_expr *first, *held;  // the memory has this part of it: first indices and sizes; or NULL
  dl_tensor_ref *viewed;  // has the same elements under another shape, or NULL
};

// A read with an `else` value: one of the indices that may be out of range.
typedef struct dl_border {
  size_t input, dim;
  bool satisfied;  // by the bounds of the loops around the code being emitted
} dl_border;

// What is made of a dimension: indices from `first` on.
typedef struct dl_box_side {
  dl_expr first, extent;
  int64_t width;   // the extent, or the most it can be; DL_DYNAMIC when there is no bound
  dl_expr before;  // `first` before it was cut off,
  dl_expr need;    // and before it was moved
} dl_box_side;

// What replaces the innermost loop and the lanes around it.
typedef struct dl_tensorized {
  dl_machine_op op;
  size_t lhs, rhs;  // inputs
} dl_tensorized;

// A compute on its way to loops.
struct dl_stage {
  dl_op *op;
  dl_compute c;
  dl_role role;
  dl_stage *reader;  // DRIVER
  dl_stage *driver;  // ROOT: the reduction that it reads from registers, or NULL
  dl_tensor_ref *result;
  dl_expr *symbols;  // over the emitter's dimensions
  dl_expr *extents;  // likewise
  dl_nest nest;
  dl_tensorized *tensorized;  // or NULL
  dl_stage *host;             // INSIDE: the stage whose loops it is in,
  size_t host_axis;           // the loop,
  dl_box_side *box;           // what is made there, per dimension of the result,
  bool local;                 // and whether the buffer has no more than that
  dl_expr *first, *counts;    // INSIDE or its driver: of the iterators; else NULL
  DL_VEC(dl_border) borders;
  bool *vanishes;  // per input: a read outside contributes nothing to the reduction
};

typedef DL_VEC(dl_stage *) dl_stage_list;

typedef struct dl_kernel {
  dl_op *source;    // the tensor-level function or group,
  dl_block *block;  // and its body
  dl_op *func;      // the loop-level function; NULL when the kernel is only looked at
  dl_arena *arena;
  dl_loop_emitter e;
  dl_ptr_map refs;       // tensor value -> dl_tensor_ref
  dl_ptr_map scalars;    // index value -> its value in `func`
  dl_ptr_map exprs;      // index value -> dl_expr
  dl_stage_list stages;  // in order
  dl_schedule schedule;
  dl_block *task;         // the body of the parallel loop being emitted
  dl_stage *active;       // the driver whose accumulators are at hand,
  dl_value *accumulator;  // and the one of the point being emitted,
  const dl_op *added;     // an addition of the reader that the accumulators have behind them,
  size_t addend;          // and the input that it adds
} dl_kernel;

dl_tensor_ref *dl_kernel_ref(const dl_kernel *k, const dl_value *tensor);
dl_expr dl_kernel_expr(dl_kernel *k, const dl_value *index);

// What elements are in memory: integers without signedness.
dl_type dl_storage_type(dl_type element);

void dl_kernel_init(dl_kernel *k, dl_op *source, dl_block *block);
void dl_kernel_free(dl_kernel *k);
// Finds the stages and their roles.
dl_status dl_kernel_analyze(dl_kernel *k);
// The elements that a buffer holds.
dl_expr dl_ref_elements(dl_kernel *k, const dl_tensor_ref *ref);
// Decides every stage's role.
void dl_kernel_plan(dl_kernel *k);
// Whether the nest of a root, or of a stage inside of another's loop, can be emitted.
dl_status dl_kernel_check_nest(dl_kernel *k, dl_stage *root);
// Emits the nest of a root (and of its driver).
void dl_kernel_emit_nest(dl_kernel *k, dl_stage *root);

// A dl_region_hook: stage `number` is computed inside of the loop that its nest names.
dl_status dl_region_resize(void *kernel, dl_loc loc, size_t number);
// For choosing schedules: puts a root inside of the loop `axis` of `host`, if all of its readers
// are there, no two iterations need the same of it, and what one needs fits the thread's memory or
// has no known size. Computes that read it come first.
bool dl_region_try(dl_kernel *k, dl_stage *s, dl_stage *host, size_t axis);
// Whether such a stage can be computed there, once the schedule is applied.
dl_status dl_region_check(dl_kernel *k, dl_stage *s);

// Sets `flops` and `bytes` on the loops of a root: operations of all points, and the sizes of the
// buffers read and written. Sizes known at run time only become `flops_factors`, the numbers of the
// kernel's arguments to multiply by, or leave the attribute out.
void dl_estimate_work(dl_kernel *k, dl_stage *root, dl_op *loops);

// The value that a compute's body yields at the iterators given as expressions; scalar if no lane
// matters. NULL if the point contributes nothing to a reduction.
dl_value *dl_point_value(dl_kernel *k, dl_stage *stage, const dl_expr *iterators);
// The offset of the result's element at these iterators in its buffer.
dl_expr dl_point_offset(dl_kernel *k, const dl_stage *stage, const dl_expr *iterators);

// The addition by which a stage's reader adds its input `addend` to the sum that the stage
// computes, or to what it has added to that already; NULL if it does something else with it.
const dl_op *dl_find_addition(const dl_stage *stage, size_t addend);
// Reads input i of a stage.
dl_value *dl_read_input(dl_kernel *k, dl_stage *stage, size_t i, const dl_expr *iterators);

// The value of an accumulator at a parallel point: zero where the compute's domain says so.
dl_value *dl_point_result(dl_kernel *k, dl_stage *stage, const dl_expr *iterators,
                          dl_value *accumulator);
// The value that changes nothing in a stage's reduction.
dl_attr dl_stage_identity(const dl_stage *stage);
// Index `border` reads at the iterators.
dl_expr dl_border_index(const dl_stage *stage, const dl_border *border, const dl_expr *iterators);
// The iterators of a stage's only reader where it reads what the stage computes at `iterators`.
void dl_reader_iterators(dl_kernel *k, const dl_stage *stage, const dl_expr *iterators,
                         dl_expr *out);
// If every index of a map is another iterator (or zero where the extent is one): the position per
// iterator, SIZE_MAX for iterators of extent one that do not appear. False for other maps.
bool dl_projection(dl_map map, size_t num_iterators, const dl_expr *extents, size_t *positions);

// The indices at which a stage reads input i.
dl_expr *dl_input_indices(dl_kernel *k, const dl_stage *stage, size_t i, const dl_expr *iterators);

// Kernels: `func` is inserted before its source, which stays for the host.
dl_status dl_convert_kernel(dl_op *source, dl_op **func);
// @main and @init, in place, once all kernels are converted (source name -> source function).
dl_status dl_convert_host(dl_op *func, const dl_ptr_map *kernels);

#endif
