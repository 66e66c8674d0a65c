// passes/graph/structure.h: what graph passes ask about an op's computation, answered from its
// bound spec and so for every op alike.
#ifndef DLIR_PASSES_GRAPH_STRUCTURE_H
#define DLIR_PASSES_GRAPH_STRUCTURE_H

#include "ir/op.h"
#include "ir/spec.h"

// Whether a statement lists elements that are all known.
bool dl_is_table(const dl_bound_statement *statement);
// Whether the op is a dense computation with at least one statement that computes (not only
// reshapes, and no list of single elements).
bool dl_is_dense_compute(const dl_bound_spec *bound);
// Whether the op has one result, of the size of operand number `operand`, and each element of it
// depends on the same element of that operand alone, on broadcast or equally indexed elements of
// others, and on nothing else.
bool dl_is_elementwise_in(const dl_bound_spec *bound, size_t operand);
// Whether a value is computed from constants alone, by pure ops; it is then known at compile time.
bool dl_is_compile_time(const dl_value *value);
// The iterator whose step moves `index` by one while all else in it is a multiple of `block`;
// SIZE_MAX if none. Iterators of extent 1 count as 0.
size_t dl_unit_iterator(const dl_bound_statement *statement, dl_expr index, int64_t block);
// The operand that the op's only result is a copy of, element by element and in the same order
// (identity, reshape, a transposition or padding that changes nothing …), or NULL. Their types may
// differ.
dl_value *dl_copied_operand(const dl_bound_spec *bound);
// Whether evaluating the op looks at the elements or the unknown sizes of operand number `operand`.
bool dl_depends_on(const dl_bound_spec *bound, size_t operand);

#endif
