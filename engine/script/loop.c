/* loop.c -- see loop.h. Whatever the script caught, a limit that was hit is how it ends.
 *
 * SPDX-License-Identifier: MIT */
#include "script/loop.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "script/body.h"
#include "script/cage.h"
#include "script/convert.h"
#include "script/fault.h"
#include "script/limit.h"
#include "script/loader.h"
#include "script/put.h"
#include "wire/frame.h"
#include "wire/op.h"

#define START    "dts.start"
#define DECLARED "dts.declared"

/* The collector begins when a run has taken FIRST_KILOBYTES: a short one would only copy the pages that
 * it shares with the nursery. */
enum { STAY_BYTES = 16 * 1024 * 1024, FIRST_KILOBYTES = 512 };

void loop_push_start(lua_State *L) { lua_getfield(L, LUA_REGISTRYINDEX, START); }

/* ── Endings ── */

static int post(script *s, uint32_t call, uint8_t op) {
  dts_error e;
  return frame_send(s->socket, call, op, &s->out, -1, &e) < 0 ? 1 : 0;
}

static void name_limit(script *s) {
  s->out.size--; /* opens the error's map again */
  pack_text(&s->out, "limit", 5);
  pack_text(&s->out, s->limit.code, strlen(s->limit.code));
  pack_end(&s->out);
}

/* Runs under a memory limit that may have been hit: limit_caught has made room for it. */
static int pack_failure(lua_State *L) {
  script *s = script_of(L);
  buffer_clear(&s->out);
  fault_pack(L, 1, &s->out);
  return 0;
}

/* The error on top, as OP_FAILED or as the OP_ERROR of a request. */
static int fail(script *s, uint32_t call, uint8_t op, int status) {
  lua_State *L = s->L;
  limit_caught(L, status);
  lua_pushcfunction(L, pack_failure);
  lua_insert(L, -2);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) { /* not even room for that: what we know without Lua */
    lua_pop(L, 1);
    if (!s->limit.code[0])
      error_fail(&s->limit, "LIMIT_MEMORY", "the script left no memory to report its error");
    buffer_clear(&s->out);
    pack_error(&s->out, &s->limit);
  }
  if (s->limit.code[0]) name_limit(s);
  return post(s, call, op);
}

/* ── One protected call of a function of dts.main ── */

/* Stack: the function's name, its argument. Gives its one result. */
static int call_main(lua_State *L) {
  const char *name = lua_tostring(L, 1);
  if (!loader_push_main(L) || lua_getfield(L, -1, name) != LUA_TFUNCTION)
    return luaL_error(L, "the engine's dts.main has no function '%s'", name);
  lua_pushvalue(L, 2);
  lua_call(L, 1, 1);
  put_flush_all(L);
  return 1;
}

/* The argument is on top and taken; one value is left: the result or the error. */
static int protect(script *s, lua_CFunction f, const char *name) {
  lua_State *L = s->L;
  lua_pushcfunction(L, fault_handler);
  lua_insert(L, -2);
  lua_pushcfunction(L, f);
  lua_insert(L, -2);
  lua_pushstring(L, name);
  lua_insert(L, -2);
  int handler = lua_gettop(L) - 3;
  int status = lua_pcall(L, 2, 1, handler);
  lua_remove(L, handler);
  if (status == LUA_OK && s->limit.code[0])
    status = LUA_ERRRUN; /* caught by the script all the same */
  return status;
}

/* ── Done ── */

/* The engine may offer another run of the same script. A process that has grown, or has used half of
 * the CPU time that its cage will ever give, makes room for a new one. */
static bool may_stay(lua_State *L) {
  const script *s = script_of(L);
  loop_push_start(L);
  bool offered = lua_getfield(L, -1, "again") == LUA_TBOOLEAN && lua_toboolean(L, -1);
  lua_pop(L, 2);
  bool small = s->memory_peak < STAY_BYTES && s->in.capacity + s->out.capacity < STAY_BYTES;
  return offered && small && cage_cpu_used() * 2 < s->cpu_ms;
}

/* Stack: the mode, what dts.main gave. Packs OP_DONE's payload. */
static int pack_done(lua_State *L) {
  script *s = script_of(L);
  const char *mode = lua_tostring(L, 1);
  lua_createtable(L, 0, 1);
  if (strcmp(mode, "load") == 0) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, DECLARED);
    convert_mark_list(L, -1);
    lua_setfield(L, -2, "declarations");
  } else if (strcmp(mode, "config") == 0) {
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "config");
  } else if (strcmp(mode, "run") == 0) {
    lua_pushinteger(L, (lua_Integer)s->memory_peak);
    lua_setfield(L, -2, "peak");
    s->stays = may_stay(L);
    lua_pushboolean(L, s->stays);
    lua_setfield(L, -2, "stays");
  }
  buffer_clear(&s->out);
  convert_pack(L, -1, &s->out, NULL);
  return 0;
}

