#include "dialects/engine.h"
#include "dialects/eval/box_internal.h"

// Compiling takes as long as interpreting so many points.
enum { WORTH_COMPILING = 1 << 20 };

// Instructions, and indices computed per lane, are evaluated in one program: first the conditions,
// then (where some lane satisfies them) the body, with the indices of each read before it.
typedef struct machine {
  dl_box *box;
  size_t strip;    // the strip iterator; num_iterators: none, all strips have one lane
  int64_t *point;  // values of all iterators; of the strip iterator: at lane 0
  char *memory;    // registers, DL_STRIP * 8 bytes each
  dl_access *reads, target;
  size_t first_body_op, first_target_op;  // conditions come first, the target's indices last
  dl_register *conditions;
  bool *reduces;    // per condition: over reduce iterators too
  int64_t *active;  // per lane: the conditions hold; only when there are conditions
  char *accumulator, *next;
  dl_kernel combine;
  bool has_combine;
} machine;

static void *register_at(const machine *m, dl_register reg) {
  return m->memory + (size_t)reg * DL_STRIP * sizeof(dl_scalar_value);
}

static bool is_active(const machine *m, size_t lane) {
  return !m->box->num_conditions || m->active[lane];
}

static dl_status out_of_range(const machine *m, const char *what, size_t lane) {
  dl_buffer point = {0};
  for (size_t i = 0; i < m->box->num_iterators; i++) {
    int64_t value = m->point[i] + (i == m->strip ? (int64_t)lane : 0);
    dl_buffer_printf(&point, "%s%lld", i ? ", " : "", (long long)value);
  }
  dl_error(m->box->loc, "%s out of range at the iterators (%s)", what,
           point.data ? point.data : "");
  dl_buffer_free(&point);
  return DL_FAILED;
}

// --- element addresses computed per lane ---

// The element of a lane, or -1.
static int64_t lane_element(const machine *m, const dl_access *access, size_t lane) {
  int64_t element = 0;
  for (size_t i = 0; i < access->rank; i++) {
    int64_t index = ((const int64_t *)register_at(m, access->axes[i].lanes))[lane];
    if (index < 0 || index >= access->axes[i].size) return -1;
    element += index * access->axes[i].stride;
  }
  return element;
}

static void *lane_at(const machine *m, dl_register reg, size_t lane) {
  return (char *)register_at(m, reg) + lane * dl_lane_bytes(m->box->registers.data[reg].lane);
}

static dl_status read_per_lane(machine *m, const dl_box_op *op, size_t count) {
  const dl_box_read *read = &m->box->reads[op->read];
  size_t size = dl_element_bytes(read->type);
  for (size_t lane = 0; lane < count; lane++) {
    int64_t element = lane_element(m, &m->reads[op->read], lane);
    void *out = lane_at(m, op->out, lane);
    if (element >= 0) {
      dl_lanes_load(read->type, out, read->array->data + (size_t)element * size, 1, 1);
    } else if (read->has_otherwise || !is_active(m, lane)) {
      dl_lanes_fill(dl_lane_of(read->type), out, read->otherwise, 1);
    } else {
      return out_of_range(m, "read", lane);
    }
  }
  return DL_OK;
}

static dl_status read_strip(machine *m, const dl_box_op *op, size_t count) {
  const dl_box_read *read = &m->box->reads[op->read];
  const dl_access *access = &m->reads[op->read];
  if (access->per_lane) return read_per_lane(m, op, count);
  dl_span span = dl_access_span(access, m->point, m->box->num_iterators, m->strip, count);
  dl_lane lane = dl_lane_of(read->type);
  if (span.lo > 0 || span.hi < count) {
    for (size_t i = 0; i < count && !read->has_otherwise; i++) {
      if ((i < span.lo || i >= span.hi) && is_active(m, i)) return out_of_range(m, "read", i);
    }
    dl_lanes_fill(lane, register_at(m, op->out), read->otherwise, count);
  }
  if (span.lo == span.hi) return DL_OK;
  int64_t first = span.first + (int64_t)span.lo * span.step;
  dl_lanes_load(read->type, lane_at(m, op->out, span.lo),
                read->array->data + first * (int64_t)dl_element_bytes(read->type), span.step,
                span.hi - span.lo);
  return DL_OK;
}

