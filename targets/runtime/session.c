#include "targets/runtime/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "targets/runtime/cpu.h"
#include "targets/runtime/device.h"
#include "targets/runtime/weights.h"

_Static_assert(offsetof(dlir_session, run) == 0, "compiled code hands back &session->run");

dlir_status dlrt_fail(dlir_session *s, dlir_status status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(s->error, sizeof(s->error), format, args);
  va_end(args);
  return status;
}

const char *dlrt_last_error(const dlir_session *s) { return s ? s->error : "out of memory"; }

const dlrt_program *dlrt_program_of(const dlir_model *model) { return model->program; }

size_t dlrt_num_dynamic(size_t count, const dlir_value_info *values) {
  size_t dynamic = 0;
  for (size_t i = 0; i < count; i++)
    for (int32_t d = 0; d < values[i].rank; d++) dynamic += values[i].shape[d] < 0;
  return dynamic;
}

// --- opening and closing ---

static dlir_status out_of_memory(dlir_session *s) {
  return dlrt_fail(s, DLIR_OUT_OF_MEMORY, "out of memory");
}

static dlir_status allocate_results(dlir_session *s) {
  const dlir_model *m = s->model;
  for (size_t i = 0; i < m->num_outputs; i++) {
    const dlir_value_info *info = &m->outputs[i];
    s->shapes[i] = calloc((size_t)info->rank + 1, sizeof(int64_t));
    if (!s->shapes[i]) return out_of_memory(s);
    s->results[i] = (DLTensor){
        .device = {kDLCPU, 0}, .ndim = info->rank, .dtype = info->dtype, .shape = s->shapes[i]};
  }
  return DLIR_OK;
}

static dlir_status allocate(dlir_session *s) {
  const dlir_model *m = s->model;
  s->copies = calloc(m->num_inputs + 1, sizeof(*s->copies));
  s->inputs = calloc(m->num_inputs + 1, sizeof(*s->inputs));
  s->outputs = calloc(m->num_outputs + 1, sizeof(*s->outputs));
  s->results = calloc(m->num_outputs + 1, sizeof(*s->results));
  s->shapes = calloc(m->num_outputs + 1, sizeof(*s->shapes));
  s->dims = calloc(dlrt_num_dynamic(m->num_inputs, m->inputs) + 1, sizeof(int64_t));
  s->output_dims = calloc(dlrt_num_dynamic(m->num_outputs, m->outputs) + 1, sizeof(int64_t));
  if (!s->copies || !s->inputs || !s->outputs || !s->results || !s->shapes || !s->dims ||
      !s->output_dims)
    return out_of_memory(s);
  return allocate_results(s);
}

static dlir_status allocate_profile(dlir_session *s) {
  s->profile = calloc(s->program->num_launches + 1, sizeof(*s->profile));
  if (!s->profile) return out_of_memory(s);
  for (size_t i = 0; i < s->program->num_launches; i++) {
    const dlrt_launch_info *info = &s->program->launches[i];
    s->profile[i] = (dlir_profile_entry){.label = info->label,
                                         .kernel = info->kernel,
                                         .device = s->device ? dlrt_device_name(s) : "cpu"};
  }
  return DLIR_OK;
}

static dlir_status allocate_shares(dlir_session *s) {
  if (s->threads == 1) return DLIR_OK;
  s->shares = aligned_alloc(_Alignof(dlrt_share), (size_t)s->threads * sizeof(dlrt_share));
  return s->shares ? DLIR_OK : out_of_memory(s);
}

static dlir_status start_threads(dlir_session *s, const dlir_open_options *options) {
  if (options->pool) {
    s->host = *options->pool;
    s->threads = s->host.threads;
    if (s->threads < 1 || !s->host.parallel)
      return dlrt_fail(s, DLIR_INVALID_ARGUMENT, "the host's pool offers no threads");
    return DLIR_OK;
  }
  if (options->threads < 0)
    return dlrt_fail(s, DLIR_INVALID_ARGUMENT, "%d threads were asked for", (int)options->threads);
  s->threads = options->threads ? options->threads : dlrt_cpu_count();
  if (s->threads == 1) return DLIR_OK;
  s->pool = dlrt_pool_create(s->threads, options->flags & DLIR_OPEN_PIN);
  if (!s->pool)
    return dlrt_fail(s, DLIR_SYSTEM_ERROR, "cannot start %d threads: %s", (int)s->threads,
                     strerror(errno));
  return DLIR_OK;
}

