/* spec.c -- see spec.h. A spec is the developer's own code: all of Lua's libraries, files, no
 * limits. Debian's busted lives in /usr/share/lua/5.4; it ends the process by os.exit when a spec
 * fails.
 *
 * SPDX-License-Identifier: MIT */
#include "script/spec.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <sys/stat.h>

#include "script/fault.h"
#include "script/script.h"

enum { SOCKET = 3 };

static const char bootstrap[] =
    "package.path = './?.lua;./?/init.lua;/usr/share/lua/5.4/?.lua;/usr/share/lua/5.4/?/init.lua'\n"
    "package.cpath = "
    "'/usr/lib/x86_64-linux-gnu/lua/5.4/?.so;/usr/lib/aarch64-linux-gnu/lua/5.4/?.so'\n"
    "local found, runner = pcall(require, 'busted.runner')\n"
    "if not found then\n"
    "  io.stderr:write('dts test needs busted: apt-get install lua-busted\\n')\n"
    "  os.exit(2)\n"
    "end\n"
    "runner { standalone = false }\n";

static int run(lua_State *L) {
  if (luaL_loadbufferx(L, bootstrap, sizeof bootstrap - 1, "@dts/spec", "t")) return lua_error(L);
  lua_call(L, 0, 0);
  return 0;
}

static void set_arguments(lua_State *L, int count, char **arguments) {
  lua_createtable(L, count, 1);
  lua_pushliteral(L, "dts test");
  lua_rawseti(L, -2, 0);
  for (int i = 0; i < count; i++) {
    lua_pushstring(L, arguments[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setglobal(L, "arg");
}

int spec_run(int count, char **arguments) {
  struct stat info;
  script *s = script_open(true);
  if (!s) return 2;
  if (fstat(SOCKET, &info) == 0 && S_ISSOCK(info.st_mode)) s->socket = SOCKET;
  set_arguments(s->L, count, arguments);
  lua_pushcfunction(s->L, fault_handler);
  lua_pushcfunction(s->L, run);
  int status = lua_pcall(s->L, 0, 0, -2);
  if (status != LUA_OK) fprintf(stderr, "%s\n", luaL_tolstring(s->L, -1, NULL));
  script_close(s);
  return status == LUA_OK ? 0 : 1;
}
