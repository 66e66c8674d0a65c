#include "targets/runtime/pool.h"

#include <stdatomic.h>
#include <unistd.h>

#include "check.h"
#include "targets/runtime/shares.h"

enum { THREADS = 4, RUNS = 400, COUNT = 1000 };

typedef struct work {
  dlrt_share shares[THREADS];
  int32_t parts;
  int32_t times[COUNT];   // how often each index was taken
  int64_t values[COUNT];  // what the last run left there
  int64_t add;
  _Atomic int32_t helpers;  // parts other than 0 that were run
} work;

static void take_all(void *argument, int32_t part) {
  work *w = argument;
  if (part) atomic_fetch_add(&w->helpers, 1);
  uint32_t begin, end;
  while (dlrt_shares_take(w->shares, w->parts, part, &begin, &end))
    for (uint32_t i = begin; i < end; i++) {
      w->times[i]++;
      w->values[i] += w->add;
    }
}

static void run(dlrt_pool *pool, work *w, int32_t parts, uint32_t count) {
  w->parts = parts;
  dlrt_shares_fill(w->shares, parts, count);
  dlrt_pool_run(pool, parts, take_all, w);
}

static void takes_everything_once(dlrt_pool *pool) {
  static work w;
  memset(&w, 0, sizeof(w));
  int32_t expected[COUNT] = {0};
  for (int n = 0; n < RUNS; n++) {
    uint32_t count = (uint32_t)(n * 37 % (COUNT + 1));
    run(pool, &w, 1 + n % THREADS, count);
    for (uint32_t i = 0; i < count; i++) expected[i]++;
  }
  CHECK(!memcmp(expected, w.times, sizeof(expected)));
}

// What the parts wrote is visible to the caller, and what the caller wrote to the parts.
static void publishes_writes(dlrt_pool *pool) {
  static work w;
  memset(&w, 0, sizeof(w));
  for (int n = 1; n <= RUNS; n++) {
    w.add = n;
    run(pool, &w, THREADS, COUNT);
    for (int i = 0; i < COUNT; i++) CHECK(w.values[i] == n * (n + 1) / 2);
  }
}

// A caller that takes its time leaves some to workers that slept.
static void start_late(void *argument, int32_t part) {
  work *w = argument;
  for (int i = 0; part == 0 && !atomic_load(&w->helpers) && i < 2000; i++) usleep(1000);
  take_all(argument, part);
}

static void wakes_sleeping_workers(dlrt_pool *pool) {
  static work w;
  memset(&w, 0, sizeof(w));
  for (int n = 0; n < 5; n++) {
    usleep(20000);
    atomic_store(&w.helpers, 0);
    w.parts = THREADS;
    dlrt_shares_fill(w.shares, THREADS, COUNT);
    dlrt_pool_run(pool, THREADS, start_late, &w);
    CHECK(atomic_load(&w.helpers) > 0);
  }
  for (int i = 0; i < COUNT; i++) CHECK(w.times[i] == 5);
}

// A worker that stays in a task of the run before would be waited for; one that has not begun is
// not, however many runs it is behind.
static void nothing(void *argument, int32_t part) {
  (void)argument;
  (void)part;
}

static void outruns_its_workers(dlrt_pool *pool) {
  for (int n = 0; n < 10000; n++) dlrt_pool_run(pool, THREADS, nothing, NULL);
}

static void shares_end_with_their_range(void) {
  dlrt_share shares[3];
  uint32_t begin, end, taken = 0;
  dlrt_shares_fill(shares, 3, 8);
  CHECK(dlrt_shares_take(shares, 3, 1, &begin, &end) && begin == 2 && end == 3);
  for (taken = 1; dlrt_shares_take(shares, 3, 2, &begin, &end); taken += end - begin)
    CHECK(begin < end && end <= 8);
  CHECK(taken == 8);
  dlrt_shares_fill(shares, 3, 0);
  CHECK(!dlrt_shares_take(shares, 3, 0, &begin, &end));
}

int main(void) {
  shares_end_with_their_range();
  for (int pin = 0; pin < 2; pin++) {
    dlrt_pool *pool = dlrt_pool_create(THREADS, pin);
    CHECK(pool && dlrt_pool_threads(pool) == THREADS);
    takes_everything_once(pool);
    publishes_writes(pool);
    wakes_sleeping_workers(pool);
    outruns_its_workers(pool);
    dlrt_pool_destroy(pool);
  }
  dlrt_pool_destroy(dlrt_pool_create(1, false));
  CHECK(dlrt_cpu_count() >= 1);
  puts("pool: ok");
}
