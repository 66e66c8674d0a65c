// ir/text_internal.h: what the files of the textual format share: the lexer, the parser's and the
// printer's state. The public side is ir/text.h.
#ifndef DLIR_IR_TEXT_INTERNAL_H
#define DLIR_IR_TEXT_INTERNAL_H

#include "ir/forms_internal.h"
#include "ir/op_internal.h"
#include "ir/text.h"

// Operators in one affine expression that the parser accepts.
enum { DL_MAX_EXPR_OPERATORS = 2000 };

// --- lexer (text_lexer.c) ---
typedef enum dl_token_kind {
  DL_TOK_EOF,
  DL_TOK_ERROR,    // already diagnosed
  DL_TOK_IDENT,    // letters, digits, _ $ .
  DL_TOK_AT,       // @name or @"name"
  DL_TOK_HASH,     // #name
  DL_TOK_BANG,     // !name
  DL_TOK_PERCENT,  // %name
  DL_TOK_CARET,    // ^name
  DL_TOK_STRING,   // with its quotes
  DL_TOK_INTEGER,  // decimal or 0x…
  DL_TOK_FLOAT,
  DL_TOK_PUNCT,  // one character, or -> :: {-# #-}
} dl_token_kind;

typedef struct dl_token {
  dl_token_kind kind;
  const char *text;
  size_t len;
  uint64_t line;
  const char *line_start;
} dl_token;

typedef struct dl_lexer {
  dl_context *ctx;
  const char *cursor, *end;
  uint64_t line;  // of the cursor, from 1
  const char *line_start;
  dl_ident path;
  uint32_t path_index;
  const char *begin;
  const char *drop_at;  // where to call dl_lexer_drop; NULL: nowhere
  unsigned quiet;  // > 0: speculative parsing, errors are not reported
} dl_lexer;

void dl_lexer_init(dl_lexer *lexer, dl_context *ctx, dl_str text, dl_ident path);
void dl_lex(dl_lexer *lexer, dl_token *token);
void dl_lexer_drop(dl_lexer *lexer);
dl_loc dl_lexer_loc(const dl_lexer *lexer, uint64_t line, const char *line_start, const char *at);
dl_place dl_lexer_place(const dl_lexer *lexer, const char *at);  // `at` is anywhere in the text
// Whether the bytes are a bare identifier: [A-Za-z_][A-Za-z0-9_$.]*.
bool dl_is_bare_identifier(dl_str text);
bool dl_is_numbered_label(const char *label);  // bb0, bb1, …: says no more than the position
void dl_negate_bytes(unsigned char *bytes, size_t len);  // two's complement, little-endian
bool dl_is_suffix_char(char c);                          // letters, digits, _ $ . -
// Bytes of the well-formed UTF-8 character at `at`; 0 when it is none, or NUL.
size_t dl_char_len(const char *at, const char *end);
// The value of a string token's inside: escapes \" \\ \n \t \HH resolved. Memory: `arena`, or the
// source.
dl_str dl_unescape(dl_arena *arena, dl_str raw);

// --- parser ---
// A fixed-size cache from pieces of the text to types, attributes, names (text_cache.c).
enum { DL_MAX_CACHED = 55 };  // bytes of a piece
typedef struct dl_text_cache dl_text_cache;
typedef struct dl_text_key {
  dl_str text;
  uint32_t slot;
} dl_text_key;
dl_text_key dl_text_key_of(dl_str text);  // of at most DL_MAX_CACHED bytes
const void *dl_text_cache_get(const dl_text_cache *cache, dl_text_key key);
void dl_text_cache_set(dl_text_cache **cache, dl_text_key key, const void *object);
// The end of a bracketed piece that begins at `at` (one), or of an attribute that a ',' or '}'
// ends. NULL when it does not end on the line before `end`, or has a comment in it. A guess: bytes
// of raw parameters may mislead it.
const char *dl_scan_nested(const char *at, const char *end, bool one);

