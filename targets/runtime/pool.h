// pool.h: the thread pool of a session. One single-producer single-consumer ring per worker; the
// caller takes part 0 itself. Waiting spins first and sleeps after a while. Tasks that a worker has
// not begun when the caller is through are withdrawn, so that a busy machine costs no waiting for
// workers that do not get to run.
#ifndef DLIR_RUNTIME_POOL_H
#define DLIR_RUNTIME_POOL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct dlrt_pool dlrt_pool;
typedef void (*dlrt_task_fn)(void *argument, int32_t part);

// Starts threads - 1 workers; `pin` binds worker i to the i-th CPU (from 0) after the first of the
// caller's affinity mask; the caller's own thread is left alone. NULL (errno set) when memory or
// threads are refused.
dlrt_pool *dlrt_pool_create(int32_t threads, bool pin);
void dlrt_pool_destroy(dlrt_pool *pool);  // NULL is allowed
int32_t dlrt_pool_threads(const dlrt_pool *pool);

// Calls task(argument, 0), and meanwhile task(argument, i) for 0 < i < parts <= threads on those
// workers that get to it, part i always on the same one. Returns when all calls have returned. So
// part 0 must see to it that everything is taken (dlrt_shares_take). Only one thread may call it at
// a time.
void dlrt_pool_run(dlrt_pool *pool, int32_t parts, dlrt_task_fn task, void *argument);

// The number of CPUs this process may run on.
int32_t dlrt_cpu_count(void);

#endif
