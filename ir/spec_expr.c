// The expressions of op specs, by precedence climbing.
#include <errno.h>

#include "ir/spec_internal.h"

enum { MAX_DEPTH = 200 };

typedef DL_VEC(const dl_spec_node *) node_list;

static dl_spec_node *make_node(dl_spec_parser *p, dl_spec_node_kind kind, const char *name) {
  dl_spec_node *node = dl_context_alloc(p->ctx, sizeof *node);
  node->kind = kind;
  node->name = name ? dl_intern_z(p->ctx, name) : NULL;
  return node;
}

static void set_args(dl_spec_parser *p, dl_spec_node *node, size_t count,
                     const dl_spec_node *const *args) {
  const dl_spec_node **copy = dl_context_alloc(p->ctx, (count + 1) * sizeof *copy);
  if (count) memcpy(copy, args, count * sizeof *copy);
  node->num_args = count;
  node->args = copy;
}

static const dl_spec_node *make_unary(dl_spec_parser *p, dl_spec_node_kind kind, const char *name,
                                      const dl_spec_node *a) {
  if (!a) return NULL;
  dl_spec_node *node = make_node(p, kind, name);
  set_args(p, node, 1, &a);
  return node;
}

static const dl_spec_node *make_binary(dl_spec_parser *p, dl_spec_node_kind kind, const char *name,
                                       const dl_spec_node *a, const dl_spec_node *b) {
  if (!a || !b) return NULL;
  dl_spec_node *node = make_node(p, kind, name);
  set_args(p, node, 2, (const dl_spec_node *const[]){a, b});
  return node;
}

dl_status dl_spec_parse_args(dl_spec_parser *p, const char *close, size_t *count,
                             const dl_spec_node *const **args) {
  node_list list = {0};
  dl_status status = DL_OK;
  while (!dl_spec_is(p, close)) {
    const dl_spec_node *arg = dl_spec_parse_expr(p);
    status = arg ? DL_OK : DL_FAILED;
    if (status) break;
    DL_PUSH(&list, arg);
    if (!dl_spec_accept(p, ",")) break;
  }
  if (status == DL_OK) status = dl_spec_expect(p, close);
  dl_spec_node holder = {0};
  set_args(p, &holder, list.len, list.data);
  *count = holder.num_args;
  *args = holder.args;
  DL_VEC_FREE(&list);
  return status;
}

dl_status dl_spec_iterator_of(dl_spec_parser *p, const dl_spec_node *node, dl_spec_iterator *out) {
  *out = (dl_spec_iterator){0};
  const dl_spec_node *name = node;
  if (node->kind == DL_NODE_BINARY && !strcmp(node->name, "in")) {
    if (node->args[0]->kind != DL_NODE_NAME || node->args[1]->kind != DL_NODE_NAME)
      return dl_error(p->loc, "in %s: expected 'iterator in operands'", p->what);
    out->name = node->args[0]->name;
    out->variadic = node->args[1]->name;
    return DL_OK;
  }
  if (node->kind == DL_NODE_BINARY && !strcmp(node->name, "<")) {
    name = node->args[0];
    out->extent = node->args[1];
  }
  if (name->kind == DL_NODE_SPLICE) {
    out->pack = true;
    name = name->args[0];
  }
  if (name->kind != DL_NODE_NAME)
    return dl_error(p->loc, "in %s: expected an iterator, as in 'n', 'n < N' or 'n...', in '%s'",
                    p->what, p->text);
  out->name = name->name;
  return DL_OK;
}

static dl_status set_iterators(dl_spec_parser *p, dl_spec_node *node, const node_list *list) {
  dl_spec_iterator *iterators = dl_context_alloc(p->ctx, (list->len + 1) * sizeof *iterators);
  for (size_t i = 0; i < list->len; i++)
    DL_TRY(dl_spec_iterator_of(p, list->data[i], &iterators[i]));
  node->num_iterators = list->len;
  node->iterators = iterators;
  return DL_OK;
}

