/* script.c -- see script.h. The allocator refuses what would pass the cap; Lua then collects and
 * asks again, so a refusal is final only when Lua raises it (limit.h turns that into LIMIT_MEMORY).
 *
 * SPDX-License-Identifier: MIT */
#include "script/script.h"

#include <stdlib.h>
#include <lauxlib.h>

#include "script/fault.h"
#include "script/libs.h"
#include "script/loader.h"
#include "wire/frame.h"

script *script_of(lua_State *L) { return *(script **)lua_getextraspace(L); }

/* Lua also asks for memory while it unwinds, when no frame is left: the line that began it stays. */
static void note_refusal(script *s) {
  lua_Debug place;
  if (!s->refused_at[0] || fault_frame(s->now->L, &place)) fault_where(s->now->L, s->refused_at);
}

static void *allocate(void *data, void *block, size_t old_size, size_t size) {
  script *s = data;
  if (!block) old_size = 0; /* then it tells the kind of object */
  if (size == 0) {
    pool_move(&s->pool, block, old_size, 0);
    s->memory_used -= old_size;
    return NULL;
  }
  bool grows = size > old_size;
  if (grows && s->memory_limit && s->memory_used + (size - old_size) > s->memory_limit) {
    note_refusal(s);
    return NULL;
  }
  void *moved = pool_move(&s->pool, block, old_size, size);
  if (!moved) {
    note_refusal(s);
    return NULL;
  }
  s->memory_used += size - old_size;
  if (s->memory_used > s->memory_peak) s->memory_peak = s->memory_used;
  return moved;
}

static int open_libraries(lua_State *L) {
  script *s = script_of(L);
  fault_open(L);
  libs_open(L, s->spec);
  if (!s->spec && !loader_push_main(L)) return luaL_error(L, "dts.main");
  return 0;
}

static bool open_state(script *s) {
  s->L = lua_newstate(allocate, s);
  if (!s->L) return false;
  *(script **)lua_getextraspace(s->L) = s;
  s->main = (running){s->L, NULL};
  s->now = &s->main;
  lua_gc(s->L, LUA_GCSTOP); /* until a script runs: nothing of the engine's is garbage */
  lua_pushcfunction(s->L, open_libraries);
  if (lua_pcall(s->L, 0, 0, 0) != LUA_OK) return false;
  if (s->spec) lua_gc(s->L, LUA_GCRESTART);
  return true;
}

script *script_open(bool spec) {
  script *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->socket = -1;
  s->spec = spec;
  pool_open(&s->pool);
  buffer_init(&s->in, FRAME_LIMIT);
  buffer_init(&s->out, FRAME_LIMIT);
  if (!open_state(s)) return script_close(s), NULL;
  return s;
}

void script_keep(script *s) {
  if (!pool_keep(&s->pool)) return;
  s->kept = malloc(sizeof *s->kept);
  if (s->kept) *s->kept = *s;
}

bool script_renew(script *s) {
  script old = *s;
  lua_close(s->L);
  if (old.kept)
    *s = *old.kept;
  else
    *s = (script){.spec = old.spec, .pool = old.pool};
  s->kept = old.kept;
  s->socket = old.socket;
  s->in = old.in;
  s->out = old.out;
  buffer_clear(&s->out);
  pool_restore(&s->pool);
  return s->kept || open_state(s);
}

void script_close(script *s) {
  if (!s) return;
  if (s->L) lua_close(s->L);
  pool_close(&s->pool);
  free(s->kept);
  buffer_free(&s->in);
  buffer_free(&s->out);
  free(s);
}

int script_resume(lua_State *L, lua_State *co, int arguments, int *results) {
  script *s = script_of(L);
  running inner = {co, s->now};
  s->now = &inner;
  int status = lua_resume(co, L, arguments, results);
  s->now = inner.outer;
  return status;
}

int script_reset(lua_State *L, lua_State *co) {
  script *s = script_of(L);
  running inner = {co, s->now};
  s->now = &inner;
  int status = lua_resetthread(co);
  s->now = inner.outer;
  return status;
}
