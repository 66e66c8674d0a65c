// Names for values and blocks: hints where there are any, made unique within what can see them,
// else numbers. All values of a region are named before those of the regions inside, so that no
// inner name hides an outer one, wherever it is defined. Isolated ops start afresh, except in the
// generic form, whose readers need not know which ops are isolated.

#include <stdio.h>

#include "ir/text_internal.h"

typedef struct namer {
  dl_printer *o;
  dl_ptr_map used;         // dl_ident -> next suffix to try + 1, as a pointer
  DL_VEC(dl_ident) order;  // names in use, in order of assignment
  size_t next_value, next_arg;
} namer;

static void use_name(namer *n, dl_ident name) {
  dl_ptr_map_set(&n->used, name, (void *)1);
  DL_PUSH(&n->order, name);
}

// Letters, digits, $ . _ and - survive; a leading digit gets a _ before it.
static dl_ident sanitize(dl_context *ctx, dl_ident hint) {
  bool fine = hint[0] && !(hint[0] >= '0' && hint[0] <= '9');
  for (const char *c = hint; *c && fine; c++) fine = dl_is_suffix_char(*c);
  if (fine) return hint;
  dl_buffer out = {0};
  if (hint[0] >= '0' && hint[0] <= '9') dl_buffer_putc(&out, '_');
  for (const char *c = hint; *c; c++) dl_buffer_putc(&out, dl_is_suffix_char(*c) ? *c : '_');
  if (!hint[0]) dl_buffer_putc(&out, '_');
  dl_ident name = dl_intern(ctx, (dl_str){out.data, out.len});
  dl_buffer_free(&out);
  return name;
}

static dl_ident unique_name(namer *n, dl_ident hint) {
  dl_ident base = sanitize(n->o->ctx, hint), name = base;
  uintptr_t next = (uintptr_t)dl_ptr_map_get(&n->used, base);
  if (next) {
    do {
      name = dl_intern_f(n->o->ctx, "%s_%zu", base, (size_t)(next++ - 1));
    } while (dl_ptr_map_has(&n->used, name));
    dl_ptr_map_set(&n->used, base, (void *)next);
  }
  use_name(n, name);
  return name;
}

static void set_value_name(namer *n, const dl_value *value, const char *base, size_t group,
                           size_t index) {
  char text[32];
  int len = group > 1 ? snprintf(text, sizeof text, "#%zu", index) : 0;
  size_t base_len = strlen(base);
  char *name = dl_arena_alloc(n->o->arena, base_len + (size_t)len + 2);
  name[0] = '%';
  memcpy(name + 1, base, base_len);
  memcpy(name + 1 + base_len, text, (size_t)len);
  dl_ptr_map_set(&n->o->value_names, value, name);
}

static size_t group_size(const dl_op *op, size_t first) {
  size_t end = first + 1;
  while (end < dl_num_results(op) && !dl_value_name(dl_result(op, end))) end++;
  return end - first;
}

static void name_results(namer *n, const dl_op *op) {
  for (size_t first = 0; first < dl_num_results(op);) {
    char number[24];
    dl_ident hint = dl_value_name(dl_result(op, first));
    const char *base = hint ? unique_name(n, hint) : number;
    if (!hint) snprintf(number, sizeof number, "%zu", n->next_value++);
    size_t count = group_size(op, first);
    for (size_t i = 0; i < count; i++) set_value_name(n, dl_result(op, first + i), base, count, i);
    first += count;
  }
}

static dl_ident argument_name(namer *n) {
  dl_ident name;
  do {
    name = dl_intern_f(n->o->ctx, "arg%zu", n->next_arg++);
  } while (dl_ptr_map_has(&n->used, name));
  use_name(n, name);
  return name;
}

static void name_args(namer *n, const dl_block *block, bool entry) {
  for (size_t i = 0; i < dl_num_args(block); i++) {
    char number[24];
    const dl_value *arg = dl_arg(block, i);
    dl_ident hint = dl_value_name(arg);
    const char *base = hint ? unique_name(n, hint) : entry ? argument_name(n) : number;
    if (base == number) snprintf(number, sizeof number, "%zu", n->next_value++);
    set_value_name(n, arg, base, 1, 0);
  }
}

static void name_block(namer *n, const dl_block *block, size_t index, dl_ptr_map *labels) {
  char text[32];
  dl_ident label = dl_block_label(block);
  if (label) label = sanitize(n->o->ctx, label);
  bool usable = label && !dl_is_numbered_label(label) && !dl_ptr_map_has(labels, label);
  if (usable)
    dl_ptr_map_set(labels, label, n);
  else
    snprintf(text, sizeof text, "bb%zu", index);
  dl_ptr_map_set(&n->o->block_names, block,
                 (void *)dl_intern_f(n->o->ctx, "^%s", usable ? label : text));
}

static void note_successors(namer *n, const dl_op *op) {
  for (size_t i = 0; i < dl_num_successors(op); i++)
    dl_ptr_map_set(&n->o->branched, dl_successor(op, i), n);
}

static void name_region(namer *n, const dl_region *region);

static void name_isolated(dl_printer *o, const dl_op *op) {
  namer fresh = {.o = o};
  for (size_t i = 0; i < dl_num_regions(op); i++) name_region(&fresh, dl_op_region(op, i));
  dl_ptr_map_free(&fresh.used);
  DL_VEC_FREE(&fresh.order);
}

static void name_inner(namer *n, const dl_op *op) {
  if (dl_num_regions(op) == 0) return;
  if (dl_has_trait(op, DL_ISOLATED) && !n->o->options.generic) {
    name_isolated(n->o, op);
    return;
  }
  for (size_t i = 0; i < dl_num_regions(op); i++) name_region(n, dl_op_region(op, i));
}

static void name_region(namer *n, const dl_region *region) {
  size_t mark = n->order.len, value = n->next_value, arg = n->next_arg, index = 0;
  dl_ptr_map labels = {0};
  DL_FOR_BLOCKS(block, region) {
    name_block(n, block, index, &labels);
    name_args(n, block, index++ == 0);
    DL_FOR_OPS(op, block) {
      name_results(n, op);
      note_successors(n, op);
    }
  }
  DL_FOR_BLOCKS(block, region) DL_FOR_OPS(op, block) name_inner(n, op);
  while (n->order.len > mark) dl_ptr_map_remove(&n->used, n->order.data[--n->order.len]);
  n->next_value = value;
  n->next_arg = arg;
  dl_ptr_map_free(&labels);
}

// Values from outside of op, which its text alone does not define, are named by what defines them.
static void name_outside(namer *n, const dl_op *op) {
  for (size_t i = 0; i < dl_num_operands(op); i++) {
    const dl_value *value = dl_operand(op, i);
    if (dl_ptr_map_has(&n->o->value_names, value)) continue;
    char number[24];
    dl_ident hint = dl_value_name(value);
    const char *base = hint ? unique_name(n, hint) : number;
    if (!hint) snprintf(number, sizeof number, "%zu", n->next_value++);
    set_value_name(n, value, base, 1, 0);
  }
}

static bool visit_outside(dl_op *op, void *user) {
  name_outside(user, op);
  return true;
}

void dl_name_values(dl_printer *o, const dl_op *op) {
  namer n = {.o = o};
  name_results(&n, op);
  note_successors(&n, op);
  name_inner(&n, op);
  // An isolated op at the top, the usual case, uses nothing from outside.
  if (dl_num_operands(op) || !dl_has_trait(op, DL_ISOLATED))
    dl_walk((dl_op *)op, visit_outside, &n);
  dl_ptr_map_free(&n.used);
  DL_VEC_FREE(&n.order);
}
