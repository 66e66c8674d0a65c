// ir/conversion.h: converting ops until only legal ones are left, as MLIR's dialect conversion.
//
// A target says which ops are legal. Patterns replace the others; what they build is made legal in
// turn, by patterns again. Nothing is lost before all has succeeded: replaced ops stay in place,
// values are mapped, and a journal takes back every change when a pattern leads nowhere or the
// conversion fails. Where a value changes its type and a user does not, a cast is put between them,
// which the type converter materializes.
#ifndef DLIR_IR_CONVERSION_H
#define DLIR_IR_CONVERSION_H

#include "ir/op.h"
#include "ir/op_def.h"

typedef struct dl_conversion dl_conversion;

typedef DL_VEC(dl_type) dl_type_list;
typedef DL_VEC(dl_value *) dl_value_list;

// --- what is legal ---

typedef enum dl_legality { DL_UNKNOWN_LEGALITY, DL_LEGAL, DL_ILLEGAL } dl_legality;

// A rule about one op, else about one dialect, else about all ops. That about an op counts before
// that about its dialect, and this before that about all; of equal ones the first.
typedef struct dl_legality_rule {
  const dl_op_def *op;
  const char *dialect;
  dl_legality legality;
  bool recursive;  // LEGAL: and so is what its regions hold
  // Ops for which the rule does not hold are the opposite; NULL: it holds. May be
  // dl_types_are_legal.
  bool (*holds)(const dl_conversion *cv, const dl_op *op);
} dl_legality_rule;

// --- types ---

typedef struct dl_type_converter {
  // Appends what the type becomes: one type (itself if it is legal), several or none. False when
  // there is nothing that it can become.
  bool (*convert)(dl_type type, dl_type_list *into, void *user);
  // Builds values of the types from the inputs, which are others: for users that kept the old type,
  // and for patterns that want the new one. False when it cannot; without the hook nothing can.
  bool (*materialize)(dl_builder *b, const dl_value_list *inputs, const dl_type_list *types,
                      dl_value **results, void *user);
} dl_type_converter;

// A `materialize` that builds builtin.unrealized_conversion_cast, for another pass to resolve.
DL_API bool dl_materialize_unrealized_cast(dl_builder *b, const dl_value_list *inputs,
                                           const dl_type_list *types, dl_value **results,
                                           void *user);

// --- patterns ---

// Returns DL_CHANGED when it replaced, erased or modified op; DL_NO_MATCH when it cannot (what it
// did is taken back); DL_REWRITE_FAILED after a diagnostic, which ends the conversion.
//
// It builds ops in the block of op, anywhere before it, or in regions of what it built, by any
// means; it changes what was there only by the functions below.
typedef struct dl_conversion_pattern {
  const dl_op_def *root;  // NULL: any op
  dl_outcome (*convert)(dl_conversion *cv, dl_op *op);
  unsigned benefit;  // higher first; ties in table order
  bool recursive;    // may be applied to what it built itself; a limit of its own bounds that
  const char *name;
} dl_conversion_pattern;

#define DL_CONVERSION_PATTERN(root, function) \
  { &(root), (function), 1, false, #function }

DL_API void *dl_cv_user(const dl_conversion *cv);
DL_API dl_builder *dl_cv_builder(dl_conversion *cv);  // before the op matched, with its location
// What an operand has become, in the type that its own converts to. A bug if that is not exactly
// one value.
DL_API dl_value *dl_cv_operand(dl_conversion *cv, dl_op *op, size_t i);
// Appends all values that operand i has become. False when its type cannot be converted.
DL_API bool dl_cv_operands(dl_conversion *cv, dl_op *op, size_t i, dl_value_list *values);
// What a type becomes when that is one type, else NULL.
DL_API dl_type dl_cv_type(dl_conversion *cv, dl_type type);
DL_API void dl_cv_replace(dl_conversion *cv, dl_op *op, size_t count, dl_value *const *values);
// Result i becomes counts[i] of the values, in order.
DL_API void dl_cv_replace_by_many(dl_conversion *cv, dl_op *op, const size_t *counts,
                                  dl_value *const *values);
DL_API void dl_cv_erase(dl_conversion *cv, dl_op *op);  // its results are not used by what stays
// To be called before operands, attributes, location or successors of op are changed in place.
DL_API void dl_cv_modify(dl_conversion *cv, dl_op *op);
// Gives a block arguments of the converted types. False when there are none.
DL_API bool dl_cv_convert_arguments(dl_conversion *cv, dl_block *block);
DL_API void dl_cv_take_region(dl_conversion *cv, dl_region *to, dl_region *from);
// Says why a pattern does not apply; shown if the op cannot be made legal. Returns DL_NO_MATCH.
DL_API dl_outcome dl_cv_no_match(dl_conversion *cv, const char *format, ...) DL_PRINTF(2, 3);

// `convert` for ops that need no more than other types: calls, branches, returns and their like,
// and functions, whose type and arguments it converts in place.
DL_API dl_outcome dl_convert_types_only(dl_conversion *cv, dl_op *op);
// Whether all types of operands, results, block arguments and of a function stay as they are.
DL_API bool dl_types_are_legal(const dl_conversion *cv, const dl_op *op);

// --- converting ---

typedef struct dl_conversion_config {
  size_t num_rules;
  const dl_legality_rule *rules;
  size_t num_patterns;
  const dl_conversion_pattern *patterns;
  const dl_type_converter *types;  // NULL: types stay
  void *user;                      // for all hooks
} dl_conversion_config;

// Converts root (in place only) and everything below. Partial: ops of unknown legality may stay
// when no pattern makes them legal. Full: all must be legal. On failure a diagnostic names the op
// that could not be made legal, with the reasons of the patterns tried, and the IR is as it was.
// *changed may be NULL.
DL_API dl_status dl_apply_partial_conversion(dl_op *root, const dl_conversion_config *config,
                                             bool *changed);
DL_API dl_status dl_apply_full_conversion(dl_op *root, const dl_conversion_config *config,
                                          bool *changed);

#endif
