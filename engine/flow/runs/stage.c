/* stage.c -- see stage.h. stage_verbs.c applies what is not a put.
 *
 * An entry is its op, its size and its payload. Applying reads the entries in order; rows of puts that
 * stand together are only remembered (where they lie, and their key), then sorted and written.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/runs/stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flow/runs/stage_verbs.h"
#include "wire/pack.h"

enum { IN_MEMORY = 8 * 1024 * 1024, ENTRY_HEAD = 5 };

struct stage {
  buffer bytes; /* what is in memory; behind what is in the file */
  FILE *file;   /* unlinked; NULL while all is in memory */
  size_t in_file, rows;
};

stage *stage_open(void) {
  stage *s = memory_alloc(sizeof *s);
  buffer_init(&s->bytes, IN_MEMORY + FRAME_BYTES);
  return s;
}

void stage_clear(stage *s) {
  if (s->file) fclose(s->file);
  s->file = NULL;
  s->in_file = s->rows = 0;
  buffer_clear(&s->bytes);
}

void stage_free(stage *s) {
  if (!s) return;
  stage_clear(s);
  buffer_free(&s->bytes);
  free(s);
}

stage *stage_take(stage *s) {
  stage *taken = stage_open(), empty = *taken;
  *taken = *s;
  *s = empty;
  return taken;
}

size_t stage_rows(const stage *s) { return s->rows; }
bool stage_is_empty(const stage *s) { return !s->in_file && !s->bytes.size; }

static int spill(stage *s, dts_error *e) {
  if (!s->file) s->file = tmpfile();
  if (!s->file || fwrite(s->bytes.data, 1, s->bytes.size, s->file) != s->bytes.size)
    return error_fail(e, "LIMIT_STAGE", "a run's rows could not be kept in a temporary file: %s",
                      strerror(errno));
  s->in_file += s->bytes.size;
  buffer_clear(&s->bytes);
  return 0;
}

static size_t count_list(unpack *u) {
  value list, item;
  bool ended;
  size_t count = 0;
  if (unpack_next(u, &list, &ended, NULL) < 0 || list.kind != VALUE_LIST) return 0;
  if (list.list.count != UNPACK_OPEN) return list.list.count;
  for (;; count++) {
    if (unpack_next(u, &item, &ended, NULL) < 0 || ended || item.kind != VALUE_LIST) return count;
    for (size_t i = 0; i < item.list.count; i++)
      if (unpack_skip(u, NULL) < 0) return count;
  }
}

/* An OP_ROWS payload is {table, step?, rows}: how many rows it brings, without decoding them. */
static size_t count_rows(const char *payload, size_t size) {
  unpack u = {payload, payload + size};
  value map, key;
  bool ended;
  if (unpack_next(&u, &map, &ended, NULL) < 0 || map.kind != VALUE_MAP) return 0;
  for (size_t i = 0; i < map.map.count; i++) {
    if (unpack_next(&u, &key, &ended, NULL) < 0 || ended) return 0;
    if (value_is(&key, "rows")) return count_list(&u);
    if (unpack_skip(&u, NULL) < 0) return 0;
  }
  return 0;
}

int stage_add(stage *s, wire_op op, const char *payload, size_t size, dts_error *e) {
  char head[ENTRY_HEAD] = {(char)op};
  uint32_t length = (uint32_t)size;
  memcpy(head + 1, &length, sizeof length);
  buffer_add(&s->bytes, head, ENTRY_HEAD);
  buffer_add(&s->bytes, payload, size);
  if (op == OP_ROWS) s->rows += count_rows(payload, size);
  return s->bytes.size > IN_MEMORY ? spill(s, e) : 0;
}

void stage_add_value(stage *s, const value *effect) {
  buffer b;
  buffer_init(&b, FRAME_BYTES);
  pack_value(&b, effect);
  stage_add(s, OP_STAGE, b.data, b.size, NULL);
  buffer_free(&b);
}

/* ---- rows ---- */

typedef struct row_ref {
  const table *table;
  const char *at, *end; /* the packed row */
  size_t order;
  const value *key; /* table->key_count scalars; texts lie in the bytes */
} row_ref;

