// ir/spec_internal.h: the parsed form of an op's textual spec (docs/specs.md has the grammar).
#ifndef DLIR_IR_SPEC_INTERNAL_H
#define DLIR_IR_SPEC_INTERNAL_H

#include "ir/diag.h"
#include "ir/op_def.h"

typedef struct dl_spec_node dl_spec_node;

typedef enum dl_spec_node_kind {
  DL_NODE_INT,
  DL_NODE_FLOAT,
  DL_NODE_STRING,
  DL_NODE_NAME,
  DL_NODE_LIST,           // [args…]
  DL_NODE_COMPREHENSION,  // [name < args[0]: args[1]]
  DL_NODE_CALL,           // name<type>(args…)
  DL_NODE_REDUCE,         // name<type>(iterators: args[0])
  DL_NODE_SUBSCRIPT,      // args[0][args[1], …]
  DL_NODE_UNARY,          // name args[0]
  DL_NODE_BINARY,         // args[0] name args[1]
  DL_NODE_IF,             // args[0] if args[1] else args[2]
  DL_NODE_DEFAULT,        // args[0] else args[1]
  DL_NODE_SPLICE,         // args[0]...
  DL_NODE_LET,            // let name = args[0]: args[1]
} dl_spec_node_kind;

// `n`, `n < extent`, `n...`, `n... < extents`, `j in operands`.
typedef struct dl_spec_iterator {
  dl_ident name;
  bool pack;
  const dl_spec_node *extent;  // NULL: the size variable of the same name in upper case
  dl_ident variadic;           // `j in operands`: expanded when the op is bound
} dl_spec_iterator;

struct dl_spec_node {
  dl_spec_node_kind kind;
  dl_ident name;  // the text of a NAME or STRING, the function, the operator
  dl_ident type;  // in angle brackets, or NULL
  int64_t integer;
  double number;
  size_t num_args;
  const dl_spec_node *const *args;
  size_t num_iterators;
  const dl_spec_iterator *iterators;
};

// One dimension of a tensor pattern.
typedef struct dl_spec_dim {
  dl_ident name;  // a variable, or NULL where `expr` is more than a name
  bool pack;      // name...
  bool each;      // name*: one size per entry of a variadic operand or result
  const dl_spec_node *expr;
} dl_spec_dim;

typedef struct dl_spec_class dl_spec_class;

// `name`, `name<inner>`, `!dialect.name<inner>`.
struct dl_spec_class {
  dl_ident dialect, name;
  const dl_spec_class *inner;  // or NULL
  const dl_spec_class *next;   // alternative after `|`
};

typedef struct dl_spec_pattern dl_spec_pattern;

struct dl_spec_pattern {
  const dl_spec_node *condition;  // of `then if condition else otherwise`; NULL: no condition
  const dl_spec_pattern *otherwise;
  const dl_spec_class *classes;  // the type, or the element type of a tensor pattern
  bool is_tensor;                // classes[dims…]
  size_t num_dims;
  const dl_spec_dim *dims;
  const char *dims_text;  // "[O, C, KH, KW]"
};

typedef struct dl_spec_rule {
  dl_ident name;  // a variable, or the message of a condition
  enum { DL_RULE_CLASS, DL_RULE_DEFINITION, DL_RULE_RANK, DL_RULE_CONDITION } kind;
  const dl_spec_node *expr;
  const dl_spec_class *classes;
} dl_spec_rule;

typedef struct dl_spec_attr_rule {
  dl_ident name;
  dl_ident base;              // "i64", "string", …
  dl_type number;             // that base names, or NULL
  bool is_array;              // base[…]
  const dl_spec_node *count;  // of an array; NULL: any
  size_t num_choices;         // base(a|b)
  const dl_ident *choices;
  const dl_spec_node *otherwise;  // the default, or NULL
} dl_spec_attr_rule;

typedef struct dl_spec_statement {
  dl_ident target;
  dl_ident variadic;  // target[variadic][…]: once for each result of the group
  bool whole;         // `target = reshape(…)` or `target = elements(…)`
  size_t num_indices;
  const dl_spec_node *const *indices;
  const dl_spec_node *expr;
} dl_spec_statement;

// Parsed once per definition and context.
typedef struct dl_spec {
  const dl_op_def *def;
  bool is_free;  // every operand and result is `any`, and there are no rules and array lengths
  const dl_spec_pattern *const *operands;  // def->num_operands
  const dl_spec_pattern *const *results;   // def->num_results
  const dl_spec_attr_rule *attrs;          // def->num_attrs
  size_t num_rules;
  const dl_spec_rule *rules;
  size_t num_statements;
  const dl_spec_statement *statements;
} dl_spec;

// i32, index, f32, bool, …; NULL for other names.
dl_type dl_scalar_type_by_name(dl_context *ctx, const char *name);
// Parses all texts of a definition; every error is reported at `loc`. NULL on failure.
const dl_spec *dl_spec_parse(dl_context *ctx, const dl_op_def *def, dl_loc loc);
// Whether the definition's texts are well-formed.
dl_status dl_spec_check(dl_context *ctx, const dl_op_def *def, dl_loc loc);
// Makes room for the cache of dl_spec_of; registering the first dialect does.
void dl_spec_prepare(dl_context *ctx);
// The parsed spec of an op's definition, cached in the context; NULL after a diagnostic at the op.
const dl_spec *dl_spec_of(const dl_op *op);

// --- the pieces of the parser (ir/spec_lex.c, ir/spec_expr.c) ---

typedef enum dl_spec_token {
  DL_TOK_END,
  DL_TOK_INT,
  DL_TOK_FLOAT,
  DL_TOK_STRING,
  DL_TOK_NAME,
  DL_TOK_PUNCT
} dl_spec_token;

typedef struct dl_spec_parser {
  dl_context *ctx;
  dl_loc loc;
  const char *what;  // the part being parsed, for messages: "rule 'OH'"
  const char *text, *at, *token_start;
  dl_spec_token token;
  dl_str spelling;
  unsigned depth;
} dl_spec_parser;

void dl_spec_start(dl_spec_parser *p, const char *text);
void dl_spec_next(dl_spec_parser *p);
bool dl_spec_is(const dl_spec_parser *p, const char *punctuation_or_keyword);
bool dl_spec_accept(dl_spec_parser *p, const char *punctuation_or_keyword);
dl_status dl_spec_expect(dl_spec_parser *p, const char *punctuation);
dl_status dl_spec_name(dl_spec_parser *p, dl_ident *name);
dl_status dl_spec_syntax(dl_spec_parser *p, const char *expected);  // reports; DL_FAILED
// An expression; NULL after a diagnostic.
const dl_spec_node *dl_spec_parse_expr(dl_spec_parser *p);
// What stands between `if` and `else`: an expression without these.
const dl_spec_node *dl_spec_parse_condition(dl_spec_parser *p);
// `open` has been consumed: expressions with commas up to and with `close`.
dl_status dl_spec_parse_args(dl_spec_parser *p, const char *close, size_t *count,
                             const dl_spec_node *const **args);
// Reads an iterator from its expression form (`n < N`).
dl_status dl_spec_iterator_of(dl_spec_parser *p, const dl_spec_node *node, dl_spec_iterator *out);

#endif
