// dialects/loop/loop.h: building the ops of the loop level.
//
// Every map of an op ranges over its index operands in order (dimension i is operand i) and has no
// symbols.
#ifndef DLIR_DIALECTS_LOOP_LOOP_H
#define DLIR_DIALECTS_LOOP_LOOP_H

#include "ir/op.h"
#include "ir/op_def.h"

// An affine map with the values of its dimensions.
typedef struct dl_bound {
  dl_map map;
  dl_value *const *operands;  // map->num_dims of them
} dl_bound;

DL_API dl_type dl_loop_ptr_type(dl_type element);
DL_API bool dl_is_loop_ptr(dl_type type);
DL_API dl_type dl_loop_ptr_element(dl_type pointer);

// A constant bound.
DL_API dl_bound dl_bound_const(dl_context *ctx, int64_t value);

// A loop whose body has its arguments (induction variable, then one per initial value) and no ops
// yet.
DL_API dl_op *dl_build_loop_for(dl_builder *b, dl_bound lower, dl_bound upper, int64_t step,
                                size_t num_inits, dl_value *const *inits);
// `upper` has one result per induction variable; the body's terminator is there.
DL_API dl_op *dl_build_loop_parallel(dl_builder *b, dl_bound upper);
// Both regions have an empty block; without results, the else region has none unless `with_else`.
DL_API dl_op *dl_build_loop_if(dl_builder *b, dl_value *condition, size_t num_results,
                               const dl_type *types, bool with_else);
DL_API void dl_build_loop_yield(dl_builder *b, size_t count, dl_value *const *values);

// `type` is an element or a vector of them. `count` may be NULL.
DL_API dl_value *dl_build_loop_load(dl_builder *b, dl_type type, dl_value *pointer, dl_bound at,
                                    dl_value *count);
DL_API void dl_build_loop_store(dl_builder *b, dl_value *value, dl_value *pointer, dl_bound at,
                                dl_value *count);
// `mask` may be NULL.
DL_API dl_value *dl_build_loop_gather(dl_builder *b, dl_type type, dl_value *pointer,
                                      dl_value *offsets, dl_value *mask);
DL_API dl_value *dl_build_loop_splat(dl_builder *b, dl_value *scalar, int64_t lanes);
DL_API dl_value *dl_build_loop_repeat(dl_builder *b, dl_value *vector, int64_t times);
DL_API dl_value *dl_build_loop_machine_op(dl_builder *b, dl_str name, dl_value *accumulator,
                                          dl_value *lhs, dl_value *rhs);
DL_API dl_value *dl_build_loop_iota(dl_builder *b, int64_t lanes);
DL_API dl_value *dl_build_loop_reduce(dl_builder *b, const char *kind, dl_value *vector);
DL_API dl_value *dl_build_loop_apply(dl_builder *b, dl_bound at);
DL_API dl_value *dl_build_loop_local(dl_builder *b, dl_type element, int64_t elements);
DL_API dl_value *dl_build_loop_constant(dl_builder *b, dl_attr value);
DL_API dl_value *dl_build_loop_alloc(dl_builder *b, dl_type element, dl_bound elements);
DL_API dl_value *dl_build_loop_arena(dl_builder *b, dl_bound bytes);
DL_API dl_value *dl_build_loop_slice(dl_builder *b, dl_type element, dl_value *arena,
                                     dl_bound bytes);
DL_API dl_value *dl_build_loop_weight(dl_builder *b, dl_type element, int64_t index);
DL_API void dl_build_loop_copy(dl_builder *b, dl_value *from, dl_value *to, dl_bound elements);
DL_API dl_op *dl_build_loop_launch(dl_builder *b, dl_ident callee, size_t num_arguments,
                                   dl_value *const *arguments, dl_bound grid);

// Reading: an op's map property `name` with the operands of entry `group` of its definition.
DL_API dl_bound dl_bound_of(const dl_op *op, const char *name, size_t group, dl_arena *arena);
// Operand entries in the order of the definitions, for dl_operand_group and dl_bound_of.
enum {
  DL_LOOP_FOR_LOWER,
  DL_LOOP_FOR_UPPER,
  DL_LOOP_FOR_INITS,
};
enum { DL_LOOP_LOAD_POINTER, DL_LOOP_LOAD_INDICES, DL_LOOP_LOAD_COUNT };
enum { DL_LOOP_STORE_VALUE, DL_LOOP_STORE_POINTER, DL_LOOP_STORE_INDICES, DL_LOOP_STORE_COUNT };
enum { DL_LOOP_LAUNCH_ARGUMENTS, DL_LOOP_LAUNCH_GRID };

#endif
