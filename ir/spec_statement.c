// Makes the flat statements of the bound form from the parsed ones.
#include <ctype.h>

#include "ir/spec_bind.h"

// --- iterators ---

// The size variable of an iterator: its name in upper case.
static dl_status default_extent(dl_binder *b, dl_ident name, dl_bound_value *out) {
  char upper[64];
  size_t len = strlen(name);
  if (len >= sizeof upper) return dl_spec_fail(b, "the name '%s' is too long", name);
  for (size_t i = 0; i <= len; i++) upper[i] = (char)toupper((unsigned char)name[i]);
  dl_spec_variable *v = dl_find_variable(b, dl_intern_z(b->ctx, upper));
  if (!v) return dl_spec_fail(b, "iterator '%s' needs an extent: there is no '%s'", name, upper);
  return dl_eval_variable(b, v, out);
}

static dl_status add_iterator(dl_binder *b, dl_ident name, const dl_bound_value *extent,
                              dl_bound_value *index) {
  dl_expr size;
  DL_TRY(dl_to_expr(b, extent, &size));
  if (dl_expr_has_dims(size))
    return dl_spec_fail(b, "the extent of '%s' depends on an iterator", name);
  DL_PUSH(&b->frame->iterators, (dl_bound_iterator){name, size});
  *index = dl_int_value(dl_expr_dim(b->ctx, (unsigned)(b->frame->iterators.len - 1)));
  return DL_OK;
}

// Declares an iterator in the frame and its name in the scope.
static dl_status declare(dl_binder *b, const dl_spec_iterator *it) {
  dl_bound_value extent, index;
  if (it->extent)
    DL_TRY(dl_eval(b, it->extent, &extent));
  else
    DL_TRY(default_extent(b, it->name, &extent));
  if (it->pack != (extent.kind == DL_BV_LIST))
    return dl_spec_fail(b, "'%s' and its extent are not alike: '...' goes with a list", it->name);
  if (!it->pack) {
    DL_TRY(add_iterator(b, it->name, &extent, &index));
  } else {
    dl_bound_value *items = dl_arena_alloc(b->arena, (extent.count + 1) * sizeof *items);
    for (size_t i = 0; i < extent.count; i++) {
      dl_ident name = dl_intern_f(b->ctx, "%s%zu", it->name, i);
      DL_TRY(add_iterator(b, name, &extent.items[i], &items[i]));
    }
    index = dl_list_value(b, extent.count, items);
  }
  DL_PUSH(&b->scope, (dl_scope_entry){.name = it->name, .value = index});
  return DL_OK;
}

// --- renumbering ---

static void note_dims(dl_expr e, bool *used) {
  if (e->kind == DL_EXPR_DIM) used[e->value] = true;
  if (!e->lhs) return;
  note_dims(e->lhs, used);
  note_dims(e->rhs, used);
}

static void note_scalar(const dl_scalar *s, const dl_frame *frame, bool *used, const dl_binder *b) {
  if (s->op == DL_SCALAR_INDEX) note_dims(s->index, used);
  if (s->op == DL_SCALAR_READ) {
    const dl_bound_read *read = &frame->reads.data[s->read];
    for (size_t i = 0; i < b->tensors.data[read->tensor].rank; i++)
      note_dims(read->indices[i], used);
  }
  for (size_t i = 0; i < s->num_args; i++) note_scalar(s->args[i], frame, used, b);
}

static const dl_scalar *renumber_scalar(dl_binder *b, const dl_scalar *s, const dl_expr *dims,
                                        size_t num_dims, const size_t *reads) {
  if (s->op == DL_SCALAR_CONST) return s;
  dl_scalar *copy = dl_binder_copy(b, s, sizeof *s);
  if (s->op == DL_SCALAR_INDEX) copy->index = dl_expr_substitute(s->index, num_dims, dims, 0, NULL);
  if (s->op == DL_SCALAR_READ) copy->read = reads[s->read];
  const dl_scalar **args = dl_arena_alloc(b->arena, (s->num_args + 1) * sizeof *args);
  for (size_t i = 0; i < s->num_args; i++)
    args[i] = renumber_scalar(b, s->args[i], dims, num_dims, reads);
  copy->args = args;
  return copy;
}

static void note_reads(const dl_scalar *s, bool *used) {
  if (s->op == DL_SCALAR_READ) used[s->read] = true;
  for (size_t i = 0; i < s->num_args; i++) note_reads(s->args[i], used);
}

