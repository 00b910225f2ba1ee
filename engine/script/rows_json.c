/* rows_json.c -- the records of one JSON document, found under a path and given one by one.
 *
 * The document's text is held, its values are not: only the record that is given exists as a Lua table.
 * A path "data.items" goes through names; a list on the way is gone through item by item, or a whole
 * number names one of them, from 1. Without a path the records are the items of the outermost list,
 * or the one outermost object.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/convert.h"
#include "script/fault.h"
#include "script/lib_json.h"
#include "script/rows.h"
#include "script/rows_feed.h"
#include "script/script.h"

#define READER "dts.record_reader"
enum { STEPS = 16, DEPTH = 64, ALL = -1 };

typedef struct reader {
  feed feed;
  buffer text;
  json_reader json;
  char path[256];
  const char *steps[STEPS]; /* the path's names */
  size_t sizes[STEPS];
  unsigned long numbers[STEPS]; /* of a list's item; 0: a name */
  int step_count;
  struct {
    bool map;
    int step; /* how many names lie behind; ALL: its items are records */
    unsigned long item;
  } levels[DEPTH];
  int depth;
  bool open, begun, met;
  int deepest;     /* how many names of the path were found */
  char there[160]; /* and what stands there instead of the next one */
} reader;

static int reader_gc(lua_State *L) {
  reader *r = lua_touserdata(L, 1);
  if (r->open) json_close(&r->json), feed_close(&r->feed), buffer_free(&r->text);
  r->open = false;
  return 0;
}

static json_token next_token(lua_State *L, reader *r) {
  json_token t = json_next(&r->json);
  if (t == JSON_ERROR) json_raise(L, &r->json, r->feed.origin);
  return t;
}

static void skip(lua_State *L, reader *r, json_token t) {
  size_t depth = 0;
  for (;; t = next_token(L, r)) {
    if (t == JSON_LIST || t == JSON_MAP) depth++;
    if (t == JSON_LIST_END || t == JSON_MAP_END) depth--;
    if (!depth && t != JSON_KEY) return;
  }
}

static void enter(lua_State *L, reader *r, bool map, int step) {
  if (r->depth == DEPTH) fault_fail(L, "JSON", "the records lie too deep (%s)", r->feed.origin);
  r->levels[r->depth].map = map;
  r->levels[r->depth].item = 0;
  r->levels[r->depth++].step = step;
}

/* For the message when the path leads nowhere: the names of the first object that lacks one. */
static void note_name(reader *r, int step) {
  size_t used = strlen(r->there), size = r->json.size;
  if (step > r->deepest) r->deepest = step, used = 0, r->there[0] = 0;
  if (r->met || step < r->deepest || used + size + 8 > sizeof r->there) return;
  snprintf(r->there + used, sizeof r->there - used, "%s%.*s", used ? ", " : "", (int)size,
           r->json.text);
}

void rows_push_record(lua_State *L, json_reader *json, json_token t, const char *origin) {
  bool table = t == JSON_MAP || t == JSON_LIST;
  if (!table) lua_createtable(L, 0, 1);
  json_push_value(L, json, t, &(json_rules){.origin = origin});
  if (!table) lua_setfield(L, -2, "value");
}

static void push_record(lua_State *L, reader *r, json_token t) {
  rows_push_record(L, &r->json, t, r->feed.origin);
}

/* The value that begins with t, `step` names down: true when it was a record and has been pushed. */
static bool take(lua_State *L, reader *r, json_token t, int step) {
  if (step == ALL) return push_record(L, r, t), true;
  if (step == r->step_count) {
    r->met = true;
    if (t == JSON_NULL) return false;
    if (t == JSON_LIST) return enter(L, r, false, ALL), false;
    return push_record(L, r, t), true;
  }
  if (t == JSON_MAP)
    enter(L, r, true, step);
  else if (t == JSON_LIST)
    enter(L, r, false, step);
  return false;
}

