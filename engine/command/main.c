/* main.c -- dts: finds the subcommand and lets it run. Nothing else is here: see command.h.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "command/report.h"
#include "command/slim.h"

static int fail(const dts_error *e, bool json) {
  screen s = screen_of(stderr);
  arena a = {0};
  value v = value_map();
  value_set(&a, &v, "error", report_map(&a, e));
  if (json)
    screen_json(stdout, &v);
  else
    report_error(&s, e, ".");
  arena_free(&a);
  if (strcmp(e->code, "INTERRUPTED") == 0) return EXIT_INTERRUPTED;
  bool typed_wrongly = strcmp(e->code, "USAGE") == 0 || strcmp(e->code, "PARAM") == 0;
  return typed_wrongly ? EXIT_USAGE : EXIT_FAILED;
}

/* By the environment, where screen.h looks. */
static void set_colour(const char *when) {
  if (strcmp(when, "never") == 0) setenv("NO_COLOR", "1", 1);
  if (strcmp(when, "always") != 0) return;
  unsetenv("NO_COLOR");
  setenv("CLICOLOR_FORCE", "1", 1);
}

/* Whoever read the output may leave (`| head`): no fault, and nothing is left to be said. */
static int finish(int status) {
  bool fine = fflush(stdout) == 0 && !ferror(stdout);
  return fine || errno == EPIPE ? status : EXIT_FAILED;
}

static int run(const command *c, int count, char **arguments) {
  arena a = {0};
  dts_error e = {0};
  given g = {0};
  buffer help;
  int status = options_read(c, count, arguments, &a, &g, &e);
  buffer_init(&help, 64 * 1024);
  set_colour(given_text(&g, "color", "auto"));
  if (status == 0 && g.help)
    options_help(c, &help);
  else if (status == 0)
    status = c->run(&g, &e);
  fputs(buffer_text(&help), stdout);
  if (status < 0) status = strcmp(e.code, "PIPE") == 0 ? EXIT_FINE : fail(&e, g.json);
  buffer_free(&help);
  arena_free(&a);
  return finish(status);
}

int main(int count, char **arguments) {
  slim_begin();
  signal(SIGPIPE, SIG_IGN);
  dts_error e = {0};
  const char *name = count > 1 ? arguments[1] : "help";
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
  if (strcmp(name, "--version") == 0) name = "version";
  const command *c = command_find(name, &e);
  if (!c) return fail(&e, false);
  return run(c, count > 2 ? count - 2 : 0, arguments + 2);
}
