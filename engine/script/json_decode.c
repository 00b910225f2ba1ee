/* json_decode.c -- JSON tokens into Lua values: the decoding half of lib_json.h.
 *
 * The one idea: what repeats is made once. Texts up to a length are remembered by their bytes, so that
 * a key or a value that came before is pushed instead of made again (Lua texts never change, so
 * sharing is unseen); the items of a list or an object wait on the Lua stack until their number is
 * known, so that its table is made in its final size. A remembered text lives in a Lua table, its
 * bytes are found through a direct-mapped index: one slot for each hash, the newest stays.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <string.h>

#include "base/text.h"
#include "script/convert.h"
#include "script/fault.h"
#include "script/lib_json.h"
#include "script/rows.h"

#define READER "dts.json_reader"
enum { TEXTS = 1024, LONGEST = 128, WAITING = 64 };

typedef struct known {
  const char *bytes; /* of the Lua text at this slot of the list */
  size_t size;
} known;

typedef struct decoder {
  lua_State *L;
  json_reader *r;
  const json_rules *rules;
  known *texts; /* TEXTS of them */
  int list;     /* stack index of the Lua texts */
} decoder;

static int reader_gc(lua_State *L) {
  json_close(lua_touserdata(L, 1));
  return 0;
}

json_reader *json_push_reader(lua_State *L, const char *bytes, size_t size) {
  json_reader *r = lua_newuserdatauv(L, sizeof *r, 1);
  json_open(r, bytes, size);
  rows_set_gc(L, READER, reader_gc);
  return r;
}

int json_raise(lua_State *L, const json_reader *r, const char *origin) {
  dts_error e;
  json_fail(r, &e);
  if (!origin[0]) return fault_fail(L, "JSON", "%s", e.message);
  return fault_fail(L, "JSON", "%s (%s)", e.message, origin);
}

/* ── Remembered texts ── */

static uint64_t load(const char *bytes, size_t size) {
  uint64_t word = 0;
  memcpy(&word, bytes, size);
  return word;
}

/* Eight bytes at once, the last eight over those before: multiply and fold, as in wyhash. */
static size_t slot_of(const char *bytes, size_t size) {
  const uint64_t k = UINT64_C(0x9E3779B97F4A7C15);
  uint64_t h = size * k;
  size_t at = 0;
  for (; at + 8 <= size; at += 8) h = (h ^ load(bytes + at, 8)) * k, h ^= h >> 29;
  if (size >= 8)
    h = (h ^ load(bytes + size - 8, 8)) * k;
  else
    for (; at < size; at++) h = (h ^ (unsigned char)bytes[at]) * k;
  return (size_t)(h >> 40) % TEXTS;
}

static void push_text(const decoder *d, const char *bytes, size_t size) {
  if (!size || size > LONGEST) {
    lua_pushlstring(d->L, bytes, size);
    return;
  }
  size_t slot = slot_of(bytes, size);
  known *k = &d->texts[slot];
  if (k->size == size && memcmp(k->bytes, bytes, size) == 0) {
    lua_rawgeti(d->L, d->list, (lua_Integer)slot + 1);
    return;
  }
  const char *made = lua_pushlstring(d->L, bytes, size);
  lua_pushvalue(d->L, -1);
  lua_rawseti(d->L, d->list, (lua_Integer)slot + 1); /* room was made: this raises nothing */
  *k = (known){made, size};
}

static const char remembered = 0;

/* Pushes the list; its index is a userdata beside it in the registry, made the first time. */
static known *push_remembered(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &remembered) == LUA_TNIL) {
    lua_pop(L, 1);
    memset(lua_newuserdatauv(L, TEXTS * sizeof(known), 1), 0, TEXTS * sizeof(known));
    lua_createtable(L, TEXTS, 0);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &remembered);
  }
  known *texts = lua_touserdata(L, -1);
  lua_getiuservalue(L, -1, 1);
  lua_remove(L, -2);
  return texts;
}

/* ── Lists and objects ── */

static void push_value(const decoder *d, json_token token);

static void keep_null(const decoder *d, bool keep) {
  if (keep && lua_isnil(d->L, -1)) lua_pop(d->L, 1), convert_push_null(d->L);
}

/* The `count` items above `base` go into a new table at `base`. */
static void settle_list(lua_State *L, int base, int count, int room) {
  lua_createtable(L, room, 0);
  lua_replace(L, base);
  for (int i = count; i > 0; i--) lua_rawseti(L, base, i);
}

