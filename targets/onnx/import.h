// targets/onnx/import.h: the importer's own structures. An ONNX node is read into a dl_onnx_node,
// brought to the newest operator set by upgrade.c, and built as graph operations by the function
// that the table in operators.c names for its operator.
#ifndef DLIR_TARGETS_ONNX_IMPORT_H
#define DLIR_TARGETS_ONNX_IMPORT_H

#include "ir/op.h"
#include "ir/op_def.h"
#include "targets/onnx/model.h"

#define DL_ONNX_MAX_OPSET 27

typedef struct dl_onnx_importer {
  dl_context *ctx;
  dl_onnx_model model;
  dl_builder builder;       // at the end of @main's body
  dl_ptr_map values;        // ONNX value name (interned) -> dl_value
  dl_ptr_map failed;        // names of values that could not be built; their users are passed over
  dl_ptr_map initializers;  // name (interned) -> dl_onnx_tensor not yet built
  dl_ptr_map declared;      // name (interned) -> Onnx__ValueInfoProto
  dl_ptr_map files;         // path of external data (interned) -> dl_onnx_file
  const dl_named_text *options;
  size_t num_options;
} dl_onnx_importer;

// A node on its way into the graph. Attributes are DLIR's: ints are i64, lists are dense arrays,
// tensors dense or resource attributes.
typedef struct dl_onnx_node {
  dl_onnx_importer *importer;
  dl_context *ctx;
  const Onnx__NodeProto *proto;
  const char *op_type;
  int64_t opset;              // the version of its domain's operator set; upgrades raise it
  dl_loc loc;                 // loc("node name")
  DL_VEC(dl_value *) inputs;  // NULL: left out
  DL_VEC(dl_named_attr) attrs;
  size_t num_outputs;  // without left-out ones at the end
} dl_onnx_node;

// A node's or value's location with the model's file, for diagnostics.
dl_loc dl_onnx_file_loc(const dl_onnx_importer *importer, dl_loc loc);
// Emits "<op_type> 'name': <message>" at the node; returns DL_FAILED.
dl_status dl_onnx_error(const dl_onnx_node *node, const char *format, ...) DL_PRINTF(2, 3);

// --- inputs and attributes of a node ---
dl_value *dl_onnx_input(const dl_onnx_node *node, size_t i);  // NULL when absent
void dl_onnx_set_input(dl_onnx_node *node, size_t i, dl_value *value);
dl_status dl_onnx_require_input(const dl_onnx_node *node, size_t i);  // an error when absent
bool dl_onnx_has_output(const dl_onnx_node *node, size_t i);
// The rank of a value, or -1 when it is unknown.
int64_t dl_onnx_rank(const dl_value *value);

dl_attr dl_onnx_attr(const dl_onnx_node *node, const char *name);  // NULL when absent
int64_t dl_onnx_int(const dl_onnx_node *node, const char *name, int64_t otherwise);
bool dl_onnx_attr_is(const dl_onnx_node *node, const char *name, const char *text);  // a string
void dl_onnx_set_attr(dl_onnx_node *node, const char *name, dl_attr value);          // NULL removes
dl_attr dl_onnx_take_attr(dl_onnx_node *node, const char *name);  // removes and returns

// --- building ---
// A graph.constant of the attribute.
dl_value *dl_onnx_constant(dl_onnx_node *node, dl_attr value);
dl_value *dl_onnx_i64_constant(dl_onnx_node *node, size_t count, const int64_t *values);  // rank 1
dl_value *dl_onnx_scalar_constant(dl_onnx_node *node, dl_type element, double value);     // rank 0

// Builds the graph operation `op` from the node's inputs and attributes, matched to the operation's
// declaration by position and by name, and writes one value per output of the node. Result types
// are inferred. An attribute that the operation does not declare is an error.
dl_status dl_onnx_build(dl_onnx_node *node, const char *op, dl_value **results);
// Builds an operation with one result from given operands and attributes. NULL after a diagnostic.
dl_value *dl_onnx_build_one(dl_onnx_node *node, const char *op, size_t num_operands,
                            dl_value *const *operands, size_t num_attrs,
                            const dl_named_attr *attrs);
// The same of one and two operands without attributes; NULL also when an operand is.
dl_value *dl_onnx_unary(dl_onnx_node *node, const char *op, dl_value *x);
dl_value *dl_onnx_binary(dl_onnx_node *node, const char *op, dl_value *a, dl_value *b);
// x with elements of the type, x itself when it has them.
dl_value *dl_onnx_cast_to(dl_onnx_node *node, dl_value *x, dl_type element);

