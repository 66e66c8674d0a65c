#include "ir/diag.h"

#include "ir/context_internal.h"
#include "ir/text.h"

void dl_set_diag_handler(dl_context *ctx, dl_diag_handler handler, void *user) {
  pthread_mutex_lock(&ctx->diag_lock);
  ctx->handler = handler;
  ctx->handler_user = user;
  pthread_mutex_unlock(&ctx->diag_lock);
}

void dl_get_diag_handler(dl_context *ctx, dl_diag_handler *handler, void **user) {
  pthread_mutex_lock(&ctx->diag_lock);
  *handler = ctx->handler;
  *user = ctx->handler_user;
  pthread_mutex_unlock(&ctx->diag_lock);
}

// Called with the lock held.
static dl_diag_log *log_of_thread(dl_context *ctx) {
  for (size_t i = 0; i < ctx->redirects.len; i++)
    if (pthread_equal(ctx->redirects.data[i].thread, pthread_self()))
      return ctx->redirects.data[i].log;
  return NULL;
}

size_t dl_num_errors(dl_context *ctx) {
  pthread_mutex_lock(&ctx->diag_lock);
  const dl_diag_log *log = log_of_thread(ctx);
  size_t count = log ? log->num_errors : atomic_load(&ctx->num_errors);
  pthread_mutex_unlock(&ctx->diag_lock);
  return count;
}

static void record(dl_diag_log *log, dl_severity severity, dl_loc loc, const char *text,
                   FILE *out) {
  char *copy = dl_malloc(strlen(text) + 1);
  strcpy(copy, text);
  log->num_errors += loc && severity == DL_ERROR;
  DL_PUSH(&log->records, (dl_diag_record){severity, loc, copy, out});
}

static void emit_text(dl_severity severity, dl_loc loc, const char *message) {
  dl_context *ctx = loc->ctx;
  pthread_mutex_lock(&ctx->diag_lock);
  dl_diag_log *log = log_of_thread(ctx);
  if (log) {
    record(log, severity, loc, message, NULL);
  } else {
    if (severity == DL_ERROR) atomic_fetch_add(&ctx->num_errors, 1);
    if (ctx->handler) ctx->handler(ctx->handler_user, &(dl_diagnostic){severity, loc, message});
  }
  pthread_mutex_unlock(&ctx->diag_lock);
}

static void emit(dl_severity severity, dl_loc loc, const char *format, va_list args) {
  dl_buffer message = {0};
  dl_buffer_vprintf(&message, format, args);
  emit_text(severity, loc, message.data);
  dl_buffer_free(&message);
}

void dl_diag_redirect(dl_context *ctx, dl_diag_log *log) {
  pthread_mutex_lock(&ctx->diag_lock);
  size_t i = 0;
  while (i < ctx->redirects.len && !pthread_equal(ctx->redirects.data[i].thread, pthread_self()))
    i++;
  if (!log)
    ctx->redirects.data[i] = ctx->redirects.data[--ctx->redirects.len];
  else if (i < ctx->redirects.len)
    ctx->redirects.data[i].log = log;
  else
    DL_PUSH(&ctx->redirects, (dl_redirect){pthread_self(), log});
  pthread_mutex_unlock(&ctx->diag_lock);
}

void dl_diag_write(dl_context *ctx, FILE *out, const char *text) {
  pthread_mutex_lock(&ctx->diag_lock);
  dl_diag_log *log = log_of_thread(ctx);
  if (log)
    record(log, DL_NOTE, NULL, text, out);
  else
    fputs(text, out);
  pthread_mutex_unlock(&ctx->diag_lock);
}

void dl_diag_replay(dl_context *ctx, dl_diag_log *log) {
  for (size_t i = 0; i < log->records.len; i++) {
    dl_diag_record said = log->records.data[i];
    if (said.loc)
      emit_text(said.severity, said.loc, said.text);
    else
      dl_diag_write(ctx, said.out, said.text);
  }
  dl_diag_log_free(log);
}

void dl_diag_log_free(dl_diag_log *log) {
  for (size_t i = 0; i < log->records.len; i++) free(log->records.data[i].text);
  DL_VEC_FREE(&log->records);
  log->num_errors = 0;
}

#define EMIT(severity)               \
  va_list args;                      \
  va_start(args, format);            \
  emit(severity, loc, format, args); \
  va_end(args)

dl_status dl_error(dl_loc loc, const char *format, ...) {
  EMIT(DL_ERROR);
  return DL_FAILED;
}

void dl_warning(dl_loc loc, const char *format, ...) { EMIT(DL_WARNING); }
void dl_note(dl_loc loc, const char *format, ...) { EMIT(DL_NOTE); }
void dl_remark(dl_loc loc, const char *format, ...) { EMIT(DL_REMARK); }

static void add_source(dl_context *ctx, dl_source source) {
  pthread_mutex_lock(&ctx->lock);
  DL_PUSH(&ctx->sources, source);
  pthread_mutex_unlock(&ctx->lock);
}

