// The ops of the loop level.
#include "dialects/eval/interp_internal.h"
#include "dialects/loop/loop.h"
#include "dialects/machine.h"
#include "dialects/tensor/compute.h"

// --- for, parallel, if ---

// Carried values go through scratch, since a yield may permute them.
static void carry(dl_frame *frame, const dl_instr *instr, const dl_place *from,
                  const dl_place *to) {
  char *scratch = frame->memory + instr->scratch;
  for (size_t i = 0, at = 0; i < instr->num_results; at += from[i++].bytes)
    memcpy(scratch + at, dl_at(frame, from[i]), from[i].bytes);
  for (size_t i = 0, at = 0; i < instr->num_results; at += to[i++].bytes)
    memcpy(dl_at(frame, to[i]), scratch + at, to[i].bytes);
}

static dl_status run_for(dl_frame *frame, const dl_instr *instr) {
  const dl_code *body = &instr->regions[0];
  const dl_place *inits = instr->operands + instr->num_operands - instr->num_results;
  const dl_place *current = inits;
  int64_t lower, upper;
  DL_TRY(dl_eval_index(frame, instr, 0, &lower));
  DL_TRY(dl_eval_index(frame, instr, 1, &upper));
  for (int64_t i = lower; i < upper;) {
    carry(frame, instr, current, body->args + 1);
    *(int64_t *)dl_at(frame, body->args[0]) = i;
    DL_TRY(dl_run_code(frame, body));
    current = body->ends;
    if (__builtin_add_overflow(i, instr->step, &i)) break;
  }
  carry(frame, instr, current, instr->results);
  return DL_OK;
}

static bool only_lanes(const dl_op *op) {
  for (size_t i = 0; i < dl_num_results(op); i++) {
    if (dl_is_tensor(dl_value_type(dl_result(op, i)))) return false;
  }
  return true;
}

static dl_status prepare_for(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  size_t bytes = 0;
  for (size_t i = 0; i < instr->num_results; i++) bytes += instr->results[i].bytes;
  if (!only_lanes(op))
    return dl_op_error(op, "carries tensors, which the interpreter does not run");
  instr->scratch = dl_add_scratch(c, bytes);
  instr->step = dl_get_i64(op, "step", 1);
  instr->run = run_for;
  DL_TRY(dl_add_exprs(c, op, instr, "lower", DL_LOOP_FOR_LOWER));
  return dl_add_exprs(c, op, instr, "upper", DL_LOOP_FOR_UPPER);
}

static dl_status eval_all(dl_frame *frame, const dl_instr *instr, int64_t *values, bool *empty) {
  *empty = false;
  for (size_t i = 0; i < instr->num_exprs; i++) {
    DL_TRY(dl_eval_index(frame, instr, i, &values[i]));
    *empty |= values[i] <= 0;
  }
  return DL_OK;
}

// Steps a multi-index below the bounds, last fastest; false after the last one.
static bool next_index(size_t count, int64_t *index, const int64_t *bounds) {
  for (size_t i = count; i-- > 0;) {
    if (++index[i] < bounds[i]) return true;
    index[i] = 0;
  }
  return false;
}

// Sets the places to the indices and runs the code, for every index below the instruction's bounds.
static dl_status run_grid(dl_frame *frame, const dl_instr *instr, dl_frame *inner,
                          const dl_place *places, const dl_code *code) {
  size_t count = instr->num_exprs;
  int64_t *bounds = dl_calloc(2 * count, sizeof(int64_t)), *index = bounds + count;
  bool empty;
  dl_status status = eval_all(frame, instr, bounds, &empty);
  bool more = status == DL_OK && !empty;
  while (more && status == DL_OK) {
    for (size_t i = 0; i < count; i++) *(int64_t *)dl_at(inner, places[i]) = index[i];
    status = dl_run_code(inner, code);
    more = next_index(count, index, bounds);
  }
  free(bounds);
  return status;
}

static dl_status run_parallel(dl_frame *frame, const dl_instr *instr) {
  return run_grid(frame, instr, frame, instr->regions[0].args, &instr->regions[0]);
}

static dl_status prepare_parallel(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  instr->run = run_parallel;
  return dl_add_exprs(c, op, instr, "upper", 0);
}

