/* warm.c -- see warm.h. A request goes to its script's worker; requests for one worker wait in line, since a
 * worker's code is sequential. A worker of an older version is let go once it is idle.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/runs/warm.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow/kernel/kernel_parts.h"
#include "flow/kernel/zones.h"
#include "flow/runs/run_start.h"
#include "flow/runs/warm_ask.h"
#include "wire/pack.h"

enum { IDLE_MS = 60 * 1000, MEMORY = 256 * 1024 * 1024, START_MS = 5000, LINE = 256 };
enum { READS = 16 }; /* of one worker at once; it waits with more */

typedef struct request {
  struct request *next;
  question *question;
  const route *route;
  value tables; /* names of those it has read, for whoever keeps its reply */
} request;

typedef struct server { /* one warm worker */
  struct server *next;
  kernel *kernel;
  uint64_t serial;
  registry *set; /* held: the version that it runs */
  script *script;
  worker *worker;
  bool ready;
  bool leaving; /* it was killed, or hit a limit: nothing more is sent to it */
  request *current, *first, **last;
  size_t waiting, reads; /* in line; of the store, under way */
  uint32_t calls;
  int64_t until; /* loop_elapsed when its time is over */
  loop_timer *idle;
} server;

struct warm {
  server *servers;
  uint64_t serials;
};

static void serve_next(server *s);
static server *find(kernel *k, registry *set, script *code, dts_error *e);

static void add_request(server *s, request *r) {
  *s->last = r;
  s->last = &r->next;
  s->waiting++;
  serve_next(s);
}

/* ---- the end of a worker ---- */

static void fail_request(request *r, const dts_error *e) {
  question_fail(r->question, e);
  free(r);
}

static void forget(server *s) {
  server **at = &s->kernel->warm->servers;
  while (*at != s) at = &(*at)->next;
  *at = s->next;
  loop_cancel(kernel_loop(s->kernel), s->idle);
  registry_release(s->set);
  free(s);
}

static void on_ended(void *arg, const worker_end *end) {
  server *s = arg;
  dts_error e;
  if (end->timed_out) {
    error_fail(&e, "LIMIT_TIME", "the handler took longer than its limit");
    error_hint(&e, "read less, or raise timeout = \"...\" of the route");
    e.status = 504;
  } else {
    error_fail(&e, "WORKER_LOST", "the handler's process ended %s %d",
               end->signal ? "by signal" : "with status", end->signal ? end->signal : end->status);
    e.status = 500;
  }
  request *current = s->current, *line = s->first;
  registry *set = registry_hold(s->set);
  kernel *k = s->kernel;
  script *code = s->script;
  bool served = s->ready; /* it got as far as requests, so a fresh one will */
  s->worker = NULL;
  s->current = s->first = NULL;
  forget(s);
  if (current) fail_request(current, &e);
  while (line) {
    request *r = line;
    line = r->next;
    r->next = NULL;
    server *fresh = served && !end->lost ? find(k, set, code, &e) : NULL;
    if (fresh)
      add_request(fresh, r);
    else
      fail_request(r, &e);
  }
  registry_release(set);
}

static void on_idle(void *arg) {
  server *s = arg;
  s->idle = NULL;
  s->leaving = true;
  worker_kill(s->worker);
}

/* ---- its questions ---- */

static void reply(server *s, uint32_t id, const value *v, const dts_error *e) {
  buffer b;
  buffer_init(&b, FRAME_LIMIT);
  if (e) pack_error(&b, e);
  bool answered = !e && pack_answer(&b, v);
  worker_send(s->worker, id, answered ? OP_REPLY : OP_ERROR, &b, -1);
  buffer_free(&b);
}

/* NULL: it is gone */
static server *by_serial(const kernel *k, uint64_t serial) {
  server *s = k->warm ? k->warm->servers : NULL;
  while (s && s->serial != serial) s = s->next;
  return s && s->worker ? s : NULL;
}

static void on_read(const warm_read *r) {
  server *s = by_serial(r->kernel, r->server);
  if (!s) return;
  request *asked = s->calls == r->request ? s->current : NULL;
  for (size_t i = 0; asked && i < r->tables.list.count; i++)
    value_add(&asked->question->memory, &asked->tables,
              value_copy(&asked->question->memory, &r->tables.list.items[i]));
  worker_pause(s->worker, --s->reads >= READS);
  reply(s, r->call, &r->answer, r->rc < 0 ? &r->error : NULL);
}

