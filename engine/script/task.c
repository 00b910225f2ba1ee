/* task.c -- see task.h.
 *
 * SPDX-License-Identifier: MIT */
#include "script/task.h"

#include <lauxlib.h>

#include "script/call.h"
#include "script/fault.h"
#include "script/limit.h"

#define GROUP "dts.group"
enum { SOURCE = 1, CONCURRENCY, FN, THE_GROUP, RESULTS, MOST = 1000 };

/* A userdata, closed when kernel.tasks ends. The registry keeps its tasks, under their
 * addresses. */
struct group {
  task *owner; /* the task that runs this group and now sleeps; NULL: it waits or runs */
  lua_Integer next, limit;
  int count;
  bool exhausted;
  task *tasks[];
};

bool task_may_yield(lua_State *L) {
  const task *t = script_of(L)->task;
  return t && t->L == L && lua_isyieldable(L);
}

void task_push(lua_State *L, task *t) { lua_rawgetp(L, LUA_REGISTRYINDEX, t); }

/* Whoever sleeps over a group that now has a ready task is ready too. */
void task_wake(lua_State *L, task *t, int count) {
  if (!lua_checkstack(t->L, count)) luaL_error(L, "too much for a task's stack");
  lua_xmove(L, t->L, count);
  t->arguments = count;
  t->ready = true;
  for (task *up = t->group->owner; up && !up->ready; up = up->group->owner) {
    up->arguments = 0;
    up->ready = true;
  }
}

/* ── A group's tasks ── */

static void drop_task(lua_State *L, group *g, int slot) {
  task *t = g->tasks[slot];
  g->tasks[slot] = g->tasks[--g->count];
  if (t->call) call_forget(L, t->call);
  t->call = 0;
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, t);
}

static int group_close(lua_State *L) {
  group *g = luaL_checkudata(L, 1, GROUP);
  g->exhausted = true;
  while (g->count) {
    task *t = g->tasks[g->count - 1];
    task_push(L, t); /* stays alive while it is closed */
    drop_task(L, g, g->count - 1);
    script_reset(L, t->L);
    lua_pop(L, 1);
  }
  return 0;
}

static void push_group(lua_State *L, lua_Integer limit) {
  if (limit < 1) limit = 1;
  if (limit > MOST) limit = MOST;
  group *g = lua_newuserdatauv(L, sizeof *g + (size_t)limit * sizeof(task *), 0);
  *g = (group){.next = 1, .limit = limit};
  if (luaL_newmetatable(L, GROUP)) {
    lua_pushcfunction(L, group_close);
    lua_setfield(L, -2, "__close");
  }
  lua_setmetatable(L, -2);
}

/* A new task of the item on top, which it takes. */
static void add_task(lua_State *L, group *g) {
  task *t = lua_newuserdatauv(L, sizeof *t, 1);
  *t = (task){.group = g, .index = g->next++};
  t->L = lua_newthread(L);
  lua_setiuservalue(L, -2, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, t);
  lua_pushvalue(L, FN);
  lua_insert(L, -2);
  lua_pushinteger(L, t->index);
  g->tasks[g->count++] = t;
  lua_xmove(L, t->L, 3);
  t->arguments = 2;
  t->ready = true;
}

/* Pushes the next item; false, with nothing pushed, when there is none. */
static bool push_item(lua_State *L, group *g) {
  if (g->exhausted) return false;
  if (lua_type(L, SOURCE) == LUA_TTABLE && !luaL_getmetafield(L, SOURCE, "__call")) {
    lua_geti(L, SOURCE, g->next);
  } else {
    if (lua_type(L, SOURCE) == LUA_TTABLE) lua_pop(L, 1);
    lua_pushvalue(L, SOURCE);
    lua_call(L, 0, 1);
  }
  if (!lua_isnil(L, -1)) return true;
  lua_pop(L, 1);
  g->exhausted = true;
  return false;
}

static void keep_result(lua_State *L, task *t, int results) {
  lua_settop(t->L, lua_gettop(t->L) - results + (results > 0 ? 1 : 0));
  if (results > 0)
    lua_xmove(t->L, L, 1);
  else
    lua_pushnil(L);
  lua_rawseti(L, RESULTS, t->index);
}

/* The failed task's error, made the error value while its stack still stands, is raised here. */
static int fail(lua_State *L, task *t, int status) {
  lua_xmove(t->L, L, 1);
  if (!limit_caught(L, status)) fault_handle(L, t->L);
  return lua_error(L);
}

static void run_task(lua_State *L, group *g, int slot) {
  script *s = script_of(L);
  task *t = g->tasks[slot], *before = s->task;
  int results = 0, arguments = t->arguments;
  t->ready = false;
  t->arguments = 0;
  s->task = t;
  int status = script_resume(L, t->L, arguments, &results);
  s->task = before;
  if (status == LUA_YIELD) {
    lua_pop(t->L, results);
    return;
  }
  if (status == LUA_OK)
    keep_result(L, t, results);
  else
    fail(L, t, status);
  drop_task(L, g, slot);
}

/* ── The loop ── */

static void start_more(lua_State *L, group *g) {
  while (g->count < g->limit && push_item(L, g)) {
    add_task(L, g);
    run_task(L, g, g->count - 1);
  }
}

/* From the last to the first: a task that ends takes the last one's place. */
static bool run_ready(lua_State *L, group *g) {
  bool any = false;
  for (int slot = g->count - 1; slot >= 0; slot--) {
    if (slot >= g->count || !g->tasks[slot]->ready) continue;
    run_task(L, g, slot);
    any = true;
  }
  return any;
}

static int run_group(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  group *g = lua_touserdata(L, THE_GROUP);
  g->owner = NULL;
  lua_settop(L, RESULTS);
  for (;;) {
    bool any = run_ready(L, g);
    start_more(L, g);
    if (!g->count) break;
    if (any) continue;
    if (task_may_yield(L)) {
      g->owner = script_of(L)->task;
      return lua_yieldk(L, 0, 0, run_group);
    }
    call_pump(L);
  }
  lua_pushinteger(L, g->next - 1);
  lua_setfield(L, RESULTS, "n");
  lua_settop(L, RESULTS);
  return 1;
}

int task_run_all(lua_State *L) {
  lua_Integer limit = luaL_checkinteger(L, CONCURRENCY);
  luaL_checktype(L, FN, LUA_TFUNCTION);
  lua_settop(L, FN);
  push_group(L, limit);
  lua_toclose(L, THE_GROUP);
  lua_newtable(L);
  return run_group(L, LUA_OK, 0);
}
