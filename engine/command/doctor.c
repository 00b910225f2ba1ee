/* doctor.c -- dts doctor: is everything in place that an engine needs here?
 *
 * One idea: each check says pass, warn or fail, and what to do; none changes anything, and none
 * needs another to have passed.
 *
 * SPDX-License-Identifier: MIT */
#include "command/doctor.h"

#include <stdio.h>

#include "command/command.h"
#include "command/place.h"
#include "command/screen.h"

static const char *const words[] = {"pass", "warn", "fail"};
static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m"};

void doctor_say(doctor *d, verdict v, const char *check, const char *message, const char *hint) {
  arena *a = &d->memory;
  value one = value_map();
  value_set(a, &one, "check", value_text(arena_text(a, check)));
  value_set(a, &one, "verdict", value_text(words[v]));
  value_set(a, &one, "message", value_text(arena_text(a, message)));
  if (hint) value_set(a, &one, "hint", value_text(arena_text(a, hint)));
  value_add(a, &d->findings, one);
  d->warned += v == WARN;
  d->failed += v == FAIL;
}

/* ---- the project ---- */

/* Files that two pipelines want, and alerts that reach nobody: both wait for a person. */
static void check_notes(doctor *d, const value *notes) {
  for (size_t i = 0; notes && i < notes->list.count; i++) {
    const value *n = &notes->list.items[i];
    bool files = value_get_integer(n, "waiting", 0) > 0;
    if (files || value_get(n, "alert"))
      doctor_say(d, WARN, files ? "files" : "alerts", value_get_text(n, "message", "?"),
                 value_get_text(n, "hint", NULL));
  }
}

static void check_scripts(doctor *d) {
  arena *a = &d->memory;
  value order = engine_command(a, "check"), answer;
  dts_error e;
  if (engine_ask(d->engine, &order, NULL, NULL, a, &answer, &e) < 0)
    return doctor_say(d, FAIL, "scripts", e.message, e.hint);
  const value *faults = value_get(&answer, "faults");
  check_notes(d, value_get(&answer, "notes"));
  if (!faults || !faults->list.count)
    return doctor_say(d, PASS, "scripts", "all of them load", NULL);
  const value *first = &faults->list.items[0];
  doctor_say(d, FAIL, "scripts",
             arena_format(a, "%s: %s", value_get_text(first, "where", "?"),
                          value_get_text(first, "message", "?")),
             "`dts check` tells of each fault");
}

static void check_secrets(doctor *d) {
  arena *a = &d->memory;
  const value *list = value_get(&d->place, "secrets");
  size_t absent = 0, count = list ? list->list.count : 0;
  for (size_t i = 0; i < count; i++) {
    const value *s = &list->list.items[i];
    const char *name = value_get_text(s, "name", "?");
    if (value_get_boolean(s, "present", false)) continue;
    bool optional = value_get_boolean(s, "optional", false);
    absent++;
    doctor_say(
        d, optional ? WARN : FAIL, "secrets",
        arena_format(a, "%s is named in %s and is not there%s", name,
                     value_get_text(s, "file", "?"), optional ? "; the header is left out" : ""),
        arena_format(a, "set DTS_SECRET_%s, or write it into secrets/%s (mode 600)", name, name));
  }
  if (!absent)
    doctor_say(d, PASS, "secrets",
               count ? arena_format(a, "all %zu that scripts name are there", count)
                     : "no script names one",
               NULL);
}

static void open_engine(doctor *d) {
  value order = engine_command(&d->memory, "place");
  dts_error e;
  d->place = value_null();
  d->engine = engine_peek(d->root, &e);
  if (!d->engine || engine_ask(d->engine, &order, NULL, NULL, &d->memory, &d->place, &e) < 0)
    return doctor_say(d, FAIL, "project", e.message, e.hint[0] ? e.hint : NULL);
  d->served = engine_is_remote(d->engine);
  doctor_say(d, PASS, "project",
             d->served ? arena_format(&d->memory, "%s, served by a running engine", d->root)
                       : d->root,
             NULL);
  check_scripts(d);
  check_secrets(d);
}

/* ---- the command ---- */

static void print(const doctor *d) {
  screen s = screen_of(stdout);
  for (size_t i = 0; i < d->findings.list.count; i++) {
    const value *f = &d->findings.list.items[i];
    const char *word = value_get_text(f, "verdict", ""), *hint = value_get_text(f, "hint", NULL);
    size_t v = word[0] == 'p' ? PASS : word[0] == 'w' ? WARN : FAIL;
    printf("%s%s%s  %-8s  ", s.colour ? colours[v] : "", word, s.colour ? "\033[0m" : "",
           value_get_text(f, "check", ""));
    screen_say(&s, value_get_text(f, "message", ""));
    putchar('\n');
    if (hint && v != PASS)
      fputs("                to do: ", stdout), screen_say(&s, hint), putchar('\n');
  }
  printf("\n%zu checked, %zu to look at, %zu failed\n", d->findings.list.count, d->warned,
         d->failed);
}

static int run(const given *g, dts_error *e) {
  doctor d = {.findings = value_list()};
  d.root = place_project(given_word(g, 0) ? given_word(g, 0) : ".", &d.memory, e);
  if (!d.root) return arena_free(&d.memory), -1;
  open_engine(&d);
  doctor_files(&d);
  doctor_system(&d);
  engine_close(d.engine); /* its folder and lock are free for what follows */
  engine_signals_free();
  doctor_store(&d);
  doctor_worker(&d);
  if (g->json)
    screen_json(stdout, &d.findings);
  else
    print(&d);
  int status = d.failed ? EXIT_FAILED : EXIT_FINE;
  arena_free(&d.memory);
  return status;
}

COMMAND(doctor) = {
    .name = "doctor",
    .words = "[DIR]",
    .summary = "Check store, disk, permissions, secrets, clock, workers and address.",
    .details = "Each check passes, warns or fails, and says what to do; nothing is changed. The "
               "status is 1 when\none fails. Whole indexes are compared by `dts backup`.",
    .most = 1,
    .run = run};
