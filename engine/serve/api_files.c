/* api_files.c -- files: the list, presigned addresses to upload and to download, and what they
 * open.
 *
 * An upload streams into var/spool and becomes an object only when all of it is there; the kernel
 * then decides which pipeline wants the name. A reply follows its commit.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "serve/call.h"

enum { PIECE = 64 << 10 };
#define VALID_MS (15LL * 60 * 1000)

static int list(api_call *c, dts_error *e) {
  static const char *const types[] = {"integer", "text",    "integer", "text",      "text",
                                      "text",    "integer", "integer", "timestamp", "text"};
  return call_table(
      c,
      "select id, name, size, sha256, pipeline, state, rows, rejected, at, error from dts_files "
      "order by id "
      "desc limit 1000",
      NULL, types, "files", e);
}

/* ---- presigned addresses ---- */

static void reply_address(api_call *c, const char *path, const presigned *what, bool upload) {
  value v = value_map();
  const char *query = presign_query(server_secret(c->server), what, c->memory);
  value_set(c->memory, &v, "url", value_text(arena_format(c->memory, "%s?%s", path, query)));
  if (upload) value_set(c->memory, &v, "method", value_text("PUT"));
  value_set(c->memory, &v, "expires", value_text(call_stamp(c, what->expires)));
  http_reply_json(c->rp, &v);
}

static const char *encoded(const char *before, const char *name, arena *a) {
  buffer b;
  buffer_init(&b, 4096);
  buffer_add_text(&b, before);
  percent_encode(&b, name);
  const char *text = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return text;
}

static int too_large(int64_t size, int64_t most, dts_error *e) {
  return error_fail(e, "LIMIT_SIZE", "a file of %lld bytes is too large, at most %lld are taken",
                    (long long)size, (long long)most);
}

static int read_size(const value *body, int64_t most, int64_t *out, dts_error *e) {
  const value *given = value_get(body, "size");
  bool none = !given || given->kind == VALUE_NULL;
  *out = none ? -1 : given->kind == VALUE_INTEGER ? given->integer : -2;
  if (*out > most) return too_large(*out, most, e);
  if (none || *out >= 0) return 0;
  error_fail(e, "PARAM", "size: a whole number of bytes expected");
  return error_hint(e, "leave it out where the size is not known");
}

static int upload_address(api_call *c, dts_error *e) {
  value body;
  if (http_json(c->rq, &body, e) < 0) return -1;
  const char *name = value_get_text(&body, "name", "");
  const value *given = value_get(&body, "name");
  if (given && given->kind == VALUE_TEXT && strlen(name) != given->text.size) name = ""; /* a NUL */
  int64_t size;
  if (presign_name_check(name, e) < 0) return -1;
  if (read_size(&body, server_upload_limit(c->server), &size, e) < 0) return -1;
  presigned what = {"PUT", name, size, c->now + VALID_MS};
  c->rp->status = 201;
  reply_address(c, encoded("/upload/", name, c->memory), &what, true);
  return 0;
}

static int find_file(api_call *c, const char **name, const char **object, dts_error *e) {
  gathered g = {.memory = c->memory};
  const char *text = c->args[0];
  bool number = *text && strlen(text) <= 18 && strspn(text, "0123456789") == strlen(text);
  value id = value_integer(number ? strtoll(text, NULL, 10) : -1);
  if (result_gather(c->store, &g, "select name, sha256 from dts_file where id = ?1", &id, 1, e) < 0)
    return -1;
  if (!g.rows.list.count) return call_not_found(e, "file", text);
  *name = value_get_text(&g.rows.list.items[0], "name", "");
  *object = value_get_text(&g.rows.list.items[0], "sha256", "");
  return 0;
}

static int download_address(api_call *c, dts_error *e) {
  const char *name, *object;
  if (find_file(c, &name, &object, e) < 0) return -1;
  presigned what = {"GET", c->args[0], -1, c->now + VALID_MS};
  const char *before = arena_format(c->memory, "/download/%s/", c->args[0]);
  reply_address(c, encoded(before, name, c->memory), &what, false);
  return 0;
}

/* ---- upload ---- */

static int disk_fault(dts_error *e) {
  error_fail(e, "LIMIT_DISK", "the upload could not be kept: %s", strerror(errno));
  if (e) e->status = 503;
  return -1;
}