static dlir_status set_up(dlir_session *s, const dlir_open_options *options) {
  char missing[64];
  if (s->program->version != DLRT_PROGRAM_VERSION)
    return dlrt_fail(s, DLIR_UNSUPPORTED, "compiled for another version of the runtime");
  if (!dlrt_cpu_has(s->program->features, missing, sizeof(missing)))
    return dlrt_fail(s, DLIR_UNSUPPORTED_CPU,
                     "the model was compiled for a processor with '%s', which this one lacks",
                     missing);
  dlir_status status = allocate(s);
  if (!status) status = dlrt_weights_open(s);
  s->profiling = options->flags & DLIR_OPEN_PROFILE;
  if (!status && s->program->device) status = dlrt_device_open(s);
  if (!status && s->profiling) status = allocate_profile(s);
  if (!status && !s->device) status = start_threads(s, options);
  return status || s->device ? status : allocate_shares(s);
}

dlir_status dlrt_open(const dlir_model *model, const dlir_open_options *given,
                      dlir_session **session) {
  dlir_open_options options = {.size = sizeof(options)};
  if (given) memcpy(&options, given, given->size < sizeof(options) ? given->size : sizeof(options));
  *session = calloc(1, sizeof(**session));
  if (!*session) return DLIR_OUT_OF_MEMORY;
  (*session)->model = model;
  (*session)->program = dlrt_program_of(model);
  return set_up(*session, &options);
}

void dlrt_close(dlir_session *s) {
  if (!s) return;
  dlrt_device_close(s);
  dlrt_weights_close(s);
  dlrt_pool_destroy(s->pool);
  free(s->shares);
  dlrt_block_free(&s->arena);
  dlrt_bump_free(&s->bump);
  for (size_t i = 0; s->copies && i < s->model->num_inputs; i++) dlrt_block_free(&s->copies[i]);
  for (size_t i = 0; s->shapes && i < s->model->num_outputs; i++) free(s->shapes[i]);
  free(s->copies);
  free(s->inputs);
  free(s->outputs);
  free(s->results);
  free(s->shapes);
  free(s->dims);
  free(s->output_dims);
  free(s->profile);
  free(s);
}

// --- running ---

static dlir_status bind(dlir_session *s, size_t num_inputs, const dlir_value *inputs,
                        size_t num_outputs, bool with_data) {
  s->error[0] = 0;
  if (num_outputs != s->model->num_outputs)
    return dlrt_fail(s, DLIR_INVALID_ARGUMENT, "expected room for %zu outputs, got %zu",
                     s->model->num_outputs, num_outputs);
  return dlrt_bind_inputs(s, num_inputs, inputs, with_data);
}

// `data`: one pointer per output, or NULL when only the shapes are known.
static void publish(dlir_session *s, void *const *data, dlir_value *outputs) {
  const int64_t *next = s->output_dims;
  for (size_t i = 0; i < s->model->num_outputs; i++) {
    const dlir_value_info *info = &s->model->outputs[i];
    for (int32_t d = 0; d < info->rank; d++)
      s->shapes[i][d] = info->shape[d] >= 0 ? info->shape[d] : *next++;
    s->results[i].data = data ? data[i] : NULL;
    outputs[i] = (dlir_value){.kind = DLIR_TENSOR, .u.tensor = &s->results[i]};
  }
}

dlir_status dlrt_run_model(dlir_session *s, size_t num_inputs, const dlir_value *inputs,
                           size_t num_outputs, dlir_value *outputs) {
  dlir_status status = bind(s, num_inputs, inputs, num_outputs, true);
  if (status) return status;
  dlrt_bump_reset(&s->bump);
  if (setjmp(s->stop)) return s->stopped;
  if (s->device) dlrt_device_begin(s);
  s->program->main(&s->run, s->inputs, s->dims, s->outputs, s->output_dims);
  publish(s, s->outputs, outputs);
  if (s->device) dlrt_device_end(s);
  return DLIR_OK;
}

