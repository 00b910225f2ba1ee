/* options.h -- what was typed behind a subcommand, read as the subcommand declares it.
 *
 * One idea: an option is declared once; reading, help and the error for a misspelt one come from
 * the declaration. `--name value`, `--name=value`, `-n value`; `--` ends the options. Every
 * command also takes --json and --help. Texts point into the program's arguments.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_OPTIONS_H
#define DTS_COMMAND_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "format/value.h"

typedef struct command command;

typedef struct command_option {
  const char *name;     /* without dashes; of one letter: -n */
  const char *argument; /* "FILE" as help shows it; NULL: a switch */
  const char *help;
} command_option;

typedef struct given_option {
  const char *name, *text; /* text "" of a switch */
} given_option;

typedef struct given {
  const command *command;
  size_t word_count, option_count;
  const char **words;
  given_option *options;
  bool json, help;
} given;

/* 0, or -1 with code USAGE. The lists live in the arena. */
int options_read(const command *c, int count, char **arguments, arena *a, given *out, dts_error *e);
/* "Usage: dts run FILE|NAME [OPTIONS]" and the options in two columns. */
void options_help(const command *c, buffer *out);

const char *given_word(const given *g, size_t i); /* NULL when there are fewer */
bool given_has(const given *g, const char *name);
const char *given_text(const given *g, const char *name, const char *otherwise); /* the last one */
const char *given_each(const given *g, const char *name, size_t *at); /* from *at = 0, until NULL */
int given_integer(const given *g, const char *name, int64_t otherwise, int64_t *out, dts_error *e);
/* The word must be one of `names` (NULL-terminated): its place, or -1 and USAGE. */
int given_choice(const given *g, size_t i, const char *const *names, dts_error *e);
/* The same of an option that may be absent: 0, or -1 and USAGE. */
int given_one_of(const given *g, const char *name, const char *const *names, dts_error *e);
/* NAME=VALUE of each --param as a map of texts: 0, or -1 and USAGE. */
int given_params(const given *g, arena *a, value *params, dts_error *e);

#endif
