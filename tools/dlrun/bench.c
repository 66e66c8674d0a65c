#include "tools/dlrun/bench.h"

#include <stdio.h>
#include <time.h>

#include "ir/base.h"

enum { LEAST_RUNS = 3 };

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int compare_times(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t count, double q) {
  double position = q * (double)(count - 1);
  size_t below = (size_t)position, above = below + 1 < count ? below + 1 : below;
  return sorted[below] + (position - (double)below) * (sorted[above] - sorted[below]);
}

static void summarize(double *times, size_t count, bench_times *out) {
  qsort(times, count, sizeof(*times), compare_times);
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += times[i];
  *out = (bench_times){.median = quantile(times, count, 0.5),
                       .min = times[0],
                       .p90 = quantile(times, count, 0.9),
                       .mean = sum / (double)count,
                       .runs = (int)count};
}

bool bench_measure(double seconds, bool (*run)(void *user), void *user, bench_times *times) {
  for (int i = 0; i < BENCH_WARM_UP_RUNS; i++)
    if (!run(user)) return false;
  DL_VEC(double) taken = {0};
  double begin = now_ms(), before = begin;
  bool ok = true;
  while (ok && (taken.len < LEAST_RUNS || before - begin < seconds * 1e3)) {
    ok = run(user);
    double after = now_ms();
    DL_PUSH(&taken, after - before);
    before = after;
  }
  if (ok) summarize(taken.data, taken.len, times);
  DL_VEC_FREE(&taken);
  return ok;
}

// --- profiles ---

typedef struct row {
  const dlir_profile_entry *entry;
  double ms, share;       // per run
  double gflops, gbytes;  // per second; 0 when unknown
  double roof_share;      // of the CPU's compute or bandwidth, whichever binds; 0 when unknown
  bool memory_binds;
} row;

static int compare_rows(const void *a, const void *b) {
  double x = ((const row *)a)->ms, y = ((const row *)b)->ms;
  return (x < y) - (x > y);
}

// The part of its time that a launch would need if it only computed, or only read and wrote its
// bytes, at the roof.
static void compare_with_roof(const roof *roof, row *r) {
  const dlir_profile_entry *entry = r->entry;
  if (strcmp(entry->device, "cpu") != 0 || entry->calls == 0) return;
  double bandwidth = roof_bandwidth(roof, entry->bytes / (double)entry->calls);
  double compute = r->gflops / roof->gflops;
  double memory = bandwidth > 0 ? r->gbytes / bandwidth : 0;
  r->memory_binds = memory > compute;
  r->roof_share = r->memory_binds ? memory : compute;
}

static row *make_rows(const bench_profile *p, double *total) {
  row *rows = dl_calloc(p->count + 1, sizeof(*rows));
  *total = 0;
  for (size_t i = 0; i < p->count; i++) {
    const dlir_profile_entry *entry = &p->entries[i];
    double nanoseconds = (double)entry->nanoseconds;
    rows[i] = (row){.entry = entry, .ms = nanoseconds * 1e-6 / p->runs};
    rows[i].gflops = nanoseconds > 0 ? entry->flops / nanoseconds : 0;
    rows[i].gbytes = nanoseconds > 0 ? entry->bytes / nanoseconds : 0;
    compare_with_roof(&p->roof, &rows[i]);
    *total += rows[i].ms;
  }
  for (size_t i = 0; i < p->count; i++) rows[i].share = *total > 0 ? rows[i].ms / *total : 0;
  return rows;
}

// "12.5 ms", below a millisecond "96.1 µs"
typedef struct time_buffer {
  char text[32];
} time_buffer;

static const char *time_text(double ms, time_buffer *out) {
  bool small = ms < 1;
  snprintf(out->text, sizeof(out->text), "%.4g %s", small ? ms * 1e3 : ms, small ? "µs" : "ms");
  return out->text;
}

static void print_time_column(double ms) {
  if (ms < 1)
    printf("%8.2f µs", ms * 1e3);
  else
    printf("%8.3f ms", ms);
}

void bench_print_times(const bench_times *times, int threads) {
  time_buffer median, min, p90;
  printf("median %s, min %s, p90 %s, %d runs on %d thread%s\n", time_text(times->median, &median),
         time_text(times->min, &min), time_text(times->p90, &p90), times->runs, threads,
         threads == 1 ? "" : "s");
}

