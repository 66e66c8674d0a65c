// ir/attrs.h: uniqued attributes; equal iff the pointers are equal. Fields are public and const.
//
// Parameters of dialect types and attributes share one grammar, so that dialects need no parser of
// their own:
//     #d.name<p, …>    p := attribute | type | keyword | keyword(p, …) | keyword = p | [p, …]
// A keyword is a bare identifier with dots and dashes (NCHW16c, ow.out); `keyword(…)` is a call. A
// body that does not fit the grammar is kept verbatim: one DL_ATTR_RAW parameter.
#ifndef DLIR_IR_ATTRS_H
#define DLIR_IR_ATTRS_H

#include "ir/affine.h"
#include "ir/base.h"
#include "ir/types.h"

typedef enum dl_attr_kind {
  DL_ATTR_UNIT,
  DL_ATTR_INTEGER,  // also bool: type i1
  DL_ATTR_FLOAT,
  DL_ATTR_STRING,
  DL_ATTR_TYPE,
  DL_ATTR_ARRAY,        // [a, …]
  DL_ATTR_DICT,         // {name = a, …}, sorted by name
  DL_ATTR_DENSE,        // dense<…> : tensor or vector type
  DL_ATTR_SPARSE,       // sparse<indices, values> : type
  DL_ATTR_RESOURCE,     // dense_resource<name> : tensor type
  DL_ATTR_DENSE_ARRAY,  // array<i64: …>
  DL_ATTR_MAP,          // affine_map<…>
  DL_ATTR_SET,          // affine_set<…>
  DL_ATTR_STRIDED,      // strided<[…], offset: …>
  DL_ATTR_SYMBOL,       // @root::@nested
  DL_ATTR_LOC,          // loc(…)
  DL_ATTR_DISTINCT,     // distinct[n]<a>
  DL_ATTR_DIALECT,      // #dialect.name<params>
  // Only inside dialect parameters:
  DL_ATTR_KEYWORD,
  DL_ATTR_CALL,   // keyword(params)
  DL_ATTR_KEYED,  // keyword = param
  DL_ATTR_RAW,    // text that the grammar does not cover, verbatim
} dl_attr_kind;

typedef struct dl_named_attr {
  dl_ident name;
  dl_attr value;
} dl_named_attr;

struct dl_attr_data {
  dl_context *ctx;
  dl_attr_kind kind;
  dl_type type;     // INTEGER, FLOAT, DENSE, SPARSE, RESOURCE; STRING, DIALECT: or NULL;
                    // TYPE: the type; DENSE_ARRAY: the element type
  int64_t integer;  // INTEGER up to 64 bits (sign-extended; unsigned: zero-extended; i1: 0 or 1);
                    // DISTINCT: id
  double number;    // FLOAT up to 64 bits
  dl_str bytes;     // STRING, RAW: text; DENSE: elements, little-endian, or one element if splat
                    // (i1: one byte each), none for strings; INTEGER, FLOAT wider than 64 bits: the
                    // bits; DENSE_ARRAY: packed elements
  bool splat;              // DENSE
  dl_ident dialect, name;  // DIALECT; KEYWORD, CALL, KEYED: name; SYMBOL: root name;
                           // RESOURCE: handle
  size_t count;  // ARRAY, DICT (entries), DIALECT and CALL (params), SYMBOL (nested), SPARSE (2),
                 // RAW, DENSE of strings
  const dl_attr *elements;  // ARRAY, DENSE of strings (STRING attributes; one if splat), DIALECT,
                            // CALL, SYMBOL (nested names as SYMBOL attrs), SPARSE, RAW, KEYED and
                            // DISTINCT: one
  const dl_named_attr *entries;  // DICT
  dl_map map;                    // MAP; SET: its constraints as results
  const bool *is_equality;       // SET
  int64_t offset;                // STRIDED
  const int64_t *strides;        // STRIDED: count strides
  dl_loc loc;                    // LOC
  bool has_alias;                // is or holds an affine map or set, which print as aliases
};

