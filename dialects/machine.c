#include "dialects/machine.h"

static dl_attr find_description(const dl_op *op) {
  for (; op; op = dl_op_parent(op)) {
    dl_attr machine = dl_get_attr(op, "dlir.machine");
    if (machine && machine->kind == DL_ATTR_DICT) return machine;
  }
  return NULL;
}

static dl_attr entry(dl_attr machine, const char *name) {
  return machine ? dl_dict_get(machine, dl_intern_z(machine->ctx, name)) : NULL;
}

static int64_t number(dl_attr machine, const char *name, int64_t least, int64_t otherwise) {
  dl_attr value = entry(machine, name);
  bool valid = value && value->kind == DL_ATTR_INTEGER && value->integer >= least;
  return valid ? value->integer : otherwise;
}

static dl_str text(dl_attr machine, const char *name) {
  dl_attr value = entry(machine, name);
  return value && value->kind == DL_ATTR_STRING ? value->bytes : (dl_str){0};
}

dl_machine dl_machine_of(const dl_op *op) {
  dl_attr machine = find_description(op);
  return (dl_machine){
      .vector_bits = number(machine, "vector_bits", 1, 256),
      .vector_registers = number(machine, "vector_registers", 1, 16),
      .l1_bytes = number(machine, "l1_bytes", 1, 32 << 10),
      .l2_bytes = number(machine, "l2_bytes", 1, 512 << 10),
      .l3_bytes = number(machine, "l3_bytes", 1, 8 << 20),
      .cores = number(machine, "cores", 1, 1),
      .fma_per_cycle = number(machine, "fma_per_cycle", 0, 2),
      .subgroup_size = number(machine, "subgroup_size", 1, 0),
      .name = text(machine, "name"),
      .triple = text(machine, "triple"),
      .cpu = text(machine, "cpu"),
      .features = text(machine, "features"),
      .dot4 = text(machine, "dot4"),
  };
}

int64_t dl_machine_lanes(const dl_machine *machine, dl_type element) {
  int64_t lanes = machine->vector_bits / (8 * (int64_t)dl_element_bytes(element));
  return lanes > 0 ? lanes : 1;
}
