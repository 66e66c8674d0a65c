// dlir_model.h: the interface of a compiled model. It is plain C (usable from C++) and needs
// nothing but DLPack's header (Debian: libdlpack-dev). A model library exports one function,
//
//     const dlir_model *<prefix>_query(uint32_t version);
//
// which returns NULL when it does not offer that version. Everything else is reached through the
// table:
//
//     const dlir_model *model = digits_query(DLIR_MODEL_VERSION);
//     dlir_session *session;
//     if (model->open(model, NULL, &session)) puts(model->last_error(session));
//     model->run(session, 1, &input, 1, &output);
//     model->close(session);
//
// A model table is immutable and may be shared by threads; a session is used by one thread at a
// time. Two sessions are independent of each other.
#ifndef DLIR_MODEL_H
#define DLIR_MODEL_H

#include <dlpack/dlpack.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DLIR_MODEL_VERSION 1

// DLDataType.code of booleans (one byte each, 0 or 1), as in DLPack from 0.8 on.
#define DLIR_BOOL_CODE 6

typedef enum dlir_status {
  DLIR_OK = 0,
  DLIR_INVALID_ARGUMENT = 1,  // an input's number, type, shape or place in memory
  DLIR_UNSUPPORTED_CPU = 2,   // the processor lacks an instruction set the model was compiled for
  DLIR_OUT_OF_MEMORY = 3,
  DLIR_UNSUPPORTED = 4,   // e.g. shapes asked for that depend on the inputs' elements
  DLIR_SYSTEM_ERROR = 5,  // threads could not be started, a weights file could not be read
} dlir_status;

typedef enum dlir_value_kind {
  DLIR_TENSOR = 1,  // other kinds (sequence, optional, string) get numbers of their own
} dlir_value_kind;

// A tagged handle to a value.
typedef struct dlir_value {
  uint32_t kind;  // dlir_value_kind
  uint32_t reserved;
  union {
    DLTensor *tensor;  // DLIR_TENSOR
    void *pointer;
  } u;
} dlir_value;

// What a model says about one of its inputs or outputs.
typedef struct dlir_value_info {
  const char *name;  // as in the model, unmangled
  uint32_t kind;     // dlir_value_kind
  DLDataType dtype;
  int32_t rank;
  const int64_t *shape;  // rank sizes, -1 where only known at run time
  const char *const
      *symbols;  // rank names; NULL where a size has none. Equal names are equal sizes.
} dlir_value_info;

// A thread pool of the host's. `parallel` calls task(argument, i) once for each i in [0, parts), on
// any threads and in any order, and returns when all calls have returned.
typedef struct dlir_host_pool {
  void *user;
  int32_t threads;
  void (*parallel)(void *user, int32_t parts, void (*task)(void *argument, int32_t part),
                   void *argument);
} dlir_host_pool;

enum {
  DLIR_OPEN_PIN = 1,      // pin each thread but the caller's to a CPU of the affinity mask
  DLIR_OPEN_PROFILE = 2,  // measure each kernel launch
};

typedef struct dlir_open_options {
  size_t size;                 // sizeof(dlir_open_options) as the caller knows it
  int32_t threads;             // 0: as many as the affinity mask has CPUs
  uint32_t flags;              // DLIR_OPEN_*
  const dlir_host_pool *pool;  // NULL: the session starts threads of its own; borrowed until close
} dlir_open_options;

// One row of a profile: all launches of one kernel call in the model.
typedef struct dlir_profile_entry {
  const char *label;   // the layers' names
  const char *kernel;  // the kernel's symbol
  const char *device;  // what it ran on: "cpu", or the device's name
  uint64_t calls;
  uint64_t nanoseconds;  // of all calls, as are the next
  double flops, bytes;   // 0 when unknown
} dlir_profile_entry;

typedef struct dlir_session dlir_session;
typedef struct dlir_model dlir_model;

struct dlir_model {
  size_t size;       // bytes of this table; later versions append to it
  uint32_t version;  // DLIR_MODEL_VERSION
  const char *name;
  size_t num_inputs, num_outputs;
  const dlir_value_info *inputs, *outputs;
  const void *program;  // private

  // Opens a session; `options` may be NULL. On failure *session (unless NULL, when memory ran out)
  // answers only last_error and close, which it needs as well.
  dlir_status (*open)(const dlir_model *model, const dlir_open_options *options,
                      dlir_session **session);
  // Runs the model. Input tensors are in CPU memory, any strides: what is not compact row-major is
  // copied first. Data must be aligned to its element size; aligned to 64 bytes it is fastest. The
  // outputs written belong to the session and live until its next run or close. Results are bitwise
  // the same for every thread count. With unchanged shapes nothing is allocated.
  dlir_status (*run)(dlir_session *session, size_t num_inputs, const dlir_value *inputs,
                     size_t num_outputs, dlir_value *outputs);
  // The outputs' shapes for the given inputs' shapes: as `run`, but data pointers are not followed
  // and those of the outputs are NULL.
  dlir_status (*infer_shapes)(dlir_session *session, size_t num_inputs, const dlir_value *inputs,
                              size_t num_outputs, dlir_value *outputs);
  // Why the last call on this session failed; "" if it did not.
  const char *(*last_error)(const dlir_session *session);
  // The profile so far; *entries belongs to the session. 0 rows without DLIR_OPEN_PROFILE.
  size_t (*profile)(dlir_session *session, const dlir_profile_entry **entries);
  void (*close)(dlir_session *session);  // NULL is allowed
};

typedef const dlir_model *(*dlir_query_fn)(uint32_t version);

#ifdef __cplusplus
}
#endif
#endif
