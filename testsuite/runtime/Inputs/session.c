// A model written by hand, as targets/llvm would emit it: y[n, 4] = 2 x[n, 4] by one kernel.
#include <malloc.h>
#include <stdbool.h>
#include <string.h>

#include "check.h"
#include "targets/runtime/cpu.h"
#include "targets/runtime/program.h"

static void twice(const uint64_t *slots, int64_t begin, int64_t end) {
  const float *x = (const float *)slots[0];
  float *y = (float *)slots[1];
  for (int64_t i = begin; i < end; i++)
    for (int64_t j = 0; j < 4; j++) y[4 * i + j] = x[4 * i + j] * 2;
}

static void main_function(dlrt_run *run, void *const *inputs, const int64_t *dims, void **outputs,
                          int64_t *output_dims) {
  char *arena = dlrt_arena(run, 256);
  char *scratch = dlrt_alloc(run, dims[0] * 16);
  float *result = dlrt_alloc(run, dims[0] * 16);
  memcpy(arena, "abc", 4);
  dlrt_launch(run, 0, twice, (uint64_t[]){(uint64_t)inputs[0], (uint64_t)scratch}, dims[0]);
  memcpy(result, scratch, (size_t)dims[0] * 16);
  outputs[0] = result;
  output_dims[0] = dims[0];
}

static void shapes_function(const int64_t *dims, int64_t *output_dims) { output_dims[0] = dims[0]; }

static const dlrt_launch_info launches[] = {{.label = "layer/one", .kernel = "twice", .flops = 4, .bytes = 32}};
static const dlrt_program program = {.version = DLRT_PROGRAM_VERSION,
                                     .features = "",
                                     .main = main_function,
                                     .shapes = shapes_function,
                                     .num_launches = 1,
                                     .launches = launches};
static const dlrt_program foreign = {.version = DLRT_PROGRAM_VERSION,
                                     .features = "+avx,+avx512vp2intersect,+amx-int8,+sse4a",
                                     .main = main_function};
static const dlrt_program sparse = {
    .version = DLRT_PROGRAM_VERSION, .features = "", .main = main_function};

static const int64_t shape[] = {-1, 4};
static const char *const symbols[] = {"N", NULL};
static const dlir_value_info infos[] = {
    {"x", DLIR_TENSOR, {kDLFloat, 32, 1}, 2, shape, symbols},
    {"y", DLIR_TENSOR, {kDLFloat, 32, 1}, 2, shape, symbols},
};

static dlir_model make_model(const dlrt_program *of) {
  return (dlir_model){.size = sizeof(dlir_model),
                      .version = DLIR_MODEL_VERSION,
                      .name = "twice",
                      .num_inputs = 1,
                      .num_outputs = 1,
                      .inputs = &infos[0],
                      .outputs = &infos[1],
                      .program = of,
                      .open = dlrt_open,
                      .run = dlrt_run_model,
                      .infer_shapes = dlrt_infer_shapes,
                      .last_error = dlrt_last_error,
                      .profile = dlrt_profile,
                      .close = dlrt_close};
}

static dlir_value value_of(DLTensor *tensor) {
  return (dlir_value){.kind = DLIR_TENSOR, .u.tensor = tensor};
}

static bool fails_with(dlir_session *s, const dlir_model *m, DLTensor tensor, const char *message) {
  dlir_value input = value_of(&tensor), output;
  if (m->run(s, 1, &input, 1, &output) != DLIR_INVALID_ARGUMENT) return false;
  if (strcmp(m->last_error(s), message)) fprintf(stderr, "got: %s\n", m->last_error(s));
  return strcmp(m->last_error(s), message) == 0;
}

static void refuses_wrong_inputs(dlir_session *s, const dlir_model *m, DLTensor good) {
  DLTensor t = good;
  t.dtype.bits = 64;
  CHECK(fails_with(s, m, t, "input 'x': expected elements of type float32, got float64"));
  t = good;
  t.ndim = 1;
  CHECK(fails_with(s, m, t, "input 'x': expected shape [N, 4], got [6]"));
  t = good;
  t.shape = (int64_t[]){6, 5};
  CHECK(fails_with(s, m, t, "input 'x': expected shape [N, 4], got [6, 5]"));
  t = good;
  t.shape = (int64_t[]){INT64_MAX / 8, 4};
  CHECK(fails_with(s, m, t, "input 'x': the tensor is too large"));
  t = good;
  t.byte_offset = 1;
  CHECK(fails_with(s, m, t, "input 'x': data is not aligned to 4 bytes"));
  t = good;
  t.data = NULL;
  CHECK(fails_with(s, m, t, "input 'x': no data"));
  t = good;
  t.device.device_type = kDLCUDA;
  CHECK(fails_with(s, m, t, "input 'x': not in CPU memory"));
  CHECK(m->run(s, 0, NULL, 1, NULL) == DLIR_INVALID_ARGUMENT);
}

