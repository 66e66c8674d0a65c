// dialects/eval/box_internal.h: addressing the elements of an array along a strip.
#ifndef DLIR_DIALECTS_EVAL_BOX_INTERNAL_H
#define DLIR_DIALECTS_EVAL_BOX_INTERNAL_H

#include "dialects/eval/box.h"

// One dimension of an access. Its index at a point is the dot product with `coefficients`, plus
// `constant`; or step * strip iterator + rest; or, if it is neither, computed per lane by the
// program.
typedef struct dl_axis {
  int64_t size, stride;         // in elements
  int64_t step;                 // of the strip iterator
  const int64_t *coefficients;  // NULL when not affine
  int64_t constant;
  dl_expr rest;  // not affine: the index without the strip iterator's part; NULL: per lane
  dl_register lanes;
} dl_axis;

typedef struct dl_access {
  size_t rank;
  dl_axis *axes;
  bool per_lane;  // some axis is
} dl_access;

// Elements first, first + step, …; those of the lanes lo … hi - 1 are in range.
typedef struct dl_span {
  int64_t first, step;
  size_t lo, hi;
} dl_span;

// `strip` is the number of the strip iterator (num_iterators: none). Adds instructions to the
// box's program for indices that are computed per lane.
void dl_access_init(dl_access *access, dl_box *box, const dl_ndarray *array, const dl_expr *indices,
                    size_t strip);
// For accesses that are not per lane: the elements of `count` lanes from `point` on.
dl_span dl_access_span(const dl_access *access, const int64_t *point, size_t num_iterators,
                       size_t strip, size_t count);

#endif
