/* replay.c -- see replay.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/trial/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "flow/kernel/kernel_parts.h"
#include "flow/trial/recording.h"
#include "format/date.h"
#include "format/json.h"

enum { VERSION = 1, FILE_LIMIT = 1 << 30, BODY_LIMIT = 1 << 30, COMPARED = 400, ADDRESS = 280 };

typedef struct replay_entry {
  const value *request, *reply, *error;
  const char *method, *url;
  bool used;
} replay_entry;

struct replay {
  arena memory;
  const char *path;
  conceal *secrets;
  int64_t now;
  replay_entry *list;
  size_t count;
};

/* ---- reading ---- */

static int fail_entry(const replay *r, size_t i, const char *what, dts_error *e) {
  error_fail(e, "RECORDING", "%s: exchange %zu: %s", r->path, i + 1, what);
  return error_hint(e, "a recording is made by `dts run NAME --record FILE`");
}

static int read_entry(replay *r, size_t i, const value *given, dts_error *e) {
  replay_entry *x = &r->list[i];
  *x = (replay_entry){.request = value_get(given, "request"),
                      .reply = value_get(given, "reply"),
                      .error = value_get(given, "error")};
  x->method = value_get_text(x->request, "method", NULL);
  x->url = value_get_text(x->request, "url", NULL);
  if (!x->method || !x->url)
    return fail_entry(r, i, "`request` with `method` and `url` expected", e);
  if (!x->reply == !x->error) return fail_entry(r, i, "one of `reply` and `error` expected", e);
  if (x->error && !value_get_text(x->error, "message", NULL))
    return fail_entry(r, i, "`error` with `message` expected", e);
  int64_t status = value_get_integer(x->reply, "status", 200);
  return status < 100 || status > 599 ? fail_entry(r, i, "`status` is from 100 to 599", e) : 0;
}

static int read_all(replay *r, const value *all, dts_error *e) {
  const value *list = value_get(all, "exchanges");
  const char *now = value_get_text(all, "now", "");
  if (value_get_integer(all, "dts_recording", 0) != VERSION || !list || list->kind != VALUE_LIST) {
    error_fail(e, "RECORDING",
               "%s is no recording: \"dts_recording\": 1 and \"exchanges\" expected", r->path);
    return error_hint(e, "a recording is made by `dts run NAME --record FILE`");
  }
  if (timestamp_parse(now, strlen(now), &r->now) < 0)
    return error_fail(e, "RECORDING",
                      "%s: \"now\": a time such as \"2026-03-10T10:00:00Z\" expected", r->path);
  r->count = list->list.count;
  r->list = arena_alloc(&r->memory, (r->count + 1) * sizeof *r->list);
  for (size_t i = 0; i < r->count; i++)
    if (read_entry(r, i, &list->list.items[i], e) < 0) return -1;
  return 0;
}

static int read_file(replay *r, dts_error *e) {
  buffer b;
  value all;
  buffer_init(&b, FILE_LIMIT);
  int rc = file_read(r->path, FILE_LIMIT, &b, e);
  if (rc == 0 && json_read(&r->memory, b.data, b.size, &all, e) < 0) {
    char why[sizeof e->message];
    snprintf(why, sizeof why, "%s", e->message);
    rc = error_fail(e, "RECORDING", "%s: %.900s", r->path, why);
  }
  buffer_free(&b);
  return rc < 0 ? -1 : read_all(r, &all, e);
}

replay *replay_open(const char *path, const char *root, dts_error *e) {
  replay *r = memory_alloc(sizeof *r);
  r->path = arena_text(&r->memory, path);
  r->secrets = recording_secrets(root);
  if (read_file(r, e) == 0) return r;
  replay_close(r);
  return NULL;
}

void replay_close(replay *r) {
  if (!r) return;
  conceal_close(r->secrets);
  arena_free(&r->memory);
  free(r);
}

int64_t replay_now(const replay *r) { return r->now; }

/* ---- bodies ---- */

