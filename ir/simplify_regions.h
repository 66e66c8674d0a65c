// ir/simplify_regions.h: tidying up the blocks of regions.
#ifndef DLIR_IR_SIMPLIFY_REGIONS_H
#define DLIR_IR_SIMPLIFY_REGIONS_H

#include "ir/op.h"

// In all regions of `root` and below: erases blocks that no path from the entry reaches, and
// appends a block to the only one that branches to it, if that goes nowhere else; removes arguments
// that nothing uses. Returns whether anything changed. Regions of unregistered ops are left alone.
DL_API bool dl_simplify_regions(dl_op *root);

#endif
