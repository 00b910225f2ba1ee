/* ingest_check.c -- see ingest_check.h. What a sender wrote reaches a path only as a plain name:
 * letters, digits, and . _ - not at the start.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/inputs/ingest_check.h"

#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"
#include "format/json.h"

/* ---- signature ---- */

static int refuse_signature(dts_error *e, const char *header, const char *what) {
  error_fail(e, "SIGNATURE", "the request's signature (header %s) %s", header, what);
  if (e) e->status = 401;
  return error_hint(e, "sign the raw body with the shared secret: sha256=HMAC-SHA-256 in hex");
}

int ingest_check_signature(const value *signature, const value *headers, const char *secret,
                           const char *body, size_t size, dts_error *e) {
  unsigned char given[CRYPTO_SHA256], right[CRYPTO_SHA256];
  if (!signature) return 0;
  const char *name = value_get_text(signature, "secret", "?");
  const char *header = value_get_text(signature, "header", "?");
  if (!secret || !*secret) {
    error_fail(e, "SECRET", "there is no secret %s to check signatures with: nothing is let in",
               name);
    if (e) e->status = 503;
    return error_hint(e, "set DTS_SECRET_%s, or write secrets/%s (chmod 600)", name, name);
  }
  const char *text = ingest_header(headers, header);
  if (!text) return refuse_signature(e, header, "is missing");
  bool shaped = strncmp(text, "sha256=", 7) == 0 && strlen(text) == 7 + 2 * CRYPTO_SHA256;
  if (!shaped || crypto_from_hex(text + 7, 2 * CRYPTO_SHA256, given) < 0)
    return refuse_signature(e, header, "is not sha256= and 64 hex digits");
  crypto_hmac_sha256(secret, strlen(secret), body, size, right);
  if (!crypto_equal(given, right, sizeof right))
    return refuse_signature(e, header, "is not that of this body");
  return 0;
}

/* ---- schemas ---- */

static bool is_plain(const char *bytes, size_t size) {
  bool plain = size > 0 && size <= 128 && bytes[0] != '.';
  for (size_t i = 0; plain && i < size; i++) {
    char c = bytes[i];
    plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '_' || c == '.' || c == '-';
  }
  return plain;
}

static int complain(const char *name, const value *v, char *why, size_t room) {
  char got[96];
  if (!v)
    snprintf(why, room, "{%s} is absent", name);
  else
    snprintf(why, room, "{%s} is %s, which is no plain name", name,
             json_shorten(got, sizeof got, v));
  return -1;
}

/* The event's value for {name} at the end of `b`. */
static int fill_one(buffer *b, const char *name, const char *type, const value *data, char *why,
                    size_t room) {
  value given = value_text(type);
  const value *v = strcmp(name, "type") == 0 ? &given : ingest_field(data, name);
  if (!v || v->kind == VALUE_NULL) return complain(name, NULL, why, room);
  if (v->kind == VALUE_INTEGER) return buffer_add_format(b, "%lld", (long long)v->integer);
  if (v->kind != VALUE_TEXT || !is_plain(v->text.bytes, v->text.size))
    return complain(name, v, why, room);
  return buffer_add(b, v->text.bytes, v->text.size);
}

/* 0, or -1 with why a value does not fit. */
static int fill(buffer *b, const char *template, const char *type, const value *data, char *why,
                size_t room) {
  buffer_clear(b);
  while (*template) {
    char name[128];
    size_t plain = strcspn(template, "{"), size;
    buffer_add(b, template, plain);
    template += plain;
    if (!*template) break;
    size = strcspn(template, "}");
    snprintf(name, sizeof name, "%.*s", (int)(size - 1), template + 1);
    template += size + (template[size] == '}');
    if (fill_one(b, name, type, data, why, room) < 0) return -1;
  }
  return b->failed ? snprintf(why, room, "the path is too long"), -1 : 0;
}

/* 1 found, 0 none of that name, -1. */
static int find(ingest_schemas *s, buffer *path, dts_error *e) {
  const char *text = buffer_text(path);
  if (s->last && strcmp(text, s->path) == 0) return 1;
  int found = schemas_find(s->set, text, &s->last, e);
  if (found == 1)
    snprintf(s->path, sizeof s->path, "%s", text);
  else
    s->last = NULL;
  return found;
}

static int refuse_none(schema_fault *fault, const buffer *looked) {
  *fault = (schema_fault){0};
  snprintf(fault->message, sizeof fault->message, "no schema is there for this event: %.*s",
           (int)looked->size, looked->size ? looked->data : "");
  return 1;
}

int ingest_check_schema(void *arg, const char *type, const value *data, schema_fault *fault,
                        dts_error *e) {
  ingest_schemas *s = arg;
  size_t count = s->templates && s->templates->kind == VALUE_LIST ? s->templates->list.count : 0;
  if (!count) return 0;
  buffer path, looked;
  int found = 0;
  buffer_init(&path, sizeof s->path - 1);
  buffer_init(&looked, 400);
  for (size_t i = 0; i < count && found == 0; i++) {
    char why[256];
    bool filled =
        fill(&path, s->templates->list.items[i].text.bytes, type, data, why, sizeof why) == 0;
    if (filled) found = find(s, &path, e);
    if (found == 0)
      buffer_add_format(&looked, "%s%s", looked.size ? ", " : "",
                        filled ? buffer_text(&path) : why);
  }
  if (found == 1)
    found = schema_check(s->last, data, fault) < 0 ? 1 : 0;
  else if (found == 0)
    found = refuse_none(fault, &looked);
  buffer_free(&path);
  buffer_free(&looked);
  return found;
}