static void add_texts(const value *given, buffer *out) {
  if (given->kind == VALUE_TEXT) buffer_add(out, given->text.bytes, given->text.size);
  for (size_t i = 0; given->kind == VALUE_LIST && i < given->list.count; i++)
    if (given->list.items[i].kind == VALUE_TEXT)
      buffer_add(out, given->list.items[i].text.bytes, given->list.items[i].text.size);
}

static int fail_body(const replay *r, const char *what, dts_error *e) {
  return error_fail(e, "RECORDING", "%s: %s", r->path, what);
}

static int add_base64(const replay *r, const value *given, buffer *out, dts_error *e) {
  buffer text;
  buffer_init(&text, BODY_LIMIT);
  add_texts(given, &text);
  int rc = crypto_from_base64(out, text.data, text.size);
  buffer_free(&text);
  return rc < 0 ? fail_body(r, "\"base64\" is not base64", e) : 0;
}

/* Beside the recording, and nowhere else. */
static int add_file(const replay *r, const char *name, buffer *out, dts_error *e) {
  arena a = {0};
  const char *slash = strrchr(r->path, '/');
  int folder = slash ? (int)(slash + 1 - r->path) : 0;
  int rc = name[0] == '/' || strstr(name, "..")
               ? fail_body(r, "\"file\" is a file beside the recording", e)
               : file_read(arena_format(&a, "%.*s%s", folder, r->path, name), BODY_LIMIT, out, e);
  arena_free(&a);
  return rc;
}

static int add_body(const replay *r, const value *entry, buffer *out, dts_error *e) {
  const value *json = value_get(entry, "json"), *text = value_get(entry, "text"),
              *base64 = value_get(entry, "base64");
  const char *file = value_get_text(entry, "file", NULL);
  if (json) return json_write(out, json);
  if (text) add_texts(text, out);
  if (base64) return add_base64(r, base64, out, e);
  return file ? add_file(r, file, out, e) : 0;
}

/* ---- finding ---- */

/* A script's JSON has its fields in any order. */
static bool same_body(const buffer *one, const buffer *other) {
  arena a = {0};
  value x, y;
  bool same =
      one->size == other->size && (!one->size || !memcmp(one->data, other->data, one->size));
  same = same || (one->size && other->size && json_read(&a, one->data, one->size, &x, NULL) == 0 &&
                  json_read(&a, other->data, other->size, &y, NULL) == 0 && value_equal(&x, &y));
  arena_free(&a);
  return same;
}

typedef struct wanted {
  const char *method, *url;
  buffer body;
} wanted;

static bool fits(const replay *r, const replay_entry *x, const wanted *w) {
  buffer body;
  dts_error ignored;
  if (strcmp(x->method, w->method) != 0 || strcmp(x->url, w->url) != 0) return false;
  buffer_init(&body, BODY_LIMIT);
  bool same = add_body(r, x->request, &body, &ignored) == 0 && same_body(&body, &w->body);
  buffer_free(&body);
  return same;
}

static replay_entry *find(replay *r, const wanted *w) {
  replay_entry *last = NULL;
  for (size_t i = 0; i < r->count; i++) {
    if (!fits(r, &r->list[i], w)) continue;
    last = &r->list[i];
    if (!last->used) break;
  }
  if (last) last->used = true;
  return last;
}

/* Levenshtein's distance of two addresses, their first few hundred bytes. */
static size_t distance(const char *a, const char *b) {
  size_t n = strnlen(b, COMPARED), row[COMPARED + 1];
  for (size_t j = 0; j <= n; j++) row[j] = j;
  for (size_t i = 0; a[i] && i < COMPARED; i++) {
    size_t corner = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < n; j++) {
      size_t change = corner + (a[i] != b[j]), least = row[j + 1] < row[j] ? row[j + 1] : row[j];
      corner = row[j + 1];
      row[j + 1] = change < least + 1 ? change : least + 1;
    }
  }
  return row[n];
}

static const replay_entry *nearest(const replay *r, const wanted *w) {
  const replay_entry *best = NULL;
  size_t least = SIZE_MAX;
  for (size_t i = 0; i < r->count; i++) {
    size_t far = 2 * distance(w->url, r->list[i].url) + (strcmp(w->method, r->list[i].method) != 0);
    if (far < least) least = far, best = &r->list[i];
  }
  return best;
}

