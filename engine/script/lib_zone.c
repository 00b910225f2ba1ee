/* lib_zone.c -- Lua: local zone = require "dts.zone"   (engine Lua only; dts.date is made from it)
 *
 * zone.read(name, bytes) gives a time zone whose file the engine has read, since a caged worker opens none.
 * What a wall shows is written like an instant ("2026-03-29T02:30:00.000Z") and is none.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>

#include "format/date.h"
#include "format/zone.h"
#include "script/fault.h"
#include "script/libs.h"

#define ZONE "dts.zone"

static zone *check_zone(lua_State *L) {
  zone **z = luaL_checkudata(L, 1, ZONE);
  luaL_argcheck(L, *z, 1, "an open zone expected");
  return *z;
}

zone *libs_zone(lua_State *L, int index) {
  zone **z = luaL_testudata(L, index, ZONE);
  return z ? *z : NULL;
}

static int zone_gc(lua_State *L) {
  zone **z = luaL_checkudata(L, 1, ZONE);
  zone_close(*z);
  *z = NULL;
  return 0;
}

static int64_t check_instant(lua_State *L, int index) {
  size_t size;
  int64_t ms;
  const char *text = luaL_checklstring(L, index, &size);
  if (timestamp_read(text, size, &ms) < 0)
    fault_fail(L, "DATE", "a timestamp with an offset expected, got \"%s\"", text);
  return ms;
}

static void push_instant(lua_State *L, int64_t ms) {
  char text[25];
  if (ms < TIMESTAMP_MIN || ms > TIMESTAMP_MAX)
    fault_fail(L, "DATE", "an instant outside of the years 1 to 9999");
  timestamp_write(ms, text);
  lua_pushstring(L, text);
}

/* z:wall(instant) -> what the wall shows, seconds ahead of UTC */
static int zone_wall(lua_State *L) {
  zone *z = check_zone(L);
  int64_t utc = check_instant(L, 2);
  push_instant(L, zone_local(z, utc));
  lua_pushinteger(L, zone_offset(z, utc));
  return 2;
}

/* z:instant(wall) -> instant · the first, "repeated", the second · the end of the gap, "missing" */
static int zone_find(lua_State *L) {
  zone *z = check_zone(L);
  int64_t wall = check_instant(L, 2), found[2];
  int count = zone_resolve(z, wall, found);
  push_instant(L, count ? found[0] : zone_instant(z, wall));
  if (count == 1) return 1;
  lua_pushstring(L, count ? "repeated" : "missing");
  if (count) push_instant(L, found[1]);
  return count ? 3 : 2;
}

static int zone_open_bytes(lua_State *L) {
  size_t size;
  dts_error e;
  const char *name = luaL_checkstring(L, 1), *bytes = luaL_checklstring(L, 2, &size);
  zone **z = lua_newuserdatauv(L, sizeof *z, 0);
  *z = NULL;
  luaL_setmetatable(L, ZONE);
  *z = zone_read(name, bytes, size, &e);
  return *z ? 1 : fault_raise(L, &e);
}

int luaopen_dts_zone(lua_State *L) {
  static const luaL_Reg methods[] = {{"instant", zone_find}, {"wall", zone_wall}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"read", zone_open_bytes}, {NULL, NULL}};
  if (luaL_newmetatable(L, ZONE)) {
    lua_pushcfunction(L, zone_gc);
    lua_setfield(L, -2, "__gc");
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
  }
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
