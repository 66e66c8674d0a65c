// The analytic model behind tensor-choose-schedules.
#ifndef DLIR_PASSES_TENSOR_SCHEDULE_MODEL_INTERNAL_H
#define DLIR_PASSES_TENSOR_SCHEDULE_MODEL_INTERNAL_H

#include "dialects/machine.h"
#include "passes/convert/tensor_to_loop_internal.h"

typedef DL_VEC(dl_attr) dl_primitive_list;

#define DL_MODEL_NONLINEAR INT64_MIN  // a stride where an offset is not linear in the iterator

// A loop of the nest to be, with the stride of every access along it.
typedef struct dl_model_axis {
  dl_ident name;   // with the compute's label
  int64_t extent;  // or DL_DYNAMIC
  bool reduce;
  bool guarded;      // an index of a read with `else` depends on it
  bool window;       // of a reduction: reads move along it and along a parallel iterator
  int64_t table;     // known elements are read along it: after how many points again, else 0
  int64_t *strides;  // per access, in elements
} dl_model_axis;

// The nest of a stage: access 0 is the result, the others are what is read for a point.
typedef struct dl_model {
  dl_kernel *k;
  const dl_stage *stage, *root;
  const dl_machine *machine;
  int64_t lanes;  // elements per vector register
  size_t num_accesses;
  size_t num_driver_reads;     // accesses before this one are of the stage itself
  DL_VEC(dl_model_axis) axes;  // parallel ones first, in the order of the iterators
  // For computes that others are made inside of; zero for others.
  size_t held;   // so many outermost axes are not fused with others, and alone may be the grid
  int64_t rows;  // of the last of these that are one task, 1: each by itself
  double work;   // points of all computes in the nest
  dl_primitive_list *out;
} dl_model;

// Reads the strides of a root's nest. Arrays live in the kernel's arena.
void dl_model_read(dl_model *m, dl_kernel *k, dl_stage *root, const dl_machine *machine,
                   dl_primitive_list *out);
// Fuses neighbours that every access runs through as if they were one, and appends the primitives.
// `keep`: the axis of the lanes, which stays by itself if it is made of whole vectors, or
// DL_NO_AXIS; returns its number afterwards.
size_t dl_model_fuse(dl_model *m, size_t keep);
void dl_model_free(dl_model *m);

// A tile of accumulators: vectors along the channel axis times points along the pixel axis.
typedef struct dl_model_tile {
  int64_t channels, pixels;
} dl_model_tile;

// The axes of an accumulator tile.
typedef struct dl_model_tiling {
  size_t vector, channel,
      pixel;          // axes or DL_NO_AXIS; the channel axis may be the vector axis itself
  int64_t registers;  // that the lanes of a point take
  bool splits;        // the vector axis is longer than a vector
  bool overlaps;      // and not made of whole vectors
} dl_model_tiling;

// The tile of least estimated time for a reduction.
dl_model_tile dl_model_best_tile(const dl_model *m, const dl_model_tiling *tiling);

// How a long sum is made: of partial sums, so that its rounding error grows with the length of
// these and their number rather than with the product of both.
typedef struct dl_model_rounds {
  size_t cut;      // the reduce axis whose values are divided among the partial sums, or DL_NO_AXIS
  int64_t length;  // how many of them make one, with all of the axes inside
  size_t inner;    // the innermost axis that is no window, or DL_NO_AXIS
} dl_model_rounds;

dl_model_rounds dl_model_find_rounds(const dl_model *m);

// Whether known elements are read: the nest is then to be unrolled over these.
bool dl_model_reads_table(const dl_model *m);

// Appends the primitives for the nest of a root, or of a compute inside of another's loop.
void dl_choose_nest(dl_kernel *k, dl_stage *root, const dl_machine *machine,
                    dl_primitive_list *out);
// The same for an elementwise root whose `held` outermost loops hold other computes, with tiles of
// `rows` of the innermost of these; `work`: points of all of them. Returns the loop that holds
// them.
dl_ident dl_choose_host(dl_kernel *k, dl_stage *root, const dl_machine *machine, size_t held,
                        int64_t rows, double work, dl_primitive_list *out);
// How many rows such a tile has best.
int64_t dl_choose_num_rows(dl_kernel *k, dl_stage *root, const dl_machine *machine, size_t held,
                           double work);
// Looks for computes that are best made inside of the loops of the kernel's last one: softmaxes and
// normalizations, row by row. Appends the primitives for the whole kernel and returns true if there
// are some. Changes the kernel: without success it can be used no more.
bool dl_choose_rows(dl_kernel *k, const dl_machine *machine, size_t held, dl_primitive_list *out);

#endif