// --- finished statements ---

typedef struct draft {
  dl_combiner combiner;
  dl_attr init;
  const dl_scalar *body;
  size_t target;
  const dl_expr *out;
} draft;

// Adds a statement over the frame's iterators that `keep` names, with the reads that its body
// makes.
static void finish_statement(dl_binder *b, const dl_frame *frame, const bool *keep,
                             const draft *d) {
  size_t n = frame->iterators.len, kept = 0, num_reads = 0;
  dl_expr *dims = dl_arena_alloc(b->arena, (n + 1) * sizeof *dims);
  dl_bound_statement s = {
      .kind = DL_STATEMENT_COMPUTE, .target = d->target, .combiner = d->combiner, .init = d->init};
  dl_bound_iterator *iterators = dl_arena_alloc(b->arena, (n + 1) * sizeof *iterators);
  for (size_t i = 0; i < n; i++) {
    if (!keep[i]) continue;
    s.num_parallel += i < frame->num_parallel;
    dims[i] = dl_expr_dim(b->ctx, (unsigned)kept);
    iterators[kept++] = frame->iterators.data[i];
  }
  bool *used = dl_arena_alloc(b->arena, frame->reads.len + 1);
  size_t *numbers = dl_arena_alloc(b->arena, (frame->reads.len + 1) * sizeof *numbers);
  dl_bound_read *reads = dl_arena_alloc(b->arena, (frame->reads.len + 1) * sizeof *reads);
  note_reads(d->body, used);
  for (size_t i = 0; i < frame->reads.len; i++) {
    if (!used[i]) continue;
    const dl_bound_read *read = &frame->reads.data[i];
    size_t rank = b->tensors.data[read->tensor].rank;
    dl_expr *indices = dl_arena_alloc(b->arena, (rank + 1) * sizeof *indices);
    for (size_t k = 0; k < rank; k++)
      indices[k] = dl_expr_substitute(read->indices[k], n, dims, 0, NULL);
    reads[num_reads] = (dl_bound_read){read->tensor, indices, read->otherwise};
    numbers[i] = num_reads++;
  }
  size_t rank = b->tensors.data[d->target].rank;
  dl_expr *out = dl_arena_alloc(b->arena, (rank + 1) * sizeof *out);
  for (size_t k = 0; k < rank; k++) out[k] = dl_expr_substitute(d->out[k], n, dims, 0, NULL);
  s.num_iterators = kept;
  s.iterators = iterators;
  s.out = out;
  s.num_reads = num_reads;
  s.reads = reads;
  s.body = renumber_scalar(b, d->body, dims, n, numbers);
  DL_PUSH(&b->statements, s);
}

// --- reductions ---

static const struct {
  const char *name;
  dl_combiner combiner;
  dl_scalar_op op;
} reductions[] = {
    {"sum", DL_COMBINE_SUM, DL_SCALAR_ADD}, {"prod", DL_COMBINE_PROD, DL_SCALAR_MUL},
    {"max", DL_COMBINE_MAX, DL_SCALAR_MAX}, {"min", DL_COMBINE_MIN, DL_SCALAR_MIN},
    {"all", DL_COMBINE_AND, DL_SCALAR_AND}, {"any", DL_COMBINE_OR, DL_SCALAR_OR},
};

static bool find_reduction(const char *name, size_t *i) {
  for (*i = 0; *i < DL_COUNT(reductions); ++*i)
    if (!strcmp(reductions[*i].name, name)) return true;
  return false;
}

static dl_attr identity_of(dl_combiner combiner, dl_type type) {
  bool is_float = dl_is_float(type);
  switch (combiner) {
    case DL_COMBINE_SUM:
    case DL_COMBINE_OR:
      return is_float ? dl_float_attr(type, 0) : dl_int_attr(type, 0);
    case DL_COMBINE_PROD:
      return is_float ? dl_float_attr(type, 1) : dl_int_attr(type, 1);
    case DL_COMBINE_AND:
      return dl_int_attr(type, type->width == 1 ? 1 : -1);
    default:
      return dl_extreme_attr(type, combiner == DL_COMBINE_MIN);
  }
}