typedef struct applying {
  store_conn *conn;
  const stage_context *context;
  row_ref *refs;
  size_t count, capacity;
  arena keys; /* of the rows remembered */
} applying;

static int compare_values(const value *a, const value *b) {
  if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
  switch (a->kind) {
  case VALUE_INTEGER: return a->integer < b->integer ? -1 : a->integer > b->integer;
  case VALUE_REAL: return a->real < b->real ? -1 : a->real > b->real;
  case VALUE_BOOLEAN: return (int)a->boolean - (int)b->boolean;
  case VALUE_TEXT: {
    size_t size = a->text.size < b->text.size ? a->text.size : b->text.size;
    int order = size ? memcmp(a->text.bytes, b->text.bytes, size) : 0;
    return order ? order : a->text.size < b->text.size ? -1 : a->text.size > b->text.size;
  }
  default: return 0;
  }
}

static int compare_refs(const void *left, const void *right) {
  const row_ref *a = left, *b = right;
  if (a->table != b->table) return a->table < b->table ? -1 : 1;
  for (size_t i = 0; i < a->table->key_count; i++) {
    int order = compare_values(&a->key[i], &b->key[i]);
    if (order) return order;
  }
  return a->order < b->order ? -1 : 1;
}

/* Reads one row's scalars; a json column may hold a list or map. 1: the end of an open list of rows. */
static int read_row(const table *t, unpack *u, arena *a, value *row, dts_error *e) {
  value head;
  bool ended = false;
  if (unpack_next(u, &head, &ended, e) < 0) return -1;
  if (ended) return 1;
  if (head.kind != VALUE_LIST || head.list.count != t->count)
    return error_fail(e, "WIRE", "a row of '%s' must have %zu values", t->name, t->count);
  for (size_t i = 0; i < t->count; i++) {
    bool tree = t->columns[i].type == COLUMN_JSON;
    if (tree ? unpack_value(u, a, &row[i], e) : unpack_next(u, &row[i], &ended, e)) return -1;
    if (!tree && (row[i].kind == VALUE_LIST || row[i].kind == VALUE_MAP))
      return error_fail(e, "WIRE", "column '%s' of '%s' holds a table", t->columns[i].name,
                        t->name);
  }
  return 0;
}

static int put_one(applying *ap, const row_ref *ref, arena *a, value *row, dts_error *e) {
  unpack u = {ref->at, ref->end};
  if (read_row(ref->table, &u, a, row, e) != 0) return -1;
  if (table_check_row(ref->table, a, row, e) < 0) return -1;
  return store_put(ap->conn, ref->table, row, e);
}

static int flush_rows(applying *ap, dts_error *e) {
  enum { RESET_EVERY = 1024 };
  arena a = {0};
  value *row = memory_alloc(4096 * sizeof *row);
  int rc = 0;
  if (ap->count) qsort(ap->refs, ap->count, sizeof *ap->refs, compare_refs);
  for (size_t i = 0; rc == 0 && i < ap->count; i++) {
    const row_ref *ref = &ap->refs[i], *next = ref + 1;
    bool replaced = i + 1 < ap->count && ref->table->key_count && next->table == ref->table;
    for (size_t k = 0; replaced && k < ref->table->key_count; k++)
      replaced = compare_values(&ref->key[k], &next->key[k]) == 0;
    if (!replaced) rc = put_one(ap, ref, &a, row, e);
    if (i % RESET_EVERY == 0) arena_free(&a);
  }
  free(row);
  arena_free(&a);
  arena_free(&ap->keys);
  ap->count = 0;
  return rc;
}

static row_ref *add_ref(applying *ap) {
  if (ap->count == ap->capacity) {
    ap->capacity = ap->capacity ? 2 * ap->capacity : 256;
    ap->refs = memory_grow(ap->refs, ap->capacity * sizeof *ap->refs);
  }
  return &ap->refs[ap->count++];
}

