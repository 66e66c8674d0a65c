#include "ir/affine.h"

#include "ir/affine_internal.h"
#include "ir/context_internal.h"

static bool expr_equal(const void *key, const void *object) {
  dl_expr a = key, b = object;
  return a->kind == b->kind && a->value == b->value && a->lhs == b->lhs && a->rhs == b->rhs;
}

static void *make_expr(dl_context *ctx, dl_arena *arena, const void *key) {
  (void)ctx;
  struct dl_affine_expr_data *expr = dl_arena_alloc(arena, sizeof(*expr));
  *expr = *(dl_expr)key;
  return expr;
}

static dl_expr unique_expr(const struct dl_affine_expr_data *key) {
  uint64_t hash = dl_hash_mix(key->kind, (uint64_t)key->value);
  hash = dl_hash_mix(hash, (uintptr_t)key->lhs);
  hash = dl_hash_mix(hash, (uintptr_t)key->rhs);
  return dl_unique(key->ctx, DL_UNIQUE_EXPR, hash, key, expr_equal, make_expr);
}

static dl_expr leaf(dl_context *ctx, dl_expr_kind kind, int64_t value) {
  return unique_expr(&(struct dl_affine_expr_data){.ctx = ctx, .kind = kind, .value = value});
}

dl_expr dl_expr_const(dl_context *ctx, int64_t value) { return leaf(ctx, DL_EXPR_CONST, value); }
dl_expr dl_expr_dim(dl_context *ctx, unsigned position) { return leaf(ctx, DL_EXPR_DIM, position); }
dl_expr dl_expr_symbol(dl_context *ctx, unsigned position) {
  return leaf(ctx, DL_EXPR_SYMBOL, position);
}

dl_expr dl_expr_node(dl_expr_kind kind, dl_expr lhs, dl_expr rhs) {
  return unique_expr(
      &(struct dl_affine_expr_data){.ctx = lhs->ctx, .kind = kind, .lhs = lhs, .rhs = rhs});
}

int dl_expr_compare(dl_expr a, dl_expr b) {
  if (a == b) return 0;
  if (a->kind != b->kind) {
    // Leaves first, dimensions before symbols before constants.
    static const int rank[] = {
        [DL_EXPR_DIM] = 0,     [DL_EXPR_SYMBOL] = 1, [DL_EXPR_MUL] = 2, [DL_EXPR_FLOORDIV] = 3,
        [DL_EXPR_CEILDIV] = 4, [DL_EXPR_MOD] = 5,    [DL_EXPR_ADD] = 6, [DL_EXPR_CONST] = 7};
    return rank[a->kind] < rank[b->kind] ? -1 : 1;
  }
  if (!a->lhs) return a->value < b->value ? -1 : 1;
  int order = dl_expr_compare(a->lhs, b->lhs);
  return order ? order : dl_expr_compare(a->rhs, b->rhs);
}

dl_expr dl_expr_sub(dl_expr a, dl_expr b) { return dl_expr_add(a, dl_expr_mul_const(b, -1)); }

dl_expr dl_expr_mul_const(dl_expr a, int64_t b) { return dl_expr_mul(a, dl_expr_const(a->ctx, b)); }

dl_expr dl_expr_add_const(dl_expr a, int64_t b) { return dl_expr_add(a, dl_expr_const(a->ctx, b)); }

dl_expr dl_expr_binary(dl_expr_kind kind, dl_expr lhs, dl_expr rhs) {
  switch (kind) {
    case DL_EXPR_ADD:
      return dl_expr_add(lhs, rhs);
    case DL_EXPR_MUL:
      return dl_expr_mul(lhs, rhs);
    case DL_EXPR_FLOORDIV:
      return dl_expr_floordiv(lhs, rhs);
    case DL_EXPR_CEILDIV:
      return dl_expr_ceildiv(lhs, rhs);
    default:
      return dl_expr_mod(lhs, rhs);
  }
}

dl_expr dl_expr_canonical(dl_expr expr) {
  if (!expr->lhs) return expr;
  return dl_expr_binary(expr->kind, dl_expr_canonical(expr->lhs), dl_expr_canonical(expr->rhs));
}

typedef struct substitution {
  size_t num_dims, num_symbols;
  const dl_expr *dims, *symbols;
} substitution;

static dl_expr replaced(dl_expr expr, size_t count, const dl_expr *with) {
  bool known = with && (uint64_t)expr->value < count && with[expr->value];
  return known ? with[expr->value] : expr;
}

static dl_expr substitute(dl_expr expr, const substitution *s) {
  switch (expr->kind) {
    case DL_EXPR_CONST:
      return expr;
    case DL_EXPR_DIM:
      return replaced(expr, s->num_dims, s->dims);
    case DL_EXPR_SYMBOL:
      return replaced(expr, s->num_symbols, s->symbols);
    default:
      break;
  }
  dl_expr lhs = substitute(expr->lhs, s), rhs = substitute(expr->rhs, s);
  return lhs == expr->lhs && rhs == expr->rhs ? expr : dl_expr_binary(expr->kind, lhs, rhs);
}

dl_expr dl_expr_substitute(dl_expr expr, size_t num_dims, const dl_expr *dims, size_t num_symbols,
                           const dl_expr *symbols) {
  return substitute(expr, &(substitution){num_dims, num_symbols, dims, symbols});
}

