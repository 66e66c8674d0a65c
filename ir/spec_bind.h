// ir/spec_bind.h (internal): the state of binding an op to its spec, shared by matching,
// evaluation, verification, inference and the making of statements.
#ifndef DLIR_IR_SPEC_BIND_H
#define DLIR_IR_SPEC_BIND_H

#include "ir/spec.h"
#include "ir/spec_internal.h"

// What an expression of a spec evaluates to while an op is bound.
typedef enum dl_bound_value_kind {
  DL_BV_INT,     // expr, over iterators and symbols
  DL_BV_FLOAT,   // number; takes the type of what it meets
  DL_BV_BOOL,    // flag
  DL_BV_STRING,  // text
  DL_BV_TYPE,    // type
  DL_BV_LIST,    // items
  DL_BV_SCALAR,  // scalar
  DL_BV_TENSOR,  // tensor: number in binder.tensors
  DL_BV_GROUP,   // a variadic operand: `count` tensors from `tensor` on
  DL_BV_OTHER,   // an attribute that expressions cannot use
  DL_BV_ABSENT,  // an optional operand or attribute that is not there
} dl_bound_value_kind;

typedef struct dl_bound_value {
  dl_bound_value_kind kind;
  dl_expr expr;
  double number;
  bool flag;
  dl_str text;
  dl_type type;
  size_t count;
  const struct dl_bound_value *items;
  const dl_scalar *scalar;
  size_t tensor;
} dl_bound_value;

typedef enum dl_variable_state { DL_VAR_UNSET, DL_VAR_ACTIVE, DL_VAR_SET } dl_variable_state;

// A size, pack or type variable of the spec.
typedef struct dl_spec_variable {
  dl_ident name;
  dl_variable_state state;
  const dl_spec_rule *rule;  // its definition or class, or NULL
  dl_bound_value value;
} dl_spec_variable;

struct dl_frame;

typedef struct dl_scope_entry {
  dl_ident name;
  dl_bound_value value;
  const struct dl_frame *frame;  // whose reads scalars in the value name; NULL: it has none
} dl_scope_entry;

// A statement under construction.
typedef struct dl_frame {
  struct dl_frame *outer;
  DL_VEC(dl_bound_iterator) iterators;
  size_t num_parallel;
  DL_VEC(dl_bound_read) reads;
} dl_frame;

typedef struct dl_binder {
  dl_context *ctx;
  dl_arena *arena;
  const dl_op *op;
  const dl_spec *spec;
  const char *part;  // what is being evaluated, for messages
  unsigned depth;
  DL_VEC(dl_spec_variable) variables;
  DL_VEC(dl_scope_entry) scope;
  DL_VEC(dl_bound_symbol) symbols;
  DL_VEC(dl_bound_tensor) tensors;
  DL_VEC(dl_bound_read) reads;
  DL_VEC(dl_bound_statement) statements;
  dl_frame *frame;  // NULL outside of statements
} dl_binder;

// --- ir/spec_match.c ---

// Prepares a binder: collects variables, makes tensors of the operands, matches their types.
// Reports all that does not fit. End with dl_binder_finish even after a failure.
dl_status dl_binder_start(dl_binder *b, const dl_op *op, const dl_spec *spec);
void dl_binder_finish(dl_binder *b);
dl_spec_variable *dl_find_variable(dl_binder *b, dl_ident name);  // or NULL
// The type that a result pattern gives (NULL: it leaves the type open) for entry `entry` of its
// group.
dl_status dl_result_type(dl_binder *b, const dl_spec_pattern *pattern, size_t entry, dl_type *type,
                         const dl_expr **sizes);
// Matches the type of result `number` with the pattern of entry `group`, binding variables that it
// leaves open.
dl_status dl_match_result(dl_binder *b, size_t group, size_t number, dl_type type);
// Whether a type belongs to one of the classes; binds type variables.
bool dl_classes_match(dl_binder *b, const dl_spec_class *classes, dl_type type);
// A scalar type by its name ("f32", "i64", "ui8", "index"), or NULL.
// Evaluates the conditions among the rules in order; reports the first that is false, since later
// ones may take it for granted.
dl_status dl_check_conditions(dl_binder *b);

// --- ir/spec_verify.c ---

// Whether the numbers of operands and results fit the definition, so that dl_operand_group may be
// used.
dl_status dl_check_counts(const dl_op *op);

// --- ir/spec_eval.c, ir/spec_function.c ---

dl_status dl_eval(dl_binder *b, const dl_spec_node *node, dl_bound_value *out);
dl_status dl_eval_expr(dl_binder *b, const dl_spec_node *node, dl_expr *out);  // must be an integer
dl_status dl_eval_int(dl_binder *b, const dl_spec_node *node, int64_t *out);   // must be constant
// Calls with commas: splices are expanded.
dl_status dl_eval_args(dl_binder *b, size_t count, const dl_spec_node *const *nodes,
                       size_t *num_values, dl_bound_value **values);