// The body as the statement combines it: in the accumulator's type where the reduction names one.
static dl_status reduce_body(dl_binder *b, const dl_spec_node *node, const dl_scalar **body) {
  dl_bound_value value;
  dl_type type = NULL;
  if (node->num_args != 1) return dl_spec_fail(b, "%s has one body", node->name);
  if (node->type) DL_TRY(dl_eval_type(b, node->type, &type));
  DL_TRY(dl_eval(b, node->args[0], &value));
  if (value.kind != DL_BV_SCALAR) return dl_to_scalar(b, &value, type, body);
  *body = type ? dl_make_cast(b, value.scalar, type) : value.scalar;
  return DL_OK;
}

// Opens a frame that continues the outer one's iterators with those of the reduction.
static dl_status open_frame(dl_binder *b, dl_frame *frame, const dl_spec_node *node) {
  dl_frame *outer = b->frame;
  frame->outer = outer;
  for (size_t i = 0; i < outer->iterators.len; i++)
    DL_PUSH(&frame->iterators, outer->iterators.data[i]);
  frame->num_parallel = outer->iterators.len;
  b->frame = frame;
  for (size_t i = 0; i < node->num_iterators; i++) DL_TRY(declare(b, &node->iterators[i]));
  return DL_OK;
}

static void close_frame(dl_binder *b, dl_frame *frame, size_t scope) {
  b->frame = frame->outer;
  b->scope.len = scope;
  DL_VEC_FREE(&frame->iterators);
  DL_VEC_FREE(&frame->reads);
}

static size_t add_temporary(dl_binder *b, dl_ident name, dl_type element, size_t rank,
                            const dl_expr *sizes) {
  dl_bound_tensor tensor = {
      .kind = DL_BOUND_TEMPORARY, .name = name, .element = element, .rank = rank, .sizes = sizes};
  DL_PUSH(&b->tensors, tensor);
  return b->tensors.len - 1;
}

// A reduction inside of an expression becomes a temporary over those outer iterators that it
// mentions.
static dl_status hoist(dl_binder *b, dl_frame *frame, size_t reduction, const dl_scalar *body,
                       dl_bound_read *read, dl_type *type) {
  size_t n = frame->iterators.len, rank = 0;
  bool *keep = dl_arena_alloc(b->arena, n + 1);
  note_scalar(body, frame, keep, b);
  dl_expr *sizes = dl_arena_alloc(b->arena, (n + 1) * sizeof *sizes);
  dl_expr *out = dl_arena_alloc(b->arena, (n + 1) * sizeof *out);
  for (size_t i = 0; i < n; i++) {
    if (i >= frame->num_parallel)
      keep[i] = true;
    else if (keep[i]) {
      sizes[rank] = frame->iterators.data[i].extent;
      out[rank++] = dl_expr_dim(b->ctx, (unsigned)i);
    }
  }
  dl_ident name = dl_intern_f(b->ctx, "%s.%zu", reductions[reduction].name, b->statements.len);
  dl_combiner combiner = reductions[reduction].combiner;
  size_t target = add_temporary(b, name, body->type, rank, sizes);
  draft d = {combiner, identity_of(combiner, body->type), body, target, out};
  finish_statement(b, frame, keep, &d);
  *read = (dl_bound_read){.tensor = target, .indices = out};
  *type = body->type;
  return DL_OK;
}

static dl_status hoist_reduction(dl_binder *b, const dl_spec_node *node, size_t reduction,
                                 dl_bound_value *out) {
  dl_frame frame = {0};
  size_t scope = b->scope.len;
  const dl_scalar *body;
  dl_bound_read read = {0};
  dl_type type = NULL;
  dl_status status = open_frame(b, &frame, node);
  if (status == DL_OK) status = reduce_body(b, node, &body);
  if (status == DL_OK) status = hoist(b, &frame, reduction, body, &read, &type);
  close_frame(b, &frame, scope);
  if (status) return status;
  DL_PUSH(&b->frame->reads, read);
  dl_scalar *s = dl_arena_alloc(b->arena, sizeof *s);
  *s = (dl_scalar){.op = DL_SCALAR_READ, .type = type, .read = b->frame->reads.len - 1};
  *out = dl_scalar_value(s);
  return DL_OK;
}

// --- operands of a variadic group, one by one ---