static dl_status run_if(dl_frame *frame, const dl_instr *instr) {
  const dl_code *taken = &instr->regions[dl_place_int(frame, instr->operands[0]) ? 0 : 1];
  DL_TRY(dl_run_code(frame, taken));
  for (size_t i = 0; i < instr->num_results; i++)
    dl_place_copy(frame, instr->results[i], frame, taken->ends[i]);
  return DL_OK;
}

static dl_status prepare_if(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c, (void)op;
  instr->run = run_if;
  return DL_OK;
}

// --- memory ---

static dl_pointer pointer_at(const dl_frame *frame, dl_place place) {
  return *(dl_pointer *)dl_at(frame, place);
}

static void set_pointer(dl_frame *frame, const dl_instr *instr, dl_pointer pointer) {
  *(dl_pointer *)dl_at(frame, instr->results[0]) = pointer;
}

static dl_type element_of(dl_place pointer) { return dl_loop_ptr_element(pointer.type); }

// The bytes of `count` elements at an element offset; NULL after a diagnostic when they are not all
// inside the memory.
static char *access(const dl_frame *frame, const dl_instr *instr, dl_place place, int64_t index,
                    size_t count) {
  dl_pointer pointer = pointer_at(frame, place);
  int64_t size = (int64_t)dl_element_bytes(element_of(place)), first, end;
  bool in_range = pointer.memory && !__builtin_mul_overflow(index, size, &first) &&
                  !__builtin_add_overflow(first, pointer.offset, &first) && first >= 0 &&
                  !__builtin_add_overflow(first, (int64_t)count * size, &end) &&
                  (size_t)end <= pointer.memory->size;
  if (in_range) return pointer.memory->data + first;
  int64_t elements = pointer.memory ? ((int64_t)pointer.memory->size - pointer.offset) / size : 0;
  dl_op_error(instr->op, "accesses %zu element%s at %lld, of %lld behind the pointer", count,
              count == 1 ? "" : "s", (long long)index, (long long)elements);
  return NULL;
}

// How many lanes a count operand leaves; `operand` is its number, 0 for none.
static size_t lanes_to_move(const dl_frame *frame, const dl_instr *instr, size_t lanes) {
  size_t operand = (size_t)instr->step;
  if (!operand) return lanes;
  int64_t count = dl_place_int(frame, instr->operands[operand]);
  return count <= 0 ? 0 : (size_t)count < lanes ? (size_t)count : lanes;
}

static dl_status run_load(dl_frame *frame, const dl_instr *instr) {
  int64_t index;
  dl_place result = instr->results[0];
  DL_TRY(dl_eval_index(frame, instr, 0, &index));
  size_t count = lanes_to_move(frame, instr, result.lanes);
  if (count < result.lanes) memset(dl_at(frame, result), 0, result.bytes);
  if (!count) return DL_OK;
  const char *memory = access(frame, instr, instr->operands[0], index, count);
  if (!memory) return DL_FAILED;
  dl_lanes_load(dl_element_type(result.type), dl_at(frame, result), memory, 1, count);
  return DL_OK;
}

static dl_status run_store(dl_frame *frame, const dl_instr *instr) {
  int64_t index;
  dl_place value = instr->operands[0];
  DL_TRY(dl_eval_index(frame, instr, 0, &index));
  size_t count = lanes_to_move(frame, instr, value.lanes);
  if (!count) return DL_OK;
  char *memory = access(frame, instr, instr->operands[1], index, count);
  if (!memory) return DL_FAILED;
  dl_lanes_store(dl_element_type(value.type), dl_at(frame, value), memory, 1, count);
  return DL_OK;
}

// instr->step is the number of the count operand.
static void find_count(const dl_op *op, dl_instr *instr, size_t group) {
  size_t present, operand = dl_operand_group(op, group, &present);
  instr->step = present ? (int64_t)operand : 0;
}

static dl_status prepare_load(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  instr->run = run_load;
  find_count(op, instr, DL_LOOP_LOAD_COUNT);
  return dl_add_exprs(c, op, instr, "map", DL_LOOP_LOAD_INDICES);
}

