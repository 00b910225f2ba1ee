/* rows_lines.c -- a body line by line, as texts or as one JSON document each (NDJSON).
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "script/fault.h"
#include "script/lib_json.h"
#include "script/rows.h"
#include "script/rows_feed.h"

#define READER "dts.line_reader"
enum { LINE_LIMIT = 16 * 1024 * 1024 };

typedef struct reader {
  feed feed;
  buffer held; /* fed and not yet given, from `taken` */
  size_t taken;
  lua_Integer line;
  bool open;
} reader;

static int reader_gc(lua_State *L) {
  reader *r = lua_touserdata(L, 1);
  if (r->open) feed_close(&r->feed), buffer_free(&r->held);
  r->open = false;
  return 0;
}

static int line_too_long(lua_State *L, const reader *r) {
  return fault_fail(L, "LIMIT_SIZE", "line %lld of %s is longer than 16 MB", (long long)r->line + 1,
                    r->feed.origin);
}

/* The next line without its end; false when there is none. */
static bool next_line(lua_State *L, reader *r, const char **text, size_t *size) {
  for (;;) {
    const char *start = r->held.data + r->taken;
    size_t left = r->held.size - r->taken;
    const char *end = left ? memchr(start, '\n', left) : NULL;
    if (!end && r->feed.ended && left) end = start + left;
    if (end) {
      *text = start;
      *size = (size_t)(end - start);
      r->taken += *size + (*size < left ? 1 : 0);
      if (*size && start[*size - 1] == '\r') --*size;
      r->line++;
      return true;
    }
    buffer_drop(&r->held, r->taken);
    r->taken = 0;
    if (!feed_next(L, &r->feed)) return false;
    buffer_add(&r->held, r->feed.text.data ? r->feed.text.data : "", r->feed.text.size);
    if (r->held.failed) line_too_long(L, r);
  }
}

static int give_line(lua_State *L) {
  reader *r = lua_touserdata(L, lua_upvalueindex(1));
  const char *text;
  size_t size;
  if (!next_line(L, r, &text, &size)) return 0;
  lua_pushlstring(L, text, size);
  lua_pushinteger(L, r->line);
  return 2;
}

static bool is_blank(const char *text, size_t size) {
  while (size && strchr(" \t\r\x1e", *text)) text++, size--; /* 1e: RFC 7464's record mark */
  return !size;
}

static int give_record(lua_State *L) {
  reader *r = lua_touserdata(L, lua_upvalueindex(1));
  const char *text;
  char origin[200];
  size_t size;
  do {
    if (!next_line(L, r, &text, &size)) return 0;
  } while (is_blank(text, size));
  if (*text == '\x1e') text++, size--;
  snprintf(origin, sizeof origin, "line %lld of %.150s", (long long)r->line, r->feed.origin);
  json_reader *json = json_push_reader(L, text, size);
  rows_push_record(L, json, json_next(json), origin);
  if (json_next(json) != JSON_END) json_raise(L, json, origin);
  json_close(json);
  lua_pushinteger(L, r->line);
  return 2;
}

/* Stack: body, encoding?, origin. */
static int open_reader(lua_State *L, lua_CFunction next) {
  body *b = body_check(L, 1);
  const char *origin = luaL_optstring(L, 3, "a text");
  lua_settop(L, 3);
  reader *r = lua_newuserdatauv(L, sizeof *r, 1);
  memset(r, 0, sizeof *r);
  rows_set_gc(L, READER, reader_gc);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, 4, 1);
  buffer_init(&r->held, LINE_LIMIT);
  r->open = true;
  feed_open(L, &r->feed, b, 2, origin);
  lua_pushcclosure(L, next, 1);
  return 1;
}

int rows_lines(lua_State *L) { return open_reader(L, give_line); }
int rows_ndjson(lua_State *L) { return open_reader(L, give_record); }