static dl_status group_size(dl_binder *b, dl_ident name, size_t *count) {
  dl_bound_value value;
  dl_spec_node node = {.kind = DL_NODE_NAME, .name = name};
  DL_TRY(dl_eval(b, &node, &value));
  if (value.kind != DL_BV_GROUP && value.kind != DL_BV_LIST)
    return dl_spec_fail(b, "'%s' is no variadic operand and no list", name);
  *count = value.count;
  return DL_OK;
}

static dl_status eval_for(dl_binder *b, const dl_spec_node *node, size_t entry, size_t arg,
                          dl_bound_value *out) {
  dl_bound_value number = dl_int_value(dl_expr_const(b->ctx, (int64_t)entry));
  DL_PUSH(&b->scope, (dl_scope_entry){.name = node->iterators[0].name, .value = number});
  dl_status status = dl_eval(b, node->args[arg], out);
  b->scope.len--;
  return status;
}

static dl_status fold_group(dl_binder *b, const dl_spec_node *node, size_t count, size_t reduction,
                            dl_bound_value *out) {
  for (size_t i = 0; i < count; i++) {
    dl_bound_value pair[2] = {*out};
    DL_TRY(eval_for(b, node, i, 0, i ? &pair[1] : out));
    if (i) DL_TRY(dl_apply(b, reductions[reduction].op, 2, pair, out));
  }
  return DL_OK;
}

// choose(j in group: condition, value): the value of the first entry whose condition holds; the
// last entry's is taken to hold.
static dl_status choose_group(dl_binder *b, const dl_spec_node *node, size_t count,
                              dl_bound_value *out) {
  if (node->num_args != 2) return dl_spec_fail(b, "choose(j in x: condition, value)");
  for (size_t i = count; i-- > 0;) {
    dl_bound_value parts[3] = {{0}, {0}, *out};
    DL_TRY(eval_for(b, node, i, 1, &parts[1]));
    if (i + 1 == count) {
      *out = parts[1];
      continue;
    }
    DL_TRY(eval_for(b, node, i, 0, &parts[0]));
    DL_TRY(dl_apply(b, DL_SCALAR_SELECT, 3, parts, out));
  }
  return DL_OK;
}

dl_status dl_eval_reduce(dl_binder *b, const dl_spec_node *node, dl_bound_value *out) {
  size_t reduction, count = 0;
  bool known = find_reduction(node->name, &reduction), is_choice = !strcmp(node->name, "choose");
  if (!known && !is_choice) return dl_spec_fail(b, "unknown reduction '%s'", node->name);
  if (node->num_iterators == 1 && node->iterators[0].variadic) {
    DL_TRY(group_size(b, node->iterators[0].variadic, &count));
    if (!count) return dl_spec_fail(b, "'%s' is empty", node->iterators[0].variadic);
    return is_choice ? choose_group(b, node, count, out)
                     : fold_group(b, node, count, reduction, out);
  }
  if (is_choice) return dl_spec_fail(b, "choose goes over a variadic operand");
  if (!b->frame) return dl_spec_fail(b, "a reduction outside of a statement");
  return hoist_reduction(b, node, reduction, out);
}

// --- targets ---

// The extent of a mixed-radix index (`g*O + o`), whose digits must fit together; NULL after a
// diagnostic.
static dl_expr radix_extent(dl_binder *b, const dl_spec_node *node) {
  bool sum = node->kind == DL_NODE_BINARY && !strcmp(node->name, "+");
  if (node->kind == DL_NODE_NAME) {
    dl_bound_value value;
    if (dl_eval(b, node, &value)) return NULL;
    if (value.kind == DL_BV_INT && value.expr->kind == DL_EXPR_DIM)
      return b->frame->iterators.data[value.expr->value].extent;
  }
  if (sum && node->args[0]->kind == DL_NODE_BINARY && !strcmp(node->args[0]->name, "*")) {
    dl_expr low = radix_extent(b, node->args[1]), factor, high;
    if (!low || dl_eval_expr(b, node->args[0]->args[1], &factor)) return NULL;
    high = radix_extent(b, node->args[0]->args[0]);
    if (high && factor == low) return dl_expr_mul(high, low);
  }
  dl_spec_fail(b, "a left-hand index is an iterator or of the form 'g*O + o'");
  return NULL;
}