static dl_status prepare_store(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  instr->run = run_store;
  find_count(op, instr, DL_LOOP_STORE_COUNT);
  return dl_add_exprs(c, op, instr, "map", DL_LOOP_STORE_INDICES);
}

static dl_status run_gather(dl_frame *frame, const dl_instr *instr) {
  dl_place result = instr->results[0];
  dl_type element = dl_element_type(result.type);
  size_t size = dl_lane_bytes(dl_lane_of(element));
  const int64_t *offsets = dl_at(frame, instr->operands[1]);
  const int64_t *mask = instr->num_operands > 2 ? dl_at(frame, instr->operands[2]) : NULL;
  memset(dl_at(frame, result), 0, result.bytes);
  for (size_t i = 0; i < result.lanes; i++) {
    if (mask && !mask[i]) continue;
    const char *memory = access(frame, instr, instr->operands[0], offsets[i], 1);
    if (!memory) return DL_FAILED;
    dl_lanes_load(element, (char *)dl_at(frame, result) + i * size, memory, 1, 1);
  }
  return DL_OK;
}

static dl_status prepare_gather(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c, (void)op;
  instr->run = run_gather;
  return DL_OK;
}

static dl_status run_offset(dl_frame *frame, const dl_instr *instr) {
  int64_t index, bytes;
  dl_pointer pointer = pointer_at(frame, instr->operands[0]);
  DL_TRY(dl_eval_index(frame, instr, 0, &index));
  if (__builtin_mul_overflow(index, instr->step, &bytes) ||
      __builtin_add_overflow(pointer.offset, bytes, &pointer.offset))
    return dl_op_error(instr->op, "moves a pointer too far");
  set_pointer(frame, instr, pointer);
  return DL_OK;
}

static dl_status prepare_offset(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  instr->run = run_offset;
  instr->step = (int64_t)dl_element_bytes(element_of(instr->operands[0]));
  return dl_add_exprs(c, op, instr, "map", 1);
}

// A slice has its own element type; its offset is in bytes.
static dl_status prepare_slice(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  instr->run = run_offset;
  instr->step = 1;
  return dl_add_exprs(c, op, instr, "bytes", 1);
}

static dl_status run_local(dl_frame *frame, const dl_instr *instr) {
  if (pointer_at(frame, instr->results[0]).memory) return DL_OK;
  dl_memory *memory = dl_allocate(frame, instr->op, dl_get_i64(instr->op, "elements", 0),
                                  dl_element_bytes(element_of(instr->results[0])));
  if (!memory) return DL_FAILED;
  DL_PUSH(&frame->locals, memory);
  set_pointer(frame, instr, (dl_pointer){memory, 0});
  return DL_OK;
}

static dl_status prepare_local(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c, (void)op;
  instr->run = run_local;
  return DL_OK;
}

static dl_status run_alloc(dl_frame *frame, const dl_instr *instr) {
  int64_t count;
  DL_TRY(dl_eval_index(frame, instr, 0, &count));
  dl_memory *memory =
      dl_allocate(frame, instr->op, count, dl_element_bytes(element_of(instr->results[0])));
  if (!memory) return DL_FAILED;
  DL_PUSH(&frame->interp->memories, memory);
  set_pointer(frame, instr, (dl_pointer){memory, 0});
  return DL_OK;
}

static dl_status prepare_alloc(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  instr->run = run_alloc;
  return dl_add_exprs(c, op, instr, "elements", 0);
}

static dl_status prepare_arena(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  instr->run = run_alloc;
  return dl_add_exprs(c, op, instr, "bytes", 0);
}

static dl_status run_fixed_pointer(dl_frame *frame, const dl_instr *instr) {
  set_pointer(frame, instr, (dl_pointer){instr->data, 0});
  return DL_OK;
}

static dl_status set_fixed(dl_compiler *c, dl_instr *instr, const dl_ndarray *array) {
  dl_memory *memory = dl_arena_alloc(c->arena, sizeof(*memory));
  *memory = (dl_memory){.data = array->data, .size = dl_ndarray_bytes(array)};
  instr->data = memory;
  instr->run = run_fixed_pointer;
  return DL_OK;
}

