/* command.h -- a subcommand: one file defines it with COMMAND, and that is all there is to do.
 *
 * One idea: each file puts a pointer to its command into a section of the program; main.c finds
 * them there by name, `dts help` lists them, and options.h reads what was typed as the command
 * declares it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_COMMAND_H
#define DTS_COMMAND_COMMAND_H

#include <stddef.h>

#include "base/error.h"
#include "command/options.h"

/* 130 is 128 + SIGINT, what a shell gives for Ctrl-C. */
enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

struct command {
  const char *name;
  const char *words;                        /* positional words for help: "FILE|NAME" */
  const char *summary;                      /* one line */
  const char *details;                      /* more lines for `dts help NAME`, or NULL */
  size_t least, most;                       /* how many words */
  const command_option *options;            /* ended by one without a name; NULL: none */
  int (*run)(const given *g, dts_error *e); /* the exit status, or -1: `e` is to be shown */
};

#define COMMAND(id)                                                                                \
  static const command command_##id;                                                               \
  static const command *const listed_##id __attribute__((section("dts_commands"), used)) =         \
      &command_##id;                                                                               \
  static const command command_##id

size_t command_count(void);
const command *command_at(size_t i);                         /* sorted by name */
const command *command_find(const char *name, dts_error *e); /* NULL: USAGE, the nearest named */

#endif
