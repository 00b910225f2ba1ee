/* call.c -- see call.h.
 *
 * SPDX-License-Identifier: MIT */
#include "script/call.h"

#include <lauxlib.h>
#include <unistd.h>

#include "script/body.h"
#include "script/convert.h"
#include "script/fault.h"
#include "script/ops.h"
#include "script/put.h"
#include "script/task.h"

#define EXPECTED "dts.expected"
#define ANSWERER "dts.answerer"

static int gone(lua_State *L) {
  script *s = script_of(L);
  if (!s->limit.code[0])
    error_fail(&s->limit, "ENGINE_GONE", "the engine has closed its connection");
  return fault_raise(L, &s->limit);
}

/* The engine counts as much for a line and more: by now it has said that the log ends here. */
static bool log_is_full(script *s, size_t size) {
  if (!s->log_limit) return false;
  if (s->log_used <= s->log_limit) return s->log_used += (int64_t)size, false;
  return true;
}

void call_post(lua_State *L, uint8_t op, const buffer *payload, int fd) {
  dts_error e;
  script *s = script_of(L);
  if (s->socket < 0) fault_fail(L, "ENGINE_GONE", "there is no engine to ask");
  if (op == OP_LOG && log_is_full(s, payload->size)) return;
  if (frame_send(s->socket, 0, op, payload, fd, &e) < 0) gone(L);
}

/* ── Answers ── */

/* Pushes true and the answer, or false and the error value. */
static void push_answer(lua_State *L, frame *in, bool named) {
  unpack u = {in->payload, in->payload + in->size};
  lua_pushboolean(L, in->op == OP_REPLY);
  if (in->fd >= 0)
    body_push_fd(L, in->fd), in->fd = -1;
  else
    lua_pushnil(L);
  if (in->op == OP_ERROR) {
    arena a = {0};
    value map;
    dts_error e;
    if (unpack_value(&u, &a, &map, &e) == 0) unpack_error(&map, &e);
    arena_free(&a);
    fault_push(L, &e);
  } else {
    convert_unpack(L, &u, named);
  }
  lua_insert(L, -2); /* ok, answer, body */
  if (!lua_isnil(L, -1) && lua_istable(L, -2))
    lua_setfield(L, -2, "body");
  else
    lua_pop(L, 1);
}

static void set_expected(lua_State *L, uint32_t call) { /* by the value on top, which it pops */
  luaL_getsubtable(L, LUA_REGISTRYINDEX, EXPECTED);
  lua_insert(L, -2);
  lua_rawseti(L, -2, call);
  lua_pop(L, 1);
}

static int get_expected(lua_State *L, uint32_t call) { /* pushes it */
  luaL_getsubtable(L, LUA_REGISTRYINDEX, EXPECTED);
  int type = lua_rawgeti(L, -1, call);
  lua_remove(L, -2);
  return type;
}

void call_forget(lua_State *L, uint32_t call) {
  lua_pushnil(L);
  set_expected(L, call);
}

/* What is expected says whether its rows come by name: the call's number is odd for those. */
static bool is_named(uint32_t call) { return call & 1; }

static uint32_t next_call(script *s, bool named) {
  s->last_call = (s->last_call + 2) & ~1U;
  if (!s->last_call) s->last_call = 2;
  return s->last_call | (named ? 1U : 0U);
}

static void deliver(lua_State *L, frame *in) {
  int type = get_expected(L, in->call);
  task *t = type == LUA_TUSERDATA ? lua_touserdata(L, -1) : NULL;
  if (type == LUA_TNIL) {
    if (in->fd >= 0) close(in->fd);
    lua_pop(L, 1);
    return;
  }
  push_answer(L, in, is_named(in->call)); /* task or true, ok, answer */
  if (t) {
    call_forget(L, in->call);
    t->call = 0;
    task_wake(L, t, 2);
    lua_pop(L, 1);
    return;
  }
  lua_createtable(L, 2, 0);
  lua_insert(L, -3);
  lua_rawseti(L, -3, 2);
  lua_rawseti(L, -2, 1);
  set_expected(L, in->call);
  lua_pop(L, 1);
}

/* ── Questions of the engine ── */

