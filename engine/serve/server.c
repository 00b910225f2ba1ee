/* server.c -- see server.h: opens the parts, takes each request through its gates, closes in order.
 *
 * A request passes, in this order: what HTTP allows, the Host, the key, then the engine's own
 * addresses, the project's routes, the dashboard's files. finish_reply packs what is worth it and
 * answers "not modified".
 *
 * SPDX-License-Identifier: MIT */
#include "serve/server.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "pack/pack.h"
#include "serve/access.h"
#include "serve/assets.h"
#include "serve/civet.h"

enum { CACHE_BYTES = 64 << 20, PACK_FROM = 1024, DRAIN_MS = 10000 };

struct server {
  kernel *kernel;
  civet *civet;
  access_keys *access;
  cache *cache;
  stream_hub *hub;
  const embed_file *web;
  char host[64], spool[512];
  unsigned char secret[PRESIGN_SECRET];
  bool loopback;
  int64_t upload_limit, started;
  atomic_bool closing;
  atomic_ullong requests[6];
};

access_keys *server_access(server *s) { return s->access; }
cache *server_cache(server *s) { return s->cache; }
stream_hub *server_hub(server *s) { return s->hub; }
const unsigned char *server_secret(const server *s) { return s->secret; }
int64_t server_upload_limit(const server *s) { return s->upload_limit; }
int64_t server_started(const server *s) { return s->started; }
const char *server_spool(const server *s) { return s->spool; }
const embed_file *server_web(const server *s) { return s->web; }
bool server_is_closing(const server *s) { return atomic_load(&s->closing); }
int server_port(const server *s) { return civet_port(s->civet); }
const char *server_host(const server *s) { return s->host; }
const char *server_session_key(const server *s) { return access_session_key(s->access); }

server_counts server_count(server *s) {
  server_counts n = {.active = civet_active(s->civet)};
  for (size_t i = 0; i < 6; i++) n.requests[i] = atomic_load(&s->requests[i]);
  return n;
}

/* ---- one request ---- */

static int check_host(const server *s, const http_request *rq, dts_error *e) {
  const value *hosts = value_get(kernel_config(s->kernel), "hosts");
  const char *host = http_header(rq, "host");
  if (access_host_fits(host, s->loopback, hosts)) return 0;
  error_fail(e, "HOST", "this engine does not answer as '%.100s'", host);
  error_hint(e, "name it in dts.lua: hosts = { \"...\" }");
  if (e) e->status = 421;
  return -1;
}

static int dispatch(api_call *c, dts_error *e) {
  int rc = router_serve(c, e);
  if (rc == 1) rc = routes_serve(c, e);
  if (rc == 1) rc = assets_serve(c, e);
  return rc == 1 ? call_not_found(e, "address", c->rq->path) : rc;
}

static int serve_call(server *s, http_request *rq, http_reply *rp, dts_error *e) {
  api_call c = {.server = s,
                .kernel = s->kernel,
                .store = kernel_store(s->kernel),
                .rq = rq,
                .rp = rp,
                .memory = rq->memory,
                .now = loop_now(kernel_loop(s->kernel))};
  if (server_is_closing(s)) return error_fail(e, "CLOSING", "the engine is stopping");
  if (http_check(rq, e) < 0) return rp->close = true, -1;
  if (check_host(s, rq, e) < 0) return -1;
  if (access_find(s->access, c.store, rq, rq->memory, &c.who, e) < 0) return -1;
  c.set = kernel_registry(s->kernel);
  int rc = dispatch(&c, e);
  registry_release(c.set);
  return rc;
}

/* RFC 9110 section 13.1.2: weak comparison, a list or '*'. */
static bool matches(const char *given, const char *etag) {
  if (!given || !etag) return false;
  const char *plain = strncmp(etag, "W/", 2) == 0 ? etag + 2 : etag;
  return strcmp(given, "*") == 0 || strstr(given, plain);
}

static void pack_reply(const http_request *rq, http_reply *rp) {
  buffer out;
  bool text = rp->type && (strncmp(rp->type, "text/", 5) == 0 || strstr(rp->type, "json"));
  if (rp->packed || !text || rp->body.size <= PACK_FROM) return;
  if (!http_accepts(rq, "accept-encoding", "gzip")) return;
  buffer_init(&out, rp->body.limit);
  if (pack_gzip(&out, rp->body.data, rp->body.size, 1, NULL) == 0) {
    buffer_free(&rp->body);
    rp->body = out;
    rp->packed = true;
  } else {
    buffer_free(&out);
  }
}