// After `(`: call arguments, or `iterators: body`.
static dl_status parse_call_body(dl_spec_parser *p, dl_spec_node *node, node_list *list) {
  while (!dl_spec_is(p, ")") && !dl_spec_is(p, ":")) {
    const dl_spec_node *arg = dl_spec_parse_expr(p);
    if (!arg) return DL_FAILED;
    DL_PUSH(list, arg);
    if (!dl_spec_accept(p, ",")) break;
  }
  if (!dl_spec_accept(p, ":")) {
    set_args(p, node, list->len, list->data);
    return dl_spec_expect(p, ")");
  }
  node->kind = DL_NODE_REDUCE;
  DL_TRY(set_iterators(p, node, list));
  list->len = 0;
  do {
    const dl_spec_node *body = dl_spec_parse_expr(p);
    if (!body) return DL_FAILED;
    DL_PUSH(list, body);
  } while (dl_spec_accept(p, ","));
  set_args(p, node, list->len, list->data);
  return dl_spec_expect(p, ")");
}

static const dl_spec_node *parse_call(dl_spec_parser *p, dl_ident name, dl_ident type) {
  dl_spec_node *node = make_node(p, DL_NODE_CALL, name);
  node->type = type;
  node_list list = {0};
  dl_status status = parse_call_body(p, node, &list);
  DL_VEC_FREE(&list);
  return status ? NULL : node;
}

// Functions that take a type in angle brackets; elsewhere `<` after a name compares.
static bool takes_type(dl_ident name) {
  static const char *const names[] = {"cast", "sum", "prod", "lowest", "highest", "elements"};
  for (size_t i = 0; i < DL_COUNT(names); i++)
    if (!strcmp(names[i], name)) return true;
  return false;
}

static const dl_spec_node *parse_name(dl_spec_parser *p) {
  dl_ident name, type = NULL;
  if (dl_spec_name(p, &name)) return NULL;
  if (takes_type(name) && dl_spec_accept(p, "<"))
    if (dl_spec_name(p, &type) || dl_spec_expect(p, ">")) return NULL;
  if (dl_spec_accept(p, "(")) return parse_call(p, name, type);
  if (type) return dl_spec_expect(p, "("), NULL;
  return make_node(p, DL_NODE_NAME, name);
}

// `[a, b]` or `[k < n: e]`.
static const dl_spec_node *parse_list(dl_spec_parser *p) {
  dl_spec_node *node = make_node(p, DL_NODE_LIST, NULL);
  node_list list = {0};
  bool failed = false, closed = false;
  while (!failed && !closed && !dl_spec_is(p, "]")) {
    const dl_spec_node *item = dl_spec_parse_expr(p);
    failed = !item;
    if (item) DL_PUSH(&list, item);
    closed = !failed && !dl_spec_accept(p, ",");
  }
  if (!failed && list.len == 1 && dl_spec_accept(p, ":")) {
    dl_spec_iterator iterator;
    const dl_spec_node *body = dl_spec_parse_expr(p);
    failed = !body || dl_spec_iterator_of(p, list.data[0], &iterator);
    if (!failed && (!iterator.extent || iterator.pack))
      failed = dl_error(p->loc, "in %s: expected '[k < count: …]'", p->what);
    if (!failed) {
      node->kind = DL_NODE_COMPREHENSION;
      node->name = iterator.name;
      set_args(p, node, 2, (const dl_spec_node *const[]){iterator.extent, body});
    }
  } else {
    set_args(p, node, list.len, list.data);
  }
  DL_VEC_FREE(&list);
  return failed || dl_spec_expect(p, "]") ? NULL : node;
}

static const dl_spec_node *parse_literal(dl_spec_parser *p) {
  dl_spec_node *node = NULL;
  char *text = dl_context_alloc(p->ctx, p->spelling.len + 1);
  memcpy(text, p->spelling.data, p->spelling.len);
  if (p->token == DL_TOK_INT) {
    node = make_node(p, DL_NODE_INT, NULL);
    errno = 0;
    node->integer = strtoll(text, NULL, 10);
    if (errno) return dl_spec_syntax(p, "an integer of 64 bits"), NULL;
  } else if (p->token == DL_TOK_FLOAT) {
    node = make_node(p, DL_NODE_FLOAT, NULL);
    node->number = strtod(text, NULL);
  } else {
    node = make_node(p, DL_NODE_STRING, text);
  }
  dl_spec_next(p);
  return node;
}

static const dl_spec_node *parse_primary(dl_spec_parser *p) {
  if (p->token == DL_TOK_INT || p->token == DL_TOK_FLOAT || p->token == DL_TOK_STRING)
    return parse_literal(p);
  if (p->token == DL_TOK_NAME) return parse_name(p);
  if (dl_spec_accept(p, "[")) return parse_list(p);
  if (dl_spec_accept(p, "(")) {
    const dl_spec_node *inner = dl_spec_parse_expr(p);
    return !inner || dl_spec_expect(p, ")") ? NULL : inner;
  }
  return dl_spec_syntax(p, "an expression"), NULL;
}

