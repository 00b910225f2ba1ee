/* ingest.c -- see ingest.h. A request goes to a pool thread (read, check, keep the raw body),
 * then to the writer, then is answered; the batcher has one lane for each pipeline.
 *
 * The lanes' counts only say when to bundle; what is bundled is asked of the store.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/inputs/ingest.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/inputs/ingest_check.h"
#include "flow/inputs/ingest_write.h"
#include "flow/kernel/parts.h"
#include "format/date.h"

enum { LOOK_MS = 1000, RETRY_MS = 5000 };
#define BODY_BYTES ((size_t)32 * 1024 * 1024)
#define UNDER_WAY  ((size_t)256 * 1024 * 1024) /* bodies at once */

typedef struct lane { /* of one pipeline */
  struct lane *next;
  ingest *ingest;
  char *pipeline;
  size_t loose, loose_bytes;      /* events that wait for a job */
  char hand[INGEST_ID_BYTES + 1]; /* see ingest_write.h */
  loop_timer *due;
  bool bundling, failed;
} lane;

struct ingest {
  kernel *kernel;
  schemas *schemas;
  lane *lanes;
  size_t requests, bytes, bundlings; /* under way */
  uint64_t listening;                /* 0: not started */
};

ingest *ingest_open(kernel *k) {
  ingest *g = memory_alloc(sizeof *g);
  *g = (ingest){.kernel = k, .schemas = schemas_open(kernel_root(k), LOOK_MS)};
  return g;
}

void ingest_close(ingest *g) {
  if (!g) return;
  if (g->listening) kernel_unlisten(g->kernel, g->listening);
  for (lane *l = g->lanes, *next; l; l = next) {
    next = l->next;
    loop_cancel(kernel_loop(g->kernel), l->due);
    free(l->pipeline);
    free(l);
  }
  schemas_close(g->schemas);
  free(g);
}

bool ingest_idle(const ingest *g) { return g->requests == 0 && g->bundlings == 0; }

/* ---- the batcher ---- */

static ingest_target target_of(const pipeline *p, int64_t now, arena *a) {
  const value *declared = value_get(p->declared, "ingest");
  int64_t batch = value_get_integer(declared, "batch", 1000);
  char *day = arena_alloc(a, 11);
  date_write(zone_date(p->zone, now), day);
  return (ingest_target){.pipeline = arena_text(a, p->name),
                         .group = arena_text(a, value_get_text(p->declared, "group", NULL)),
                         .day = day,
                         .batch = batch > 0 ? (size_t)batch : 1,
                         .retry = p->retry,
                         .window_ms = value_get_integer(declared, "window_ms", 86400000)};
}

static lane *lane_of(ingest *g, const char *name) {
  for (lane *l = g->lanes; l; l = l->next)
    if (strcmp(l->pipeline, name) == 0) return l;
  lane *l = memory_alloc(sizeof *l);
  *l = (lane){.next = g->lanes, .ingest = g, .pipeline = memory_text(name)};
  return g->lanes = l;
}

static const pipeline *ingesting(const registry *set, const char *name) {
  const pipeline *p = set ? registry_pipeline(set, name) : NULL;
  return p && p->trigger == TRIGGER_INGEST ? p : NULL;
}

typedef struct bundling {
  lane *lane;
  arena memory;
  ingest_bundle work;
} bundling;

static int bundle_work(store_conn *c, void *arg, dts_error *e) {
  return ingest_bundle_work(c, &((bundling *)arg)->work, e);
}

static void look_again(lane *l);

static void on_bundled(void *arg, int result, const dts_error *e) {
  bundling *b = arg;
  lane *l = b->lane;
  l->bundling = false;
  l->ingest->bundlings--;
  if (result == 0) {
    l->loose = b->work.loose;
    l->loose_bytes = b->work.loose_bytes;
  } else {
    log_error("events of '%s' could not be given to a job: %s", l->pipeline, e->message);
    l->failed = true;
  }
  arena_free(&b->memory);
  free(b);
  look_again(l);
}

static void bundle(lane *l, bool all) {
  const pipeline *p = ingesting(kernel_current(l->ingest->kernel), l->pipeline);
  if (!p) return; /* no longer declared: its events wait until it is again */
  bundling *b = memory_alloc(sizeof *b);
  int64_t now = kernel_now(l->ingest->kernel);
  *b = (bundling){.lane = l};
  b->work = (ingest_bundle){.to = target_of(p, now, &b->memory), .now = now, .all = all};
  l->bundling = true;
  l->ingest->bundlings++;
  kernel_write(l->ingest->kernel, bundle_work, on_bundled, b);
}

