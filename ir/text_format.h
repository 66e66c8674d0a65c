// ir/text_format.h (internal): declarative pretty forms, dl_op_def.format (docs/specs.md,
// "format").
#ifndef DLIR_IR_TEXT_FORMAT_H
#define DLIR_IR_TEXT_FORMAT_H

#include "ir/text_internal.h"

typedef enum dl_format_kind {
  DL_FORMAT_END,
  DL_FORMAT_LITERAL,  // `text`
  DL_FORMAT_OPERAND,  // $name: index is its place in the definition
  DL_FORMAT_ATTR,
  DL_FORMAT_REGION,
  DL_FORMAT_OPERAND_TYPE,  // type($name)
  DL_FORMAT_RESULT_TYPE,
  DL_FORMAT_PARAMS,    // params($attr, #dialect.name): the <…> of a dialect attribute
  DL_FORMAT_OPERANDS,  // all operands
  DL_FORMAT_SUCCESSORS,
  DL_FORMAT_SUCCESSOR,
  DL_FORMAT_FUNCTIONAL_TYPE,
  DL_FORMAT_ATTR_DICT,
  DL_FORMAT_ATTR_DICT_WITH_KEYWORD,
  DL_FORMAT_OPEN,  // ( … )?
  DL_FORMAT_CLOSE,
} dl_format_kind;

typedef struct dl_format_element {
  dl_format_kind kind;
  dl_str text;   // LITERAL; PARAMS: dialect.name
  size_t index;  // OPERAND, ATTR, REGION, SUCCESSOR, …_TYPE, PARAMS
  bool anchor;   // decides whether the optional group is printed
} dl_format_element;

// The elements of a definition's format, up to END, and the attributes that they name,
// NULL-terminated: attr-dict leaves those out. Read once per parser or printer, kept in `cache` and
// `arena`. A malformed format is a bug of the definition.
typedef struct dl_format {
  const dl_format_element *elements;
  const char *const *named_attrs;
} dl_format;
const dl_format *dl_format_of(const dl_op_def *def, dl_ptr_map *cache, dl_arena *arena);
// More than one operand group has no fixed size.
bool dl_needs_segment_sizes(const dl_op_def *def);

#endif
