#define _GNU_SOURCE  // CPU affinity
#include "targets/runtime/pool.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  CACHE_LINE = 64,
  RING_SIZE = 8,  // tasks that a worker may be behind; a power of two
  SPIN_ROUNDS =
      4000  // some tens of microseconds: longer than the gaps between the kernels of a run
};
_Static_assert((RING_SIZE & (RING_SIZE - 1)) == 0, "positions wrap by masking");

// A counter that one thread advances and another waits for.
typedef struct counter {
  _Alignas(CACHE_LINE) _Atomic uint32_t value;
  _Atomic uint32_t sleeping;
} counter;
_Static_assert(sizeof(counter) == CACHE_LINE, "counters of different threads share no cache line");

// Who has a task: the worker that began it, or the caller, who did without.
enum { POSTED, BEGUN, WITHDRAWN };

typedef struct task {
  dlrt_task_fn run;
  void *argument;
  int32_t part;
  _Atomic uint32_t state;
} task;

typedef struct worker {
  counter posted;  // tasks put into the ring, by the caller
  counter done;    // tasks that are over, by the worker
  _Alignas(CACHE_LINE) task ring[RING_SIZE];
  pthread_t thread;
  int32_t cpu;  // to pin to; -1: none
  bool called;  // it has a task of the run; the caller's
} worker;
_Static_assert(sizeof(worker) % CACHE_LINE == 0, "workers share no cache line");

struct dlrt_pool {
  int32_t num_workers;
  worker *workers;
};

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void futex(_Atomic uint32_t *word, int operation, uint32_t value) {
  syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

// Sequentially consistent on purpose: either this thread sees `sleeping`, or the sleeper sees the
// value.
static void advance(counter *c) {
  atomic_fetch_add(&c->value, 1);
  if (atomic_load(&c->sleeping)) futex(&c->value, FUTEX_WAKE, 1);
}

static void wait_beyond(counter *c, uint32_t seen) {
  for (int i = 0; i < SPIN_ROUNDS; i++) {
    if (atomic_load_explicit(&c->value, memory_order_acquire) != seen) return;
    relax();
  }
  atomic_store(&c->sleeping, 1);
  while (atomic_load(&c->value) == seen) futex(&c->value, FUTEX_WAIT, seen);
  atomic_store(&c->sleeping, 0);
}

static void pin_to(int32_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET((size_t)cpu, &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static bool claim(task *t, uint32_t as) {
  uint32_t posted = POSTED;
  return atomic_compare_exchange_strong(&t->state, &posted, as);
}

// A task without a function tells the worker to end.
static void *work(void *argument) {
  worker *w = argument;
  if (w->cpu >= 0) pin_to(w->cpu);
  for (uint32_t next = 0;; next++) {
    wait_beyond(&w->posted, next);
    task *t = &w->ring[next % RING_SIZE];
    if (claim(t, BEGUN)) {
      if (!t->run) return NULL;
      t->run(t->argument, t->part);
    }
    advance(&w->done);
  }
}

static uint32_t num_posted(worker *w) {
  return atomic_load_explicit(&w->posted.value, memory_order_relaxed);
}

static bool has_room(worker *w) { return num_posted(w) - atomic_load(&w->done.value) < RING_SIZE; }

static task *post(worker *w, dlrt_task_fn run, void *argument, int32_t part) {
  task *t = &w->ring[num_posted(w) % RING_SIZE];
  t->run = run;
  t->argument = argument;
  t->part = part;
  atomic_store(&t->state, POSTED);
  advance(&w->posted);
  return t;
}

static int32_t nth_cpu(int32_t n) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set)) return -1;
  int32_t count = CPU_COUNT(&set);
  for (int32_t cpu = 0, seen = 0; count > 0 && cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET((size_t)cpu, &set) && seen++ == n % count) return cpu;
  return -1;
}

int32_t dlrt_cpu_count(void) {
  cpu_set_t set;
  if (!sched_getaffinity(0, sizeof(set), &set)) return CPU_COUNT(&set);
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (int32_t)online : 1;
}

dlrt_pool *dlrt_pool_create(int32_t threads, bool pin) {
  dlrt_pool *pool = calloc(1, sizeof(*pool));
  if (!pool) return NULL;
  size_t bytes = (size_t)threads * sizeof(worker);
  pool->workers = aligned_alloc(CACHE_LINE, bytes);
  if (!pool->workers) {
    free(pool);
    return NULL;
  }
  while (pool->num_workers < threads - 1) {
    worker *w = &pool->workers[pool->num_workers];
    *w = (worker){.cpu = pin ? nth_cpu(pool->num_workers + 1) : -1};
    int error = pthread_create(&w->thread, NULL, work, w);
    if (error) {
      dlrt_pool_destroy(pool);
      errno = error;
      return NULL;
    }
    pool->num_workers++;
  }
  return pool;
}

void dlrt_pool_destroy(dlrt_pool *pool) {
  if (!pool) return;
  for (int32_t i = 0; i < pool->num_workers; i++) {
    worker *w = &pool->workers[i];
    if (!has_room(w)) wait_beyond(&w->done, num_posted(w) - RING_SIZE);
    post(w, NULL, NULL, 0);
  }
  for (int32_t i = 0; i < pool->num_workers; i++) pthread_join(pool->workers[i].thread, NULL);
  free(pool->workers);
  free(pool);
}

int32_t dlrt_pool_threads(const dlrt_pool *pool) { return pool->num_workers + 1; }

// The last task posted to a worker is withdrawn, or has been begun and is waited for.
static void finish(worker *w) {
  uint32_t last = num_posted(w) - 1;
  if (claim(&w->ring[last % RING_SIZE], WITHDRAWN)) return;
  for (;;) {
    uint32_t done = atomic_load(&w->done.value);
    if ((int32_t)(done - last) > 0) return;
    wait_beyond(&w->done, done);
  }
}

void dlrt_pool_run(dlrt_pool *pool, int32_t parts, dlrt_task_fn run, void *argument) {
  for (int32_t i = 1; i < parts; i++) {
    worker *w = &pool->workers[i - 1];
    w->called = has_room(w);
    if (w->called) post(w, run, argument, i);
  }
  run(argument, 0);
  for (int32_t i = 1; i < parts; i++)
    if (pool->workers[i - 1].called) finish(&pool->workers[i - 1]);
}