dl_status dl_call_function(dl_binder *b, const dl_spec_node *node, dl_bound_value *out);
dl_status dl_eval_variable(dl_binder *b, dl_spec_variable *variable, dl_bound_value *out);
// The value of a type name in angle brackets.
dl_status dl_eval_type(dl_binder *b, dl_ident name, dl_type *type);
// Reports a mistake in the spec itself, or one that only this op's attributes bring out.
dl_status dl_spec_fail(dl_binder *b, const char *format, ...) DL_PRINTF(2, 3);
dl_bound_value dl_list_value(dl_binder *b, size_t count, const dl_bound_value *items);
void *dl_binder_copy(dl_binder *b, const void *data, size_t size);

static inline dl_bound_value dl_int_value(dl_expr expr) {
  return (dl_bound_value){.kind = DL_BV_INT, .expr = expr};
}
static inline dl_bound_value dl_bool_value(bool flag) {
  return (dl_bound_value){.kind = DL_BV_BOOL, .flag = flag};
}
static inline dl_bound_value dl_scalar_value(const dl_scalar *scalar) {
  return (dl_bound_value){.kind = DL_BV_SCALAR, .scalar = scalar};
}
static inline bool dl_is_const_int(const dl_bound_value *v) {
  return v->kind == DL_BV_INT && v->expr->kind == DL_EXPR_CONST;
}

// --- ir/spec_scalar.c: typed scalar trees, folded where all arguments are constant ---

const dl_scalar *dl_make_scalar(dl_binder *b, dl_scalar_op op, dl_type type, size_t num_args,
                                const dl_scalar *const *args);
const dl_scalar *dl_make_const(dl_binder *b, dl_attr constant);
const dl_scalar *dl_make_number(dl_binder *b, dl_type type, double value);
const dl_scalar *dl_make_cast(dl_binder *b, const dl_scalar *value, dl_type type);
// The value as a scalar of the type; integers and floats without a type of their own take it.
// `type` NULL: the value's own type, index for integers.
dl_status dl_to_scalar(dl_binder *b, const dl_bound_value *value, dl_type type,
                       const dl_scalar **out);
// An operation on values: finds the common type, folds, applies to lists entry by entry.
dl_status dl_apply(dl_binder *b, dl_scalar_op op, size_t count, const dl_bound_value *values,
                   dl_bound_value *out);
// A truth value: true, false, or neither where it is only known at run time.
dl_status dl_truth(dl_binder *b, const dl_bound_value *value, bool *known, bool *flag);
// The constant a scalar folded to; NULL if it did not.
static inline dl_attr dl_folded_scalar(const dl_scalar *s) {
  return s->op == DL_SCALAR_CONST ? s->constant : NULL;
}
// The smallest (largest) value of a scalar type.
dl_attr dl_extreme_attr(dl_type type, bool largest);

// --- ir/spec_index.c: integer expressions and symbols ---

dl_status dl_apply_int(dl_binder *b, dl_scalar_op op, dl_expr lhs, dl_expr rhs,
                       dl_bound_value *out);
dl_range dl_int_range(dl_binder *b, dl_expr expr);  // with the extents of the frame's iterators
bool dl_expr_has_dims(dl_expr expr);
size_t dl_add_symbol(dl_binder *b, const dl_bound_symbol *symbol);
// An integer value as an expression; an index-typed tree without iterators becomes a computed
// symbol.
dl_status dl_to_expr(dl_binder *b, const dl_bound_value *value, dl_expr *out);
// a / b where b divides a: cancels common factors.
dl_expr dl_expr_exact_div(dl_expr a, dl_expr b);

// --- ir/spec_read.c: reading tensors ---

dl_status dl_eval_read(dl_binder *b, const dl_spec_node *node, size_t tensor,
                       const dl_spec_node *otherwise, dl_bound_value *out);
// in(x[…])
dl_status dl_eval_in(dl_binder *b, const dl_spec_node *node, dl_bound_value *out);
// The last `rank` of the indices, for a tensor of these sizes: 0 where the size is 1.
dl_status dl_project(dl_binder *b, size_t count, const dl_bound_value *indices, size_t rank,
                     const dl_expr *sizes, dl_bound_value *out);
// value(t)
dl_status dl_tensor_values(dl_binder *b, size_t tensor, dl_bound_value *out);

// --- ir/spec_statement.c ---

dl_status dl_bind_statements(dl_binder *b);
dl_status dl_eval_reduce(dl_binder *b, const dl_spec_node *node, dl_bound_value *out);

#endif