static bool is_wanted(const reader *r, int step) {
  return r->json.size == r->sizes[step] && memcmp(r->json.text, r->steps[step], r->json.size) == 0;
}

/* The next item of a list: the path may name one of them. */
static bool take_item(lua_State *L, reader *r, json_token t, int step) {
  unsigned long wanted = step < 0 ? 0 : r->numbers[step];
  if (!wanted) return take(L, r, t, step);
  if (++r->levels[r->depth - 1].item == wanted) return take(L, r, t, step + 1);
  return skip(L, r, t), false;
}

static bool advance(lua_State *L, reader *r) {
  int step = r->levels[r->depth - 1].step;
  json_token t = next_token(L, r);
  if (t == JSON_LIST_END || t == JSON_MAP_END) return r->depth--, false;
  if (!r->levels[r->depth - 1].map) return take_item(L, r, t, step);
  bool wanted = is_wanted(r, step);
  if (!wanted) note_name(r, step);
  t = next_token(L, r);
  if (wanted) return take(L, r, t, step + 1);
  return skip(L, r, t), false;
}

static int fail_absent(lua_State *L, const reader *r) {
  char has[512] = "";
  int last = r->deepest - 1;
  int size = last < 0 ? 0 : (int)(r->steps[last] - r->path) + (int)r->sizes[last];
  if (r->there[0] && size)
    snprintf(has, sizeof has, "; '%.*s' has %s", size, r->path, r->there);
  else if (r->there[0])
    snprintf(has, sizeof has, "; it has %s", r->there);
  return fault_fail(L, "ROWS", "there is nothing at '%s' in %s%s", r->path, r->feed.origin, has);
}

static int give_record(lua_State *L) {
  reader *r = lua_touserdata(L, lua_upvalueindex(1));
  lua_settop(L, 0);
  if (!r->open) return 0;
  if (!r->begun) {
    r->begun = true;
    if (take(L, r, next_token(L, r), 0)) return 1;
  }
  while (r->depth)
    if (advance(L, r)) return 1;
  if (next_token(L, r) == JSON_END && !r->met) return fail_absent(L, r);
  lua_pushvalue(L, lua_upvalueindex(1));
  return reader_gc(L);
}

static void read_path(lua_State *L, reader *r, const char *path) {
  size_t size = strlen(path);
  if (size >= sizeof r->path) fault_fail(L, "ROWS", "`at` is too long");
  memcpy(r->path, path, size + 1);
  for (const char *at = r->path; *at;) {
    const char *end = strchrnul(at, '.');
    if (r->step_count == STEPS) fault_fail(L, "ROWS", "`at` has more than %d names", STEPS);
    r->steps[r->step_count] = at;
    r->sizes[r->step_count] = (size_t)(end - at);
    size_t digits = strspn(at, "0123456789");
    if (digits == (size_t)(end - at)) r->numbers[r->step_count] = strtoul(at, NULL, 10);
    r->step_count++;
    at = *end ? end + 1 : end;
  }
}

/* json(body, at?, encoding?, origin) */
int rows_json(lua_State *L) {
  body *b = body_check(L, 1);
  const char *path = luaL_optstring(L, 2, ""), *origin = luaL_optstring(L, 4, "a text");
  lua_settop(L, 4);
  reader *r = lua_newuserdatauv(L, sizeof *r, 1);
  memset(r, 0, sizeof *r);
  rows_set_gc(L, READER, reader_gc);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, 5, 1);
  size_t limit = script_of(L)->memory_limit;
  buffer_init(&r->text, limit ? limit / 2 : (size_t)1 << 30);
  r->open = true;
  read_path(L, r, path);
  feed_open(L, &r->feed, b, 3, origin);
  feed_all(L, &r->feed, &r->text);
  json_open(&r->json, r->text.data ? r->text.data : "", r->text.size);
  lua_pushcclosure(L, give_record, 1);
  return 1;
}
