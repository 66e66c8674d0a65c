#include "tools/dlrun/roof.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "ir/base.h"

// Twelve chains of multiply-adds: enough to fill two units with a latency of up to six cycles, few
// enough for sixteen registers. The sum keeps them alive.
enum { CHAINS = 12, STEPS = 200000, REPEATS = 40 };

// Bytes to read per measurement at least, and how often.
enum { READ_BYTES = 1 << 23, READ_REPEATS = 8 };

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

// The sum of `count` vectors of 16 floats, added in eight chains. Without reassociation by the
// compiler, so the reads cannot be left out.
typedef float line __attribute__((vector_size(64), aligned(64)));

#define READ_BODY                                               \
  line sums[8] = {{0}};                                         \
  for (size_t i = 0; i + 8 <= count; i += 8)                    \
    for (int k = 0; k < 8; k++) sums[k] += data[i + (size_t)k]; \
  line sum = {0};                                               \
  for (int k = 0; k < 8; k++) sum += sums[k];                   \
  return sum[0]

#ifdef __x86_64__
__attribute__((target("avx512f"))) static float read_avx512(const line *data, size_t count) {
  READ_BODY;
}

__attribute__((target("avx2"))) static float read_avx2(const line *data, size_t count) {
  READ_BODY;
}
#endif

static float read_baseline(const line *data, size_t count) { READ_BODY; }

typedef struct variant {
  float (*run)(float seed);
  int lanes;
  float (*read)(const line *data, size_t count);
} variant;

static variant choose_variant(void) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) return (variant){run_avx512, 16, read_avx512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return (variant){run_avx2, 8, read_avx2};
#endif
  return (variant){run_baseline, 4, read_baseline};
}

// What a thread measures: multiply-adds without `data`, else reading that.
typedef struct measurement {
  variant chosen;
  const line *data;
  size_t lines;
  double rate;  // G(FL)OP or GB per second
} measurement;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// The best of some short runs: what disturbs them only makes them slower.
static void *measure_flops(void *user) {
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
  m->rate = 2.0 * CHAINS * STEPS * m->chosen.lanes / best * 1e-9;
  return NULL;
}

static void *measure_reading(void *user) {
  measurement *m = user;
  volatile float sink;
  double bytes = (double)m->lines * sizeof(line), best = 1e9;
  int rounds = bytes < READ_BYTES ? (int)(READ_BYTES / bytes) : 1;
  for (int i = 0; i < READ_REPEATS; i++) {
    double begin = now();
    for (int k = 0; k < rounds; k++) sink = m->chosen.read(m->data, m->lines);
    double taken = (now() - begin) / rounds;
    if (taken < best) best = taken;
  }
  (void)sink;
  m->rate = bytes / best * 1e-9;
  return NULL;
}

// The sum of what the threads reach at the same time.
static double measure_all(int threads, measurement *all, void *(*measure)(void *)) {
  pthread_t *others = dl_calloc((size_t)threads, sizeof(*others));
  int started = 0;
  for (int i = 1; i < threads; i++, started++)
    if (pthread_create(&others[i], NULL, measure, &all[i])) break;
  measure(&all[0]);
  double sum = all[0].rate;
  for (int i = 1; i <= started; i++) {
    pthread_join(others[i], NULL);
    sum += all[i].rate;
  }
  free(others);
  return sum;
}

roof roof_measure(int threads) {
  static const int64_t sizes[ROOF_SIZES] = {1 << 15, 1 << 18, 1 << 20, 1 << 23, 1 << 25, 1 << 27};
  measurement *all = dl_calloc((size_t)threads, sizeof(*all));
  size_t most = (size_t)sizes[ROOF_SIZES - 1];
  line *data = aligned_alloc(sizeof(line), most);
  roof found = {0};
  for (int i = 0; i < threads; i++) all[i].chosen = choose_variant();
  found.gflops = measure_all(threads, all, measure_flops);
  if (data) memset(data, 0, most);
  for (size_t size = 0; size < ROOF_SIZES && data; size++) {
    size_t lines = (size_t)sizes[size] / sizeof(line) / (size_t)threads & ~(size_t)7;
    if (lines == 0) lines = 8;
    for (int i = 0; i < threads; i++) {
      all[i].data = data + (size_t)i * lines;
      all[i].lines = lines;
    }
    found.bytes[size] = sizes[size];
    found.gbytes[size] = measure_all(threads, all, measure_reading);
  }
  free(data);
  free(all);
  return found;
}

double roof_bandwidth(const roof *roof, double bytes) {
  size_t i = 0;
  while (i + 1 < ROOF_SIZES && bytes > (double)roof->bytes[i]) i++;
  return roof->gbytes[i];
}