DL_API dl_attr dl_unit_attr(dl_context *ctx);
DL_API dl_attr dl_bool_attr(dl_context *ctx, bool value);
DL_API dl_attr dl_int_attr(dl_type type, int64_t value);
DL_API dl_attr dl_i64_attr(dl_context *ctx, int64_t value);
DL_API dl_attr dl_index_attr(dl_context *ctx, int64_t value);
DL_API dl_attr dl_float_attr(dl_type type, double value);  // rounded to the type
// A value of an integer or float type wider than 64 bits: its bits, little-endian, (width + 7) / 8
// bytes.
DL_API dl_attr dl_wide_attr(dl_type type, dl_str bits);
DL_API dl_attr dl_string_attr(dl_context *ctx, dl_str text);
DL_API dl_attr dl_typed_string_attr(dl_type type, dl_str text);
DL_API dl_attr dl_string_attr_z(dl_context *ctx, const char *text);
DL_API dl_attr dl_type_attr(dl_type type);
DL_API dl_attr dl_array_attr(dl_context *ctx, size_t count, const dl_attr *elements);
DL_API dl_attr dl_dict_attr(dl_context *ctx, size_t count, const dl_named_attr *entries);
DL_API dl_attr dl_dense_attr(dl_type shaped, dl_str elements, bool splat);  // copies the bytes
// The same, borrowing bytes that live as long as the context.
DL_API dl_attr dl_dense_attr_in_place(dl_type shaped, dl_str elements, bool splat);
// Elements of a type that is no number, given as strings: one each, or one if splat.
DL_API dl_attr dl_dense_string_attr(dl_type shaped, size_t count, const dl_attr *strings,
                                    bool splat);
// The scalar is an INTEGER or FLOAT of the element type.
DL_API dl_attr dl_splat_attr(dl_type shaped, dl_attr scalar);
// indices: a 2-D dense i64 attribute; values: a 1-D dense attribute (or splats of these).
DL_API dl_attr dl_sparse_attr(dl_type shaped, dl_attr indices, dl_attr values);
DL_API dl_attr dl_resource_attr(dl_type tensor, dl_ident name);
DL_API dl_attr dl_dense_array_attr(dl_type element, size_t count, dl_str bytes);
DL_API dl_attr dl_i64_array_attr(dl_context *ctx, size_t count, const int64_t *values);
DL_API dl_attr dl_i32_array_attr(dl_context *ctx, size_t count, const int32_t *values);
DL_API dl_attr dl_affine_map_attr(dl_map map);
DL_API dl_attr dl_affine_set_attr(dl_map constraints, const bool *is_equality);
DL_API dl_attr dl_strided_attr(dl_context *ctx, int64_t offset, size_t count,
                               const int64_t *strides);
DL_API dl_attr dl_symbol_attr(dl_context *ctx, dl_ident name);
DL_API dl_attr dl_nested_symbol_attr(dl_context *ctx, dl_ident root, size_t count,
                                     const dl_attr *nested);
DL_API dl_attr dl_loc_attr(dl_loc loc);
DL_API dl_attr dl_distinct_attr(dl_context *ctx, int64_t id, dl_attr referenced);
DL_API dl_attr dl_dialect_attr(dl_context *ctx, dl_ident dialect, dl_ident name, size_t count,
                               const dl_attr *params);
// A DIALECT attribute with `: type` behind it.
DL_API dl_attr dl_typed_dialect_attr(dl_attr attr, dl_type type);
DL_API dl_attr dl_keyword_attr(dl_context *ctx, dl_ident keyword);
DL_API dl_attr dl_call_attr(dl_context *ctx, dl_ident keyword, size_t count, const dl_attr *params);
DL_API dl_attr dl_keyed_attr(dl_context *ctx, dl_ident keyword, dl_attr value);
// Each byte DL_EMBEDDED_ATTR of the text stands for the next of `count` attributes (types as TYPE).
#define DL_EMBEDDED_ATTR '\0'
DL_API dl_attr dl_raw_attr(dl_context *ctx, dl_str text, size_t count, const dl_attr *embedded);

DL_API bool dl_is_dialect_attr(dl_attr attr, const char *dialect, const char *name);
// The value of parameter `keyword = value` of a DIALECT or CALL attribute, or NULL.
DL_API dl_attr dl_keyed_param(dl_attr attr, const char *keyword);
DL_API dl_attr dl_dict_get(dl_attr dict, dl_ident name);  // or NULL

// Element access. A RESOURCE reads the context's resource; false when the attribute has no such
// element, or the resource is unknown.
DL_API size_t dl_array_len(dl_attr array);                          // ARRAY or DENSE_ARRAY
DL_API int64_t dl_i64_at(dl_attr dense_array, size_t i);            // DENSE_ARRAY of any integer
DL_API double dl_f64_at(dl_attr dense_array, size_t i);             // DENSE_ARRAY of any float
DL_API bool dl_dense_i64(dl_attr dense, size_t i, int64_t *value);  // DENSE or RESOURCE of integers
DL_API bool dl_dense_f64(dl_attr dense, size_t i, double *value);   // DENSE or RESOURCE of floats
// The bytes of a DENSE or RESOURCE attribute in storage form (splat: *splat is set, one element).
DL_API bool dl_dense_bytes(dl_attr dense, dl_str *bytes, bool *splat);

DL_API void dl_print_attr(dl_buffer *out, dl_attr attr);

#endif
