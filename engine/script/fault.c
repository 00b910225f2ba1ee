/* fault.c -- see fault.h.
 *
 * SPDX-License-Identifier: MIT */
#include "script/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <lauxlib.h>

#include "script/convert.h"
#include "script/script.h"
#include "wire/pack.h"

#define FAULT "dts.error"

/* ── Where ── */

static bool is_analysts(const lua_Debug *frame) {
  return frame->currentline > 0 && frame->source[0] == '@' &&
         strncmp(frame->source, "@dts/", 5) != 0;
}

static bool find_frame(lua_State *L, lua_Debug *frame) {
  for (int level = 0; lua_getstack(L, level, frame); level++)
    if (lua_getinfo(L, "Sl", frame) && is_analysts(frame)) return true;
  return false;
}

bool fault_frame(lua_State *L, lua_Debug *frame) {
  if (find_frame(L, frame)) return true;
  const running *r = script_of(L)->now;
  while (r && r->L != L) r = r->outer;
  for (r = r ? r->outer : script_of(L)->now; r; r = r->outer)
    if (find_frame(r->L, frame)) return true;
  return false;
}

void fault_where(lua_State *L, char out[256]) {
  lua_Debug frame;
  if (fault_frame(L, &frame))
    snprintf(out, 256, "%.240s:%d", frame.source + 1, frame.currentline);
  else
    snprintf(out, 256, "%s", script_of(L)->file);
}

/* ── The value ── */

static void set_text(lua_State *L, const char *name, const char *text) {
  if (!text[0]) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void push_seconds(lua_State *L, int64_t ms) {
  if (ms % 1000)
    lua_pushnumber(L, (double)ms / 1000.0);
  else
    lua_pushinteger(L, ms / 1000);
}

void fault_push(lua_State *L, const dts_error *e) {
  luaL_checkstack(L, 4, "an error");
  lua_createtable(L, 0, 6);
  set_text(L, "code", e->code);
  set_text(L, "message", e->message);
  set_text(L, "hint", e->hint);
  set_text(L, "where", e->where);
  lua_pushboolean(L, e->retryable);
  lua_setfield(L, -2, "retryable");
  if (e->retry_after_ms) push_seconds(L, e->retry_after_ms), lua_setfield(L, -2, "retry_after");
  if (e->status) lua_pushinteger(L, e->status), lua_setfield(L, -2, "status");
  luaL_setmetatable(L, FAULT);
}

bool fault_is(lua_State *L, int index) {
  bool is = lua_istable(L, index) && lua_getmetatable(L, index);
  if (!is) return false;
  luaL_getmetatable(L, FAULT);
  is = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return is;
}

int fault_rethrow(lua_State *L) {
  if (fault_is(L, -1)) {
    char where[256];
    lua_getfield(L, -1, "where");
    bool known = lua_isstring(L, -1);
    lua_pop(L, 1);
    if (!known) fault_where(L, where), set_text(L, "where", where);
  }
  return lua_error(L);
}

int fault_raise(lua_State *L, const dts_error *e) {
  fault_push(L, e);
  return fault_rethrow(L);
}

int fault_fail(lua_State *L, const char *code, const char *format, ...) {
  dts_error e = {0};
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(e.message, sizeof e.message, format, arguments);
  va_end(arguments);
  snprintf(e.code, sizeof e.code, "%s", code);
  return fault_raise(L, &e);
}

bool fault_is_final(lua_State *L, int index) {
  static const char *const final[] = {"LIMIT_CPU", "LIMIT_MEMORY",   "LIMIT_TIME", "LIMIT_ROWS",
                                      "LIMIT_LOG", "LIMIT_REQUESTS", "LIMIT_JOBS", "CANCELLED",
                                      "FENCED",    "ENGINE_GONE"};
  if (!fault_is(L, index)) return false;
  lua_getfield(L, index, "code");
  const char *code = lua_tostring(L, -1);
  bool found = false;
  for (size_t i = 0; code && i < sizeof final / sizeof *final; i++)
    if (strcmp(code, final[i]) == 0) found = true;
  lua_pop(L, 1);
  return found;
}

static void copy_text(lua_State *L, int index, const char *name, char *out, size_t size) {
  if (lua_getfield(L, index, name) == LUA_TSTRING) snprintf(out, size, "%s", lua_tostring(L, -1));
  lua_pop(L, 1);
}

static lua_Number number_of(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name);
  lua_Number n = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return n >= 0 && n < 1e12 ? n : 0;
}

static void read_table(lua_State *L, int index, dts_error *e) {
  copy_text(L, index, "code", e->code, sizeof e->code);
  copy_text(L, index, "message", e->message, sizeof e->message);
  copy_text(L, index, "hint", e->hint, sizeof e->hint);
  copy_text(L, index, "where", e->where, sizeof e->where);
  lua_getfield(L, index, "retryable");
  e->retryable = lua_toboolean(L, -1);
  lua_pop(L, 1);
  e->retry_after_ms = (int64_t)(number_of(L, index, "retry_after") * 1000.0);
  e->status = (int)number_of(L, index, "status") % 1000;
}

