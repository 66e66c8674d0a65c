// tools/common/lazy_engine.h: native code for the interpreter, from the target 'cpu', which is
// loaded when something is large enough to need it.
#ifndef DLIR_TOOLS_COMMON_LAZY_ENGINE_H
#define DLIR_TOOLS_COMMON_LAZY_ENGINE_H

#include "dialects/engine.h"

// Declines everything where the target cannot be loaded. Destroyed by its own hook.
dl_engine *dl_lazy_engine_create(dl_context *ctx);

#endif
