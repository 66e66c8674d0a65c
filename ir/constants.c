#include "ir/constants.h"

#include "ir/effects.h"
#include "ir/op_internal.h"

typedef struct known_constant {
  dl_op *op;
  const dl_dialect_def *dialect;  // that was asked for it
  dl_type type;
  struct known_constant *next;
} known_constant;

struct dl_scope_constants {
  dl_region *scope;
  dl_ptr_map by_attr;  // dl_attr -> list of known_constant
  dl_op *last;  // one of those that the entry block starts with, all before it being constants
};

// Dialects may borrow another one's constants.
static bool same_maker(const dl_dialect_def *a, const dl_dialect_def *b) {
  return a == b ||
         (a && b && a->materialize_constant && a->materialize_constant == b->materialize_constant);
}

static dl_scope_constants *in_scope(dl_constants *constants, dl_region *scope) {
  dl_scope_constants *known = constants->recent;
  if (known && known->scope == scope) return known;
  known = dl_ptr_map_get(&constants->scopes, scope);
  if (!known) {
    known = dl_calloc(1, sizeof(*known));
    known->scope = scope;
    dl_ptr_map_set(&constants->scopes, scope, known);
  }
  return constants->recent = known;
}

static known_constant *find(const dl_scope_constants *scope, dl_attr value, dl_type type,
                            const dl_dialect_def *dialect) {
  known_constant *known = dl_ptr_map_get(&scope->by_attr, value);
  while (known && (known->type != type || !same_maker(known->dialect, dialect)))
    known = known->next;
  return known;
}

static void add(dl_scope_constants *scope, dl_op *op, dl_attr value,
                const dl_dialect_def *dialect) {
  known_constant *known = dl_malloc(sizeof(*known));
  *known = (known_constant){op, dialect, dl_value_type(dl_result(op, 0)),
                            dl_ptr_map_get(&scope->by_attr, value)};
  dl_ptr_map_set(&scope->by_attr, value, known);
  op->known = true;
}

// Whether `op` stands before `user`, or before what holds it, so that its result can be used there.
// Blocks other than the entry of a region are not looked into: moving the constant up is as good.
static bool is_above(const dl_op *op, const dl_op *user) {
  const dl_block *block = dl_op_block(op);
  for (const dl_op *at = user; at; at = dl_op_parent(at)) {
    const dl_block *around = dl_op_block(at);
    if (around == block) return dl_op_is_before(op, at);
    if (around && dl_block_region(around) == dl_block_region(block))
      return dl_region_first(dl_block_region(block)) == block;
  }
  return false;
}

// The first op after the constants that the scope's entry block starts with.
static dl_op *after_leading_constants(dl_scope_constants *scope) {
  dl_op *op = scope->last ? dl_op_next(scope->last) : dl_block_first(dl_region_first(scope->scope));
  for (; op && dl_has_trait(op, DL_CONSTANT); op = dl_op_next(op)) scope->last = op;
  return op;
}

static void make_available(dl_scope_constants *scope, known_constant *known, dl_op *user) {
  if (is_above(known->op, user)) return;
  dl_op *before = after_leading_constants(scope);
  // The user may be one of the leading constants itself.
  bool leading = dl_op_block(user) == dl_op_block(before) && dl_op_is_before(user, before);
  if (scope->last == known->op) scope->last = NULL;
  dl_op_move_before(known->op, leading ? user : before);
}

static dl_op *materialize(const dl_dialect_def *dialect, dl_op *user, dl_scope_constants *scope,
                          dl_attr value, dl_type type) {
  dl_builder builder = {dl_op_context(user), dl_region_first(scope->scope),
                        after_leading_constants(scope), dl_op_loc(user)};
  return dialect->materialize_constant(&builder, value, type);
}

dl_value *dl_constants_get(dl_constants *constants, dl_op *user, dl_attr value, dl_type type) {
  const dl_dialect_def *dialect = dl_dialect_of(user);
  dl_region *region = dl_sharing_scope(user, constants->root);
  if (!dialect || !dialect->materialize_constant || !region) return NULL;
  dl_scope_constants *scope = in_scope(constants, region);
  known_constant *known = find(scope, value, type, dialect);
  if (known) {
    make_available(scope, known, user);
    return dl_result(known->op, 0);
  }
  dl_op *op = materialize(dialect, user, scope, value, type);
  if (!op) return NULL;
  add(scope, op, value, dialect);
  if (!same_maker(dl_dialect_of(op), dialect)) add(scope, op, value, dl_dialect_of(op));
  return dl_result(op, 0);
}

dl_value *dl_constants_unify(dl_constants *constants, dl_op *op) {
  dl_attr value = dl_constant_value(dl_result(op, 0));
  dl_region *region = dl_sharing_scope(op, constants->root);
  const dl_dialect_def *dialect = dl_dialect_of(op);
  if (!value || !region) return NULL;
  dl_scope_constants *scope = in_scope(constants, region);
  dl_type type = dl_value_type(dl_result(op, 0));
  known_constant *known = find(scope, value, type, dialect);
  if (!known) {
    add(scope, op, value, dialect);
    return NULL;
  }
  if (known->op == op || dl_op_def_of(known->op) != dl_op_def_of(op)) return NULL;
  make_available(scope, known, op);
  return dl_result(known->op, 0);
}

static bool forget_in(dl_scope_constants *scope, const dl_op *op, dl_attr value) {
  known_constant *list = dl_ptr_map_get(&scope->by_attr, value), **at = &list;
  bool found = false;
  while (*at) {
    known_constant *known = *at;
    if (known->op != op) {
      at = &known->next;
      continue;
    }
    *at = known->next;
    free(known);
    found = true;
  }
  if (found && list) dl_ptr_map_set(&scope->by_attr, value, list);
  if (found && !list) dl_ptr_map_remove(&scope->by_attr, value);
  return found;
}

void dl_constants_forget(dl_constants *constants, const dl_op *op) {
  dl_attr value = dl_has_trait(op, DL_CONSTANT) ? dl_constant_value(dl_result(op, 0)) : NULL;
  dl_region *region = value ? dl_sharing_scope(op, constants->root) : NULL;
  dl_scope_constants *scope = region ? dl_ptr_map_get(&constants->scopes, region) : NULL;
  if (scope && scope->last == op) scope->last = NULL;
  if (!value || !op->known || (scope && forget_in(scope, op, value))) return;
  // It has moved to another scope since.
  for (size_t i = 0; i < constants->scopes.capacity; i++) {
    if (!constants->scopes.keys[i]) continue;
    scope = constants->scopes.values[i];
    if (scope->last == op) scope->last = NULL;
    forget_in(scope, op, value);
  }
}

static void free_scope(dl_scope_constants *scope) {
  for (size_t i = 0; i < scope->by_attr.capacity; i++) {
    known_constant *known = scope->by_attr.keys[i] ? scope->by_attr.values[i] : NULL;
    for (known_constant *next; known; known = next) {
      next = known->next;
      free(known);
    }
  }
  dl_ptr_map_free(&scope->by_attr);
  free(scope);
}

void dl_constants_free(dl_constants *constants) {
  for (size_t i = 0; i < constants->scopes.capacity; i++)
    if (constants->scopes.keys[i]) free_scope(constants->scopes.values[i]);
  dl_ptr_map_free(&constants->scopes);
}
