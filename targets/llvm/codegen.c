#include "targets/llvm/codegen.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { MAX_THREADS = 8 };

// The schedule has chosen the vectors and the unrolling already. What is left is to simplify, to
// move invariant addresses out of the loops and to clean up after the inlining of helper functions.
static const char vector_pipeline[] =
    "cgscc(inline),"
    "function(sroa,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
    "loop-mssa(loop-rotate,licm),loop(indvars),gvn,instcombine<no-verify-fixpoint>,"
    "loop-mssa(licm),dse,simplifycfg)";

static LLVMTargetMachineRef create_machine(const dl_codegen *c, char **message) {
  static const LLVMCodeGenOptLevel levels[] = {LLVMCodeGenLevelNone, LLVMCodeGenLevelLess,
                                               LLVMCodeGenLevelDefault, LLVMCodeGenLevelAggressive};
  LLVMTargetRef target;
  if (LLVMGetTargetFromTriple(c->triple, &target, message)) return NULL;
  dl_buffer cpu = {0}, features = {0};
  dl_buffer_append(&cpu, c->machine.cpu.data, c->machine.cpu.len);
  dl_buffer_append(&features, c->machine.features.data, c->machine.features.len);
  LLVMTargetMachineRef machine =
      LLVMCreateTargetMachine(target, c->triple, cpu.data, features.data, levels[c->opt_level],
                              LLVMRelocPIC, LLVMCodeModelDefault);
  dl_buffer_free(&cpu);
  dl_buffer_free(&features);
  return machine;
}

static void initialize_targets(void) {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  LLVMInitializeAArch64TargetInfo();
  LLVMInitializeAArch64Target();
  LLVMInitializeAArch64TargetMC();
  LLVMInitializeAArch64AsmPrinter();
}

dl_status dl_codegen_create(dl_codegen *c, dl_loc loc, dl_machine machine, int opt_level) {
  initialize_targets();
  *c = (dl_codegen){.machine = machine, .opt_level = opt_level};
  c->triple = machine.triple.len ? strndup(machine.triple.data, machine.triple.len) : NULL;
  if (!c->triple) {
    char *host = LLVMGetDefaultTargetTriple();
    c->triple = strdup(host);
    LLVMDisposeMessage(host);
  }
  char *message = NULL;
  c->target = create_machine(c, &message);
  if (c->target) return DL_OK;
  dl_error(loc, "no code generator for '%s': %s", c->triple, message ? message : "");
  LLVMDisposeMessage(message);
  dl_codegen_destroy(c);
  return DL_FAILED;
}

void dl_codegen_destroy(dl_codegen *c) {
  if (c->target) LLVMDisposeTargetMachine(c->target);
  free(c->triple);
}

static dl_str intern_message(dl_context *ctx, char *message) {
  dl_str text = dl_str_of(dl_intern_z(ctx, message));
  LLVMDisposeMessage(message);
  return text;
}

dl_machine dl_host_processor(dl_context *ctx, dl_machine described) {
  described.triple = intern_message(ctx, LLVMGetDefaultTargetTriple());
  described.cpu = intern_message(ctx, LLVMGetHostCPUName());
  described.features = intern_message(ctx, LLVMGetHostCPUFeatures());
  return described;
}

const char *dl_middle_end_passes(const dl_codegen *c, const dl_unit *unit) {
  static const char *const defaults[] = {"default<O0>", "default<O1>", "default<O2>",
                                         "default<O3>"};
  return c->opt_level >= 2 && !unit->scalar ? vector_pipeline : defaults[c->opt_level];
}

// The text of what went wrong (malloc'ed), or NULL.
static char *run_passes(const dl_codegen *c, LLVMTargetMachineRef target, dl_unit *unit) {
  LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
  LLVMErrorRef error = LLVMRunPasses(unit->module, dl_middle_end_passes(c, unit), target, options);
  LLVMDisposePassBuilderOptions(options);
  if (!error) return NULL;
  char *message = LLVMGetErrorMessage(error), *copy = strdup(message);
  LLVMDisposeErrorMessage(message);
  return copy;
}

static void check_module(const dl_unit *unit) {
  char *message = NULL;
  if (LLVMVerifyModule(unit->module, LLVMReturnStatusAction, &message))
    dl_bug(NULL, "invalid LLVM IR was emitted for '%s': %s", unit->name, message);
  LLVMDisposeMessage(message);
}

dl_status dl_optimize(const dl_codegen *c, dl_loc loc, dl_unit *unit) {
  check_module(unit);
  char *message = run_passes(c, c->target, unit);
  if (!message) return DL_OK;
  dl_error(loc, "'%s': %s", unit->name, message);
  free(message);
  return DL_FAILED;
}

typedef struct work {
  const dl_codegen *codegen;
  dl_unit_list *units;
  LLVMCodeGenFileType kind;
  LLVMMemoryBufferRef *buffers;
  char **messages;
  _Atomic size_t next;
} work;

static char *compile_unit(work *w, LLVMTargetMachineRef target, size_t i) {
  dl_unit *unit = &w->units->data[i];
  check_module(unit);
  char *message = run_passes(w->codegen, target, unit);
  if (message) return message;
  if (!LLVMTargetMachineEmitToMemoryBuffer(target, unit->module, w->kind, &message, &w->buffers[i]))
    return NULL;
  char *copy = strdup(message);
  LLVMDisposeMessage(message);
  return copy;
}

// Target machines are not thread-safe: each thread has its own.
static void *compile_some(void *argument) {
  work *w = argument;
  char *message = NULL;
  LLVMTargetMachineRef target = create_machine(w->codegen, &message);
  for (size_t i; (i = atomic_fetch_add(&w->next, 1)) < w->units->len;)
    w->messages[i] = compile_unit(w, target, i);
  LLVMDisposeTargetMachine(target);
  return NULL;
}

static void run_threads(work *w) {
  pthread_t threads[MAX_THREADS];
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  size_t wanted = cpus < 1 ? 1 : cpus > MAX_THREADS ? MAX_THREADS : (size_t)cpus, started = 0;
  if (wanted > w->units->len) wanted = w->units->len;
  while (started + 1 < wanted && !pthread_create(&threads[started], NULL, compile_some, w))
    started++;
  compile_some(w);
  for (size_t i = 0; i < started; i++) pthread_join(threads[i], NULL);
}

dl_status dl_compile_units(const dl_codegen *c, dl_loc loc, dl_unit_list *units,
                           LLVMCodeGenFileType kind, LLVMMemoryBufferRef *buffers) {
  work w = {.codegen = c,
            .units = units,
            .kind = kind,
            .buffers = buffers,
            .messages = dl_calloc(units->len + 1, sizeof(char *))};
  run_threads(&w);
  dl_status status = DL_OK;
  for (size_t i = 0; i < units->len; i++) {
    if (!w.messages[i]) continue;
    status = dl_error(loc, "'%s': %s", units->data[i].name, w.messages[i]);
    free(w.messages[i]);
  }
  free(w.messages);
  return status;
}
