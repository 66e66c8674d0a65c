// SSA names while parsing: scopes, forward references, resolution.
//
// A name used before its definition stands for placeholder values: results of detached ops,
// replaced when the definition comes.

#include "ir/hash.h"
#include "ir/text_internal.h"

// Longer numbers, and those far above what is in use, are names like others.
enum { MAX_DIGITS = 9, NUMBERS_SLACK = 4096 };

void dl_push_ssa_scope(dl_parser *p, dl_ssa_scope *scope) {
  *scope = (dl_ssa_scope){.parent = p->scope};
  p->scope = scope;
}

static bool is_forward(const dl_ssa_entry *entry) { return entry->forward != NULL; }
// Neither, once a forward reference has been defined: the definition is an entry of its own.
static bool is_live(const dl_ssa_entry *entry) { return entry->value || entry->forward; }

static dl_position position_of(const dl_ssa_entry *entry) { return entry->name.data - 1; }

static dl_status report_undefined(dl_parser *p, const dl_ssa_scope *scope) {
  dl_status status = DL_OK;
  for (size_t i = 0; i < scope->entries.len; i++) {
    const dl_ssa_entry *entry = &scope->entries.data[i];
    if (is_forward(entry))
      status =
          dl_error(dl_loc_at(p, position_of(entry)), "use of undeclared SSA value name '%%%.*s'",
                   (int)entry->name.len, entry->name.data);
  }
  return status;
}

// Placeholders of names that stay undefined live until the text that uses them is destroyed.
dl_status dl_pop_ssa_scope(dl_parser *p) {
  dl_ssa_scope *scope = p->scope;
  dl_status status = p->failed ? DL_FAILED : report_undefined(p, scope);
  for (size_t i = 0; i < scope->entries.len; i++) {
    const dl_forward_values *forward = scope->entries.data[i].forward;
    for (size_t k = 0; forward && k < forward->count; k++)
      if (forward->values[k]) DL_PUSH(&p->orphans, dl_value_def(forward->values[k]));
  }
  p->scope = scope->parent;
  DL_VEC_FREE(&scope->entries);
  free(scope->numbers);
  free(scope->buckets);
  return status;
}

// --- the chains of a scope ---

static bool is_number(dl_str name, uint32_t *number) {
  if (name.len > MAX_DIGITS || (name.len > 1 && name.data[0] == '0')) return false;
  uint32_t value = 0;
  for (size_t i = 0; i < name.len; i++) {
    unsigned digit = (unsigned)(name.data[i] - '0');
    if (digit > 9) return false;
    value = 10 * value + digit;
  }
  *number = value;
  return true;
}

static uint32_t name_hash(dl_str name) {
  uint64_t hash = dl_hash_bytes(1, name.data, name.len);
  return (uint32_t)(hash ^ hash >> 32);
}

static dl_ssa_entry *first_live(dl_ssa_scope *scope, uint32_t at) {
  for (; at; at = scope->entries.data[at - 1].older) {
    dl_ssa_entry *entry = &scope->entries.data[at - 1];
    if (is_live(entry)) return entry;
  }
  return NULL;
}

static dl_ssa_entry *find_named(dl_ssa_scope *scope, dl_str name) {
  if (!scope->num_buckets) return NULL;
  uint32_t hash = name_hash(name), at = scope->buckets[hash & (scope->num_buckets - 1)];
  for (; at; at = scope->entries.data[at - 1].older) {
    dl_ssa_entry *entry = &scope->entries.data[at - 1];
    if (entry->key == hash && is_live(entry) && dl_str_equal(entry->name, name)) return entry;
  }
  return NULL;
}

static dl_ssa_entry *find(dl_ssa_scope *scope, dl_str name) {
  uint32_t number;
  if (!is_number(name, &number)) return find_named(scope, name);
  dl_ssa_entry *entry =
      number < scope->num_numbers ? first_live(scope, scope->numbers[number]) : NULL;
  // A number may have been far above the others when it appeared.
  return entry || !scope->in_buckets ? entry : find_named(scope, name);
}

static void grow_numbers(dl_ssa_scope *scope, uint32_t number) {
  size_t count = scope->num_numbers ? scope->num_numbers : 128;
  while (count <= number) count *= 2;
  scope->numbers = dl_realloc(scope->numbers, count * sizeof(*scope->numbers));
  memset(scope->numbers + scope->num_numbers, 0,
         (count - scope->num_numbers) * sizeof(*scope->numbers));
  scope->num_numbers = count;
}

static uint32_t *bucket_of(dl_ssa_scope *scope, uint32_t hash) {
  return &scope->buckets[hash & (scope->num_buckets - 1)];
}

static uint32_t *chain_of(dl_ssa_scope *scope, const dl_ssa_entry *entry) {
  return entry->is_number ? &scope->numbers[entry->key] : bucket_of(scope, entry->key);
}

