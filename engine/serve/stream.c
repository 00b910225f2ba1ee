/* stream.c -- see stream.h.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/stream.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "format/date.h"
#include "format/json.h"
#include "wire/op.h"

enum { BEHIND = 1000, TABLES = 512, NAME = 64 };

typedef struct item {
  struct item *next;
  char *text;
} item;

struct stream {
  stream *next;
  stream_hub *hub;
  int64_t run;
  item *first, **last;
  size_t waiting;
  bool over;
  pthread_cond_t filled;
};

struct stream_hub {
  pthread_mutex_t mutex;
  kernel *kernel;
  uint64_t listening;
  stream *streams;
  int count, most;
  bool stopping;
  struct {
    char name[NAME];
    int64_t at;
  } tables[TABLES];
};

/* ---- events into queues ---- */

static void put(stream *s, const char *text) {
  if (s->over) return;
  if (s->waiting == BEHIND) {
    s->over = true;
  } else {
    item *i = memory_alloc(sizeof *i);
    *i = (item){NULL, memory_text(text)};
    *s->last = i;
    s->last = &i->next;
    s->waiting++;
  }
  pthread_cond_signal(&s->filled);
}

static void send_all(stream_hub *h, int64_t run, const char *name, const value *data) {
  buffer b;
  buffer_init(&b, 1 << 20);
  if (name) buffer_add_format(&b, "event: %s\n", name);
  buffer_add_text(&b, "data: ");
  json_write(&b, data);
  buffer_add_text(&b, "\n\n");
  pthread_mutex_lock(&h->mutex);
  for (stream *s = b.failed ? NULL : h->streams; s; s = s->next)
    if (s->run == run) put(s, buffer_text(&b));
  pthread_mutex_unlock(&h->mutex);
  buffer_free(&b);
}

static void remember(stream_hub *h, const char *name, int64_t now) {
  for (size_t i = 0; i < TABLES; i++) {
    bool same = strcmp(h->tables[i].name, name) == 0;
    if (!same && h->tables[i].name[0]) continue;
    if (strlen(name) < NAME) {
      strcpy(h->tables[i].name, name); /* it fits: checked above */
      h->tables[i].at = now;
    }
    return;
  }
}

static void on_change(stream_hub *h, const value *event, arena *a) {
  const value *tables = value_get(event, "tables");
  value data = value_map();
  if (!tables || tables->kind != VALUE_LIST) return;
  int64_t now = loop_now(kernel_loop(h->kernel));
  pthread_mutex_lock(&h->mutex);
  for (size_t i = 0; i < tables->list.count; i++)
    if (tables->list.items[i].kind == VALUE_TEXT)
      remember(h, tables->list.items[i].text.bytes, now);
  pthread_mutex_unlock(&h->mutex);
  value_set(a, &data, "tables", *tables);
  send_all(h, 0, "change", &data);
}

static void on_run(stream_hub *h, const value *event, arena *a) {
  value data = value_map();
  int64_t id = value_get_integer(event, "id", 0);
  const char *state = value_get_text(event, "state", "");
  value_set(a, &data, "id", value_integer(id));
  value_set(a, &data, "pipeline", value_text(value_get_text(event, "pipeline", "")));
  value_set(a, &data, "state", value_text(state));
  send_all(h, 0, "run", &data);
  if (strcmp(state, "running") == 0) return;
  pthread_mutex_lock(&h->mutex); /* a run that is over has no more to log */
  for (stream *s = h->streams; s; s = s->next)
    if (s->run == id && id) {
      s->over = true;
      pthread_cond_signal(&s->filled);
    }
  pthread_mutex_unlock(&h->mutex);
}

static void on_log(stream_hub *h, const value *event, arena *a) {
  value line = value_map();
  int64_t run = value_get_integer(event, "run", 0);
  if (!run) return;
  value_set(a, &line, "at", timestamp_value(a, value_get_integer(event, "at_ms", 0)));
  value_set(a, &line, "level", value_text(value_get_text(event, "level", "info")));
  const value *message = value_get(event, "message");
  value_set(a, &line, "message", message ? *message : value_text(""));
  send_all(h, run, NULL, &line);
}

