/* fetch.c -- the course of one request: admission by its host's manners, tries, redirects, the end.
 *
 * The decisions are core's (retry.h, limit.h); here they are carried out on the loop's clock. A
 * redirect is a hop of the same try and asks its own host for admission; a new try starts again
 * from the address that was asked for. Messages name method and host alone, since paths, queries
 * and headers may hold secrets.
 *
 * SPDX-License-Identifier: MIT */
#include "net/fetch.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/retry.h"
#include "net/call.h"
#include "net/guard.h"
#include "net/mask.h"
#include "net/outcome.h"

enum { HOPS = 5, TRIES = sizeof((fetch_reply *)0)->tried / sizeof(fetch_try) };

static double call_chance(const fetch *f) { return f->loop.chance(f->loop.arg); }

/* What is asked for was permitted before it came here; where a redirect leads is asked anew. */
static int call_permit(call *c, dts_error *e) {
  const fetch_request *r = &c->request;
  c->named = guard_named(r->allow_private, c->place.host, c->place.port);
  if (!c->hops || !r->permit) return 0;
  return r->permit(r->permit_arg, c->place.host, c->place.port, &c->named, e);
}

/* Where the call goes next. The record of the former host is let go. */
static int call_aim(fetch *f, call *c, const char *url, dts_error *e) {
  char name[300];
  if (url_place_read(url, &c->place, e) < 0 || url_host(url, name, sizeof name, e) < 0) return -1;
  if (strncmp(c->place.scheme, "http", 4) != 0)
    return error_fail(e, "HTTP_REQUEST", "scheme '%s': expected http or https", c->place.scheme);
  if (call_permit(c, e) < 0) return -1;
  buffer_clear(&c->url);
  buffer_add_text(&c->url, url);
  c->at_origin = !c->hops || url_same_origin(&c->origin, &c->place);
  fetch_manners none = {0};
  host *next = host_enter(f, name, c->at_origin ? &c->request.manners : &none);
  if (c->host) host_leave(c->host, agenda_now(f));
  c->host = next;
  return 0;
}

/* Back to what was asked for: the first try and each one after it. */
static void call_restart(fetch *f, call *c, int64_t due) {
  dts_error ignored;
  c->hops = 0;
  c->spent_ms = 0;
  c->try_at = -1;
  c->method = c->request.method;
  c->with_body = c->request.body != NULL;
  call_aim(f, c, c->request.url, &ignored); /* read before, by fetch_start */
  task_wait(&c->task, due);
}

static void call_leave_line(call *c) {
  if (c->in_line) c->host->line--;
  c->in_line = false;
}

static void call_send(fetch *f, call *c, int64_t now) {
  call_leave_line(c);
  c->admitted = true;
  if (c->try_at < 0) {
    c->try_at = now;
    c->waited_ms = now - c->ready_at;
    if (!c->reply.tries) c->first_at = now;
  }
  c->hop_at = now;
  task_reach far = guard_is_address(c->place.host) ? REACH_ANY : REACH_LOCAL;
  c->task.reach = c->named ? far : REACH_PUBLIC;
  CURL *easy = task_easy(f);
  if (easy) exchange_open(c, easy);
  if (easy)
    task_run(f, &c->task, easy, now + c->request.timeout_ms - c->spent_ms);
  else
    outcome_memory(c), task_end(f, &c->task);
}

/* A call joins the line for its host's rate only if its turn comes soon enough; once in it, it
 * stays until its turn, unless the host asks for a long pause meanwhile. */
static void call_line_up(fetch *f, call *c, int64_t now, int64_t wait) {
  int64_t turn = wait;
  if (!c->in_line) turn += c->host->line * (c->host->rate.gap_us / 1000);
  if (turn > RETRY_HTTP_MS) {
    call_leave_line(c);
    if (c->host->pause_until > now)
      outcome_paused(c, turn);
    else
      outcome_full(c, turn);
    task_end(f, &c->task);
    return;
  }
  if (!c->in_line) c->host->line++;
  c->in_line = true;
  task_wait(&c->task, now + wait);
}

static void call_begin(fetch *f, task *t) {
  call *c = (call *)t;
  int64_t now = agenda_now(f), wait = 0;
  if (t->error.code[0]) {
    task_end(f, t);
    return;
  }
  switch (host_admit(c->host, now, &wait, &c->ticket)) {
  case HOST_GO: call_send(f, c, now); break;
  case HOST_FULL: task_wait(t, AGENDA_NEVER); break;
  case HOST_WAIT: call_line_up(f, c, now, wait); break;
  case HOST_BROKEN:
    call_leave_line(c);
    outcome_broken(c, wait);
    task_end(f, t);
  }
}