static const dl_spec_node *parse_postfix(dl_spec_parser *p) {
  const dl_spec_node *node = parse_primary(p);
  while (node) {
    if (dl_spec_accept(p, "[")) {
      size_t count;
      const dl_spec_node *const *indices;
      if (dl_spec_parse_args(p, "]", &count, &indices)) return NULL;
      dl_spec_node *subscript = make_node(p, DL_NODE_SUBSCRIPT, NULL);
      const dl_spec_node **args = dl_context_alloc(p->ctx, (count + 1) * sizeof *args);
      args[0] = node;
      if (count) memcpy(args + 1, indices, count * sizeof *args);
      subscript->num_args = count + 1;
      subscript->args = args;
      node = subscript;
    } else if (dl_spec_accept(p, "...")) {
      node = make_unary(p, DL_NODE_SPLICE, NULL, node);
    } else {
      break;
    }
  }
  return node;
}

static const dl_spec_node *parse_unary(dl_spec_parser *p) {
  const char *op = dl_spec_is(p, "-") ? "-" : dl_spec_is(p, "not") ? "not" : NULL;
  if (!op) return parse_postfix(p);
  dl_spec_next(p);
  if (p->depth++ > MAX_DEPTH) return dl_spec_syntax(p, "less nesting"), NULL;
  const dl_spec_node *node = make_unary(p, DL_NODE_UNARY, op, parse_unary(p));
  p->depth--;
  return node;
}

// Binary operators, loosest first.
static const char *const levels[][8] = {
    {"or"},
    {"and"},
    {"==", "!=", "<", "<=", ">", ">=", "in"},
    {"+", "-"},
    {"*", "/", "floordiv", "ceildiv", "mod"},
};

static const char *operator_at(const dl_spec_parser *p, size_t level) {
  for (size_t i = 0; i < DL_COUNT(levels[level]) && levels[level][i]; i++)
    if (dl_spec_is(p, levels[level][i])) return levels[level][i];
  return NULL;
}

static const dl_spec_node *parse_level(dl_spec_parser *p, size_t level) {
  if (level == DL_COUNT(levels)) return parse_unary(p);
  const dl_spec_node *node = parse_level(p, level + 1);
  const char *op;
  while (node && (op = operator_at(p, level))) {
    dl_spec_next(p);
    node = make_binary(p, DL_NODE_BINARY, op, node, parse_level(p, level + 1));
  }
  return node;
}

// `let x = value: body`
static const dl_spec_node *parse_let(dl_spec_parser *p) {
  dl_ident name;
  if (dl_spec_name(p, &name) || dl_spec_expect(p, "=")) return NULL;
  const dl_spec_node *value = dl_spec_parse_expr(p);
  if (!value || dl_spec_expect(p, ":")) return NULL;
  return make_binary(p, DL_NODE_LET, name, value, dl_spec_parse_expr(p));
}

static const dl_spec_node *parse_conditional(dl_spec_parser *p) {
  if (dl_spec_accept(p, "let")) return parse_let(p);
  const dl_spec_node *node = parse_level(p, 0);
  if (!node) return NULL;
  if (dl_spec_accept(p, "else"))
    return make_binary(p, DL_NODE_DEFAULT, NULL, node, parse_level(p, 0));
  if (!dl_spec_accept(p, "if")) return node;
  const dl_spec_node *condition = parse_level(p, 0);
  if (!condition || dl_spec_expect(p, "else")) return NULL;
  const dl_spec_node *otherwise = dl_spec_parse_expr(p);
  if (!otherwise) return NULL;
  dl_spec_node *result = make_node(p, DL_NODE_IF, NULL);
  set_args(p, result, 3, (const dl_spec_node *const[]){node, condition, otherwise});
  return result;
}

const dl_spec_node *dl_spec_parse_condition(dl_spec_parser *p) { return parse_level(p, 0); }

const dl_spec_node *dl_spec_parse_expr(dl_spec_parser *p) {
  if (p->depth++ > MAX_DEPTH) return dl_spec_syntax(p, "less nesting"), NULL;
  const dl_spec_node *node = parse_conditional(p);
  p->depth--;
  return node;
}
