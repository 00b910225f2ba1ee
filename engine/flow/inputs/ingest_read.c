/* ingest_read.c -- see ingest_read.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/inputs/ingest_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/crypto.h"
#include "format/date.h"
#include "format/json.h"

enum { TREES = 4 * 1024 * 1024 }; /* decoded events are forgotten past this */

typedef struct reading {
  const ingest_rules *rules;
  ingest_batch *out;
  const char *id, *type, *time;                      /* declared: "header:NAME", a path, or NULL */
  const char *id_header, *type_header, *time_header; /* what the header says */
  bool batch;                                        /* more than one event may come */
  char now[25];
  arena trees;
  dts_error *error;
} reading;

typedef struct item {   /* one event on its way */
  int64_t line, number; /* number: for ids of a header, from 1 */
  const char *json;
  size_t size;
} item;

/* ---- finding things ---- */

const char *ingest_header(const value *headers, const char *name) {
  if (!headers || headers->kind != VALUE_MAP) return NULL;
  for (size_t i = 0; i < headers->map.count; i++) {
    const value_pair *p = &headers->map.pairs[i];
    if (p->item.kind == VALUE_TEXT && text_equal_fold(p->key.text.bytes, name))
      return p->item.text.bytes;
  }
  return NULL;
}

static const value *member(const value *map, const char *name, size_t size) {
  for (size_t i = map->kind == VALUE_MAP ? map->map.count : 0; i-- > 0;) {
    const value_pair *p = &map->map.pairs[i];
    if (p->key.text.size == size && memcmp(p->key.text.bytes, name, size) == 0) return &p->item;
  }
  return NULL;
}

const value *ingest_field(const value *data, const char *path) {
  const value *v = data;
  if (strncmp(path, "data.", 5) == 0) path += 5;
  for (bool more = true; more && v; path += more) {
    size_t size = strcspn(path, ".");
    v = member(v, path, size);
    path += size;
    more = *path == '.';
  }
  return v && v->kind != VALUE_NULL ? v : NULL;
}

/* ---- what becomes of an event ---- */

static void *grow(void *items, size_t count, size_t *capacity, size_t size) {
  if (count < *capacity) return items;
  *capacity = *capacity ? *capacity * 2 : 64;
  return memory_grow(items, *capacity * size);
}

static int refuse(reading *r, const item *it, const char *path, const char *message) {
  ingest_batch *b = r->out;
  b->refused = grow(b->refused, b->refused_count, &b->refused_capacity, sizeof *b->refused);
  b->refused[b->refused_count++] = (ingest_refusal){
      it->line, arena_text(&b->memory, path), arena_text(&b->memory, message), it->json, it->size};
  return 0;
}

static const char *keep(reading *r, const char *bytes, size_t size) {
  return arena_copy(&r->out->memory, bytes, size);
}

/* A text or a whole number of the event, as text; NULL when it is neither. */
static const char *plain(reading *r, const value *v) {
  if (v->kind == VALUE_TEXT && !memchr(v->text.bytes, 0, v->text.size))
    return keep(r, v->text.bytes, v->text.size);
  if (v->kind == VALUE_INTEGER) return arena_format(&r->out->memory, "%lld", (long long)v->integer);
  return NULL;
}

static int refuse_field(reading *r, const item *it, const char *path, const value *v,
                        const char *expected) {
  char got[96], message[256], pointer[256] = "/";
  if (strncmp(path, "data.", 5) == 0) path += 5;
  for (size_t i = 0; path[i] && i + 2 < sizeof pointer; i++)
    pointer[i + 1] = path[i] == '.' ? '/' : path[i];
  snprintf(message, sizeof message, "%s expected, got %s", expected,
           json_shorten(got, sizeof got, v));
  return refuse(r, it, pointer, message), 1;
}

static const char *hash_of(reading *r, const item *it) {
  char hex[CRYPTO_SHA256_HEX];
  crypto_sha256_hex(it->json, it->size, hex);
  return keep(r, hex, sizeof hex - 1);
}

/* 0, or 1 when refused. */
static int find_id(reading *r, const item *it, const value *data, ingest_event *out) {
  if (r->id_header && r->batch)
    out->id = arena_format(&r->out->memory, "%s:%lld", r->id_header, (long long)it->number);
  else if (r->id_header)
    out->id = r->id_header;
  const value *v = r->id && !r->id_header ? ingest_field(data, r->id) : NULL;
  if (v && !(out->id = plain(r, v)))
    return refuse_field(r, it, r->id, v, "an id (text or a whole number)");
  if (!out->id || !*out->id) out->id = hash_of(r, it);
  if (strlen(out->id) <= INGEST_ID_BYTES) return 0;
  return refuse(r, it, "", "the id is longer than 512 bytes"), 1;
}

