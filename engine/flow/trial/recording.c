/* recording.c -- see recording.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/trial/recording.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "flow/kernel/kernel_parts.h"
#include "format/date.h"
#include "format/json.h"

enum {
  VERSION = 1,
  ASIDE = 256 * 1024,
  FILE_LIMIT = 1 << 30,
  SECRET_LIMIT = 64 * 1024,
  BASE64_LINE = 76,
  HASH_SHOWN = 16
};

typedef struct exchanged {
  int64_t run;
  size_t ordinal;
  value entry;
} exchanged;

struct recording {
  kernel *kernel;
  const char *path, *target;
  conceal *secrets;
  arena memory;
  int64_t now;
  exchanged *list;
  size_t count;
  dts_error error; /* the first body that could not be written */
};

/* ---- secrets ---- */

extern char **environ;

static void add_variables(conceal *c, arena *a) {
  static const char prefix[] = "DTS_SECRET_";
  for (char **at = environ; *at; at++) {
    const char *equals = strchr(*at, '=');
    if (!equals || strncmp(*at, prefix, sizeof prefix - 1) != 0) continue;
    const char *name = *at + sizeof prefix - 1;
    conceal_add(c, arena_copy(a, name, (size_t)(equals - name)), equals + 1);
  }
}

static void add_files(conceal *c, const char *root, arena *a) {
  const char *folder = arena_format(a, "%s/secrets", root);
  DIR *all = opendir(folder);
  buffer b;
  buffer_init(&b, SECRET_LIMIT);
  for (struct dirent *one; all && (one = readdir(all));) {
    buffer_clear(&b);
    if (one->d_name[0] == '.') continue;
    if (file_read(arena_format(a, "%s/%s", folder, one->d_name), SECRET_LIMIT, &b, NULL) < 0)
      continue;
    while (b.size && (b.data[b.size - 1] == '\n' || b.data[b.size - 1] == '\r')) b.size--;
    conceal_add(c, one->d_name, arena_copy(a, b.data, b.size));
  }
  buffer_free(&b);
  if (all) closedir(all);
}

conceal *recording_secrets(const char *root) {
  arena a = {0};
  conceal *c = conceal_open();
  add_variables(c, &a);
  add_files(c, root, &a);
  arena_free(&a);
  return c;
}

/* ---- bodies ---- */

/* Text that an editor shows and a diff compares: UTF-8 without other control characters. */
static bool is_readable(const buffer *b) {
  if (b->size && !text_is_utf8(b->data, b->size, NULL)) return false;
  for (size_t i = 0; i < b->size; i++) {
    unsigned char c = (unsigned char)b->data[i];
    if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7f) return false;
  }
  return true;
}

static value lines_of(arena *a, const buffer *b) {
  value lines = value_list();
  for (size_t at = 0; at < b->size;) {
    const char *end = memchr(b->data + at, '\n', b->size - at);
    size_t size = end ? (size_t)(end - b->data) + 1 - at : b->size - at;
    value_add(a, &lines, value_bytes(arena_copy(a, b->data + at, size), size));
    at += size;
  }
  return lines;
}

static value base64_of(arena *a, const buffer *b) {
  value lines = value_list();
  buffer text;
  buffer_init(&text, FILE_LIMIT);
  crypto_base64(&text, b->data, b->size);
  for (size_t at = 0; at < text.size; at += BASE64_LINE) {
    size_t left = text.size - at, size = left < BASE64_LINE ? left : BASE64_LINE;
    value_add(a, &lines, value_bytes(arena_copy(a, text.data + at, size), size));
  }
  buffer_free(&text);
  return lines;
}

/* JSON is shown as such only where writing it again gives the very bytes. */
static bool same_json(arena *a, const buffer *b, value *out) {
  buffer again;
  bool same = false;
  buffer_init(&again, b->size + 1);
  if (b->size && (b->data[0] == '{' || b->data[0] == '[') &&
      json_read(a, b->data, b->size, out, NULL) == 0 && json_write(&again, out) == 0)
    same = again.size == b->size && memcmp(again.data, b->data, b->size) == 0;
  buffer_free(&again);
  return same;
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* FILE.bodies/3fe2a41b0c9d7766: named by its content, so that a recording made anew keeps it. */
static int put_aside(recording *r, const buffer *b, value *entry) {
  char hex[CRYPTO_SHA256_HEX];
  arena *a = &r->memory;
  crypto_sha256_hex(b->data, b->size, hex);
  const char *folder = arena_format(a, "%s.bodies", r->path);
  dts_error e;
  if (file_make_folder(folder, 0755, &e) < 0 ||
      file_write_atomic(arena_format(a, "%s/%.*s", folder, HASH_SHOWN, hex), b->data, b->size, 0644,
                        &e) < 0) {
    if (!r->error.code[0]) r->error = e;
    return -1;
  }
  value_set(a, entry, "size", value_integer((int64_t)b->size));
  value_set(a, entry, "file",
            value_text(arena_format(a, "%s.bodies/%.*s", base_name(r->path), HASH_SHOWN, hex)));
  return 0;
}

static void add_body(recording *r, value *entry, const char *bytes, size_t size) {
  arena *a = &r->memory;
  buffer b;
  value json;
  buffer_init(&b, FILE_LIMIT);
  if (size) conceal_bytes(r->secrets, bytes, size, &b);
  conceal_tokens(&b);
  if (b.size > ASIDE)
    put_aside(r, &b, entry);
  else if (same_json(a, &b, &json))
    value_set(a, entry, "json", json);
  else if (is_readable(&b) && b.size)
    value_set(a, entry, "text", lines_of(a, &b));
  else if (b.size)
    value_set(a, entry, "base64", base64_of(a, &b));
  buffer_free(&b);
}

static void add_reply_body(recording *r, value *entry, const kernel_exchange *x) {
  size_t size = (size_t)x->reply->body_size;
  if (x->fd < 0) return add_body(r, entry, x->reply->body.data, x->reply->body.size);
  if (!size) return;
  void *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, x->fd, 0);
  if (bytes == MAP_FAILED) {
    error_fail(&r->error, "FILE", "a body of %zu bytes cannot be read for the recording", size);
    return;
  }
  add_body(r, entry, bytes, size);
  munmap(bytes, size);
}

