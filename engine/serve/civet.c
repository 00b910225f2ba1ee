/* civet.c -- see civet.h. Settings as measured: 64 threads, keep-alive with short timeouts so that
 * idle connections do not hold threads, no delay for small replies, a long backlog.
 *
 * Head and body of a reply go out in one write, unless it is large. A body that its handler did not read ends the
 * connection, so that its bytes are never taken for the next request.
 *
 * Who connects waits on the porch until the head of his request is there, and while more are inside
 * than there are threads, nobody keeps one who hardly moves: porch.h, doze.h.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/civet.h"

#include <civetweb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/doze.h"

enum { BODY_LIMIT = 256 << 20, APART = 256 << 10 };
enum { ACCEPTING = 0, SERVING = 1 }; /* a thread's type */

struct civet {
  struct mg_context *context;
  civet_serve *serve;
  void *arg;
  atomic_int active;
  porch *porch;
};

static int wire_read(void *arg, void *out, size_t size) { return mg_read(arg, out, size); }
static int wire_write(void *arg, const void *bytes, size_t size) {
  return mg_write(arg, bytes, size);
}

/* CivetWeb ends the headers at the first line that is none (one that is folded, or has no name), and
 * takes what stands behind for nothing: a length there would go unseen, and the body for the next
 * request. Behind the last header nothing but the empty line may stand. */
static bool is_torn(const struct mg_request_info *info) {
  if (!info->num_headers) return false;
  const char *at = info->http_headers[info->num_headers - 1].value;
  at += strlen(at);
  while (!*at) at++; /* the line's end, which it wrote over; the head ends with another */
  at += *at == '\n';
  return *at != '\r' && *at != '\n';
}

static void fill(http_request *rq, const struct mg_request_info *info, struct mg_connection *conn) {
  rq->method = info->request_method;
  rq->path = info->local_uri_raw ? info->local_uri_raw : info->request_uri;
  rq->query = info->query_string;
  rq->peer = info->remote_addr;
  for (int i = 0; i < info->num_headers && i < HTTP_HEADERS; i++)
    rq->headers[rq->header_count++] =
        (pair){info->http_headers[i].name, info->http_headers[i].value};
  if (is_torn(info) && rq->header_count < HTTP_HEADERS)
    rq->headers[rq->header_count++] = (pair){"", ""}; /* not well formed: http_check refuses it */
  rq->wire = (http_wire){conn, wire_read, wire_write};
}

static void send_reply(struct mg_connection *conn, const http_request *rq, http_reply *rp) {
  buffer out;
  bool head = strcmp(rq->method, "HEAD") == 0, none = rp->status == 304 || rp->status == 204;
  buffer_init(&out, BODY_LIMIT + 65536);
  http_head(rp, (int64_t)rp->body.size, clock_now_ms(), &out);
  bool body = !head && !none, apart = body && rp->body.size > APART;
  if (body && !apart) buffer_add(&out, rp->body.data, rp->body.size);
  doze_hold(rp->body.size);
  if (out.failed || mg_write(conn, out.data, out.size) < (int)out.size)
    rp->close = true;
  else if (apart && mg_write(conn, rp->body.data, rp->body.size) < (int)rp->body.size)
    rp->close = true;
  buffer_free(&out);
}

static int begin_request(struct mg_connection *conn) {
  const struct mg_request_info *info = mg_get_request_info(conn);
  civet *c = info->user_data;
  arena memory = {0};
  http_request *rq = arena_alloc(&memory, sizeof *rq);
  http_reply rp = {0};
  rq->memory = &memory;
  atomic_fetch_add(&c->active, 1);
  doze_request(true);
  buffer_init(&rp.body, BODY_LIMIT);
  fill(rq, info, conn);
  c->serve(c->arg, rq, &rp);
  int status = rp.status ? rp.status : 200;
  /* A Transfer-Encoding is refused unread, whatever length it stands for. */
  if (rq->taken < rq->length || http_header(rq, "transfer-encoding")) rp.close = true;
  const char *wish = http_header(rq, "connection");
  if ((wish && strcasecmp(wish, "close") == 0) || doze_turn_is_over()) rp.close = true;
  if (rp.status) send_reply(conn, rq, &rp);
  if (rp.close || !rp.status) mg_disable_connection_keep_alive(conn);
  buffer_free(&rp.body);
  arena_free(&memory);
  doze_request(false);
  atomic_fetch_sub(&c->active, 1);
  return status;
}

