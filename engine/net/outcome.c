/* outcome.c -- see outcome.h.
 *
 * SPDX-License-Identifier: MIT */
#include "net/outcome.h"

#include <stdio.h>
#include <string.h>

#include "core/quota.h"
#include "core/retry.h"
#include "format/date.h"
#include "net/guard.h"
#include "net/mask.h"

static long long seconds(int64_t ms) { return (long long)((ms + 999) / 1000); }

static const char *asked_host(const call *c) { return c->host ? c->host->name : "the host"; }

/* The address of this hop without its query, where secrets live. */
static const char *asked_address(call *c) {
  const char *url = c->url.size ? buffer_text(&c->url) : asked_host(c);
  size_t size = strcspn(url, "?#");
  return arena_copy(&c->arena, url, size < 300 ? size : 300);
}

/* curl says which of its own times it was; past the whole time there are no words of curl's. */
static const char *late_words(const task *t) {
  if (strstr(t->detail, "too slow")) return "the answer stalled";
  if (strncmp(t->detail, "Operation too slow", 18) && strstr(t->detail, "onnect"))
    return "no connection in time";
  return "no complete answer in time";
}

const char *outcome_words(const task *t, CURLcode code) {
  switch (code) {
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_CONNECT:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_SEND_ERROR: return t->detail[0] ? t->detail : curl_easy_strerror(code);
  case CURLE_OPERATION_TIMEDOUT: return late_words(t);
  case CURLE_OUT_OF_MEMORY: return "one of its headers is larger than 100 KB, or memory is short";
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_WEIRD_SERVER_REPLY: return "what came is no HTTP answer";
  case CURLE_GOT_NOTHING: return "the connection was closed without an answer";
  case CURLE_PARTIAL_FILE: return "the connection was closed in the middle of the answer";
  default: return curl_easy_strerror(code);
  }
}

static outcome end_refused(call *c) {
  dts_error *e = &c->task.error;
  char place[300];
  bool six = strchr(c->place.host, ':') != NULL;
  snprintf(place, sizeof place, six ? "[%s]:%d" : "%s:%d", c->place.host, c->place.port);
  error_fail(e, "HTTP_BLOCKED", "%s %s leads to an address that is not public (%s)",
             c->request.method, place, c->task.refused);
  if (!guard_is_address(c->place.host))
    error_hint(e, "a public name does not open a private address: give the address itself, or name "
                  "the source under sources in dts.lua");
  else
    error_hint(e, "if this is meant, name it: allow = { hosts = { \"%s\" } }", place);
  return OUTCOME_OURS;
}

static outcome end_large(call *c) {
  dts_error *e = &c->task.error;
  error_fail(e, "HTTP_TOO_LARGE", "%s %s: the reply is larger than %lld bytes (decoded)",
             c->request.method, asked_host(c), (long long)c->request.body_limit);
  error_hint(e, "ask for less at once, or say largest = \"2GB\" in the request or its source");
  return OUTCOME_OURS;
}

static outcome end_network(call *c, const char *why) {
  error_fail(&c->task.error, "HTTP_NETWORK", "%s %s: %s", c->request.method, asked_address(c), why);
  return OUTCOME_FINAL;
}

/* An unknown coding comes again the next time; what was cut or damaged on its way need not. */
static outcome end_coding(call *c, char *fault, size_t size) {
  bool cut = !strcmp(c->code_fault, "CUT");
  const char *coding = exchange_header(c, "content-encoding");
  if (strcmp(c->code_fault, "CODING") != 0) {
    snprintf(fault, size,
             cut ? "the answer ends too early for its content-encoding (%.40s)"
                 : "the answer is not coded as its content-encoding says (%.40s)",
             coding);
    return OUTCOME_FAULT;
  }
  snprintf(fault, size, "its content-encoding '%.40s' is not understood", coding);
  end_network(c, fault);
  error_hint(&c->task.error,
             "expected at most %d of " DECODE_ACCEPTED
             "; or ask for it plain: headers = { [\"Accept-Encoding\"] = \"identity\" }",
             DECODE_CODINGS);
  return OUTCOME_FINAL;
}

outcome outcome_of(call *c, CURLcode code, char *fault, size_t size) {
  bool coded = c->code_fault[0] || (code == CURLE_OK && exchange_end(c) < 0);
  snprintf(fault, size, "%s", code == CURLE_OK ? "" : outcome_words(&c->task, code));
  c->late = code == CURLE_OPERATION_TIMEDOUT;
  if (coded) return end_coding(c, fault, size);
  if (code == CURLE_OK) return OUTCOME_REPLY;
  if (c->task.refused[0] && !c->task.connected) {
    snprintf(fault, size, "refused: %s", c->task.refused);
    return end_refused(c);
  }
  if (c->body.too_large) return snprintf(fault, size, "too large"), end_large(c);
  if (c->body.fault) {
    snprintf(fault, size, "cannot keep the body: %s", strerror(c->body.fault));
    end_network(c, fault);
    return OUTCOME_OURS;
  }
  if (c->head_fault) {
    snprintf(fault, size, "%s", c->head_fault);
    return end_network(c, fault);
  }
  if (code == CURLE_PEER_FAILED_VERIFICATION) return end_network(c, fault);
  return OUTCOME_FAULT;
}

