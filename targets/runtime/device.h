// device.h: running a model's kernels on a device, private to the runtime. A session's memory (its
// arena, buffers, inputs and the weights) is mirrored: each piece is a region, a range of host
// addresses and as many bytes on the device. Compiled code works with the host's addresses; host
// memory that it does not ask for (dlrt_fetch) and that is no output is never brought up to date.
#ifndef DLIR_RUNTIME_DEVICE_H
#define DLIR_RUNTIME_DEVICE_H

#include "targets/runtime/session.h"

// A place in a region. Without memory: of a region of no bytes.
typedef struct dlrt_place {
  void *memory;  // the driver's
  uint64_t offset;
} dlrt_place;

// What a kind of device is reached through. Functions that can fail say why through dlrt_fail on
// the session that `open` was given. Operations happen in the order they are asked for.
struct dlrt_driver {
  // Finds a device and makes its code ready.
  dlir_status (*open)(dlir_session *session, const dlrt_device_program *program,
                      uint64_t num_launches, void **device);
  void (*close)(void *device);  // of what `open` made, also when that failed
  const char *(*name)(const void *device);
  dlir_status (*allocate)(void *device, uint64_t bytes, void **memory);
  void (*release)(void *device, void *memory);
  // From and to the host; these return when the bytes are there.
  dlir_status (*write)(void *device, dlrt_place to, const void *from, uint64_t bytes);
  dlir_status (*read)(void *device, dlrt_place from, void *to, uint64_t bytes);
  dlir_status (*copy)(void *device, dlrt_place from, dlrt_place to, uint64_t bytes);
  // Starts launch number `launch`. Slots: its arguments, then the grid's extents; places: where the
  // arguments that are pointers lie. With `nanoseconds` it returns when the kernel has ended, and
  // says how long it ran.
  dlir_status (*launch)(void *device, uint64_t launch, const uint64_t *slots,
                        const dlrt_place *places, uint64_t *nanoseconds);
};

// Kernels in SPIR-V, through the OpenCL loader of the system.
extern const dlrt_driver dlrt_opencl;

// The functions below are for sessions whose program has a device.

dlir_status dlrt_device_open(dlir_session *session);
void dlrt_device_close(dlir_session *session);
const char *dlrt_device_name(const dlir_session *session);
// Sends the inputs there, and gets the outputs once their shapes are known. These and the following
// do not return when they fail: the run ends.
void dlrt_device_begin(dlir_session *session);
void dlrt_device_end(dlir_session *session);
// Mirrors the arena, or the bump region's current chunk.
void dlrt_device_map_arena(dlir_session *session);
void dlrt_device_map_chunk(dlir_session *session);
void dlrt_device_run(dlir_session *session, uint64_t launch, const uint64_t *slots,
                     uint64_t *nanoseconds);

#endif