/* CivetWeb's own faults (a head that is no HTTP, one that is too large) are answered in our words. */
static int http_error(struct mg_connection *conn, int status, const char *message) {
  mg_set_user_connection_data(conn, conn); /* it is answered */
  http_reply rp = {.close = true};
  http_request rq = {.method = "GET"};
  dts_error e = {0};
  error_fail(&e, "HTTP", "the request could not be read: %.200s", message ? message : "");
  e.status = status;
  buffer_init(&rp.body, 8192);
  http_reply_error(&rp, &e);
  send_reply(conn, &rq, &rp);
  mg_disable_connection_keep_alive(conn);
  buffer_free(&rp.body);
  return 0;
}

static int quiet(const struct mg_connection *conn, const char *message) {
  (void)conn;
  (void)message;
  return 1;
}

static void *begin_thread(const struct mg_context *context, int type) {
  const civet *c = mg_get_user_data(context);
  if (type == ACCEPTING) doze_accepting(c->porch);
  if (type == SERVING) doze_serving(c->porch);
  return NULL;
}

static int begin_connection(const struct mg_connection *conn, void **data) {
  (void)conn;
  (void)data;
  doze_connection();
  return 0;
}

/* Only a proxy is asked for "*" or for a whole URL; CivetWeb closes without a word. */
static void refuse_target(const struct mg_connection *conn) {
  const struct mg_request_info *info = mg_get_request_info(conn);
  const char *target = info ? info->request_uri : NULL;
  if (!target || *target == '/' || mg_get_user_connection_data(conn)) return;
  http_error((struct mg_connection *)(uintptr_t)conn, 400, "its target must begin with '/'");
}

static void end_connection(const struct mg_connection *conn) {
  const civet *c = mg_get_user_data(mg_get_context(conn));
  porch_left(c->porch);
}

static int fail(civet *c, const char *listen, dts_error *e) {
  error_fail(e, "LISTEN", "cannot listen on %s", listen);
  error_hint(e, "is another program there? name another address: --listen 127.0.0.1:8081");
  porch_close(c->porch);
  free(c);
  return -1;
}

static const char *const SETTINGS[][2] = {
    {"num_threads", "64"},
    {"enable_keep_alive", "yes"},
    {"keep_alive_timeout_ms", "3000"},
    {"request_timeout_ms", "10000"},
    {"tcp_nodelay", "1"},
    {"listen_backlog", "1024"},
    {"connection_queue", "512"},
    {"max_request_size", "16384"},
    {"decode_url", "no"},
    {"decode_query_string", "no"},
    {"enable_directory_listing", "no"},
    {"access_control_allow_origin", ""},
    {"cgi_pattern", ""},
};

civet *civet_open(const char *listen, civet_serve *serve, void *arg, dts_error *e) {
  const char *options[2 + sizeof SETTINGS / sizeof **SETTINGS + 1] = {"listening_ports", listen};
  struct mg_callbacks callbacks = {.begin_request = begin_request,
                                   .log_message = quiet,
                                   .log_access = quiet,
                                   .init_thread = begin_thread,
                                   .init_connection = begin_connection,
                                   .connection_close = refuse_target,
                                   .connection_closed = end_connection,
                                   .http_error = http_error};
  civet *c = memory_alloc(sizeof *c);
  *c = (civet){.serve = serve, .arg = arg, .porch = porch_open(CIVET_THREADS)};
  if (!c->porch) return fail(c, listen, e), NULL;
  memcpy(options + 2, SETTINGS, sizeof SETTINGS);
  mg_init_library(0);
  struct mg_init_data init = {&callbacks, c, options};
  struct mg_error_data fault = {0};
  char text[256] = "";
  unsigned code = 0;
  fault.code = &code;
  fault.text = text;
  fault.text_buffer_size = sizeof text;
  c->context = mg_start2(&init, &fault);
  if (c->context) return c;
  if (text[0] && !strstr(text, " ports"))
    log_warn("CivetWeb: %s", text); /* else it is said below */
  mg_exit_library();
  return fail(c, listen, e), NULL;
}

int civet_port(const civet *c) {
  struct mg_server_port ports[4] = {0};
  return mg_get_server_ports(c->context, 4, ports) > 0 ? ports[0].port : 0;
}

int civet_active(const civet *c) { return atomic_load(&c->active); }
void civet_hurry(civet *c) { porch_hurry(c->porch); }

void civet_close(civet *c) {
  if (!c) return;
  porch_stop(c->porch);
  mg_stop(c->context);
  mg_exit_library();
  porch_close(c->porch);
  free(c);
}
