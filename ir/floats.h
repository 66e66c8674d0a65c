// ir/floats.h: rounding to floating-point types and their storage in memory.
#ifndef DLIR_IR_FLOATS_H
#define DLIR_IR_FLOATS_H

#include "ir/types.h"

// `value` rounded to the format (f64 and wider: unchanged).
DL_API double dl_float_round(dl_float_kind kind, double value);
// The storage of any kind, little-endian, dl_element_bytes long. (f80 is stored in 16 bytes, of which the
// last 6 are zero and not read.)
DL_API void dl_float_store(dl_float_kind kind, double value, void *bytes);
DL_API double dl_float_load(dl_float_kind kind, const void *bytes);

#endif