static void reply(lua_State *L, uint32_t call, uint8_t op) {
  dts_error e;
  script *s = script_of(L);
  if (frame_send(s->socket, call, op, &s->out, -1, &e) < 0) gone(L);
}

static void refuse_request(lua_State *L, uint32_t call) {
  script *s = script_of(L);
  dts_error e;
  error_fail(&e, "BUSY", "this worker answers one request at a time");
  e.retryable = true;
  buffer_clear(&s->out);
  pack_error(&s->out, &e);
  reply(L, call, OP_ERROR);
}

static void answer(lua_State *L, const frame *in) {
  script *s = script_of(L);
  uint32_t call = in->call;
  unpack u = {in->payload, in->payload + in->size};
  lua_pushcfunction(L, fault_handler);
  if (lua_getfield(L, LUA_REGISTRYINDEX, ANSWERER) != LUA_TFUNCTION)
    fault_fail(L, "SPEC", "the kernel under test asks, and nothing answers");
  convert_unpack(L, &u, false);
  int status = lua_pcall(L, 1, 1, -3);
  buffer_clear(&s->out);
  if (status == LUA_OK)
    convert_pack(L, -1, &s->out, NULL);
  else
    fault_pack(L, -1, &s->out);
  lua_pop(L, 2);
  reply(L, call, status == LUA_OK ? OP_REPLY : OP_ERROR);
}

int call_answer_with(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, ANSWERER);
  return 0;
}

void call_pump(lua_State *L) {
  dts_error e;
  frame in;
  script *s = script_of(L);
  luaL_checkstack(L, 12, "an answer");
  if (frame_receive(s->socket, &s->in, &in, &e) <= 0) gone(L);
  if (in.op == OP_REPLY || in.op == OP_ERROR) {
    deliver(L, &in);
    return;
  }
  if (in.fd >= 0) close(in.fd);
  if (in.op == OP_ASK)
    answer(L, &in);
  else if (in.op == OP_REQUEST)
    refuse_request(L, in.call);
}

/* ── Asking ── */

/* The values on top: ok and the answer. */
static int finish(lua_State *L) {
  if (!lua_toboolean(L, -2)) return fault_rethrow(L);
  return 1;
}

static int answered(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return finish(L);
}

static int wait_for(lua_State *L, uint32_t call) {
  while (get_expected(L, call) == LUA_TBOOLEAN) {
    lua_pop(L, 1);
    call_pump(L);
  }
  call_forget(L, call);
  lua_rawgeti(L, -1, 1);
  lua_rawgeti(L, -2, 2);
  return finish(L);
}

/* Packs the arguments at 2 into s->out. */
static int pack_arguments(lua_State *L, script *s) {
  int fd = -1;
  buffer_clear(&s->out);
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) lua_newtable(L), lua_replace(L, 2);
  luaL_checktype(L, 2, LUA_TTABLE);
  convert_pack(L, 2, &s->out, &fd);
  return fd;
}

static const op_name *check_op(lua_State *L, bool question) {
  const char *name = luaL_checkstring(L, 1);
  const op_name *op = ops_find(name);
  if (!op || op->question != question)
    luaL_error(L, "'%s' is not an operation that is %s", name, question ? "asked" : "sent");
  return op;
}

int call_ask(lua_State *L) {
  script *s = script_of(L);
  const op_name *op = check_op(L, true);
  if (s->socket < 0) fault_fail(L, "ENGINE_GONE", "there is no engine to ask");
  if (op->flushes) put_flush_all(L);
  int fd = pack_arguments(L, s);
  uint32_t call = next_call(s, op->named);
  bool yields = task_may_yield(L);
  if (yields)
    task_push(L, s->task);
  else
    lua_pushboolean(L, true);
  set_expected(L, call);
  dts_error e;
  if (frame_send(s->socket, call, (uint8_t)op->op, &s->out, fd, &e) < 0) return gone(L);
  if (!yields) return wait_for(L, call);
  s->task->call = call;
  return lua_yieldk(L, 0, 0, answered);
}

int call_send(lua_State *L) {
  script *s = script_of(L);
  const op_name *op = check_op(L, false);
  if (op->flushes) put_flush_all(L);
  int fd = pack_arguments(L, s);
  call_post(L, (uint8_t)op->op, &s->out, fd);
  return 0;
}