dlir_status dlrt_infer_shapes(dlir_session *s, size_t num_inputs, const dlir_value *inputs,
                              size_t num_outputs, dlir_value *outputs) {
  dlir_status status = bind(s, num_inputs, inputs, num_outputs, false);
  if (status) return status;
  if (!s->program->shapes)
    return dlrt_fail(s, DLIR_UNSUPPORTED, "the shapes depend on the inputs' elements");
  s->program->shapes(s->dims, s->output_dims);
  publish(s, NULL, outputs);
  return DLIR_OK;
}

size_t dlrt_profile(dlir_session *s, const dlir_profile_entry **entries) {
  *entries = s->profile;
  return s->profiling ? s->program->num_launches : 0;
}

// --- what compiled main functions call ---

dlir_session *dlrt_session_of(dlrt_run *run) { return (dlir_session *)run; }

void dlrt_stop(dlir_session *s, dlir_status status) {
  s->stopped = status;
  longjmp(s->stop, 1);
}

static void *give(dlir_session *s, void *memory) {
  if (!memory) dlrt_stop(s, out_of_memory(s));
  return memory;
}

void *dlrt_arena(dlrt_run *run, int64_t bytes) {
  dlir_session *s = dlrt_session_of(run);
  void *arena = give(s, dlrt_block_reserve(&s->arena, (size_t)bytes));
  if (s->device) dlrt_device_map_arena(s);
  return arena;
}

void *dlrt_alloc(dlrt_run *run, int64_t bytes) {
  dlir_session *s = dlrt_session_of(run);
  void *buffer = give(s, dlrt_bump_alloc(&s->bump, (size_t)bytes));
  if (s->device) dlrt_device_map_chunk(s);
  return buffer;
}

typedef struct launch_work {
  dlrt_kernel_fn kernel;
  const uint64_t *slots;
  dlrt_share *shares;
  int32_t parts;
  int64_t grid, unit;  // shares count units of so many indices
} launch_work;

static void launch_part(void *argument, int32_t part) {
  const launch_work *work = argument;
  uint32_t begin, end;
  while (dlrt_shares_take(work->shares, work->parts, part, &begin, &end)) {
    int64_t to = end * work->unit;
    work->kernel(work->slots, begin * work->unit, to < work->grid ? to : work->grid);
  }
}

static void launch(dlir_session *s, dlrt_kernel_fn kernel, const uint64_t *slots, int64_t grid) {
  int32_t parts = grid < s->threads ? (int32_t)grid : s->threads;
  if (parts == 1) {
    kernel(slots, 0, grid);
    return;
  }
  launch_work work = {kernel, slots, s->shares, parts, grid, grid / UINT32_MAX + 1};
  dlrt_shares_fill(s->shares, parts, (uint32_t)((grid + work.unit - 1) / work.unit));
  if (s->host.parallel)
    s->host.parallel(s->host.user, parts, launch_part, &work);
  else
    dlrt_pool_run(s->pool, parts, launch_part, &work);
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// The device says itself how long a kernel ran.
static void run_launch(dlir_session *s, int64_t index, dlrt_kernel_fn kernel, const uint64_t *slots,
                       int64_t grid, uint64_t *nanoseconds) {
  if (s->device) {
    dlrt_device_run(s, (uint64_t)index, slots, nanoseconds);
    return;
  }
  uint64_t start = nanoseconds ? now() : 0;
  launch(s, kernel, slots, grid);
  if (nanoseconds) *nanoseconds = now() - start;
}

static void count(dlir_session *s, int64_t index, const uint64_t *slots, uint64_t nanoseconds) {
  const dlrt_launch_info *info = &s->program->launches[index];
  double times = 1;
  for (uint64_t i = 0; i < info->num_factors; i++) times *= (double)slots[info->factors[i]];
  dlir_profile_entry *entry = &s->profile[index];
  entry->calls++;
  entry->nanoseconds += nanoseconds;
  entry->flops += times * info->flops;
  entry->bytes += info->bytes;
}

void dlrt_launch(dlrt_run *run, int64_t index, dlrt_kernel_fn kernel, const uint64_t *slots,
                 int64_t grid) {
  dlir_session *s = dlrt_session_of(run);
  if (grid <= 0) return;
  if (!s->profiling) {
    run_launch(s, index, kernel, slots, grid, NULL);
    return;
  }
  uint64_t nanoseconds;
  run_launch(s, index, kernel, slots, grid, &nanoseconds);
  count(s, index, slots, nanoseconds);
}
