// tools/dlrun/bench.h: measuring runs.
#ifndef DLIR_TOOLS_DLRUN_BENCH_H
#define DLIR_TOOLS_DLRUN_BENCH_H

#include <stdbool.h>

#include "targets/runtime/dlir_model.h"
#include "tools/dlrun/roof.h"

enum { BENCH_WARM_UP_RUNS = 2 };

typedef struct bench_times {
  double median, min, p90, mean;  // milliseconds
  int runs;
} bench_times;

// Runs until `seconds` have passed (at least 3 times) after warming up. `run` returns false to
// stop.
bool bench_measure(double seconds, bool (*run)(void *user), void *user, bench_times *times);

typedef struct bench_profile {
  const dlir_profile_entry *entries;
  size_t count;
  int runs;   // that the entries add up
  roof roof;  // of as many threads
} bench_profile;

// One line for readers, in ms or µs.
void bench_print_times(const bench_times *times, int threads);
// A table of the kernels' launches, slowest first.
void bench_print_profile(const bench_profile *profile, int threads);
// {"median_ms": …, …} in one line; a NULL pointer leaves its part out.
void bench_print_json(const bench_times *times, int threads, const bench_profile *profile);

#endif