static int fail_unknown(const replay *r, const wanted *w, dts_error *e) {
  const replay_entry *x = nearest(r, w);
  char near[2 * ADDRESS] = "; it is empty", now[25];
  timestamp_write(r->now, now);
  if (x && strcmp(x->url, w->url) == 0 && strcmp(x->method, w->method) == 0)
    snprintf(near, sizeof near, " with this body (it has one with another body)");
  else if (x)
    snprintf(near, sizeof near, "; the nearest that it has is %s %.*s", x->method, ADDRESS, x->url);
  error_fail(e, "RECORDING", "the recording %s has no answer for %s %.*s%s", r->path, w->method,
             ADDRESS, w->url, near);
  return error_hint(e,
                    "it was made at %.16sZ: addresses with dates need that clock; or record again "
                    "with `dts run NAME --record FILE`",
                    now);
}

/* ---- answering ---- */

static int fail_as_recorded(const value *given, dts_error *e) {
  error_fail(e, value_get_text(given, "code", "HTTP_NETWORK"), "%s",
             value_get_text(given, "message", "?"));
  error_hint(e, "%s", value_get_text(given, "hint", ""));
  e->retryable = value_get_boolean(given, "retryable", false);
  e->retry_after_ms = value_get_integer(given, "retry_after_ms", 0);
  e->status = (int)value_get_integer(given, "status", 0);
  return -1;
}

static value headers_of(const value *given, arena *a) {
  value out = value_map();
  for (size_t i = 0; given && given->kind == VALUE_MAP && i < given->map.count; i++)
    if (given->map.pairs[i].item.kind == VALUE_TEXT) {
      value item = value_copy(a, &given->map.pairs[i].item);
      value_set(a, &out, given->map.pairs[i].key.text.bytes, item);
    }
  return out;
}

static void make_wanted(const replay *r, const value *request, arena *a, wanted *w) {
  const value *body = value_get(request, "body");
  w->method = value_get_text(request, "method", "GET");
  w->url = conceal_url(r->secrets, value_get_text(request, "url", ""), a);
  buffer_init(&w->body, BODY_LIMIT);
  if (body && body->kind == VALUE_TEXT)
    conceal_bytes(r->secrets, body->text.bytes, body->text.size, &w->body);
  conceal_tokens(&w->body);
}

int replay_answer(replay *r, const value *request, arena *a, fetch_reply *reply, dts_error *e) {
  wanted w;
  make_wanted(r, request, a, &w);
  replay_entry *x = find(r, &w);
  int rc = x ? 0 : fail_unknown(r, &w, e);
  buffer_free(&w.body);
  if (rc < 0) return -1;
  if (x->error) return fail_as_recorded(x->error, e);
  reply->status = (int)value_get_integer(x->reply, "status", 200);
  reply->tries = (int)value_get_integer(x->reply, "tries", 1);
  reply->unchanged = value_get_boolean(x->reply, "unchanged", false);
  reply->headers = headers_of(value_get(x->reply, "headers"), a);
  if (add_body(r, x->reply, &reply->body, e) < 0) return -1;
  reply->body_size = (int64_t)reply->body.size;
  return 0;
}

static void network(void *arg, const value *request, const char *source_name, fetch_done *done,
                    void *done_arg) {
  arena a = {0};
  dts_error e;
  fetch_reply reply = {.body_fd = -1, .tries = 1, .headers = value_map()};
  (void)source_name;
  buffer_init(&reply.body, BODY_LIMIT);
  reply.url = memory_text(value_get_text(request, "url", ""));
  bool ok = replay_answer(arg, request, &a, &reply, &e) == 0;
  done(done_arg, &reply, ok ? NULL : &e);
  buffer_free(&reply.body);
  free(reply.url);
  arena_free(&a);
}

void replay_attach(replay *r, kernel *k) { kernel_set_network(k, network, r); }