void dl_add_source(dl_context *ctx, dl_ident path, dl_str text) {
  add_source(ctx, (dl_source){path, text, false});
}

void dl_add_mapped_source(dl_context *ctx, dl_ident path, dl_str text) {
  add_source(ctx, (dl_source){path, text, true});
}

bool dl_is_mapped_source(dl_context *ctx, dl_str text) {
  bool mapped = false;
  pthread_mutex_lock(&ctx->lock);
  for (size_t i = 0; i < ctx->sources.len && !mapped; i++)
    mapped = ctx->sources.data[i].mapped && ctx->sources.data[i].text.data == text.data;
  pthread_mutex_unlock(&ctx->lock);
  return mapped;
}

static dl_str find_source(dl_context *ctx, dl_ident path) {
  dl_str text = {0};
  pthread_mutex_lock(&ctx->lock);
  for (size_t i = ctx->sources.len; i-- > 0 && !text.data;) {
    if (ctx->sources.data[i].path == path) text = ctx->sources.data[i].text;
  }
  pthread_mutex_unlock(&ctx->lock);
  return text;
}

// The file position that a location goes back to, or NULL.
static dl_loc file_of(dl_loc loc) {
  if (!loc || loc->kind == DL_LOC_FILE) return loc;
  if (loc->kind != DL_LOC_FUSED) return file_of(loc->child);
  for (size_t i = 0; i < loc->num_locs; i++) {
    dl_loc file = file_of(loc->locs[i]);
    if (file) return file;
  }
  return NULL;
}

static dl_str source_line(dl_str text, uint64_t line) {
  const char *start = text.data, *end = text.data + text.len;
  for (uint64_t i = 1; i < line && start; i++) {
    start = memchr(start, '\n', (size_t)(end - start));
    if (start) start++;
  }
  if (!start || start >= end) return (dl_str){0};
  const char *newline = memchr(start, '\n', (size_t)(end - start));
  return (dl_str){start, (size_t)((newline ? newline : end) - start)};
}

enum { MAX_EXCERPT = 160, MAX_BEFORE_CARET = 100 };  // bytes of a long line that are shown

static bool continues_character(char c) { return ((unsigned char)c & 0xC0) == 0x80; }

// The part of a line around a column, cut between characters.
static dl_str part_around(dl_str line, size_t column) {
  size_t from = column > MAX_BEFORE_CARET ? column - MAX_BEFORE_CARET : 0;
  size_t to = line.len - from > MAX_EXCERPT ? from + MAX_EXCERPT : line.len;
  if (line.len <= MAX_EXCERPT) from = 0, to = line.len;
  while (from && from < column && continues_character(line.data[from])) from++;
  while (to < line.len && to > column && continues_character(line.data[to])) to--;
  return (dl_str){line.data + from, to - from};
}

// The line and, below it, a caret; tabs are kept so that the columns agree. Of a long line, the
// part around the caret.
static void print_excerpt(FILE *out, dl_loc file) {
  dl_str text = find_source(file->ctx, file->name);
  if (!text.data || !file->line) return;
  dl_str line = source_line(text, file->line);
  if (!line.data || file->column == 0 || file->column > line.len + 1) return;
  dl_str part = part_around(line, file->column - 1);
  bool cut_before = part.data > line.data;
  bool cut_after = part.data + part.len < line.data + line.len;
  fprintf(out, "%s%.*s%s\n%s", cut_before ? "… " : "", (int)part.len, part.data,
          cut_after ? " …" : "", cut_before ? "  " : "");
  size_t before = file->column - 1 - (size_t)(part.data - line.data);
  for (size_t i = 0; i < before; i++)
    if (part.data[i] == '\t' || !continues_character(part.data[i]))
      fputc(part.data[i] == '\t' ? '\t' : ' ', out);
  fputs("^\n", out);
}

void dl_print_diagnostic(void *user, const dl_diagnostic *diagnostic) {
  static const char *const names[] = {"error", "warning", "note", "remark"};
  FILE *out = user;
  dl_loc file = file_of(diagnostic->loc);
  dl_ident name = dl_loc_first_name(diagnostic->loc);
  if (file && !file->line) {
    fprintf(out, "%s: ", file->name);  // the file as a whole
  } else if (file) {
    fprintf(out, "%s:%llu:%llu: ", file->name, (unsigned long long)file->line,
            (unsigned long long)file->column);
  } else if (name) {
    fprintf(out, "loc(\"%s\"): ", name);
  }
  fprintf(out, "%s: %s\n", names[diagnostic->severity], diagnostic->message);
  if (file) print_excerpt(out, file);
}

void dl_bug(const struct dl_op *op, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("dlir: internal error: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  if (op) {
    dl_diagnostic where = {DL_NOTE, dl_op_loc(op), dl_op_name(op)};
    dl_print_diagnostic(stderr, &where);
    dl_buffer text = {0};
    dl_print_op(&text, op, &(dl_print_options){.generic = true, .elide_elements = 17});
    fprintf(stderr, "%s\n", text.data);
  }
  abort();
}