static void push_list(const decoder *d) {
  lua_State *L = d->L;
  int base = lua_gettop(L) + 1;
  lua_Integer count = 0;
  lua_pushnil(L);
  for (json_token t; (t = json_next(d->r)) != JSON_LIST_END;) {
    push_value(d, t);
    keep_null(d, true);
    if (++count == WAITING)
      settle_list(L, base, WAITING, 2 * WAITING);
    else if (count > WAITING)
      lua_rawseti(L, base, count);
  }
  if (count < WAITING) settle_list(L, base, (int)count, (int)count);
  if (!count) convert_mark_list(L, base);
}

/* In their order, so that of equal keys the last one stays. */
static void settle_map(lua_State *L, int base, int count, int room) {
  lua_createtable(L, 0, room);
  for (int at = base + 1; at <= base + 2 * count; at += 2) {
    lua_pushvalue(L, at);
    lua_pushvalue(L, at + 1);
    lua_rawset(L, -3);
  }
  lua_replace(L, base);
  lua_settop(L, base);
}

static void push_map(const decoder *d) {
  lua_State *L = d->L;
  int base = lua_gettop(L) + 1, count = 0;
  lua_pushnil(L);
  for (json_token t; (t = json_next(d->r)) != JSON_MAP_END;) {
    if (t == JSON_ERROR) json_raise(L, d->r, d->rules->origin);
    push_text(d, d->r->text, d->r->size);
    push_value(d, json_next(d->r));
    keep_null(d, d->rules->nulls);
    if (count < WAITING && ++count == WAITING)
      settle_map(L, base, WAITING, 2 * WAITING);
    else if (count == WAITING)
      lua_rawset(L, base);
  }
  if (count < WAITING) settle_map(L, base, count, count);
}

static int refuse_twice(const decoder *d) {
  char shown[TEXT_SHORT];
  size_t line, column;
  const json_rules *rules = d->rules;
  json_place(d->r, d->r->token, &line, &column);
  text_shorten(shown, d->r->text, d->r->size);
  return fault_fail(
      d->L, "JSON", "line %d, column %d: the key %s is there twice in one object%s%s%s", (int)line,
      (int)column, shown, rules->origin[0] ? " (" : "", rules->origin, rules->origin[0] ? ")" : "");
}

/* As push_map, and no key may be there twice: a set of those seen lies above the object. */
static void push_unique_map(const decoder *d) {
  lua_State *L = d->L;
  lua_newtable(L);
  lua_newtable(L);
  int map = lua_gettop(L) - 1, seen = map + 1;
  for (json_token t; (t = json_next(d->r)) != JSON_MAP_END;) {
    if (t == JSON_ERROR) json_raise(L, d->r, d->rules->origin);
    push_text(d, d->r->text, d->r->size);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, seen) != LUA_TNIL) refuse_twice(d);
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushboolean(L, true);
    lua_rawset(L, seen);
    push_value(d, json_next(d->r));
    keep_null(d, d->rules->nulls);
    lua_rawset(L, map);
  }
  lua_pop(L, 1);
}

static void push_value(const decoder *d, json_token token) {
  lua_State *L = d->L;
  switch (token) {
  case JSON_TEXT: push_text(d, d->r->text, d->r->size); break;
  case JSON_LIST:
    luaL_checkstack(L, WAITING + 8, "a deep value");
    push_list(d);
    break;
  case JSON_MAP:
    luaL_checkstack(L, 2 * WAITING + 8, "a deep value");
    if (d->rules->unique)
      push_unique_map(d);
    else
      push_map(d);
    break;
  case JSON_INTEGER: lua_pushinteger(L, d->r->integer); break;
  case JSON_REAL: lua_pushnumber(L, d->r->real); break;
  case JSON_TRUE:
  case JSON_FALSE: lua_pushboolean(L, token == JSON_TRUE); break;
  case JSON_NULL: lua_pushnil(L); break;
  default: json_raise(L, d->r, d->rules->origin);
  }
}

void json_push_value(lua_State *L, json_reader *r, json_token token, const json_rules *rules) {
  luaL_checkstack(L, 8, "a value");
  known *texts = push_remembered(L);
  decoder d = {L, r, rules, texts, lua_gettop(L)};
  push_value(&d, token);
  lua_remove(L, d.list);
}