// Whether the target's indices cover each element exactly once.
static dl_status check_cover(dl_binder *b, const dl_spec_node *node, dl_expr size, dl_expr index) {
  if (index->kind == DL_EXPR_CONST && index->value == 0 && size->kind == DL_EXPR_CONST &&
      size->value == 1)
    return DL_OK;
  dl_expr extent = index->kind == DL_EXPR_DIM ? b->frame->iterators.data[index->value].extent
                                              : radix_extent(b, node);
  if (!extent) return DL_FAILED;
  dl_expr difference = dl_expr_sub(extent, size);
  if (difference->kind == DL_EXPR_CONST && difference->value != 0)
    return dl_spec_fail(b, "an index runs over %lld elements too many",
                        (long long)difference->value);
  return DL_OK;
}

static bool is_known_name(dl_binder *b, dl_ident name) {
  for (size_t i = 0; i < b->scope.len; i++)
    if (b->scope.data[i].name == name) return true;
  for (size_t i = 0; i < b->spec->def->num_attrs; i++)
    if (b->spec->attrs[i].name == name) return true;
  return dl_find_variable(b, name) != NULL;
}

// Declares the iterators among the digits of a mixed-radix index.
static dl_status declare_digits(dl_binder *b, const dl_spec_node *node) {
  if (node->kind == DL_NODE_NAME && !is_known_name(b, node->name))
    return declare(b, &(dl_spec_iterator){.name = node->name});
  for (size_t i = 0; i < node->num_args; i++) DL_TRY(declare_digits(b, node->args[i]));
  return DL_OK;
}

typedef struct target_index {
  dl_expr expr;
  const dl_spec_node *node;
} target_index;
typedef DL_VEC(target_index) target_list;

// `n`, `n...`, `n < N`, or a mixed-radix expression.
static dl_status bind_target_index(dl_binder *b, const dl_spec_node *node, target_list *out) {
  dl_spec_iterator it = {0};
  const dl_spec_node *name = node;
  if (node->kind == DL_NODE_BINARY && !strcmp(node->name, "<")) {
    name = node->args[0];
    it.extent = node->args[1];
  }
  it.pack = name->kind == DL_NODE_SPLICE;
  if (it.pack) name = name->args[0];
  if (name->kind != DL_NODE_NAME) {
    dl_expr index;
    DL_TRY(declare_digits(b, node));
    DL_TRY(dl_eval_expr(b, node, &index));
    DL_PUSH(out, (target_index){index, node});
    return DL_OK;
  }
  it.name = name->name;
  DL_TRY(declare(b, &it));
  dl_bound_value value = b->scope.data[b->scope.len - 1].value;
  for (size_t i = 0; i < (it.pack ? value.count : 1); i++)
    DL_PUSH(out, (target_index){it.pack ? value.items[i].expr : value.expr, name});
  return DL_OK;
}

static dl_status bind_targets(dl_binder *b, const dl_spec_statement *s, target_list *list) {
  for (size_t i = 0; i < s->num_indices; i++) DL_TRY(bind_target_index(b, s->indices[i], list));
  b->frame->num_parallel = b->frame->iterators.len;
  return DL_OK;
}

// The tensor that a statement writes; SIZE_MAX when it is a new temporary.
static size_t find_target(dl_binder *b, const dl_spec_statement *s, size_t entry) {
  dl_ident name = s->variadic ? dl_intern_f(b->ctx, "%s.%zu", s->target, entry) : s->target;
  for (size_t i = 0; i < b->tensors.len; i++)
    if (b->tensors.data[i].kind == DL_BOUND_RESULT && b->tensors.data[i].name == name) return i;
  return SIZE_MAX;
}

static dl_status make_temporary(dl_binder *b, const dl_spec_statement *s, dl_type element,
                                const target_list *list, size_t *target) {
  dl_expr *sizes = dl_arena_alloc(b->arena, (list->len + 1) * sizeof *sizes);
  for (size_t i = 0; i < list->len; i++) {
    if (list->data[i].expr->kind != DL_EXPR_DIM)
      return dl_spec_fail(b, "the indices of a temporary are iterators");
    sizes[i] = b->frame->iterators.data[list->data[i].expr->value].extent;
  }
  *target = add_temporary(b, s->target, element, list->len, sizes);
  return DL_OK;
}

static dl_status check_targets(dl_binder *b, size_t target, const target_list *list) {
  const dl_bound_tensor *t = &b->tensors.data[target];
  if (t->rank != list->len)
    return dl_spec_fail(b, "%zu indices for '%s', which has %zu dimensions", list->len, t->name,
                        t->rank);
  for (size_t i = 0; i < t->rank; i++)
    DL_TRY(check_cover(b, list->data[i].node, t->sizes[i], list->data[i].expr));
  return DL_OK;
}