// What a name in scope stands for (text_parse_ssa.c).
typedef struct dl_forward_values {
  size_t count;
  dl_value **values;  // placeholders, NULL where not used
} dl_forward_values;

typedef struct dl_ssa_entry {
  dl_str name;                 // in the text, after its %: of the definition, or of the first use
  dl_value *value;             // the first; those of one name lie one after the other
  dl_forward_values *forward;  // used, but not defined yet
  uint32_t count;              // of the values
  uint32_t key;                // the number, or a hash of the name
  bool is_number;              // then it hangs on `numbers`
  uint32_t older;              // 1 + the entry of the same chain before, 0: none
} dl_ssa_entry;

// Entries in order of appearance; those with a name that is a number hang on `numbers`, others on
// `buckets`, newest first.
typedef struct dl_ssa_scope {
  struct dl_ssa_scope *parent;  // of the isolated op around
  DL_VEC(dl_ssa_entry) entries;
  uint32_t *numbers, *buckets;  // 1 + index of an entry
  size_t num_numbers, num_buckets, in_buckets;
} dl_ssa_scope;

typedef struct dl_block_entry {
  dl_ident name;
  dl_block *block;
  dl_position at;  // of the definition, or of the first use
  bool defined;
} dl_block_entry;

typedef struct dl_region_scope {
  struct dl_region_scope *parent;
  DL_VEC(dl_block_entry *) blocks;
  dl_ptr_map by_name;  // dl_ident -> dl_block_entry; filled when there are many
} dl_region_scope;

typedef struct dl_result_name {
  dl_unresolved name;
  size_t count;  // %name:count
} dl_result_name;

// What was read for one operand or result of a definition with a format.
typedef struct dl_format_group {
  dl_unresolved_list values;
  DL_VEC(dl_type) types;
  dl_position types_at;
} dl_format_group;

// The arrays behind an op state under construction.
typedef struct dl_op_arrays {
  DL_VEC(dl_format_group) groups;  // emptied, not freed, between ops
  DL_VEC(dl_value *) operands;
  DL_VEC(dl_type) results;
  DL_VEC(dl_named_attr) attrs;
  DL_VEC(dl_named_attr) inherent;
  DL_VEC(dl_region *) regions;
  DL_VEC(dl_block *) successors;
  DL_VEC(dl_value *) passed;  // operands that the successors' brackets name
  dl_unresolved_list unresolved;
  DL_VEC(dl_result_name) result_names;
} dl_op_arrays;

// loc(#alias) read before the alias is defined: the location of an op or of a block argument.
typedef struct dl_deferred_loc {
  dl_op *op;
  dl_value *arg;
  dl_position where;  // of the alias
} dl_deferred_loc;

struct dl_parser {
  dl_context *ctx;
  dl_lexer lexer;
  dl_token token;   // the next one
  dl_arena *arena;  // freed after parsing; what was taken while an op was read, after it
  dl_arena *kept;   // freed after parsing
  dl_text_cache *types, *attrs, *infos, *names;
  DL_VEC(dl_type) type_stack;         // of the lists being read
  DL_VEC(dl_named_attr) entry_stack;  // of the dictionaries being read
  unsigned depth;
  dl_ptr_map attr_aliases, type_aliases;  // dl_ident -> dl_attr, dl_type
  dl_ptr_map formats;                     // dl_op_def -> dl_format
  dl_ssa_scope *scope;                    // of the innermost isolated op
  dl_region_scope *region;
  DL_VEC(const dl_op_def *) enclosing;  // definitions of the ops around, outermost first
  DL_VEC(dl_place) loc_aliases;         // #loc, #loc0, #loc1, …; 0 where there is none
  bool named_locs;                      // some alias with such a name is among attr_aliases
  DL_VEC(dl_deferred_loc) deferred_locs;
  dl_op_arrays *state;          // of the op being read
  DL_VEC(dl_op_arrays *) pool;  // one per level of nested ops, reused
  size_t pool_used;
  const dl_op_info *info;  // of the op being read
  const dl_op_def *def;
  dl_place op_loc;
  bool infer_results;       // the op's infer hook gives the result types
  DL_VEC(dl_op *) orphans;  // placeholders whose uses will be destroyed with a failed text
  bool failed;              // an error was reported: what follows from it is not
  const char *path;         // of the file, for external resources
};

