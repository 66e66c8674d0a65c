#include "targets/llvm/engine.h"

#include <llvm-c/Analysis.h>

#include "ir/parallel.h"
#include "targets/llvm/box_code.h"
#include "targets/llvm/jit.h"

// What a box compiles to depends on this text alone: sizes, types and (uniqued) index expressions,
// not where its arrays lie.
typedef struct compiled_box {
  dl_buffer key;
  dl_box_fn run;  // NULL: has no code
} compiled_box;

typedef struct compiled_function {
  const dl_op *function;
  void (*run)(const uint64_t *slots, int64_t begin, int64_t end);
} compiled_function;

typedef struct engine {
  dl_engine hooks;  // first: a pointer to one is a pointer to the other
  dl_context *ctx;
  dl_codegen codegen;
  dl_jit *jit;
  dl_arena *kernels;
  DL_VEC(compiled_box) boxes;
  DL_VEC(compiled_function) functions;
  unsigned number;  // of the next function
} engine;

// The loops are plain ones: LLVM finds the vectors.
static const char box_passes[] =
    "function(sroa,early-cse,simplifycfg,instcombine<no-verify-fixpoint>,loop-mssa(loop-rotate,"
    "licm),loop(indvars),loop-simplify,lcssa,loop-vectorize,early-cse,instcombine<no-verify-"
    "fixpoint>,loop-mssa(licm),simplifycfg)";

static void ignore(void *user, const dl_diagnostic *diagnostic) { (void)user, (void)diagnostic; }

// --- dense computations ---

static void put(dl_buffer *key, const void *bytes, size_t size) {
  dl_buffer_append(key, bytes, size);
}
#define PUT(key, value) put(key, &(value), sizeof(value))

static void put_array(dl_buffer *key, const dl_ndarray *array) {
  PUT(key, array->rank);
  put(key, array->shape, array->rank * sizeof(int64_t));
}

static void put_op(dl_buffer *key, const dl_box_op *op) {
  int kind = op->kind;
  PUT(key, kind);
  PUT(key, op->out);
  if (op->kind == DL_BOX_READ) {
    PUT(key, op->read);
  } else if (op->kind == DL_BOX_GATHER) {
    PUT(key, op->type);
    put_array(key, op->array);
    put(key, op->indices, op->array->rank * sizeof(*op->indices));
  } else {
    PUT(key, op->kernel.run);
    PUT(key, op->kernel.from);
    PUT(key, op->kernel.to);
    PUT(key, op->kernel.predicate);
    put(key, op->in, op->kernel.num_inputs * sizeof(*op->in));
  }
}

static void put_registers(dl_buffer *key, const dl_box *box) {
  for (size_t i = 0; i < box->registers.len; i++) {
    const dl_box_register *reg = &box->registers.data[i];
    int kinds[] = {reg->kind, reg->lane};
    PUT(key, kinds);
    if (reg->kind == DL_REGISTER_CONSTANT) PUT(key, reg->value);
    if (reg->kind == DL_REGISTER_ITERATOR) PUT(key, reg->iterator);
  }
}

static void put_reads(dl_buffer *key, const dl_box *box) {
  for (size_t i = 0; i < box->num_reads; i++) {
    const dl_box_read *read = &box->reads[i];
    put_array(key, read->array);
    put(key, read->indices, read->array->rank * sizeof(dl_expr));
    PUT(key, read->type);
    PUT(key, read->has_otherwise);
    if (read->has_otherwise) PUT(key, read->otherwise);
  }
}

static dl_buffer key_of(const dl_box *box) {
  dl_buffer key = {0};
  const size_t counts[] = {box->num_iterators, box->num_parallel, box->num_reads,
                           box->registers.len, box->ops.len,      box->num_conditions};
  bool noisy = box->noise != NULL;
  int combiner = (int)box->combiner;
  PUT(&key, counts);
  PUT(&key, noisy);
  PUT(&key, combiner);
  put(&key, box->extents, box->num_iterators * sizeof(int64_t));
  put_reads(&key, box);
  put_registers(&key, box);
  for (size_t i = 0; i < box->ops.len; i++) put_op(&key, &box->ops.data[i]);
  PUT(&key, box->result);
  PUT(&key, box->type);
  PUT(&key, box->target->element);
  if (box->combiner != DL_COMBINE_NONE) PUT(&key, box->init);
  put_array(&key, box->target);
  put(&key, box->out, box->target->rank * sizeof(dl_expr));
  put(&key, box->conditions, box->num_conditions * sizeof(dl_expr));
  put(&key, box->is_equality, box->num_conditions * sizeof(bool));
  return key;
}