static dl_status gather(machine *m, const dl_box_op *op, size_t count) {
  size_t size = dl_element_bytes(op->type);
  for (size_t lane = 0; lane < count; lane++) {
    int64_t element = 0;
    bool in_range = true;
    for (size_t i = 0; i < op->array->rank; i++) {
      int64_t index = ((const int64_t *)register_at(m, op->indices[i]))[lane];
      in_range = in_range && index >= 0 && index < op->array->shape[i];
      element = element * op->array->shape[i] + index;
    }
    if (!in_range && is_active(m, lane)) return out_of_range(m, "computed index", lane);
    if (!in_range) element = 0;
    if (op->array->count)
      dl_lanes_load(op->type, lane_at(m, op->out, lane), op->array->data + (size_t)element * size,
                    1, 1);
  }
  return DL_OK;
}

// --- the program ---

static void run_kernel(const machine *m, const dl_kernel *kernel, void *out, const void *const *in,
                       size_t count) {
  dl_kernel_run(kernel, out, in, count);
  if (m->box->noise && kernel->rounds) dl_lanes_perturb(kernel->to, out, count, m->box->noise);
}

static void set_iterators(machine *m, size_t count) {
  const dl_box *box = m->box;
  for (size_t r = 0; r < box->registers.len; r++) {
    const dl_box_register *reg = &box->registers.data[r];
    if (reg->kind != DL_REGISTER_ITERATOR) continue;
    int64_t *lanes = register_at(m, (dl_register)r), first = m->point[reg->iterator];
    int64_t step = reg->iterator == m->strip;
    for (size_t i = 0; i < count; i++) lanes[i] = first + step * (int64_t)i;
  }
}

static dl_status run_ops(machine *m, size_t from, size_t to, size_t count) {
  for (size_t i = from; i < to; i++) {
    const dl_box_op *op = &m->box->ops.data[i];
    if (op->kind == DL_BOX_READ) {
      DL_TRY(read_strip(m, op, count));
    } else if (op->kind == DL_BOX_GATHER) {
      DL_TRY(gather(m, op, count));
    } else {
      const void *in[DL_KERNEL_MAX_INPUTS];
      for (size_t k = 0; k < op->kernel.num_inputs; k++) in[k] = register_at(m, op->in[k]);
      run_kernel(m, &op->kernel, register_at(m, op->out), in, count);
    }
  }
  return DL_OK;
}

static bool condition_holds(const machine *m, size_t condition, size_t lane) {
  int64_t value = ((const int64_t *)register_at(m, m->conditions[condition]))[lane];
  return m->box->is_equality[condition] ? value == 0 : value >= 0;
}

// Whether some lane is active.
static bool evaluate_conditions(machine *m, size_t count) {
  if (!m->box->num_conditions) return true;
  bool any = false;
  for (size_t lane = 0; lane < count; lane++) {
    m->active[lane] = true;
    for (size_t c = 0; c < m->box->num_conditions; c++)
      m->active[lane] &= condition_holds(m, c, lane);
    any |= m->active[lane];
  }
  return any;
}

// --- accumulating ---

static void keep_inactive(const machine *m, size_t count) {
  size_t size = dl_lane_bytes(dl_lane_of(m->box->type));
  for (size_t i = 0; i < count && m->box->num_conditions; i++) {
    if (!m->active[i]) memcpy(m->next + i * size, m->accumulator + i * size, size);
  }
}

// Lane by lane: accumulator[i] = combine(accumulator[i], value[i]).
static void accumulate(machine *m, size_t count) {
  const void *value = register_at(m, m->box->result);
  if (m->has_combine) {
    run_kernel(m, &m->combine, m->next, (const void *[]){m->accumulator, value, NULL}, count);
  } else {
    memcpy(m->next, value, count * dl_lane_bytes(dl_lane_of(m->box->type)));
  }
  keep_inactive(m, count);
  char *swap = m->accumulator;
  m->accumulator = m->next;
  m->next = swap;
}

// Along the strip: accumulator[0] = combine(… combine(accumulator[0], value[0]) …).
static void accumulate_along(machine *m, size_t count) {
  const char *value = register_at(m, m->box->result);
  dl_lane lane = dl_lane_of(m->box->type);
  size_t size = dl_lane_bytes(lane);
  if (m->box->combiner == DL_COMBINE_SUM && m->box->type->kind == DL_TYPE_FLOAT &&
      m->box->type->float_kind == DL_F32 && !m->box->noise) {
    float sum = *(float *)m->accumulator;
    for (size_t i = 0; i < count; i++) {
      if (is_active(m, i)) sum += ((const float *)value)[i];
    }
    *(float *)m->accumulator = sum;
    return;
  }
  for (size_t i = 0; i < count; i++) {
    if (!is_active(m, i)) continue;
    run_kernel(m, &m->combine, m->next, (const void *[]){m->accumulator, value + i * size, NULL},
               1);
    memcpy(m->accumulator, m->next, size);
  }
}