void dl_parser_init(dl_parser *p, dl_context *ctx, dl_str text, dl_ident path);
void dl_parser_finish(dl_parser *p);
// Goes on with another text, for many short ones, of a type or an attribute each.
void dl_parser_restart(dl_parser *p, dl_str text);
dl_type dl_parse_whole_type(dl_parser *p);  // NULL after a diagnostic; the text must end after it
dl_attr dl_parse_whole_attr(dl_parser *p);

void dl_advance(dl_parser *p);
static inline bool dl_at_punct(const dl_parser *p, char c) {
  return p->token.kind == DL_TOK_PUNCT && p->token.len == 1 && *p->token.text == c;
}
bool dl_accept_punct(dl_parser *p, char c);
dl_status dl_expect_punct(dl_parser *p, char c, const char *where);
bool dl_at_keyword(const dl_parser *p, const char *keyword);
dl_str dl_token_str(const dl_parser *p);
dl_status dl_enter(dl_parser *p);  // counts nesting; diagnoses when it is too deep
void dl_leave(dl_parser *p);

typedef struct dl_checkpoint {
  dl_token token;
  dl_lexer lexer;
  unsigned depth;
} dl_checkpoint;
dl_checkpoint dl_save(const dl_parser *p);
void dl_restore(dl_parser *p, dl_checkpoint checkpoint);
// Reads on from the given byte, which is on the next token's line.
void dl_relex_from(dl_parser *p, const char *at);
dl_position dl_position_of(const dl_parser *p);  // of the next token
dl_loc dl_loc_at(dl_parser *p, dl_position position);

dl_status dl_parse_type(dl_parser *p, dl_type *type);
dl_status dl_parse_optional_type(dl_parser *p, dl_type *type);  // *type NULL when none begins here
dl_status dl_parse_function_type(dl_parser *p, dl_type *type);
// The types go to the end of the parser's stack.
dl_status dl_parse_type_list_parens(dl_parser *p);
dl_status dl_parse_result_types(dl_parser *p);
// `type`: what an untyped number is taken for, or NULL (i64, f64, or `: type` follows).
dl_status dl_parse_attr(dl_parser *p, dl_type type, dl_attr *attr);
dl_status dl_parse_attr_dict(dl_parser *p, dl_attr *dict);
// The entries are on the parser's stack from *first on, whose length the caller resets to that.
dl_status dl_parse_dict_entries(dl_parser *p, size_t *first);
dl_status dl_parse_symbol_name(dl_parser *p, dl_ident *name);
dl_status dl_parse_string(dl_parser *p, dl_str *value);
dl_status dl_parse_name_string(dl_parser *p, dl_ident *name);  // a string without NUL bytes
dl_status dl_parse_i64(dl_parser *p, int64_t *value);          // with optional sign
dl_status dl_parse_unsigned(dl_parser *p, uint64_t *value);
// The value of an integer token with an optional minus, as a value of `type` (any width).
dl_status dl_parse_integer_value(dl_parser *p, dl_type type, bool negative, dl_attr *attr);
double dl_token_double(const dl_parser *p);  // of a FLOAT token
dl_status dl_float_from_token(dl_parser *p, dl_type type, bool negative, dl_attr *attr);
// dense<…>, sparse<…>, dense_resource<…> after the keyword.
dl_status dl_parse_dense(dl_parser *p, dl_type type, dl_attr *attr);
dl_status dl_parse_sparse(dl_parser *p, dl_type type, dl_attr *attr);
dl_status dl_parse_resource(dl_parser *p, dl_type type, dl_attr *attr);
dl_status dl_parse_dense_array(dl_parser *p, dl_attr *attr);
size_t dl_hex_bytes(dl_type scalar);              // of one number in hexadecimal elements
bool dl_decode_hex(dl_str text, dl_buffer *out);  // "0x…" with whole bytes
// `#dialect.name<params>` or `!dialect.name<params>`, at the # or ! token; *name is NULL without a
// dot.
dl_status dl_parse_dialect_symbol(dl_parser *p, dl_ident *dialect, dl_ident *name, size_t *count,
                                  dl_attr **params);
