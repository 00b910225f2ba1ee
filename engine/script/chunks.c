/* chunks.c -- see chunks.h. Tests bring modules as text: the bytes themselves tell which they are.
 *
 * SPDX-License-Identifier: MIT */
#include "script/chunks.h"

#include <lauxlib.h>
#include <string.h>

#include "base/embed.h"

/* "dts/init.lua" is module dts, "dts/table.lua" is dts.table. */
static bool is_module(const char *file, const char *name) {
  for (; *name; name++, file++)
    if (*file != (*name == '.' ? '/' : *name)) return false;
  return strcmp(file, ".lua") == 0 || strcmp(file, "/init.lua") == 0;
}

bool chunks_push(lua_State *L, const char *name) {
  const embed_file *f = embed_lua;
  while (f->name && !is_module(f->name, name)) f++;
  if (!f->name) return false;
  const char *chunk = lua_pushfstring(L, "@%s", f->name);
  if (luaL_loadbuffer(L, f->bytes, (size_t)(f->end - f->bytes), chunk)) lua_error(L);
  lua_remove(L, -2);
  return true;
}
