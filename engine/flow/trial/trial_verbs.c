/* trial_verbs.c -- what a spec may do to its kernel: run, advance, ask, emit, drop. See trial.h.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "flow/kernel/kernel_parts.h"
#include "flow/kernel/reader.h"
#include "flow/trial/trial_parts.h"
#include "format/date.h"
#include "format/json.h"

enum { BODY_LIMIT = 64 * 1024 * 1024, SQL_MS = 10000 };

/* ---- rest ---- */

/* Due timers count as well: a job whose time has come, a firing. The loop fires those by itself
 * only on a real clock. */
static bool is_busy(const kernel *k) {
  return k->writes > 0 || loop_busy(k->loop) || project_busy(k->project) ||
         !runner_idle(k->runner) || !ingest_idle(k->ingest) || !intake_idle(k->intake);
}

void trial_settle(trial *t) {
  kernel *k = t->kernel;
  do {
    while (is_busy(k))
      if (!loop_advance(k->loop, loop_now(k->loop))) loop_turn(k->loop, 100);
    loop_turn(k->loop, 0);
  } while (is_busy(k) || loop_advance(k->loop, loop_now(k->loop)));
}

struct trial_asked { /* on the heap: a command may be answered long after its spec went on */
  trial_asked *next;
  arena *memory; /* NULL: nobody waits any more */
  value answer;
  dts_error error;
  bool done, failed;
};

static void on_answer(void *arg, const value *answer, const dts_error *e) {
  trial_asked *q = arg;
  q->done = true;
  if (!q->memory) return; /* freed with the test */
  q->failed = e != NULL;
  if (e)
    q->error = *e;
  else
    q->answer = value_copy(q->memory, answer);
}

void trial_forget(trial *t) {
  for (trial_asked *q; (q = t->asked);) {
    t->asked = q->next;
    free(q);
  }
}

/* A kernel command, until rest. 1: it waits for a later time, and its answer is dropped. */
static int do_command(trial *t, const value *command, arena *a, value *answer, dts_error *e) {
  trial_asked *q = memory_alloc(sizeof *q);
  *q = (trial_asked){.next = t->asked, .memory = a};
  t->asked = q;
  kernel_command(t->kernel, command, NULL, on_answer, q);
  trial_settle(t);
  q->memory = NULL;
  if (!q->done) return 1;
  if (q->failed)
    *e = q->error;
  else
    *answer = q->answer;
  return q->failed ? -1 : 0;
}

/* ---- verbs ---- */

static value error_of(const value *runs, arena *a) {
  value error;
  for (size_t i = runs ? runs->list.count : 0; i-- > 0;) {
    const char *text = value_get_text(&runs->list.items[i], "error", NULL);
    if (text && json_read(a, text, strlen(text), &error, NULL) == 0) return error;
  }
  return value_null();
}

static int verb_run(trial *t, const value *args, arena *a, value *answer, dts_error *e) {
  value command = value_map(), got;
  const value *params = value_get(args, "params");
  value_set(a, &command, "name", value_text("run"));
  value_set(a, &command, "target", value_text(value_get_text(args, "pipeline", "")));
  if (params) value_set(a, &command, "params", *params);
  int rc = do_command(t, &command, a, &got, e);
  if (rc == 1) got = value_map(); /* a job of it waits for a later time */
  if (rc < 0) return -1;
  value_set(a, answer, "state", value_text(value_get_text(&got, "state", "waiting")));
  value_set(a, answer, "rows", value_integer(value_get_integer(&got, "rows", 0)));
  value error = error_of(value_get(&got, "runs"), a);
  if (error.kind != VALUE_NULL) value_set(a, answer, "error", error);
  return 0;
}

static int verb_advance(trial *t, const value *args, arena *a, value *answer, dts_error *e) {
  loop *l = t->kernel->loop;
  int64_t ms = value_get_integer(args, "ms", -1), until = loop_now(l) + ms;
  if (ms < 0)
    return error_fail(e, "SPEC", "t:advance: a length of time that is not negative expected");
  do trial_settle(t);
  while (loop_advance(l, until));
  trial_settle(t);
  value_set(a, answer, "now", value_integer(loop_now(l)));
  return 0;
}

static value every_table(arena *a, const registry *set) { /* a spec may see what is private */
  value list = value_list();
  for (size_t i = 0; i < set->table_count; i++)
    value_add(a, &list, value_text(set->tables[i]->name));
  return list;
}

static int verb_sql(trial *t, const value *args, arena *a, value *answer, dts_error *e) {
  registry *set = kernel_registry(t->kernel);
  value all = every_table(a, set);
  reader_context x = {.set = set,
                      .store = t->kernel->store,
                      .now = loop_now(t->kernel->loop),
                      .zone = set->zone,
                      .writes = &all};
  int rc = reader_sql(&x, value_get_text(args, "sql", ""), value_get(args, "params"), SQL_MS, 0, a,
                      answer, NULL, e);
  registry_release(set);
  return rc;
}

/* ---- spans ---- */

typedef struct spans {
  arena *memory;
  const value *key;
  value list;
} spans;

static int add_span(void *arg, const store_header *header, const value *row, dts_error *e) {
  spans *s = arg;
  value input;
  (void)header;
  if (json_read(s->memory, row[0].text.bytes, row[0].text.size, &input, e) < 0) return -1;
  const value *key = value_get(&input, "key");
  bool wanted =
      !s->key || (key && value_equal(key, s->key)) ||
      (s->key->kind == VALUE_TEXT && value_is(s->key, value_get_text(&input, "series", "")));
  const char *from = value_get_text(&input, "from", ""), *to = value_get_text(&input, "to", "");
  if (wanted)
    value_add(s->memory, &s->list, value_text(arena_format(s->memory, "%s/%s", from, to)));
  return 0;
}

