/* globals.c -- see globals.h.
 *
 * SPDX-License-Identifier: MIT */
#include "script/globals.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "base/arena.h"
#include "script/call.h"
#include "script/fault.h"
#include "script/lib_base.h"
#include "script/loader.h"
#include "wire/op.h"
#include "wire/pack.h"

#define ENVIRONMENT "dts.environment"

/* ── Names that are not there ── */

typedef struct absent_name {
  const char *name, *hint;
} absent_name;

static const absent_name absent[] = {
    {"debug", "errors carry their place and a traceback; `dts logs RUN` shows them"},
    {"package", "`require` finds the project's files and the shipped connectors"},
    {"dofile", "use `require`"},
    {"loadfile", "use `require`"},
    {"loadstring", "use `load`"},
    {"unpack", "it is table.unpack"},
    {"collectgarbage", "memory is collected by itself; limits.memory bounds it"},
    {NULL, NULL}};

/* os and io are looked into before they are refused: what to use instead depends on what was wanted. */
static const char *const libraries_without[] = {"os", "io", NULL};

static const absent_name absent_fields[] = {
    {"os.time", "the clock is dts.now(); ctx.date and ctx.window are fixed for a run"},
    {"os.clock", "the clock is dts.now()"},
    {"os.date", "dts.now() and dts.today() say it; dts.date has parse, format, add and the like"},
    {"os.difftime", "the clock is dts.now()"},
    {"os.execute", "a script runs no other programs: a source is asked with dts.source, and work "
                   "goes to another pipeline with ctx:enqueue"},
    {"os.getenv", "a run gets its settings as params, and keys as {secret:NAME} in a source's "
                  "headers"},
    {"os.exit", "ctx:fail(\"why\") ends a run, `return` ends it well"},
    {"io.write", "lines of the log are written with dts.log or print"},
    {"io.popen", "a script runs no other programs: a source is asked with dts.source"},
    {"os.", "a script changes no files: ctx:put writes rows, ctx:archive keeps bytes"},
    {"io.", "a script opens no files: they arrive with `files = ...`, fixed rows with dts.table{ "
            "rows = ... }; ctx:archive keeps bytes"},
    {NULL, NULL}};

static int read_absent_field(lua_State *L) {
  dts_error e;
  const char *library = lua_tostring(L, lua_upvalueindex(1));
  const char *name = lua_pushfstring(L, "%s.%s", library, luaL_tolstring(L, 2, NULL));
  const absent_name *a = absent_fields;
  while (strcmp(a->name, name) != 0 && (a->name[3] || strncmp(a->name, name, 3) != 0)) a++;
  error_fail(&e, "NAME", "'%s' is not available to scripts", name);
  error_hint(&e, "%s", a->hint);
  return fault_raise(L, &e);
}

static void push_absent_library(lua_State *L, const char *name) {
  lua_newtable(L);
  lua_newtable(L);
  lua_pushstring(L, name);
  lua_pushcclosure(L, read_absent_field, 1);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "__newindex");
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, "absent");
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
}

typedef struct name_list {
  const char *names[256]; /* the last stays NULL */
  size_t count;
} name_list;

static void add_name(name_list *l, const char *name) {
  if (name && *name && *name != '(' && l->count < 255) l->names[l->count++] = name;
}

/* A name of one or two letters is near to any other. */
static void add_local(name_list *l, const char *name) {
  if (strlen(name) > 2 && strcmp(name, "_ENV") != 0) add_name(l, name);
}

/* The locals in sight where the caller stands: its own, and those it has from around it. */
static void add_locals(lua_State *L, name_list *l) {
  lua_Debug caller;
  const char *name;
  if (!lua_getstack(L, 1, &caller) || !lua_getinfo(L, "f", &caller)) return;
  for (int i = 1; (name = lua_getlocal(L, &caller, i)); i++) add_local(l, name), lua_pop(L, 1);
  for (int i = 1; (name = lua_getupvalue(L, -1, i)); i++) add_local(l, name), lua_pop(L, 1);
  lua_pop(L, 1);
}

/* Of the locals in sight, `dts` and the globals, the one that was meant. */
static const char *nearest_name(lua_State *L, const char *word) {
  name_list l = {0};
  if (strcmp(word, "dts") != 0) add_name(&l, "dts");
  if (strlen(word) > 2) add_locals(L, &l);
  lua_pushglobaltable(L);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING) add_name(&l, lua_tostring(L, -2));
  lua_pop(L, 1);
  return error_nearest(word, l.names);
}

static int read_unknown(lua_State *L) {
  dts_error e;
  if (lua_type(L, 2) != LUA_TSTRING) return 0;
  const char *name = lua_tostring(L, 2);
  for (const char *const *l = libraries_without; *l; l++)
    if (strcmp(*l, name) == 0) return push_absent_library(L, name), 1;
  for (const absent_name *a = absent; a->name; a++) {
    if (strcmp(a->name, name) != 0) continue;
    error_fail(&e, "NAME", "'%s' is not available to scripts", name);
    error_hint(&e, "%s", a->hint);
    return fault_raise(L, &e);
  }
  const char *nearest = nearest_name(L, name);
  if (nearest)
    error_fail(&e, "NAME", "unknown name '%s'; did you mean '%s'?", name, nearest);
  else
    error_fail(&e, "NAME", "unknown name '%s'", name);
  bool ours = strcmp(name, "dts") == 0;
  if (!nearest)
    error_hint(&e, "declare it first: local %s = %s", name, ours ? "require \"dts\"" : "...");
  return fault_raise(L, &e);
}