static bool strip_reduces(const machine *m) {
  return m->strip >= m->box->num_parallel && m->strip < m->box->num_iterators;
}

static dl_status evaluate_strip(machine *m, size_t count) {
  set_iterators(m, count);
  DL_TRY(run_ops(m, 0, m->first_body_op, count));
  if (!evaluate_conditions(m, count)) return DL_OK;
  DL_TRY(run_ops(m, m->first_body_op, m->first_target_op, count));
  strip_reduces(m) ? accumulate_along(m, count) : accumulate(m, count);
  return DL_OK;
}

// Steps the iterators from `from` to `to` except the strip iterator, last fastest; false after the
// last point.
static bool step(const machine *m, size_t from, size_t to) {
  for (size_t i = to; i-- > from;) {
    if (i == m->strip) continue;
    if (++m->point[i] < m->box->extents[i]) return true;
    m->point[i] = 0;
  }
  return false;
}

// --- storing ---

static void clear_outside(machine *m, size_t count) {
  size_t size = dl_lane_bytes(dl_lane_of(m->box->type));
  for (size_t c = 0; c < m->box->num_conditions; c++) {
    if (m->reduces[c]) continue;
    for (size_t i = 0; i < count; i++) {
      if (!condition_holds(m, c, i)) memset(m->accumulator + i * size, 0, size);
    }
  }
}

static dl_status store_per_lane(machine *m, size_t count) {
  dl_type type = m->box->type;
  size_t lane_size = dl_lane_bytes(dl_lane_of(type)), size = dl_element_bytes(type);
  for (size_t lane = 0; lane < count; lane++) {
    int64_t element = lane_element(m, &m->target, lane);
    if (element < 0) return out_of_range(m, "result", lane);
    dl_lanes_store(type, m->accumulator + lane * lane_size,
                   m->box->target->data + (size_t)element * size, 1, 1);
  }
  return DL_OK;
}

static dl_status store(machine *m, size_t count) {
  set_iterators(m, count);
  DL_TRY(run_ops(m, 0, m->first_body_op, count));
  clear_outside(m, count);
  DL_TRY(run_ops(m, m->first_target_op, m->box->ops.len, count));
  if (m->target.per_lane) return store_per_lane(m, count);
  dl_span span = dl_access_span(&m->target, m->point, m->box->num_iterators, m->strip, count);
  if (span.lo > 0 || span.hi < count) return out_of_range(m, "result", span.lo > 0 ? 0 : span.hi);
  dl_type type = m->box->type;
  dl_lanes_store(type, m->accumulator,
                 m->box->target->data + span.first * (int64_t)dl_element_bytes(type), span.step,
                 count);
  return DL_OK;
}

// --- the loops ---

static size_t chunk(const machine *m) {
  if (m->strip == m->box->num_iterators) return 1;
  int64_t left = m->box->extents[m->strip] - m->point[m->strip];
  return left < DL_STRIP ? (size_t)left : DL_STRIP;
}

static bool next_chunk(machine *m, size_t count) {
  if (m->strip == m->box->num_iterators) return false;
  m->point[m->strip] += (int64_t)count;
  if (m->point[m->strip] < m->box->extents[m->strip]) return true;
  m->point[m->strip] = 0;
  return false;
}

static bool reduces_nothing(const dl_box *box) {
  for (size_t i = box->num_parallel; i < box->num_iterators; i++) {
    if (box->extents[i] == 0) return true;
  }
  return false;
}

// All reduce points for one strip of parallel points, or one parallel point.
static dl_status reduce(machine *m, size_t lanes) {
  dl_box *box = m->box;
  if (m->has_combine) dl_lanes_fill(dl_lane_of(box->type), m->accumulator, box->init, lanes);
  if (reduces_nothing(box)) return DL_OK;
  do {
    size_t count = lanes;
    do {
      if (strip_reduces(m)) count = chunk(m);
      DL_TRY(evaluate_strip(m, count));
    } while (strip_reduces(m) && next_chunk(m, count));
  } while (step(m, box->num_parallel, box->num_iterators));
  return DL_OK;
}

static dl_status run_parallel(machine *m) {
  do {
    size_t count;
    do {
      count = strip_reduces(m) ? 1 : chunk(m);
      DL_TRY(reduce(m, count));
      DL_TRY(store(m, count));
    } while (!strip_reduces(m) && next_chunk(m, count));
  } while (step(m, 0, m->box->num_parallel));
  return DL_OK;
}

