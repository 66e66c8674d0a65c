// ir/op_def.h: what a dialect says about its ops. Tables come from YAML specs: through opgen at
// build time as const data, or through the run-time loader (ir/spec.h); both fill the same
// structures.
#ifndef DLIR_IR_OP_DEF_H
#define DLIR_IR_OP_DEF_H

#include "ir/op.h"

typedef enum dl_trait {
  DL_PURE = 1 << 0,  // no side effects, may be erased, moved, merged
  DL_TERMINATOR = 1 << 1,
  DL_COMMUTATIVE = 1 << 2,  // of its first two operands
  DL_ISOLATED = 1 << 3,     // regions use no value from above
  DL_SYMBOL_TABLE = 1 << 4,
  DL_SYMBOL = 1 << 5,          // has sym_name
  DL_CONSTANT = 1 << 6,        // one result, the attribute "value" is it
  DL_SAME_TYPE = 1 << 7,       // all operands and results have one type
  DL_SINGLE_BLOCK = 1 << 8,    // each region has exactly one block
  DL_ELEMENTWISE = 1 << 9,     // scalar op that also works lane by lane on vectors (and tensors)
  DL_NO_TERMINATOR = 1 << 10,  // its blocks need no terminator
  DL_READS = 1 << 11,          // reads memory (not pure): may be merged when nothing writes between
  DL_FUNCTION = 1 << 12,       // function_type, sym_name, one body region
  DL_SAME_OPERANDS = 1 << 13,  // all operands have one type
  DL_INVOLUTION = 1 << 14,     // f(f(x)) = x
  DL_IDEMPOTENT = 1 << 15,     // f(f(x)) = f(x)
  DL_LOOP = 1 << 16,           // region 0 runs repeatedly; pure ops in it may be hoisted before it
  DL_CLOSED = 1 << 17,  // its regions use no value from above but its own operands: generic passes
                        // share no value (constants included) between inside and outside
  DL_RECURSIVE_EFFECTS = 1 << 18,  // has the effects of the ops in its regions and no others
  DL_MAY_TRAP = 1 << 19,  // undefined for some operands (division by zero): never run speculatively
  DL_CALL = 1 << 20,  // calls the function that the attribute "callee" names with its operands; its
                      // results are what that returns
  DL_RETURN = 1 << 21,        // terminator: its operands are what the op around it gives its caller
  DL_UNREGISTERED = 1 << 30,  // of dl_unregistered_op_def: nothing is known about such ops
} dl_trait;

typedef enum dl_arity { DL_ONE, DL_OPTIONAL, DL_VARIADIC } dl_arity;

// What an op does to the memory behind an operand or result (bits). An op with such a mark, or with
// DL_READS, does nothing else to memory.
typedef enum dl_effect {
  DL_EFFECT_READ = 1 << 0,
  DL_EFFECT_WRITE = 1 << 1,
  DL_EFFECT_ALLOCATE = 1 << 2,  // result: memory that nothing else points to
  DL_EFFECT_VIEW = 1 << 3,      // operand: the results point into the same memory
} dl_effect;

// An operand or result. `constraint` is text in the spec's type-pattern language, e.g. "T[N, C, H,
// W]", "index", "any", "!loop.ptr", "tensor", "float", "i1|vector<i1>" (docs/specs.md has the
// grammar).
typedef struct dl_value_def_spec {
  const char *name;
  const char *constraint;
  dl_arity arity;
  uint32_t effects;  // dl_effect
} dl_value_spec;

// A block that a terminator branches to, and the operands that become its arguments.
typedef struct dl_successor_spec {
  const char *name;
  size_t group;  // entry of `operands`; DL_NO_GROUP: it passes none
} dl_successor_spec;
#define DL_NO_GROUP SIZE_MAX

// One way on from a point of an op with regions: from before them (DL_PARENT), or from the end of
// one.
typedef struct dl_control_edge {
  int to;  // region entered; DL_PARENT: the op is done
  // Operands passed on: of the op from DL_PARENT, else of the region's terminators.
  size_t first, count;
  size_t first_input;  // they are the entry's arguments (the op's results) from this one on
} dl_control_edge;
enum { DL_PARENT = -1, DL_MAX_EDGES = 4 };

typedef struct dl_attr_spec {
  const char *name;
  // "i64", "i64[2]", "f32", "string", "bool", "type", "map", "symbol", "any", …
  const char *constraint;
  const char *default_value;  // attribute text in the constraint's terms, or NULL
  bool optional;              // absent is allowed and means absent (no default)
} dl_attr_spec;

typedef struct dl_named_text {
  const char *name, *text;
} dl_named_text;

// The result of folding: either nothing, or one entry per result, each an existing value or a
// constant.
typedef struct dl_folded {
  dl_value *value;
  dl_attr constant;
} dl_folded;