static int remember_row(applying *ap, const table *t, unpack *u, value *row, dts_error *e) {
  const char *at = u->at;
  int got = read_row(t, u, &ap->keys, row, e);
  if (got != 0) return got;
  value *key = arena_alloc(&ap->keys, t->key_count * sizeof *key);
  for (size_t i = 0; i < t->key_count; i++) key[i] = row[t->key[i]];
  row_ref *ref = add_ref(ap);
  *ref = (row_ref){t, at, u->at, ap->count, key};
  return 0;
}

static int remember_rows(applying *ap, const table *t, unpack *u, dts_error *e) {
  value list;
  bool ended;
  if (unpack_next(u, &list, &ended, e) < 0) return -1;
  if (list.kind != VALUE_LIST || t->count > 4096)
    return error_fail(e, "WIRE", "rows of '%s' are not a list", t->name);
  value *row = memory_alloc(t->count * sizeof *row);
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < list.list.count; i++) rc = remember_row(ap, t, u, row, e);
  free(row);
  return rc < 0 ? -1 : 0;
}

static int apply_rows(applying *ap, const char *payload, size_t size, dts_error *e) {
  unpack u = {payload, payload + size};
  value map, key, name = {0};
  bool ended;
  const table *t = NULL;
  if (unpack_next(&u, &map, &ended, e) < 0) return -1;
  for (size_t i = 0; map.kind == VALUE_MAP && i < map.map.count; i++) {
    if (unpack_next(&u, &key, &ended, e) < 0) return -1;
    if (value_is(&key, "rows") && t) {
      if (remember_rows(ap, t, &u, e) < 0) return -1;
      continue;
    }
    if (unpack_next(&u, &name, &ended, e) < 0) return -1;
    if (!value_is(&key, "table") || name.kind != VALUE_TEXT) continue;
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)name.text.size, name.text.bytes);
    t = registry_table(ap->context->set, text);
    if (!t) return error_fail(e, "TABLE", "there is no table named '%s'", text);
  }
  return 0;
}

/* ---- all entries ---- */

static int apply_entry(applying *ap, wire_op op, const char *payload, size_t size, dts_error *e) {
  if (op == OP_ROWS) return apply_rows(ap, payload, size, e);
  if (ap->count && flush_rows(ap, e) < 0) return -1;
  arena a = {0};
  value effect;
  unpack u = {payload, payload + size};
  int rc = unpack_value(&u, &a, &effect, e);
  if (rc == 0) rc = stage_verb_apply(ap->conn, ap->context, &effect, e);
  arena_free(&a);
  return rc;
}

static int apply_bytes(applying *ap, const char *bytes, size_t size, dts_error *e) {
  for (size_t at = 0; at + ENTRY_HEAD <= size;) {
    uint32_t length;
    memcpy(&length, bytes + at + 1, sizeof length);
    const char *payload = bytes + at + ENTRY_HEAD;
    if (apply_entry(ap, (wire_op)(unsigned char)bytes[at], payload, length, e) < 0) return -1;
    at += ENTRY_HEAD + length;
  }
  return 0;
}

static int apply_file(stage *s, applying *ap, dts_error *e) {
  if (s->bytes.size && spill(s, e) < 0) return -1;
  fflush(s->file);
  void *bytes = mmap(NULL, s->in_file, PROT_READ, MAP_PRIVATE, fileno(s->file), 0);
  if (bytes == MAP_FAILED)
    return error_fail(e, "LIMIT_STAGE", "a run's rows could not be read back: %s", strerror(errno));
  int rc = apply_bytes(ap, bytes, s->in_file, e);
  if (rc == 0) rc = flush_rows(ap, e);
  munmap(bytes, s->in_file);
  return rc;
}

int stage_apply(stage *s, store_conn *c, const stage_context *context, dts_error *e) {
  applying ap = {.conn = c, .context = context};
  int rc;
  if (s->file)
    rc = apply_file(s, &ap, e);
  else {
    rc = apply_bytes(&ap, s->bytes.data, s->bytes.size, e);
    if (rc == 0) rc = flush_rows(&ap, e);
  }
  arena_free(&ap.keys);
  free(ap.refs);
  return rc;
}