// --- statements ---

static bool is_zero(const dl_spec_node *node) {
  return node->kind == DL_NODE_INT && node->integer == 0;
}

// Takes the branch of a condition that is known, and drops the term 0 that such a branch leaves of
// a sum, so that a reduction may be all of the statement.
static dl_status simplify(dl_binder *b, const dl_spec_node **node) {
  const dl_spec_node *n = *node;
  while (n->kind == DL_NODE_IF) {
    dl_bound_value value;
    bool known, flag;
    DL_TRY(dl_eval(b, n->args[1], &value));
    DL_TRY(dl_truth(b, &value, &known, &flag));
    if (!known) break;
    n = n->args[flag ? 0 : 2];
  }
  *node = n;
  if (n->kind != DL_NODE_BINARY || strcmp(n->name, "+")) return DL_OK;
  const dl_spec_node *lhs = n->args[0], *rhs = n->args[1];
  DL_TRY(simplify(b, &lhs));
  DL_TRY(simplify(b, &rhs));
  if (is_zero(rhs)) *node = lhs;
  return DL_OK;
}

// The body: a reduction makes the statement's combiner, everything else is stored as it is.
static dl_status bind_body(dl_binder *b, const dl_spec_node *expr, dl_type type, draft *d) {
  size_t reduction;
  DL_TRY(simplify(b, &expr));
  bool reduces = expr->kind == DL_NODE_REDUCE && find_reduction(expr->name, &reduction) &&
                 !(expr->num_iterators && expr->iterators[0].variadic);
  if (!reduces) {
    dl_bound_value value;
    DL_TRY(dl_eval(b, expr, &value));
    return dl_to_scalar(b, &value, type, &d->body);
  }
  for (size_t i = 0; i < expr->num_iterators; i++) DL_TRY(declare(b, &expr->iterators[i]));
  DL_TRY(reduce_body(b, expr, &d->body));
  dl_bound_value value = dl_scalar_value(d->body);
  if (type) DL_TRY(dl_to_scalar(b, &value, type, &d->body));
  d->combiner = reductions[reduction].combiner;
  d->init = identity_of(d->combiner, d->body->type);
  return DL_OK;
}

static dl_status bind_compute(dl_binder *b, const dl_spec_statement *s, size_t target,
                              target_list *list) {
  draft d = {.target = target};
  DL_TRY(bind_targets(b, s, list));
  if (target != SIZE_MAX) DL_TRY(check_targets(b, target, list));
  dl_type type = target != SIZE_MAX ? b->tensors.data[target].element : NULL;
  DL_TRY(bind_body(b, s->expr, type, &d));
  if (target == SIZE_MAX) DL_TRY(make_temporary(b, s, d.body->type, list, &d.target));
  dl_expr *out = dl_arena_alloc(b->arena, (list->len + 1) * sizeof *out);
  for (size_t i = 0; i < list->len; i++) out[i] = list->data[i].expr;
  d.out = out;
  bool *keep = dl_arena_alloc(b->arena, b->frame->iterators.len + 1);
  memset(keep, true, b->frame->iterators.len);
  finish_statement(b, b->frame, keep, &d);
  return DL_OK;
}

// target = reshape(source)
static dl_status bind_reshape(dl_binder *b, const dl_spec_node *call, size_t target) {
  dl_bound_value source;
  DL_TRY(dl_eval(b, call->args[0], &source));
  if (source.kind != DL_BV_TENSOR) return dl_spec_fail(b, "reshape takes a tensor");
  if (b->tensors.data[source.tensor].element != b->tensors.data[target].element)
    return dl_spec_fail(b, "reshape keeps the element type");
  dl_bound_statement s = {.kind = DL_STATEMENT_RESHAPE, .target = target, .source = source.tensor};
  DL_PUSH(&b->statements, s);
  return DL_OK;
}

