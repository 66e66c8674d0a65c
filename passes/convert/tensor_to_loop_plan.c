// Which computes of a kernel get loops of their own.
#include <string.h>

#include "dialects/tensor/tensor_ops.h"
#include "passes/convert/tensor_to_loop_internal.h"

static dl_stage *stage_of(const dl_kernel *k, const dl_op *op) {
  if (!dl_is(op, tensor_compute)) return NULL;
  return dl_kernel_ref(k, dl_result(op, 0))->stage;
}

// The compute that is the only one to use a stage's result, as an input, once; or NULL.
static dl_stage *only_reader(const dl_kernel *k, const dl_stage *s, size_t *input) {
  dl_value *result = dl_result(s->op, 0);
  if (!dl_has_one_use(result)) return NULL;
  dl_use *use = dl_first_use(result);
  *input = dl_use_index(use);
  dl_stage *reader = stage_of(k, dl_use_owner(use));
  return reader && *input < reader->c.num_inputs ? reader : NULL;
}

static bool is_one(dl_expr extent) { return extent->kind == DL_EXPR_CONST && extent->value == 1; }

static bool projects(const dl_kernel *k, dl_map map, size_t count, const dl_expr *extents,
                     size_t **positions) {
  *positions = dl_arena_alloc(k->arena, (count + 1) * sizeof(size_t));
  return dl_projection(map, count, extents, *positions);
}

// Whether the reader's points are those of the stage's result, one for one.
static bool covers(const dl_kernel *k, const dl_stage *s, const dl_stage *reader, size_t input) {
  size_t *positions;
  dl_map map = reader->c.in_maps[input];
  if (reader->c.combiner || reader->c.in_else[input]) return false;
  if (!projects(k, map, reader->c.num_iterators, reader->extents, &positions)) return false;
  for (size_t r = 0; r < map->num_results; r++) {
    dl_expr index = map->results[r], size = s->result->sizes[r];
    bool whole = index->kind == DL_EXPR_DIM ? reader->extents[index->value] == size : is_one(size);
    if (!whole) return false;
  }
  return true;
}

static bool drives(const dl_kernel *k, const dl_stage *s, const dl_stage *reader, size_t input) {
  return s->c.combiner && !reader->c.combiner && !reader->driver && covers(k, s, reader, input);
}

// Whether the schedule gives a compute a place of its own.
static bool is_placed(const dl_kernel *k, const dl_stage *s) {
  for (size_t i = 0; i < k->schedule.count; i++) {
    const dl_primitive *p = &k->schedule.primitives[i];
    if (p->kind == DL_PRIM_COMPUTE_AT && s->c.label && !strcmp(p->names[0], s->c.label))
      return true;
  }
  return false;
}

void dl_kernel_plan(dl_kernel *k) {
  for (size_t i = k->stages.len; i-- > 0;) {
    dl_stage *s = k->stages.data[i];
    size_t input;
    dl_stage *reader = only_reader(k, s, &input);
    if (!reader || is_placed(k, s) || !drives(k, s, reader, input)) continue;
    s->role = DL_ROLE_DRIVER;
    s->reader = reader;
    reader->driver = s;
  }
}