static dl_unit new_unit(const engine *e, const char *name) {
  dl_unit unit = {.context = LLVMContextCreate(), .name = name, .scalar = true};
  unit.module = LLVMModuleCreateWithNameInContext(name, unit.context);
  LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(e->codegen.target);
  LLVMSetModuleDataLayout(unit.module, layout);
  LLVMDisposeTargetData(layout);
  LLVMSetTarget(unit.module, e->codegen.triple);
  return unit;
}

static dl_box_fn compile_box(engine *e, const dl_box *box) {
  if (!dl_box_has_code(box)) return NULL;
  dl_buffer name = {0}, why = {0};
  dl_buffer_printf(&name, "box.%u", e->number++);
  dl_unit unit = new_unit(e, name.data);
  dl_emit_box(unit.module, name.data, box, e->kernels);
  char *message = NULL;
  if (LLVMVerifyModule(unit.module, LLVMReturnStatusAction, &message))
    dl_bug(NULL, "invalid LLVM IR for a dense computation: %s", message);
  LLVMDisposeMessage(message);
  dl_box_fn run = (dl_box_fn)dl_jit_add(e->jit, &e->codegen, box_passes, &unit, name.data, &why);
  LLVMDisposeModule(unit.module);
  LLVMContextDispose(unit.context);
  dl_buffer_free(&name);
  dl_buffer_free(&why);
  return run;
}

static dl_box_fn code_of(engine *e, const dl_box *box) {
  dl_buffer key = key_of(box);
  for (size_t i = 0; i < e->boxes.len; i++) {
    const dl_buffer *known = &e->boxes.data[i].key;
    if (known->len != key.len || memcmp(known->data, key.data, key.len)) continue;
    dl_buffer_free(&key);
    return e->boxes.data[i].run;
  }
  compiled_box compiled = {key, compile_box(e, box)};
  DL_PUSH(&e->boxes, compiled);
  return compiled.run;
}

typedef struct sliced_run {
  dl_box_fn run;
  char *const *arrays;
  int64_t num_slices, num_parts;
  uint32_t seed;
  uint64_t *failed;
} sliced_run;

static void run_part(void *user, size_t worker, size_t part) {
  (void)worker;
  const sliced_run *r = user;
  int64_t begin = r->num_slices * (int64_t)part / r->num_parts;
  int64_t end = r->num_slices * ((int64_t)part + 1) / r->num_parts;
  if (begin < end) r->run(r->arrays, begin, end, r->seed, r->failed);
}

static bool run_box(dl_engine *hooks, dl_box *box) {
  engine *e = (engine *)hooks;
  dl_box_fn run = code_of(e, box);
  if (!run) return false;
  char **arrays = dl_calloc(1 + box->num_reads + box->ops.len, sizeof(*arrays));
  size_t count = 0;
  arrays[count++] = box->target->data;
  for (size_t i = 0; i < box->num_reads; i++) arrays[count++] = box->reads[i].array->data;
  for (size_t i = 0; i < box->ops.len; i++)
    if (box->ops.data[i].kind == DL_BOX_GATHER) arrays[count++] = box->ops.data[i].array->data;
  uint64_t failed = 0;
  sliced_run sliced = {
      run,    arrays, dl_box_slices(box), 1, box->noise ? (uint32_t)dl_random(box->noise) : 0,
      &failed};
  size_t threads = dl_num_threads(0, (size_t)sliced.num_slices);
  sliced.num_parts = (int64_t)threads;
  dl_parallel_for(threads, threads, run_part, &sliced);
  free(arrays);
  // The interpreter says where an index is out of range.
  return !failed;
}

