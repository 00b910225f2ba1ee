/* events.c -- see events.h.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "format/json.h"
#include "serve/access.h"

/* A beat keeps proxies from ending a quiet stream. A page that is gone is noticed when a second one
 * cannot be written; where streams become few, the hub sends some in between. */
enum { BEAT_MS = 15000, LIMIT = 40 }; /* beats */

static bool write_all(const api_call *c, const char *text, size_t size) {
  return c->rq->wire.write(c->rq->wire.arg, text, size) == (int)size;
}

static bool begin(api_call *c) {
  buffer b;
  http_reply head = {.status = 200, .type = "text/event-stream", .close = true};
  http_set(&head, "X-Accel-Buffering", "no");
  buffer_init(&b, 8192);
  http_head(&head, -1, c->now, &b);
  buffer_add_text(&b, ": hello\n\n");
  bool fine = write_all(c, b.data, b.size);
  buffer_free(&b);
  c->rp->status = 0; /* all is written here */
  return fine;
}

static bool was_sent(const char *text, const char *const *sent, size_t count) {
  for (size_t i = count; i-- > 0;)
    if (strcmp(sent[i], text) == 0) return true;
  return false;
}

static bool is_hidden(const api_call *c, const char *text) {
  return !(c->who.scopes & KEY_READ) && strncmp(text, "event: run", 10) == 0;
}

/* A key that was taken away hears no more. */
static bool is_still_known(api_call *c) {
  arena memory = {0};
  who w;
  bool known = !c->who.name ||
               (access_find(server_access(c->server), c->store, c->rq, &memory, &w, NULL) == 0 &&
                w.name && w.scopes == c->who.scopes);
  arena_free(&memory);
  return known;
}

static void pass(api_call *c, stream *s, const char *const *sent, size_t count) {
  bool over = false, fine = true;
  int64_t written = clock_monotonic_ms();
  for (int beats = 0; fine && !over && beats < LIMIT;) {
    int64_t left = written + BEAT_MS - clock_monotonic_ms();
    char *text = left > 0 ? stream_next(s, (int)left, &over) : NULL;
    bool beat = !text && !over;
    if (beat || (text && !is_hidden(c, text) && !was_sent(text, sent, count))) {
      fine = is_still_known(c) &&
             write_all(c, beat ? STREAM_BEAT : text, strlen(beat ? STREAM_BEAT : text));
      written = clock_monotonic_ms();
    }
    beats += beat;
    free(text);
  }
}

void events_pass(api_call *c, stream *s) {
  if (begin(c)) pass(c, s, NULL, 0);
}

void events_log(api_call *c, stream *s, const value *lines, bool go_on) {
  const char **sent = arena_alloc(c->memory, (lines->list.count + 1) * sizeof *sent);
  bool fine = begin(c);
  buffer b;
  buffer_init(&b, 1 << 20);
  for (size_t i = 0; fine && i < lines->list.count; i++) {
    buffer_clear(&b);
    buffer_add_text(&b, "data: ");
    json_write(&b, &lines->list.items[i]);
    buffer_add_text(&b, "\n\n");
    sent[i] = arena_text(c->memory, buffer_text(&b));
    fine = write_all(c, b.data, b.size);
  }
  buffer_free(&b);
  if (fine && go_on) pass(c, s, sent, lines->list.count);
}
