// tools/common/cli.h: command lines as tables. A tool describes its options once; parsing, --help,
// --version, suggestions for misspelt names and the exit statuses follow.
//
// Accepted forms: --name, --name=value, --name value; a single dash does for two; `--` ends the
// options. Options may come before or after the positional arguments.
#ifndef DLIR_TOOLS_COMMON_CLI_H
#define DLIR_TOOLS_COMMON_CLI_H

#include <stdio.h>

#include "ir/base.h"
#include "ir/files.h"

// Exit statuses of all tools.
enum {
  DL_EXIT_OK = 0,
  DL_EXIT_FAILURE = 1,  // any diagnosed failure
  DL_EXIT_USAGE = 2,    // an unknown or malformed option
};

typedef DL_VEC(const char *) dl_cli_list;

// The type of the field that an option sets.
typedef enum dl_cli_kind {
  DL_CLI_BOOL,    // bool; --name, --name=true|false|1|0
  DL_CLI_TEXT,    // const char *
  DL_CLI_INT,     // int64_t
  DL_CLI_NUMBER,  // double
  DL_CLI_LIST,    // dl_cli_list; may be given several times
  DL_CLI_JOINED,  // const char *; the value follows the name at once, as in -O3
} dl_cli_kind;

typedef struct dl_cli_option {
  const char *name;   // without dashes
  const char *value;  // what --help calls the value, "FILE"; NULL for BOOL
  const char *help;
  dl_cli_kind kind;
  size_t offset;  // of the field in the tool's options
  // Whether a value is well-formed; NULL: whether it is not empty. Not for BOOL.
  bool (*valid)(const char *value);
} dl_cli_option;

// DL_CLI(TEXT, "output-dir", my_options, output_dir, "DIR", "Write the outputs there")
#define DL_CLI(kind_, name_, type, field, value_, help_)                   \
  {                                                                        \
    .name = name_, .value = value_, .help = help_, .kind = DL_CLI_##kind_, \
    .offset = offsetof(type, field)                                        \
  }

// The same with a function that says which values are well-formed; the last argument.
#define DL_CLI_VALID(kind_, name_, type, field, value_, help_, valid_)     \
  {                                                                        \
    .name = name_, .value = value_, .help = help_, .kind = DL_CLI_##kind_, \
    .offset = offsetof(type, field), .valid = valid_                       \
  }

bool dl_cli_is_any(const char *value);   // any text, also none
bool dl_cli_is_pair(const char *value);  // NAME=VALUE

typedef struct dl_cli {
  const char *tool;      // "dlopt"
  const char *usage;     // "[options] [FILE]"
  const char *overview;  // a sentence or more for --help
  size_t num_options;
  const dl_cli_option *options;
  size_t positional;      // offset of a dl_cli_list that takes the positional arguments
  size_t max_positional;  // 0: any number
  // Takes the options that are not in the table, for tools that learn later which exist; `value` is
  // what follows `=`, or NULL; both live as long as argv. NULL: they are refused.
  void (*take_unknown)(void *options, dl_str name, const char *value);
} dl_cli;

#define DL_CLI_CONTINUE (-1)

// Fills `options` (a struct of the tool, set to the defaults before). Returns DL_CLI_CONTINUE, or
// the exit status of the tool: after --help and --version, or a message on stderr.
int dl_cli_parse(const dl_cli *cli, int argc, char **argv, void *options);

// Whether and where an option named `name` stands in the table, or NULL.
const dl_cli_option *dl_cli_find(const dl_cli *cli, dl_str name);

// Says that there is no such option and which one may be meant, among the table's names and the
// candidates; returns DL_EXIT_USAGE.
int dl_cli_unknown_option(const dl_cli *cli, dl_str name, size_t count,
                          const char *const *candidates);

// First and last statement of a tool's main. dl_cli_start makes sure that the standard streams
// exist and that writing to a closed pipe, or beyond a limit on files, is an error, not a signal.
// dl_cli_finish flushes standard output: when that fails (full disk, closed pipe), it says so and
// turns `status` into DL_EXIT_FAILURE.
void dl_cli_start(void);
int dl_cli_finish(const char *tool, int status);

// Prints "tool: error: message" to stderr and returns DL_EXIT_FAILURE.
int dl_cli_error(const char *tool, const char *format, ...) DL_PRINTF(2, 3);
// The same for a wrong command line, with a pointer to --help; returns DL_EXIT_USAGE.
int dl_cli_usage_error(const char *tool, const char *format, ...) DL_PRINTF(2, 3);

// Reads a file ("-": standard input) to the end; false after a message. Free with dl_buffer_free.
bool dl_cli_read_file(const char *tool, const char *path, dl_buffer *text);
// The same without copying where the file can be mapped. Give back with dl_cli_unmap.
typedef struct dl_cli_text {
  dl_str text;
  bool mapped;
} dl_cli_text;
bool dl_cli_map_file(const char *tool, const char *path, dl_cli_text *text);
void dl_cli_unmap(dl_cli_text *text);
// Writes a file ("-": standard output) atomically: a failed write leaves the old file. False after
// a message.
bool dl_cli_write_file(const char *tool, dl_temporaries *temporaries, const char *path,
                       dl_str text);

#endif
