// emit.h: from loop-level IR to LLVM modules.
#ifndef DLIR_TARGETS_LLVM_EMIT_H
#define DLIR_TARGETS_LLVM_EMIT_H

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

#include "dialects/machine.h"
#include "ir/op.h"

// What is compiled to one object: a kernel with its entry, or the host program.
typedef struct dl_unit {
  LLVMContextRef context;
  LLVMModuleRef module;
  const char *name;  // for files; borrowed from the IR
  bool scalar;       // holds no vectors: LLVM's own vectorizer may find some
} dl_unit;

typedef DL_VEC(dl_unit) dl_unit_list;

// Code for a device that runs the kernels: what the host program holds of it.
typedef struct dl_device_code {
  const char *driver;  // the runtime's dlrt_driver
  dl_str bytes;
} dl_device_code;

typedef struct dl_emit_options {
  const char *prefix;           // of every symbol
  const char *main;             // the host function: "main", or "init"
  LLVMTargetMachineRef target;  // for the data layout
  const char *triple;
  dl_machine machine;
  bool single;  // everything into one module
  bool
      in_process;  // the code runs in this very process: constants are read where the resources lie
  uint64_t weights_size;
  bool separate_weights;  // into a file beside the library
  const char *side_file;  // the weights' file, beside the library; NULL: they are a symbol
  uint64_t side_checksum;
  const dl_device_code *device;  // NULL: kernels run on the CPU and are emitted with the host
} dl_emit_options;

// Emits the host function and all kernels it launches. The units are appended also when it fails.
dl_status dl_emit_program(dl_op *module, const dl_emit_options *options, dl_unit_list *units);
// Emits one kernel with its entry into a unit of its own.
dl_status dl_emit_one_kernel(dl_op *module, dl_op *kernel, size_t grid_rank,
                             const dl_emit_options *options, dl_unit_list *units);
// Emits all kernels that the host function launches into one unit, as OpenCL kernels
// (emit_device.c). `check` refuses ops that the device has no code for; it sees each op emitted.
dl_status dl_emit_device_kernels(dl_op *module, const dl_emit_options *options,
                                 dl_status (*check)(dl_op *op), dl_unit_list *units);
void dl_units_dispose(dl_unit_list *units);

// Byte offsets of the results of @init in the weights, each aligned to 64. *offsets (malloc'ed, one
// entry more than results: the end) is NULL without an @init.
dl_status dl_weight_offsets(dl_op *module, uint64_t **offsets, size_t *count);

// The function type of `loop.signature`, or NULL after a diagnostic.
dl_type dl_signature_of(dl_op *function);

#endif