// --- setting up ---

// The last parallel iterator that fills a good part of a strip, else the longest; a reduce iterator
// where the parallel ones are short. The strip must be the innermost reduce iterator then, to keep
// the order of sums.
static size_t choose_strip(const dl_box *box) {
  enum { LONG_ENOUGH = 32 };
  size_t best = box->num_iterators;
  for (size_t i = 0; i < box->num_parallel; i++) {
    int64_t longest = best < box->num_iterators ? box->extents[best] : 1;
    if (box->extents[i] >= LONG_ENOUGH || box->extents[i] > longest) best = i;
  }
  int64_t extent = best < box->num_iterators ? box->extents[best] : 1;
  if (extent >= LONG_ENOUGH || box->num_parallel == box->num_iterators) return best;
  size_t last = box->num_iterators - 1;
  return box->extents[last] > 4 * extent ? last : best;
}

static bool uses_reduce_iterators(const dl_box *box, dl_expr expr) {
  for (size_t i = box->num_parallel; i < box->num_iterators; i++) {
    if (dl_expr_uses_dim(expr, (unsigned)i)) return true;
  }
  return false;
}

static void compile_conditions(machine *m) {
  dl_box *box = m->box;
  m->conditions = dl_arena_alloc(box->arena, box->num_conditions * sizeof(dl_register) + 1);
  m->reduces = dl_arena_alloc(box->arena, box->num_conditions * sizeof(bool) + 1);
  m->active = dl_arena_alloc(box->arena, DL_STRIP * sizeof(int64_t));
  for (size_t c = 0; c < box->num_conditions; c++) {
    m->conditions[c] = dl_box_expr(box, box->conditions[c]);
    m->reduces[c] = uses_reduce_iterators(box, box->conditions[c]);
  }
}

// Puts the conditions before the body that the box was given, and per-lane indices of reads
// between.
static void compile(machine *m) {
  dl_box *box = m->box;
  typeof(box->ops) body = box->ops;
  box->ops.data = NULL;
  box->ops.len = box->ops.capacity = 0;
  compile_conditions(m);
  m->first_body_op = box->ops.len;
  m->reads = dl_arena_alloc(box->arena, box->num_reads * sizeof(dl_access) + 1);
  for (size_t i = 0; i < box->num_reads; i++)
    dl_access_init(&m->reads[i], box, box->reads[i].array, box->reads[i].indices, m->strip);
  for (size_t i = 0; i < body.len; i++) DL_PUSH(&box->ops, body.data[i]);
  DL_VEC_FREE(&body);
  m->first_target_op = box->ops.len;
  dl_access_init(&m->target, box, box->target, box->out, m->strip);
  m->has_combine = dl_kernel_of_combiner(box->combiner, box->target->element, &m->combine);
  m->combine.to = box->type;
}

static void fill_constants(machine *m) {
  for (size_t r = 0; r < m->box->registers.len; r++) {
    const dl_box_register *reg = &m->box->registers.data[r];
    if (reg->kind == DL_REGISTER_CONSTANT)
      dl_lanes_fill(reg->lane, register_at(m, (dl_register)r), reg->value, DL_STRIP);
  }
}

static bool is_empty(const dl_box *box) {
  for (size_t i = 0; i < box->num_parallel; i++) {
    if (box->extents[i] <= 0) return true;
  }
  return false;
}

static double count_points(const dl_box *box) {
  double points = 1;
  for (size_t i = 0; i < box->num_iterators; i++) points *= (double)box->extents[i];
  return points;
}

dl_status dl_box_run(dl_box *box) {
  if (is_empty(box)) return DL_OK;
  double points = count_points(box);
  if (box->work) *box->work += points;
  if (box->engine && points >= WORTH_COMPILING && box->engine->run_box(box->engine, box))
    return DL_OK;
  machine m = {.box = box, .strip = choose_strip(box)};
  compile(&m);
  size_t strip_bytes = DL_STRIP * sizeof(dl_scalar_value);
  m.point = dl_calloc(box->num_iterators, sizeof(int64_t));
  m.memory = dl_malloc((box->registers.len + 2) * strip_bytes);
  m.accumulator = m.memory + box->registers.len * strip_bytes;
  m.next = m.accumulator + strip_bytes;
  fill_constants(&m);
  dl_status status = run_parallel(&m);
  free(m.point);
  free(m.memory);
  return status;
}
