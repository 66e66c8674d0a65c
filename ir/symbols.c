#include "ir/context_internal.h"
#include "ir/hash.h"
#include "ir/op_internal.h"

static dl_str symbol_text(const dl_op *op) {
  dl_attr name = dl_get_attr_ident(op, dl_op_context(op)->sym_name);
  return name && name->kind == DL_ATTR_STRING ? name->bytes : (dl_str){0};
}

dl_ident dl_symbol_name(const dl_op *op) {
  dl_str text = symbol_text(op);
  return text.data ? dl_intern(dl_op_context(op), text) : NULL;
}

// --- lookup ---

// A hash table of a block's symbols, the first of each name, open-addressed.
struct dl_symbol_index {
  dl_context *ctx;
  size_t capacity;  // a power of two
  struct {
    dl_str name;
    dl_op *op;  // NULL: free
  } slots[];
};

enum { LOOKUPS_BEFORE_INDEX = 2 };

static size_t index_size(size_t capacity) {
  const dl_symbol_index *index = NULL;
  return sizeof(*index) + capacity * sizeof(*index->slots);
}

void dl_symbol_index_free(dl_symbol_index *index) {
  dl_slab_free(index->ctx, index, index_size(index->capacity));
}

static size_t slot_of(const dl_symbol_index *index, dl_str name) {
  size_t mask = index->capacity - 1, i = dl_hash_bytes(0, name.data, name.len) & mask;
  while (index->slots[i].op && !dl_str_equal(index->slots[i].name, name)) i = (i + 1) & mask;
  return i;
}

static dl_symbol_index *make_index(const dl_block *block) {
  size_t count = 0, capacity = 16;
  for (const dl_op *op = block->first; op; op = op->next) count++;
  while (capacity < 2 * count) capacity *= 2;
  dl_symbol_index *index = dl_slab_alloc(block->ctx, index_size(capacity));
  memset(index, 0, index_size(capacity));
  index->ctx = block->ctx;
  index->capacity = capacity;
  for (dl_op *op = block->first; op; op = op->next) {
    dl_str name = symbol_text(op);
    if (!name.data) continue;
    size_t i = slot_of(index, name);
    if (index->slots[i].op) continue;
    index->slots[i].name = name;
    index->slots[i].op = op;
  }
  return index;
}

static const dl_symbol_index *index_of(dl_block *block) {
  dl_symbol_index *index = atomic_load_explicit(&block->symbols, memory_order_acquire);
  if (index) return index;
  unsigned lookups = atomic_fetch_add_explicit(&block->lookups, 1, memory_order_relaxed);
  if (lookups < LOOKUPS_BEFORE_INDEX) return NULL;
  dl_symbol_index *made = make_index(block);
  if (atomic_compare_exchange_strong(&block->symbols, &index, made)) return made;
  dl_symbol_index_free(made);
  return index;
}

static dl_op *look_up(dl_block *block, dl_str wanted) {
  const dl_symbol_index *index = index_of(block);
  if (index) return index->slots[slot_of(index, wanted)].op;
  for (dl_op *op = block->first; op; op = op->next) {
    dl_str text = symbol_text(op);
    if (text.data && dl_str_equal(text, wanted)) return op;
  }
  return NULL;
}

dl_op *dl_symbol_lookup(const dl_op *symbol_table, dl_ident name) {
  dl_str wanted = {name, dl_ident_len(name)};
  for (uint32_t i = 0; i < symbol_table->num_regions; i++) {
    DL_FOR_BLOCKS(block, &dl_filled_regions(symbol_table)[i]) {
      dl_op *found = look_up(block, wanted);
      if (found) return found;
    }
  }
  return NULL;
}

dl_op *dl_enclosing_symbol_table(const dl_op *op) {
  for (op = dl_op_parent(op); op; op = dl_op_parent(op)) {
    if (dl_has_trait(op, DL_SYMBOL_TABLE)) return (dl_op *)op;
  }
  return NULL;
}

dl_ident dl_symbol_unique_name(const dl_op *symbol_table, const char *hint) {
  dl_context *ctx = dl_op_context(symbol_table);
  dl_ident name = dl_intern_z(ctx, hint);
  for (unsigned i = 0; dl_symbol_lookup(symbol_table, name); i++)
    name = dl_intern_f(ctx, "%s_%u", hint, i);
  return name;
}
