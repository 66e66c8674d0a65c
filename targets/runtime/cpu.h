// cpu.h: which instruction sets the processor offers.
#ifndef DLIR_RUNTIME_CPU_H
#define DLIR_RUNTIME_CPU_H

#include <stdbool.h>
#include <stddef.h>

// Whether this processor and operating system offer all of `features` (LLVM's names,
// comma-separated; a leading + is ignored, names with a leading - are not asked for). Names not
// known here are taken to be present. When false, `missing` (if size > 0) gets the first absent
// name. AMX is asked of the kernel for this process as a side effect.
bool dlrt_cpu_has(const char *features, char *missing, size_t size);

#endif
