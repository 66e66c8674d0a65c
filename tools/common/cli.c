#include "tools/common/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <unistd.h>

#include "ir/suggest.h"

int dl_cli_error(const char *tool, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fprintf(stderr, "%s: error: ", tool);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  return DL_EXIT_FAILURE;
}

int dl_cli_usage_error(const char *tool, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fprintf(stderr, "%s: error: ", tool);
  vfprintf(stderr, format, args);
  fprintf(stderr, "\nTry '%s --help'.\n", tool);
  va_end(args);
  return DL_EXIT_USAGE;
}

const dl_cli_option *dl_cli_find(const dl_cli *cli, dl_str name) {
  for (size_t i = 0; i < cli->num_options; i++)
    if (dl_str_is(name, cli->options[i].name)) return &cli->options[i];
  return NULL;
}

static const dl_cli_option *find_joined(const dl_cli *cli, const char *name) {
  for (size_t i = 0; i < cli->num_options; i++) {
    const dl_cli_option *option = &cli->options[i];
    if (option->kind == DL_CLI_JOINED && !strncmp(name, option->name, strlen(option->name)))
      return option;
  }
  return NULL;
}

int dl_cli_unknown_option(const dl_cli *cli, dl_str name, size_t count,
                          const char *const *candidates) {
  dl_suggestion near = dl_suggest(name);
  for (size_t i = 0; i < cli->num_options; i++) dl_suggest_offer(&near, cli->options[i].name);
  for (size_t i = 0; i < count; i++) dl_suggest_offer(&near, candidates[i]);
  dl_suggest_offer(&near, "help");
  dl_suggest_offer(&near, "version");
  if (near.best)
    return dl_cli_usage_error(cli->tool, "unknown option '--%.*s'; did you mean '--%s'?",
                              (int)name.len, name.data, near.best);
  return dl_cli_usage_error(cli->tool, "unknown option '--%.*s'", (int)name.len, name.data);
}

static bool parse_bool(const char *text, bool *value) {
  *value = !text || !strcmp(text, "true") || !strcmp(text, "1");
  return *value || !strcmp(text, "false") || !strcmp(text, "0");
}

static bool parse_int(const char *text, int64_t *value) {
  char *end;
  errno = 0;
  *value = strtoll(text, &end, 0);
  return *text && !*end && !errno;
}

static bool parse_number(const char *text, double *value) {
  char *end;
  *value = strtod(text, &end);
  return *text && !*end && isfinite(*value);
}

bool dl_cli_is_any(const char *value) {
  (void)value;
  return true;
}

bool dl_cli_is_pair(const char *value) {
  const char *equals = strchr(value, '=');
  return equals && equals > value && equals[1];
}

static bool is_well_formed(const dl_cli_option *option, const char *value) {
  if (option->kind == DL_CLI_BOOL) return true;
  return option->valid ? option->valid(value) : *value != '\0';
}

static bool store(const dl_cli_option *option, void *field, const char *value) {
  if (!is_well_formed(option, value)) return false;
  switch (option->kind) {
    case DL_CLI_BOOL:
      return parse_bool(value, field);
    case DL_CLI_INT:
      return parse_int(value, field);
    case DL_CLI_NUMBER:
      return parse_number(value, field);
    case DL_CLI_LIST:
      DL_PUSH((dl_cli_list *)field, value);
      return true;
    case DL_CLI_TEXT:
    case DL_CLI_JOINED:
      *(const char **)field = value;
      return true;
  }
  return false;
}

static const char *dashes_of(const dl_cli_option *option) {
  return option->kind == DL_CLI_JOINED || !option->name[1] ? "-" : "--";
}

// Columns of UTF-8 text: bytes that continue a character take none.
static int columns(const char *text) {
  int count = 0;
  for (; *text; text++) count += (*text & 0xc0) != 0x80;
  return count;
}

