// Emitting loop-level code in terms of affine expressions.
//
// Every expression here ranges over the emitter's dimensions: dimension 0 is the vector lane, each
// other one is an SSA value of type index. Code is scalar while `lanes` is 1; otherwise a value
// that depends on the lane is a vector and one that does not stays a scalar until an operation
// mixes both.
#ifndef DLIR_PASSES_CONVERT_EMITTER_INTERNAL_H
#define DLIR_PASSES_CONVERT_EMITTER_INTERNAL_H

#include "dialects/loop/loop.h"
#include "dialects/tensor/compute.h"
#include "ir/affine.h"
#include "ir/op.h"

#define DL_LANE 0u

// A value already made at this point: of a load (`expr` in `pointer`), a splat (of `scalar`), or a
// constant.
typedef struct dl_emitted {
  const void *source;  // the pointer, scalar or attribute
  dl_expr expr;
  int64_t lanes;
  dl_value *value;
} dl_emitted;

typedef struct dl_loop_emitter {
  dl_context *ctx;
  dl_arena *arena;
  dl_builder b;
  DL_VEC(dl_value *) dims;
  DL_VEC(dl_range) ranges;
  DL_VEC(dl_expr) meanings;  // of dimensions that stand for an expression; NULL for others
  DL_VEC(dl_emitted) emitted;
  int64_t lanes;
  dl_value *count;  // only lanes below it may be touched, or NULL
  dl_value *mask;   // only its lanes may be touched, or NULL
} dl_loop_emitter;

void dl_loop_emitter_init(dl_loop_emitter *e, dl_context *ctx, dl_arena *arena);
void dl_loop_emitter_free(dl_loop_emitter *e);

// The dimension that stands for an SSA value whose range is known.
dl_expr dl_emit_dim(dl_loop_emitter *e, dl_value *index, dl_range range);
// A dimension that stands for an expression, so that quotients and remainders of it can be joined
// before it is known what it is made of.
dl_expr dl_emit_named(dl_loop_emitter *e, dl_expr meaning);
// Joins quotients and remainders and puts in what dimensions stand for.
dl_expr dl_emit_flatten(const dl_loop_emitter *e, dl_expr expr);
// Flattens, and simplifies with what is known about the dimensions' ranges.
dl_expr dl_emit_simplify(dl_loop_emitter *e, dl_expr expr);
dl_range dl_emit_range(const dl_loop_emitter *e, dl_expr expr);
// The map over SSA values that an expression without lane stands for. The operands come from the
// arena.
dl_bound dl_emit_bound(dl_loop_emitter *e, size_t count, const dl_expr *exprs);

// Code in a nested region: values emitted inside are forgotten at the end.
typedef struct dl_emit_mark {
  dl_builder b;
  size_t emitted;
} dl_emit_mark;
dl_emit_mark dl_emit_enter(dl_loop_emitter *e, dl_block *block, dl_op *before);
void dl_emit_leave(dl_loop_emitter *e, dl_emit_mark mark);

dl_value *dl_emit_constant(dl_loop_emitter *e, dl_attr scalar, bool vector);
dl_value *dl_emit_index(dl_loop_emitter *e,
                        dl_expr expr);  // scalar, or a vector if it uses the lane
dl_value *dl_emit_splat(dl_loop_emitter *e,
                        dl_value *value);  // to the current lanes; vectors as they are
// Reads element `offset` of a buffer that does not change from here on, unless it is forgotten.
dl_value *dl_emit_load(dl_loop_emitter *e, dl_value *pointer, dl_expr offset);
// The buffer is going to change.
void dl_emit_forget(dl_loop_emitter *e, const dl_value *pointer);
// The same at an offset computed by a value (scalar or vector of index).
dl_value *dl_emit_load_at(dl_loop_emitter *e, dl_value *pointer, dl_value *offset);
void dl_emit_store(dl_loop_emitter *e, dl_value *value, dl_value *pointer, dl_expr offset);
// Builds an op with one result on the operands, splatted where some are vectors; attributes of
// `like`.
dl_value *dl_emit_elementwise(dl_loop_emitter *e, const dl_op *like, size_t count,
                              dl_value **operands);
dl_value *dl_emit_binary(dl_loop_emitter *e, const dl_op_def *def, dl_value *a, dl_value *b);
dl_value *dl_emit_combine(dl_loop_emitter *e, dl_combiner combiner, bool is_unsigned, dl_value *a,
                          dl_value *b);

// The vector with `otherwise` in the lanes that may not be touched because of the count.
dl_value *dl_emit_counted(dl_loop_emitter *e, dl_value *vector, dl_attr otherwise);

// Whether all of some expressions are nonnegative.
typedef enum dl_truth { DL_TRUTH_ALWAYS, DL_TRUTH_NEVER, DL_TRUTH_SCALAR, DL_TRUTH_LANES } dl_truth;
typedef struct dl_condition {
  dl_truth truth;
  dl_value *value;  // SCALAR: i1; LANES: vector of i1
  dl_value *count;  // LANES: set when exactly the lanes below this index are true
} dl_condition;
typedef DL_VEC(dl_expr) dl_expr_list;
dl_condition dl_emit_condition(dl_loop_emitter *e, size_t count, const dl_expr *nonnegative);

// Emits `value` where the condition holds and `otherwise` elsewhere:
//   dl_guard g = dl_guard_begin(e, condition); v = …emit…; v = dl_guard_end(e, &g, v, otherwise);
// The condition is neither ALWAYS nor NEVER.
typedef struct dl_guard {
  dl_condition condition;
  dl_block *then_block;
  dl_emit_mark outside;
  dl_value *count, *mask;  // of the code around
} dl_guard;
dl_guard dl_guard_begin(dl_loop_emitter *e, dl_condition condition);
dl_value *dl_guard_end(dl_loop_emitter *e, dl_guard *guard, dl_value *value, dl_attr otherwise);

// The row-major offset of an element.
dl_expr dl_linear_offset(dl_context *ctx, size_t rank, const dl_expr *sizes,
                         const dl_expr *indices);

#endif
