/* script.c -- see script.h. The allocator refuses what would pass the cap; Lua then collects and
 * asks again, so a refusal is final only when Lua raises it (limit.h turns that into LIMIT_MEMORY).
 *
 * SPDX-License-Identifier: MIT */
#include "script/script.h"

#include <stdlib.h>
#include <lauxlib.h>

#include "script/fault.h"
#include "script/libs.h"
#include "wire/frame.h"

script *script_of(lua_State *L) { return *(script **)lua_getextraspace(L); }

static void *allocate(void *data, void *block, size_t old_size, size_t size) {
  script *s = data;
  if (!block) old_size = 0; /* then it tells the kind of object */
  if (size == 0) {
    free(block);
    s->memory_used -= old_size;
    return NULL;
  }
  bool grows = size > old_size;
  if (grows && s->memory_limit && s->memory_used + (size - old_size) > s->memory_limit) {
    fault_where(s->now->L, s->refused_at);
    return NULL;
  }
  void *moved = realloc(block, size);
  if (!moved) {
    fault_where(s->now->L, s->refused_at);
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
  return 0;
}

script *script_open(bool spec) {
  script *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->socket = -1;
  s->spec = spec;
  buffer_init(&s->in, FRAME_LIMIT);
  buffer_init(&s->out, FRAME_LIMIT);
  s->L = lua_newstate(allocate, s);
  if (!s->L) return script_close(s), NULL;
  *(script **)lua_getextraspace(s->L) = s;
  s->main = (running){s->L, NULL};
  s->now = &s->main;
  lua_pushcfunction(s->L, open_libraries);
  if (lua_pcall(s->L, 0, 0, 0) != LUA_OK) return script_close(s), NULL;
  return s;
}

void script_close(script *s) {
  if (!s) return;
  if (s->L) lua_close(s->L);
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
