// ir/text.h: the textual format both ways, and the hooks with which a dialect gives an op a pretty form.
#ifndef DLIR_IR_TEXT_H
#define DLIR_IR_TEXT_H

#include "ir/op.h"
#include "ir/op_def.h"

// Parses a module, textual or binary (ir/binary.h). Other top-level ops are wrapped in an implicit
// builtin.module, as mlir-opt does.
// `path` names the text in diagnostics. Returns NULL after diagnostics. The module is not verified.
// Resources of the text ({-# … #-}, and files named by external_resources relative to path) are
// added to the context.
DL_API dl_op *dl_parse_module(dl_context *ctx, dl_str text, const char *path);
// The same without an implicit module: the text holds exactly one top-level op.
DL_API dl_op *dl_parse_single_op(dl_context *ctx, dl_str text, const char *path);
DL_API dl_op *dl_parse_file(dl_context *ctx, const char *path);  // "-" is standard input
// Parses a single attribute / type; the whole text must be consumed.
DL_API dl_attr dl_parse_attr_text(dl_context *ctx, dl_str text);
DL_API dl_type dl_parse_type_text(dl_context *ctx, dl_str text);

typedef struct dl_print_options {
  bool generic;          // --mlir-print-op-generic
  bool locations;        // -mlir-print-debuginfo
  bool local_scope;      // --mlir-print-local-scope: no aliases
  bool skip_regions;     // --mlir-print-skip-regions: `{...}` in place of each, which does not read back
  bool unique_names;     // --mlir-print-unique-ssa-ids: no two values of the text have the same name
  bool value_users;      // --mlir-print-value-users: comments that name the users of values
  bool print_resources;  // write the {-# dialect_resources #-} section with the resources used, inline (hex)
  size_t elide_elements;   // constants of so many elements or more print as __elided__; 0: none
  size_t elide_resources;  // resources of so many characters or more are left out; 0: none
} dl_print_options;

DL_API void dl_print_op(dl_buffer *out, const dl_op *op, const dl_print_options *options);  // NULL: defaults
// Writes a module to path atomically (a temporary file, then rename). The resources it uses go to a side
// file, `path` with the extension .dlw: their bytes, each aligned to 64, in the order in which the section
// {-# external_resources: {dlir: {file: "x.dlw", name: "offset:size", …}} #-} lists them. "-" is standard
// output; there, and in what is no regular file (/dev/null), resources are inline. A path that ends with .dlbc gets the binary form, which holds them.
DL_API dl_status dl_write_module(dl_op *module, const char *path, const dl_print_options *options);

// --- for pretty parsers (dl_op_def.parse) ---
// A place in the text; it becomes a location only when one is needed.
typedef const char *dl_position;

// A value name as read, not yet resolved, because its type comes later.
typedef struct dl_unresolved {
  dl_position position;
  dl_str name;         // without %; in the text
  size_t number;       // %name#number
  uint64_t loc;        // an argument's loc(…), or 0
  dl_position alias;   // of its loc(#alias), defined later in the text; or NULL
} dl_unresolved;
typedef DL_VEC(dl_unresolved) dl_unresolved_list;

DL_API dl_context *dl_p_context(dl_parser *p);
DL_API dl_loc dl_p_loc(dl_parser *p);  // of the next token
DL_API dl_loc dl_p_loc_of(dl_parser *p, dl_unresolved value);
// A place to make a location of later, if something turns out to be wrong with what is there.
DL_API dl_position dl_p_here(dl_parser *p);
DL_API dl_loc dl_p_loc_at(dl_parser *p, dl_position position);
DL_API dl_status dl_p_error(dl_parser *p, const char *format, ...) DL_PRINTF(2, 3);  // at the next token
// Punctuation or operator, exactly as text: "(", "->", "<{", ":" …
DL_API bool dl_p_accept(dl_parser *p, const char *punctuation);
DL_API dl_status dl_p_expect(dl_parser *p, const char *punctuation);
DL_API bool dl_p_peek(dl_parser *p, const char *punctuation);
DL_API bool dl_p_accept_keyword(dl_parser *p, const char *keyword);
DL_API dl_status dl_p_expect_keyword(dl_parser *p, const char *keyword);
DL_API dl_status dl_p_keyword(dl_parser *p, dl_ident *keyword);        // any bare identifier
DL_API dl_status dl_p_integer(dl_parser *p, int64_t *value);           // with optional sign
DL_API dl_status dl_p_string(dl_parser *p, dl_str *value);
DL_API dl_status dl_p_symbol(dl_parser *p, dl_ident *name);            // @name
DL_API bool dl_p_peek_symbol(dl_parser *p);
DL_API dl_status dl_p_attr(dl_parser *p, dl_attr *attr);
DL_API dl_status dl_p_typed_attr(dl_parser *p, dl_type type, dl_attr *attr);  // `1.0` with a known type
// `<…>`: the parameters of #dialect.name, whose name the op's syntax leaves out.
DL_API dl_status dl_p_dialect_attr_params(dl_parser *p, const char *dialect, const char *name,
                                          dl_attr *attr);