dl_status dl_parse_map_or_set(dl_parser *p, bool want_set, dl_attr *attr);
// Maps and sets are kept as written; those that ops we know are to work with become canonical.
dl_attr dl_simplified_affine(dl_attr attr);  // a map, a set, a list of maps; others as they are
dl_status dl_parse_loc_instance(dl_parser *p, dl_loc *loc);  // inside loc( )
// `loc(…)` if present; *place stays as it is when absent. *deferred: the alias in the text when it
// is defined later, or NULL.
dl_status dl_parse_trailing_loc(dl_parser *p, dl_place *place, dl_position *deferred);
// The definition of a location's alias, with the token after its `=`, and what was defined.
dl_status dl_parse_loc_alias(dl_parser *p, dl_str name);
bool dl_find_loc_alias(dl_parser *p, dl_str name, dl_place *place);
// The alias, a location or not, as an attribute; NULL when it is not defined.
dl_attr dl_find_attr_alias(dl_parser *p, dl_str name);
void dl_set_attr_alias(dl_parser *p, dl_str name, dl_attr attr);
// An identifier of the text, interned.
dl_ident dl_parse_intern(dl_parser *p, dl_str text);
dl_status dl_parse_resource_sections(dl_parser *p);  // {-# … #-}

// An entry that is not ours, of external_resources or of a dialect that is not loaded: "string",
// true or false, as written.
typedef struct dl_external_entry {
  const char *section;  // one of the following
  dl_ident group, key;
  dl_str value;
} dl_external_entry;
extern const char dl_dialect_section[], dl_external_section[];  // dialect_resources, …
typedef DL_VEC(dl_external_entry) dl_external_list;
const dl_external_list *dl_external_entries(dl_context *ctx);  // of all texts read; or NULL
void dl_keep_external(dl_context *ctx, dl_external_entry entry);  // copies the value

// SSA names. Scopes of isolated ops are separate; within one, names die with the region that
// defines them.
void dl_push_ssa_scope(dl_parser *p, dl_ssa_scope *scope);
// Reports names that were used and never defined.
dl_status dl_pop_ssa_scope(dl_parser *p);
size_t dl_mark_names(const dl_parser *p);
void dl_forget_names(dl_parser *p, size_t mark);  // those defined since; undefined ones stay
// `first` is followed by the others.
dl_status dl_define_values(dl_parser *p, dl_unresolved name, size_t count, dl_value *first);

dl_status dl_parse_op(dl_parser *p, dl_block *block);  // appends it
void dl_free_arrays(dl_parser *p);
// `{ … }`; `names` and `types`: arguments of the entry block that the op's own syntax gives.
dl_status dl_parse_region(dl_parser *p, dl_region *region, size_t num_args,
                          const dl_unresolved *names, const dl_type *types);
dl_status dl_parse_successor(dl_parser *p, dl_block **block);
dl_status dl_parse_op_format(dl_parser *p, dl_op_state *state, const dl_op_def *def);
void dl_sync_state(dl_parser *p, dl_op_state *state);  // after the arrays grew

// --- printer ---
// What dl_op.number and its like hold besides a number.
#define DL_NAME_IS_TEXT (UINT32_C(1) << 31)  // in the printer's map
#define DL_NAME_IS_ARG (UINT32_C(1) << 30)   // after "arg"