// target = elements(list), or elements<T>(list), a new temporary
static dl_status bind_elements(dl_binder *b, const dl_spec_statement *st, size_t target) {
  const dl_spec_node *call = st->expr;
  dl_bound_value list;
  DL_TRY(dl_eval(b, call->args[0], &list));
  if (list.kind != DL_BV_LIST) return dl_spec_fail(b, "elements takes a list and makes a vector");
  if (target == SIZE_MAX) {
    dl_type element;
    DL_TRY(dl_eval_type(b, call->type, &element));
    dl_expr *size = dl_arena_alloc(b->arena, sizeof *size);
    *size = dl_expr_const(b->ctx, (int64_t)list.count);
    target = add_temporary(b, st->target, element, 1, size);
  }
  if (b->tensors.data[target].rank != 1)
    return dl_spec_fail(b, "elements takes a list and makes a vector");
  dl_bound_statement s = {
      .kind = DL_STATEMENT_ELEMENTS, .target = target, .num_elements = list.count};
  const dl_scalar **elements = dl_arena_alloc(b->arena, (list.count + 1) * sizeof *elements);
  for (size_t i = 0; i < list.count; i++)
    DL_TRY(dl_to_scalar(b, &list.items[i], b->tensors.data[target].element, &elements[i]));
  s.elements = elements;
  s.num_reads = b->frame->reads.len;
  s.reads = dl_binder_copy(b, b->frame->reads.data, s.num_reads * sizeof *s.reads);
  DL_PUSH(&b->statements, s);
  return DL_OK;
}

static dl_status bind_whole(dl_binder *b, const dl_spec_statement *s, size_t target) {
  const dl_spec_node *call = s->expr;
  bool fits = call->kind == DL_NODE_CALL && call->num_args == 1;
  bool elements = fits && !strcmp(call->name, "elements");
  if (target == SIZE_MAX && !(elements && call->type))
    return dl_spec_fail(b, "'%s' is no result", s->target);
  if (fits && !strcmp(call->name, "reshape")) return bind_reshape(b, call, target);
  if (elements) return bind_elements(b, s, target);
  return dl_spec_fail(b, "'%s' without indices is reshape(…) or elements(…)", s->target);
}

static dl_status bind_statement(dl_binder *b, const dl_spec_statement *s, size_t entry) {
  dl_frame frame = {0};
  target_list list = {0};
  b->part = dl_intern_f(b->ctx, "the computation of '%s'", s->target);
  b->frame = &frame;
  size_t target = find_target(b, s, entry), scope = b->scope.len;
  dl_status status = s->whole ? bind_whole(b, s, target) : bind_compute(b, s, target, &list);
  DL_VEC_FREE(&list);
  close_frame(b, &frame, scope);
  return status;
}

static dl_status bind_for_each(dl_binder *b, const dl_spec_statement *s) {
  size_t count = 0;
  for (size_t i = 0; i < b->spec->def->num_results; i++)
    if (!strcmp(b->spec->def->results[i].name, s->target)) dl_result_group(b->op, i, &count);
  for (size_t k = 0; k < count; k++) {
    dl_bound_value number = dl_int_value(dl_expr_const(b->ctx, (int64_t)k));
    DL_PUSH(&b->scope, (dl_scope_entry){.name = s->variadic, .value = number});
    dl_status status = bind_statement(b, s, k);
    b->scope.len--;
    if (status) return status;
  }
  return DL_OK;
}

static dl_status check_written_once(dl_binder *b) {
  for (size_t i = 0; i < b->tensors.len; i++) {
    size_t writes = 0;
    for (size_t k = 0; k < b->statements.len; k++) writes += b->statements.data[k].target == i;
    if (b->tensors.data[i].kind != DL_BOUND_OPERAND && writes != 1)
      return dl_spec_fail(b, "'%s' is written %zu times", b->tensors.data[i].name, writes);
  }
  return DL_OK;
}

// Whether a statement writes an optional result that the op does not have.
static bool writes_absent(dl_binder *b, const dl_spec_statement *s) {
  const dl_op_def *def = b->spec->def;
  for (size_t i = 0; i < def->num_results; i++) {
    size_t count = 1;
    if (strcmp(def->results[i].name, s->target) != 0) continue;
    dl_result_group(b->op, i, &count);
    return count == 0;
  }
  return false;
}

dl_status dl_bind_statements(dl_binder *b) {
  for (size_t i = 0; i < b->spec->num_statements; i++) {
    const dl_spec_statement *s = &b->spec->statements[i];
    if (writes_absent(b, s)) continue;
    DL_TRY(s->variadic ? bind_for_each(b, s) : bind_statement(b, s, 0));
  }
  b->part = "the computation";
  return check_written_once(b);
}
