// ir/types.h: uniqued types; equal iff the pointers are equal. The fields are public and const:
// read them after looking at the kind.
#ifndef DLIR_IR_TYPES_H
#define DLIR_IR_TYPES_H

#include "ir/base.h"
#include "ir/context.h"
#include "ir/diag.h"

typedef const struct dl_type_data *dl_type;

typedef enum dl_type_kind {
  DL_TYPE_NONE,
  DL_TYPE_INDEX,
  DL_TYPE_INTEGER,
  DL_TYPE_FLOAT,
  DL_TYPE_COMPLEX,
  DL_TYPE_FUNCTION,
  DL_TYPE_TUPLE,
  DL_TYPE_TENSOR,  // ranked or unranked
  DL_TYPE_MEMREF,  // ranked or unranked
  DL_TYPE_VECTOR,
  DL_TYPE_DIALECT,  // !dialect.name<params>
} dl_type_kind;

typedef enum dl_signedness { DL_SIGNLESS, DL_SIGNED, DL_UNSIGNED } dl_signedness;

typedef enum dl_float_kind {
  DL_F16,
  DL_BF16,
  DL_F32,
  DL_F64,
  DL_F80,
  DL_F128,
  DL_TF32,
  DL_F8E5M2,
  DL_F8E4M3,
  DL_F8E4M3FN,
  DL_F8E5M2FNUZ,
  DL_F8E4M3FNUZ,
  DL_F8E4M3B11FNUZ,
  DL_F8E3M4,
  DL_F8E8M0FNU,
  DL_F6E2M3FN,
  DL_F6E3M2FN,
  DL_F4E2M1FN,
} dl_float_kind;

#define DL_DYNAMIC INT64_MIN  // a dimension, stride or offset that is known only at run time

struct dl_type_data {
  dl_context *ctx;
  dl_type_kind kind;
  unsigned width;                  // INTEGER: bits
  dl_signedness signedness;        // INTEGER
  dl_float_kind float_kind;        // FLOAT
  dl_type element;                 // COMPLEX, TENSOR, MEMREF, VECTOR
  bool unranked;                   // TENSOR, MEMREF
  size_t rank;                     // TENSOR, MEMREF, VECTOR
  const int64_t *shape;            // rank sizes, DL_DYNAMIC where unknown
  const bool *scalable;            // VECTOR: rank flags, or NULL when none is set
  dl_attr encoding;                // TENSOR: or NULL
  dl_attr layout, space;           // MEMREF: affine map or strided layout, memory space; or NULL
  size_t num_inputs, num_results;  // FUNCTION; TUPLE uses results
  const dl_type *inputs, *results;
  dl_ident dialect, name;  // DIALECT: "loop", "ptr"; name may be NULL for quoted opaque !d<"…">
  bool has_alias;          // holds an affine map or set somewhere, which print as aliases
  size_t num_params;       // DIALECT: see ir/attrs.h, "parameters"
  const dl_attr *params;
};

DL_API dl_type dl_none_type(dl_context *ctx);
DL_API dl_type dl_index_type(dl_context *ctx);
DL_API dl_type dl_int_type(dl_context *ctx, unsigned width);  // signless
DL_API dl_type dl_integer_type(dl_context *ctx, unsigned width, dl_signedness signedness);
DL_API dl_type dl_float_type(dl_context *ctx, dl_float_kind kind);
DL_API dl_type dl_f32_type(dl_context *ctx);
DL_API dl_type dl_complex_type(dl_type element);
DL_API dl_type dl_function_type(dl_context *ctx, size_t num_inputs, const dl_type *inputs,
                                size_t num_results, const dl_type *results);
DL_API dl_type dl_tuple_type(dl_context *ctx, size_t count, const dl_type *elements);
DL_API dl_type dl_tensor_type(dl_type element, size_t rank, const int64_t *shape, dl_attr encoding);
DL_API dl_type dl_unranked_tensor_type(dl_type element);
DL_API dl_type dl_memref_type(dl_type element, size_t rank, const int64_t *shape, dl_attr layout,
                              dl_attr space);
DL_API dl_type dl_unranked_memref_type(dl_type element, dl_attr space);
DL_API dl_type dl_vector_type(dl_type element, size_t rank, const int64_t *shape,
                              const bool *scalable);
DL_API dl_type dl_dialect_type(dl_context *ctx, dl_ident dialect, dl_ident name, size_t num_params,
                               const dl_attr *params);

static inline bool dl_is_tensor(dl_type t) { return t->kind == DL_TYPE_TENSOR; }
static inline bool dl_is_float(dl_type t) { return t->kind == DL_TYPE_FLOAT; }
static inline bool dl_is_integer(dl_type t) { return t->kind == DL_TYPE_INTEGER; }
static inline bool dl_is_index(dl_type t) { return t->kind == DL_TYPE_INDEX; }
DL_API bool dl_is_dialect_type(dl_type type, const char *dialect, const char *name);
DL_API bool dl_has_static_shape(dl_type shaped);
// The number of elements of a static shape; -1 when dynamic or when it overflows int64_t.
DL_API int64_t dl_num_elements(dl_type shaped);
DL_API unsigned dl_float_width(dl_float_kind kind);  // bits
DL_API size_t dl_element_bytes(dl_type scalar);      // storage: i1 is 1, index is 8, f32 is 4
DL_API dl_type dl_element_type(dl_type type);        // of tensor, memref, vector; else itself
// The same shape with other elements.
DL_API dl_type dl_with_element(dl_type shaped_or_scalar, dl_type element);
DL_API const char *dl_float_name(dl_float_kind kind);  // "f32", "f8E4M3FN", …

// The bits of `value` rounded to the kind (to nearest, ties to even), and back; kinds of up to 64
// bits. What is too large becomes infinity; NaN where the kind has none; the largest value where it
// has neither.
DL_API uint64_t dl_float_encode(dl_float_kind kind, double value);
DL_API double dl_float_decode(dl_float_kind kind, uint64_t bits);

DL_API void dl_print_type(dl_buffer *out, dl_type type);

#endif
