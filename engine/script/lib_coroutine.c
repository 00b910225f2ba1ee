/* lib_coroutine.c -- Lua: coroutine.create resume wrap close status yield isyieldable running.
 *
 * As Lua's own, but the running coroutine is known to the CPU limit, and a limit that ended a
 * coroutine goes on in whoever resumed it. A call of the engine inside one waits; it never yields
 * to its resumer.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>

#include "script/lib_base.h"
#include "script/limit.h"
#include "script/task.h"

static lua_State *check_thread(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argexpected(L, co, 1, "coroutine");
  return co;
}

typedef enum co_state { CO_RUNNING, CO_DEAD, CO_SUSPENDED, CO_NORMAL } co_state;

static co_state state_of(lua_State *L, lua_State *co) {
  lua_Debug frame;
  if (L == co) return CO_RUNNING;
  if (lua_status(co) == LUA_YIELD) return CO_SUSPENDED;
  if (lua_status(co) != LUA_OK) return CO_DEAD;
  if (lua_getstack(co, 0, &frame)) return CO_NORMAL;
  return lua_gettop(co) == 0 ? CO_DEAD : CO_SUSPENDED;
}

/* A finished coroutine's error is on L's top: a limit is raised again at once. */
static void let_limits_pass(lua_State *L, int status) {
  if (limit_caught(L, status)) lua_error(L);
}

/* Results on L: their count, or -1 and the error. */
static int resume(lua_State *L, lua_State *co, int arguments) {
  int results = 0;
  if (!lua_checkstack(co, arguments)) return lua_pushliteral(L, "too many arguments to resume"), -1;
  co_state state = state_of(L, co);
  if (state != CO_SUSPENDED) {
    lua_pushfstring(L, "cannot resume %s coroutine", state == CO_DEAD ? "dead" : "non-suspended");
    return -1;
  }
  lua_xmove(L, co, arguments);
  limit_arm(co);
  int status = script_resume(L, co, arguments, &results);
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    let_limits_pass(L, status);
    return -1;
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(co, results);
    return lua_pushliteral(L, "too many results to resume"), -1;
  }
  lua_xmove(co, L, results);
  return results;
}

static int co_resume(lua_State *L) {
  lua_State *co = check_thread(L);
  int results = resume(L, co, lua_gettop(L) - 1);
  lua_pushboolean(L, results >= 0);
  lua_insert(L, results < 0 ? -2 : -(results + 1));
  return results < 0 ? 2 : results + 1;
}

/* A failed coroutine is closed at once; the error goes through it, since a __close may replace
 * it. */
static int wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int results = resume(L, co, lua_gettop(L));
  if (results >= 0) return results;
  if (lua_status(co) != LUA_OK && lua_status(co) != LUA_YIELD) {
    lua_xmove(L, co, 1);
    int status = script_reset(L, co);
    lua_xmove(co, L, 1);
    let_limits_pass(L, status);
  }
  return lua_error(L);
}

static int co_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

static int co_wrap(lua_State *L) {
  co_create(L);
  lua_pushcclosure(L, wrapped, 1);
  return 1;
}

static int co_close(lua_State *L) {
  lua_State *co = check_thread(L);
  co_state state = state_of(L, co);
  if (state != CO_DEAD && state != CO_SUSPENDED)
    return luaL_error(L, "cannot close a running coroutine");
  limit_arm(co);
  int status = script_reset(L, co);
  lua_pushboolean(L, status == LUA_OK);
  if (status == LUA_OK) return 1;
  lua_xmove(co, L, 1);
  let_limits_pass(L, status);
  return 2;
}

static int co_yield (lua_State *L) {
  const script *s = script_of(L);
  if (s->now->L != L || s->now == &s->main || (s->task && s->task->L == L))
    return luaL_error(L, "attempt to yield from outside a coroutine");
  return lua_yield(L, lua_gettop(L));
}

static int co_status(lua_State *L) {
  static const char *const names[] = {"running", "dead", "suspended", "normal"};
  lua_pushstring(L, names[state_of(L, check_thread(L))]);
  return 1;
}

static int co_isyieldable(lua_State *L) {
  lua_State *co = lua_isthread(L, 1) ? check_thread(L) : L;
  const script *s = script_of(L);
  bool is_task = s->task && s->task->L == co;
  lua_pushboolean(L, lua_isyieldable(co) && !is_task);
  return 1;
}

static int co_running(lua_State *L) {
  lua_pushboolean(L, lua_pushthread(L));
  return 2;
}

int base_open_coroutine(lua_State *L) {
  static const luaL_Reg functions[] = {{"create", co_create},
                                       {"resume", co_resume},
                                       {"wrap", co_wrap},
                                       {"close", co_close},
                                       {"yield", co_yield },
                                       {"status", co_status},
                                       {"running", co_running},
                                       {"isyieldable", co_isyieldable},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
