// engine.h: the engine (dialects/engine.h) that compiles with LLVM and runs the code in place.
#ifndef DLIR_TARGETS_LLVM_ENGINE_H
#define DLIR_TARGETS_LLVM_ENGINE_H

#include "dialects/engine.h"

// NULL after a diagnostic.
dl_engine *dl_llvm_engine_create(dl_context *ctx);

#endif
