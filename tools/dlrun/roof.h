// tools/dlrun/roof.h: how fast this processor computes when nothing else holds it up.
#ifndef DLIR_TOOLS_DLRUN_ROOF_H
#define DLIR_TOOLS_DLRUN_ROOF_H

// GFLOP/s of `threads` threads that each do independent f32 multiply-adds in registers, on vectors
// as wide as the processor has. Measured, in about a tenth of a second.
double roof_measure(int threads);

#endif
