// ir/parallel.h: running the items of a list on several threads.
#ifndef DLIR_IR_PARALLEL_H
#define DLIR_IR_PARALLEL_H

#include "ir/base.h"

// The number of threads that `wanted` stands for (0: one per processor this process may use), at
// most `items`.
DL_API size_t dl_num_threads(unsigned wanted, size_t items);

// Calls run(user, worker, item) once for each item, lower ones begun first; worker is below
// num_threads, and its calls run one after another. Returns when all are done.
DL_API void dl_parallel_for(size_t num_threads, size_t items,
                            void (*run)(void *user, size_t worker, size_t item), void *user);

#endif
