// program.h: the interface between compiled code and the runtime linked with it. targets/llvm emits
// tables of these layouts and calls of these functions; both sides change together
// (DLRT_PROGRAM_VERSION).
#ifndef DLIR_RUNTIME_PROGRAM_H
#define DLIR_RUNTIME_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "targets/runtime/dlir_model.h"

#define DLRT_PROGRAM_VERSION 3

// What the launches of a run share. Compiled code reads `weights` and passes the rest on.
typedef struct dlrt_run {
  const void *weights;
} dlrt_run;

// Runs the kernel for the linear grid indices [begin, end); `slots` holds its arguments, 8 bytes
// each.
typedef void (*dlrt_kernel_fn)(const uint64_t *slots, int64_t begin, int64_t end);

// inputs: one pointer per input; dims: the inputs' dynamic sizes in order; likewise for the
// outputs.
typedef void (*dlrt_main_fn)(dlrt_run *run, void *const *inputs, const int64_t *dims,
                             void **outputs, int64_t *output_dims);

typedef struct dlrt_launch_info {
  const char *label, *kernel;
  double flops, bytes;  // per launch; 0 when unknown
  uint64_t num_factors;
  const int64_t *factors;  // numbers of slots that hold sizes to multiply `flops` by
} dlrt_launch_info;

// A launch as the device takes it.
typedef struct dlrt_device_launch {
  const char *kernel;
  const char *arguments;  // a character each: p, or a scalar's size in bytes
  uint64_t rank;          // of the grid
} dlrt_device_launch;

typedef struct dlrt_driver dlrt_driver;  // device.h

// What a device runs instead of the kernels' CPU code.
typedef struct dlrt_device_program {
  const dlrt_driver *driver;
  const void *code;
  uint64_t code_size;
  const dlrt_device_launch *launches;  // one for each of dlrt_program.launches
} dlrt_device_program;

// Computes the outputs' dynamic sizes from the inputs'.
typedef void (*dlrt_shapes_fn)(const int64_t *dims, int64_t *output_dims);

// A file with the weights, beside the file that holds the program (weights.h).
typedef struct dlrt_side_file {
  const char *name;
  uint64_t checksum;
} dlrt_side_file;

typedef struct dlrt_program {
  uint64_t version;
  const char *features;  // required of the CPU: LLVM's names, comma-separated
  const void *weights;   // NULL: none, or in the side file
  uint64_t weights_size;
  const dlrt_side_file *side;  // NULL: none
  dlrt_main_fn main;
  dlrt_shapes_fn shapes;  // NULL: the sizes depend on the inputs' elements
  uint64_t num_launches;
  const dlrt_launch_info *launches;
  const dlrt_device_program *device;  // NULL: kernels run on the CPU
} dlrt_program;

// Called by compiled main functions. They do not return when memory runs out: the run ends there.

// The run's arena, at least `bytes` large, 64-byte aligned. One call per run.
void *dlrt_arena(dlrt_run *run, int64_t bytes);
// A further buffer, 64-byte aligned, alive until the next run.
void *dlrt_alloc(dlrt_run *run, int64_t bytes);
// Runs launch number `launch` over `grid` linear indices, split over the session's threads; with a
// device, there, and `kernel` is NULL. Slots: the arguments, then the grid's extents.
void dlrt_launch(dlrt_run *run, int64_t launch, dlrt_kernel_fn kernel, const uint64_t *slots,
                 int64_t grid);

// With a device: bring `bytes` at a host address up to date (fetch) or to the device (send), or
// copy between two places on the device.
void dlrt_fetch(dlrt_run *run, void *address, int64_t bytes);
void dlrt_send(dlrt_run *run, const void *address, int64_t bytes);
void dlrt_copy(dlrt_run *run, const void *from, void *to, int64_t bytes);

// The functions behind a dlir_model table.
dlir_status dlrt_open(const dlir_model *model, const dlir_open_options *options,
                      dlir_session **session);
dlir_status dlrt_run_model(dlir_session *session, size_t num_inputs, const dlir_value *inputs,
                           size_t num_outputs, dlir_value *outputs);
dlir_status dlrt_infer_shapes(dlir_session *session, size_t num_inputs, const dlir_value *inputs,
                              size_t num_outputs, dlir_value *outputs);
const char *dlrt_last_error(const dlir_session *session);
size_t dlrt_profile(dlir_session *session, const dlir_profile_entry **entries);
void dlrt_close(dlir_session *session);

#endif
