/* access.c -- see access.h.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/access.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/crypto.h"

enum { SESSIONS = 4096 };
#define SESSION_MS (12LL * 3600 * 1000)
#define COOKIE     "dts_session"

typedef struct session {
  char id[KEY_HASH]; /* of what the cookie holds; "" when free */
  char key[KEY_HASH];
  int64_t used; /* monotonic */
} session;

struct access {
  pthread_mutex_t mutex; /* guards the sessions */
  char own[KEY_TEXT], own_hash[KEY_HASH];
  session sessions[SESSIONS];
};

access_keys *access_open(void) {
  access_keys *a = memory_alloc(sizeof *a);
  memset(a, 0, sizeof *a);
  pthread_mutex_init(&a->mutex, NULL);
  key_make(a->own);
  key_hash(a->own, a->own_hash);
  return a;
}

void access_close(access_keys *a) {
  if (!a) return;
  pthread_mutex_destroy(&a->mutex);
  free(a);
}

const char *access_session_key(const access_keys *a) { return a->own; }

/* ---- keys ---- */

/* A note that fails keeps nobody out. */
static void note_use(store *s, const key_found *found) {
  key_used use = {found->name, clock_now_ms()};
  if (use.now - found->used >= KEY_USE_MS) store_write(s, keys_use, &use, NULL);
}

static int find_hash(const access_keys *a, store *s, const char *hash, arena *memory, who *w,
                     dts_error *e) {
  key_found found = {0};
  if (crypto_equal(hash, a->own_hash, KEY_HASH)) {
    *w = (who){"session", KEY_ALL, false};
    return 0;
  }
  snprintf(found.hash, sizeof found.hash, "%s", hash);
  if (store_read(s, keys_find, &found, e) < 0) return -1;
  if (found.found) note_use(s, &found);
  if (found.found) *w = (who){arena_text(memory, found.name), found.scopes, false};
  return 0;
}

static int refuse_key(dts_error *e) {
  error_fail(e, "NO_KEY", "the key is not known here");
  error_hint(e, "`dts key list` names the keys, `dts key add` makes one");
  if (e) e->status = 401;
  return -1;
}

static const char *bearer(const http_request *rq) {
  const char *text = http_header(rq, "authorization");
  if (!text || !text_equal_fold_bytes(text, strcspn(text, " "), "bearer", 6)) return NULL;
  return text + 6 + strspn(text + 6, " ");
}

/* The cookie's text, copied; NULL when there is none. */
static const char *cookie(const http_request *rq, arena *memory) {
  const char *at = http_header(rq, "cookie");
  while (at && *at) {
    at += strspn(at, "; ");
    size_t size = strcspn(at, ";");
    if (strncmp(at, COOKIE "=", sizeof COOKIE) == 0)
      return arena_copy(memory, at + sizeof COOKIE, size - sizeof COOKIE);
    at += size;
  }
  return NULL;
}

/* ---- sessions ---- */

static session *find_session(access_keys *a, const char *id, int64_t now) {
  for (size_t i = 0; i < SESSIONS; i++) {
    session *s = &a->sessions[i];
    if (s->id[0] && now - s->used > SESSION_MS) s->id[0] = 0;
    if (s->id[0] && crypto_equal(s->id, id, KEY_HASH)) return s;
  }
  return NULL;
}

static bool session_key(access_keys *a, const char *text, char key[KEY_HASH]) {
  char id[KEY_HASH];
  int64_t now = clock_monotonic_ms();
  key_hash(text, id);
  pthread_mutex_lock(&a->mutex);
  session *s = find_session(a, id, now);
  if (s) {
    s->used = now;
    memcpy(key, s->key, KEY_HASH);
  }
  pthread_mutex_unlock(&a->mutex);
  return s;
}

static void keep_session(access_keys *a, const char *text, const char *key) {
  int64_t now = clock_monotonic_ms();
  pthread_mutex_lock(&a->mutex);
  session *oldest = &a->sessions[0];
  for (size_t i = 0; i < SESSIONS; i++) {
    session *s = &a->sessions[i];
    if (!s->id[0] || s->used < oldest->used) oldest = s;
    if (!s->id[0]) break;
  }
  key_hash(text, oldest->id);
  snprintf(oldest->key, sizeof oldest->key, "%s", key);
  oldest->used = now;
  pthread_mutex_unlock(&a->mutex);
}