/* "FILE.lua:LINE: message", as Lua's own errors begin, taken apart. Ours name no line of theirs. */
static void split_place(const char *text, dts_error *e) {
  const char *mark = strstr(text, ".lua:");
  size_t digits = mark ? strspn(mark + 5, "0123456789") : 0;
  const char *rest = mark ? mark + 5 + digits : text;
  bool placed = digits && strncmp(rest, ": ", 2) == 0 && !memchr(text, ' ', (size_t)(mark - text));
  if (placed && strncmp(text, "dts/", 4) != 0 && strncmp(text, "...", 3) != 0)
    snprintf(e->where, sizeof e->where, "%.*s", (int)(rest - text), text);
  snprintf(e->message, sizeof e->message, "%s", placed ? rest + 2 : text);
}

/* "attempt to index a userdata value": Lua's name for what null is made of. What is userdata besides has a
 * name of its own. */
static void name_null(dts_error *e) {
  if (strncmp(e->message, "attempt to ", 11) != 0) return;
  for (char *at = e->message; (at = strstr(at, " userdata")); at++)
    if (at[9] == ' ' || !at[9]) {
      memcpy(at + 1, "null", 4);
      memmove(at + 5, at + 9, strlen(at + 9) + 1);
    }
}

/* What most often lies behind an error of Lua's own. */
static void hint_script(dts_error *e) {
  static const char *const known[][2] = {
      {"attempt to call a table value (for iterator",
       "a list is gone through by: for _, row in ipairs(list) do"},
      {"attempt to index a nil value",
       "what stands before the dot is not there; print(what holds it) shows what is"},
      {"attempt to call a nil value (method",
       "there is no such method: see its noun in the manual"},
      {"attempt to perform arithmetic on a nil value",
       "a null is nil: leave the row out, or say what counts instead: (x or 0)"},
      {"attempt to concatenate a nil value", "a null is nil: (x or \"\") writes nothing for it"},
      {"attempt to compare number with null", "leave what is dts.null out: if x ~= dts.null then"},
      {"attempt to compare null with number", "leave what is dts.null out: if x ~= dts.null then"},
      {"attempt to perform arithmetic on a null",
       "leave what is dts.null out: if x ~= dts.null then"},
      {"attempt to index a null", "leave what is dts.null out: if x ~= dts.null then"},
      {"attempt to compare number with string", "tonumber(text) makes a number of a text"},
      {"attempt to compare string with number", "tonumber(text) makes a number of a text"},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strncmp(e->message, known[i][0], strlen(known[i][0])) == 0)
      error_hint(e, "%s", known[i][1]);
}

void fault_read(lua_State *L, int index, dts_error *e) {
  *e = (dts_error){0};
  index = lua_absindex(L, index);
  if (fault_is(L, index))
    read_table(L, index, e);
  else if (lua_type(L, index) == LUA_TSTRING)
    split_place(lua_tostring(L, index), e), name_null(e), hint_script(e);
  else if (lua_istable(L, index) && !lua_getmetatable(L, index))
    read_table(L, index, e);
  if (!e->message[0]) {
    bool null = lua_islightuserdata(L, index);
    snprintf(e->message, sizeof e->message, "the script raised %s%s%s as its error",
             null ? "" : "a ", convert_type(L, index), null ? "" : " value");
  }
  if (!e->code[0]) snprintf(e->code, sizeof e->code, "SCRIPT");
}

void fault_handle(lua_State *L, lua_State *failed) {
  luaL_checkstack(L, 8, "an error");
  if (!fault_is(L, -1)) {
    dts_error e;
    fault_read(L, -1, &e);
    if (!e.where[0]) fault_where(failed, e.where);
    fault_push(L, &e);
    lua_replace(L, -2);
  }
  if (lua_getfield(L, -1, "traceback") == LUA_TNIL) {
    luaL_traceback(L, failed, NULL, 0);
    lua_setfield(L, -3, "traceback");
  }
  lua_pop(L, 1);
}

int fault_handler(lua_State *L) {
  fault_handle(L, L);
  return 1;
}

static void pack_field(lua_State *L, int index, const char *name, buffer *b) {
  size_t size;
  if (lua_getfield(L, index, name) == LUA_TSTRING) {
    const char *text = lua_tolstring(L, -1, &size);
    pack_text(b, name, strlen(name));
    pack_text(b, text, size);
  } else if (lua_toboolean(L, -1)) {
    pack_text(b, name, strlen(name));
    pack_boolean(b, true);
  }
  lua_pop(L, 1);
}

void fault_pack(lua_State *L, int index, buffer *b) {
  dts_error e;
  index = lua_absindex(L, index);
  fault_read(L, index, &e);
  pack_error(b, &e);
  if (!lua_istable(L, index)) return;
  b->size--; /* opens the map again */
  pack_field(L, index, "traceback", b);
  pack_field(L, index, "permanent", b);
  pack_end(b);
}

/* ── Metamethods ── */

static int fault_tostring(lua_State *L) {
  dts_error e;
  fault_read(L, 1, &e);
  lua_pushfstring(L, "%s%s%s [%s]", e.where, e.where[0] ? ": " : "", e.message, e.code);
  return 1;
}

static int fault_concat(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  luaL_tolstring(L, 2, NULL);
  lua_concat(L, 2);
  return 1;
}

void fault_open(lua_State *L) {
  static const luaL_Reg metamethods[] = {
      {"__tostring", fault_tostring}, {"__concat", fault_concat}, {NULL, NULL}};
  luaL_newmetatable(L, FAULT);
  luaL_setfuncs(L, metamethods, 0);
  lua_pop(L, 1);
}