static int run_mode(script *s, const char *mode) {
  loop_push_start(s->L);
  int status = protect(s, call_main, mode);
  if (status == LUA_OK) status = protect(s, pack_done, mode);
  if (status != LUA_OK) return fail(s, 0, OP_FAILED, status) ? 1 : -1;
  lua_pop(s->L, 1);
  return post(s, 0, OP_DONE);
}

/* ── Requests ── */

/* Stack: the call's name, what dts.main gave. */
static int pack_reply(lua_State *L) {
  script *s = script_of(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  buffer_clear(&s->out);
  convert_pack(L, 2, &s->out, NULL);
  return 0;
}

static int push_message(lua_State *L) {
  unpack *u = lua_touserdata(L, 2);
  convert_unpack(L, u, false);
  return 1;
}

static int64_t message_cpu(lua_State *L) {
  lua_getfield(L, -1, "cpu_ms");
  lua_Integer ms = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return ms;
}

/* 0: answered, and ready for the next. */
static int answer_request(script *s, const frame *in) {
  uint32_t call = in->call;
  unpack u = {in->payload, in->payload + in->size};
  lua_pushlightuserdata(s->L, &u);
  int status = protect(s, push_message, "request");
  if (status == LUA_OK) {
    cage_cpu(s, message_cpu(s->L));
    status = protect(s, call_main, "request");
  }
  if (status == LUA_OK) status = protect(s, pack_reply, "request");
  limit_cpu(s, 0);
  if (status != LUA_OK) return fail(s, call, OP_ERROR, status) || s->limit.code[0] ? 1 : 0;
  lua_pop(s->L, 1);
  return post(s, call, OP_REPLY);
}

static int serve(script *s) {
  for (;;) {
    dts_error e;
    frame in;
    int got = frame_receive(s->socket, &s->in, &in, &e);
    if (got <= 0) return got < 0;
    if (in.fd >= 0) close(in.fd);
    if (in.op != OP_REQUEST) continue;
    if (answer_request(s, &in)) return 1;
    loader_forget(s->L);
    loader_preload(s->L);
  }
}

/* ── The start ── */

/* Stack: a name, the frame. Keeps the map, gives the mode. */
static int keep_start(lua_State *L) {
  script *s = script_of(L);
  frame *in = lua_touserdata(L, 2);
  unpack u = {in->payload, in->payload + in->size};
  if (in->op != OP_START)
    return luaL_error(L, "a worker begins with OP_START, not %d", (int)in->op);
  convert_unpack(L, &u, false);
  luaL_checktype(L, -1, LUA_TTABLE);
  if (in->fd >= 0) {
    body_push_fd(L, in->fd);
    lua_setfield(L, -2, "body");
  }
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, START);
  lua_getfield(L, -1, "file");
  snprintf(s->file, sizeof s->file, "%s", luaL_optstring(L, -1, ""));
  lua_getfield(L, -2, "batch");
  s->batch = lua_tointeger(L, -1);
  lua_pop(L, 1);
  lua_getfield(L, -2, "mode");
  luaL_checkstring(L, -1);
  return 1;
}

static void apply_limits(script *s, bool renewed) {
  lua_State *L = s->L;
  lua_gc(L, LUA_GCRESTART);
  lua_gc(L, LUA_GCSTEP, -FIRST_KILOBYTES);
  loop_push_start(L);
  if (lua_getfield(L, -1, "limits") == LUA_TTABLE) {
    lua_getfield(L, -1, "memory");
    limit_memory(s, lua_tointeger(L, -1));
    lua_getfield(L, -2, "cpu_ms");
    (renewed ? cage_cpu : limit_cpu)(s, lua_tointeger(L, -1));
    lua_getfield(L, -3, "log");
    s->log_limit = lua_tointeger(L, -1);
    lua_pop(L, 3);
  }
  lua_pop(L, 2);
}

/* In a state as new, answers to the run before may still lie in the socket: they came too late. */
static int receive_start(script *s, frame *in, bool renewed) {
  dts_error e;
  for (;;) {
    int got = frame_receive(s->socket, &s->in, in, &e);
    if (got <= 0 || !renewed || in->op == OP_START) return got;
    if (in->fd >= 0) close(in->fd);
  }
}

/* As loop_run, of one OP_START. */
static int run_start(script *s, bool renewed) {
  frame in;
  if (receive_start(s, &in, renewed) <= 0) return 1;
  lua_pushlightuserdata(s->L, &in);
  int status = protect(s, keep_start, "start");
  if (status != LUA_OK) return fail(s, 0, OP_FAILED, status);
  apply_limits(s, renewed);
  const char *mode = lua_tostring(s->L, -1); /* stays on the stack */
  int ended = run_mode(s, mode);
  if (ended || strcmp(mode, "serve") != 0) return ended > 0;
  limit_cpu(s, 0);
  return serve(s);
}

int loop_run(script *s) {
  int ended = run_start(s, false);
  while (!ended && s->stays) {
    limit_cpu(s, 0);
    if (!script_renew(s)) return 1;
    ended = run_start(s, true);
  }
  return ended;
}