int access_find(access_keys *a, store *s, const http_request *rq, arena *memory, who *w,
                dts_error *e) {
  const char *key = bearer(rq), *text = key ? NULL : cookie(rq, memory);
  char hash[KEY_HASH];
  *w = (who){0};
  if (key) {
    key_hash(key, hash);
    if (find_hash(a, s, hash, memory, w, e) < 0) return -1;
    return w->name ? 0 : refuse_key(e);
  }
  if (!text || !session_key(a, text, hash)) return 0;
  if (find_hash(a, s, hash, memory, w, e) < 0) return -1;
  w->by_cookie = w->name;
  return 0;
}

/* ---- where a mutation comes from ---- */

int access_check_origin(const http_request *rq, const who *w, dts_error *e) {
  const char *site = http_header(rq, "sec-fetch-site"), *origin = http_header(rq, "origin");
  const char *host = http_header(rq, "host");
  const char *place = origin ? strstr(origin, "://") : NULL;
  bool same_site = site && strcmp(site, "same-origin") == 0;
  bool same = place && host && text_equal_fold(place + 3, host);
  if (site ? same_site : same) return 0;
  if (!w->by_cookie && !site && !origin) return 0; /* no browser */
  if (!w->by_cookie && w->name) return 0;          /* a key in a header is no cookie */
  error_fail(e, "ORIGIN", "a change by cookie must come from this dashboard's own pages");
  error_hint(e, "programs send `Authorization: Bearer KEY`");
  if (e) e->status = 403;
  return -1;
}

const char *access_begin(access_keys *a, store *s, const char *key, const http_request *rq,
                         arena *memory, dts_error *e) {
  char hash[KEY_HASH], id[KEY_TEXT];
  who w = {0};
  key_hash(key, hash);
  if (find_hash(a, s, hash, memory, &w, e) < 0) return NULL;
  if (!w.name) return refuse_key(e), NULL;
  key_make(id);
  keep_session(a, id, hash);
  const char *proto = http_header(rq, "x-forwarded-proto");
  bool secure = proto && strcmp(proto, "https") == 0;
  return arena_format(memory, COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s", id,
                      SESSION_MS / 1000, secure ? "; Secure" : "");
}

const char *access_end(access_keys *a, const http_request *rq, arena *memory) {
  const char *text = cookie(rq, memory);
  char id[KEY_HASH];
  if (text) {
    key_hash(text, id);
    pthread_mutex_lock(&a->mutex);
    session *s = find_session(a, id, clock_monotonic_ms());
    if (s) s->id[0] = 0;
    pthread_mutex_unlock(&a->mutex);
  }
  return COOKIE "=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0";
}

/* ---- the Host ---- */

static bool is_name(const char *host, size_t size, const char *name) {
  return text_equal_fold_bytes(host, size, name, strlen(name));
}

bool access_host_fits(const char *host, bool loopback, const value *hosts) {
  bool bracket = host[0] == '[';
  size_t size = bracket ? strcspn(host, "]") + 1 : strcspn(host, ":");
  const char *tail = host + (size <= strlen(host) ? size : strlen(host));
  bool port = !*tail || (*tail == ':' && strspn(tail + 1, "0123456789") == strlen(tail + 1));
  if (!size || !port) return false;
  if (is_name(host, size, "localhost") || is_name(host, size, "[::1]")) return true;
  if (strspn(host, "0123456789.") == size && strncmp(host, "127.", 4) == 0) return true;
  bool plain =
      strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == size;
  if (plain && size > 10 && is_name(host + size - 10, 10, ".localhost")) return true;
  bool listed = hosts && hosts->kind == VALUE_LIST;
  for (size_t i = 0; listed && i < hosts->list.count; i++)
    if (hosts->list.items[i].kind == VALUE_TEXT &&
        is_name(host, size, hosts->list.items[i].text.bytes))
      return true;
  return !loopback && !listed;
}
