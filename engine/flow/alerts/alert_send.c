/* alert_send.c -- see alert_send.h. A test's stand-in for the network gets mail too, as method
 * MAIL.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/alerts/alert_send.h"

#include <stdlib.h>
#include <string.h>

#include "flow/kernel/parts.h"
#include "net/mail.h"
#include "net/url.h"

enum { TRIES = 3 };
static const int64_t waits[TRIES] = {0, 10 * 1000, 60 * 1000};

struct alert_send {
  kernel *kernel;
  arena memory;
  alert_letter letter;
  alert_sent *done; /* NULL: cancelled while a stand-in holds it */
  void *arg;
  loop_timer *timer;
  uint64_t fetch_id;
  int tries;
};

static void free_send(alert_send *s) {
  arena_free(&s->memory);
  free(s);
}

static void try_send(void *arg);

static void wait_for_try(alert_send *s) {
  int64_t at = loop_now(kernel_loop(s->kernel)) + waits[s->tries];
  s->timer = loop_at(kernel_loop(s->kernel), at, try_send, s);
}

static void end(alert_send *s, const dts_error *e) {
  s->fetch_id = 0;
  if (s->done && e && ++s->tries < TRIES && strcmp(e->code, "CANCELLED") != 0 &&
      strcmp(e->code, "ALERT") != 0)
    return wait_for_try(s);
  if (s->done) s->done(s->arg, s, e);
  free_send(s);
}

/* ---- addresses ---- */

static bool is_mail(const char *address) { return strncmp(address, "mailto:", 7) == 0; }

/* The address with {secret:NAME} filled in. */
static const char *fill_in(alert_send *s, dts_error *e) {
  arena *a = &s->memory;
  buffer b;
  buffer_init(&b, 1 << 16);
  for (const char *at = s->letter.address; *at;) {
    const char *close = strncmp(at, "{secret:", 8) == 0 ? strchr(at, '}') : NULL;
    if (!close) {
      buffer_add_char(&b, *at++);
      continue;
    }
    const char *name = arena_copy(a, at + 8, (size_t)(close - at - 8));
    const char *secret = kernel_secret(s->kernel, name, a);
    if (!secret) {
      buffer_free(&b);
      error_fail(e, "ALERT", "secret %s is not set", name);
      error_hint(e, "set DTS_SECRET_%s, or write it into secrets/%s (mode 600)", name, name);
      return NULL;
    }
    buffer_add_text(&b, secret);
    at = close + 1;
  }
  const char *address = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return address;
}

/* Loopback, and what dts.lua itself names, may be a private address; a script's address may not. */
static int check_url(alert_send *s, const char *url, value *allow, dts_error *e) {
  url_place place;
  if (url_place_read(url, &place, e) < 0) return -1;
  bool plain = strcmp(place.scheme, "https") != 0;
  if (plain && !(strcmp(place.scheme, "http") == 0 && url_is_loopback(&place)))
    return error_fail(e, "ALERT", "https:// expected (http:// only to this machine)");
  const value *own = value_get(value_get(kernel_config(s->kernel), "alerts"), "to");
  if (plain || value_has(own, s->letter.address))
    value_add(&s->memory, allow,
              value_text(arena_format(&s->memory, "%s:%d", place.host, place.port)));
  return 0;
}

/* ---- a webhook ---- */

static void on_reply(void *arg, fetch_reply *reply, const dts_error *e) {
  alert_send *s = arg;
  dts_error refused;
  if (!e && reply->status >= 400) {
    error_fail(&refused, "HTTP_STATUS", "it answered %d", reply->status);
    e = &refused;
  }
  end(s, e);
}

static value headers_of(alert_send *s) {
  value headers = value_map();
  value_set(&s->memory, &headers, "Content-Type", value_text("application/json"));
  value_set(&s->memory, &headers, "Idempotency-Key", value_text(s->letter.key));
  return headers;
}

static int post(alert_send *s, const char *url, dts_error *e) {
  value headers = headers_of(s), allow = value_list();
  if (check_url(s, url, &allow, e) < 0) return -1;
  const fetch_request q = {.method = "POST",
                           .url = url,
                           .headers = &headers,
                           .body = s->letter.json,
                           .body_size = strlen(s->letter.json),
                           .body_limit = 1 << 20,
                           .idempotent = true,
                           .allow_private = &allow};
  s->fetch_id = fetch_start(kernel_fetch(s->kernel), &q, on_reply, s);
  return 0;
}

/* ---- mail ---- */

