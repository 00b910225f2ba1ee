/* bytecode.c -- dts-bytecode FILE NAME OUT: compiles a file of the engine's own Lua, as chunk @NAME.
 *
 * It runs while dts is built, so that no worker parses what was the same on every start. Lines and
 * names stay in: messages and tracebacks read as they do of text. It must not be shipped.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

static int write_piece(lua_State *L, const void *bytes, size_t size, void *out) {
  (void)L;
  return fwrite(bytes, 1, size, out) != size;
}

/* The file is read here: luaL_loadfilex would take its path for the chunk's name. */
static int compile(lua_State *L, const char *file, const char *name, FILE *out) {
  luaL_Buffer text;
  FILE *in = fopen(file, "rb");
  if (!in) return luaL_error(L, "%s cannot be read", file);
  luaL_buffinit(L, &text);
  for (size_t got; (got = fread(luaL_prepbuffer(&text), 1, LUAL_BUFFERSIZE, in));)
    luaL_addsize(&text, got);
  fclose(in);
  luaL_pushresult(&text);
  const char *chunk = lua_pushfstring(L, "@%s", name);
  if (luaL_loadbufferx(L, lua_tostring(L, -2), lua_rawlen(L, -2), chunk, "t")) lua_error(L);
  return lua_dump(L, write_piece, out, 0);
}

static int run(lua_State *L) {
  char **arguments = lua_touserdata(L, 1);
  FILE *out = fopen(arguments[3], "wb");
  if (!out) return luaL_error(L, "%s cannot be written", arguments[3]);
  int bad = compile(L, arguments[1], arguments[2], out);
  if (fclose(out) || bad) return luaL_error(L, "%s cannot be written", arguments[3]);
  return 0;
}

int main(int count, char **arguments) {
  lua_State *L = count == 4 ? luaL_newstate() : NULL;
  if (!L) return fputs("usage: dts-bytecode FILE NAME OUT\n", stderr), 2;
  lua_pushcfunction(L, run);
  lua_pushlightuserdata(L, arguments);
  int status = lua_pcall(L, 1, 0, 0);
  if (status) fprintf(stderr, "dts-bytecode: %s\n", lua_tostring(L, -1));
  lua_close(L);
  return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
