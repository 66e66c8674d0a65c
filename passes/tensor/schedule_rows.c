// Computes inside of the loops of others, where nothing is computed twice for it.
#include "passes/tensor/schedule_model_internal.h"

#define MIN_ROWS_PER_CORE 4
#define SMALL_POINTS 65536  // other threads would not help

static int64_t size_of(int64_t extent) { return extent == DL_DYNAMIC ? 64 : extent; }

// Whether there are rows for all cores, or too little work to mind.
static bool enough_rows(const dl_stage *last, const dl_machine *machine, size_t held, double work) {
  int64_t rows = 1;
  for (size_t i = 0; i < held; i++) rows *= size_of(last->nest.axes.data[i].extent);
  return rows >= MIN_ROWS_PER_CORE * machine->cores || work <= SMALL_POINTS;
}

static void place(dl_kernel *k, const dl_stage *s, dl_ident loop, dl_primitive_list *out) {
  dl_ident names[] = {s->c.label, loop};
  DL_PUSH(out, dl_prim_names(k->e.ctx, DL_PRIM_COMPUTE_AT, DL_COUNT(names), names));
}

// Tiles the innermost held loop in the nest at hand. Returns the axis that is to hold the computes.
static size_t tile_rows(dl_kernel *k, dl_stage *last, size_t held, int64_t rows) {
  if (rows == 1) return held - 1;
  dl_ident name =
      dl_intern_f(k->e.ctx, "%s.%s", last->c.label, last->nest.axes.data[held - 1].name);
  dl_primitive tile = {.kind = DL_PRIM_TILE, .num_names = 1, .names = &name, .factor = rows};
  dl_schedule schedule = {1, &tile};
  dl_nest *nest = &last->nest;
  if (dl_schedule_apply(dl_op_loc(last->op), &schedule, 1, &nest, NULL) != DL_OK)
    dl_bug(last->op, "cannot tile '%s'", name);
  return nest->axes.len - 2;
}

// Points of all computes but those in registers.
static double total_points(const dl_kernel *k) {
  double total = 0;
  for (size_t i = 0; i < k->stages.len; i++) {
    const dl_stage *s = k->stages.data[i];
    double points = 1;
    for (size_t a = 0; a < s->c.num_iterators; a++)
      points *= (double)size_of(s->nest.axes.data[a].extent);
    if (!s->driver) total += points;
  }
  return total;
}

bool dl_choose_rows(dl_kernel *k, const dl_machine *machine, size_t held, dl_primitive_list *out) {
  size_t count = k->stages.len, placed = 0;
  dl_stage *last = count ? k->stages.data[count - 1] : NULL;
  bool elementwise = last && !last->driver && !last->c.combiner && last->role == DL_ROLE_ROOT;
  double work = total_points(k);
  if (!elementwise || last->c.num_iterators <= held || !enough_rows(last, machine, held, work))
    return false;
  int64_t rows = dl_choose_num_rows(k, last, machine, held, work);
  size_t axis = tile_rows(k, last, held, rows);
  for (size_t i = count - 1; i-- > 0;) {
    dl_stage *s = k->stages.data[i];
    if (s->role == DL_ROLE_ROOT) placed += dl_region_try(k, s, last, axis);
  }
  if (!placed) return false;
  dl_ident loop = dl_choose_host(k, last, machine, held, rows, work, out);
  for (size_t i = count - 1; i-- > 0;) {
    dl_stage *s = k->stages.data[i];
    if (s->role == DL_ROLE_DRIVER) continue;
    if (s->role == DL_ROLE_INSIDE) place(k, s, loop, out);
    dl_choose_nest(k, s, machine, out);
  }
  return true;
}
