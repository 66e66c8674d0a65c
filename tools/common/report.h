// tools/common/report.h: what became of a model, as a page for people (dlc --report).
#ifndef DLIR_TOOLS_COMMON_REPORT_H
#define DLIR_TOOLS_COMMON_REPORT_H

#include "ir/op.h"

// Adds a table of the kernels of a tensor-level module to the page: computations, schedules and the
// shapes in which operands are stored.
void dl_report_kernels(dl_buffer *page, dl_op *module, const char *title);
// Adds a table of the launches of a loop-level module: layers, grids, operations, bytes; and ends
// the page.
void dl_report_launches(dl_buffer *page, dl_op *module);

#endif
