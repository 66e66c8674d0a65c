#include "targets/llvm/describe.h"

#include <dirent.h>
#include <errno.h>
#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>
#include <stdio.h>
#include <unistd.h>

#include "targets/llvm/describe_file.h"
#include "targets/llvm/files.h"
#include "targets/runtime/cpu.h"
#include "targets/runtime/pool.h"

const char *dl_option_text(const dl_named_text *options, size_t num_options, const char *name,
                           const char *otherwise) {
  for (size_t i = 0; i < num_options; i++)
    if (!strcmp(options[i].name, name)) return options[i].text;
  return otherwise;
}

// --- the folder of descriptions ---

static int compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

// "known are: cortex-a72, haswell, …"
static void note_known(dl_description *d, const char *folder) {
  DL_VEC(char *) names = {0};
  DIR *dir = opendir(folder);
  for (struct dirent *entry; dir && (entry = readdir(dir));) {
    char *dot = strrchr(entry->d_name, '.');
    if (dot && !strcmp(dot, ".yaml"))
      DL_PUSH(&names, strndup(entry->d_name, (size_t)(dot - entry->d_name)));
  }
  if (dir) closedir(dir);
  if (names.len) qsort(names.data, names.len, sizeof(*names.data), compare_names);
  dl_buffer text = {0};
  for (size_t i = 0; i < names.len; i++) {
    dl_buffer_printf(&text, "%s%s", i ? ", " : "", names.data[i]);
    free(names.data[i]);
  }
  dl_note(d->loc, "known are: native%s%s", names.len ? ", " : "", names.len ? text.data : "");
  DL_VEC_FREE(&names);
  dl_buffer_free(&text);
}

// A name of the folder, or the path of a .yaml file.
static FILE *open_description(const char *name, char **folder, dl_buffer *path) {
  size_t len = strlen(name);
  *folder = dl_beside_module("machines");
  if (len > 5 && !strcmp(name + len - 5, ".yaml"))
    dl_buffer_puts(path, name);
  else
    dl_buffer_printf(path, "%s/%s.yaml", *folder, name);
  return fopen(path->data, "r");
}

static dl_status read_description(dl_description *d, const char *name) {
  char *folder;
  dl_buffer path = {0};
  FILE *file = open_description(name, &folder, &path);
  bool is_path = !strcmp(path.data, name);
  dl_status status;
  if (file) {
    status = dl_read_description(d, file, path.data);
    fclose(file);
  } else if (is_path) {
    status = dl_error(d->loc, "cannot open '%s': %s", name, strerror(errno));
  } else {
    status = dl_error(d->loc, "no machine description for '%s'", name);
    note_known(d, folder);
  }
  dl_buffer_free(&path);
  free(folder);
  return status;
}

static bool is_described(const char *name) {
  char *folder;
  dl_buffer path = {0};
  FILE *file = open_description(name, &folder, &path);
  if (file) fclose(file);
  dl_buffer_free(&path);
  free(folder);
  return file != NULL;
}

// --- this machine ---

#if defined(__aarch64__)
static const char host_arch[] = "aarch64";
#else
static const char host_arch[] = "x86-64";
#endif

// What the processor offers counts, not what its model offers elsewhere: hypervisors hide features.
static void keep_present_features(dl_description *d) {
  dl_attr all = dl_described(d, "features");
  dl_str list = all && all->kind == DL_ATTR_STRING ? all->bytes : (dl_str){0};
  dl_buffer text = {0};
  for (size_t at = 0; at < list.len;) {
    const char *comma = memchr(list.data + at, ',', list.len - at);
    size_t len = comma ? (size_t)(comma - list.data) - at : list.len - at;
    char *name = strndup(list.data + at + 1, len - 1);
    dl_buffer_printf(&text, "%s%c%s", text.len ? "," : "", dlrt_cpu_has(name, NULL, 0) ? '+' : '-',
                     name);
    free(name);
    at += len + 1;
  }
  dl_describe(d, "features",
              dl_string_attr(d->ctx, (dl_str){text.data ? text.data : "", text.len}));
  dl_buffer_free(&text);
}

static void lower_vectors(dl_description *d, int64_t bits, int64_t registers) {
  dl_attr known = dl_described(d, "vector_bits");
  if (known && known->kind == DL_ATTR_INTEGER && known->integer <= bits) return;
  dl_describe_number(d, "vector_bits", bits);
  dl_describe_number(d, "vector_registers", registers);
}

static void fit_vectors(dl_description *d) {
  if (!strcmp(host_arch, "aarch64")) return;
  if (!dlrt_cpu_has("avx512f,avx512bw,avx512dq,avx512vl", NULL, 0)) lower_vectors(d, 256, 16);
  if (!dlrt_cpu_has("avx2,fma", NULL, 0)) lower_vectors(d, 128, 16);
}

