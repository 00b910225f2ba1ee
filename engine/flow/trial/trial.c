/* trial.c -- see trial.h: frames and kernels.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/trial/trial_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "flow/kernel/kernel_parts.h"
#include "flow/kernel/zones.h"
#include "format/date.h"
#include "wire/op.h"
#include "wire/pack.h"

/* ---- frames ---- */

int trial_send(trials *all, uint32_t number, wire_op op, const value *v, dts_error *e) {
  buffer b;
  buffer_init(&b, FRAME_LIMIT);
  pack_value(&b, v);
  int rc = b.failed ? error_fail(e, "LIMIT_SIZE", "the answer is larger than a frame may be")
                    : frame_send(all->socket, number, (uint8_t)op, &b, -1, e);
  buffer_free(&b);
  return rc;
}

static int send_error(trials *all, uint32_t number, const dts_error *error, dts_error *e) {
  buffer b;
  buffer_init(&b, FRAME_LIMIT);
  pack_error(&b, error);
  int rc = frame_send(all->socket, number, OP_ERROR, &b, -1, e);
  buffer_free(&b);
  return rc;
}

static trial *find(trials *all, int64_t id, dts_error *e) {
  for (trial *t = all->trials; t; t = t->next)
    if (t->id == id) return t;
  error_fail(e, "SPEC", "there is no test %lld: it is closed", (long long)id);
  return NULL;
}

static int open_one(trials *all, const value *args, arena *a, value *answer, dts_error *e) {
  trial *t = trial_open(all, args, e);
  if (!t) return -1;
  *answer = value_map();
  value_set(a, answer, "test", value_integer(t->id));
  return 0;
}

static int one_verb(trials *all, const value *args, arena *a, value *answer, dts_error *e) {
  const char *verb = value_get_text(args, "verb", "");
  trial *t = find(all, value_get_integer(args, "test", 0), e);
  if (!t) return -1;
  if (t->asking && strcmp(verb, "sql") != 0)
    return error_fail(e, "SPEC", "t:%s cannot be asked inside a function given to t:http", verb);
  t->fault = (dts_error){0};
  if (strcmp(verb, "close") != 0) {
    int rc = trial_verb(t, args, a, answer, e);
    if (rc == 0 && t->fault.code[0]) *e = t->fault, rc = -1;
    return rc;
  }
  *answer = value_map();
  trial_close(t);
  return 0;
}

/* A question of the spec. -1 only when its answer cannot be sent. */
static int handle(trials *all, const frame *in, const value *args, dts_error *e) {
  arena a = {0};
  value answer = value_map();
  dts_error error;
  int rc;
  if (in->op == OP_TEST_OPEN)
    rc = open_one(all, args, &a, &answer, &error);
  else if (in->op == OP_TEST)
    rc = one_verb(all, args, &a, &answer, &error);
  else if (in->op == OP_ZONE)
    rc = zones_answer(args, &a, &answer, &error);
  else
    rc = error_fail(&error, "WIRE", "operation %d is not for a test", in->op);
  rc = rc == 0 ? trial_send(all, in->call, OP_REPLY, &answer, e)
               : send_error(all, in->call, &error, e);
  arena_free(&a);
  return rc;
}

/* One frame: 2 something was asked and answered, otherwise as trial_pump. */
static int pump_one(trials *all, buffer *room, uint32_t number, arena *a, value *reply,
                    dts_error *e) {
  arena passing = {0};
  frame in;
  value said;
  int rc = frame_receive(all->socket, room, &in, e);
  if (rc <= 0) return rc;
  if (in.fd >= 0) close(in.fd);
  unpack u = {in.payload, in.payload + in.size};
  bool is_answer = in.op == OP_REPLY || in.op == OP_ERROR,
       ours = is_answer && number && in.call == number;
  if (unpack_value(&u, &passing, &said, e) < 0)
    rc = -1;
  else if (!is_answer)
    rc = handle(all, &in, &said, e) < 0 ? -1 : 2;
  else if (!ours)
    rc = 2;
  else if (in.op == OP_REPLY)
    *reply = value_copy(a, &said);
  else
    unpack_error(&said, e), rc = -1;
  arena_free(&passing);
  return rc;
}

int trial_pump(trials *all, uint32_t number, arena *a, value *reply, dts_error *e) {
  buffer room;
  int rc = 2;
  buffer_init(&room, FRAME_LIMIT);
  while (rc == 2) rc = pump_one(all, &room, number, a, reply, e);
  buffer_free(&room);
  return rc;
}

