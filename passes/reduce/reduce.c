// The driver: which targets of which strategy are tried, and what is done with the answers.
#include "passes/reduce/reduce_internal.h"

static const struct {
  const char *name, *summary;
  dl_strategy run;
} strategies[] = {
    {"symbols", "erase functions and other symbols with what refers to them", dl_reduce_symbols},
    {"bodies", "turn functions into declarations", dl_reduce_bodies},
    {"regions", "replace ops by the contents of their regions", dl_reduce_regions},
    {"ops-to-values", "erase ops, other values of the same types taking their place",
     dl_reduce_ops_to_values},
    {"ops-to-constants", "erase ops, zeros taking their place", dl_reduce_ops_to_constants},
    {"blocks", "erase blocks and join those that follow one another", dl_reduce_blocks},
    {"signatures", "drop results and unused arguments of functions", dl_reduce_signatures},
    {"results", "drop unused results of ops", dl_reduce_results},
    {"operands", "drop operands of ops that take any number", dl_reduce_operands},
    {"attributes", "drop attributes", dl_reduce_attributes},
    {"constants", "make constants uniform", dl_reduce_constants},
    {"sizes", "replace a size, wherever types have it, by a smaller one", dl_reduce_sizes},
    {"widths", "replace a type of elements by a narrower one", dl_reduce_widths},
};

size_t dl_num_reductions(void) { return DL_COUNT(strategies); }
const char *dl_reduction_name(size_t i) { return strategies[i].name; }
const char *dl_reduction_summary(size_t i) { return strategies[i].summary; }

typedef struct driver {
  const dl_reduce_options *options;
  dl_op *best;
  bool progressed;
} driver;

// --- candidates ---

static void ignore(void *user, const dl_diagnostic *diagnostic) { (void)user, (void)diagnostic; }

static bool is_valid(dl_op *module) {
  dl_context *ctx = dl_op_context(module);
  dl_diag_handler handler;
  void *user;
  dl_get_diag_handler(ctx, &handler, &user);
  dl_set_diag_handler(ctx, ignore, NULL);
  bool valid = dl_verify(module) == DL_OK;
  dl_set_diag_handler(ctx, handler, user);
  return valid;
}

// The best module with these targets changed, or NULL if that changes nothing or is not valid.
static dl_op *make_candidate(const driver *d, dl_strategy strategy, size_t first, size_t last) {
  dl_op *candidate = dl_op_clone(d->best, NULL);
  dl_reduction r = {.first = first, .last = last};
  strategy(&r, candidate);
  if (r.changed && is_valid(candidate)) return candidate;
  dl_op_destroy_tree(candidate);
  return NULL;
}

static size_t count_targets(const driver *d, dl_strategy strategy) {
  dl_reduction r = {0};
  strategy(&r, d->best);
  return r.num_targets;
}

// --- one strategy ---

typedef struct batch {
  dl_op **candidates;
  size_t *firsts;  // where each one's targets begin
  size_t len;
} batch;

// Fills the batch with candidates from target `first` on; returns where the next one begins.
static size_t fill(const driver *d, dl_strategy strategy, size_t first, size_t chunk, size_t total,
                   batch *b) {
  b->len = 0;
  while (first < total && b->len < d->options->at_a_time) {
    dl_op *candidate = make_candidate(d, strategy, first, first + chunk);
    if (candidate) {
      b->firsts[b->len] = first;
      b->candidates[b->len++] = candidate;
    }
    first += chunk;
  }
  return first;
}

// Tests the batch; the first interesting module becomes the best. Returns its number, or the
// batch's length.
static size_t test(driver *d, const batch *b) {
  if (!b->len) return 0;
  size_t found = d->options->first_interesting(d->options->user, b->len, b->candidates);
  for (size_t i = 0; i < b->len; i++)
    if (i != found) dl_op_destroy_tree(b->candidates[i]);
  if (found == b->len) return found;
  dl_op_destroy_tree(d->best);
  d->best = b->candidates[found];
  d->progressed = true;
  return found;
}

static bool expired(const driver *d) {
  return d->options->expired && d->options->expired(d->options->user);
}

static size_t try_chunks(driver *d, size_t s, size_t chunk, size_t total, batch *b) {
  for (size_t first = 0; first < total && !expired(d);) {
    size_t next = fill(d, strategies[s].run, first, chunk, total, b);
    size_t found = test(d, b);
    first = next;
    if (found == b->len) continue;
    first = b->firsts[found];
    total = count_targets(d, strategies[s].run);
    if (d->options->progress) d->options->progress(d->options->user, strategies[s].name, d->best);
  }
  return total;
}

static void run_strategy(driver *d, size_t s) {
  batch b = {dl_calloc(d->options->at_a_time, sizeof(dl_op *)),
             dl_calloc(d->options->at_a_time, sizeof(size_t)), 0};
  size_t total = count_targets(d, strategies[s].run);
  for (size_t chunk = total; chunk && !expired(d); chunk /= 2) {
    if (chunk > total) continue;
    total = try_chunks(d, s, chunk, total, &b);
  }
  free(b.candidates);
  free(b.firsts);
}

// --- which strategies ---

static size_t find_strategy(dl_str name) {
  size_t i = 0;
  while (i < DL_COUNT(strategies) && !dl_str_is(name, strategies[i].name)) i++;
  return i;
}

static dl_status choose(dl_op *module, const char *names, bool *chosen) {
  for (size_t i = 0; i < DL_COUNT(strategies); i++) chosen[i] = !names;
  while (names && *names) {
    dl_str name = {names, strcspn(names, ",")};
    size_t i = find_strategy(name);
    if (i == DL_COUNT(strategies))
      return dl_error(dl_loc_unknown(dl_op_context(module)), "unknown reduction strategy '%.*s'",
                      (int)name.len, name.data);
    chosen[i] = true;
    names += name.len + (names[name.len] == ',');
  }
  return DL_OK;
}

dl_op *dl_reduce(dl_op *module, const dl_reduce_options *options) {
  bool chosen[DL_COUNT(strategies)];
  if (choose(module, options->strategies, chosen) != DL_OK) {
    dl_op_destroy_tree(module);
    return NULL;
  }
  driver d = {.options = options, .best = module};
  do {
    d.progressed = false;
    for (size_t s = 0; s < DL_COUNT(strategies); s++)
      if (chosen[s]) run_strategy(&d, s);
  } while (d.progressed && !expired(&d));
  return d.best;
}