static void on_due(void *arg) {
  lane *l = arg;
  l->due = NULL;
  if (!l->bundling) bundle(l, true); /* else its end looks at what is left */
}

static void set_due(lane *l, int64_t ms) {
  kernel *k = l->ingest->kernel;
  if (!l->due) l->due = loop_after(kernel_loop(k), ms, on_due, l);
}

/* Something was added, or a bundling has ended. */
static void look_again(lane *l) {
  const pipeline *p = ingesting(kernel_current(l->ingest->kernel), l->pipeline);
  if (!p || l->bundling) return;
  const value *declared = value_get(p->declared, "ingest");
  size_t batch = (size_t)value_get_integer(declared, "batch", 1000);
  bool failed = l->failed;
  l->failed = false;
  if (failed)
    set_due(l, RETRY_MS);
  else if (l->loose >= batch || l->loose_bytes >= INGEST_BUNDLE_BYTES)
    bundle(l, false);
  else if (l->loose)
    set_due(l, value_get_integer(declared, "wait_ms", 1000));
}

/* ---- a request ---- */

typedef struct request {
  ingest *ingest;
  registry *set; /* held */
  const pipeline *pipeline;
  ingest_request asked;
  ingest_then *then;
  void *arg;
  arena memory;
  ingest_batch batch;
  ingest_write write;
  char object[65];
  int rc;
  dts_error error;
} request;

static void free_request(request *r) {
  r->ingest->requests--;
  r->ingest->bytes -= r->asked.size;
  ingest_batch_free(&r->batch);
  registry_release(r->set);
  arena_free(&r->memory);
  free(r);
}

static void fail(request *r, const dts_error *e) {
  dts_error copy = *e;
  ingest_then *then = r->then;
  void *arg = r->arg;
  free_request(r);
  then(arg, NULL, &copy);
}

static value refused_value(request *r) {
  value list = value_list();
  for (size_t i = 0; i < r->batch.refused_count; i++) {
    const ingest_refusal *one = &r->batch.refused[i];
    value v = value_map();
    value_set(&r->memory, &v, "line", value_integer(one->line));
    value_set(&r->memory, &v, "path", value_text(one->path));
    value_set(&r->memory, &v, "message", value_text(one->message));
    value_add(&r->memory, &list, v);
  }
  return list;
}

static int keep_work(store_conn *c, void *arg, dts_error *e) {
  return ingest_write_work(c, &((request *)arg)->write, e);
}

static void on_kept(void *arg, int result, const dts_error *e) {
  request *r = arg;
  ingest *g = r->ingest;
  if (result < 0) return fail(r, e);
  value answer = value_map();
  value_set(&r->memory, &answer, "accepted", value_integer((int64_t)r->write.accepted));
  value_set(&r->memory, &answer, "duplicates", value_integer((int64_t)r->write.duplicates));
  value_set(&r->memory, &answer, "refused", refused_value(r));
  lane *l = lane_of(g, r->pipeline->name);
  memcpy(l->hand, r->write.stopped, sizeof l->hand);
  l->loose += r->write.loose;
  l->loose_bytes += r->write.loose_bytes;
  if (r->write.loose) look_again(l);
  r->then(r->arg, &answer, NULL);
  free_request(r);
}

static void keep(void *arg) { /* the loop again */
  request *r = arg;
  kernel *k = r->ingest->kernel;
  const value *declared = value_get(r->pipeline->declared, "ingest");
  if (r->rc < 0) return fail(r, &r->error);
  int64_t now = kernel_now(k);
  bool at_once =
      kernel_opened_with(k)->is_virtual || value_get_integer(declared, "wait_ms", 1000) <= 0;
  r->write = (ingest_write){.to = target_of(r->pipeline, now, &r->memory),
                            .now = now,
                            .batch = &r->batch,
                            .at_once = at_once,
                            .object = r->object[0] ? r->object : NULL,
                            .type = ingest_header(r->asked.headers, "content-type"),
                            .size = r->asked.size};
  memcpy(r->write.hand, lane_of(r->ingest, r->pipeline->name)->hand, sizeof r->write.hand);
  kernel_write(k, keep_work, on_kept, r);
}