// Replaces `values`, the results of op, by constants where op is shape arithmetic on constants;
// erases op then.
dl_status dl_onnx_fold(dl_onnx_node *node, dl_op *op, dl_value **values);

// --- types ---
// The element type, or NULL when DLIR has none for it.
dl_type dl_onnx_element_type(dl_context *ctx, int64_t type);
// The type that the file declares for a value, or NULL when it says too little: a rank at least.
dl_type dl_onnx_declared_type(dl_onnx_importer *importer, const char *name);
// `#graph.enc<dims = […]>` for names (NULL: none) of dimensions; NULL when all are NULL.
dl_attr dl_onnx_dims_attr(dl_context *ctx, size_t rank, const dl_ident *names);
// The type of a declaration, checked. NULL after a diagnostic.
dl_type dl_onnx_value_type(dl_onnx_importer *importer, const Onnx__ValueInfoProto *info);
// A tensor as an attribute: in place for a few elements, else a resource called after `name`. Takes
// over decoded elements; others must lie in the model's file or in external data. NULL after a
// diagnostic at `loc`.
dl_attr dl_onnx_tensor_attr(dl_onnx_importer *importer, dl_onnx_tensor *tensor, const char *name,
                            dl_loc loc);
// An ONNX name as an SSA name, dimension name or keyword: a leading '/' is dropped, every byte
// outside of [A-Za-z0-9_$.-] becomes '_', and '_' is put before a digit or when nothing is left.
dl_ident dl_onnx_mangle(dl_context *ctx, const char *name);

// --- the steps ---
// The node's name; without one its first output's.
dl_ident dl_onnx_node_name(dl_context *ctx, const Onnx__NodeProto *proto);
// Reads the node's inputs and attributes. Release the node in any case.
dl_status dl_onnx_node_read(dl_onnx_importer *importer, const Onnx__NodeProto *proto,
                            dl_onnx_node *node);
void dl_onnx_node_release(dl_onnx_node *node);
// Rewrites a node of an older operator set into the form of the newest one.
dl_status dl_onnx_upgrade(dl_onnx_node *node);

typedef struct dl_onnx_operator {
  const char *op_type;  // of the domain "ai.onnx"
  const char *op;       // the graph operation it becomes, or the main one
  // Writes one value per output. NULL: dl_onnx_build with `op`.
  dl_status (*emit)(dl_onnx_node *node, dl_value **results);
  const char *ignored;  // attributes without meaning for inference, separated by commas; or NULL
} dl_onnx_operator;

// Operators that become more than one operation of the same name: see the files emit_*.c.
dl_status dl_onnx_emit_conv(dl_onnx_node *node, dl_value **results);
dl_status dl_onnx_emit_conv_transpose(dl_onnx_node *node, dl_value **results);
dl_status dl_onnx_emit_average_pool(dl_onnx_node *node, dl_value **results);
dl_status dl_onnx_emit_max_pool(dl_onnx_node *node, dl_value **results);
dl_status dl_onnx_emit_batch_norm(dl_onnx_node *node, dl_value **results);
dl_status dl_onnx_emit_cast(dl_onnx_node *node, dl_value **results);
dl_status dl_onnx_emit_constant(dl_onnx_node *node, dl_value **results);
dl_status dl_onnx_emit_cross_entropy(dl_onnx_node *node, dl_value **results);
dl_status dl_onnx_emit_dropout(dl_onnx_node *node, dl_value **results);
dl_status dl_onnx_emit_identity(dl_onnx_node *node, dl_value **results);
dl_status dl_onnx_emit_mean(dl_onnx_node *node, dl_value **results);
dl_status dl_onnx_emit_pad(dl_onnx_node *node, dl_value **results);
dl_status dl_onnx_emit_rms_norm(dl_onnx_node *node, dl_value **results);
dl_status dl_onnx_emit_softmax(dl_onnx_node *node, dl_value **results);
dl_status dl_onnx_emit_sum(dl_onnx_node *node, dl_value **results);

// The table's row for a node, or NULL when the operator is not supported (by the table, or because
// the graph dialect has no such operation).
const dl_onnx_operator *dl_onnx_find_operator(dl_context *ctx, const Onnx__NodeProto *proto);

// The value of a name: an input, an initializer (built on first use), or an earlier node's output.
// NULL after a diagnostic at `loc` when there is none.
dl_value *dl_onnx_lookup(dl_onnx_importer *importer, const char *name, dl_loc loc);

// Imports a model: the target's `import` hook.
dl_op *dl_onnx_import(dl_context *ctx, const char *path, const dl_named_text *options,
                      size_t num_options);

#endif