static void on_mail(void *arg, const dts_error *e) { end(arg, e->code[0] ? e : NULL); }

/* dts.lua: mail = { server, from, password = "{secret:NAME}" or "NAME" } */
static int read_password(alert_send *s, const value *config, const char **out, dts_error *e) {
  const char *given = value_get_text(config, "password", NULL), *name = given;
  *out = NULL;
  if (!given) return 0;
  if (strncmp(given, "{secret:", 8) == 0)
    name = arena_copy(&s->memory, given + 8, strcspn(given + 8, "}"));
  *out = kernel_secret(s->kernel, name, &s->memory);
  if (*out) return 0;
  error_fail(e, "ALERT", "mail.password in dts.lua names a secret that is not set");
  return error_hint(e, "password = \"{secret:MAIL}\", and DTS_SECRET_MAIL or secrets/MAIL");
}

/* What dts.lua says of mail: who takes it, who sends it, and the secret. */
static int read_mail(alert_send *s, mail *m, dts_error *e) {
  const value *config = value_get(kernel_config(s->kernel), "mail");
  m->server = value_get_text(config, "server", NULL);
  m->from = value_get_text(config, "from", NULL);
  if (!m->server || !m->from) {
    error_fail(e, "ALERT", "mail is not configured");
    return error_hint(e, "mail = { server = \"smtps://user@host\", from = \"dts@host\", password = "
                         "\"{secret:MAIL}\" } in dts.lua");
  }
  return read_password(s, config, &m->password, e);
}

static int send_mail(alert_send *s, const char *address, dts_error *e) {
  value to = value_list();
  mail m = {.subject = s->letter.subject, .text = s->letter.text, .to = &to};
  if (read_mail(s, &m, e) < 0) return -1;
  value_add(&s->memory, &to, value_text(address + strlen("mailto:")));
  s->fetch_id = mail_send(kernel_fetch(s->kernel), &m, on_mail, s);
  return 0;
}

/* ---- either ---- */

static void ask_stand_in(alert_send *s, kernel_network *network, void *stand_in,
                         const char *address) {
  bool mails = is_mail(address);
  value request = value_map(), headers = headers_of(s);
  if (mails) value_set(&s->memory, &headers, "Subject", value_text(s->letter.subject));
  value_set(&s->memory, &request, "method", value_text(mails ? "MAIL" : "POST"));
  value_set(&s->memory, &request, "url", value_text(address));
  value_set(&s->memory, &request, "headers", headers);
  value_set(&s->memory, &request, "body", value_text(mails ? s->letter.text : s->letter.json));
  network(stand_in, &request, "alerts", on_reply, s);
}

int alert_send_check(kernel *k, const char *address, dts_error *e) {
  alert_send s = {.kernel = k, .letter.address = address};
  value allow = value_list();
  mail m = {0};
  const char *filled = fill_in(&s, e);
  int rc = !filled ? -1 : is_mail(filled) ? read_mail(&s, &m, e) : check_url(&s, filled, &allow, e);
  if (rc < 0 && strcmp(e->code, "ALERT") != 0) /* it shows the secret */
    error_fail(e, "ALERT", "no address that can be told");
  arena_free(&s.memory);
  return rc;
}

static void try_send(void *arg) {
  alert_send *s = arg;
  void *stand_in;
  dts_error e;
  s->timer = NULL;
  kernel_network *network = kernel_get_network(s->kernel, &stand_in);
  const char *address = fill_in(s, &e);
  if (!address) return end(s, &e);
  if (network) return ask_stand_in(s, network, stand_in, address);
  int rc = is_mail(address) ? send_mail(s, address, &e) : post(s, address, &e);
  if (rc < 0) end(s, &e);
}

alert_send *alert_send_start(kernel *k, const alert_letter *letter, alert_sent *done, void *arg) {
  alert_send *s = memory_alloc(sizeof *s);
  arena *a = &s->memory;
  s->kernel = k;
  s->done = done;
  s->arg = arg;
  s->letter = (alert_letter){arena_text(a, letter->address), arena_text(a, letter->subject),
                             arena_text(a, letter->text), arena_text(a, letter->json),
                             arena_text(a, letter->key)};
  wait_for_try(s);
  return s;
}

void alert_send_cancel(alert_send *s) {
  s->done = NULL;
  if (s->timer) loop_cancel(kernel_loop(s->kernel), s->timer);
  if (s->fetch_id) fetch_cancel(kernel_fetch(s->kernel), s->fetch_id);
  if (s->timer || s->fetch_id) free_send(s);
}