// Links all named entries anew, oldest first, so that chains keep their order.
static void grow_buckets(dl_ssa_scope *scope) {
  scope->num_buckets = scope->num_buckets ? 2 * scope->num_buckets : 64;
  free(scope->buckets);
  scope->buckets = dl_calloc(scope->num_buckets, sizeof(*scope->buckets));
  for (size_t i = 0; i < scope->entries.len; i++) {
    dl_ssa_entry *entry = &scope->entries.data[i];
    if (entry->is_number) continue;
    uint32_t *bucket = bucket_of(scope, entry->key);
    entry->older = *bucket;
    *bucket = (uint32_t)i + 1;
  }
}

static dl_ssa_entry *push_entry(dl_ssa_scope *scope, dl_ssa_entry entry) {
  uint32_t *chain = chain_of(scope, &entry);
  entry.older = *chain;
  DL_PUSH(&scope->entries, entry);
  *chain = (uint32_t)scope->entries.len;
  return &scope->entries.data[scope->entries.len - 1];
}

static dl_ssa_entry *new_entry(dl_parser *p, dl_str name) {
  dl_ssa_scope *scope = p->scope;
  if (scope->entries.len >= UINT32_MAX - 1) dl_bug(NULL, "too many SSA names in one scope");
  dl_ssa_entry entry = {.name = name};
  entry.is_number =
      is_number(name, &entry.key) && entry.key < 2 * scope->entries.len + NUMBERS_SLACK;
  if (entry.is_number) {
    if (entry.key >= scope->num_numbers) grow_numbers(scope, entry.key);
  } else {
    entry.key = name_hash(name);
    if (++scope->in_buckets > scope->num_buckets) grow_buckets(scope);
  }
  return push_entry(scope, entry);
}

size_t dl_mark_names(const dl_parser *p) { return p->scope->entries.len; }

// The chains are cut back newest first; names that are not defined yet are entered again.
void dl_forget_names(dl_parser *p, size_t mark) {
  dl_ssa_scope *scope = p->scope;
  DL_VEC(dl_ssa_entry) undefined = {0};
  while (scope->entries.len > mark) {
    dl_ssa_entry *entry = &scope->entries.data[--scope->entries.len];
    *chain_of(scope, entry) = entry->older;
    if (is_forward(entry))
      DL_PUSH(&undefined, *entry);
    else
      scope->in_buckets -= !entry->is_number;
  }
  while (undefined.len) push_entry(scope, undefined.data[--undefined.len]);
  DL_VEC_FREE(&undefined);
}

// --- definitions ---

static void print_types(dl_buffer *first, dl_type a, dl_buffer *second, dl_type b) {
  dl_print_type(first, a);
  dl_print_type(second, b);
}

static dl_status type_mismatch(dl_parser *p, const dl_ssa_entry *entry, dl_position at, size_t i,
                               dl_type defined, dl_type used) {
  dl_buffer have = {0}, want = {0};
  print_types(&have, defined, &want, used);
  dl_error(dl_loc_at(p, at), "definition of SSA value '%%%.*s#%zu' has type %s",
           (int)entry->name.len, entry->name.data, i, have.data);
  dl_note(dl_loc_at(p, position_of(entry)), "previously used here with type %s", want.data);
  dl_buffer_free(&have);
  dl_buffer_free(&want);
  return DL_FAILED;
}

static dl_status define_forward(dl_parser *p, dl_ssa_entry *entry, dl_position at, size_t count,
                                dl_value *first) {
  dl_forward_values *forward = entry->forward;
  for (size_t i = 0; i < forward->count; i++) {
    dl_value *placeholder = forward->values[i];
    if (!placeholder) continue;
    if (i >= count) {
      dl_error(dl_loc_at(p, at), "'%%%.*s' has %zu values", (int)entry->name.len, entry->name.data,
               count);
      dl_note(dl_loc_at(p, position_of(entry)), "value number %zu is used here", i);
      return DL_FAILED;
    }
    if (dl_value_type(placeholder) != dl_value_type(first + i))
      return type_mismatch(p, entry, at, i, dl_value_type(first + i), dl_value_type(placeholder));
    dl_op *op = dl_value_def(placeholder);
    dl_replace_all_uses(placeholder, first + i);
    dl_op_destroy_tree(op);
    forward->values[i] = NULL;
  }
  entry->forward = NULL;
  return DL_OK;
}

dl_status dl_define_values(dl_parser *p, dl_unresolved name, size_t count, dl_value *first) {
  dl_ssa_entry *entry = find(p->scope, name.name);
  if (entry && entry->value) {
    dl_error(dl_p_loc_of(p, name), "redefinition of SSA value '%%%.*s'", (int)name.name.len,
             name.name.data);
    dl_note(dl_loc_at(p, position_of(entry)), "previously defined here");
    return DL_FAILED;
  }
  if (entry) DL_TRY(define_forward(p, entry, name.position, count, first));
  entry = new_entry(p, name.name);
  entry->value = first;
  entry->count = (uint32_t)count;
  if (name.name.data[0] < '0' || name.name.data[0] > '9')
    dl_value_set_name(first, dl_intern(p->ctx, name.name));
  return DL_OK;
}

