// dialects/layout.h: physical layouts of tensors: `#graph.enc<layout = NCHW16c>`.
//
// A layout keyword lists the stored dimensions, outermost first. An upper-case letter is the (outer
// part of the) logical dimension it names, a number with a lower-case letter an inner block of that
// dimension; blocks of one dimension nest in the order written. Which logical dimension a letter
// names:
//   - letters out of N C D H W (activations) or O I D H W (weights): their place in that list among
//   those used;
//   - a keyword with the letter A names dimensions by position: A is dimension 0, B dimension 1, …
// NCHW16c of a 1x20x7x7 tensor is stored as 1x2x7x7x16; channel 19 is at [_, 1, _, _, 3] and the
// lanes of channels 20 to 31 hold zeros. AB of a matrix is row-major, BA column-major, BA16b a
// matrix of column panels.
#ifndef DLIR_DIALECTS_LAYOUT_H
#define DLIR_DIALECTS_LAYOUT_H

#include "ir/affine.h"
#include "ir/attrs.h"
#include "ir/types.h"

#define DL_LAYOUT_MAX_DIMS 16

typedef struct dl_layout_dim {
  unsigned dim;   // logical dimension
  int64_t block;  // size of an inner block, 0 for the outer part
  int64_t below;  // product of the blocks of the same dimension stored further inside
} dl_layout_dim;

typedef struct dl_layout {
  size_t rank;      // logical dimensions
  size_t num_dims;  // stored dimensions
  dl_layout_dim dims[DL_LAYOUT_MAX_DIMS];
  int64_t tile[DL_LAYOUT_MAX_DIMS];  // per logical dimension: product of all its blocks
} dl_layout;

// Reads a keyword. Fails with a diagnostic at `loc` for text that is no layout.
DL_API dl_status dl_layout_parse(dl_loc loc, dl_str keyword, dl_layout *layout);
// The row-major layout of a rank.
DL_API dl_layout dl_layout_row_major(size_t rank);
DL_API bool dl_layout_is_row_major(const dl_layout *layout);

// The layout keyword in a tensor type's encoding, or NULL (row-major).
DL_API dl_ident dl_type_layout(dl_type tensor);
// The layout of a tensor type, row-major when it names none; a diagnostic at `loc` when it does not
// fit the rank.
DL_API dl_status dl_layout_of_type(dl_loc loc, dl_type tensor, dl_layout *layout);
// The same type in another layout (NULL: row-major); symbolic dimensions and device stay.
DL_API dl_type dl_type_with_layout(dl_type tensor, dl_ident layout);

// Logical indices (d0, …) to stored indices. Symbols: none.
DL_API dl_map dl_layout_map(dl_context *ctx, const dl_layout *layout);
// Stored sizes for logical sizes given as expressions (one per logical dimension); writes num_dims
// of them.
DL_API void dl_layout_sizes(const dl_layout *layout, const dl_expr *logical, dl_expr *stored);
// The tensor type without encoding that holds a tensor of type `logical`; dynamic sizes stay
// dynamic.
DL_API dl_type dl_layout_stored_type(const dl_layout *layout, dl_type logical);

#endif
