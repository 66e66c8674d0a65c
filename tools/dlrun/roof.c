#include "tools/dlrun/roof.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "ir/base.h"

// Twelve chains of multiply-adds: enough to fill two units with a latency of up to six cycles, few
// enough for sixteen registers. The sum keeps them alive.
enum { CHAINS = 12, STEPS = 200000, REPEATS = 40 };

#define EACH(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define DECLARE(i) vector x##i = start + (float)i;
#define STEP(i) x##i = MULTIPLY_ADD(x##i, factor, start);
#define ADD(i) sum += x##i;

#define CHAIN_BODY                           \
  vector start = (vector){0} + seed;         \
  vector factor = (vector){0} + 0.5f * seed; \
  EACH(DECLARE)                              \
  for (int i = 0; i < STEPS; i++) {          \
    EACH(STEP)                               \
  }                                          \
  vector sum = {0};                          \
  EACH(ADD)                                  \
  return sum[0]

#ifdef __x86_64__
__attribute__((target("avx512f"))) static float run_avx512(float seed) {
  typedef __m512 vector;
#define MULTIPLY_ADD(a, b, c) _mm512_fmadd_ps(a, b, c)
  CHAIN_BODY;
#undef MULTIPLY_ADD
}

__attribute__((target("avx2,fma"))) static float run_avx2(float seed) {
  typedef __m256 vector;
#define MULTIPLY_ADD(a, b, c) _mm256_fmadd_ps(a, b, c)
  CHAIN_BODY;
#undef MULTIPLY_ADD
}
#endif

#ifdef __aarch64__
#include <arm_neon.h>
#define MULTIPLY_ADD(a, b, c) vfmaq_f32(c, a, b)
#else
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#endif
static float run_baseline(float seed) {
  typedef float vector __attribute__((vector_size(16)));
  CHAIN_BODY;
}

typedef struct variant {
  float (*run)(float seed);
  int lanes;
} variant;

static variant choose_variant(void) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) return (variant){run_avx512, 16};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return (variant){run_avx2, 8};
#endif
  return (variant){run_baseline, 4};
}

typedef struct measurement {
  variant chosen;
  double gflops;
} measurement;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// The best of some short runs: what disturbs them only makes them slower.
static void *measure_thread(void *user) {
  measurement *m = user;
  volatile float seed = 1, sink;
  double best = 1e9;
  for (int i = 0; i < REPEATS; i++) {
    double begin = now();
    sink = m->chosen.run(seed);
    double taken = now() - begin;
    if (taken < best) best = taken;
  }
  (void)sink;
  m->gflops = 2.0 * CHAINS * STEPS * m->chosen.lanes / best * 1e-9;
  return NULL;
}

double roof_measure(int threads) {
  measurement *all = dl_calloc((size_t)threads, sizeof(*all));
  pthread_t *others = dl_calloc((size_t)threads, sizeof(*others));
  int started = 0;
  for (int i = 0; i < threads; i++) all[i].chosen = choose_variant();
  for (int i = 1; i < threads; i++, started++)
    if (pthread_create(&others[i], NULL, measure_thread, &all[i])) break;
  measure_thread(&all[0]);
  double sum = all[0].gflops;
  for (int i = 1; i <= started; i++) {
    pthread_join(others[i], NULL);
    sum += all[i].gflops;
  }
  free(others);
  free(all);
  return sum;
}
