// passes/convert/flatten_temporaries.h: temporaries in the shape of what is computed from them.
#ifndef DLIR_PASSES_CONVERT_FLATTEN_TEMPORARIES_H
#define DLIR_PASSES_CONVERT_FLATTEN_TEMPORARIES_H

#include "ir/spec.h"

// A temporary that holds one value per point of the only statement that reads it (the sum of a
// grouped convolution: [n, g, o, y, x]) gets that statement's result as its shape ([n, g*O + o, y,
// x]), so that it can be stored alike. Returns `bound`, or a copy from `arena` that shares what has
// not changed.
const dl_bound_spec *dl_flatten_temporaries(const dl_bound_spec *bound, dl_arena *arena);

#endif