static int find_type(reading *r, const item *it, const value *data, ingest_event *out) {
  const value *v = r->type && !r->type_header ? ingest_field(data, r->type) : NULL;
  out->type = r->type_header;
  if (v && !(out->type = plain(r, v))) return refuse_field(r, it, r->type, v, "a type (text)");
  return 0;
}

static int find_time(reading *r, const item *it, const value *data, ingest_event *out) {
  value header = value_text(r->time_header);
  const value *v = r->time_header ? &header : r->time ? ingest_field(data, r->time) : NULL;
  int64_t ms;
  out->time = r->now;
  if (!v) return 0;
  if (v->kind != VALUE_TEXT || timestamp_read(v->text.bytes, v->text.size, &ms) < 0)
    return refuse_field(r, it, r->time_header ? "" : r->time, v,
                        "a time such as 2026-03-10T13:00:00Z");
  char *canonical = arena_alloc(&r->out->memory, 25);
  timestamp_write(ms, canonical);
  out->time = canonical;
  return 0;
}

static int check(reading *r, const item *it, const char *type, const value *data) {
  schema_fault fault = {0};
  if (!r->rules->check) return 0;
  int verdict = r->rules->check(r->rules->check_arg, type, data, &fault, r->error);
  if (verdict > 0) refuse(r, it, fault.path, fault.message);
  return verdict;
}

/* 0 taken or refused, -1 the request fails. */
static int take(reading *r, const item *it, const value *data) {
  ingest_batch *b = r->out;
  ingest_event event = {.json = it->json, .size = it->size};
  char message[160], got[96];
  if (data->kind != VALUE_MAP) {
    snprintf(message, sizeof message, "an event (a JSON object) expected, got %s",
             json_shorten(got, sizeof got, data));
    return refuse(r, it, "", message);
  }
  if (it->size > INGEST_EVENT_BYTES) return refuse(r, it, "", "the event is larger than 1 MB");
  if (find_id(r, it, data, &event) || find_type(r, it, data, &event) ||
      find_time(r, it, data, &event))
    return 0;
  int verdict = check(r, it, event.type, data);
  if (verdict) return verdict < 0 ? -1 : 0;
  b->events = grow(b->events, b->count, &b->capacity, sizeof *b->events);
  b->events[b->count++] = event;
  return 0;
}

static void forget_trees(reading *r) {
  if (r->trees.total < TREES) return;
  arena_free(&r->trees);
  r->trees = (arena){0};
}

/* ---- the three shapes of a body ---- */

static int64_t line_of(const char *body, const char *at) {
  int64_t line = 1;
  for (; body < at; body++) line += *body == '\n';
  return line;
}

static int refuse_json(reading *r, const json_reader *in, item it) {
  dts_error e = {0};
  json_fail(in, &e);
  return refuse(r, &it, "", e.message);
}

static int read_array(reading *r, const char *body, size_t size) {
  json_reader in;
  json_open(&in, body, size);
  int rc = 0;
  json_token token = json_next(&in); /* the bracket: looked at before */
  for (int64_t place = 1; rc == 0; place++) {
    value data;
    dts_error bad;
    token = json_next(&in);
    if (token == JSON_LIST_END) token = json_next(&in);
    if (token == JSON_END || token == JSON_ERROR) break;
    const char *start = in.token;
    if (json_read_value(&in, token, &r->trees, &data, &bad) < 0) token = JSON_ERROR;
    if (token == JSON_ERROR) break;
    rc = take(r, &(item){place, place, start, (size_t)(in.at - start)}, &data);
    forget_trees(r);
  }
  if (rc < 0 || token != JSON_ERROR) {
    json_close(&in);
    return rc;
  }
  /* what stands behind the fault cannot be read: nothing of this body is taken */
  r->out->count = r->out->refused_count = 0;
  rc = refuse_json(r, &in, (item){line_of(body, in.token), 1, body, size});
  json_close(&in);
  return rc;
}

static bool is_blank(const char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (!strchr(" \t\r\n", bytes[i]) || !bytes[i]) return false;
  return true;
}

