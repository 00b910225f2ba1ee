/* lib_rows.c -- Lua: local rows = require "dts.rows"   (engine Lua only; body.lua and records.lua use it)
 *
 * The readers of records and the small things around them: what a body begins with, one field's value,
 * a line of CSV.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <string.h>

#include "format/csv.h"
#include "script/convert.h"
#include "script/fault.h"
#include "script/lib_json.h"
#include "script/libs.h"
#include "script/rows.h"
#include "script/rows_cell.h"
#include "script/rows_feed.h"
#include "script/script.h"

#define FEED "dts.feed"

void rows_set_gc(lua_State *L, const char *type, lua_CFunction gc) {
  if (luaL_newmetatable(L, type)) {
    lua_pushcfunction(L, gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
}

shape_type rows_type(const char *name) {
  static const char *const names[] = {"text", "integer",   "real", "boolean",
                                      "date", "timestamp", "json"};
  for (int i = 0; name && i < 7; i++)
    if (strcmp(names[i], name) == 0) return (shape_type)i;
  return SHAPE_TEXT;
}

void rows_read_rule(lua_State *L, int index, cell_rule *rule) {
  *rule = (cell_rule){0};
  if (lua_getfield(L, index, "decimal") == LUA_TSTRING) rule->decimal = *lua_tostring(L, -1);
  if (lua_getfield(L, index, "dates") == LUA_TTABLE) {
    for (int i = 0; i < CELL_FORMATS; i++, lua_pop(L, 1)) {
      lua_rawgeti(L, -1, i + 1);
      rule->dates[i] = lua_tostring(L, -1);
    }
  }
  lua_getfield(L, index, "zone");
  rule->zone = libs_zone(L, -1);
  lua_pop(L, 3);
}

static int parse_json(lua_State *L) {
  size_t size;
  const char *text = lua_tolstring(L, 1, &size);
  json_reader *r = json_push_reader(L, text, size);
  json_push_value(L, r, json_next(r), &(json_rules){.origin = ""});
  if (json_next(r) != JSON_END) json_raise(L, r, "");
  json_close(r);
  return 1;
}

bool rows_push_json(lua_State *L, const char *text, size_t size) {
  lua_pushcfunction(L, parse_json);
  lua_pushlstring(L, text, size);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return true;
  lua_pop(L, 1);
  return false;
}

/* ── Beginnings ── */

static int feed_gc(lua_State *L) {
  feed_close(lua_touserdata(L, 1));
  return 0;
}

/* A feed as a userdata, over the body at 1. */
static feed *push_feed(lua_State *L, int encodings, const char *origin) {
  feed *f = lua_newuserdatauv(L, sizeof *f, 1);
  memset(f, 0, sizeof *f);
  rows_set_gc(L, FEED, feed_gc);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  feed_open(L, f, body_check(L, 1), encodings, origin);
  return f;
}

/* start(body) -> its first bytes, without a byte order mark */
static int rows_start(lua_State *L) {
  char bytes[1024];
  text_encoding found;
  body *b = body_check(L, 1);
  size_t before = b->at;
  b->at = 0;
  size_t got = body_read(L, b, bytes, sizeof bytes), bom = text_bom(bytes, got, &found);
  b->at = before;
  buffer text;
  buffer_init(&text, 8192);
  if (bom && (found == TEXT_UTF16LE || found == TEXT_UTF16BE)) {
    text_from_utf16(&text, bytes + bom, (got - bom) & ~(size_t)1, found == TEXT_UTF16BE);
    lua_pushlstring(L, buffer_text(&text), text.size);
  } else {
    lua_pushlstring(L, bytes + bom, got - bom);
  }
  buffer_free(&text);
  return 1;
}

static bool is_document(const char *text, size_t size) {
  arena a = {0};
  value v;
  bool is = json_read(&a, text, size, &v, NULL) == 0 && v.kind == VALUE_MAP;
  arena_free(&a);
  return is;
}

/* is_ndjson(body): its first line is a whole JSON object. */
static int rows_is_ndjson(lua_State *L) {
  lua_settop(L, 1);
  lua_pushnil(L);
  feed *f = push_feed(L, 2, "a text");
  bool is = false;
  if (feed_next(L, f)) {
    const char *end = f->text.size ? memchr(f->text.data, '\n', f->text.size) : NULL;
    size_t size = end ? (size_t)(end - f->text.data) : f->text.size;
    is = (end || f->ended) && is_document(f->text.data, size);
  }
  feed_close(f);
  lua_pushboolean(L, is);
  return 1;
}

/* text(body, encoding?, origin) -> all of it, as UTF-8 */
static int rows_text(lua_State *L) {
  const char *origin = luaL_optstring(L, 3, "a text");
  lua_settop(L, 3);
  size_t limit = script_of(L)->memory_limit;
  feed *f = push_feed(L, 2, origin);
  buffer *b = json_push_buffer(L, limit ? limit / 2 : (size_t)1 << 30);
  feed_all(L, f, b);
  lua_pushlstring(L, b->size ? b->data : "", b->size);
  buffer_free(b);
  return 1;
}

/* ── Fields ── */

/* cell(type, text, shape) -> true, value · or false, what was expected, a hint, what would read it? */
static int rows_cell(lua_State *L) {
  char scratch[CELL_SCRATCH], wanted[128], hint[CELL_HINT];
  size_t size;
  shape_type type = rows_type(luaL_checkstring(L, 1));
  const char *text = luaL_checklstring(L, 2, &size);
  cell_rule rule;
  luaL_checktype(L, 3, LUA_TTABLE);
  rows_read_rule(L, 3, &rule);
  value v = value_null();
  bool good;
  if (type == SHAPE_JSON)
    good = rows_push_json(L, text, size);
  else if ((good = cell_read(&rule, type, text, size, scratch, &v) == 0))
    convert_push(L, &v);
  if (good) return lua_pushboolean(L, true), lua_insert(L, -2), 2;
  lua_pushboolean(L, false);
  lua_pushstring(L, cell_expected(&rule, type, wanted));
  const char *cure = cell_cure(&rule, type, text, size, hint);
  lua_pushstring(L, cure ? cure : CELL_NO_CURE);
  lua_pushstring(L, cure);
  return 4;
}

/* csv_line(fields, delimiter, guarded) -> a line with its end */
static int rows_csv_line(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  const char *delimiter = luaL_checkstring(L, 2);
  size_t count = lua_rawlen(L, 1), size;
  bool guarded = lua_toboolean(L, 3);
  buffer *b = json_push_buffer(L, (size_t)64 * 1024 * 1024);
  for (size_t i = 1; i <= count; i++, lua_pop(L, 1)) {
    lua_rawgeti(L, 1, (lua_Integer)i);
    const char *text = luaL_checklstring(L, -1, &size);
    if (i > 1) buffer_add_char(b, delimiter[0]);
    csv_write_field(b, text, size, delimiter[0], guarded);
  }
  buffer_add_char(b, '\n');
  if (b->failed) return fault_fail(L, "LIMIT_SIZE", "a line of CSV may have 64 MB");
  lua_pushlstring(L, b->data, b->size);
  buffer_free(b);
  return 1;
}

int luaopen_dts_rows(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"cell", rows_cell},         {"csv", rows_csv},
      {"csv_line", rows_csv_line}, {"is_ndjson", rows_is_ndjson},
      {"json", rows_json},         {"lines", rows_lines},
      {"ndjson", rows_ndjson},     {"start", rows_start},
      {"text", rows_text},         {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