static dl_status prepare_constant(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  dl_ndarray *array = dl_ndarray_of_attr(dl_get_attr(op, "value"));
  if (!array) return dl_op_error(op, "has a value whose elements are not at hand");
  DL_PUSH(&c->interp->constants, array);
  return set_fixed(c, instr, array);
}

static dl_status prepare_weight(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  int64_t index = dl_get_i64(op, "index", 0);
  if (index < 0 || (uint64_t)index >= c->interp->num_weights)
    return dl_op_error(op, "asks for a weight that @init does not make");
  return set_fixed(c, instr, c->interp->weights[index]);
}

static dl_status run_copy(dl_frame *frame, const dl_instr *instr) {
  int64_t count;
  DL_TRY(dl_eval_index(frame, instr, 0, &count));
  if (count <= 0) return DL_OK;
  const char *from = access(frame, instr, instr->operands[0], 0, (size_t)count);
  char *to = from ? access(frame, instr, instr->operands[1], 0, (size_t)count) : NULL;
  if (!to) return DL_FAILED;
  memmove(to, from, (size_t)count * dl_element_bytes(element_of(instr->operands[0])));
  return DL_OK;
}

static dl_status prepare_copy(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  instr->run = run_copy;
  return dl_add_exprs(c, op, instr, "elements", 2);
}

// --- vectors, indices ---

static dl_status run_splat(dl_frame *frame, const dl_instr *instr) {
  dl_place result = instr->results[0];
  dl_scalar_value value = {0};
  memcpy(&value, dl_at(frame, instr->operands[0]), instr->operands[0].bytes);
  dl_lanes_fill(dl_lane_of(dl_element_type(result.type)), dl_at(frame, result), value,
                result.lanes);
  return DL_OK;
}

static dl_status prepare_splat(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c, (void)op;
  instr->run = run_splat;
  return DL_OK;
}

static dl_status run_repeat(dl_frame *frame, const dl_instr *instr) {
  dl_place from = instr->operands[0], to = instr->results[0];
  for (size_t at = 0; at < to.bytes; at += from.bytes)
    memcpy((char *)dl_at(frame, to) + at, dl_at(frame, from), from.bytes);
  return DL_OK;
}

static dl_status prepare_repeat(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c, (void)op;
  instr->run = run_repeat;
  return DL_OK;
}

// The low bits of a lane, as an integer of that type.
static int64_t extend(int64_t lane, dl_type type) {
  unsigned spare = 64 - type->width;
  uint64_t high = (uint64_t)lane << spare;
  return type->signedness == DL_UNSIGNED ? (int64_t)(high >> spare) : (int64_t)high >> spare;
}

static dl_status run_machine_op(dl_frame *frame, const dl_instr *instr) {
  const dl_machine_op *op = instr->data;
  const int64_t *from = dl_at(frame, instr->operands[0]);
  const int64_t *lhs = dl_at(frame, instr->operands[1]), *rhs = dl_at(frame, instr->operands[2]);
  int64_t *to = dl_at(frame, instr->results[0]);
  for (int64_t i = 0; i < op->lanes; i++) {
    uint64_t sum = (uint64_t)from[i];
    for (int64_t t = i * op->terms; t < (i + 1) * op->terms; t++)
      sum += (uint64_t)extend(lhs[t], op->lhs) * (uint64_t)extend(rhs[t], op->rhs);
    to[i] = extend((int64_t)sum, op->accumulator);
  }
  return DL_OK;
}

static dl_status prepare_machine_op(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  dl_machine_op *m = dl_arena_alloc(c->arena, sizeof(*m));
  instr->run = run_machine_op;
  instr->data = m;
  return dl_machine_find_op(op, dl_get_str(op, "name"), m);
}

static dl_status run_iota(dl_frame *frame, const dl_instr *instr) {
  int64_t *lanes = dl_at(frame, instr->results[0]);
  for (size_t i = 0; i < instr->results[0].lanes; i++) lanes[i] = (int64_t)i;
  return DL_OK;
}

static dl_status prepare_iota(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c, (void)op;
  instr->run = run_iota;
  return DL_OK;
}