static void print_roof(const roof *roof, int threads) {
  printf("roof of %d thread%s, measured: C %.1f GFLOP/s (f32 multiply-adds in registers),\n",
         threads, threads == 1 ? "" : "s", roof->gflops);
  printf("M GB/s by working set:");
  for (size_t i = 0; i < ROOF_SIZES; i++) {
    bool large = roof->bytes[i] >= 1 << 20;
    printf("%s %.0f (%lld %s)", i ? "," : "", roof->gbytes[i],
           (long long)(roof->bytes[i] >> (large ? 20 : 10)), large ? "MiB" : "KiB");
  }
  printf("\n");
}

void bench_print_profile(const bench_profile *p, int threads) {
  double total;
  row *rows = make_rows(p, &total);
  qsort(rows, p->count, sizeof(*rows), compare_rows);
  print_roof(&p->roof, threads);
  printf("%11s %7s %9s %7s %8s  %s\n", "time", "share", "GFLOP/s", "GB/s", "roof",
         "layer (kernel) on device");
  for (size_t i = 0; i < p->count; i++) {
    char rate[16] = "-", bytes[16] = "-", part[16] = "-";
    if (rows[i].gflops > 0) snprintf(rate, sizeof(rate), "%.1f", rows[i].gflops);
    if (rows[i].gbytes > 0) snprintf(bytes, sizeof(bytes), "%.1f", rows[i].gbytes);
    if (rows[i].roof_share > 0)
      snprintf(part, sizeof(part), "%.1f%% %c", rows[i].roof_share * 100,
               rows[i].memory_binds ? 'M' : 'C');
    print_time_column(rows[i].ms);
    printf(" %6.1f%% %9s %7s %8s  %s (%s) on %s\n", rows[i].share * 100, rate, bytes, part,
           rows[i].entry->label, rows[i].entry->kernel, rows[i].entry->device);
  }
  print_time_column(total);
  printf("         total of %zu launch%s per run\n", p->count, p->count == 1 ? "" : "es");
  free(rows);
}

// --- JSON ---

static void print_string(const char *text) {
  putchar('"');
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c == '"' || *c == '\\')
      printf("\\%c", *c);
    else if (*c < 0x20)
      printf("\\u%04x", *c);
    else
      putchar(*c);
  }
  putchar('"');
}

static void print_layers(const bench_profile *p) {
  double total;
  row *rows = make_rows(p, &total);
  printf("\"profiled_ms\": %.6g, \"roof_gflops\": %.6g, \"roof_gbytes\": {", total, p->roof.gflops);
  for (size_t i = 0; i < ROOF_SIZES; i++)
    printf("%s\"%lld\": %.6g", i ? ", " : "", (long long)p->roof.bytes[i], p->roof.gbytes[i]);
  printf("}, \"layers\": [");
  for (size_t i = 0; i < p->count; i++) {
    printf("%s{\"layer\": ", i ? ", " : "");
    print_string(rows[i].entry->label);
    printf(", \"kernel\": ");
    print_string(rows[i].entry->kernel);
    printf(", \"device\": ");
    print_string(rows[i].entry->device);
    printf(", \"ms\": %.6g, \"share\": %.4g", rows[i].ms, rows[i].share);
    if (rows[i].gflops > 0) printf(", \"gflops\": %.6g", rows[i].gflops);
    if (rows[i].gbytes > 0) printf(", \"gbytes\": %.6g", rows[i].gbytes);
    if (rows[i].roof_share > 0)
      printf(", \"roof_share\": %.4g, \"bound\": \"%s\"", rows[i].roof_share,
             rows[i].memory_binds ? "memory" : "compute");
    printf("}");
  }
  printf("]");
  free(rows);
}

void bench_print_json(const bench_times *times, int threads, const bench_profile *profile) {
  printf("{");
  if (times)
    printf(
        "\"median_ms\": %.6g, \"min_ms\": %.6g, \"p90_ms\": %.6g, \"mean_ms\": %.6g, "
        "\"runs\": %d, ",
        times->median, times->min, times->p90, times->mean, times->runs);
  printf("\"threads\": %d", threads);
  if (profile) {
    printf(", ");
    print_layers(profile);
  }
  printf("}\n");
}