static void print_help(const dl_cli *cli) {
  enum { HELP_COLUMN = 36 };
  printf("Usage: %s %s\n\n%s\n\nOptions:\n", cli->tool, cli->usage, cli->overview);
  for (size_t i = 0; i < cli->num_options; i++) {
    const dl_cli_option *option = &cli->options[i];
    bool joined = option->kind == DL_CLI_JOINED;
    const char *value = option->value ? option->value : "";
    int width = printf("  %s%s%s", dashes_of(option), option->name, *value && !joined ? "=" : "");
    printf("%s", value);
    width += columns(value);
    if (width >= HELP_COLUMN) width = printf("\n") - 1;
    printf("%*s%s\n", HELP_COLUMN - width, "", option->help);
  }
  printf("%-*s%s\n", HELP_COLUMN, "  --help", "Print this text");
  printf("%-*s%s\n", HELP_COLUMN, "  --version", "Print the version");
}

typedef struct arguments {
  int argc;
  char **argv;
  int next;
} arguments;

static int parse_option(const dl_cli *cli, arguments *args, const char *text, void *options) {
  const char *equals = strchr(text, '=');
  dl_str name = {text, equals ? (size_t)(equals - text) : strlen(text)};
  const char *value = equals ? equals + 1 : NULL;
  const dl_cli_option *option = dl_cli_find(cli, name);
  if (!option && (option = find_joined(cli, text))) value = text + strlen(option->name);
  if (!option) {
    if (!cli->take_unknown) return dl_cli_unknown_option(cli, name, 0, NULL);
    cli->take_unknown(options, name, value);
    return DL_CLI_CONTINUE;
  }
  if (!value && option->kind != DL_CLI_BOOL) {
    if (args->next == args->argc)
      return dl_cli_usage_error(cli->tool, "option '%s%s' needs a value", dashes_of(option),
                                option->name);
    value = args->argv[args->next++];
  }
  if (!store(option, (char *)options + option->offset, value))
    return dl_cli_usage_error(cli->tool, "'%s' is no value for option '%s%s'; expected %s", value,
                              dashes_of(option), option->name,
                              option->value ? option->value : "true or false");
  return DL_CLI_CONTINUE;
}

int dl_cli_parse(const dl_cli *cli, int argc, char **argv, void *options) {
  dl_cli_list *positional = (dl_cli_list *)((char *)options + cli->positional);
  arguments args = {argc, argv, 1};
  bool only_positional = false;
  while (args.next < argc) {
    const char *text = argv[args.next++];
    if (only_positional || text[0] != '-' || !text[1]) {
      DL_PUSH(positional, text);
      continue;
    }
    if (!strcmp(text, "--")) {
      only_positional = true;
      continue;
    }
    text += text[1] == '-' ? 2 : 1;
    if (!strcmp(text, "help") || !strcmp(text, "h")) return print_help(cli), DL_EXIT_OK;
    if (!strcmp(text, "version")) return printf("%s %s\n", cli->tool, DLIR_VERSION), DL_EXIT_OK;
    int status = parse_option(cli, &args, text, options);
    if (status != DL_CLI_CONTINUE) return status;
  }
  if (cli->max_positional && positional->len > cli->max_positional)
    return dl_cli_usage_error(cli->tool, "unexpected argument '%s'",
                              positional->data[cli->max_positional]);
  return DL_CLI_CONTINUE;
}

void dl_cli_start(void) {
  // A file opened later must not take the number of a closed standard stream. The stand-in is
  // opened the wrong way round, so that using it is still an error.
  for (int fd = 0; fd < 3; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0) _exit(1);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

int dl_cli_finish(const char *tool, int status) {
  errno = 0;
  bool failed = ferror(stdout);
  failed = fflush(stdout) != 0 || failed;
  // A failure before has been reported, perhaps this very one.
  if (!failed || status != DL_EXIT_OK) return status;
  return dl_cli_error(tool, "cannot write to standard output: %s", strerror(errno ? errno : EIO));
}
