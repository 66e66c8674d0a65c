#include "ir/spec_yaml.h"

#include <ctype.h>
#include <errno.h>
#include <yaml.h>

#include "ir/diag.h"
#include "ir/spec.h"
#include "ir/spec_internal.h"

typedef struct reader {
  dl_context *ctx;
  dl_ident path;
  yaml_document_t document;
} reader;

// --- YAML nodes ---

static dl_loc node_loc(reader *r, const yaml_node_t *node) {
  return dl_loc_file(r->ctx, r->path, node->start_mark.line + 1, node->start_mark.column + 1);
}

static size_t node_count(const yaml_node_t *node) {
  if (node->type == YAML_SEQUENCE_NODE)
    return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
  if (node->type == YAML_MAPPING_NODE)
    return (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
  return 0;
}

static yaml_node_t *item_at(reader *r, const yaml_node_t *sequence, size_t i) {
  return yaml_document_get_node(&r->document, sequence->data.sequence.items.start[i]);
}

static yaml_node_t *key_at(reader *r, const yaml_node_t *mapping, size_t i) {
  return yaml_document_get_node(&r->document, mapping->data.mapping.pairs.start[i].key);
}

static yaml_node_t *value_at(reader *r, const yaml_node_t *mapping, size_t i) {
  return yaml_document_get_node(&r->document, mapping->data.mapping.pairs.start[i].value);
}

static const char *copy_text(reader *r, const char *text, size_t len) {
  while (len && isspace((unsigned char)text[len - 1])) len--;
  while (len && isspace((unsigned char)*text)) text++, len--;
  char *copy = dl_context_alloc(r->ctx, len + 1);
  memcpy(copy, text, len);
  copy[len] = 0;
  return copy;
}

static dl_status read_text(reader *r, const yaml_node_t *node, const char **text) {
  if (node->type != YAML_SCALAR_NODE) return dl_error(node_loc(r, node), "expected text");
  *text = copy_text(r, (const char *)node->data.scalar.value, node->data.scalar.length);
  return DL_OK;
}

static dl_status expect_mapping(reader *r, const yaml_node_t *node, const char *what) {
  if (node->type != YAML_MAPPING_NODE)
    return dl_error(node_loc(r, node), "expected a mapping of %s", what);
  for (size_t i = 0; i < node_count(node); i++) {
    const yaml_node_t *key = key_at(r, node, i);
    if (key->type != YAML_SCALAR_NODE) return dl_error(node_loc(r, key), "expected a name");
    for (size_t j = 0; j < i; j++)
      if (!strcmp((const char *)key_at(r, node, j)->data.scalar.value,
                  (const char *)key->data.scalar.value))
        return dl_error(node_loc(r, key), "'%s' appears twice", key->data.scalar.value);
  }
  return DL_OK;
}

static bool is_identifier(const char *text) {
  if (!isalpha((unsigned char)*text) && *text != '_') return false;
  while (isalnum((unsigned char)*text) || *text == '_') text++;
  return !*text;
}

static dl_status check_identifier(reader *r, const yaml_node_t *node, const char *name) {
  if (is_identifier(name)) return DL_OK;
  return dl_error(node_loc(r, node), "'%s' is no identifier", name);
}

// --- the parts of an op ---

// Reads a key such as `name`, `name?` or `name*`.
static dl_status read_marked_name(reader *r, const yaml_node_t *key, const char **name,
                                  dl_arity *arity) {
  const char *text = (const char *)key->data.scalar.value;
  size_t len = key->data.scalar.length;
  *arity = DL_ONE;
  if (len && text[len - 1] == '?') *arity = DL_OPTIONAL;
  if (len && text[len - 1] == '*') *arity = DL_VARIADIC;
  *name = copy_text(r, text, len - (*arity != DL_ONE));
  return check_identifier(r, key, *name);
}

static dl_status read_values(reader *r, const yaml_node_t *node, size_t *count,
                             const dl_value_spec **out) {
  DL_TRY(expect_mapping(r, node, "names to type patterns"));
  *count = node_count(node);
  dl_value_spec *specs = dl_context_alloc(r->ctx, (*count + 1) * sizeof *specs);
  for (size_t i = 0; i < *count; i++) {
    DL_TRY(read_marked_name(r, key_at(r, node, i), &specs[i].name, &specs[i].arity));
    DL_TRY(read_text(r, value_at(r, node, i), &specs[i].constraint));
  }
  *out = specs;
  return DL_OK;
}

static dl_status read_attr(reader *r, const yaml_node_t *key, const yaml_node_t *value,
                           dl_attr_spec *spec) {
  dl_arity arity;
  DL_TRY(read_marked_name(r, key, &spec->name, &arity));
  if (arity == DL_VARIADIC) return dl_error(node_loc(r, key), "an attribute cannot be variadic");
  spec->optional = arity == DL_OPTIONAL;
  DL_TRY(read_text(r, value, &spec->constraint));
  const char *equals = strstr(spec->constraint, " = ");
  if (!equals) return DL_OK;
  spec->default_value = copy_text(r, equals + 3, strlen(equals + 3));
  spec->constraint = copy_text(r, spec->constraint, (size_t)(equals - spec->constraint));
  if (spec->optional)
    return dl_error(node_loc(r, key), "an optional attribute has no default: drop the '?'");
  return DL_OK;
}

static dl_status read_attrs(reader *r, const yaml_node_t *node, dl_op_def *def) {
  DL_TRY(expect_mapping(r, node, "names to attribute constraints"));
  def->num_attrs = node_count(node);
  dl_attr_spec *specs = dl_context_alloc(r->ctx, (def->num_attrs + 1) * sizeof *specs);
  for (size_t i = 0; i < def->num_attrs; i++)
    DL_TRY(read_attr(r, key_at(r, node, i), value_at(r, node, i), &specs[i]));
  def->attrs = specs;
  return DL_OK;
}

static dl_status read_where(reader *r, const yaml_node_t *node, dl_op_def *def) {
  DL_TRY(expect_mapping(r, node, "names to rules"));
  def->num_where = node_count(node);
  dl_named_text *rules = dl_context_alloc(r->ctx, (def->num_where + 1) * sizeof *rules);
  for (size_t i = 0; i < def->num_where; i++) {
    DL_TRY(read_text(r, key_at(r, node, i), &rules[i].name));
    DL_TRY(read_text(r, value_at(r, node, i), &rules[i].text));
  }
  def->where = rules;
  return DL_OK;
}

static dl_status read_names(reader *r, const yaml_node_t *node, size_t *count,
                            const char *const **out) {
  if (node->type != YAML_SEQUENCE_NODE) return dl_error(node_loc(r, node), "expected a list");
  *count = node_count(node);
  const char **names = dl_context_alloc(r->ctx, (*count + 1) * sizeof *names);
  for (size_t i = 0; i < *count; i++) {
    const yaml_node_t *item = item_at(r, node, i);
    DL_TRY(read_text(r, item, &names[i]));
    DL_TRY(check_identifier(r, item, names[i]));
  }
  *out = names;
  return DL_OK;
}

static const struct {
  const char *name;
  dl_trait trait;
} trait_names[] = {
    {"pure", DL_PURE},
    {"terminator", DL_TERMINATOR},
    {"commutative", DL_COMMUTATIVE},
    {"isolated", DL_ISOLATED},
    {"symbol_table", DL_SYMBOL_TABLE},
    {"symbol", DL_SYMBOL},
    {"constant", DL_CONSTANT},
    {"same_type", DL_SAME_TYPE},
    {"single_block", DL_SINGLE_BLOCK},
    {"elementwise", DL_ELEMENTWISE},
    {"no_terminator", DL_NO_TERMINATOR},
    {"reads", DL_READS},
    {"function", DL_FUNCTION},
    {"same_operands", DL_SAME_OPERANDS},
    {"involution", DL_INVOLUTION},
    {"idempotent", DL_IDEMPOTENT},
    {"loop", DL_LOOP},
    {"closed", DL_CLOSED},
    {"recursive_effects", DL_RECURSIVE_EFFECTS},
    {"may_trap", DL_MAY_TRAP},
    {"call", DL_CALL},
    {"return", DL_RETURN},
};

static dl_status read_traits(reader *r, const yaml_node_t *node, dl_op_def *def) {
  size_t count;
  const char *const *names;
  DL_TRY(read_names(r, node, &count, &names));
  for (size_t i = 0; i < count; i++) {
    size_t t = 0;
    while (t < DL_COUNT(trait_names) && strcmp(trait_names[t].name, names[i])) t++;
    if (t == DL_COUNT(trait_names))
      return dl_error(node_loc(r, item_at(r, node, i)), "unknown trait '%s'", names[i]);
    def->traits |= trait_names[t].trait;
  }
  return DL_OK;
}

// Where the text `key` of an op goes that is kept as it is; NULL if it is no such key.
static const char **text_slot(dl_op_def *def, dl_yaml_hooks *hooks, const char *key) {
  const struct {
    const char *key;
    const char **slot;
  } slots[] = {
      {"summary", &def->summary},
      {"description", &def->description},
      {"compute", &def->compute},
      {"format", &def->format},
      {"parse", &hooks->parse},
      {"print", &hooks->print},
      {"verify", &hooks->verify},
      {"verify_symbols", &hooks->verify_symbols},
      {"fold", &hooks->fold},
      {"infer", &hooks->infer},
      {"canonicalize", &hooks->canonicalize},
      {"control", &hooks->control},
      {"branch", &hooks->branch},
  };
  for (size_t i = 0; i < DL_COUNT(slots); i++)
    if (!strcmp(slots[i].key, key)) return slots[i].slot;
  return NULL;
}

// A list of names, or a mapping from names to the operands passed.
static dl_status read_successors(reader *r, const yaml_node_t *node, dl_op_def *def) {
  bool named = node->type == YAML_MAPPING_NODE;
  if (!named && node->type != YAML_SEQUENCE_NODE)
    return dl_error(node_loc(r, node), "expected a list or mapping of successors");
  def->num_successors = node_count(node);
  dl_successor_spec *specs = dl_context_alloc(r->ctx, (def->num_successors + 1) * sizeof *specs);
  for (size_t i = 0; i < def->num_successors; i++) {
    const yaml_node_t *name = named ? key_at(r, node, i) : item_at(r, node, i);
    specs[i].group = DL_NO_GROUP;
    DL_TRY(read_text(r, name, &specs[i].name));
    DL_TRY(check_identifier(r, name, specs[i].name));
  }
  def->successors = specs;
  return DL_OK;
}

static size_t find_value(size_t count, const dl_value_spec *specs, const char *name) {
  size_t i = 0;
  while (i < count && strcmp(specs[i].name, name)) i++;
  return i;
}

// The operands may be declared after the successors, so these are tied to them when all is read.
static dl_status tie_successors(reader *r, const yaml_node_t *node, dl_op_def *def) {
  if (node->type != YAML_MAPPING_NODE) return DL_OK;
  dl_successor_spec *specs = (dl_successor_spec *)def->successors;
  for (size_t i = 0; i < def->num_successors; i++) {
    const char *name = NULL;
    DL_TRY(read_text(r, value_at(r, node, i), &name));
    specs[i].group = find_value(def->num_operands, def->operands, name);
    if (specs[i].group == def->num_operands)
      return dl_error(node_loc(r, value_at(r, node, i)), "'%s' is no operand", name);
  }
  return DL_OK;
}

static const struct {
  const char *name;
  uint32_t effects;
} effect_names[] = {
    {"read", DL_EFFECT_READ},
    {"write", DL_EFFECT_WRITE},
    {"read_write", DL_EFFECT_READ | DL_EFFECT_WRITE},
    {"allocate", DL_EFFECT_ALLOCATE},
    {"view", DL_EFFECT_VIEW},
};

static dl_status tie_effect(reader *r, const yaml_node_t *key, const yaml_node_t *value,
                            dl_op_def *def) {
  const char *name = NULL, *effect = NULL;
  DL_TRY(read_text(r, key, &name));
  DL_TRY(read_text(r, value, &effect));
  size_t operand = find_value(def->num_operands, def->operands, name);
  size_t result = find_value(def->num_results, def->results, name);
  if (operand == def->num_operands && result == def->num_results)
    return dl_error(node_loc(r, key), "'%s' is neither operand nor result", name);
  const dl_value_spec *spec =
      operand < def->num_operands ? &def->operands[operand] : &def->results[result];
  for (size_t i = 0; i < DL_COUNT(effect_names); i++) {
    if (strcmp(effect_names[i].name, effect)) continue;
    ((dl_value_spec *)spec)->effects = effect_names[i].effects;
    return DL_OK;
  }
  return dl_error(node_loc(r, value), "unknown effect '%s'", effect);
}

static dl_status tie_effects(reader *r, const yaml_node_t *node, dl_op_def *def) {
  DL_TRY(expect_mapping(r, node, "operands and results to effects"));
  for (size_t i = 0; i < node_count(node); i++)
    DL_TRY(tie_effect(r, key_at(r, node, i), value_at(r, node, i), def));
  return DL_OK;
}

static dl_status tie_to_values(reader *r, const yaml_node_t *node, dl_op_def *def) {
  for (size_t i = 0; i < node_count(node); i++) {
    const char *key = (const char *)key_at(r, node, i)->data.scalar.value;
    if (!strcmp(key, "successors")) DL_TRY(tie_successors(r, value_at(r, node, i), def));
    if (!strcmp(key, "effects")) DL_TRY(tie_effects(r, value_at(r, node, i), def));
  }
  return DL_OK;
}

static dl_status read_op_key(reader *r, const char *key, const yaml_node_t *key_node,
                             const yaml_node_t *value, dl_op_def *def, dl_yaml_hooks *hooks) {
  const char **slot = text_slot(def, hooks, key);
  if (slot) return read_text(r, value, slot);
  if (!strcmp(key, "traits")) return read_traits(r, value, def);
  if (!strcmp(key, "operands")) return read_values(r, value, &def->num_operands, &def->operands);
  if (!strcmp(key, "results")) return read_values(r, value, &def->num_results, &def->results);
  if (!strcmp(key, "attributes")) return read_attrs(r, value, def);
  if (!strcmp(key, "regions")) return read_names(r, value, &def->num_regions, &def->regions);
  if (!strcmp(key, "where")) return read_where(r, value, def);
  if (!strcmp(key, "successors")) return read_successors(r, value, def);
  if (!strcmp(key, "effects")) return DL_OK;  // tie_to_values
  return dl_error(node_loc(r, key_node), "unknown key '%s' of an op", key);
}

static size_t num_segments(size_t count, const dl_value_spec *specs) {
  size_t segments = 0;
  for (size_t i = 0; i < count; i++) segments += specs[i].arity != DL_ONE;
  return segments;
}

// Declares the attribute that tells groups of operands (results) apart where counts alone cannot.
static void add_segment_attr(reader *r, dl_op_def *def, const char *name) {
  for (size_t i = 0; i < def->num_attrs; i++)
    if (!strcmp(def->attrs[i].name, name)) return;
  dl_attr_spec *attrs = dl_context_alloc(r->ctx, (def->num_attrs + 1) * sizeof *attrs);
  if (def->num_attrs) memcpy(attrs, def->attrs, def->num_attrs * sizeof *attrs);
  attrs[def->num_attrs++] = (dl_attr_spec){.name = name, .constraint = "i32[]", .optional = true};
  def->attrs = attrs;
}

static dl_status check_hook_names(reader *r, const yaml_node_t *node, const dl_yaml_hooks *hooks) {
  const char *names[] = {hooks->verify,       hooks->verify_symbols, hooks->fold,
                         hooks->parse,        hooks->print,          hooks->infer,
                         hooks->canonicalize, hooks->control,        hooks->branch};
  for (size_t i = 0; i < DL_COUNT(names); i++)
    if (names[i]) DL_TRY(check_identifier(r, node, names[i]));
  return DL_OK;
}

static dl_status read_op(reader *r, const char *dialect, const yaml_node_t *name,
                         const yaml_node_t *node, dl_op_def *def, dl_yaml_hooks *hooks) {
  const char *op_name = NULL;
  DL_TRY(read_text(r, name, &op_name));
  for (const char *c = op_name; *c; c++)
    if (!isalnum((unsigned char)*c) && *c != '_' && *c != '.')
      return dl_error(node_loc(r, name), "'%s' is no op name", op_name);
  def->name = dl_intern_f(r->ctx, "%s.%s", dialect, op_name);
  DL_TRY(expect_mapping(r, node, "keys of an op"));
  for (size_t i = 0; i < node_count(node); i++) {
    const char *key = NULL;
    const yaml_node_t *key_node = key_at(r, node, i);
    DL_TRY(read_text(r, key_node, &key));
    DL_TRY(read_op_key(r, key, key_node, value_at(r, node, i), def, hooks));
  }
  DL_TRY(check_hook_names(r, name, hooks));
  DL_TRY(tie_to_values(r, node, def));
  def->shape_function = hooks->infer;
  if (num_segments(def->num_operands, def->operands) > 1)
    add_segment_attr(r, def, "operandSegmentSizes");
  if (num_segments(def->num_results, def->results) > 1)
    add_segment_attr(r, def, "resultSegmentSizes");
  if (!def->summary) return dl_error(node_loc(r, name), "'%s' has no summary", def->name);
  return dl_spec_check(r->ctx, def, node_loc(r, name));
}

// --- the dialect ---

static dl_status read_ops(reader *r, const yaml_node_t *node, dl_yaml_dialect *dialect) {
  DL_TRY(expect_mapping(r, node, "op names to ops"));
  size_t count = node_count(node);
  const dl_op_def **ops = dl_context_alloc(r->ctx, (count + 1) * sizeof *ops);
  dl_yaml_hooks *hooks = dl_context_alloc(r->ctx, (count + 1) * sizeof *hooks);
  dl_status status = DL_OK;
  for (size_t i = 0; i < count; i++) {
    dl_op_def *def = dl_context_alloc(r->ctx, sizeof *def);
    if (read_op(r, dialect->def.name, key_at(r, node, i), value_at(r, node, i), def, &hooks[i]))
      status = DL_FAILED;
    ops[i] = def;
  }
  dialect->def.num_ops = count;
  dialect->def.ops = ops;
  dialect->hooks = hooks;
  return status;
}

static dl_status read_dialect(reader *r, const yaml_node_t *root, dl_yaml_dialect *dialect) {
  DL_TRY(expect_mapping(r, root, "keys of a dialect"));
  const yaml_node_t *ops = NULL;
  for (size_t i = 0; i < node_count(root); i++) {
    const yaml_node_t *key_node = key_at(r, root, i), *value = value_at(r, root, i);
    const char *key = (const char *)key_node->data.scalar.value;
    if (!strcmp(key, "dialect")) {
      DL_TRY(read_text(r, value, &dialect->def.name));
      DL_TRY(check_identifier(r, value, dialect->def.name));
    } else if (!strcmp(key, "summary")) {
      DL_TRY(read_text(r, value, &dialect->def.summary));
    } else if (!strcmp(key, "materialize_constant")) {
      DL_TRY(read_text(r, value, &dialect->materialize_constant));
      DL_TRY(check_identifier(r, value, dialect->materialize_constant));
    } else if (!strcmp(key, "ops")) {
      ops = value;
    } else {
      return dl_error(node_loc(r, key_node), "unknown key '%s' of a dialect", key);
    }
  }
  if (!dialect->def.name) return dl_error(node_loc(r, root), "missing key 'dialect'");
  return ops ? read_ops(r, ops, dialect) : DL_OK;
}

static dl_status parse_document(reader *r, FILE *file) {
  yaml_parser_t parser;
  if (!yaml_parser_initialize(&parser)) dl_bug(NULL, "cannot initialize the YAML parser");
  yaml_parser_set_input_file(&parser, file);
  dl_status status = DL_OK;
  if (!yaml_parser_load(&parser, &r->document)) {
    yaml_mark_t mark = parser.problem_mark;
    status = dl_error(dl_loc_file(r->ctx, r->path, mark.line + 1, mark.column + 1), "%s",
                      parser.problem ? parser.problem : "malformed YAML");
  }
  yaml_parser_delete(&parser);
  return status;
}

const dl_yaml_dialect *dl_read_dialect_yaml(dl_context *ctx, const char *path) {
  reader r = {.ctx = ctx, .path = dl_intern_z(ctx, path)};
  FILE *file = fopen(path, "rb");
  if (!file) {
    dl_error(dl_loc_unknown(ctx), "cannot open '%s': %s", path, strerror(errno));
    return NULL;
  }
  dl_status status = parse_document(&r, file);
  fclose(file);
  if (status) return NULL;
  dl_yaml_dialect *dialect = dl_context_alloc(ctx, sizeof *dialect);
  const yaml_node_t *root = yaml_document_get_root_node(&r.document);
  if (root)
    status = read_dialect(&r, root, dialect);
  else
    status = dl_error(dl_loc_file(ctx, r.path, 1, 1), "the file is empty");
  yaml_document_delete(&r.document);
  return status ? NULL : dialect;
}

// --- the run-time loader ---

static const char *first_hook(const dl_yaml_hooks *hooks) {
  const char *names[] = {hooks->verify,       hooks->verify_symbols, hooks->fold,
                         hooks->parse,        hooks->print,          hooks->infer,
                         hooks->canonicalize, hooks->control,        hooks->branch};
  for (size_t i = 0; i < DL_COUNT(names); i++)
    if (names[i]) return names[i];
  return NULL;
}

dl_status dl_load_dialect_yaml(dl_context *ctx, const char *path) {
  const dl_yaml_dialect *dialect = dl_read_dialect_yaml(ctx, path);
  if (!dialect) return DL_FAILED;
  dl_loc loc = dl_loc_file(ctx, dl_intern_z(ctx, path), 1, 1);
  if (dialect->materialize_constant)
    return dl_error(loc, "a dialect loaded at run time has no C function '%s'",
                    dialect->materialize_constant);
  for (size_t i = 0; i < dialect->def.num_ops; i++)
    if (first_hook(&dialect->hooks[i]))
      return dl_error(loc,
                      "'%s' names the C function '%s', which a dialect loaded at run time "
                      "does not have",
                      dialect->def.ops[i]->name, first_hook(&dialect->hooks[i]));
  return dl_register_dialect(ctx, &dialect->def);
}