static int select_spans(store_conn *c, void *arg, dts_error *e) {
  return store_select(c, "select input from dts_job where kind = 'span' order by id", NULL, 0,
                      add_span, arg, e);
}

static int verb_spans(trial *t, const value *args, arena *a, value *answer, dts_error *e) {
  spans s = {a, value_get(args, "key"), value_list()};
  if (store_read(t->kernel->store, select_spans, &s, e) < 0) return -1;
  value_set(a, answer, "spans", s.list);
  return 0;
}

/* ---- what comes in ---- */

static value signed_headers(trial *t, const pipeline *p, const buffer *body, arena *a) {
  value headers = value_map();
  const value *signature = value_get(value_get(p->declared, "ingest"), "signature");
  if (!signature) return headers;
  unsigned char mac[CRYPTO_SHA256];
  char hex[CRYPTO_SHA256_HEX];
  const char *secret = kernel_secret(t->kernel, value_get_text(signature, "secret", ""), a);
  crypto_hmac_sha256(secret ? secret : "", secret ? strlen(secret) : 0, body->data, body->size,
                     mac);
  crypto_hex(mac, sizeof mac, hex);
  value_set(a, &headers, value_get_text(signature, "header", ""),
            value_text(arena_format(a, "sha256=%s", hex)));
  return headers;
}

static int verb_emit(trial *t, const value *args, arena *a, value *answer, dts_error *e) {
  static const value none = {.kind = VALUE_LIST};
  const char *name = value_get_text(args, "pipeline", "");
  const value *events = value_get(args, "events"), *given = value_get(args, "headers");
  registry *set = kernel_registry(t->kernel);
  const pipeline *p = registry_pipeline(set, name);
  value command = value_map();
  buffer body;
  buffer_init(&body, BODY_LIMIT);
  int rc = p ? json_write(&body, events ? events : &none) : registry_unknown_pipeline(set, name, e);
  if (rc == 0) {
    value headers = signed_headers(t, p, &body, a);
    for (size_t i = 0; given && given->kind == VALUE_MAP && i < given->map.count; i++)
      value_set(a, &headers, given->map.pairs[i].key.text.bytes, given->map.pairs[i].item);
    value_set(a, &command, "name", value_text("ingest"));
    value_set(a, &command, "pipeline", value_text(name));
    value_set(a, &command, "body", value_bytes(buffer_text(&body), body.size));
    value_set(a, &command, "headers", headers);
    rc = do_command(t, &command, a, answer, e) < 0 ? -1 : 0;
  }
  registry_release(set);
  buffer_free(&body);
  return rc;
}

static int verb_drop(trial *t, const value *args, arena *a, value *answer, dts_error *e) {
  const value *body = value_get(args, "body");
  char object[65];
  bool is_text = body && body->kind == VALUE_TEXT;
  size_t size = is_text ? body->text.size : 0;
  if (objects_put(t->kernel->objects, is_text ? body->text.bytes : "", size, object, e) < 0)
    return -1;
  value command = value_map();
  value_set(a, &command, "name", value_text("file"));
  value_set(a, &command, "file", value_text(value_get_text(args, "name", "")));
  value_set(a, &command, "object", value_text(object));
  value_set(a, &command, "size", value_integer((int64_t)size));
  return do_command(t, &command, a, answer, e) < 0 ? -1 : 0;
}

static int verb_enqueue(trial *t, const value *args, arena *a, value *answer, dts_error *e) {
  static const char *const passed[] = {"pipeline", "params", "key", "group", "delay_ms"};
  value command = value_map();
  value_set(a, &command, "name", value_text("enqueue"));
  for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
    if (value_get(args, passed[i])) value_set(a, &command, passed[i], *value_get(args, passed[i]));
  return do_command(t, &command, a, answer, e) < 0 ? -1 : 0;
}

static int verb_replay(trial *t, const value *args, arena *a, value *answer, dts_error *e) {
  replay *made = replay_open(value_get_text(args, "file", ""), t->owner->options->root, e);
  if (!made) return -1;
  replay_close(t->replay);
  t->replay = made;
  value_set(a, answer, "now", timestamp_value(a, replay_now(made)));
  return 0;
}

/* As a person does, by pipeline, by SQL over dts_quarantine, or by both. */
static int verb_release(trial *t, const value *args, arena *a, value *answer, dts_error *e) {
  static const char *const names[] = {"pipeline", "where", NULL};
  value command = value_map();
  value_set(a, &command, "name", value_text("release"));
  for (size_t i = 0; names[i]; i++)
    if (value_get(args, names[i])) value_set(a, &command, names[i], *value_get(args, names[i]));
  return do_command(t, &command, a, answer, e) < 0 ? -1 : 0;
}

static const struct {
  const char *name;
  int (*fn)(trial *t, const value *args, arena *a, value *answer, dts_error *e);
} verbs[] = {{"run", verb_run},       {"advance", verb_advance},  {"sql", verb_sql},
             {"spans", verb_spans},   {"emit", verb_emit},        {"drop", verb_drop},
             {"rows", trial_rows},    {"request", trial_request}, {"enqueue", verb_enqueue},
             {"replay", verb_replay}, {"release", verb_release}};

int trial_verb(trial *t, const value *args, arena *a, value *answer, dts_error *e) {
  const char *name = value_get_text(args, "verb", "");
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
    if (strcmp(verbs[i].name, name) == 0) return verbs[i].fn(t, args, a, answer, e);
  return error_fail(e, "SPEC", "a test knows nothing called '%s'", name);
}
