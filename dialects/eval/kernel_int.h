// dialects/eval/kernel_int.h: kernels on integer lanes.
#ifndef DLIR_DIALECTS_EVAL_KERNEL_INT_H
#define DLIR_DIALECTS_EVAL_KERNEL_INT_H

#include "dialects/eval/kernel_internal.h"

#define DL_KERNEL(name) \
  void name(const dl_kernel *kernel, void *out, const void *const *in, size_t count)

DL_KERNEL(dl_int_add);
DL_KERNEL(dl_int_sub);
DL_KERNEL(dl_int_mul);
DL_KERNEL(dl_int_div_signed);
DL_KERNEL(dl_int_div_unsigned);
DL_KERNEL(dl_int_rem_signed);
DL_KERNEL(dl_int_rem_unsigned);
DL_KERNEL(dl_int_floordiv);
DL_KERNEL(dl_int_ceildiv);
DL_KERNEL(dl_int_ceildiv_unsigned);
DL_KERNEL(dl_int_mod);
DL_KERNEL(dl_int_pow);
DL_KERNEL(dl_int_and);
DL_KERNEL(dl_int_or);
DL_KERNEL(dl_int_xor);
DL_KERNEL(dl_int_shl);
DL_KERNEL(dl_int_shr_signed);
DL_KERNEL(dl_int_shr_unsigned);
DL_KERNEL(dl_int_min_signed);
DL_KERNEL(dl_int_max_signed);
DL_KERNEL(dl_int_min_unsigned);
DL_KERNEL(dl_int_max_unsigned);
DL_KERNEL(dl_int_neg);
DL_KERNEL(dl_int_abs);
DL_KERNEL(dl_int_not);
DL_KERNEL(dl_int_same);
DL_KERNEL(dl_int_count_leading_zeros);
DL_KERNEL(dl_int_count_trailing_zeros);
DL_KERNEL(dl_int_count_ones);
DL_KERNEL(dl_int_compare);
DL_KERNEL(dl_int_select);

#endif
