#include "targets/runtime/pool.h"

#include <unistd.h>

#include "check.h"

enum { THREADS = 4, RUNS = 400 };

typedef struct tally {
  int64_t calls[THREADS];
  int64_t total;
} tally;

static void count(void *argument, int32_t part) {
  tally *t = argument;
  t->calls[part]++;
}

static void runs_each_part_once(dlrt_pool *pool) {
  tally t = {0};
  for (int run = 0; run < RUNS; run++) dlrt_pool_run(pool, 1 + run % THREADS, count, &t);
  for (int part = 0; part < THREADS; part++)
    CHECK(t.calls[part] == RUNS / THREADS * (THREADS - part));
}

// What the parts wrote is visible to the caller, and what the caller wrote to the parts.
static void hand_on(void *argument, int32_t part) {
  tally *t = argument;
  t->calls[part] = t->total + part;
}

static void publishes_writes(dlrt_pool *pool) {
  tally t = {0};
  for (int run = 0; run < RUNS; run++) {
    dlrt_pool_run(pool, THREADS, hand_on, &t);
    int64_t before = t.total;
    for (int part = 0; part < THREADS; part++) CHECK(t.calls[part] == before + part);
    t.total = t.calls[THREADS - 1];
  }
}

static void wakes_sleeping_workers(dlrt_pool *pool) {
  tally t = {0};
  for (int run = 0; run < 5; run++) {
    usleep(20000);
    dlrt_pool_run(pool, THREADS, count, &t);
  }
  for (int part = 0; part < THREADS; part++) CHECK(t.calls[part] == 5);
}

int main(void) {
  for (int pin = 0; pin < 2; pin++) {
    dlrt_pool *pool = dlrt_pool_create(THREADS, pin);
    CHECK(pool && dlrt_pool_threads(pool) == THREADS);
    runs_each_part_once(pool);
    publishes_writes(pool);
    wakes_sleeping_workers(pool);
    dlrt_pool_destroy(pool);
  }
  dlrt_pool_destroy(dlrt_pool_create(1, false));
  CHECK(dlrt_cpu_count() >= 1);
  puts("pool: ok");
}
