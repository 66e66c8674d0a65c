// cse: merges ops that compute the same (common subexpression elimination). An op is replaced by an
// equivalent one that dominates it; ops that read memory only within a block, with no write
// between to memory that may be the same. Values are not shared across the border of isolated and
// closed ops. Dead ops are erased on the way.
#include "ir/alias.h"
#include "ir/dominance.h"
#include "ir/effects.h"
#include "ir/equivalence.h"
#include "ir/pass.h"
#include "ir/steps.h"

typedef struct entry {
  dl_op *op;
  uint64_t hash;
  size_t writes;  // number of accesses seen before op
  size_t next;    // 1 + index of the entry before with the same hash
} entry;

typedef struct table {
  DL_VEC(entry) entries;  // in order of entering; scopes end by truncation
  dl_ptr_map heads;       // hash -> 1 + index of its last entry
} table;

typedef struct cse {
  dl_pass *pass;
  dl_dominance *dominance;
  dl_aliases *aliases;
  dl_access_list written;  // by what was visited, in order
} cse;

// More accesses than these in between are not looked at one by one.
#define MAX_ACCESSES 64

static void visit_op(cse *state, table *known, dl_op *op);

static const void *hash_key(uint64_t hash) { return (const void *)(uintptr_t)(hash | 1); }

static void enter(table *known, dl_op *op, uint64_t hash, size_t writes) {
  size_t head = (uintptr_t)dl_ptr_map_get(&known->heads, hash_key(hash));
  DL_PUSH(&known->entries, (entry){op, hash, writes, head});
  dl_ptr_map_set(&known->heads, hash_key(hash), (void *)known->entries.len);
}

static void leave_scope(table *known, size_t len) {
  while (known->entries.len > len) {
    entry last = known->entries.data[--known->entries.len];
    if (last.next)
      dl_ptr_map_set(&known->heads, hash_key(last.hash), (void *)last.next);
    else
      dl_ptr_map_remove(&known->heads, hash_key(last.hash));
  }
}

// `earlier` has been visited before `op` and its region is around op; within a block that is
// enough.
static bool dominates(cse *state, const dl_op *earlier, const dl_op *op) {
  const dl_block *block = dl_op_block(earlier);
  const dl_block *around = dl_op_block(op);
  while (dl_block_region(around) != dl_block_region(block))
    around = dl_op_block(dl_block_parent(around));
  return dl_block_dominates(state->dominance, block, around);
}

static bool memory_unchanged(const cse *state, const entry *earlier, const dl_op *op) {
  size_t since = state->written.len - earlier->writes;
  if (dl_op_effects(op) == DL_EFFECTS_NONE) return true;
  if (dl_op_block(earlier->op) != dl_op_block(op) || since > MAX_ACCESSES) return false;
  dl_access_list reads = {0};
  dl_op_accesses(op, &reads);
  bool clobbered =
      since && dl_may_clobber(state->aliases, since, state->written.data + earlier->writes, &reads);
  DL_VEC_FREE(&reads);
  return !clobbered;
}

static dl_op *find(cse *state, const table *known, const dl_op *op, uint64_t hash) {
  size_t at = (uintptr_t)dl_ptr_map_get(&known->heads, hash_key(hash));
  for (; at; at = known->entries.data[at - 1].next) {
    const entry *candidate = &known->entries.data[at - 1];
    if (candidate->hash == hash && memory_unchanged(state, candidate, op) &&
        dominates(state, candidate->op, op) && dl_ops_equivalent(candidate->op, op))
      return candidate->op;
  }
  return NULL;
}

static void replace(cse *state, dl_op *op, dl_op *by) {
  for (size_t i = 0; i < dl_num_results(op); i++)
    dl_replace_all_uses(dl_result(op, i), dl_result(by, i));
  dl_op_erase(op);
  dl_count(state->pass, "merged", 1);
  dl_pass_changed(state->pass);
}

static void visit_regions(cse *state, table *known, dl_op *op) {
  table inside = {0};
  bool shares = !dl_has_trait(op, DL_ISOLATED | DL_CLOSED);
  table *used = shares ? known : &inside;
  for (size_t i = 0; i < dl_num_regions(op); i++) {
    size_t len = used->entries.len;
    DL_FOR_BLOCKS(block, dl_op_region(op, i)) {
      DL_FOR_OPS(inner, block) visit_op(state, used, inner);
    }
    leave_scope(used, len);
  }
  DL_VEC_FREE(&inside.entries);
  dl_ptr_map_free(&inside.heads);
}

static void visit_op(cse *state, table *known, dl_op *op) {
  if (dl_op_is_dead(op) && dl_may_step(op, "erase")) {
    dl_op_erase(op);
    dl_count(state->pass, "erased", 1);
    dl_pass_changed(state->pass);
    return;
  }
  visit_regions(state, known, op);
  if (!dl_op_is_erasable(op)) {
    // Of these, what is inside has been visited, and noted, on its own.
    if (!dl_has_trait(op, DL_RECURSIVE_EFFECTS | DL_LOOP)) dl_op_accesses(op, &state->written);
    return;
  }
  uint64_t hash = dl_op_hash(op);
  dl_op *same = find(state, known, op, hash);
  if (same && dl_may_step(op, "merge"))
    replace(state, op, same);
  else
    enter(known, op, hash, state->written.len);
}

static dl_status run_cse(dl_pass *pass, dl_op *root) {
  cse state = {.pass = pass,
               .dominance = dl_get_analysis(pass, &dl_dominance_analysis, root),
               .aliases = dl_get_analysis(pass, &dl_alias_analysis, root)};
  table none = {0};
  visit_regions(&state, &none, root);
  DL_VEC_FREE(&state.written);
  return DL_OK;
}

static const dl_analysis_def *const cse_analyses[] = {&dl_dominance_analysis, &dl_alias_analysis};
static const char *const cse_statistics[] = {"merged", "erased"};

const dl_pass_def dl_pass_cse = {
    .name = "cse",
    .summary = "Merge ops that compute the same",
    .contract = DL_EXACT,
    .num_statistics = DL_COUNT(cse_statistics),
    .statistics = cse_statistics,
    .num_analyses = DL_COUNT(cse_analyses),
    .analyses = cse_analyses,
    .num_preserved = DL_COUNT(cse_analyses),
    .preserved = cse_analyses,
    .run = run_cse,
};
