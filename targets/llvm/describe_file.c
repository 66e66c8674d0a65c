// Reading of machine descriptions.

#include "targets/llvm/describe_file.h"

#include <yaml.h>

void dl_describe(dl_description *d, const char *name, dl_attr value) {
  dl_ident key = dl_intern_z(d->ctx, name);
  for (size_t i = 0; i < d->entries.len; i++) {
    if (d->entries.data[i].name != key) continue;
    d->entries.data[i].value = value;
    return;
  }
  DL_PUSH(&d->entries, (dl_named_attr){key, value});
}

void dl_describe_number(dl_description *d, const char *name, int64_t value) {
  dl_describe(d, name, dl_i64_attr(d->ctx, value));
}

dl_attr dl_described(const dl_description *d, const char *name) {
  for (size_t i = 0; i < d->entries.len; i++)
    if (!strcmp(d->entries.data[i].name, name)) return d->entries.data[i].value;
  return NULL;
}

// --- reading ---

static const char *scalar_text(const yaml_node_t *node) {
  return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

// A list of names becomes one comma-separated string, each with a plus sign.
static dl_attr list_text(dl_description *d, yaml_document_t *doc, const yaml_node_t *list) {
  dl_buffer text = {0};
  for (yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top;
       i++) {
    const char *name = scalar_text(yaml_document_get_node(doc, *i));
    if (name) dl_buffer_printf(&text, "%s+%s", text.len ? "," : "", name);
  }
  dl_attr result = dl_string_attr(d->ctx, (dl_str){text.data ? text.data : "", text.len});
  dl_buffer_free(&text);
  return result;
}

static dl_attr entry_value(dl_description *d, yaml_document_t *doc, const yaml_node_t *node) {
  if (node && node->type == YAML_SEQUENCE_NODE) return list_text(d, doc, node);
  const char *text = scalar_text(node);
  if (!text) return NULL;
  char *end;
  long long number = strtoll(text, &end, 10);
  return *text && !*end ? dl_i64_attr(d->ctx, number) : dl_string_attr_z(d->ctx, text);
}

// Entries of entries, `levels` deep; NULL where one has no value.
static dl_attr nested_value(dl_description *d, yaml_document_t *doc, const yaml_node_t *node,
                            int levels) {
  if (!levels) return entry_value(d, doc, node);
  if (!node || node->type != YAML_MAPPING_NODE) return NULL;
  DL_VEC(dl_named_attr) entries = {0};
  bool valid = true;
  yaml_node_pair_t *p = node->data.mapping.pairs.start;
  for (; p < node->data.mapping.pairs.top; p++) {
    const char *key = scalar_text(yaml_document_get_node(doc, p->key));
    dl_attr value = nested_value(d, doc, yaml_document_get_node(doc, p->value), levels - 1);
    valid &= key && value;
    if (valid) DL_PUSH(&entries, ((dl_named_attr){dl_intern_z(d->ctx, key), value}));
  }
  dl_attr result = valid ? dl_dict_attr(d->ctx, entries.len, entries.data) : NULL;
  DL_VEC_FREE(&entries);
  return result;
}

static dl_status read_document(dl_description *d, yaml_document_t *doc, const char *path) {
  yaml_node_t *root = yaml_document_get_root_node(doc);
  if (!root || root->type != YAML_MAPPING_NODE)
    return dl_error(d->loc, "'%s' is no machine description", path);
  for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top;
       p++) {
    const char *key = scalar_text(yaml_document_get_node(doc, p->key));
    int levels = key && !strcmp(key, "ops") ? 2 : 0;
    dl_attr value = nested_value(d, doc, yaml_document_get_node(doc, p->value), levels);
    if (!key || !value)
      return dl_error(d->loc, "%s:%zu: expected a name with a number, a text or a list", path,
                      yaml_document_get_node(doc, p->key)->start_mark.line + 1);
    dl_describe(d, key, value);
  }
  return DL_OK;
}

dl_status dl_read_description(dl_description *d, FILE *file, const char *path) {
  yaml_parser_t parser;
  yaml_document_t doc;
  if (!yaml_parser_initialize(&parser)) return dl_error(d->loc, "cannot read '%s'", path);
  yaml_parser_set_input_file(&parser, file);
  dl_status status;
  if (yaml_parser_load(&parser, &doc)) {
    status = read_document(d, &doc, path);
    yaml_document_delete(&doc);
  } else {
    status = dl_error(d->loc, "%s:%zu: %s", path, parser.problem_mark.line + 1,
                      parser.problem ? parser.problem : "not YAML");
  }
  yaml_parser_delete(&parser);
  return status;
}