static dl_status run_reduce(dl_frame *frame, const dl_instr *instr) {
  dl_place vector = instr->operands[0], scalar = instr->results[0];
  const char *lanes = dl_at(frame, vector);
  dl_scalar_value sum = {0}, next = {0};
  memcpy(&sum, lanes, scalar.bytes);
  for (size_t i = 1; i < vector.lanes; i++) {
    const void *in[] = {&sum, lanes + i * scalar.bytes, NULL};
    dl_kernel_run(&instr->kernel, &next, in, 1);
    sum = next;
  }
  memcpy(dl_at(frame, scalar), &sum, scalar.bytes);
  return DL_OK;
}

static dl_status prepare_reduce(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  (void)c;
  dl_combiner combiner;
  instr->run = run_reduce;
  if (dl_combiner_parse(dl_get_str(op, "kind"), &combiner) &&
      dl_kernel_of_combiner(combiner, instr->results[0].type, &instr->kernel))
    return DL_OK;
  return dl_op_error(op, "reduces in a way that its element type does not have");
}

static dl_status run_apply(dl_frame *frame, const dl_instr *instr) {
  return dl_eval_index(frame, instr, 0, dl_at(frame, instr->results[0]));
}

static dl_status prepare_apply(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  instr->run = run_apply;
  return dl_add_exprs(c, op, instr, "map", 0);
}

// --- launch ---

static bool launch_natively(dl_frame *frame, const dl_instr *instr, size_t first, size_t num_args) {
  int64_t *grid = dl_calloc(instr->num_exprs + 1, sizeof(*grid));
  bool empty, done = eval_all(frame, instr, grid, &empty) == DL_OK &&
                     dl_run_natively(frame, instr->data, num_args, instr->operands + first,
                                     instr->num_exprs, grid);
  free(grid);
  return done;
}

static dl_status run_launch(dl_frame *frame, const dl_instr *instr) {
  const dl_compiled *kernel;
  size_t num_args, first = dl_operand_group(instr->op, DL_LOOP_LAUNCH_ARGUMENTS, &num_args);
  if (frame->interp->eval.engine && launch_natively(frame, instr, first, num_args)) return DL_OK;
  DL_TRY(dl_compile_function(frame->interp, (dl_op *)instr->data, &kernel));
  if (kernel->body.num_args != num_args + instr->num_exprs)
    return dl_op_error(instr->op, "has another number of arguments than the kernel");
  dl_frame inner = dl_frame_open(frame->interp, kernel);
  for (size_t i = 0; i < num_args; i++)
    dl_place_copy(&inner, kernel->body.args[i], frame, instr->operands[first + i]);
  dl_status status = run_grid(frame, instr, &inner, kernel->body.args + num_args, &kernel->body);
  dl_frame_close(&inner);
  if (status != DL_OK) dl_note(dl_op_loc(instr->op), "launched from here");
  return status;
}

static dl_status prepare_launch(dl_compiler *c, const dl_op *op, dl_instr *instr) {
  instr->run = run_launch;
  instr->data = dl_find_function(op, dl_get_attr(op, "callee")->name);
  if (!instr->data) return DL_FAILED;
  return dl_add_exprs(c, op, instr, "grid", DL_LOOP_LAUNCH_GRID);
}

const dl_instr_def dl_loop_instrs[] = {
    {"loop.for", prepare_for},
    {"loop.parallel", prepare_parallel},
    {"loop.if", prepare_if},
    {"loop.load", prepare_load},
    {"loop.store", prepare_store},
    {"loop.gather", prepare_gather},
    {"loop.splat", prepare_splat},
    {"loop.iota", prepare_iota},
    {"loop.reduce", prepare_reduce},
    {"loop.apply", prepare_apply},
    {"loop.local", prepare_local},
    {"loop.constant", prepare_constant},
    {"loop.alloc", prepare_alloc},
    {"loop.arena", prepare_arena},
    {"loop.slice", prepare_slice},
    {"loop.weight", prepare_weight},
    {"loop.launch", prepare_launch},
    {"loop.offset", prepare_offset},
    {"loop.copy", prepare_copy},
    {"loop.repeat", prepare_repeat},
    {"loop.machine_op", prepare_machine_op},
    {NULL, NULL},
};
