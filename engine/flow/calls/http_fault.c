/* http_fault.c -- see http_fault.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/calls/http_fault.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum { HEAD = 4096, LOOKED_AT = 2048, WORDS = 120 };

static bool is_text(const char *type) {
  return strncmp(type, "text/", 5) == 0 || strstr(type, "/json") || strstr(type, "+json");
}

static size_t read_head(const fetch_reply *reply, int body, char out[HEAD]) {
  if (body >= 0) {
    ssize_t got = pread(body, out, HEAD, 0);
    return got > 0 ? (size_t)got : 0;
  }
  size_t size = reply->body.size < HEAD ? reply->body.size : HEAD;
  if (size) memcpy(out, reply->body.data, size);
  return size;
}

/* A source may answer with the headers that it was sent. */
static bool tells_secret(const http_request *q, const char *head, size_t size) {
  for (size_t i = 0; i < q->secrets.list.count; i++) {
    const value *s = &q->secrets.list.items[i];
    if (s->text.size && memmem(head, size, s->text.bytes, s->text.size)) return true;
  }
  return false;
}

/* One line without a page's tags; cut at a character. */
static void squeeze(const char *head, size_t size, bool page, char out[WORDS + 8]) {
  size_t n = 0, at = 0;
  bool cut = false, gap = false;
  while (at < size && n < WORDS) {
    unsigned char c = (unsigned char)head[at];
    const char *end = page && c == '<' ? memchr(head + at, '>', size - at) : NULL;
    size_t taken = end ? (size_t)(end - head) + 1 - at : 1;
    if (end || c <= ' ' || c == 0x7f) {
      gap = n > 0;
    } else {
      taken = text_utf8_take(head + at, size - at, &cut);
      if (n + gap + (taken ? taken : 1) > WORDS) break;
      if (gap) out[n++] = ' ';
      if (taken) memcpy(out + n, head + at, taken);
      if (!taken) out[n] = '?', taken = 1;
      n += taken;
      gap = false;
    }
    at += taken;
  }
  snprintf(out + n, 8, "%s", at < size ? "..." : "");
}

static void add_words(const http_request *q, const fetch_reply *reply, int body, dts_error *e) {
  char head[HEAD], words[WORDS + 8];
  const char *type = value_get_text(&reply->headers, "content-type", "");
  size_t size = read_head(reply, body, head), said = strlen(e->message);
  if (!is_text(type) || tells_secret(q, head, size)) return;
  squeeze(head, size < LOOKED_AT ? size : LOOKED_AT, strstr(type, "html") != NULL, words);
  if (words[0]) snprintf(e->message + said, sizeof e->message - said, ": %s", words);
}

static void add_hint(int status, dts_error *e) {
  if (status == 401 || status == 403)
    error_hint(
        e, "the source wants a key: see headers = { Authorization = \"Bearer {secret:NAME}\" }");
  else if (status == 404)
    error_hint(e, "is the path right? If 404 is an answer here, say accept = { 404 } and look at "
                  "res.status");
  else if (status >= 500)
    error_hint(e, "the source itself failed: a run by hand is not tried again, others are; if it "
                  "goes on, ask those who run the source");
}

void http_fault_status(const http_request *q, const fetch_reply *reply, int body, dts_error *e) {
  int status = reply->status;
  char tries[32] = "";
  if (reply->tries > 1) snprintf(tries, sizeof tries, " (%d tries)", reply->tries);
  error_fail(e, "HTTP_STATUS", "%s %.700s answered %d%s", q->method, q->shown, status, tries);
  e->status = status;
  e->retryable = status == 408 || status == 425 || status == 429 || status >= 500;
  add_words(q, reply, body, e);
  add_hint(status, e);
}