static void runs(dlir_session *s, const dlir_model *m, DLTensor x) {
  dlir_value input = value_of(&x), output;
  CHECK(m->run(s, 1, &input, 1, &output) == DLIR_OK);
  CHECK(output.u.tensor->shape[0] == x.shape[0] && output.u.tensor->shape[1] == 4);
  const float *y = output.u.tensor->data;
  for (int64_t i = 0; i < x.shape[0]; i++)
    for (int64_t j = 0; j < 4; j++) {
      int64_t at = x.strides ? i * x.strides[0] + j * x.strides[1] : 4 * i + j;
      CHECK(y[4 * i + j] == 2 * ((float *)x.data)[at]);
    }
}

static void allocates_nothing_again(dlir_session *s, const dlir_model *m, DLTensor x) {
  runs(s, m, x);
  size_t before = mallinfo2().uordblks;
  for (int i = 0; i < 10; i++) runs(s, m, x);
  CHECK(mallinfo2().uordblks == before);
}

static void infers_shapes(dlir_session *s, const dlir_model *m, DLTensor x) {
  x.data = NULL;
  x.shape = (int64_t[]){1000000, 4};
  dlir_value input = value_of(&x), output;
  CHECK(m->infer_shapes(s, 1, &input, 1, &output) == DLIR_OK);
  CHECK(output.u.tensor->shape[0] == 1000000 && !output.u.tensor->data);
}

static void host_parallel(void *user, int32_t parts, void (*task)(void *, int32_t),
                          void *argument) {
  ++*(int *)user;
  for (int32_t i = parts; i-- > 0;) task(argument, i);
}

static void uses_a_host_pool(const dlir_model *m, DLTensor x) {
  int calls = 0;
  dlir_host_pool pool = {&calls, 3, host_parallel};
  dlir_open_options options = {.size = sizeof(options), .pool = &pool, .flags = DLIR_OPEN_PROFILE};
  dlir_session *s;
  CHECK(m->open(m, &options, &s) == DLIR_OK);
  runs(s, m, x);
  CHECK(calls == 1);
  const dlir_profile_entry *rows;
  CHECK(m->profile(s, &rows) == 1 && rows[0].calls == 1 && !strcmp(rows[0].label, "layer/one"));
  m->close(s);
}

static void refuses_a_lesser_cpu(void) {
  char missing[32] = "";
  if (dlrt_cpu_has(foreign.features, missing, sizeof(missing))) return;
  dlir_model m = make_model(&foreign);
  dlir_session *s;
  CHECK(m.open(&m, NULL, &s) == DLIR_UNSUPPORTED_CPU);
  CHECK(strstr(m.last_error(s), missing));
  m.close(s);
}

static void refuses_to_guess_shapes(DLTensor x) {
  dlir_model m = make_model(&sparse);
  dlir_session *s;
  CHECK(m.open(&m, NULL, &s) == DLIR_OK);
  dlir_value input = value_of(&x), output;
  CHECK(m.infer_shapes(s, 1, &input, 1, &output) == DLIR_UNSUPPORTED);
  m.close(s);
}

int main(void) {
  float data[64];
  for (int i = 0; i < 64; i++) data[i] = (float)i;
  int64_t sizes[] = {6, 4}, strides[] = {1, 6};
  DLTensor x = {
      .data = data, .device = {kDLCPU, 0}, .ndim = 2, .dtype = {kDLFloat, 32, 1}, .shape = sizes};
  DLTensor transposed = x;
  transposed.strides = strides;
  dlir_model m = make_model(&program);
  for (int32_t threads = 0; threads < 5; threads++) {
    dlir_open_options options = {.size = sizeof(options), .threads = threads};
    dlir_session *s;
    CHECK(m.open(&m, &options, &s) == DLIR_OK);
    runs(s, &m, x);
    runs(s, &m, transposed);
    infers_shapes(s, &m, x);
    refuses_wrong_inputs(s, &m, x);
    allocates_nothing_again(s, &m, transposed);
    m.close(s);
  }
  uses_a_host_pool(&m, x);
  refuses_a_lesser_cpu();
  refuses_to_guess_shapes(x);
  m.close(NULL);
  puts("session: ok");
}