// Texts of types (open addressing) and of short attributes, each written once.
typedef struct dl_printed_type {
  dl_type type;
  dl_str text;
} dl_printed_type;
typedef struct dl_printed_types {
  dl_printed_type *slots;
  size_t len, capacity;
} dl_printed_types;
typedef struct dl_printed_attr dl_printed_attr;

enum { DL_FLUSH_SIZE = 1 << 18 };

struct dl_printer {
  dl_context *ctx;
  dl_buffer *out;
  void (*flush)(dl_printer *o);  // called now and then when much is in `out`, which it may empty
  FILE *file;                    // for flush
  dl_print_options options;
  unsigned indent;
  dl_arena *arena;
  dl_ptr_map value_names;  // dl_value -> "%name", where a number in the op does not say it
  dl_ptr_map block_names;  // dl_block -> "name"
  bool has_outside;        // value_names holds values from outside of what is printed
  dl_ptr_map branched;     // blocks that are a successor of some op
  bool collecting;         // aliases are being found: what is written does not count
  dl_printed_types types;
  dl_printed_attr *attrs;  // a cache, direct-mapped
  bool use_aliases;        // affine maps and sets become #map, #set as they are met
  dl_ptr_map aliases;      // dl_attr -> "#map"
  dl_buffer alias_lines;   // their definitions
  unsigned num_maps, num_sets;
  DL_VEC(dl_ident) resources;  // named by what was printed
  dl_ptr_map resource_seen;
  dl_ptr_map formats;    // dl_op_def -> dl_format
  bool properties_done;  // of the op being printed: attributes left are discardable ones
};

void dl_write_type(dl_printer *o, dl_type type);
void dl_write_attr(dl_printer *o, dl_attr attr);
void dl_write_attr_untyped(dl_printer *o, dl_attr attr);  // MLIR's elided type
void dl_write_string(dl_buffer *out, dl_str text);        // with quotes and escapes
void dl_write_symbol(dl_buffer *out, dl_ident name);      // @name
void dl_write_keyword_or_string(dl_buffer *out, dl_ident name);
void dl_write_double(dl_buffer *out, double value, dl_type type);
void dl_write_float_bits(dl_buffer *out, dl_float_kind kind, uint64_t bits);
void dl_write_dict_entries(dl_printer *o, size_t count, const dl_named_attr *entries);
void dl_write_number(dl_buffer *out, dl_type type, const char *at);  // from its storage form
void dl_write_dense_body(dl_printer *o, dl_attr attr);
void dl_write_params(dl_printer *o, dl_ident name, size_t count, const dl_attr *params);
void dl_write_wide_int(dl_buffer *out, dl_str bits, bool is_signed);
void dl_write_hex(dl_buffer *out, dl_str bytes);
void dl_write_loc(dl_printer *o, dl_loc loc);
void dl_write_place(dl_printer *o, dl_place place);
// Whether the op's types or attributes hold an affine map or set.
bool dl_mentions_aliases(const dl_op *op);
void dl_write_set(dl_buffer *out, dl_attr set);
// Names all values and blocks below op, but for those in isolated ops, each of which is named
// before it is printed.
void dl_name_values(dl_printer *o, const dl_op *op);
bool dl_names_at_once(const dl_printer *o);  // isolated ops too are named from the start
void dl_name_isolated(dl_printer *o, const dl_op *op);
void dl_printer_free(dl_printer *o);
// The section {-# … #-} with the resources that were named. `side_file` (may be NULL): where their
// bytes are, each aligned to DL_SIDE_ALIGNMENT, in their order.
enum { DL_SIDE_ALIGNMENT = 64 };
void dl_write_resource_sections(dl_printer *o, dl_ident side_file);
// Prints op and what it needs: aliases before it, resources after it if asked for.
void dl_write_top_level(dl_printer *o, const dl_op *op);
void dl_write_op_format(dl_printer *o, const dl_op *op, const dl_op_def *def);

#endif