int trial_serve(int socket, const trial_options *options, dts_error *e) {
  arena a = {0};
  value ignored;
  trials all = {.options = options, .socket = socket};
  int rc = trial_pump(&all, 0, &a, &ignored, e);
  while (all.trials) trial_close(all.trials);
  arena_free(&a);
  return rc < 0 ? -1 : 0;
}

/* ---- kernels ---- */

static int read_now(const trial *t, const value *args, int64_t *now, dts_error *e) {
  const value *given = value_get(args, "now");
  *now = t->replay ? replay_now(t->replay) : clock_now_ms();
  if (!given) return 0;
  if (given->kind == VALUE_TEXT && timestamp_parse(given->text.bytes, given->text.size, now) == 0)
    return 0;
  int32_t day;
  if (given->kind == VALUE_TEXT && date_read(given->text.bytes, given->text.size, &day) == 0)
    return *now = day * DATE_DAY_MS, 0;
  return error_fail(e, "SPEC", "now: a time such as \"2026-03-10T10:00-03:00\" expected");
}

static value laid_over(trial *t, const value *args) {
  value v = value_map(), config = value_map();
  const value *given = value_get(args, "config"), *gaps = value_get(args, "gaps");
  if (given && given->kind == VALUE_MAP) config = value_copy(&t->memory, given);
  value_set(&t->memory, &config, "objects",
            value_text(arena_format(&t->memory, "file:%s", t->folder)));
  if (!value_get(&config, "workers")) /* one run after the other, so that a spec sees one order */
    value_set(&t->memory, &config, "workers", value_integer(1));
  value_set(&t->memory, &v, "config", config);
  if (gaps) value_set(&t->memory, &v, "gaps", value_copy(&t->memory, gaps));
  return v;
}

static int fail_faults(kernel *k, dts_error *e) {
  arena a = {0};
  value faults = kernel_faults(k, &a);
  int rc = 0;
  if (faults.list.count) {
    const value *f = &faults.list.items[0];
    rc =
        error_fail(e, value_get_text(f, "code", "SCRIPT"), "%s", value_get_text(f, "message", "?"));
    error_hint(e, "%s", value_get_text(f, "hint", ""));
    snprintf(e->where, sizeof e->where, "%s", value_get_text(f, "where", ""));
  }
  arena_free(&a);
  return rc;
}

static void start_alerts(kernel *k) {
  registry *set = kernel_registry(k);
  alerts_start(k->alerts, set);
  registry_release(set);
}

static int start(trial *t, const value *args, dts_error *e) {
  const trial_options *o = t->owner->options;
  kernel_options options = {.root = o->root,
                            .worker = o->worker,
                            .shipped = o->shipped,
                            .is_virtual = true,
                            .laid_over = &t->laid_over};
  options.file = arena_text(&t->memory, value_get_text(args, "file", NULL));
  const char *tape = value_get_text(args, "replay", NULL);
  if (tape && !(t->replay = replay_open(tape, o->root, e))) return -1;
  if (read_now(t, args, &options.now_ms, e) < 0) return -1;
  const char *place = getenv("TMPDIR");
  if (!place || place[0] != '/' || strlen(place) > sizeof t->folder - 32) place = "/tmp";
  snprintf(t->folder, sizeof t->folder, "%s/dts-test-XXXXXX", place);
  if (!mkdtemp(t->folder))
    return t->folder[0] = 0, error_fail(e, "FILE", "no temporary folder for a test");
  t->laid_over = laid_over(t, args);
  if (!(t->kernel = kernel_open(&options, e)) || fail_faults(t->kernel, e) < 0) return -1;
  kernel_set_network(t->kernel, trial_network, t);
  scheduler_start(t->kernel->scheduler);
  ingest_start(t->kernel->ingest);
  if (value_get_boolean(args, "alerts", false)) start_alerts(t->kernel);
  trial_settle(t);
  return 0;
}

trial *trial_open(trials *all, const value *args, dts_error *e) {
  trial *t = memory_alloc(sizeof *t);
  *t = (trial){.next = all->trials, .owner = all, .id = ++all->ids};
  all->trials = t;
  if (start(t, args, e) == 0) return t;
  trial_close(t);
  return NULL;
}

void trial_close(trial *t) {
  trial **at = &t->owner->trials;
  while (*at != t) at = &(*at)->next;
  *at = t->next;
  if (t->server) t->owner->options->server->close(t->server);
  kernel_close(t->kernel);
  trial_forget(t);
  replay_close(t->replay);
  if (t->folder[0]) file_remove_folder(t->folder);
  arena_free(&t->memory);
  free(t);
}
