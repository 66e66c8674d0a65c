// dialects/eval/kernel_float.h: kernels on float and double lanes.
#ifndef DLIR_DIALECTS_EVAL_KERNEL_FLOAT_H
#define DLIR_DIALECTS_EVAL_KERNEL_FLOAT_H

#include "dialects/eval/kernel_internal.h"

#define DL_FLOAT_KERNEL(name)                                                                  \
  void dl_f32_##name(const dl_kernel *kernel, void *out, const void *const *in, size_t count); \
  void dl_f64_##name(const dl_kernel *kernel, void *out, const void *const *in, size_t count)

DL_FLOAT_KERNEL(add);
DL_FLOAT_KERNEL(sub);
DL_FLOAT_KERNEL(mul);
DL_FLOAT_KERNEL(div);
DL_FLOAT_KERNEL(rem);
DL_FLOAT_KERNEL(max);
DL_FLOAT_KERNEL(min);
DL_FLOAT_KERNEL(maxnum);
DL_FLOAT_KERNEL(minnum);
DL_FLOAT_KERNEL(pow);
DL_FLOAT_KERNEL(atan2);
DL_FLOAT_KERNEL(copysign);
DL_FLOAT_KERNEL(fma);
DL_FLOAT_KERNEL(neg);
DL_FLOAT_KERNEL(abs);
DL_FLOAT_KERNEL(floor);
DL_FLOAT_KERNEL(ceil);
DL_FLOAT_KERNEL(trunc);
DL_FLOAT_KERNEL(round);
DL_FLOAT_KERNEL(roundeven);
DL_FLOAT_KERNEL(sqrt);
DL_FLOAT_KERNEL(rsqrt);
DL_FLOAT_KERNEL(exp);
DL_FLOAT_KERNEL(exp2);
DL_FLOAT_KERNEL(expm1);
DL_FLOAT_KERNEL(log);
DL_FLOAT_KERNEL(log2);
DL_FLOAT_KERNEL(log10);
DL_FLOAT_KERNEL(log1p);
DL_FLOAT_KERNEL(cbrt);
DL_FLOAT_KERNEL(sin);
DL_FLOAT_KERNEL(cos);
DL_FLOAT_KERNEL(tan);
DL_FLOAT_KERNEL(asin);
DL_FLOAT_KERNEL(acos);
DL_FLOAT_KERNEL(atan);
DL_FLOAT_KERNEL(sinh);
DL_FLOAT_KERNEL(cosh);
DL_FLOAT_KERNEL(tanh);
DL_FLOAT_KERNEL(asinh);
DL_FLOAT_KERNEL(acosh);
DL_FLOAT_KERNEL(atanh);
DL_FLOAT_KERNEL(erf);
DL_FLOAT_KERNEL(erfc);
DL_FLOAT_KERNEL(isnan);
DL_FLOAT_KERNEL(isinf);
DL_FLOAT_KERNEL(isfinite);
DL_FLOAT_KERNEL(isnormal);
DL_FLOAT_KERNEL(select);
DL_FLOAT_KERNEL(compare);

#endif
