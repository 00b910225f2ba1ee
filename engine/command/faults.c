/* faults.c -- see faults.h.
 *
 * SPDX-License-Identifier: MIT */
#include "command/faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "command/screen.h"

enum { SCRIPT_LIMIT = 1024 * 1024, NOTE_SIZE = 8192 };

/* A script that does not load declares nothing; it would declare what it has between quotes. */
static bool has_quoted(const char *whole, const char *name, size_t size, arena *a) {
  const char *text = arena_copy(a, name, size);
  return size && (strstr(whole, arena_format(a, "\"%s\"", text)) ||
                  strstr(whole, arena_format(a, "'%s'", text)));
}

/* A roll-up's table is NAME_PERIOD. */
static bool mentions(const char *root, const char *file, const char *name) {
  arena a = {0};
  buffer b;
  buffer_init(&b, SCRIPT_LIMIT);
  const char *period = strrchr(name, '_');
  bool found = file_read(arena_format(&a, "%s/%s", root, file), SCRIPT_LIMIT, &b, NULL) == 0;
  found = found && (has_quoted(buffer_text(&b), name, strlen(name), &a) ||
                    (period && has_quoted(buffer_text(&b), name, (size_t)(period - name), &a)));
  buffer_free(&b);
  arena_free(&a);
  return found;
}

static int fail_fault(const value *fault, dts_error *e) {
  const char *file = value_get_text(fault, "file", "");
  error_fail(e, value_get_text(fault, "code", "SCRIPT"), "%s",
             value_get_text(fault, "message", "?"));
  snprintf(e->where, sizeof e->where, "%s", value_get_text(fault, "where", file));
  return error_hint(e, "%s", value_get_text(fault, "hint", ""));
}

static void note(const value *fault) {
  const char *file = value_get_text(fault, "file", ""), *where = value_get_text(fault, "where", ""),
             *colon = strrchr(where, ':'), *message = value_get_text(fault, "message", "?");
  buffer b;
  buffer_init(&b, NOTE_SIZE);
  screen_lines(&b, message, strlen(message), 6);
  fprintf(stderr, "note: %s does not load", file);
  if (colon && strtol(colon + 1, NULL, 10) > 0) fprintf(stderr, ", line %s", colon + 1);
  fprintf(stderr, ": %s\n", buffer_text(&b));
  buffer_free(&b);
}

int faults_tell(const value *faults, const faults_target *t, dts_error *e) {
  for (size_t i = 0; faults && i < faults->list.count; i++) {
    const value *f = &faults->list.items[i];
    const char *file = value_get_text(f, "file", "");
    bool is_file = t->file && strcmp(file, t->file) == 0;
    if (is_file || (t->name && mentions(t->root, file, t->name))) return fail_fault(f, e);
    note(f);
  }
  return 0;
}

int faults_ask(engine *n, const value *order, const char *name, arena *a, value *answer,
               dts_error *e) {
  value status = engine_command(a, "status"), state;
  dts_error hidden = {0};
  int rc = engine_ask(n, order, NULL, NULL, a, answer, e);
  bool unknown = rc < 0 && (strcmp(e->code, "PIPELINE") == 0 || strcmp(e->code, "TABLE") == 0);
  if ((rc < 0 && !unknown) || engine_ask(n, &status, NULL, NULL, a, &state, &hidden) < 0) return rc;
  const value *faults = value_get(&state, "faults");
  bool nothing = rc == 0 && !name && answer->kind == VALUE_LIST && !answer->list.count;
  if (nothing && faults && faults->list.count) return fail_fault(&faults->list.items[0], e);
  const faults_target t = {.root = engine_root(n), .name = unknown ? name : NULL};
  if (faults_tell(faults, &t, &hidden) == 0) return rc;
  *e = hidden;
  return -1;
}

int faults_show(const given *g, const char *name, faults_print *print, dts_error *e) {
  arena a = {0};
  value order = engine_command(&a, name), answer;
  engine *n = engine_here(&a, e);
  value_set(&a, &order, "pipeline", value_text(given_word(g, 0)));
  int rc = n ? faults_ask(n, &order, given_word(g, 0), &a, &answer, e) : -1;
  if (rc == 0 && g->json)
    screen_json(stdout, &answer);
  else if (rc == 0)
    print(&a, &answer);
  engine_close(n);
  arena_free(&a);
  return rc;
}
