#define _GNU_SOURCE
#include "ir/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "ir/base.h"

typedef struct job {
  atomic_size_t next;
  size_t items;
  void (*run)(void *user, size_t worker, size_t item);
  void *user;
} job;

typedef struct worker {
  job *job;
  size_t number;
  pthread_t thread;
} worker;

size_t dl_num_threads(unsigned wanted, size_t items) {
  cpu_set_t usable;
  size_t count = wanted;
  if (!count) count = sched_getaffinity(0, sizeof usable, &usable) ? 1 : (size_t)CPU_COUNT(&usable);
  return count < items ? count : items;
}

static void work(job *j, size_t number) {
  for (size_t item; (item = atomic_fetch_add(&j->next, 1)) < j->items;)
    j->run(j->user, number, item);
}

static void *work_in_thread(void *argument) {
  worker *w = argument;
  work(w->job, w->number);
  return NULL;
}

void dl_parallel_for(size_t num_threads, size_t items,
                     void (*run)(void *user, size_t worker, size_t item), void *user) {
  job j = {.items = items, .run = run, .user = user};
  worker *workers = dl_calloc(num_threads + 1, sizeof(*workers));
  size_t started = 1;  // this thread is worker 0
  while (started < num_threads) {
    workers[started] = (worker){.job = &j, .number = started};
    // With fewer threads than wished the others do more.
    if (pthread_create(&workers[started].thread, NULL, work_in_thread, &workers[started])) break;
    started++;
  }
  work(&j, 0);
  for (size_t i = 1; i < started; i++) pthread_join(workers[i].thread, NULL);
  free(workers);
}
