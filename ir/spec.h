// ir/spec.h: what follows from an op's textual spec (docs/specs.md): verification, shape inference, and the
// bound form, from which the lowering to tensor.compute and the evaluator are made.
//
// Binding an op substitutes its attributes, matches its operand types against the patterns, resolves
// `if`, present() and packs, and leaves flat statements: parallel and reduce iterators with extents,
// quasi-affine index expressions and a scalar expression tree. In every dl_expr of the bound form,
// dimension i is iterator i of the statement and symbol i is symbol i of the bound spec.
#ifndef DLIR_IR_SPEC_H
#define DLIR_IR_SPEC_H

#include "ir/affine.h"
#include "ir/attrs.h"
#include "ir/op.h"
#include "ir/op_def.h"

typedef struct dl_scalar dl_scalar;

// A size or index that is known only at run time. Symbols are ordered: a computed one mentions only
// symbols before it. Two dimensions with one name in their encodings are one symbol.
typedef enum dl_symbol_kind {
  DL_SYMBOL_DIM,       // dimension `index` of operand `operand`
  DL_SYMBOL_ELEMENT,   // element `index` (row-major) of operand `operand`, an integer tensor
  DL_SYMBOL_COMPUTED,  // `value`: an index-typed tree over earlier symbols and over reads of operands
} dl_symbol_kind;

typedef struct dl_bound_symbol {
  dl_symbol_kind kind;
  size_t operand, index;
  const dl_scalar *value;
  dl_ident name;  // DIM: its name in the encoding, or NULL
} dl_bound_symbol;

// A tensor that statements read or write.
typedef enum dl_bound_kind { DL_BOUND_OPERAND, DL_BOUND_TEMPORARY, DL_BOUND_RESULT } dl_bound_kind;

typedef struct dl_bound_tensor {
  dl_bound_kind kind;
  size_t number;  // of the operand or result of the op
  dl_ident name;  // in the spec; "name.0" for entries of variadic ones
  dl_type element;
  size_t rank;
  const dl_expr *sizes;  // over symbols
} dl_bound_tensor;

// Scalar operations, on the node's operands `args`. Arithmetic takes and gives the node's type; integer
// division truncates. Floating-point min and max propagate NaN. Comparisons give i1; those with a NaN are
// false, except NE.
typedef enum dl_scalar_op {
  // Leaves.
  DL_SCALAR_CONST,   // `constant`, an integer or float attribute of the node's type
  DL_SCALAR_READ,    // element `read` of the statement's reads; in a computed symbol: see dl_bound_spec.reads
  DL_SCALAR_INDEX,   // `index`, an expression over iterators and symbols; the type is index
  // Reads tensor `tensor` at the computed index-typed indices `args`, which are in range.
  DL_SCALAR_GATHER,
  // One argument.
  DL_SCALAR_CAST,    // to the node's type: float to integer truncates, to i1 is != 0, i1 is 0 or 1
  DL_SCALAR_NEG, DL_SCALAR_ABS, DL_SCALAR_NOT, DL_SCALAR_FLOOR, DL_SCALAR_CEIL,
  DL_SCALAR_ROUND,   // half to even
  DL_SCALAR_EXP, DL_SCALAR_LOG, DL_SCALAR_SQRT, DL_SCALAR_RSQRT, DL_SCALAR_TANH, DL_SCALAR_ERF,
  DL_SCALAR_SIN, DL_SCALAR_COS, DL_SCALAR_TAN, DL_SCALAR_ATAN,
  // Two arguments.
  DL_SCALAR_ADD, DL_SCALAR_SUB, DL_SCALAR_MUL, DL_SCALAR_DIV,
  DL_SCALAR_REM,     // sign of the dividend
  DL_SCALAR_FLOORDIV, DL_SCALAR_MOD,  // integers and index: rounding down; sign of the divisor
  DL_SCALAR_MIN, DL_SCALAR_MAX, DL_SCALAR_POW, DL_SCALAR_AND, DL_SCALAR_OR, DL_SCALAR_XOR,
  DL_SCALAR_EQ, DL_SCALAR_NE, DL_SCALAR_LT, DL_SCALAR_LE, DL_SCALAR_GT, DL_SCALAR_GE,
  // Three: condition (i1), value if true, value if false.
  DL_SCALAR_SELECT,
} dl_scalar_op;

struct dl_scalar {
  dl_scalar_op op;
  dl_type type;  // of the value; for comparisons i1, the arguments share another type
  size_t num_args;
  const dl_scalar *const *args;
  dl_attr constant;  // CONST
  size_t read;       // READ
  dl_expr index;     // INDEX
  size_t tensor;     // GATHER
};

typedef enum dl_combiner {
  DL_COMBINE_NONE, DL_COMBINE_SUM, DL_COMBINE_PROD, DL_COMBINE_MAX, DL_COMBINE_MIN,
  DL_COMBINE_AND, DL_COMBINE_OR,
} dl_combiner;