static bool eval_binary(dl_expr_kind kind, int64_t a, int64_t b, int64_t *value) {
  switch (kind) {
    case DL_EXPR_ADD:
      return !__builtin_add_overflow(a, b, value);
    case DL_EXPR_MUL:
      return !__builtin_mul_overflow(a, b, value);
    default:
      break;
  }
  if (b == 0 || (b == -1 && a == INT64_MIN)) return false;
  if (kind == DL_EXPR_MOD) *value = dl_floor_mod(a, b);
  if (kind == DL_EXPR_FLOORDIV) *value = dl_floor_div(a, b);
  if (kind == DL_EXPR_CEILDIV) *value = dl_floor_div(a, b) + (a % b != 0);
  return true;
}

bool dl_expr_eval(dl_expr expr, const int64_t *dims, const int64_t *symbols, int64_t *value) {
  int64_t a = 0, b = 0;
  switch (expr->kind) {
    case DL_EXPR_CONST:
      *value = expr->value;
      return true;
    case DL_EXPR_DIM:
      *value = dims[expr->value];
      return true;
    case DL_EXPR_SYMBOL:
      *value = symbols[expr->value];
      return true;
    default:
      return dl_expr_eval(expr->lhs, dims, symbols, &a) &&
             dl_expr_eval(expr->rhs, dims, symbols, &b) && eval_binary(expr->kind, a, b, value);
  }
}

static bool uses(dl_expr expr, dl_expr_kind kind, unsigned position) {
  if (!expr->lhs) return expr->kind == kind && expr->value == position;
  return uses(expr->lhs, kind, position) || uses(expr->rhs, kind, position);
}

bool dl_expr_uses_dim(dl_expr expr, unsigned position) { return uses(expr, DL_EXPR_DIM, position); }

bool dl_expr_uses_symbol(dl_expr expr, unsigned position) {
  return uses(expr, DL_EXPR_SYMBOL, position);
}

bool dl_expr_is_const(dl_expr expr, int64_t value) {
  return expr->kind == DL_EXPR_CONST && expr->value == value;
}

bool dl_expr_is_multiple(dl_expr expr, int64_t of) {
  switch (expr->kind) {
    case DL_EXPR_CONST:
      return expr->value % of == 0;
    case DL_EXPR_ADD:
      return dl_expr_is_multiple(expr->lhs, of) && dl_expr_is_multiple(expr->rhs, of);
    case DL_EXPR_MUL:
      return dl_expr_is_multiple(expr->lhs, of) || dl_expr_is_multiple(expr->rhs, of);
    default:
      return false;
  }
}

bool dl_expr_split_dim(dl_expr expr, unsigned position, int64_t *coefficient, dl_expr *rest) {
  dl_sum sum = {0}, others = {0};
  dl_sum_add(&sum, expr, 1);
  *coefficient = 0;
  bool splits = !sum.overflow;
  for (size_t i = 0; i < sum.terms.len && splits; i++) {
    dl_term term = sum.terms.data[i];
    if (term.expr->kind == DL_EXPR_DIM && term.expr->value == position) {
      *coefficient = term.coefficient;
    } else {
      splits = !dl_expr_uses_dim(term.expr, position);
      dl_sum_add_term(&others, term.expr, term.coefficient);
    }
  }
  dl_sum_add_const(&others, sum.constant);
  dl_sum_free(&sum);
  *rest = dl_sum_build(expr->ctx, &others);
  return splits && *rest;
}

// --- maps ---

static bool map_equal(const void *key, const void *object) {
  dl_map a = key, b = object;
  return a->num_dims == b->num_dims && a->num_symbols == b->num_symbols &&
         a->num_results == b->num_results &&
         (!a->num_results || !memcmp(a->results, b->results, a->num_results * sizeof(dl_expr)));
}

static void *make_map(dl_context *ctx, dl_arena *arena, const void *key) {
  (void)ctx;
  struct dl_affine_map_data *map = dl_arena_alloc(arena, sizeof(*map));
  *map = *(dl_map)key;
  dl_expr *results = dl_arena_alloc(arena, map->num_results * sizeof(dl_expr) + 1);
  if (map->num_results) memcpy(results, map->results, map->num_results * sizeof(dl_expr));
  map->results = results;
  return map;
}

dl_map dl_affine_map(dl_context *ctx, unsigned num_dims, unsigned num_symbols, size_t num_results,
                     const dl_expr *results) {
  struct dl_affine_map_data key = {ctx, num_dims, num_symbols, num_results, results};
  uint64_t hash = dl_hash_mix((uint64_t)num_dims << 32 | num_symbols, num_results);
  hash = dl_hash_bytes(hash, results, num_results * sizeof(dl_expr));
  return dl_unique(ctx, DL_UNIQUE_MAP, hash, &key, map_equal, make_map);
}

dl_map dl_identity_map(dl_context *ctx, unsigned num_dims) {
  dl_expr *dims = dl_malloc(num_dims * sizeof(dl_expr));
  for (unsigned i = 0; i < num_dims; i++) dims[i] = dl_expr_dim(ctx, i);
  dl_map map = dl_affine_map(ctx, num_dims, 0, num_dims, dims);
  free(dims);
  return map;
}

dl_map dl_constant_map(dl_context *ctx, size_t count, const int64_t *values) {
  dl_expr *results = dl_malloc(count * sizeof(dl_expr));
  for (size_t i = 0; i < count; i++) results[i] = dl_expr_const(ctx, values[i]);
  dl_map map = dl_affine_map(ctx, 0, 0, count, results);
  free(results);
  return map;
}

bool dl_map_is_constant(dl_map map, int64_t *values) {
  for (size_t i = 0; i < map->num_results; i++) {
    if (map->results[i]->kind != DL_EXPR_CONST) return false;
    if (values) values[i] = map->results[i]->value;
  }
  return true;
}
