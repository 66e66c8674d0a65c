// The state of a walk over the loops of a nest, and how the range of a loop falls into segments.
#ifndef DLIR_PASSES_CONVERT_NEST_WALK_INTERNAL_H
#define DLIR_PASSES_CONVERT_NEST_WALK_INTERNAL_H

#include "passes/convert/tensor_to_loop_internal.h"

typedef struct dl_walk_state dl_walk_state;
struct dl_walk_state {
  dl_kernel *k;
  dl_loop_emitter *e;
  dl_stage *stage, *root;  // whose points the loops are over; what is stored in the end
  dl_nest *nest;
  dl_expr *value;   // per axis, NULL while its loop is not open; outer axes: where the tile starts
  dl_expr *temp;    // per axis: the dimension for its index while its loop is not open
  int64_t *extent;  // per axis, now: inner axes of a partial tile have fewer; or DL_DYNAMIC
  dl_expr *count;   // per vector axis: how many of its lanes are in range, or NULL for all
  bool reduces;
  size_t first_register;  // loops from here on make a tile of accumulators
  size_t num_parallel;    // loops of the grid, outermost,
  dl_expr *indices;       // and their indices
  bool in_tile;
  size_t num_acc, acc_index;
  dl_value **acc;
  int64_t vector_acc;  // lanes of an accumulator, 0 for scalars
  bool reduce_lanes;   // the lanes are points of the reduction
  dl_value *carry;     // accumulators between the rounds of reduce loops outside of the tile
  bool carries;        // there are such loops,
  bool carries_tile;   // and they are next to the tile: `carry` holds no more than that
  bool partial;        // a round starts anew, and is combined with what is carried at its end
  const dl_op *added;  // the addition of the reader that the accumulators take over, or NULL
  void (*visit)(dl_walk_state *w, const dl_expr *iterators);  // replaces the code of points
};

// The walk over the loops of a root (or of its driver), none of them open.
void dl_walk_init(dl_walk_state *w, dl_kernel *k, dl_stage *root);
// Runs `visit` for each point of the open accumulator tile, with acc_index and, if the tile is a
// vector, lanes set.
typedef void (*dl_tile_visit)(dl_walk_state *w, const dl_expr *iterators);
void dl_walk_tile(dl_walk_state *w, dl_tile_visit visit);

// The accumulators before a tile's loops, and what becomes of them after: they are stored, combined
// with those that wait in memory, or taken by the root.
void dl_tile_start(dl_walk_state *w);
void dl_tile_finish(dl_walk_state *w);
dl_value *dl_tile_combine(dl_walk_state *w, dl_value *earlier, dl_value *value);
// The root's iterators at a point of the stage.
const dl_expr *dl_tile_root_iterators(const dl_walk_state *w, const dl_expr *iterators);

// Finds the regions of the computes at a loop that has just been opened at an index, and the code
// that says where they start.
void dl_region_open(dl_walk_state *w, size_t axis);

// Finds what the schedule's tensorize makes of the nest's compute. Diagnostics: the machine has no
// such op, the compute is no such sum, the sizes differ.
dl_status dl_tensorize_check(dl_walk_state *w);
// The accumulator with a machine op's sum added at the open lanes.
dl_value *dl_tensorize_emit(dl_walk_state *w, dl_value *accumulator);

// Part of a loop's range [lo, hi), in indices of the axis.
typedef struct dl_segment {
  dl_expr lo, hi;
  int64_t inner;  // OUTER: the extent of the inner axis
  bool single;    // OUTER: indices are elements of the tiled axis, `inner` is 1
  bool overlap;   // OUTER: the last tile starts early enough to be whole
  dl_expr count;  // OUTER: lanes of the inner vector axis that are in range, or NULL for all
} dl_segment;
typedef DL_VEC(dl_segment) dl_segment_list;

// Splits the range of a loop: whole and partial tiles; indices at which reads may be out of range
// and those at which none is; the part of a reduce loop in which points contribute. In the latter
// case the borders that are satisfied inside are marked; hand the result to dl_walk_forget
// afterwards.
size_t dl_walk_segments(dl_walk_state *w, size_t level, dl_segment_list *segments);
void dl_walk_forget(dl_walk_state *w, size_t satisfied);

// Where the tile at an index of an outer axis starts.
dl_expr dl_segment_start(dl_walk_state *w, const dl_axis *outer, const dl_segment *s,
                         dl_expr index);

// Iterators of the stage over open loops, and over dl_walk_temp for each loop that is not open.
void dl_walk_iterators(const dl_walk_state *w, dl_expr *iterators);
dl_expr dl_walk_temp(const dl_walk_state *w, size_t axis);
// The range of such an expression, with another range for one axis (or DL_NO_AXIS).
dl_range dl_walk_range(const dl_walk_state *w, dl_expr expr, size_t axis, dl_range of_axis);
// The number of indices of an axis, over the emitter's dimensions.
dl_expr dl_walk_extent(const dl_walk_state *w, size_t axis);

#endif