int64_t outcome_retry_after(const call *c) {
  const char *text = exchange_header(c, "retry-after"), *date = exchange_header(c, "date");
  int64_t at, now;
  if (!text) return 0;
  if (retry_after_is_seconds(text)) return retry_after_seconds(text);
  if (!date || http_date_read(date, strlen(date), 0, &now) < 0) return 0;
  if (http_date_read(text, strlen(text), now, &at) < 0) return 0;
  return retry_after_date(at, now);
}

static const char *either(const call *c, const char *one, const char *other, const char *third) {
  const char *text = exchange_header(c, one);
  if (!text) text = exchange_header(c, other);
  return text ? text : exchange_header(c, third);
}

int64_t outcome_quota(const call *c, int status) {
  const char *date = exchange_header(c, "date");
  quota q = {.field = exchange_header(c, "ratelimit")};
  q.remaining = either(c, "x-ratelimit-remaining", "x-rate-limit-remaining", "ratelimit-remaining");
  q.reset = either(c, "x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset");
  if (status == 429 && !q.remaining) q.remaining = "0"; /* the status says it */
  if (!date || http_date_read(date, strlen(date), 0, &q.date_ms) < 0) q.date_ms = 0;
  return quota_wait(&q);
}

static void later(call *c, int status, int64_t wait) {
  dts_error *e = &c->task.error;
  e->retryable = true;
  e->retry_after_ms = wait;
  e->status = status;
  error_hint(e, "left alone, the run is queued again after that; no retry is used up");
}

void outcome_full(call *c, int64_t wait) {
  dts_error *e = &c->task.error;
  const host *h = c->host;
  error_fail(e, "HTTP_LATER", "%s: the rate of %lld calls in %lld s is used up for %lld s", h->name,
             (long long)h->rate.count, seconds(h->rate.period_ms), seconds(wait));
  later(c, 0, wait);
}

void outcome_paused(call *c, int64_t wait) {
  error_fail(&c->task.error, "HTTP_LATER", "%s asked to be left alone for another %lld s",
             c->host->name, seconds(wait));
  later(c, 0, wait);
}

void outcome_broken(call *c, int64_t wait) {
  const fetch_reply *r = &c->reply;
  const fetch_try *last = r->tries ? &r->tried[r->tries - 1] : NULL;
  char why[160] = "";
  if (last && last->status)
    snprintf(why, sizeof why, " (last: status %d)", last->status);
  else if (last)
    snprintf(why, sizeof why, " (last: %s)", last->fault);
  error_fail(&c->task.error, "HTTP_LATER",
             "%s failed too often and is left alone for another %lld s%s", c->host->name,
             seconds(wait), why);
  later(c, last ? last->status : 0, wait);
}

void outcome_later(call *c, int status, int64_t asked) {
  error_fail(&c->task.error, "HTTP_LATER", "%s answered %d and asks to wait %lld s", c->host->name,
             status, seconds(asked));
  later(c, status, asked);
}

void outcome_network(call *c, const char *fault) {
  dts_error *e = &c->task.error;
  const fetch_reply *r = &c->reply;
  error_fail(e, c->late ? "HTTP_TIMEOUT" : "HTTP_NETWORK", "%s %s: %s (%d %s)", c->request.method,
             asked_address(c), fault, r->tries, r->tries == 1 ? "try" : "tries");
  if (c->late)
    error_hint(e, "each try had %lld s", seconds(c->request.timeout_ms));
  else
    error_hint(e, "is %s up, and is this its address? A run by hand is not tried again, others are",
               asked_host(c));
  e->retryable = true;
}

void outcome_redirect(call *c) {
  dts_error *e = &c->task.error;
  char why[sizeof e->message];
  bool blocked = strcmp(e->code, "HTTP_NETWORK") != 0;
  snprintf(why, sizeof why, "%s", e->message);
  error_fail(e, blocked ? "HTTP_BLOCKED" : "HTTP_NETWORK", "%s %s: redirect not followed: %.800s",
             c->request.method, c->origin.host, why);
}

void outcome_memory(call *c) {
  error_fail(&c->task.error, "HTTP_NETWORK", "%s %s: no memory left", c->request.method,
             asked_host(c));
}

/* The body is decoded, so what the headers say of its coding and length holds no longer. */
static void drop_coding(value *headers) {
  if (!value_get(headers, "content-encoding")) return;
  for (size_t i = 0; i < headers->map.count; i++) {
    value_pair *p = &headers->map.pairs[i];
    bool coding = value_is(&p->key, "content-encoding") || value_is(&p->key, "content-length");
    if (coding) p->item = value_null();
  }
}

void outcome_reply(call *c, int status) {
  c->reply.status = status;
  drop_coding(&c->reply.headers);
  mask_headers(&c->heads, &c->reply.headers, c->request.secrets);
  if (body_mask(&c->body, c->request.secrets) < 0) {
    end_network(c, "cannot look through the body");
    return;
  }
  if (body_take(&c->body, &c->reply) < 0) end_network(c, "cannot seal the body: no memory file");
}