/* A reading does not outlive its request for long. */
static void start_read(server *s, const frame *in, const value *args) {
  int64_t left = s->until - loop_elapsed(kernel_loop(s->kernel));
  const warm_read asked = {.kernel = s->kernel,
                           .server = s->serial,
                           .call = in->call,
                           .request = s->calls,
                           .op = (wire_op)in->op,
                           .limit_ms = left > 1 ? left : 1};
  worker_pause(s->worker, ++s->reads >= READS);
  warm_read_start(&asked, s->set, args, on_read);
}

typedef struct enqueuing {
  kernel *kernel;
  uint64_t server; /* its serial: it may be gone when the answer comes */
  uint32_t call;
} enqueuing;

static void on_enqueued(void *arg, const value *answer, const dts_error *e) {
  enqueuing *q = arg;
  server *s = by_serial(q->kernel, q->server);
  if (s) reply(s, q->call, answer, e);
  free(q);
}

static void enqueue(server *s, const frame *in, const value *args, arena *a) {
  enqueuing *q = memory_alloc(sizeof *q);
  *q = (enqueuing){s->kernel, s->serial, in->call};
  value command = value_copy(a, args);
  value_set(a, &command, "name", value_text("enqueue"));
  value_set(a, &command, "trigger", value_text("route"));
  kernel_command(s->kernel, &command, NULL, on_enqueued, q);
}

static void on_question(server *s, const frame *in, const value *args, arena *a) {
  dts_error e = {0};
  value out = value_null();
  switch (in->op) {
  case OP_MODULE:
  case OP_FILE: warm_ask_source(s->kernel, s->script, in->op, args, a, &out, &e); break;
  case OP_NOW:
  case OP_RANDOM: warm_ask_clock(s->kernel, s->set, in->op, a, &out); break;
  case OP_ZONE: zones_answer(args, a, &out, &e); break;
  case OP_QUERY:
  case OP_LOOKUP: return start_read(s, in, args);
  case OP_ENQUEUE: return enqueue(s, in, args, a);
  case OP_HTTP:
    error_fail(&e, "HOST_REFUSED", "a route's handler reaches no host");
    error_hint(&e, "let a pipeline fetch it and read its table here");
    break;
  default: error_fail(&e, "ROUTE", "a route's handler reads; to write, use dts.enqueue");
  }
  if (in->call) reply(s, in->call, &out, e.code[0] ? &e : NULL);
}

/* ---- frames ---- */

/* A worker that hit one of these answers and ends. */
static bool is_last_word(const dts_error *e) {
  return strcmp(e->code, "LIMIT_CPU") == 0 || strcmp(e->code, "LIMIT_MEMORY") == 0;
}

static void on_reply(server *s, const frame *in, const value *said) {
  request *r = s->current;
  if (!r || in->call != s->calls) return; /* nobody asked that */
  s->current = NULL;
  worker_expire(s->worker, 0);
  if (in->op == OP_ERROR) {
    dts_error e;
    unpack_error(said, &e);
    if (strcmp(e.code, "LIMIT_CPU") == 0) e.status = 504;
    s->leaving = is_last_word(&e);
    question_fail(r->question, &e);
  } else {
    value answer = value_copy(&r->question->memory, said);
    if (answer.kind == VALUE_MAP) value_set(&r->question->memory, &answer, "tables", r->tables);
    question_answer(r->question, answer);
  }
  free(r);
  if (s->leaving) worker_kill(s->worker);
  serve_next(s);
}

static void on_failed(server *s, const value *said) { /* the script did not even load */
  dts_error e;
  unpack_error(said, &e);
  while (s->first) {
    request *r = s->first;
    s->first = r->next;
    fail_request(r, &e);
  }
  s->last = &s->first;
  worker_kill(s->worker);
}

static void on_frame(void *arg, const frame *in) {
  server *s = arg;
  arena a = {0};
  value said = value_null();
  unpack u = {in->payload, in->payload + in->size};
  if (in->fd >= 0) close(in->fd);
  if (unpack_value(&u, &a, &said, NULL) < 0) {
    worker_kill(s->worker);
  } else if (in->op == OP_REPLY || in->op == OP_ERROR) {
    on_reply(s, in, &said);
  } else if (in->op == OP_DONE && s->ready) {
    worker_kill(s->worker); /* a second time it would be to get rid of a request's time limit */
  } else if (in->op == OP_DONE) {
    s->ready = true;
    worker_expire(s->worker, 0);
    serve_next(s);
  } else if (in->op == OP_FAILED) {
    on_failed(s, &said);
  } else {
    on_question(s, in, &said, &a);
  }
  arena_free(&a);
}

/* ---- requests ---- */

