// passes/convert/stored_iterators.h: from the iterators of a bound statement, which run over
// logical dimensions, to iterators over the dimensions in which its tensors are stored.
//
//   - Iterators of extent 1 vanish; of reduce iterators at least one stays.
//   - An iterator that runs along a blocked dimension is split: o = o*16 + oi. Where 16 does not
//   divide its
//     extent, a `where` condition excludes the lanes beyond; it is left out for a reduction whose
//     terms are products of elements that are zero there.
//   - A blocked result dimension whose index is a mixed radix (g*O + o) that the block does not
//   align with gets
//     one iterator of its own, from which g and o are recovered by division.
#ifndef DLIR_PASSES_CONVERT_STORED_ITERATORS_H
#define DLIR_PASSES_CONVERT_STORED_ITERATORS_H

#include "dialects/layout.h"
#include "ir/spec.h"

typedef struct dl_stored_iterators {
  size_t count, num_parallel;
  dl_ident *names;
  dl_expr *extents;  // over the symbols of the bound spec
  dl_range *ranges;  // of the iterators
  dl_expr *logical;  // value of each logical iterator, over the stored ones
  size_t num_where;
  dl_expr *where;  // conditions >= 0 over the stored iterators and the symbols
} dl_stored_iterators;

// `layouts` has one entry per tensor of the bound spec. Arrays come from `arena`.
dl_stored_iterators dl_stored_iterators_of(const dl_bound_spec *bound,
                                           const dl_bound_statement *statement,
                                           const dl_layout *layouts, dl_arena *arena);
// Stored indices, over the stored iterators, of a tensor read or written at logical indices;
// `indices` has room for layout->num_dims.
void dl_stored_indices(const dl_bound_spec *bound, const dl_bound_statement *statement,
                       const dl_stored_iterators *stored, const dl_layout *layout,
                       const dl_expr *logical, dl_expr *indices);

#endif
