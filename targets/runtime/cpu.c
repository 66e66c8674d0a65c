#include "targets/runtime/cpu.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct name_span {
  const char *data;
  size_t len;
} name_span;

static bool span_is(name_span name, const char *text) {
  return strlen(text) == name.len && memcmp(text, name.data, name.len) == 0;
}

#if defined(__x86_64__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef enum { EAX, EBX, ECX, EDX } cpuid_register;
// What the operating system must save on a context switch: bits of XCR0.
enum { STATE_NONE = 0, STATE_AVX = 0x6, STATE_AVX512 = 0xe6, STATE_AMX = 0x60000 };

typedef struct feature {
  const char *name;
  uint32_t leaf, subleaf;
  cpuid_register reg;
  unsigned bit;
  uint64_t state;
} feature;

static const feature features[] = {
    {"sse3", 1, 0, ECX, 0, STATE_NONE},
    {"pclmul", 1, 0, ECX, 1, STATE_NONE},
    {"ssse3", 1, 0, ECX, 9, STATE_NONE},
    {"fma", 1, 0, ECX, 12, STATE_AVX},
    {"cx16", 1, 0, ECX, 13, STATE_NONE},
    {"sse4.1", 1, 0, ECX, 19, STATE_NONE},
    {"sse4.2", 1, 0, ECX, 20, STATE_NONE},
    {"movbe", 1, 0, ECX, 22, STATE_NONE},
    {"popcnt", 1, 0, ECX, 23, STATE_NONE},
    {"aes", 1, 0, ECX, 25, STATE_NONE},
    {"avx", 1, 0, ECX, 28, STATE_AVX},
    {"f16c", 1, 0, ECX, 29, STATE_AVX},
    {"bmi", 7, 0, EBX, 3, STATE_NONE},
    {"avx2", 7, 0, EBX, 5, STATE_AVX},
    {"bmi2", 7, 0, EBX, 8, STATE_NONE},
    {"avx512f", 7, 0, EBX, 16, STATE_AVX512},
    {"avx512dq", 7, 0, EBX, 17, STATE_AVX512},
    {"adx", 7, 0, EBX, 19, STATE_NONE},
    {"avx512ifma", 7, 0, EBX, 21, STATE_AVX512},
    {"avx512cd", 7, 0, EBX, 28, STATE_AVX512},
    {"avx512bw", 7, 0, EBX, 30, STATE_AVX512},
    {"avx512vl", 7, 0, EBX, 31, STATE_AVX512},
    {"avx512vbmi", 7, 0, ECX, 1, STATE_AVX512},
    {"avx512vbmi2", 7, 0, ECX, 6, STATE_AVX512},
    {"gfni", 7, 0, ECX, 8, STATE_NONE},
    {"vaes", 7, 0, ECX, 9, STATE_AVX},
    {"vpclmulqdq", 7, 0, ECX, 10, STATE_AVX},
    {"avx512vnni", 7, 0, ECX, 11, STATE_AVX512},
    {"avx512bitalg", 7, 0, ECX, 12, STATE_AVX512},
    {"avx512vpopcntdq", 7, 0, ECX, 14, STATE_AVX512},
    {"avx512vp2intersect", 7, 0, EDX, 8, STATE_AVX512},
    {"amx-bf16", 7, 0, EDX, 22, STATE_AMX},
    {"avx512fp16", 7, 0, EDX, 23, STATE_AVX512},
    {"amx-tile", 7, 0, EDX, 24, STATE_AMX},
    {"amx-int8", 7, 0, EDX, 25, STATE_AMX},
    {"avxvnni", 7, 1, EAX, 4, STATE_AVX},
    {"avx512bf16", 7, 1, EAX, 5, STATE_AVX512},
    {"lzcnt", 0x80000001, 0, ECX, 5, STATE_NONE},
    {"sse4a", 0x80000001, 0, ECX, 6, STATE_NONE},
};

static uint64_t enabled_state(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return 0;
  __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  return (uint64_t)d << 32 | a;
}

// Linux hands out AMX's tile registers per process, on request.
static bool request_tiles(void) {
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
  return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

static bool has_feature(name_span name) {
  for (size_t i = 0; i < sizeof(features) / sizeof(*features); i++) {
    const feature *f = &features[i];
    if (!span_is(name, f->name)) continue;
    uint32_t regs[4];
    if (!__get_cpuid_count(f->leaf, f->subleaf, &regs[EAX], &regs[EBX], &regs[ECX], &regs[EDX]))
      return false;
    if (!(regs[f->reg] >> f->bit & 1) || (enabled_state() & f->state) != f->state) return false;
    return f->state != STATE_AMX || request_tiles();
  }
  return true;
}

#elif defined(__aarch64__)

#include <asm/hwcap.h>
#include <sys/auxv.h>

typedef struct feature {
  const char *name;
  int vector;  // AT_HWCAP or AT_HWCAP2
  unsigned long bit;
} feature;

static const feature features[] = {
    {"neon", AT_HWCAP, HWCAP_ASIMD},    {"fp-armv8", AT_HWCAP, HWCAP_FP},
    {"crc", AT_HWCAP, HWCAP_CRC32},     {"lse", AT_HWCAP, HWCAP_ATOMICS},
    {"fullfp16", AT_HWCAP, HWCAP_FPHP}, {"dotprod", AT_HWCAP, HWCAP_ASIMDDP},
    {"sve", AT_HWCAP, HWCAP_SVE},       {"i8mm", AT_HWCAP2, HWCAP2_I8MM},
    {"bf16", AT_HWCAP2, HWCAP2_BF16},   {"sve2", AT_HWCAP2, HWCAP2_SVE2},
};

static bool has_feature(name_span name) {
  for (size_t i = 0; i < sizeof(features) / sizeof(*features); i++)
    if (span_is(name, features[i].name))
      return (getauxval((unsigned long)features[i].vector) & features[i].bit) != 0;
  return true;
}

#else

static bool has_feature(name_span name) {
  (void)span_is;
  (void)name;
  return true;
}

#endif

bool dlrt_cpu_has(const char *list, char *missing, size_t size) {
  for (const char *p = list; *p;) {
    if (*p == '+') p++;
    name_span name = {p, strcspn(p, ",")};
    if (name.len && *name.data != '-' && !has_feature(name)) {
      if (size) snprintf(missing, size, "%.*s", (int)name.len, name.data);
      return false;
    }
    p += name.len + (p[name.len] == ',');
  }
  return true;
}
