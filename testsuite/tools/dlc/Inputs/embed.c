#include <stdio.h>
#include <stdlib.h>

#include "digits.h"

int main(void) {
  const dlir_model *model = digits_query(DLIR_MODEL_VERSION);
  dlir_open_options options = {.size = sizeof(options), .threads = 2};
  dlir_session *session;
  if (!model || model->open(model, &options, &session)) {
    fprintf(stderr, "%s\n", model ? model->last_error(session) : "made for another version");
    return 1;
  }
  const dlir_value_info *info = &model->inputs[0];
  int64_t shape[8], count = 1;
  for (int i = 0; i < info->rank; i++) count *= shape[i] = info->shape[i] < 0 ? 1 : info->shape[i];
  float *data = aligned_alloc(64, (size_t)(count * 4 + 63) / 64 * 64);
  for (int64_t i = 0; i < count; i++) data[i] = 0.5f;
  DLTensor x = {.data = data, .device = {kDLCPU, 0}, .ndim = info->rank, .dtype = info->dtype, .shape = shape};
  dlir_value input = {.kind = DLIR_TENSOR, .u.tensor = &x}, output;
  if (model->run(session, 1, &input, 1, &output)) {
    fprintf(stderr, "%s\n", model->last_error(session));
    return 1;
  }
  const DLTensor *y = output.u.tensor;
  printf("%s: %d dimensions, first element %g\n", model->outputs[0].name, y->ndim, *(float *)y->data);
  model->close(session);
  free(data);
}