// --- functions of the loop level ---

static LLVMValueRef entry_of(dl_unit *unit) {
  LLVMValueRef entry = NULL;
  for (LLVMValueRef f = LLVMGetFirstFunction(unit->module); f; f = LLVMGetNextFunction(f))
    if (LLVMGetFirstBasicBlock(f) && LLVMGetLinkage(f) == LLVMExternalLinkage) entry = f;
  return entry;
}

static void *compile_emitted(engine *e, dl_unit *unit) {
  LLVMValueRef entry = entry_of(unit);
  dl_buffer name = {0}, why = {0};
  dl_buffer_printf(&name, "function.%u", e->number++);
  LLVMSetVisibility(entry, LLVMDefaultVisibility);
  LLVMSetValueName2(entry, name.data, name.len);
  const char *passes = dl_middle_end_passes(&e->codegen, unit);
  void *run = dl_jit_add(e->jit, &e->codegen, passes, unit, name.data, &why);
  dl_buffer_free(&name);
  dl_buffer_free(&why);
  return run;
}

static void *compile_function(engine *e, const dl_engine_call *call) {
  dl_op *module = dl_enclosing_symbol_table(call->function);
  dl_emit_options options = {.prefix = "check",
                             .main = "main",
                             .target = e->codegen.target,
                             .triple = e->codegen.triple,
                             .machine = e->codegen.machine,
                             .in_process = true};
  dl_diag_handler handler;
  void *user, *run = NULL;
  dl_get_diag_handler(e->ctx, &handler, &user);
  dl_set_diag_handler(e->ctx, ignore, NULL);
  dl_unit_list units = {0};
  if (dl_emit_one_kernel(module, call->function, call->grid_rank, &options, &units) == DL_OK)
    run = compile_emitted(e, &units.data[0]);
  dl_units_dispose(&units);
  dl_set_diag_handler(e->ctx, handler, user);
  return run;
}

static bool run_function(dl_engine *hooks, const dl_engine_call *call) {
  engine *e = (engine *)hooks;
  compiled_function *known = NULL;
  for (size_t i = 0; i < e->functions.len && !known; i++)
    if (e->functions.data[i].function == call->function) known = &e->functions.data[i];
  if (!known) {
    void *run = compile_function(e, call);
    DL_PUSH(&e->functions, (compiled_function){call->function, run});
    known = &e->functions.data[e->functions.len - 1];
  }
  if (!known->run) return false;
  int64_t points = 1;
  for (size_t i = 0; i < call->grid_rank; i++)
    points *= (int64_t)call->slots[call->num_slots - call->grid_rank + i];
  if (points > 0) known->run(call->slots, 0, points);
  return true;
}

static void forget_functions(dl_engine *hooks) { ((engine *)hooks)->functions.len = 0; }

// --- the engine ---

static void destroy(dl_engine *hooks) {
  engine *e = (engine *)hooks;
  for (size_t i = 0; i < e->boxes.len; i++) dl_buffer_free(&e->boxes.data[i].key);
  DL_VEC_FREE(&e->boxes);
  DL_VEC_FREE(&e->functions);
  if (e->jit) dl_jit_destroy(e->jit);
  dl_codegen_destroy(&e->codegen);
  dl_arena_destroy(e->kernels);
  free(e);
}

dl_engine *dl_llvm_engine_create(dl_context *ctx) {
  engine *e = dl_calloc(1, sizeof(*e));
  *e = (engine){.hooks = {run_box, run_function, forget_functions, destroy},
                .ctx = ctx,
                .kernels = dl_arena_create()};
  dl_loc loc = dl_loc_unknown(ctx);
  dl_machine machine = dl_host_processor(ctx, (dl_machine){0});
  dl_buffer why = {0};
  dl_status status = dl_codegen_create(&e->codegen, loc, machine, 2);
  if (status == DL_OK && !(e->jit = dl_jit_create(&why)))
    status = dl_error(loc, "no native code for checking: %s", why.data);
  dl_buffer_free(&why);
  if (status == DL_OK) return &e->hooks;
  destroy(&e->hooks);
  return NULL;
}