static void send_request(server *s, request *r) {
  arena a = {0};
  buffer b;
  value v = value_map();
  int64_t limit = value_get_integer(r->route->declared, "timeout_ms", 2000);
  const value *req = value_get(&r->question->command, "req");
  value_set(&a, &v, "route", value_text(r->route->name));
  value_set(&a, &v, "req", req ? *req : value_map());
  value_set(&a, &v, "cpu_ms", value_integer(limit));
  buffer_init(&b, FRAME_LIMIT);
  pack_value(&b, &v);
  worker_expire(s->worker, limit);
  s->until = loop_elapsed(kernel_loop(s->kernel)) + limit;
  worker_send(s->worker, ++s->calls, OP_REQUEST, &b, -1);
  buffer_free(&b);
  arena_free(&a);
}

static void serve_next(server *s) {
  loop *l = kernel_loop(s->kernel);
  if (!s->ready || s->current || s->leaving) return;
  request *r = s->first;
  loop_cancel(l, s->idle);
  s->idle = NULL;
  if (!r) {
    s->idle = loop_after(l, IDLE_MS, on_idle, s);
    return;
  }
  if (!(s->first = r->next)) s->last = &s->first;
  s->waiting--;
  s->current = r;
  send_request(s, r);
}

static void send_start(server *s) {
  arena a = {0};
  buffer b;
  value v = value_map(), none = value_list();
  value_set(&a, &v, "mode", value_text("serve"));
  value_set(&a, &v, "file", value_text(s->script->file));
  value_set(&a, &v, "source", value_text(s->script->source));
  value_set(&a, &v, "project", value_text(value_get_text(kernel_config(s->kernel), "name", "")));
  value_set(&a, &v, "timezone", value_text(s->set->timezone));
  value_set(&a, &v, "limits", start_limits(&a, MEMORY, START_MS, START_MS));
  value_set(&a, &v, "tables", start_tables(&a, s->set));
  value_set(&a, &v, "writes", none);
  buffer_init(&b, FRAME_LIMIT);
  pack_value(&b, &v);
  worker_send(s->worker, 0, OP_START, &b, -1);
  buffer_free(&b);
  arena_free(&a);
}

static server *start(kernel *k, registry *set, script *code, dts_error *e) {
  server *s = memory_alloc(sizeof *s);
  *s = (server){.kernel = k, .serial = ++k->warm->serials, .script = code};
  s->until = loop_elapsed(k->loop) + START_MS;
  s->last = &s->first;
  worker_owner owner = {on_frame, on_ended, s};
  worker_limits limits = {START_MS, 0, MEMORY};
  if (!(s->worker = nursery_fork(k->nursery, &limits, &owner, e))) return free(s), NULL;
  s->set = registry_hold(set);
  s->next = k->warm->servers;
  k->warm->servers = s;
  send_start(s);
  return s;
}

static server *find(kernel *k, registry *set, script *code, dts_error *e) {
  for (server *s = k->warm->servers; s; s = s->next)
    if (s->set == set && s->script == code && s->worker && !s->leaving) return s;
  return start(k, set, code, e);
}

static const route *route_named(const registry *set, const char *name) {
  for (size_t i = 0; i < set->route_count; i++)
    if (strcmp(set->routes[i].name, name) == 0) return &set->routes[i];
  return NULL;
}

static int line_up(kernel *k, registry *set, question *q, dts_error *e) {
  const char *name = value_get_text(&q->command, "route", "");
  const route *found = route_named(set, name);
  if (!found || !found->handler)
    return error_fail(e, "ROUTE", "there is no route '%s' with a handler", name);
  server *s = find(k, set, found->script, e);
  if (!s) return -1;
  if (s->waiting >= LINE) {
    error_fail(e, "BUSY", "%d requests wait for this handler already", LINE);
    e->status = 503;
    return -1;
  }
  request *r = memory_alloc(sizeof *r);
  *r = (request){.question = q, .route = found, .tables = value_list()};
  add_request(s, r);
  return 0;
}

void control_request(kernel *k, question *q) {
  dts_error e;
  registry *set = kernel_registry(k);
  if (!k->warm) k->warm = memory_alloc(sizeof *k->warm);
  if (line_up(k, set, q, &e) < 0) question_fail(q, &e);
  registry_release(set);
}

static void drop_frame(void *none, const frame *in) {
  (void)none;
  if (in->fd >= 0) close(in->fd);
}

static void drop_end(void *none, const worker_end *end) { (void)none, (void)end; }

/* The nursery has the killed ones for a while yet. */
void warm_close(kernel *k) {
  if (!k->warm) return;
  while (k->warm->servers) {
    server *s = k->warm->servers;
    worker_give(s->worker, &(worker_owner){drop_frame, drop_end, NULL});
    worker_kill(s->worker);
    on_ended(s, &(worker_end){.lost = true});
  }
  free(k->warm);
  k->warm = NULL;
}
