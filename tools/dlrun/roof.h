// tools/dlrun/roof.h: how fast this processor computes and reads memory when nothing else holds it
// up.
#ifndef DLIR_TOOLS_DLRUN_ROOF_H
#define DLIR_TOOLS_DLRUN_ROOF_H

#include <stdint.h>

enum { ROOF_SIZES = 6 };

typedef struct roof {
  // GFLOP/s of all threads together, each doing independent f32 multiply-adds in registers, on
  // vectors as wide as the processor has.
  double gflops;
  // GB/s of all threads together, each reading a part of this many bytes over and over: that of the
  // cache they fit into, or of memory.
  int64_t bytes[ROOF_SIZES];
  double gbytes[ROOF_SIZES];
} roof;

// Measured, in some tenths of a second.
roof roof_measure(int threads);
// GB/s for a working set of that size.
double roof_bandwidth(const roof *roof, double bytes);

#endif
