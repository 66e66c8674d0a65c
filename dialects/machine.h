// dialects/machine.h: the machine description that travels as the module's `dlir.machine`
// dictionary (written from targets/machines/*.yaml). Passes read it here and never know a target.
#ifndef DLIR_DIALECTS_MACHINE_H
#define DLIR_DIALECTS_MACHINE_H

#include "ir/op.h"

typedef struct dl_machine {
  int64_t vector_bits;                 // 256 when absent
  int64_t vector_registers;            // 16
  int64_t l1_bytes;                    // 32 KiB
  int64_t l2_bytes;                    // 512 KiB
  int64_t l3_bytes;                    // 8 MiB
  int64_t cores;                       // 1
  int64_t fma_per_cycle;               // 2; 0: no fused multiply-add
  int64_t subgroup_size;               // 0: kernels run on CPU threads, not over an ND-range
  dl_str name, triple, cpu, features;  // empty when absent; they live as long as the context
} dl_machine;

// The description that applies to `op`: of the nearest module around it (or itself) that carries
// one, with defaults for what is absent. Entries of an unexpected kind count as absent.
DL_API dl_machine dl_machine_of(const dl_op *op);
// An instruction on vectors that the description declares under `ops`: lane l of the accumulator
// gets the sum over t of lhs[terms * l + t] * rhs[terms * l + t] added, in the accumulator's type.
typedef struct dl_machine_op {
  dl_str name;
  dl_type accumulator, lhs, rhs;  // integers; those of lhs and rhs say how they are extended
  int64_t terms, lanes;
  dl_str intrinsic;  // what a code generator calls it
} dl_machine_op;

// Finds the op of a name in the description that applies to `op`. Diagnostics at `op`: there is no
// such op, or its entry does not read as `i32 += ui8 * si8 over 4`.
DL_API dl_status dl_machine_find_op(const dl_op *op, dl_str name, dl_machine_op *out);

// How many elements of a scalar type fill a vector register, at least 1.
DL_API int64_t dl_machine_lanes(const dl_machine *machine, dl_type element);

#endif
