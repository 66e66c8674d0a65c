// Reading of format strings.

#include "ir/text_format.h"

static bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

static void skip_spaces(const char **at) { *at += strspn(*at, " \n\t"); }

static void malformed(const dl_op_def *def, const char *at) {
  dl_bug(NULL, "malformed format of '%s' at \"%s\"", def->name, at);
}

static dl_str read_word(const char **at) {
  skip_spaces(at);
  if (**at == '$') ++*at;
  const char *start = *at;
  while (is_word_char(**at)) ++*at;
  return (dl_str){start, (size_t)(*at - start)};
}

static void expect(const dl_op_def *def, const char **at, char c) {
  skip_spaces(at);
  if (**at != c) malformed(def, *at);
  ++*at;
}

static bool find_value(const dl_value_spec *specs, size_t count, dl_str name, size_t *index) {
  for (size_t i = 0; i < count; i++) {
    if (!dl_str_is(name, specs[i].name)) continue;
    *index = i;
    return true;
  }
  return false;
}

static bool find_attr(const dl_op_def *def, dl_str name, size_t *index) {
  for (size_t i = 0; i < def->num_attrs; i++) {
    if (!dl_str_is(name, def->attrs[i].name)) continue;
    *index = i;
    return true;
  }
  return false;
}

static bool find_region(const dl_op_def *def, dl_str name, size_t *index) {
  for (size_t i = 0; i < def->num_regions; i++) {
    if (!dl_str_is(name, def->regions[i])) continue;
    *index = i;
    return true;
  }
  return false;
}

static bool find_successor(const dl_op_def *def, dl_str name, size_t *index) {
  for (size_t i = 0; i < def->num_successors; i++) {
    if (!dl_str_is(name, def->successors[i].name)) continue;
    *index = i;
    return true;
  }
  return false;
}

static dl_format_element variable(const dl_op_def *def, dl_str name, const char *at) {
  dl_format_element e = {0};
  if (find_value(def->operands, def->num_operands, name, &e.index))
    e.kind = DL_FORMAT_OPERAND;
  else if (find_attr(def, name, &e.index))
    e.kind = DL_FORMAT_ATTR;
  else if (find_region(def, name, &e.index))
    e.kind = DL_FORMAT_REGION;
  else if (find_successor(def, name, &e.index))
    e.kind = DL_FORMAT_SUCCESSOR;
  else
    malformed(def, at);
  return e;
}

static dl_format_element type_directive(const dl_op_def *def, const char **at) {
  dl_format_element e = {0};
  expect(def, at, '(');
  const char *start = *at;
  dl_str name = read_word(at);
  if (find_value(def->operands, def->num_operands, name, &e.index))
    e.kind = DL_FORMAT_OPERAND_TYPE;
  else if (find_value(def->results, def->num_results, name, &e.index))
    e.kind = DL_FORMAT_RESULT_TYPE;
  else
    malformed(def, start);
  expect(def, at, ')');
  return e;
}

static dl_format_element params_directive(const dl_op_def *def, const char **at) {
  dl_format_element e = {.kind = DL_FORMAT_PARAMS};
  expect(def, at, '(');
  const char *start = *at;
  if (!find_attr(def, read_word(at), &e.index)) malformed(def, start);
  expect(def, at, ',');
  expect(def, at, '#');
  e.text = read_word(at);
  expect(def, at, ')');
  return e;
}

static dl_format_element functional_type(const dl_op_def *def, const char **at) {
  expect(def, at, '(');
  read_word(at);
  expect(def, at, ',');
  read_word(at);
  expect(def, at, ')');
  return (dl_format_element){.kind = DL_FORMAT_FUNCTIONAL_TYPE};
}

static dl_format_element directive(const dl_op_def *def, const char **at) {
  static const struct {
    const char *name;
    dl_format_kind kind;
  } plain[] = {{"attr-dict", DL_FORMAT_ATTR_DICT},
               {"attr-dict-with-keyword", DL_FORMAT_ATTR_DICT_WITH_KEYWORD},
               {"operands", DL_FORMAT_OPERANDS},
               {"successors", DL_FORMAT_SUCCESSORS}};
  const char *start = *at;
  bool is_variable = *start == '$';
  dl_str word = read_word(at);
  if (word.len == 0) malformed(def, start);
  if (is_variable) return variable(def, word, start);
  for (size_t i = 0; i < DL_COUNT(plain); i++)
    if (dl_str_is(word, plain[i].name)) return (dl_format_element){.kind = plain[i].kind};
  if (dl_str_is(word, "type")) return type_directive(def, at);
  if (dl_str_is(word, "params")) return params_directive(def, at);
  if (dl_str_is(word, "functional-type")) return functional_type(def, at);
  return variable(def, word, start);
}

static dl_format_element literal(const dl_op_def *def, const char **at) {
  const char *start = ++*at, *end = strchr(start, '`');
  if (!end) malformed(def, start);
  *at = end + 1;
  return (dl_format_element){.kind = DL_FORMAT_LITERAL, .text = {start, (size_t)(end - start)}};
}

static dl_format_element next_element(const dl_op_def *def, const char **at) {
  dl_format_element e;
  skip_spaces(at);
  switch (**at) {
    case 0:
      return (dl_format_element){.kind = DL_FORMAT_END};
    case '`':
      e = literal(def, at);
      break;
    case '(':
      ++*at;
      return (dl_format_element){.kind = DL_FORMAT_OPEN};
    case ')':
      ++*at;
      expect(def, at, '?');
      return (dl_format_element){.kind = DL_FORMAT_CLOSE};
    default:
      e = directive(def, at);
  }
  e.anchor = **at == '^';
  *at += e.anchor;
  return e;
}

bool dl_needs_segment_sizes(const dl_op_def *def) {
  size_t open = 0;
  for (size_t i = 0; i < def->num_operands; i++) open += def->operands[i].arity != DL_ONE;
  return open > 1;
}

static const char *const *named_attrs(const dl_op_def *def, const dl_format_element *e,
                                      dl_arena *arena) {
  const char **names = dl_arena_alloc(arena, (def->num_attrs + 2) * sizeof *names);
  size_t count = 0;
  for (; e->kind != DL_FORMAT_END; e++)
    if (e->kind == DL_FORMAT_ATTR || e->kind == DL_FORMAT_PARAMS)
      names[count++] = def->attrs[e->index].name;
  if (dl_needs_segment_sizes(def)) names[count] = "operandSegmentSizes";
  return names;
}

typedef DL_VEC(dl_format_element) element_vec;

static void read_elements(const dl_op_def *def, element_vec *elements) {
  const char *at = def->format;
  dl_format_element e;
  do {
    e = next_element(def, &at);
    DL_PUSH(elements, e);
  } while (e.kind != DL_FORMAT_END);
}

const dl_format *dl_format_of(const dl_op_def *def, dl_ptr_map *cache, dl_arena *arena) {
  dl_format *format = dl_ptr_map_get(cache, def);
  if (format) return format;
  element_vec elements = {0};
  read_elements(def, &elements);
  dl_format_element *kept = dl_arena_alloc(arena, elements.len * sizeof *kept);
  memcpy(kept, elements.data, elements.len * sizeof *kept);
  DL_VEC_FREE(&elements);
  format = dl_arena_alloc(arena, sizeof *format);
  *format = (dl_format){kept, named_attrs(def, kept, arena)};
  dl_ptr_map_set(cache, def, format);
  return format;
}
