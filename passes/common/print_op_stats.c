// print-op-stats: writes how many ops of each kind there are, as text or as JSON.
#include "ir/pass.h"

typedef struct entry {
  const char *name;
  size_t count;
} entry;

typedef struct stats {
  dl_ptr_map counts;  // definition -> count
  DL_VEC(entry) entries;
} stats;

static bool count_op(dl_op *op, void *user) {
  stats *s = user;
  const dl_op_def *def = dl_op_def_of(op);
  dl_ptr_map_set(&s->counts, def, (char *)dl_ptr_map_get(&s->counts, def) + 1);
  return true;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static void sort_entries(stats *s) {
  for (size_t i = 0; i < s->counts.capacity; i++) {
    if (!s->counts.keys[i]) continue;
    const dl_op_def *def = s->counts.keys[i];
    DL_PUSH(&s->entries, (entry){def->name, (uintptr_t)s->counts.values[i]});
  }
  qsort(s->entries.data, s->entries.len, sizeof(entry), by_name);
}

static void print_text(dl_buffer *out, const stats *s) {
  int width = 0;
  for (size_t i = 0; i < s->entries.len; i++)
    if ((int)strlen(s->entries.data[i].name) > width) width = (int)strlen(s->entries.data[i].name);
  dl_buffer_puts(out, "Operations encountered:\n-----------------------\n");
  for (size_t i = 0; i < s->entries.len; i++)
    dl_buffer_printf(out, "  %-*s , %zu\n", width, s->entries.data[i].name,
                     s->entries.data[i].count);
}

static void print_json(dl_buffer *out, const stats *s) {
  dl_buffer_puts(out, "{\n");
  for (size_t i = 0; i < s->entries.len; i++)
    dl_buffer_printf(out, "  \"%s\" : %zu%s\n", s->entries.data[i].name, s->entries.data[i].count,
                     i + 1 < s->entries.len ? "," : "");
  dl_buffer_puts(out, "}\n");
}

static dl_status run(dl_pass *pass, dl_op *root) {
  stats s = {0};
  dl_buffer out = {0};
  dl_walk(root, count_op, &s);
  sort_entries(&s);
  if (dl_option_bool(pass, "json"))
    print_json(&out, &s);
  else
    print_text(&out, &s);
  dl_pass_print(pass, out.data);
  dl_buffer_free(&out);
  DL_VEC_FREE(&s.entries);
  dl_ptr_map_free(&s.counts);
  return DL_OK;
}

static const dl_option_def options[] = {
    {"json", "Write a JSON object", DL_OPTION_BOOL, NULL},
};

const dl_pass_def dl_pass_print_op_stats = {
    .name = "print-op-stats",
    .summary = "Print how many ops of each kind there are",
    .contract = DL_EXACT,
    .num_options = DL_COUNT(options),
    .options = options,
    .run = run,
};
