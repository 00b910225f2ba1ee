/* body.c -- see body.h.   Lua: body:size()  body:read(n)  body:rewind()  body:text()  body:close()
 * body:unpacked()
 *
 * SPDX-License-Identifier: MIT */
#include "script/body.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "script/body_packed.h"
#include "script/fault.h"
#include "script/script.h"

#define BODY "dts.body"

body *body_check(lua_State *L, int index) { return luaL_checkudata(L, index, BODY); }
body *body_test(lua_State *L, int index) { return luaL_testudata(L, index, BODY); }

void body_rewind(body *b) { b->at = 0; }

size_t body_read(lua_State *L, body *b, void *out, size_t size) {
  size_t wanted = b->size - b->at < size ? b->size - b->at : size;
  if (b->packed) return packed_read(L, b, out, wanted);
  if (b->fd < 0) {
    if (wanted) memcpy(out, b->bytes + b->at, wanted);
  } else if (wanted) {
    ssize_t got;
    do got = pread(b->fd, out, wanted, (off_t)b->at);
    while (got < 0 && errno == EINTR);
    if (got < 0) fault_fail(L, "FILE", "a body cannot be read: %s", strerror(errno));
    wanted = (size_t)got;
  }
  b->at += wanted;
  return wanted;
}

static int body_size(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)body_check(L, 1)->size);
  return 1;
}

static void push_bytes(lua_State *L, body *b, size_t size) {
  luaL_Buffer text;
  char *out = luaL_buffinitsize(L, &text, size);
  size_t got = 0;
  for (size_t n; got < size && (n = body_read(L, b, out + got, size - got)) > 0;) got += n;
  luaL_pushresultsize(&text, got);
}

static int body_read_some(lua_State *L) {
  body *b = body_check(L, 1);
  lua_Integer wanted = luaL_checkinteger(L, 2);
  luaL_argcheck(L, wanted > 0, 2, "a number of bytes above 0");
  size_t left = b->size - b->at;
  if (!left) return lua_pushnil(L), 1;
  push_bytes(L, b, (size_t)wanted < left ? (size_t)wanted : left);
  return 1;
}

static int body_rewind_all(lua_State *L) {
  body_rewind(body_check(L, 1));
  lua_settop(L, 1);
  return 1;
}

static void check_room(lua_State *L, const body *b) {
  const script *s = script_of(L);
  size_t limit = s->memory_limit, mega = 1024 * 1024;
  if (!limit || b->size <= limit / 2) return;
  fault_fail(L, "LIMIT_SIZE",
             "a body of %zu MB is too large to be one text within %zu MB of memory: read it with "
             ":rows, :lines or :read",
             (b->size + mega - 1) / mega, limit / mega);
}

static int body_text(lua_State *L) {
  body *b = body_check(L, 1);
  if (b->fd < 0 && !b->packed) return lua_pushlstring(L, b->bytes ? b->bytes : "", b->size), 1;
  check_room(L, b);
  size_t before = b->at;
  b->at = 0;
  push_bytes(L, b, b->size);
  b->at = before;
  return 1;
}

static int body_close(lua_State *L) {
  body *b = body_check(L, 1);
  if (b->fd >= 0) close(b->fd);
  packed_close(b->packed);
  *b = (body){.fd = -1};
  lua_pushnil(L);
  lua_setiuservalue(L, 1, 1);
  return 0;
}

static int body_tostring(lua_State *L) {
  lua_pushfstring(L, "body of %I bytes", (LUAI_UACINT)body_check(L, 1)->size);
  return 1;
}

static void push_metatable(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"size", body_size}, {"read", body_read_some}, {"rewind", body_rewind_all},
      {"text", body_text}, {"close", body_close},    {"unpacked", body_unpacked},
      {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__gc", body_close}, {"__close", body_close}, {"__tostring", body_tostring}, {NULL, NULL}};
  if (!luaL_newmetatable(L, BODY)) return;
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
}

static body *push_empty(lua_State *L) {
  body *b = lua_newuserdatauv(L, sizeof *b, 1);
  *b = (body){.fd = -1};
  push_metatable(L);
  lua_setmetatable(L, -2);
  return b;
}

body *body_push_text(lua_State *L, int index) {
  index = lua_absindex(L, index);
  body *b = push_empty(L);
  lua_pushvalue(L, index);
  lua_setiuservalue(L, -2, 1);
  b->bytes = lua_tolstring(L, index, &b->size);
  return b;
}

body *body_push_fd(lua_State *L, int fd) {
  body *b = push_empty(L);
  struct stat info;
  b->fd = fd;
  if (syscall(SYS_fstat, fd, &info) == 0 && info.st_size > 0) /* glibc's asks by path: caged */
    b->size = (size_t)info.st_size;
  return b;
}