typedef struct dl_parser dl_parser;  // ir/text.h
typedef struct dl_printer dl_printer;
typedef struct dl_rewriter dl_rewriter;  // ir/rewrite.h
typedef enum dl_outcome { DL_NO_MATCH, DL_CHANGED, DL_REWRITE_FAILED } dl_outcome;

struct dl_op_def {
  const char *name;         // "graph.conv2d"
  const char *summary;      // one line
  const char *description;  // Markdown, or NULL
  uint32_t traits;          // dl_trait
  size_t num_operands;
  const dl_value_spec *operands;  // more than one variadic/optional: attribute operandSegmentSizes
  size_t num_results;
  const dl_value_spec *results;
  size_t num_attrs;
  const dl_attr_spec *attrs;
  size_t num_regions;
  const char *const *regions;  // names
  size_t num_successors;
  const dl_successor_spec *successors;
  size_t num_where;
  const dl_named_text *where;  // name -> expression or type class
  const char *compute;         // statements, or NULL when the op is no dense computation
  const char *shape_function;  // name of the C shape hook when it has no where-rules; NULL else
  const char *format;  // "lhs `,` rhs attr-dict `:` type(result)"-style pretty form, or NULL:
                       // generic form without quotes (docs/specs.md)
  // Hooks written in C beside the spec; each may be NULL.
  dl_status (*verify)(dl_op *op);
  // What must hold between op and the symbols it names. Called only when the op's symbol table is
  // verified too: other ops may be changing meanwhile when it is not.
  dl_status (*verify_symbols)(dl_op *op);
  // operand_constants[i] is the constant attribute of operand i, or NULL. Returns whether it
  // folded.
  bool (*fold)(dl_op *op, const dl_attr *operand_constants, dl_folded *results);
  dl_status (*parse)(dl_parser *parser, dl_op_state *state);
  void (*print)(dl_printer *printer, const dl_op *op);
  // Infers result types for ops without where-rules: sets `types` from operands and attributes.
  dl_status (*infer)(dl_op *op, dl_type *types);
  // Simplifies op beyond folding; part of canonicalize.
  dl_outcome (*canonicalize)(dl_rewriter *rw, dl_op *op);
  // The ways on from `from` (DL_PARENT or a region). operand_constants as for `fold`, for the op's
  // own operands; NULL: nothing is known of them. Without the hook nothing is known of how the
  // regions run.
  size_t (*control)(const dl_op *op, int from, const dl_attr *operand_constants,
                    dl_control_edge edges[DL_MAX_EDGES]);
  // The successor taken for constant operands; the number of successors when these do not decide.
  size_t (*branch)(const dl_op *op, const dl_attr *operand_constants);
};

struct dl_dialect_def {
  const char *name;
  const char *summary;
  size_t num_ops;
  const dl_op_def *const *ops;
  // Builds an op of this dialect (or of another one) that yields the constant; NULL if it has none.
  dl_op *(*materialize_constant)(dl_builder *b, dl_attr value, dl_type type);
};

static inline bool dl_has_trait(const dl_op *op, uint32_t trait) {
  return (dl_op_def_of(op)->traits & trait) != 0;
}

// The operands (results) that belong to entry i of the definition's list, resolving optional and
// variadic ones with operandSegmentSizes (resultSegmentSizes) where needed. *count is 0 for an
// absent optional. Returns the first index.
DL_API size_t dl_operand_group(const dl_op *op, size_t i, size_t *count);
DL_API size_t dl_result_group(const dl_op *op, size_t i, size_t *count);

// Passes one operand less, that number i, to a successor whose operands the definition tells.
DL_API void dl_erase_successor_operand(dl_op *op, size_t successor, size_t i);

DL_API const dl_dialect_def *dl_dialect_of(const dl_op *op);  // NULL when it is not registered

// The operands passed to the arguments of a successor. False when the definition does not say.
DL_API bool dl_successor_operands(const dl_op *op, size_t successor, size_t *first, size_t *count);

// Verifies an op and everything below it; reports all that is wrong, then returns DL_FAILED.
// Checks: structure (terminators, isolation, dominance), the definition's arities, constraints and
// traits, where-rules, the C hook.
DL_API dl_status dl_verify(dl_op *op);

// Calls only the verify_symbols hooks.
DL_API dl_status dl_verify_symbols(dl_op *op);

// The constant attribute of a value defined by an op with DL_CONSTANT, or NULL.
DL_API dl_attr dl_constant_value(const dl_value *value);
// Folds op if its hook can; 1 result entry per result. Commutative ops with a constant first are
// not moved.
DL_API bool dl_try_fold(dl_op *op, dl_folded *results);

#endif