static void call_record(call *c, int64_t now, int status, const char *fault) {
  if (c->reply.tries >= TRIES) return;
  fetch_try *t = &c->reply.tried[c->reply.tries++];
  *t = (fetch_try){.status = status, .at_ms = c->try_at, .waited_ms = c->waited_ms};
  t->took_ms = now - c->try_at;
  snprintf(t->fault, sizeof t->fault, "%s", fault);
  mask_text(t->fault, c->request.secrets);
}

static void call_pause(call *c, int64_t until) {
  if (until > c->host->pause_until) c->host->pause_until = until;
}

/* After a try: again, later, or this is it. */
static void call_decide(fetch *f, call *c, int status, int64_t asked, const char *fault) {
  int64_t now = agenda_now(f), wait = 0;
  call_record(c, now, status, fault);
  if (status == 403 && asked > 0) status = 429; /* some say so when a quota is used up */
  retry_try r = {c->request.method, c->request.idempotent, status,
                 c->reply.tries,    now - c->first_at,     asked};
  retry_verdict v = retry_decide(&r, retry_status(status) ? call_chance(f) : 0, &wait);
  bool asks = asked > 0 && (status == 429 || status == 503);
  if (asks) call_pause(c, now + asked);
  if (v == RETRY_WAIT && c->reply.tries >= c->request.tries) v = asks ? RETRY_LATER : RETRY_STOP;
  int64_t broken = v == RETRY_WAIT ? breaker_wait(&c->host->breaker, now) : 0;
  if (broken > 0) {
    outcome_broken(c, broken);
    task_end(f, &c->task);
  } else if (v == RETRY_WAIT) {
    c->ready_at = now;
    call_restart(f, c, now + wait);
  } else {
    if (v == RETRY_LATER)
      outcome_later(c, status, asked);
    else if (!status)
      outcome_network(c, fault);
    else
      outcome_reply(c, status);
    task_end(f, &c->task);
  }
}

static bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* RFC 9110 section 15.4: what becomes of the method. */
static void call_redirect_method(call *c, int status) {
  bool post = !strcmp(c->method, "POST");
  bool get = status == 303 ? strcmp(c->method, "HEAD") != 0 : post && status < 303;
  if (!get) return;
  c->method = "GET";
  c->with_body = false;
}

/* One hop on, or the end: 0, or -1 and the task's error says why not. */
static int call_redirect(fetch *f, call *c, int status, const char *location) {
  buffer next;
  buffer_init(&next, 64 * 1024);
  dts_error *e = &c->task.error;
  int rc = url_resolve(buffer_text(&c->url), location, &next, e);
  if (rc == 0 && c->hops++ >= HOPS)
    rc = error_fail(e, "HTTP_NETWORK", "more than %d redirects", HOPS);
  if (rc == 0) call_redirect_method(c, status);
  if (rc == 0) rc = call_aim(f, c, buffer_text(&next), e);
  if (rc == 0 && c->with_body && !c->at_origin)
    rc =
        error_fail(e, "HTTP_BLOCKED", "the body is not sent on to another host, %s", c->host->name);
  buffer_free(&next);
  if (rc < 0)
    outcome_redirect(c);
  else
    task_wait(&c->task, agenda_now(f));
  return rc;
}

static void call_answered(fetch *f, call *c, int status) {
  const char *location = is_redirect(status) ? exchange_header(c, "location") : NULL;
  if (location && *location) {
    if (call_redirect(f, c, status, location) == 0) return;
    call_record(c, agenda_now(f), status, "redirect refused");
    task_end(f, &c->task);
    return;
  }
  int64_t empty = outcome_quota(c, status), asked = outcome_retry_after(c);
  if (empty > 0) call_pause(c, agenda_now(f) + empty);
  call_decide(f, c, status, asked > 0 ? asked : empty, "");
}

static void call_ended(fetch *f, task *t, CURLcode code) {
  call *c = (call *)t;
  int64_t now = agenda_now(f);
  long status = 0;
  char fault[128];
  if (code == CURLE_OK) curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
  outcome how = outcome_of(c, code, fault, sizeof fault);
  breaker_result health = how == OUTCOME_REPLY  ? (status >= 500 ? BREAKER_BAD : BREAKER_GOOD)
                          : how == OUTCOME_OURS ? BREAKER_UNKNOWN
                                                : BREAKER_BAD;
  c->spent_ms += now - c->hop_at;
  c->admitted = false;
  host_finish(c->host, c->ticket, health, now, health == BREAKER_BAD ? call_chance(f) : 0);
  if (how == OUTCOME_REPLY) {
    call_answered(f, c, (int)status);
  } else if (how == OUTCOME_FAULT) {
    call_decide(f, c, 0, 0, fault);
  } else {
    call_record(c, now, 0, fault);
    task_end(f, t);
  }
}