static int check_signature(request *r) {
  const value *signature = value_get(value_get(r->pipeline->declared, "ingest"), "signature");
  arena a = {0};
  const char *name = value_get_text(signature, "secret", "");
  const char *secret = signature ? kernel_secret(r->ingest->kernel, name, &a) : NULL;
  int rc = ingest_check_signature(signature, r->asked.headers, secret, r->asked.body, r->asked.size,
                                  &r->error);
  arena_free(&a);
  return rc;
}

static void read_work(void *arg) { /* a pool thread */
  request *r = arg;
  const value *declared = value_get(r->pipeline->declared, "ingest");
  if ((r->rc = check_signature(r)) < 0) return;
  ingest_schemas check = {.set = schemas_take(r->ingest->schemas),
                          .templates = value_get(declared, "schema")};
  ingest_rules rules = {.declared = declared,
                        .headers = r->asked.headers,
                        .type = r->asked.type,
                        .now = kernel_now(r->ingest->kernel),
                        .check = ingest_check_schema,
                        .check_arg = &check};
  r->rc = ingest_read(&rules, r->asked.body, r->asked.size, &r->batch, &r->error);
  schemas_give(check.set);
  if (r->rc == 0 && value_get_boolean(declared, "archive", false))
    r->rc = objects_put(kernel_objects(r->ingest->kernel), r->asked.body, r->asked.size, r->object,
                        &r->error);
}

static int refuse_status(dts_error *e, int status) {
  e->status = status;
  return -1;
}

static int admit(const ingest *g, const registry *set, const ingest_request *q, dts_error *e) {
  if (!registry_pipeline(set, q->pipeline)) {
    registry_unknown_pipeline(set, q->pipeline, e);
    return refuse_status(e, 404);
  }
  if (!ingesting(set, q->pipeline)) {
    error_fail(e, "PIPELINE", "pipeline '%s' takes no events", q->pipeline);
    error_hint(e, "declare ingest = { ... } in it, or name one that does");
    return refuse_status(e, 404);
  }
  if (q->size > BODY_BYTES) {
    error_fail(e, "LIMIT_BODY", "the body has %zu bytes; at most 32 MB are taken at once", q->size);
    return refuse_status(e, 413);
  }
  if (g->bytes + q->size <= UNDER_WAY) return 0;
  error_fail(e, "BUSY", "more than 256 MB of events are being taken in");
  e->retryable = true;
  e->retry_after_ms = 1000;
  return refuse_status(e, 503);
}

void ingest_take(ingest *g, const ingest_request *asked, ingest_then *then, void *arg) {
  registry *set = kernel_registry(g->kernel);
  dts_error e;
  if (admit(g, set, asked, &e) < 0) {
    registry_release(set);
    return then(arg, NULL, &e);
  }
  request *r = memory_alloc(sizeof *r);
  *r = (request){.ingest = g,
                 .set = set,
                 .pipeline = ingesting(set, asked->pipeline),
                 .asked = *asked,
                 .then = then,
                 .arg = arg};
  g->requests++;
  g->bytes += asked->size;
  loop_defer(kernel_loop(g->kernel), read_work, keep, r);
}

/* ---- the start, and each reload: events may have waited for their pipeline ---- */

typedef struct starting {
  ingest *ingest;
  arena memory;
  value pipelines;
  dts_error error;
  int rc;
} starting;

static int find_unbundled(store_conn *c, void *arg, dts_error *e) {
  starting *s = arg;
  return ingest_unbundled(c, &s->memory, &s->pipelines, e);
}

static void start_work(void *arg) {
  starting *s = arg;
  s->rc = store_read(kernel_store(s->ingest->kernel), find_unbundled, s, &s->error);
}

static void start_then(void *arg) {
  starting *s = arg;
  if (s->rc < 0) log_error("events without a job could not be looked for: %s", s->error.message);
  for (size_t i = 0; s->rc == 0 && i < s->pipelines.list.count; i++) {
    lane *l = lane_of(s->ingest, s->pipelines.list.items[i].text.bytes);
    if (!l->bundling) bundle(l, true);
  }
  s->ingest->requests--;
  arena_free(&s->memory);
  free(s);
}

static void look_for_loose(ingest *g) {
  starting *s = memory_alloc(sizeof *s);
  *s = (starting){.ingest = g};
  g->requests++;
  loop_defer(kernel_loop(g->kernel), start_work, start_then, s);
}

static void on_kernel(void *arg, int op, const value *event) {
  if (op == 0 && value_is(value_get(event, "name"), "reload")) look_for_loose(arg);
}

void ingest_start(ingest *g) {
  g->listening = kernel_listen(g->kernel, on_kernel, g);
  look_for_loose(g);
}