static int receive(api_call *c, int fd, dts_error *e) {
  char *piece = arena_alloc(c->memory, PIECE);
  http_request *rq = c->rq;
  while (rq->taken < rq->length) {
    int64_t left = rq->length - rq->taken;
    int got = rq->wire.read(rq->wire.arg, piece, left < PIECE ? (size_t)left : PIECE);
    if (got <= 0) {
      error_fail(e, "BODY", "the file ended before its Content-Length: nothing of it is kept");
      return -1;
    }
    if (file_write_all(fd, piece, (size_t)got) < 0) return disk_fault(e);
    rq->taken += got;
  }
  return 0;
}

static int tell_kernel(api_call *c, const char *name, const char *object, int64_t size,
                       dts_error *e) {
  value command = value_map(), answer, v = value_map();
  value_set(c->memory, &command, "name", value_text("file"));
  value_set(c->memory, &command, "file", value_text(name));
  value_set(c->memory, &command, "object", value_text(object));
  value_set(c->memory, &command, "size", value_integer(size));
  if (call_ask(c, &command, &answer, e) < 0) return -1;
  const value *id = value_get(&answer, "id");
  value_set(c->memory, &v, "id", id ? *id : value_null());
  value_set(c->memory, &v, "name", value_text(name));
  value_set(c->memory, &v, "size", value_integer(size));
  value_set(c->memory, &v, "sha256", value_text(object));
  value_set(c->memory, &v, "pipeline", value_text(value_get_text(&answer, "pipeline", NULL)));
  c->rp->status = 201;
  http_reply_json(c->rp, &v);
  return 0;
}

static int keep(api_call *c, const char *name, dts_error *e) {
  char object[65];
  int64_t size;
  char *path = arena_format(c->memory, "%s/upload-XXXXXX", server_spool(c->server));
  int fd = mkostemp(path, O_CLOEXEC);
  if (fd < 0) return disk_fault(e);
  unlink(path);
  int rc = receive(c, fd, e);
  if (rc == 0 && lseek(fd, 0, SEEK_SET) < 0) rc = disk_fault(e);
  if (rc == 0) rc = objects_put_file(kernel_objects(c->kernel), fd, object, &size, e);
  close(fd);
  return rc < 0 ? -1 : tell_kernel(c, name, object, size, e);
}

static int upload(api_call *c, dts_error *e) {
  presigned what = {.method = "PUT", .subject = c->args[0]};
  if (presign_check(server_secret(c->server), &what, &c->rq->at, c->now, c->memory, e) < 0)
    return -1;
  if (presign_name_check(c->args[0], e) < 0) return -1;
  int64_t limit = server_upload_limit(c->server);
  if (what.size >= 0 && what.size < limit) limit = what.size;
  if (c->rq->length > limit) return too_large(c->rq->length, limit, e);
  return keep(c, c->args[0], e);
}

/* ---- download ---- */

static int send_body(api_call *c, int fd, int64_t size) {
  char *piece = arena_alloc(c->memory, PIECE);
  buffer head;
  buffer_init(&head, 16384);
  c->rp->close = true;
  http_head(c->rp, size, c->now, &head);
  bool fine = c->rq->wire.write(c->rq->wire.arg, head.data, head.size) > 0;
  buffer_free(&head);
  for (ssize_t n; fine && strcmp(c->rq->method, "GET") == 0 && (n = read(fd, piece, PIECE)) > 0;)
    fine = c->rq->wire.write(c->rq->wire.arg, piece, (size_t)n) == n;
  c->rp->status = 0;
  return 0;
}

static int download(api_call *c, dts_error *e) {
  presigned what = {.method = "GET", .subject = c->args[0]};
  const char *name, *object;
  int fd;
  int64_t size;
  if (presign_check(server_secret(c->server), &what, &c->rq->at, c->now, c->memory, e) < 0)
    return -1;
  if (find_file(c, &name, &object, e) < 0) return -1;
  if (objects_get(kernel_objects(c->kernel), object, &fd, &size, e) < 0) return -1;
  c->rp->status = 200;
  c->rp->type = "application/octet-stream";
  http_set(c->rp, "Content-Disposition", encoded("attachment; filename*=UTF-8''", name, c->memory));
  int rc = send_body(c, fd, size);
  close(fd);
  return rc;
}

const api_route api_files[] = {{"GET", "/api/v1/files", KEY_READ, list},
                               {"GET", "/api/v1/files/{id}/link", KEY_READ, download_address},
                               {"POST", "/api/v1/uploads", KEY_WRITE, upload_address},
                               {"PUT", "/upload/{name}", 0, upload},
                               {"GET", "/download/{id}/{name}", 0, download},
                               {0}};