static void call_deliver(fetch *f, task *t) {
  (void)f;
  call *c = (call *)t;
  c->reply.url = arena_text(&c->arena, buffer_text(&c->url));
  if (t->error.code[0]) c->reply.status = 0;
  mask_text(t->error.message, c->request.secrets); /* a source may lead to what it was sent */
  mask_text(t->error.hint, c->request.secrets);
  c->done(c->arg, &c->reply, t->error.code[0] ? &t->error : NULL);
}

void fetch_reply_free(fetch_reply *reply) {
  buffer_free(&reply->body);
  if (reply->body_fd >= 0) close(reply->body_fd);
  reply->body_fd = -1;
}

static void call_release(fetch *f, task *t) {
  call *c = (call *)t;
  int64_t now = agenda_now(f);
  if (c->admitted) host_finish(c->host, c->ticket, BREAKER_UNKNOWN, now, call_chance(f));
  call_leave_line(c);
  if (c->host) host_leave(c->host, now);
  exchange_clear(c);
  fetch_reply_free(&c->reply);
  buffer_free(&c->url);
  arena_free(&c->arena);
  free(c);
}

static const task_kind call_kind = {call_begin, call_ended, call_deliver, call_release};

static const value *copy_value(arena *a, const value *v) {
  value *copy = arena_alloc(a, sizeof *copy);
  *copy = v ? value_copy(a, v) : value_null();
  return copy;
}

static void call_copy(call *c, const fetch_request *r) {
  fetch_request *mine = &c->request;
  *mine = *r;
  char *method = arena_text(&c->arena, r->method ? r->method : "");
  for (char *p = method; *p; p++) *p = (char)toupper((unsigned char)*p);
  mine->method = method;
  bool map = r->headers && r->headers->kind == VALUE_MAP;
  mine->headers = map ? copy_value(&c->arena, r->headers) : NULL;
  mine->allow_private = copy_value(&c->arena, r->allow_private);
  mine->secrets = copy_value(&c->arena, r->secrets);
  c->task.connect_ms = r->connect_ms;
  c->task.stall_ms = r->stall_ms;
  if (r->body) mine->body = arena_copy(&c->arena, r->body, r->body_size);
  if (mine->timeout_ms <= 0) mine->timeout_ms = 30 * 1000;
  if (mine->body_limit <= 0) mine->body_limit = (int64_t)512 * 1024 * 1024;
  if (mine->tries <= 0 || mine->tries > RETRY_HTTP_TRIES) mine->tries = RETRY_HTTP_TRIES;
}

/* The address without userinfo, which is kept apart and goes to its own origin only. */
static int call_read_url(call *c, const char *url, dts_error *e) {
  buffer clean, user, password;
  buffer_init(&clean, 64 * 1024);
  buffer_init(&user, 4096);
  buffer_init(&password, 4096);
  int rc = url_clean(url ? url : "", &clean, &user, &password, e);
  c->request.url = arena_text(&c->arena, buffer_text(&clean));
  c->user = arena_text(&c->arena, buffer_text(&user));
  c->password = arena_text(&c->arena, buffer_text(&password));
  buffer_free(&clean);
  buffer_free(&user);
  buffer_free(&password);
  return rc < 0 ? -1 : url_place_read(c->request.url, &c->origin, e);
}

uint64_t fetch_start(fetch *f, const fetch_request *request, fetch_done *done, void *arg) {
  call *c = memory_alloc(sizeof *c);
  *c = (call){.done = done, .arg = arg, .try_at = -1, .reply.body_fd = -1};
  int64_t now = agenda_now(f);
  dts_error *e = &c->task.error;
  buffer_init(&c->url, 64 * 1024);
  body_open(&c->body, 0);
  call_copy(c, request);
  exchange_clear(c);
  c->ready_at = now;
  uint64_t id = agenda_add(f, &c->task, &call_kind);
  if (exchange_check(request, e) < 0 || call_read_url(c, request->url, e) < 0) return id;
  if (call_aim(f, c, c->request.url, e) == 0) call_restart(f, c, now);
  return id;
}

int64_t fetch_breaker_wait(const fetch *f, const char *url) {
  char name[300];
  if (url_host(url, name, sizeof name, NULL) < 0) return 0;
  const host *h = host_find(f, name);
  return h ? breaker_wait(&h->breaker, agenda_now(f)) : 0;
}
