// session.h: an open model, private to the runtime.
#ifndef DLIR_RUNTIME_SESSION_H
#define DLIR_RUNTIME_SESSION_H

#include <setjmp.h>
#include <stdbool.h>

#include "targets/runtime/arena.h"
#include "targets/runtime/pool.h"
#include "targets/runtime/program.h"
#include "targets/runtime/shares.h"

typedef struct dlrt_device dlrt_device;

struct dlir_session {
  dlrt_run run;  // first: compiled code passes it back
  const dlir_model *model;
  const dlrt_program *program;
  void *mapped;         // the weights file, or NULL
  dlrt_device *device;  // NULL: kernels run on the CPU
  dlrt_pool *pool;      // NULL with a host's pool or a single thread
  dlir_host_pool host;  // parallel is NULL without
  int32_t threads;
  dlrt_share *shares;  // of a launch, one per thread; NULL with a single thread
  bool profiling;
  dlrt_block arena;
  dlrt_bump bump;
  dlrt_block *copies;  // per input: its compact copy, where one is needed
  void **inputs, **outputs;
  int64_t *dims, *output_dims;
  DLTensor *results;  // per output
  int64_t **shapes;   // per output: rank sizes
  dlir_profile_entry *profile;
  jmp_buf stop;         // where a run that fails in compiled code continues,
  dlir_status stopped;  // and why
  char error[512];
};

// Checks the inputs against the model, fills session->inputs and session->dims; copies what is not
// compact. Without `with_data` the inputs' elements are neither looked at nor copied.
dlir_status dlrt_bind_inputs(dlir_session *session, size_t count, const dlir_value *inputs,
                             bool with_data);
// Sets session->error and returns the status.
dlir_status dlrt_fail(dlir_session *session, dlir_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Ends the run with a status that is no success, from inside of compiled code.
_Noreturn void dlrt_stop(dlir_session *session, dlir_status status);
dlir_session *dlrt_session_of(dlrt_run *run);

const dlrt_program *dlrt_program_of(const dlir_model *model);
size_t dlrt_num_dynamic(size_t count, const dlir_value_info *values);

#endif
