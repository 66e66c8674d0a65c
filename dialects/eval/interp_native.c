// Calls and launches that an engine runs as native code, where interpreting would take too long.
#include <sys/mman.h>
#include <unistd.h>

#include "dialects/engine.h"
#include "dialects/eval/interp_internal.h"
#include "dialects/loop/loop.h"

// --- how much a function does ---

enum { UNKNOWN_TRIPS = 16, MAX_DEPTH = 8, WORTH_COMPILING = 2 << 20 };

static double extent(dl_attr map, size_t result) {
  bool known = map && map->kind == DL_ATTR_MAP && result < map->map->num_results &&
               map->map->results[result]->kind == DL_EXPR_CONST;
  return known ? (double)map->map->results[result]->value : UNKNOWN_TRIPS;
}

static double trips(const dl_op *op) {
  dl_attr upper = dl_get_attr(op, "upper"), lower = dl_get_attr(op, "lower");
  if (!upper || upper->kind != DL_ATTR_MAP) return 1;
  if (!lower) {
    double product = 1;
    for (size_t i = 0; i < upper->map->num_results; i++) product *= extent(upper, i);
    return product;
  }
  double first = lower->kind == DL_ATTR_MAP && lower->map->results[0]->kind == DL_EXPR_CONST
                     ? (double)lower->map->results[0]->value
                     : 0;
  double count = (extent(upper, 0) - first) / (double)dl_get_i64(op, "step", 1);
  return count < 1 ? 1 : count;
}

static double trips_of_grid(const dl_op *launch) {
  dl_attr grid = dl_get_attr(launch, "grid");
  double product = 1;
  for (size_t i = 0; grid && grid->kind == DL_ATTR_MAP && i < grid->map->num_results; i++)
    product *= extent(grid, i);
  return product;
}

// Ops that run in a call, as far as the bounds of loops show.
static double cost(const dl_op *op, unsigned depth) {
  double sum = 1;
  dl_attr callee = dl_get_attr(op, "callee");
  if (callee && depth < MAX_DEPTH) {
    const dl_op *table = dl_enclosing_symbol_table(op);
    const dl_op *function = table ? dl_symbol_lookup((dl_op *)table, callee->name) : NULL;
    if (function) sum += trips_of_grid(op) * cost(function, depth + 1);
  }
  for (size_t i = 0; i < dl_num_regions(op); i++) DL_FOR_BLOCKS(block, dl_op_region(op, i)) {
      DL_FOR_OPS(inner, block) { sum += cost(inner, depth); }
    }
  return dl_num_regions(op) ? sum * trips(op) : sum;
}

bool dl_interp_is_large(const dl_op *function) { return cost(function, 0) >= WORTH_COMPILING; }

// --- handing over ---

// Slots hold addresses and scalars; false for what has no slot.
static bool fill_slot(const dl_frame *frame, dl_place place, uint64_t *slot) {
  *slot = 0;
  if (place.kind == DL_PLACE_POINTER) {
    dl_pointer pointer = *(dl_pointer *)dl_at(frame, place);
    if (!pointer.memory) return false;
    *slot = (uint64_t)(uintptr_t)(pointer.memory->data + pointer.offset);
    return true;
  }
  if (place.kind != DL_PLACE_LANES || place.lanes != 1) return false;
  dl_lanes_store(place.type, dl_at(frame, place), slot, 1, 1);
  return true;
}

bool dl_run_natively(const dl_frame *frame, const dl_op *function, size_t num_args,
                     const dl_place *args, size_t grid_rank, const int64_t *grid) {
  dl_engine *engine = frame->interp->options ? frame->interp->options->engine : NULL;
  if (!engine || frame->interp->noise) return false;
  double points = 1;
  for (size_t i = 0; i < grid_rank; i++) points *= (double)grid[i];
  points *= cost(function, 0);
  if (points < WORTH_COMPILING) return false;
  if (frame->interp->eval.work) *frame->interp->eval.work += points;
  uint64_t *slots = dl_calloc(num_args + grid_rank + 1, sizeof(*slots));
  bool fits = true;
  for (size_t i = 0; i < num_args; i++) fits = fits && fill_slot(frame, args[i], &slots[i]);
  for (size_t i = 0; i < grid_rank; i++) slots[num_args + i] = (uint64_t)grid[i];
  dl_engine_call call = {(dl_op *)function, num_args + grid_rank, grid_rank, slots};
  bool done = fits && engine->run_function(engine, &call);
  free(slots);
  return done;
}

// --- memory ---

// Native code is not checked, so its buffers end where the next page may not be touched.
char *dl_map_guarded(size_t size, size_t *mapped, char **mapping) {
  enum { ALIGNMENT = 64 };
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t used = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  size_t pages = (used + page - 1) / page * page;
  *mapped = pages + page;
  *mapping = mmap(NULL, *mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (*mapping == MAP_FAILED) return NULL;
  mprotect(*mapping + pages, page, PROT_NONE);
  return *mapping + pages - used;
}

void dl_unmap_guarded(char *mapping, size_t mapped) { munmap(mapping, mapped); }
