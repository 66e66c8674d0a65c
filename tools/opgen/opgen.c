// opgen: writes the tables and accessors of a dialect from its YAML spec.
#include "tools/opgen/opgen.h"

#include <errno.h>
#include <stdio.h>

#include "ir/diag.h"

static const char usage[] = "usage: opgen --header OUT.h --source OUT.c IN.yaml\n";

static int write_file(const char *path, const dl_buffer *text) {
  FILE *file = fopen(path, "wb");
  bool written = file && fwrite(text->data, 1, text->len, file) == text->len;
  if (file && fclose(file)) written = false;
  if (!written) fprintf(stderr, "opgen: cannot write %s: %s\n", path, strerror(errno));
  return written ? 0 : 1;
}

// The header's path as the source includes it: from the last "dialects/" on.
static const char *include_path(const char *header) {
  const char *found = strstr(header, "dialects/");
  for (const char *next = found; next; next = strstr(next + 1, "dialects/")) found = next;
  if (found) return found;
  const char *slash = strrchr(header, '/');
  return slash ? slash + 1 : header;
}

static int generate(dl_context *ctx, const char *header, const char *source, const char *input) {
  const dl_yaml_dialect *dialect = dl_read_dialect_yaml(ctx, input);
  if (!dialect) return 1;
  dl_buffer text = {0};
  int status = opgen_header(&text, dialect) ? 1 : write_file(header, &text);
  text.len = 0;
  if (status == 0) {
    opgen_source(&text, dialect, include_path(header));
    status = write_file(source, &text);
  }
  dl_buffer_free(&text);
  return status;
}

int main(int argc, char **argv) {
  const char *header = NULL, *source = NULL, *input = NULL;
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--header") && i + 1 < argc)
      header = argv[++i];
    else if (!strcmp(argv[i], "--source") && i + 1 < argc)
      source = argv[++i];
    else if (argv[i][0] != '-' && !input)
      input = argv[i];
    else
      return fputs(usage, stderr), 2;
  }
  if (!header || !source || !input) return fputs(usage, stderr), 2;
  dl_context *ctx = dl_context_create();
  dl_set_diag_handler(ctx, dl_print_diagnostic, stderr);
  int status = generate(ctx, header, source, input);
  dl_context_destroy(ctx);
  return status;
}
