/* zone_file.c -- opening a zone: its name, its TZif file (RFC 9636), the rule in its footer.
 *
 * The files are the system's, but are read as if they were not: every count is checked against the
 * bytes that are there. Files with leap seconds ("right/...") are refused: our instants have none.
 *
 * SPDX-License-Identifier: MIT */
#include "format/zone_file.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "format/zone.h"

static const char FOLDER[] = "/usr/share/zoneinfo";
enum { FILE_LIMIT = 1 << 20, HEAD_SIZE = 44 };

typedef struct head {
  size_t isut, isstd, leap, time, type, chars;
} head;

static uint32_t big32(const char *p) {
  const unsigned char *b = (const unsigned char *)p;
  return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int64_t big64(const char *p) { return (int64_t)((uint64_t)big32(p) << 32 | big32(p + 4)); }

/* RFC 9636, section 3.1. The counts are small enough never to overflow a sum of products. */
static int head_read(const char *p, size_t size, head *h) {
  if (size < HEAD_SIZE || memcmp(p, "TZif", 4) != 0 || p[4] < '2') return -1;
  size_t *const to[] = {&h->isut, &h->isstd, &h->leap, &h->time, &h->type, &h->chars};
  for (int i = 0; i < 6; i++) {
    *to[i] = big32(p + 20 + (ptrdiff_t)4 * i);
    if (*to[i] > FILE_LIMIT) return -1;
  }
  return 0;
}

static size_t body_size(const head *h, size_t time_size) {
  return h->time * (time_size + 1) + h->type * 6 + h->chars + h->leap * (time_size + 4) + h->isstd +
         h->isut;
}

/* The changes of the second block, whose times take 64 bits (section 3.2). */
static int table_read(const char *p, const head *h, zone *z) {
  const char *index = p + h->time * 8, *types = index + h->time;
  if (h->type == 0) return -1;
  z->first = (int)big32(types);
  z->at = memory_alloc((h->time + 1) * sizeof *z->at);
  z->offset = memory_alloc((h->time + 1) * sizeof *z->offset);
  for (size_t i = 0; i < h->time; i++) {
    size_t type = (unsigned char)index[i];
    if (type >= h->type) return -1;
    z->at[i] = big64(p + 8 * i);
    z->offset[i] = (int32_t)big32(types + 6 * type);
    if (i > 0 && z->at[i] <= z->at[i - 1]) return -1;
    if (z->offset[i] < -93600 || z->offset[i] > 93600) return -1;
  }
  z->count = h->time;
  return z->first < -93600 || z->first > 93600 ? -1 : 0;
}

/* The footer: a newline, a TZ string that may be empty, a newline (section 3.3). */
static int footer_read(const char *p, size_t size, zone *z) {
  if (size < 2 || p[0] != '\n') return -1;
  const char *end = memchr(p + 1, '\n', size - 1);
  if (!end) return -1;
  if (end == p + 1) return 0;
  return zone_rule_read(p + 1, (size_t)(end - p - 1), &z->rule);
}

int zone_file_read(const char *bytes, size_t size, zone *out, const char **why) {
  head h;
  *why = "it is no TZif file of version 2 or later";
  if (head_read(bytes, size, &h) != 0) return -1;
  size_t skip = HEAD_SIZE + body_size(&h, 4);
  if (skip > size || head_read(bytes + skip, size - skip, &h) != 0) return -1;
  skip += HEAD_SIZE;
  size_t body = body_size(&h, 8);
  *why = "it is cut short or damaged";
  if (body > size - skip || table_read(bytes + skip, &h, out) != 0) return -1;
  if (footer_read(bytes + skip + body, size - skip - body, out) != 0) return -1;
  *why = "it counts leap seconds";
  return h.leap == 0 ? 0 : -1;
}

/* Names are paths below the folder: letters, digits and _ + - between slashes, and no dots. */
static bool good_name(const char *name) {
  size_t size = strlen(name);
  if (size == 0 || size >= sizeof((zone *)0)->name) return false;
  for (size_t i = 0; i < size; i++) {
    char c = name[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    bool starts = i == 0 || name[i - 1] == '/';
    if (!letter && (starts || !strchr("_+-/", c))) return false;
  }
  return name[size - 1] != '/';
}

static zone *make(const char *name) {
  zone *z = memory_alloc(sizeof *z);
  snprintf(z->name, sizeof z->name, "%s", name);
  return z;
}

static bool is_utc(const char *name) {
  return strcmp(name, "UTC") == 0 || strcmp(name, "Etc/UTC") == 0;
}

int zone_bytes(const char *name, buffer *out, dts_error *e) {
  char path[128];
  if (is_utc(name)) return 0;
  if (!good_name(name) || strncmp(name, "right/", 6) == 0) return zone_unknown(name, e), -1;
  snprintf(path, sizeof path, "%s/%s", FOLDER, name);
  return file_read(path, FILE_LIMIT, out, NULL) == 0 ? 0 : (zone_unknown(name, e), -1);
}

zone *zone_read(const char *name, const char *bytes, size_t size, dts_error *e) {
  const char *why;
  zone *z = make(name);
  if (is_utc(name) || zone_file_read(bytes, size, z, &why) == 0) return z;
  error_fail(e, "ZONE", "time zone '%s' cannot be read from %s: %s", name, FOLDER, why);
  zone_close(z);
  return NULL;
}

zone *zone_open(const char *name, dts_error *e) {
  buffer b;
  buffer_init(&b, FILE_LIMIT);
  zone *z = zone_bytes(name, &b, e) < 0 ? NULL : zone_read(name, b.data, b.size, e);
  buffer_free(&b);
  return z;
}