// --- uses ---

static dl_value *make_placeholder(dl_parser *p, dl_loc loc, dl_type type) {
  const dl_op_def *def = dl_unregistered_op_def(p->ctx, DL_STR("builtin.forward_reference"));
  dl_op *op = dl_op_create(
      p->ctx, &(dl_op_state){.def = def, .loc = loc, .num_results = 1, .result_types = &type});
  return dl_result(op, 0);
}

// More results than this are taken for a typing error.
enum { MAX_RESULT_NUMBER = 1 << 20 };

static dl_status forward_value(dl_parser *p, dl_unresolved value, dl_type type, dl_value **out) {
  if (value.number > MAX_RESULT_NUMBER)
    return dl_error(dl_p_loc_of(p, value), "result number is too large");
  dl_ssa_entry *entry = find(p->scope, value.name);
  if (!entry) entry = new_entry(p, value.name);
  if (!entry->forward) entry->forward = dl_arena_alloc(p->kept, sizeof(*entry->forward));
  dl_forward_values *forward = entry->forward;
  if (value.number >= forward->count) {
    dl_value **grown = dl_arena_alloc(p->kept, (value.number + 1) * sizeof *grown);
    if (forward->count) memcpy(grown, forward->values, forward->count * sizeof *grown);
    *forward = (dl_forward_values){value.number + 1, grown};
  }
  if (!forward->values[value.number])
    forward->values[value.number] = make_placeholder(p, dl_p_loc_of(p, value), type);
  *out = forward->values[value.number];
  return DL_OK;
}

static dl_status use_mismatch(dl_parser *p, dl_unresolved value, dl_type type, dl_type prior) {
  const dl_ssa_entry *entry = find(p->scope, value.name);
  dl_buffer want = {0}, have = {0};
  print_types(&want, type, &have, prior);
  dl_error(dl_p_loc_of(p, value),
           "use of value '%%%.*s' expects different type than prior uses: '%s' vs '%s'",
           (int)value.name.len, value.name.data, want.data, have.data);
  dl_note(dl_loc_at(p, position_of(entry)), "prior use here");
  dl_buffer_free(&want);
  dl_buffer_free(&have);
  return DL_FAILED;
}

static dl_status no_such_result(dl_parser *p, dl_unresolved value, const dl_ssa_entry *entry) {
  int len = (int)value.name.len;
  dl_error(dl_p_loc_of(p, value), "reference to invalid result number %zu of '%%%.*s'",
           value.number, len, value.name.data);
  dl_note(dl_loc_at(p, position_of(entry)), "'%%%.*s' has %zu values", len, value.name.data,
          (size_t)entry->count);
  return DL_FAILED;
}

dl_status dl_p_resolve(dl_parser *p, dl_unresolved value, dl_type type, dl_value **out) {
  const dl_ssa_entry *entry = find(p->scope, value.name);
  if (!entry || !entry->value)
    DL_TRY(forward_value(p, value, type, out));
  else if (value.number >= entry->count)
    return no_such_result(p, value, entry);
  else
    *out = entry->value + value.number;
  if ((*out)->type == type) return DL_OK;
  return use_mismatch(p, value, type, (*out)->type);
}

dl_status dl_p_value(dl_parser *p, dl_unresolved *value) {
  if (p->token.kind != DL_TOK_PERCENT) return dl_p_error(p, "expected an SSA value (%%name)");
  *value =
      (dl_unresolved){.position = p->token.text, .name = {p->token.text + 1, p->token.len - 1}};
  dl_advance(p);
  if (p->token.kind != DL_TOK_HASH) return DL_OK;
  uint64_t number = 0;
  for (size_t i = 1; i < p->token.len; i++) {
    char c = p->token.text[i];
    if (c < '0' || c > '9' || number > MAX_RESULT_NUMBER)
      return dl_p_error(p, "expected a result number after '#'");
    number = 10 * number + (uint64_t)(c - '0');
  }
  value->number = number;
  dl_advance(p);
  return DL_OK;
}

bool dl_p_peek_value(dl_parser *p) { return p->token.kind == DL_TOK_PERCENT; }

dl_status dl_p_value_list(dl_parser *p, dl_unresolved_list *values) {
  if (!dl_p_peek_value(p)) return DL_OK;
  do {
    dl_unresolved value;
    DL_TRY(dl_p_value(p, &value));
    DL_PUSH(values, value);
  } while (dl_accept_punct(p, ','));
  return DL_OK;
}