static void on_event(void *arg, int op, const value *event) {
  stream_hub *h = arg;
  arena a = {0};
  const char *name = op ? "" : value_get_text(event, "name", "");
  if (op == OP_RUN)
    on_run(h, event, &a);
  else if (op == OP_LOG)
    on_log(h, event, &a);
  else if (strcmp(name, "change") == 0)
    on_change(h, event, &a);
  else if (strcmp(name, "reload") == 0) {
    value data = value_map();
    const value *faults = value_get(event, "faults");
    int64_t n = !faults                      ? 0
                : faults->kind == VALUE_LIST ? (int64_t)faults->list.count
                                             : value_get_integer(event, "faults", 0);
    value_set(&a, &data, "faults", value_integer(n));
    send_all(h, 0, "reload", &data);
  }
  arena_free(&a);
}

/* ---- the hub ---- */

stream_hub *stream_hub_open(kernel *k, int most) {
  stream_hub *h = memory_alloc(sizeof *h);
  memset(h, 0, sizeof *h);
  pthread_mutex_init(&h->mutex, NULL);
  h->kernel = k;
  h->most = most;
  h->listening = kernel_listen(k, on_event, h);
  return h;
}

void stream_hub_stop(stream_hub *h) {
  kernel_unlisten(h->kernel, h->listening);
  pthread_mutex_lock(&h->mutex);
  h->stopping = true;
  for (stream *s = h->streams; s; s = s->next) {
    s->over = true;
    pthread_cond_signal(&s->filled);
  }
  pthread_mutex_unlock(&h->mutex);
}

void stream_hub_close(stream_hub *h) {
  if (!h) return;
  pthread_mutex_destroy(&h->mutex);
  free(h);
}

int stream_hub_count(stream_hub *h) {
  pthread_mutex_lock(&h->mutex);
  int count = h->count;
  pthread_mutex_unlock(&h->mutex);
  return count;
}

int64_t stream_hub_changed(stream_hub *h, const char *name) {
  int64_t at = 0;
  pthread_mutex_lock(&h->mutex);
  for (size_t i = 0; i < TABLES && h->tables[i].name[0]; i++)
    if (strcmp(h->tables[i].name, name) == 0) at = h->tables[i].at;
  pthread_mutex_unlock(&h->mutex);
  return at;
}

/* ---- one stream ---- */

/* Who goes from page to page leaves a stream behind each time: two beats find those whose page is
 * gone, and every stream that begins among many sends one. */
static void beat_if_many(stream_hub *h) {
  if (h->count < h->most / 2) return;
  for (stream *s = h->streams; s; s = s->next)
    if (!s->first) put(s, STREAM_BEAT);
}

stream *stream_open(stream_hub *h, int64_t run, dts_error *e) {
  stream *s = memory_alloc(sizeof *s);
  pthread_condattr_t monotonic;
  *s = (stream){.hub = h, .run = run};
  s->last = &s->first;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&s->filled, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_lock(&h->mutex);
  beat_if_many(h);
  bool room = h->count < h->most && !h->stopping;
  if (room) {
    s->next = h->streams;
    h->streams = s;
    h->count++;
  }
  pthread_mutex_unlock(&h->mutex);
  if (room) return s;
  pthread_cond_destroy(&s->filled);
  free(s);
  error_fail(e, "BUSY", "%d pages listen already, which is as many as there is room for", h->most);
  error_hint(e, "ask again every 15 seconds instead");
  if (e) e->status = 503;
  return NULL;
}

static void wait_until(stream *s, int timeout_ms) {
  int64_t at = clock_monotonic_ms() + timeout_ms;
  struct timespec until = {at / 1000, (at % 1000) * 1000000};
  while (!s->first && !s->over)
    if (pthread_cond_timedwait(&s->filled, &s->hub->mutex, &until) == ETIMEDOUT) return;
}

char *stream_next(stream *s, int timeout_ms, bool *over) {
  pthread_mutex_lock(&s->hub->mutex);
  wait_until(s, timeout_ms);
  item *i = s->first;
  char *text = i ? i->text : NULL;
  if (i) {
    s->first = i->next;
    if (!s->first) s->last = &s->first;
    s->waiting--;
  }
  *over = s->over && !i;
  pthread_mutex_unlock(&s->hub->mutex);
  free(i);
  return text;
}

void stream_close(stream *s) {
  stream_hub *h = s->hub;
  pthread_mutex_lock(&h->mutex);
  stream **at = &h->streams;
  while (*at != s) at = &(*at)->next;
  *at = s->next;
  h->count--;
  pthread_mutex_unlock(&h->mutex);
  for (item *i = s->first, *next; i; i = next) {
    next = i->next;
    free(i->text);
    free(i);
  }
  pthread_cond_destroy(&s->filled);
  free(s);
}
