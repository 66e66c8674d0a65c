// control-flow-sink: moves ops without effects into the region of a conditional op when only that
// region uses them, so that they run only when it does. Regions that may run more than once, and
// those of ops that do not tell how their regions run, are left alone.
#include "ir/effects.h"
#include "ir/pass.h"

// Whether the region runs at most once for each time that op runs, and maybe not at all.
static bool is_conditional(const dl_op *op, size_t region) {
  dl_control_edge edges[DL_MAX_EDGES];
  const dl_op_def *def = dl_op_def_of(op);
  size_t count = def->control(op, DL_PARENT, NULL, edges);
  bool entered = false, avoidable = false;
  for (size_t i = 0; i < count; i++) {
    entered |= edges[i].to == (int)region;
    avoidable |= edges[i].to != (int)region;
  }
  for (size_t from = 0; from < dl_num_regions(op); from++) {
    count = def->control(op, (int)from, NULL, edges);
    for (size_t i = 0; i < count; i++)
      if (edges[i].to == (int)region) return false;
  }
  return entered && avoidable;
}

static bool is_used_only_in(const dl_op *op, const dl_region *region) {
  bool any = false;
  for (size_t i = 0; i < dl_num_results(op); i++)
    for (dl_use *use = dl_first_use(dl_result(op, i)); use; use = dl_next_use(use)) {
      const dl_op *user = dl_use_owner(use);
      while (user && dl_block_region(dl_op_block(user)) != region) {
        user = dl_op_parent(user);
        if (user && !dl_op_block(user)) return false;
      }
      if (!user) return false;
      any = true;
    }
  return any;
}

static bool can_sink(dl_op *op, const dl_op *into, const dl_region *region) {
  return dl_op_block(op) == dl_op_block(into) && dl_op_is_erasable(op) &&
         dl_op_effects(op) == DL_EFFECTS_NONE && is_used_only_in(op, region);
}

typedef struct sinking {
  dl_pass *pass;
  dl_op *conditional;
  dl_region *region;
} sinking;

// Backwards, so that what an op uses can follow it.
static void sink_into(sinking *s) {
  dl_block *entry = dl_region_first(s->region);
  for (dl_op *op = dl_op_prev(s->conditional), *before; op; op = before) {
    before = dl_op_prev(op);
    if (!can_sink(op, s->conditional, s->region)) continue;
    dl_op_move_before(op, dl_block_first(entry));
    dl_count(s->pass, "sunk", 1);
    dl_pass_changed(s->pass);
  }
}

static bool sink_at(dl_op *op, void *user) {
  if (!dl_op_def_of(op)->control || dl_has_trait(op, DL_ISOLATED | DL_CLOSED)) return true;
  for (size_t i = 0; i < dl_num_regions(op); i++) {
    dl_region *region = dl_op_region(op, i);
    if (dl_region_empty(region) || !is_conditional(op, i)) continue;
    sink_into(&(sinking){user, op, region});
  }
  return true;
}

static dl_status run(dl_pass *pass, dl_op *root) {
  dl_walk(root, sink_at, pass);
  return DL_OK;
}

static const char *const statistics[] = {"sunk"};

const dl_pass_def dl_pass_control_flow_sink = {
    .name = "control-flow-sink",
    .summary = "Move ops into the conditional regions that alone use them",
    .contract = DL_EXACT,
    .num_statistics = DL_COUNT(statistics),
    .statistics = statistics,
    .run = run,
};