static int read_line(reading *r, item it) {
  value data;
  json_reader in;
  json_open(&in, it.json, it.size);
  json_token token = json_next(&in);
  if (token != JSON_ERROR && token != JSON_END) it.json = in.token;
  dts_error bad;
  bool good = json_read_value(&in, token, &r->trees, &data, &bad) == 0;
  it.size = good ? (size_t)(in.at - it.json) : it.size;
  good = good && json_next(&in) == JSON_END;
  int rc = good ? take(r, &it, &data) : refuse_json(r, &in, it);
  json_close(&in);
  forget_trees(r);
  return rc;
}

static int read_lines(reading *r, const char *body, size_t size) {
  const char *end = body + size;
  int64_t number = 0;
  for (int64_t line = 1; body < end; line++) {
    const char *stop = memchr(body, '\n', (size_t)(end - body));
    if (!stop) stop = end;
    size_t length = (size_t)(stop - body);
    if (!is_blank(body, length) && read_line(r, (item){line, ++number, body, length}) < 0)
      return -1;
    body = stop + 1;
  }
  return 0;
}

typedef enum shape { ONE, ARRAY, LINES } shape;

static bool is_document(const char *bytes, size_t size) {
  json_reader in;
  json_open(&in, bytes, size);
  json_token token;
  while ((token = json_next(&in)) != JSON_END && token != JSON_ERROR) continue;
  json_close(&in);
  return token == JSON_END;
}

/* Without a word from the sender: several lines of which one is a whole object are NDJSON. */
static bool has_object_line(const char *body, size_t size) {
  const char *end = body + size;
  for (const char *at = body; at < end;) {
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    if (!stop) stop = end;
    if (*at == '{' && is_document(at, (size_t)(stop - at))) return true;
    at = stop + 1;
  }
  return false;
}

static shape shape_of(const reading *r, const char *body, size_t size) {
  const char *type = ingest_header(r->rules->headers, "content-type");
  json_reader in;
  json_open(&in, body, size);
  json_token first = json_next(&in);
  json_close(&in);
  if (type && strstr(type, "ndjson")) return LINES;
  if (first == JSON_LIST) return ARRAY;
  if (!memchr(body, '\n', size) || is_document(body, size)) return ONE;
  return has_object_line(body, size) ? LINES : ONE;
}

/* ---- the whole ---- */

static const char *header_of(const reading *r, const char *declared) {
  if (!declared || strncmp(declared, "header:", 7) != 0) return NULL;
  const char *text = ingest_header(r->rules->headers, declared + 7);
  return text && *text && text_is_utf8(text, strlen(text), NULL) ? text : NULL;
}

static const char *path_of(const char *declared) {
  return declared && strncmp(declared, "header:", 7) != 0 ? declared : NULL;
}

static void prepare(reading *r) {
  const value *declared = r->rules->declared;
  const char *id = value_get_text(declared, "id", NULL),
             *type = value_get_text(declared, "type", NULL);
  const char *time = value_get_text(declared, "time", NULL);
  r->id = path_of(id), r->type = path_of(type), r->time = path_of(time);
  r->id_header = header_of(r, id);
  r->time_header = header_of(r, time);
  r->type_header = r->rules->type ? r->rules->type : header_of(r, type);
  arena *a = &r->out->memory;
  r->id_header = arena_text(a, r->id_header), r->type_header = arena_text(a, r->type_header);
  timestamp_write(r->rules->now, r->now);
}

int ingest_read(const ingest_rules *rules, const char *body, size_t size, ingest_batch *out,
                dts_error *e) {
  reading r = {.rules = rules, .out = out, .error = e};
  prepare(&r);
  if (!size) body = "";
  shape s = shape_of(&r, body, size);
  r.batch = s != ONE;
  int rc = s == ARRAY   ? read_array(&r, body, size)
           : s == LINES ? read_lines(&r, body, size)
                        : read_line(&r, (item){1, 1, body, size});
  const char *now = keep(&r, r.now, sizeof r.now - 1);
  for (size_t i = 0; i < out->count; i++)
    if (out->events[i].time == r.now) out->events[i].time = now;
  arena_free(&r.trees);
  return rc;
}

void ingest_batch_free(ingest_batch *b) {
  arena_free(&b->memory);
  free(b->events);
  free(b->refused);
  *b = (ingest_batch){0};
}