/* ---- exchanges ---- */

static value request_of(recording *r, const kernel_exchange *x) {
  arena *a = &r->memory;
  value out = value_map(),
        headers = conceal_headers(r->secrets, value_get(x->request, "headers"), a);
  const value *body = value_get(x->request, "body");
  value_set(a, &out, "method", value_text(arena_text(a, value_get_text(x->request, "method", ""))));
  value_set(a, &out, "url",
            value_text(conceal_url(r->secrets, value_get_text(x->request, "url", ""), a)));
  if (x->source[0]) value_set(a, &out, "source", value_text(arena_text(a, x->source)));
  if (headers.map.count) value_set(a, &out, "headers", headers);
  if (body && body->kind == VALUE_TEXT) add_body(r, &out, body->text.bytes, body->text.size);
  return out;
}

static value reply_of(recording *r, const kernel_exchange *x) {
  arena *a = &r->memory;
  value out = value_map();
  value_set(a, &out, "status", value_integer(x->reply->status));
  if (x->reply->tries > 1) value_set(a, &out, "tries", value_integer(x->reply->tries));
  if (x->unchanged) value_set(a, &out, "unchanged", value_boolean(true));
  value_set(a, &out, "headers", conceal_headers(r->secrets, x->headers, a));
  add_reply_body(r, &out, x);
  return out;
}

static value error_entry(recording *r, const dts_error *e) {
  arena *a = &r->memory;
  value out = value_map();
  value_set(a, &out, "code", value_text(arena_text(a, e->code)));
  value_set(a, &out, "message", value_text(conceal_text(r->secrets, e->message, a)));
  if (e->hint[0]) value_set(a, &out, "hint", value_text(conceal_text(r->secrets, e->hint, a)));
  if (e->retryable) value_set(a, &out, "retryable", value_boolean(true));
  if (e->retry_after_ms) value_set(a, &out, "retry_after_ms", value_integer(e->retry_after_ms));
  if (e->status) value_set(a, &out, "status", value_integer(e->status));
  return out;
}

static void on_exchange(void *arg, const kernel_exchange *x) {
  recording *r = arg;
  arena *a = &r->memory;
  value entry = value_map();
  value_set(a, &entry, "request", request_of(r, x));
  if (x->error)
    value_set(a, &entry, "error", error_entry(r, x->error));
  else
    value_set(a, &entry, "reply", reply_of(r, x));
  r->list = memory_grow(r->list, (r->count + 1) * sizeof *r->list);
  r->list[r->count++] = (exchanged){x->run, x->ordinal, entry};
}

recording *recording_open(kernel *k, const char *path, const char *target) {
  recording *r = memory_alloc(sizeof *r);
  *r = (recording){.kernel = k,
                   .path = path,
                   .target = target,
                   .secrets = recording_secrets(kernel_root(k)),
                   .now = kernel_now(k)};
  kernel_set_recorder(k, on_exchange, r);
  return r;
}

/* ---- the file ---- */

static int in_order(const void *a, const void *b) {
  const exchanged *one = a, *other = b;
  if (one->run != other->run) return one->run < other->run ? -1 : 1;
  return (one->ordinal > other->ordinal) - (one->ordinal < other->ordinal);
}

static int write_file(recording *r, dts_error *e) {
  arena *a = &r->memory;
  value all = value_map(), exchanges = value_list();
  buffer b;
  if (r->count) qsort(r->list, r->count, sizeof *r->list, in_order);
  for (size_t i = 0; i < r->count; i++) value_add(a, &exchanges, r->list[i].entry);
  value_set(a, &all, "dts_recording", value_integer(VERSION));
  value_set(a, &all, "of", value_text(r->target));
  value_set(a, &all, "now", timestamp_value(a, r->now));
  value_set(a, &all, "exchanges", exchanges);
  buffer_init(&b, FILE_LIMIT);
  int rc = json_write_pretty(&b, &all) < 0
               ? error_fail(e, "LIMIT_SIZE", "the recording is larger than a file may be (1 GB)")
               : (buffer_add_char(&b, '\n'), file_write_atomic(r->path, b.data, b.size, 0644, e));
  buffer_free(&b);
  return rc;
}

int recording_close(recording *r, size_t *count, dts_error *e) {
  kernel_set_recorder(r->kernel, NULL, NULL);
  int rc = write_file(r, e);
  if (rc == 0 && r->error.code[0]) rc = -1;
  if (rc < 0 && r->error.code[0] && e) *e = r->error;
  *count = r->count;
  conceal_close(r->secrets);
  free(r->list);
  arena_free(&r->memory);
  free(r);
  return rc;
}
