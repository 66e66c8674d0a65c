// The dialects that libdlir brings.
#include "dialects/arith/arith_ops.h"
#include "dialects/builtin/builtin_ops.h"
#include "dialects/cf/cf_ops.h"
#include "dialects/func/func_ops.h"
#include "dialects/graph/graph_ops.h"
#include "dialects/loop/loop_ops.h"
#include "dialects/math/math_ops.h"
#include "dialects/tensor/tensor_ops.h"
#include "ir/plugin.h"

static const dl_dialect_def *const dialects[] = {
    &builtin_dialect, &func_dialect, &cf_dialect,     &graph_dialect,
    &arith_dialect,   &math_dialect, &tensor_dialect, &loop_dialect,
};

dl_status dl_register_builtin_dialects(dl_context *ctx) {
  for (size_t i = 0; i < DL_COUNT(dialects); i++) DL_TRY(dl_register_dialect(ctx, dialects[i]));
  return DL_OK;
}
