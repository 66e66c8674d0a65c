// ir/pass_internal.h: passes and pipelines as the parser, the harness and its reports share them.
#ifndef DLIR_IR_PASS_INTERNAL_H
#define DLIR_IR_PASS_INTERNAL_H

#include "ir/analysis_internal.h"
#include "ir/pass.h"
#include "ir/steps.h"

typedef struct dl_option_value {
  bool set;              // by the pipeline text
  char *text;            // as written, or the default
  int64_t integer;       // BOOL, INT
  DL_VEC(int64_t) list;  // INT_LIST
} dl_option_value;

struct dl_pass {
  const dl_pass_def *def;
  dl_option_value *options;    // def->num_options
  int64_t *statistics;         // def->num_statistics
  bool changed;                // in the run that is on
  dl_analyses *kept;           // in the run that is on
  FILE *out;                   // of dl_pass_print, in the run that is on
  uint64_t steps;              // taken so far, while they are counted (ir/steps.h)
  double seconds;              // sums over all runs
  int64_t peak_memory_growth;  // KiB
};

typedef struct dl_pipeline dl_pipeline;

// Either a pass or a nested pipeline.
typedef struct dl_stage {
  dl_pass *pass;
  dl_pipeline *nested;
} dl_stage;

struct dl_pipeline {
  dl_ident anchor;  // op name; NULL: any
  DL_VEC(dl_stage) stages;
};

struct dl_pass_manager {
  dl_context *ctx;
  dl_pipeline *root;
  dl_instrumentation instrumentation;
};

// For a thread of its own; only what options say is copied.
dl_pipeline *dl_pipeline_clone(const dl_pipeline *pipeline);
// Adds the times and counters of a clone to those of the original and destroys it.
void dl_pipeline_merge(dl_pipeline *pipeline, dl_pipeline *clone);
void dl_pipeline_destroy(dl_pipeline *pipeline);
dl_pass *dl_pass_create(const dl_pass_def *def);
void dl_pass_destroy(dl_pass *pass);
// Sets an option from its text (NULL: the name stood alone). Returns NULL, or what is wrong with
// the text.
const char *dl_pass_set_option(dl_pass *pass, size_t option, const char *text);

// Runs one pass of the pipeline on the module, where the pipeline would, and nothing else.
dl_status dl_run_single_pass(dl_pass_manager *pm, dl_pass *pass, dl_op *module);
// For a pass that made the program wrong: notes about which of its steps did (pass_bisect.c).
// `before` is the module as it was, `evaluated` what the executor got from it.
void dl_bisect_pass(dl_pass_manager *pm, const dl_executor *check, dl_pass *pass, dl_op *before,
                    void *evaluated);

// Whether the comma-separated list (or NULL) has the name.
bool dl_list_has(const char *list, const char *name);

// Calls `visit` for every pass, in the order of the text.
void dl_for_each_pass(const dl_pipeline *pipeline, void (*visit)(dl_pass *pass, void *user),
                      void *user);

// A hash over an op and everything below, except the names of values and blocks. It tells whether
// the same op was changed in between; equal ops at other addresses have other fingerprints.
uint64_t dl_fingerprint(dl_op *op);

// Printing around passes, and the reports after a run (pass_report.c).
void dl_print_ir(const dl_instrumentation *in, const char *when, const dl_pass *pass, dl_op *op);
void dl_print_timing(const dl_pass_manager *pm, double total);
void dl_print_statistics(const dl_pass_manager *pm);
dl_status dl_write_reproducer(const dl_pass_manager *pm, dl_op *module);

#endif
