/* tape.c -- see tape.h.
 *
 * SPDX-License-Identifier: MIT */
#include "command/tape.h"

#include <stdio.h>
#include <string.h>

static int check_options(const given *g, dts_error *e) {
  if (!given_has(g, "record") || !given_has(g, "replay")) return 0;
  error_fail(e, "USAGE", "--record and --replay exclude each other");
  return error_hint(e, "a recording is made with a network, and replayed without one");
}

static engine *open_alone(const tape *t, const char *root, const char *file, dts_error *e) {
  engine *n = engine_open_alone(root, file, t->replay ? replay_now(t->replay) : 0, t->replay, e);
  if (!n && strcmp(e->code, "STORE_LOCKED") == 0)
    error_hint(e,
               "a recording is made and replayed by a process of its own: stop the running engine "
               "first, or work in a copy of the project");
  return n;
}

engine *tape_open(tape *t, const given *g, const char *root, const char *file, const char *target,
                  dts_error *e) {
  const char *from = given_text(g, "replay", NULL), *to = given_text(g, "record", NULL);
  *t = (tape){.path = to ? to : from};
  if (check_options(g, e) < 0) return NULL;
  if (!t->path) return engine_open(root, file, e);
  if (from && !(t->replay = replay_open(from, root, e))) return NULL;
  engine *n = open_alone(t, root, file, e);
  if (n && t->replay) replay_attach(t->replay, engine_kernel(n));
  if (n && to) t->recording = recording_open(engine_kernel(n), to, target);
  return n;
}

int tape_save(tape *t, dts_error *e) {
  size_t count;
  if (!t->recording) return 0;
  int rc = recording_close(t->recording, &count, e);
  t->recording = NULL;
  if (rc == 0) fprintf(stderr, "%s: %zu exchange%s kept\n", t->path, count, count == 1 ? "" : "s");
  return rc;
}

void tape_close(tape *t) { replay_close(t->replay); }