// "sum", "prod" … as tensor.compute writes it; NULL for NONE.
DL_API const char *dl_combiner_name(dl_combiner combiner);
// "add", "exp" …: the operation's name in diagnostics and dumps.
DL_API const char *dl_scalar_op_name(dl_scalar_op op);

typedef struct dl_bound_iterator {
  dl_ident name;
  dl_expr extent;  // over symbols
} dl_bound_iterator;

// One way in which a statement reads a tensor. Equal reads of a statement are one entry.
typedef struct dl_bound_read {
  size_t tensor;  // number in dl_bound_spec.tensors: an operand, or the target of an earlier statement
  const dl_expr *indices;  // one per dimension of the tensor
  dl_attr otherwise;       // the value where an index is out of range; NULL: all are in range
} dl_bound_read;

typedef enum dl_bound_statement_kind {
  // target[out…] = combiner over the reduce iterators of body, or body where the combiner is NONE.
  DL_STATEMENT_COMPUTE,
  // target has the elements of tensor `source` in row-major order.
  DL_STATEMENT_RESHAPE,
  // target (of rank 1) has the elements `elements`, which mention no iterators.
  DL_STATEMENT_ELEMENTS,
} dl_bound_statement_kind;

typedef struct dl_bound_statement {
  dl_bound_statement_kind kind;
  size_t target;  // a temporary or a result; each is written by exactly one statement
  // COMPUTE:
  size_t num_iterators, num_parallel;  // parallel ones first
  const dl_bound_iterator *iterators;
  const dl_expr *out;  // one index per dimension of the target, over the parallel iterators
  dl_combiner combiner;
  dl_attr init;  // the start value; NULL when there is no combiner
  const dl_scalar *body;
  // COMPUTE and ELEMENTS:
  size_t num_reads;
  const dl_bound_read *reads;
  // RESHAPE:
  size_t source;
  // ELEMENTS:
  size_t num_elements;
  const dl_scalar *const *elements;
} dl_bound_statement;

typedef struct dl_bound_spec {
  const dl_op *op;
  size_t num_symbols;
  const dl_bound_symbol *symbols;
  // First the op's operands, then its results, then temporaries.
  size_t num_tensors;
  const dl_bound_tensor *tensors;
  size_t num_statements;  // 0 when the definition has no `compute`
  const dl_bound_statement *statements;
  // The reads that computed symbols make: of operands, at constant indices.
  size_t num_reads;
  const dl_bound_read *reads;
} dl_bound_spec;

// Binds an op, which must verify, whose definition has a `compute` text. NULL after a diagnostic at the op. Free the result
// with dl_bound_destroy; it must not outlive the op.
DL_API dl_bound_spec *dl_spec_bind(const dl_op *op);
DL_API void dl_bound_destroy(dl_bound_spec *bound);
// Writes the bound form as text, for tests and for people.
DL_API void dl_print_bound(dl_buffer *out, const dl_bound_spec *bound);
// Scalar operations that evaluating the op takes (arithmetic of bodies and combiners; index arithmetic is
// free), or -1 when an extent is not constant.
DL_API int64_t dl_bound_flops(const dl_bound_spec *bound);

// Checks operands, results and attributes against the definition: counts, type patterns, attribute
// constraints, where-rules. Reports everything that is wrong at the op's location. Does not call the
// definition's `verify` hook.
DL_API dl_status dl_spec_verify(const dl_op *op);

// Computes the result types from operand types, attributes and constant operands: `types` has room for
// one type per result of the op. Sizes that stay unknown are DL_DYNAMIC, and carry a name in the
// encoding's `dims` where they equal a named size of an operand. Calls the `infer` hook where there is one.
// An entry is NULL where nothing can be said.
DL_API dl_status dl_spec_infer(const dl_op *op, dl_type *types);

// Attribute `name` of op, or the default of its declaration; NULL when neither exists. Generated
// accessors use it.
DL_API dl_attr dl_spec_attr(const dl_op *op, const char *name);
DL_API int64_t dl_spec_i64(const dl_op *op, const char *name);  // integer and bool attributes; else 0
DL_API double dl_spec_f64(const dl_op *op, const char *name);   // float attributes; else 0
DL_API dl_str dl_spec_str(const dl_op *op, const char *name);   // string attributes; else empty
DL_API dl_type dl_spec_type(const dl_op *op, const char *name);  // type attributes; else NULL

// Operand (result) i of the definition's list: its first value, or NULL when it is absent.
DL_API dl_value *dl_spec_operand(const dl_op *op, size_t i);
DL_API dl_value *dl_spec_result(const dl_op *op, size_t i);

// Loads a dialect from a YAML file (docs/specs.md) and registers it. Hooks named in it are refused: they
// need the build-time tables. The definitions live as long as the context.
DL_API dl_status dl_load_dialect_yaml(dl_context *ctx, const char *path);

#endif
