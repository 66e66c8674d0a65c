// tools/dlrun/interpret.h: the reference interpreter behind the interface of a compiled model.
#ifndef DLIR_TOOLS_DLRUN_INTERPRET_H
#define DLIR_TOOLS_DLRUN_INTERPRET_H

#include "ir/context.h"
#include "tools/common/library.h"

// Opens a model file (.onnx, or .dlir of any level) whose runs interpret @main. Takes the context
// over, to whose handler diagnostics go. Such a model offers neither shape inference nor profiles,
// and works on one thread. False after a diagnostic. End with library_close.
bool interpret_open(library *lib, dl_context *ctx, const char *path);

#endif