static void finish_reply(const http_request *rq, http_reply *rp) {
  bool get = strcmp(rq->method, "GET") == 0 || strcmp(rq->method, "HEAD") == 0;
  if (!rp->status) return;
  if (rp->body.failed) {
    dts_error e = {0};
    error_fail(&e, "LIMIT_SIZE", "the answer is too large: ask for fewer rows");
    e.status = 422;
    rp->header_count = 0;
    http_reply_error(rp, &e);
  }
  if (get && rp->status == 200 && matches(http_header(rq, "if-none-match"), rp->etag)) {
    rp->status = 304;
    rp->type = NULL;
    buffer_clear(&rp->body);
  }
  pack_reply(rq, rp);
}

static void serve(void *arg, http_request *rq, http_reply *rp) {
  server *s = arg;
  dts_error e = {0};
  if (serve_call(s, rq, rp, &e) < 0) http_reply_error(rp, &e);
  finish_reply(rq, rp);
  if (server_is_closing(s)) rp->close = true;
  atomic_fetch_add(&s->requests[rp->status >= 100 && rp->status < 600 ? rp->status / 100 : 0], 1);
}

/* ---- opening and closing ---- */

static int read_listen(server *s, const server_options *o, char out[128], dts_error *e) {
  const char *text =
      o->listen ? o->listen : value_get_text(kernel_config(s->kernel), "listen", "127.0.0.1:8080");
  const char *colon = strrchr(text, ':');
  const char *port = colon ? colon + 1 : text;
  size_t host = colon ? (size_t)(colon - text) : 0, digits = strlen(port);
  if (!digits || digits > 5 || strspn(port, "0123456789") != digits || host >= sizeof s->host) {
    error_fail(e, "LISTEN", "cannot listen on '%.80s'", text);
    return error_hint(e, "write HOST:PORT, such as 127.0.0.1:8080 or 0.0.0.0:8080");
  }
  snprintf(s->host, sizeof s->host, "%.*s", host ? (int)host : 9, host ? text : "127.0.0.1");
  if (strcmp(s->host, "localhost") == 0) strcpy(s->host, "127.0.0.1"); /* as long */
  s->loopback = strncmp(s->host, "127.", 4) == 0;
  snprintf(out, 128, "%s:%s", s->host, port);
  return 0;
}

/* What an engine that was killed left behind. */
static void clean_spool(const char *folder) {
  DIR *d = opendir(folder);
  char path[1024];
  for (struct dirent *entry; d && (entry = readdir(d));) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    unlink(path);
  }
  if (d) closedir(d);
}

static int open_parts(server *s, const server_options *o, dts_error *e) {
  char listen[128], path[512];
  const char *root = kernel_root(s->kernel);
  if (read_listen(s, o, listen, e) < 0) return -1;
  snprintf(s->spool, sizeof s->spool, "%.400s/var/spool", root);
  snprintf(path, sizeof path, "%.400s/var/secret", root);
  if (file_make_folder(s->spool, 0700, e) < 0) return -1;
  clean_spool(s->spool);
  if (presign_secret(path, s->secret, e) < 0) return -1;
  s->access = access_open();
  s->cache = cache_open(CACHE_BYTES);
  s->hub = stream_hub_open(s->kernel, CIVET_STREAMS);
  s->civet = civet_open(listen, serve, s, e);
  return s->civet ? 0 : -1;
}

server *server_open(kernel *k, const server_options *options, dts_error *e) {
  server *s = memory_alloc(sizeof *s);
  memset(s, 0, sizeof *s);
  s->kernel = k;
  s->web = options->web;
  s->upload_limit = options->upload_limit ? options->upload_limit : 1 << 30;
  s->started = clock_now_ms();
  if (open_parts(s, options, e) == 0) return s;
  server_close(s);
  return NULL;
}

void server_close(server *s) {
  if (!s) return;
  int64_t until = clock_monotonic_ms() + DRAIN_MS;
  atomic_store(&s->closing, true);
  if (s->hub) stream_hub_stop(s->hub);
  if (s->civet) civet_hurry(s->civet);
  while (s->civet && civet_active(s->civet) && clock_monotonic_ms() < until)
    loop_turn(kernel_loop(s->kernel), 20); /* requests may wait for answers of the loop */
  civet_close(s->civet);
  stream_hub_close(s->hub);
  cache_close(s->cache);
  access_close(s->access);
  free(s);
}