DL_API dl_status dl_p_type(dl_parser *p, dl_type *type);
DL_API dl_status dl_p_value(dl_parser *p, dl_unresolved *value);       // %x
DL_API bool dl_p_peek_value(dl_parser *p);
DL_API dl_status dl_p_value_list(dl_parser *p, dl_unresolved_list *values);  // %a, %b (may be empty)
// Values for names and types; reports mismatches with the definition.
DL_API dl_status dl_p_resolve(dl_parser *p, dl_unresolved value, dl_type type, dl_value **out);
// Appends an operand (a type, an attribute, a region) to the state. The state's arrays belong to the
// parser and live until the op is built.
DL_API dl_status dl_p_add_operand(dl_parser *p, dl_op_state *state, dl_unresolved value, dl_type type);
DL_API void dl_p_add_result(dl_parser *p, dl_op_state *state, dl_type type);
DL_API void dl_p_add_attr(dl_parser *p, dl_op_state *state, const char *name, dl_attr value);
// `<{…}>` and/or `{…}` / `attributes {…}` if present.
DL_API dl_status dl_p_properties(dl_parser *p, dl_op_state *state);
DL_API dl_status dl_p_attr_dict(dl_parser *p, dl_op_state *state);
DL_API dl_status dl_p_attr_dict_with_keyword(dl_parser *p, dl_op_state *state);
// A region `{ … }` whose entry block gets these arguments (names from the op's own syntax), count 0: the
// text may have its own ^bb0(…) header. A missing terminator is added: `terminator`, without operands,
// if it is not NULL.
DL_API dl_status dl_p_region(dl_parser *p, dl_op_state *state, size_t num_args, const dl_unresolved *names,
                             const dl_type *types, const dl_op_def *terminator);
// ^name, in the region that the op is in; appends it to the state.
DL_API dl_status dl_p_successor(dl_parser *p, dl_op_state *state);
// `: (types) -> types` as the generic form ends: resolves the operands and adds them and the results.
DL_API dl_status dl_p_signature(dl_parser *p, dl_op_state *state, const dl_unresolved_list *operands);
// `loc(…)` if present: where the argument of a region is from.
DL_API dl_status dl_p_arg_loc(dl_parser *p, dl_unresolved *argument);
// A region without blocks, where the op's syntax leaves one out.
DL_API void dl_p_add_region(dl_parser *p, dl_op_state *state);
// An affine expression over SSA names (`%oc * 9216 + %i + 16`) or bare names given in `names`. For SSA
// names, each distinct value becomes the next dimension and is appended to `values`.
DL_API dl_status dl_p_expr_ssa(dl_parser *p, dl_unresolved_list *values, dl_expr *expr);
DL_API dl_status dl_p_expr_names(dl_parser *p, size_t num_dims, const dl_ident *dims, size_t num_symbols,
                                 const dl_ident *symbols, dl_expr *expr);

// --- for pretty printers (dl_op_def.print). The printer has already written `%results = name`. ---
DL_API dl_buffer *dl_o_buffer(dl_printer *o);  // to append text directly
DL_API void dl_o_puts(dl_printer *o, const char *text);
DL_API void dl_o_printf(dl_printer *o, const char *format, ...) DL_PRINTF(2, 3);
DL_API void dl_o_value(dl_printer *o, const dl_value *value);         // %name
DL_API void dl_o_values(dl_printer *o, const dl_op *op, size_t first, size_t count);  // %a, %b
DL_API const char *dl_o_value_name(dl_printer *o, const dl_value *value);  // "%name", valid until destroyed
DL_API void dl_o_type(dl_printer *o, dl_type type);
DL_API void dl_o_attr(dl_printer *o, dl_attr attr);
DL_API void dl_o_attr_without_type(dl_printer *o, dl_attr attr);      // `1.000000e+00` without `: f32`
DL_API void dl_o_dialect_attr_params(dl_printer *o, dl_attr attr);    // `<…>` of a dialect attribute
DL_API void dl_o_symbol(dl_printer *o, dl_ident name);                // @name, quoted where needed
DL_API void dl_o_newline(dl_printer *o);                              // newline and current indentation
// ` {a = 1}` without the names in `omit` (NULL-terminated list, or NULL); nothing when nothing is left.
// Inherent attributes are among them unless dl_o_properties was called for the op before.
DL_API void dl_o_attr_dict(dl_printer *o, const dl_op *op, const char *const *omit);
DL_API void dl_o_attr_dict_with_keyword(dl_printer *o, const dl_op *op, const char *const *omit);
DL_API void dl_o_properties(dl_printer *o, const dl_op *op, const char *const *omit);  // ` <{…}>`
DL_API void dl_o_successor(dl_printer *o, const dl_op *op, size_t i);                  // ^bb1
// Prints ` : (operand types) -> result types`, as the generic form ends.
DL_API void dl_o_signature(dl_printer *o, const dl_op *op);
// ` {` newline … `}`. `header`: print the ^bb0(…) line of the entry block when it has arguments.
DL_API void dl_o_region(dl_printer *o, dl_region *region, bool header, bool terminator);
DL_API void dl_o_loc(dl_printer *o, dl_loc loc);  // ` loc(…)` when locations are printed
DL_API void dl_o_expr_ssa(dl_printer *o, dl_expr expr, dl_value *const *dims, dl_value *const *symbols);

#endif
