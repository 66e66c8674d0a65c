// emit_device_host.c: the host function of a model whose kernels run on a device. Its pointers are
// addresses in host memory that mirrors the device's (targets/runtime/device.h): where it reads or
// writes elements itself, the runtime brings the mirror up to date.
#include "dialects/loop/loop.h"
#include "ir/op_def.h"
#include "targets/llvm/emit_internal.h"
#include "targets/runtime/program.h"

_Static_assert(sizeof(dlrt_device_program) == 32 && sizeof(dlrt_device_launch) == 24, "as emitted");

static void call_runtime(dl_emitter *e, const char *name, LLVMValueRef address,
                         LLVMValueRef bytes) {
  LLVMValueRef args[] = {e->run, address, bytes};
  dl_call_runtime(e, name, LLVMVoidTypeInContext(e->ctx), args, 3);
}

static LLVMValueRef bytes_of(dl_emitter *e, dl_type type) {
  return dl_llvm_const_i64(e, (int64_t)(dl_lanes(type) * dl_element_bytes(dl_element_type(type))));
}

static const dl_emit_row *loop_row(const dl_emit_row *row) {
  for (size_t i = 0; i < dl_emit_loop_table.count; i++)
    if (!strcmp(dl_emit_loop_table.rows[i].op, row->op)) return &dl_emit_loop_table.rows[i];
  dl_bug(NULL, "'%s' is not in the table of loop ops", row->op);
}

static dl_status emit_load(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  call_runtime(e, "dlrt_fetch",
               dl_element_address(e, op, DL_LOOP_LOAD_POINTER, DL_LOOP_LOAD_INDICES),
               bytes_of(e, dl_value_type(dl_result(op, 0))));
  return loop_row(row)->emit(e, op, loop_row(row));
}

static dl_status emit_store(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  DL_TRY(loop_row(row)->emit(e, op, loop_row(row)));
  call_runtime(e, "dlrt_send",
               dl_element_address(e, op, DL_LOOP_STORE_POINTER, DL_LOOP_STORE_INDICES),
               bytes_of(e, dl_value_type(dl_operand(op, DL_LOOP_STORE_VALUE))));
  return DL_OK;
}

static dl_status emit_copy(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  (void)row;
  enum { FROM, TO, SIZES };
  dl_type element = dl_loop_ptr_element(dl_value_type(dl_operand(op, FROM)));
  LLVMValueRef bytes =
      LLVMBuildNSWMul(e->b, dl_emit_map(e, op, "elements", SIZES, 0), bytes_of(e, element), "");
  LLVMValueRef args[] = {e->run, dl_emitted_operand(e, op, FROM), dl_emitted_operand(e, op, TO),
                         bytes};
  dl_call_runtime(e, "dlrt_copy", LLVMVoidTypeInContext(e->ctx), args, 4);
  return DL_OK;
}

// Constants are copied to where the device can read them.
static dl_status emit_data(dl_emitter *e, dl_op *op, const dl_emit_row *row) {
  DL_TRY(loop_row(row)->emit(e, op, loop_row(row)));
  dl_type type = dl_get_attr(op, "value")->type;
  LLVMValueRef bytes = dl_llvm_const_i64(
      e, dl_num_elements(type) * (int64_t)dl_element_bytes(dl_element_type(type)));
  LLVMValueRef args[] = {e->run, bytes};
  LLVMValueRef copy =
      dl_call_runtime(e, "dlrt_alloc", LLVMPointerTypeInContext(e->ctx, 0), args, 2);
  LLVMBuildMemCpy(e->b, copy, 1, dl_emitted(e, dl_result(op, 0)), 1, bytes);
  call_runtime(e, "dlrt_send", copy, bytes);
  dl_set_result(e, op, copy);
  return DL_OK;
}

static const dl_emit_row rows[] = {
    {"loop.load", emit_load, 0, NULL},
    {"loop.store", emit_store, 0, NULL},
    {"loop.copy", emit_copy, 0, NULL},
    {"loop.constant", emit_data, 0, NULL},
};
const dl_emit_table dl_emit_device_host_table = {rows, DL_COUNT(rows)};

// --- the table of the device's program ---

// One character per argument of a launch: p, or a scalar's size in bytes.
static LLVMValueRef emit_arguments(dl_emitter *e, dl_op *launch) {
  size_t count, first = dl_operand_group(launch, DL_LOOP_LAUNCH_ARGUMENTS, &count);
  dl_buffer text = {0};
  for (size_t i = 0; i < count; i++) {
    dl_type type = dl_value_type(dl_operand(launch, first + i));
    size_t bytes = dl_is_loop_ptr(type) ? 0 : dl_is_index(type) ? 8 : dl_element_bytes(type);
    dl_buffer_putc(&text, bytes ? (char)('0' + bytes) : 'p');
  }
  LLVMValueRef arguments = dl_table_string(e, text.data ? text.data : "");
  dl_buffer_free(&text);
  return arguments;
}

static LLVMValueRef emit_launches(dl_emitter *e) {
  LLVMValueRef *launches = dl_calloc(e->launches->len + 1, sizeof(*launches));
  for (size_t i = 0; i < e->launches->len; i++) {
    dl_op *launch = e->launches->data[i];
    LLVMValueRef fields[] = {dl_table_string(e, dl_get_attr(launch, "callee")->name),
                             emit_arguments(e, launch),
                             dl_llvm_const_i64(e, (int64_t)dl_map_results(launch, "grid"))};
    launches[i] = dl_table_struct(e, fields, DL_COUNT(fields));
  }
  LLVMValueRef table = dl_table_array(e, launches, e->launches->len);
  free(launches);
  return table;
}

static LLVMValueRef emit_code(dl_emitter *e, dl_str code) {
  LLVMValueRef bytes =
      dl_table_constant(e, LLVMConstStringInContext2(e->ctx, code.data, code.len, true));
  LLVMSetAlignment(bytes, 16);
  return bytes;
}

static LLVMValueRef declare_driver(dl_emitter *e, const char *name) {
  LLVMValueRef driver = LLVMAddGlobal(e->module, LLVMInt8TypeInContext(e->ctx), name);
  LLVMSetVisibility(driver, LLVMHiddenVisibility);
  LLVMSetGlobalConstant(driver, true);
  return driver;
}

LLVMValueRef dl_emit_device_program(dl_emitter *e) {
  const dl_device_code *device = e->options->device;
  if (!device) return LLVMConstNull(LLVMPointerTypeInContext(e->ctx, 0));
  LLVMValueRef fields[] = {declare_driver(e, device->driver), emit_code(e, device->bytes),
                           dl_llvm_const_i64(e, (int64_t)device->bytes.len), emit_launches(e)};
  return dl_table_constant(e, dl_table_struct(e, fields, DL_COUNT(fields)));
}
