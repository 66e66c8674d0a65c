// dialects/eval/interp_internal.h: functions compiled for the interpreter. Each value has a place
// in its function's frame; each op is an instruction with the places of its operands and results.
#ifndef DLIR_DIALECTS_EVAL_INTERP_INTERNAL_H
#define DLIR_DIALECTS_EVAL_INTERP_INTERNAL_H

#include "dialects/eval/eval.h"
#include "dialects/eval/kernel.h"
#include "dialects/interp.h"
#include "dialects/ndarray.h"

typedef struct dl_frame dl_frame;
typedef struct dl_instr dl_instr;
typedef struct dl_interp dl_interp;
typedef struct dl_compiler dl_compiler;

// What a place holds: a dl_ndarray * (a reference of its own, or NULL), a dl_pointer, or lanes.
typedef enum dl_place_kind { DL_PLACE_TENSOR, DL_PLACE_POINTER, DL_PLACE_LANES } dl_place_kind;

typedef struct dl_place {
  uint32_t offset;  // in the frame
  uint32_t bytes;
  dl_place_kind kind;
  dl_type type;  // of the value
  size_t lanes;  // LANES: 1 for scalars
} dl_place;

typedef struct dl_memory {
  char *data;
  size_t size;    // bytes
  char *mapping;  // NULL: `data` is malloc'ed, or another's
  size_t mapped;
} dl_memory;

typedef struct dl_pointer {
  const dl_memory *memory;
  int64_t offset;  // bytes
} dl_pointer;

// A block; `ends` are the operands of its terminator.
typedef struct dl_code {
  size_t num_args, num_instrs, num_ends;
  dl_place *args;
  dl_instr *instrs;
  dl_place *ends;
} dl_code;

// An index expression over the instruction's operands `first`, ….
typedef struct dl_index_expr {
  dl_expr expr;
  size_t first, count;
  const int64_t *coefficients;  // when affine, else NULL
  int64_t constant;
} dl_index_expr;

struct dl_instr {
  dl_status (*run)(dl_frame *frame, const dl_instr *instr);
  const dl_op *op;
  size_t num_operands, num_results;
  dl_place *operands, *results;
  size_t num_regions;
  dl_code *regions;  // a region without blocks: no instructions
  size_t num_exprs;
  dl_index_expr *exprs;  // maps, result by result, in the order that the instruction knows
  dl_kernel kernel;
  const void *data;  // of the instruction's own
  uint32_t scratch;  // frame offset of room for the carried values
  int64_t step;      // of loops; see the instruction
  size_t num_dead;
  dl_place *dead;  // tensors last used here
};

typedef struct dl_compiled {
  dl_op *op;
  dl_code body;
  uint32_t frame_bytes;
  size_t num_tensors;
  dl_place *tensors;  // all places that hold tensors
} dl_compiled;

struct dl_frame {
  dl_interp *interp;
  const dl_compiled *function;
  char *memory;
  DL_VEC(dl_memory *) locals;  // alive as long as the frame
};

struct dl_interp {
  dl_context *ctx;
  dl_op *module;
  const dl_interp_options *options;
  dl_arena *arena;               // of compiled functions
  dl_ptr_map functions;          // func op -> dl_compiled
  DL_VEC(dl_memory *) memories;  // alive as long as the run
  DL_VEC(dl_ndarray *) constants;
  size_t num_weights;
  dl_ndarray **weights;          // results of @init
  uint64_t noise_state, *noise;  // NULL: none
  dl_eval_options eval;
  unsigned depth;  // of calls
};

struct dl_compiler {
  dl_interp *interp;
  dl_arena *arena;
  dl_ptr_map places;  // dl_value -> dl_place
  uint32_t frame_bytes;
  DL_VEC(dl_place) tensors;
};

// --- compiling ---
dl_status dl_compile_function(dl_interp *interp, dl_op *op, const dl_compiled **compiled);
// Sets instr->run for an op, or fails with a diagnostic. Places and regions are filled in already.
dl_status dl_prepare(dl_compiler *c, const dl_op *op, dl_instr *instr);
// The results of the map attribute `name` over the operands of entry `group`.
dl_status dl_add_exprs(dl_compiler *c, const dl_op *op, dl_instr *instr, const char *name,
                       size_t group);
// dl_prepare for ops that their specs define.
dl_status dl_prepare_spec(dl_compiler *c, const dl_op *op, dl_instr *instr);
uint32_t dl_add_scratch(dl_compiler *c, size_t bytes);
typedef struct dl_instr_def {
  const char *name;
  dl_status (*prepare)(dl_compiler *c, const dl_op *op, dl_instr *instr);
} dl_instr_def;
extern const dl_instr_def dl_loop_instrs[], dl_tensor_instrs[];  // ended by a NULL name

// --- running ---
dl_status dl_run_code(dl_frame *frame, const dl_code *code);
dl_frame dl_frame_open(dl_interp *interp, const dl_compiled *function);
void dl_frame_close(dl_frame *frame);
dl_op *dl_find_function(const dl_op *from, dl_ident name);  // NULL after a diagnostic at `from`

static inline void *dl_at(const dl_frame *frame, dl_place place) {
  return frame->memory + place.offset;
}
// Copies a value; a tensor gets another reference, and the one held before is released.
void dl_place_copy(dl_frame *to_frame, dl_place to, const dl_frame *from_frame, dl_place from);
void dl_place_set_tensor(dl_frame *frame, dl_place place, dl_ndarray *owned);
static inline dl_ndarray *dl_place_tensor(const dl_frame *frame, dl_place place) {
  return *(dl_ndarray **)dl_at(frame, place);
}
static inline int64_t dl_place_int(const dl_frame *frame, dl_place place) {
  return *(int64_t *)dl_at(frame, place);
}
dl_status dl_eval_index(const dl_frame *frame, const dl_instr *instr, size_t expr, int64_t *value);
// New memory with all bits set; NULL after a diagnostic at op.
dl_memory *dl_allocate(const dl_frame *frame, const dl_op *op, int64_t count, size_t element_bytes);
void dl_memory_free(dl_memory *memory);

// --- native code (interp_native.c) ---
// Whether an engine ran the function on these places of the frame, for every point of the grid.
bool dl_run_natively(const dl_frame *frame, const dl_op *function, size_t num_args,
                     const dl_place *args, size_t grid_rank, const int64_t *grid);
// Memory that ends, but for an alignment of 64, at a page that faults. NULL when there is none.
char *dl_map_guarded(size_t size, size_t *mapped, char **mapping);
void dl_unmap_guarded(char *mapping, size_t mapped);

// --- inputs and outputs of an opened frame ---
dl_status dl_set_plain_inputs(dl_frame *frame, size_t count, dl_ndarray *const *inputs);
// By loop.signature: a pointer per input, then its dynamic sizes.
dl_status dl_set_signature_inputs(dl_frame *frame, dl_type signature, size_t count,
                                  dl_ndarray *const *inputs);
// `signature` is NULL where the function gives its results as they are.
dl_status dl_get_outputs(const dl_frame *frame, dl_type signature, size_t *count,
                         dl_ndarray ***outputs);

#endif