static bool is_present(dl_attr op, int64_t vector_bits) {
  dl_context *ctx = op->ctx;
  dl_attr needs = dl_dict_get(op, dl_intern_z(ctx, "needs"));
  dl_attr lanes = dl_dict_get(op, dl_intern_z(ctx, "lanes"));
  if (lanes && lanes->kind == DL_ATTR_INTEGER && lanes->integer * 32 > vector_bits) return false;
  if (!needs || needs->kind != DL_ATTR_STRING) return true;
  char *names = strndup(needs->bytes.data, needs->bytes.len);
  bool present = dlrt_cpu_has(names, NULL, 0);
  free(names);
  return present;
}

static void keep_present_ops(dl_description *d) {
  dl_attr all = dl_described(d, "ops"), bits = dl_described(d, "vector_bits");
  if (!all || all->kind != DL_ATTR_DICT || !bits) return;
  DL_VEC(dl_named_attr) present = {0};
  for (size_t i = 0; i < all->count; i++) {
    dl_named_attr op = all->entries[i];
    if (op.value->kind == DL_ATTR_DICT && is_present(op.value, bits->integer))
      DL_PUSH(&present, op);
  }
  dl_describe(d, "ops", dl_dict_attr(d->ctx, present.len, present.data));
  DL_VEC_FREE(&present);
}

static void measure_cache(dl_description *d, const char *name, int which) {
  long bytes = sysconf(which);
  if (bytes > 0) dl_describe_number(d, name, bytes);
}

static dl_status describe_native(dl_description *d) {
  char *cpu = LLVMGetHostCPUName();
  bool known = is_described(cpu);
  const char *general = !strcmp(host_arch, "aarch64") ? "aarch64"
                        : dlrt_cpu_has("avx512f,avx512bw,avx512dq,avx512vl", NULL, 0)
                            ? "skylake-avx512"
                        : dlrt_cpu_has("avx2,fma,bmi2", NULL, 0) ? "haswell"
                                                                 : "x86-64";
  dl_status status = read_description(d, known ? cpu : general);
  if (status == DL_OK) {
    keep_present_features(d);
    fit_vectors(d);
    keep_present_ops(d);
    dl_describe(d, "name", dl_string_attr_z(d->ctx, "native"));
    dl_describe_number(d, "cores", dlrt_cpu_count());
    measure_cache(d, "l1_bytes", _SC_LEVEL1_DCACHE_SIZE);
    measure_cache(d, "l2_bytes", _SC_LEVEL2_CACHE_SIZE);
    measure_cache(d, "l3_bytes", _SC_LEVEL3_CACHE_SIZE);
  }
  LLVMDisposeMessage(cpu);
  return status;
}

// --- choosing ---

static bool is_arch(const char *march, const char *arch) {
  if (!strcmp(march, arch)) return true;
  return !strcmp(arch, "x86-64") ? !strcmp(march, "x86_64") : !strcmp(march, "arm64");
}

static dl_status check_arch(dl_description *d, const char *march, const char *mcpu) {
  dl_attr triple = dl_described(d, "triple");
  bool aarch64 = triple && triple->kind == DL_ATTR_STRING && triple->bytes.len >= 7 &&
                 !memcmp(triple->bytes.data, "aarch64", 7);
  if (is_arch(march, aarch64 ? "aarch64" : "x86-64")) return DL_OK;
  return dl_error(d->loc, "the processor '%s' is no %s", mcpu, march);
}

static dl_status describe(dl_description *d, const char *march, const char *mcpu) {
  if (march && !is_arch(march, "x86-64") && !is_arch(march, "aarch64"))
    return dl_error(d->loc, "unknown architecture '%s'; known are x86-64 and aarch64", march);
  bool foreign = march && !is_arch(march, host_arch);
  if (!mcpu && foreign) mcpu = is_arch(march, "aarch64") ? "aarch64" : "x86-64";
  if (mcpu && strcmp(mcpu, "native")) {
    DL_TRY(read_description(d, mcpu));
    return march ? check_arch(d, march, mcpu) : DL_OK;
  }
  if (foreign) return dl_error(d->loc, "the processor at hand is no %s", march);
  return describe_native(d);
}

dl_status dl_describe_machine(dl_op *module, const dl_named_text *options, size_t num_options) {
  dl_description d = {.ctx = dl_op_context(module), .loc = dl_op_loc(module)};
  dl_status status = describe(&d, dl_option_text(options, num_options, "march", NULL),
                              dl_option_text(options, num_options, "mcpu", NULL));
  if (status == DL_OK)
    dl_set_attr(module, "dlir.machine", dl_dict_attr(d.ctx, d.entries.len, d.entries.data));
  DL_VEC_FREE(&d.entries);
  return status;
}
