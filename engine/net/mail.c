/* mail.c -- see mail.h: one SMTP conversation by curl, a task like any other. It is tried once;
 * whether to send again is the caller's decision, since a lost answer may follow a delivery.
 *
 * A plain connection is allowed to loopback alone, which the guard checks on the address itself.
 *
 * SPDX-License-Identifier: MIT */
#include "net/mail.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "net/agenda.h"
#include "net/message.h"
#include "net/outcome.h"
#include "net/url.h"

enum { MAIL_LIMIT = 1024 * 1024, MAIL_TIMEOUT_MS = 60 * 1000 };

typedef struct letter {
  task task; /* first */
  mail_done *done;
  void *arg;
  buffer server, user, password; /* the address without userinfo; what was in it */
  url_place place;
  char from[256];
  struct curl_slist *to;
  buffer text;
  size_t sent;
} letter;

static size_t on_read(char *out, size_t one, size_t size, void *arg) {
  letter *l = arg;
  size_t n = l->text.size - l->sent;
  if (n > one * size) n = one * size;
  if (n) memcpy(out, l->text.data + l->sent, n);
  l->sent += n;
  return n;
}

static void letter_begin(fetch *f, task *t) {
  letter *l = (letter *)t;
  CURL *easy = t->error.code[0] ? NULL : curl_easy_init();
  if (!easy) {
    if (!t->error.code[0]) error_fail(&t->error, "MAIL", "no memory left");
    task_end(f, t);
    return;
  }
  bool plain = url_is_loopback(&l->place) && strcmp(l->place.scheme, "smtps") != 0;
  t->reach = plain ? REACH_LOOPBACK : REACH_ANY;
  curl_easy_setopt(easy, CURLOPT_URL, buffer_text(&l->server));
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)(plain ? CURLUSESSL_TRY : CURLUSESSL_ALL));
  curl_easy_setopt(easy, CURLOPT_MAIL_FROM, l->from);
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, l->to);
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)l->text.size);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
  curl_easy_setopt(easy, CURLOPT_READDATA, l);
  curl_easy_setopt(easy, CURLOPT_SASL_IR, 1L);
  if (l->user.size) curl_easy_setopt(easy, CURLOPT_USERNAME, buffer_text(&l->user));
  if (l->password.size) curl_easy_setopt(easy, CURLOPT_PASSWORD, buffer_text(&l->password));
  task_run(f, t, easy, agenda_now(f) + MAIL_TIMEOUT_MS);
}

/* What the server answered matters: 4xx may pass later, 5xx will not (RFC 5321 section 4.2.1). */
static void letter_ended(fetch *f, task *t, CURLcode code) {
  letter *l = (letter *)t;
  long answer = 0;
  curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &answer);
  if (code == CURLE_OK)
    t->error = (dts_error){0};
  else if (t->refused[0] && !t->connected)
    error_fail(&t->error, "HTTP_BLOCKED", "mail server %s is not on loopback (%s)", l->place.host,
               t->refused);
  else if (answer >= 400)
    error_fail(&t->error, "MAIL", "mail server %s answered %ld: %s", l->place.host, answer,
               outcome_words(t, code));
  else if (code == CURLE_USE_SSL_FAILED)
    error_fail(&t->error, "MAIL", "mail server %s offers no TLS, which is required", l->place.host);
  else
    error_fail(&t->error, code == CURLE_OPERATION_TIMEDOUT ? "HTTP_TIMEOUT" : "HTTP_NETWORK",
               "mail server %s: %s", l->place.host, outcome_words(t, code));
  t->error.retryable = code != CURLE_OK && answer < 500 && code != CURLE_USE_SSL_FAILED &&
                       strcmp(t->error.code, "HTTP_BLOCKED") != 0;
  task_end(f, t);
}

static void letter_deliver(fetch *f, task *t) {
  (void)f;
  letter *l = (letter *)t;
  l->done(l->arg, &t->error);
}

static void letter_release(fetch *f, task *t) {
  (void)f;
  letter *l = (letter *)t;
  curl_slist_free_all(l->to);
  buffer_free(&l->server);
  buffer_free(&l->user);
  buffer_free(&l->password);
  buffer_free(&l->text);
  free(l);
}

static const task_kind letter_kind = {letter_begin, letter_ended, letter_deliver, letter_release};

static int letter_recipients(letter *l, const value *to, dts_error *e) {
  char address[256];
  for (size_t i = 0; to && to->kind == VALUE_LIST && i < to->list.count; i++) {
    if (message_address(&to->list.items[i], address, sizeof address, e) < 0) return -1;
    struct curl_slist *grown = curl_slist_append(l->to, address);
    if (!grown) return error_fail(e, "MAIL", "no memory left");
    l->to = grown;
  }
  return 0;
}

static int letter_server(letter *l, const mail *m, dts_error *e) {
  const char *server = m->server ? m->server : "";
  if (url_clean(server, &l->server, &l->user, &l->password, e) < 0) return -1;
  if (url_place_read(buffer_text(&l->server), &l->place, e) < 0) return -1;
  if (strncmp(l->place.scheme, "smtp", 4) != 0)
    return error_fail(e, "MAIL", "mail server '%s://%s': expected smtp://host:port or smtps://host",
                      l->place.scheme, l->place.host);
  if (!m->password) return 0;
  buffer_clear(&l->password);
  buffer_add_text(&l->password, m->password);
  return 0;
}

uint64_t mail_send(fetch *f, const mail *m, mail_done *done, void *arg) {
  char id[37];
  letter *l = memory_alloc(sizeof *l);
  *l = (letter){.done = done, .arg = arg};
  value from = value_text(m->from);
  dts_error *e = &l->task.error;
  buffer_init(&l->server, 4096);
  buffer_init(&l->user, 1024);
  buffer_init(&l->password, 4096);
  buffer_init(&l->text, MAIL_LIMIT);
  random_uuid(id);
  bool bad = letter_server(l, m, e) < 0 || message_address(&from, l->from, sizeof l->from, e) < 0 ||
             letter_recipients(l, m->to, e) < 0 ||
             message_write(m, clock_now_ms(), id, &l->text, e) < 0;
  if (bad && !e->code[0]) error_fail(e, "MAIL", "the e-mail cannot be written");
  return agenda_add(f, &l->task, &letter_kind);
}