static int write_global(lua_State *L) {
  dts_error e;
  const char *name = luaL_tolstring(L, 2, NULL);
  error_fail(&e, "NAME", "'%s' is not declared: write `local %s = ...`", name, name);
  error_hint(&e, "each file keeps its own names; what files share is returned by a module");
  return fault_raise(L, &e);
}

/* ── A file's environment ── */

static int write_library(lua_State *L) {
  dts_error e;
  const char *library = lua_tostring(L, lua_upvalueindex(1));
  const char *name = luaL_tolstring(L, 2, NULL);
  error_fail(&e, "NAME", "'%s.%s' cannot be added to Lua's own library", library, name);
  error_hint(&e, "keep it in a local of your own: local function %s(...) end", name);
  return fault_raise(L, &e);
}

/* The scripts' own copy of a library: what they change in it is theirs, and gone with it. */
static void copy_library(lua_State *L, const char *name) {
  lua_newtable(L);
  lua_getglobal(L, name);
  for (lua_pushnil(L); lua_next(L, -2);) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -5);
  }
  lua_pop(L, 1);
  lua_createtable(L, 0, 2);
  lua_pushstring(L, name);
  lua_pushcclosure(L, write_library, 1);
  lua_setfield(L, -2, "__newindex");
  lua_pushliteral(L, "library");
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_setfield(L, -2, name);
}

/* What an environment falls back on: a file's own require, the copies, then the globals. */
static void push_base(lua_State *L) {
  static const char *const libraries[] = {"string", "table", "math", "utf8", "coroutine", NULL};
  lua_newtable(L);
  lua_pushcfunction(L, loader_require);
  lua_setfield(L, -2, "require");
  for (const char *const *name = libraries; *name; name++) copy_library(L, *name);
  lua_newtable(L);
  lua_pushglobaltable(L);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}

void globals_forget(lua_State *L) {
  lua_pushnil(L);
  lua_setfield(L, LUA_REGISTRYINDEX, ENVIRONMENT);
}

void globals_push_environment(lua_State *L) {
  lua_newtable(L);
  if (luaL_newmetatable(L, ENVIRONMENT)) {
    push_base(L);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, write_global);
    lua_setfield(L, -2, "__newindex");
    lua_pushliteral(L, "environment");
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, -2);
}

/* ── The safe base ── */

/* As dts.log shows it: a table by its content. */
static void push_shown(lua_State *L, int index) {
  if (!lua_istable(L, index) || fault_is(L, index)) {
    luaL_tolstring(L, index, NULL);
    return;
  }
  loader_push_engine(L, "dts.show");
  lua_pushvalue(L, index);
  lua_call(L, 1, 1);
}

static int print(lua_State *L) {
  script *s = script_of(L);
  luaL_Buffer line;
  int count = lua_gettop(L);
  luaL_buffinit(L, &line);
  for (int i = 1; i <= count; i++) {
    if (i > 1) luaL_addchar(&line, ' ');
    push_shown(L, i);
    luaL_addvalue(&line);
  }
  luaL_pushresult(&line);
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  buffer_clear(&s->out);
  pack_map(&s->out, 2);
  pack_text(&s->out, "level", 5);
  pack_text(&s->out, "info", 4);
  pack_text(&s->out, "message", 7);
  pack_text(&s->out, text, size);
  call_post(L, OP_LOG, &s->out, -1);
  return 0;
}

static int no_chance(lua_State *L) {
  return fault_fail(L, "NAME", "chance is not available to scripts: dts.uuid() gives a new name");
}

static void set_functions(lua_State *L, const char *library, const luaL_Reg *functions) {
  if (library)
    lua_getglobal(L, library);
  else
    lua_pushglobaltable(L);
  for (; functions->name; functions++) {
    if (functions->func)
      lua_pushcfunction(L, functions->func);
    else
      lua_pushnil(L);
    lua_setfield(L, -2, functions->name);
  }
  lua_pop(L, 1);
}

static void guard_globals(lua_State *L) {
  static const luaL_Reg metamethods[] = {
      {"__index", read_unknown}, {"__newindex", write_global}, {NULL, NULL}};
  lua_pushglobaltable(L);
  luaL_newlib(L, metamethods);
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
}

void globals_open(lua_State *L) {
  static const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base},
                                       {"string", luaopen_string},
                                       {"table", luaopen_table},
                                       {"math", luaopen_math},
                                       {"utf8", luaopen_utf8},
                                       {"coroutine", base_open_coroutine},
                                       {NULL, NULL}};
  static const luaL_Reg base[] = {{"print", print},
                                  {"load", loader_load},
                                  {"require", loader_require},
                                  {"ipairs", base_ipairs},
                                  {"pairs", base_pairs},
                                  {"pcall", base_pcall},
                                  {"xpcall", base_xpcall},
                                  {"setmetatable", base_setmetatable},
                                  {"getmetatable", base_getmetatable},
                                  {"dofile", NULL},
                                  {"loadfile", NULL},
                                  {"collectgarbage", NULL},
                                  {"warn", NULL},
                                  {"_G", NULL},
                                  {NULL, NULL}};
  static const luaL_Reg math[] = {{"random", no_chance}, {"randomseed", no_chance}, {NULL, NULL}};
  static const luaL_Reg string[] = {{"dump", NULL}, {NULL, NULL}};
  for (const luaL_Reg *l = libraries; l->name; l++)
    luaL_requiref(L, l->name, l->func, 1), lua_pop(L, 1);
  set_functions(L, NULL, base);
  set_functions(L, "math", math);
  set_functions(L, "string", string);
  guard_globals(L);
}
