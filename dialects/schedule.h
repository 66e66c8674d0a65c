// dialects/schedule.h: schedules: `#tensor.schedule<tile(conv.ow, 14), order(…), …>`
// (docs/dialects.md).
//
// A schedule is a list of primitives. Applied to the computes of a group, it makes of each compute
// a loop nest: iterators form trees (tiling and fusing make new ones), and the leaves, in order,
// are the loops.
#ifndef DLIR_DIALECTS_SCHEDULE_H
#define DLIR_DIALECTS_SCHEDULE_H

#include "ir/attrs.h"
#include "ir/base.h"

typedef enum dl_primitive_kind {
  DL_PRIM_TILE,
  DL_PRIM_FUSE,
  DL_PRIM_ORDER,
  DL_PRIM_VECTORIZE,
  DL_PRIM_UNROLL,
  DL_PRIM_PARALLEL,
  DL_PRIM_COMPUTE_AT,
  DL_PRIM_BIND,
  DL_PRIM_STAGE,
  DL_PRIM_BORDER,
  DL_PRIM_TENSORIZE,
  DL_PRIM_PARTIAL,
  DL_PRIM_ACCUMULATE,
} dl_primitive_kind;

typedef enum dl_remainder {
  DL_REMAINDER_PEEL,
  DL_REMAINDER_MASK,
  DL_REMAINDER_OVERLAP
} dl_remainder;

typedef struct dl_primitive {
  dl_primitive_kind kind;
  size_t num_names;
  // Iterators; COMPUTE_AT: compute, iterator; STAGE: compute and, where given, iterator;
  // ACCUMULATE: compute; BORDER: none.
  const dl_ident *names;
  int64_t
      factor;  // TILE: size; UNROLL: by how much, 0 = fully; STAGE, ACCUMULATE: number of the input
  dl_remainder remainder;  // TILE
  dl_ident word;           // BIND, BORDER, TENSORIZE: the last argument; STAGE: the memory space
} dl_primitive;

typedef struct dl_schedule {
  size_t count;
  dl_primitive *primitives;
} dl_schedule;

// Reads a #tensor.schedule attribute; arrays come from `arena`. A diagnostic at `loc` says what is
// no primitive. Names are not looked up.
DL_API dl_status dl_schedule_parse(dl_loc loc, dl_attr attr, dl_arena *arena,
                                   dl_schedule *schedule);

// Builders, for passes that write schedules: each returns one parameter of the attribute.
DL_API dl_attr dl_prim_tile(dl_context *ctx, dl_ident iterator, int64_t size,
                            dl_remainder remainder);
DL_API dl_attr dl_prim_unroll(dl_context *ctx, dl_ident iterator, int64_t factor);  // 0: fully
// Input number `input` of the compute's reader.
DL_API dl_attr dl_prim_accumulate(dl_context *ctx, dl_ident compute, size_t input);
// `word`: group or lane.
DL_API dl_attr dl_prim_bind(dl_context *ctx, dl_ident iterator, const char *word);
// FUSE, ORDER, VECTORIZE, PARALLEL, PARTIAL.
DL_API dl_attr dl_prim_names(dl_context *ctx, dl_primitive_kind kind, size_t count,
                             const dl_ident *iterators);
DL_API dl_attr dl_schedule_attr(dl_context *ctx, size_t count, const dl_attr *primitives);

// --- loop nests ---

typedef enum dl_axis_kind {
  DL_AXIS_ITERATOR,
  DL_AXIS_OUTER,
  DL_AXIS_INNER,
  DL_AXIS_FUSED
} dl_axis_kind;

#define DL_UNROLL_FULL (-1)
#define DL_NO_AXIS SIZE_MAX

// An iterator of a compute, or one made from it. Axes are numbered; those of a nest's compute come
// first.
typedef struct dl_axis {
  dl_ident name;
  dl_axis_kind kind;
  size_t source;   // OUTER, INNER: the axis that was tiled; FUSED: the outer one
  size_t partner;  // OUTER: its inner; INNER: its outer; FUSED: the inner one that was fused
  int64_t tile;    // OUTER, INNER: the tile size
  dl_remainder remainder;  // OUTER
  int64_t extent;  // number of values; DL_DYNAMIC when unknown. OUTER: with the last partial tile
  bool reduce;
  bool leaf;       // neither tiled nor fused away
  int64_t unroll;  // 1: not, DL_UNROLL_FULL, or by how much
  bool vectorize, parallel;
  bool partial;         // a reduce loop whose iterations are combined by themselves first
  dl_ident machine_op;  // what replaces the loop and the lanes around it, or NULL
} dl_axis;

typedef DL_VEC(dl_axis) dl_axis_list;

typedef struct dl_nest {
  dl_ident label;        // of the compute
  size_t num_iterators;  // axes 0 … num_iterators - 1 are the compute's own
  dl_axis_list axes;
  size_t num_loops;  // the leaves, outermost first
  size_t *loops;
  bool scheduled;  // some primitive names this nest
  size_t addend;   // the input of the reader that the result is added to, or DL_NO_AXIS
  bool peel_borders;
  size_t host;       // the nest inside of which it is computed (compute_at), or DL_NO_AXIS,
  size_t host_axis;  // and the loop of that
  bool is_host;      // some nest is inside of it: its loops are settled
} dl_nest;

// The nest of a compute before any primitive: loops in the order of the iterators. `extents` holds
// DL_DYNAMIC for sizes known only at run time. Free with dl_nest_free.
DL_API void dl_nest_init(dl_nest *nest, dl_ident label, size_t num_iterators, size_t num_parallel,
                         const dl_ident *names, const int64_t *extents);
DL_API void dl_nest_free(dl_nest *nest);

// Called once compute_at has put nest `nest` inside of another: gives its iterators the extents of
// what one iteration of the loop around it needs.
typedef struct dl_region_hook {
  dl_status (*resize)(void *user, dl_loc loc, size_t nest);
  void *user;
} dl_region_hook;

// Applies a schedule to the nests of a group. Diagnostics at `loc`: unknown or ambiguous iterators,
// orders that leave out a loop or put an inner tile outside its outer one, parallel loops that are
// not outermost, vector axes that are not innermost or of unknown size, computes put inside of
// themselves or after their loops were changed, partial sums over parallel iterators or at several
// loops.
DL_API dl_status dl_schedule_apply(dl_loc loc, const dl_schedule *schedule, size_t num_nests,
                                   dl_nest *const *nests, const dl_region_hook *hook);

#endif
