#define _GNU_SOURCE  // pipe2, memfd_create
#include <errno.h>
#include <fcntl.h>
#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "targets/spirv/spirv.h"

// Nothing that makes vectors, switches over tables or integers of odd widths.
static const char pipeline[] =
    "function(sroa,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
    "loop-mssa(licm),early-cse<memssa>,dce)";

LLVMTargetMachineRef dl_spirv_machine(dl_loc loc) {
  LLVMInitializeSPIRVTargetInfo();
  LLVMInitializeSPIRVTarget();
  LLVMInitializeSPIRVTargetMC();
  LLVMInitializeSPIRVAsmPrinter();
  LLVMTargetRef target;
  char *message = NULL;
  LLVMTargetMachineRef machine = NULL;
  if (!LLVMGetTargetFromTriple(DL_SPIRV_TRIPLE, &target, &message))
    machine = LLVMCreateTargetMachine(target, DL_SPIRV_TRIPLE, "", "", LLVMCodeGenLevelDefault,
                                      LLVMRelocDefault, LLVMCodeModelDefault);
  if (!machine) dl_error(loc, "LLVM was built without SPIR-V: %s", message ? message : "");
  LLVMDisposeMessage(message);
  return machine;
}

// --- in the child ---

static bool write_all(int fd, const char *bytes, size_t size) {
  for (ssize_t n; size; bytes += n, size -= (size_t)n)
    if ((n = write(fd, bytes, size)) < 0) return false;
  return true;
}

// NULL, or what went wrong.
static const char *optimize(LLVMTargetMachineRef machine, const dl_unit *unit, int opt_level) {
  if (opt_level < 1) return NULL;
  LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
  LLVMErrorRef error = LLVMRunPasses(unit->module, pipeline, machine, options);
  LLVMDisposePassBuilderOptions(options);
  return error ? LLVMGetErrorMessage(error) : NULL;
}

static const char *translate(LLVMTargetMachineRef machine, const dl_unit *unit, int opt_level,
                             int output) {
  const char *why = optimize(machine, unit, opt_level);
  if (why) return why;
  char *message = NULL;
  LLVMMemoryBufferRef code;
  if (LLVMTargetMachineEmitToMemoryBuffer(machine, unit->module, LLVMObjectFile, &message, &code))
    return message;
  return write_all(output, LLVMGetBufferStart(code), LLVMGetBufferSize(code))
             ? NULL
             : "the translation could not be stored";
}

// --- around it ---

static void read_all(int fd, dl_buffer *text) {
  char chunk[1 << 14];
  ssize_t got;
  while ((got = read(fd, chunk, sizeof(chunk))) > 0) dl_buffer_append(text, chunk, (size_t)got);
}

static pid_t start_child(LLVMTargetMachineRef machine, const dl_unit *unit, int opt_level,
                         int output, const int messages[2]) {
  fflush(NULL);
  pid_t child = fork();
  if (child) return child;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  dup2(messages[1], STDERR_FILENO);
  close(messages[0]);
  const char *why = translate(machine, unit, opt_level, output);
  if (why) dprintf(STDERR_FILENO, "%s", why);
  _exit(why ? 1 : 0);
}

static dl_status run_child(dl_loc loc, LLVMTargetMachineRef machine, const dl_unit *unit,
                           int opt_level, int output) {
  int messages[2];
  if (pipe2(messages, O_CLOEXEC)) return dl_error(loc, "cannot make a pipe: %s", strerror(errno));
  pid_t child = start_child(machine, unit, opt_level, output, messages);
  int error = errno, status = 0;
  close(messages[1]);
  dl_buffer text = {0};
  if (child > 0) {
    read_all(messages[0], &text);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  }
  close(messages[0]);
  dl_status result = DL_OK;
  if (child < 0)
    result = dl_error(loc, "cannot start a process: %s", strerror(error));
  else if (status)
    result = dl_error(loc, "translating to SPIR-V failed: %s", text.len ? text.data : "no message");
  dl_buffer_free(&text);
  return result;
}

static void check_module(const dl_unit *unit) {
  char *message = NULL;
  if (LLVMVerifyModule(unit->module, LLVMReturnStatusAction, &message))
    dl_bug(NULL, "invalid LLVM IR was emitted for '%s': %s", unit->name, message);
  LLVMDisposeMessage(message);
}

dl_status dl_spirv_translate(dl_loc loc, LLVMTargetMachineRef machine, const dl_unit *unit,
                             int opt_level, dl_buffer *binary) {
  check_module(unit);
  int output = memfd_create("spirv", MFD_CLOEXEC);
  if (output < 0) return dl_error(loc, "cannot store the translation: %s", strerror(errno));
  dl_status status = run_child(loc, machine, unit, opt_level, output);
  if (status == DL_OK) {
    lseek(output, 0, SEEK_SET);
    read_all(output, binary);
  }
  close(output);
  return status;
}
