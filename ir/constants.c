#include "ir/constants.h"

#include "ir/effects.h"

struct dl_known_constant {
  dl_op *op;
  const dl_dialect_def *dialect;  // that was asked for it
  dl_type type;
  dl_region *scope;
  dl_known_constant *next;
};

// Dialects may borrow another one's constants.
static bool same_maker(const dl_dialect_def *a, const dl_dialect_def *b) {
  return a == b ||
         (a && b && a->materialize_constant && a->materialize_constant == b->materialize_constant);
}

static dl_known_constant *find(const dl_constants *constants, dl_attr value, dl_type type,
                               const dl_dialect_def *dialect, const dl_region *scope) {
  dl_known_constant *known = dl_ptr_map_get(&constants->by_attr, value);
  while (known &&
         (known->type != type || !same_maker(known->dialect, dialect) || known->scope != scope))
    known = known->next;
  return known;
}

static void add(dl_constants *constants, dl_op *op, dl_attr value, const dl_dialect_def *dialect,
                dl_region *scope) {
  dl_known_constant *known = dl_malloc(sizeof(*known));
  *known = (dl_known_constant){op, dialect, dl_value_type(dl_result(op, 0)), scope,
                               dl_ptr_map_get(&constants->by_attr, value)};
  dl_ptr_map_set(&constants->by_attr, value, known);
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
static dl_op *after_leading_constants(dl_region *scope) {
  dl_op *op = dl_block_first(dl_region_first(scope));
  while (op && dl_has_trait(op, DL_CONSTANT)) op = dl_op_next(op);
  return op;
}

static void make_available(dl_known_constant *known, dl_op *user) {
  if (is_above(known->op, user)) return;
  dl_op *before = after_leading_constants(known->scope);
  // The user may be one of the leading constants itself.
  bool leading = dl_op_block(user) == dl_op_block(before) && dl_op_is_before(user, before);
  dl_op_move_before(known->op, leading ? user : before);
}

static dl_op *materialize(const dl_dialect_def *dialect, dl_op *user, dl_region *scope,
                          dl_attr value, dl_type type) {
  dl_block *entry = dl_region_first(scope);
  dl_op *before = after_leading_constants(scope);
  dl_builder builder = {dl_op_context(user), entry, before, dl_op_loc(user)};
  return dialect->materialize_constant(&builder, value, type);
}

dl_value *dl_constants_get(dl_constants *constants, dl_op *user, dl_attr value, dl_type type) {
  const dl_dialect_def *dialect = dl_dialect_of(user);
  dl_region *scope = dl_sharing_scope(user, constants->root);
  if (!dialect || !dialect->materialize_constant || !scope) return NULL;
  dl_known_constant *known = find(constants, value, type, dialect, scope);
  if (known) {
    make_available(known, user);
    return dl_result(known->op, 0);
  }
  dl_op *op = materialize(dialect, user, scope, value, type);
  if (!op) return NULL;
  add(constants, op, value, dialect, scope);
  if (!same_maker(dl_dialect_of(op), dialect)) add(constants, op, value, dl_dialect_of(op), scope);
  return dl_result(op, 0);
}

dl_value *dl_constants_unify(dl_constants *constants, dl_op *op) {
  dl_attr value = dl_constant_value(dl_result(op, 0));
  dl_region *scope = dl_sharing_scope(op, constants->root);
  const dl_dialect_def *dialect = dl_dialect_of(op);
  if (!value || !scope) return NULL;
  dl_type type = dl_value_type(dl_result(op, 0));
  dl_known_constant *known = find(constants, value, type, dialect, scope);
  if (!known) {
    add(constants, op, value, dialect, scope);
    return NULL;
  }
  if (known->op == op || dl_op_def_of(known->op) != dl_op_def_of(op)) return NULL;
  make_available(known, op);
  return dl_result(known->op, 0);
}

void dl_constants_forget(dl_constants *constants, const dl_op *op) {
  dl_attr value = dl_has_trait(op, DL_CONSTANT) ? dl_constant_value(dl_result(op, 0)) : NULL;
  dl_known_constant *list = value ? dl_ptr_map_get(&constants->by_attr, value) : NULL;
  dl_known_constant **at = &list;
  while (*at) {
    dl_known_constant *known = *at;
    if (known->op != op) {
      at = &known->next;
      continue;
    }
    *at = known->next;
    free(known);
  }
  if (!value) return;
  if (list)
    dl_ptr_map_set(&constants->by_attr, value, list);
  else
    dl_ptr_map_remove(&constants->by_attr, value);
}

void dl_constants_free(dl_constants *constants) {
  for (size_t i = 0; i < constants->by_attr.capacity; i++) {
    if (!constants->by_attr.keys[i]) continue;
    for (dl_known_constant *known = constants->by_attr.values[i]; known;) {
      dl_known_constant *next = known->next;
      free(known);
      known = next;
    }
  }
  dl_ptr_map_free(&constants->by_attr);
}
