/* lib_markup.c -- Lua: local markup = require "dts.markup"   markup.read(text or body, kind, encodings, origin)
 *
 * A node is a userdata that keeps its document alive: node:select(s) node:first(s) node:text() node:name()
 * node:attr(name) node:attrs() node:children() node:records(at?). A selector is an XPath or CSS.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "markup/markup.h"
#include "script/fault.h"
#include "script/lib_json.h"
#include "script/libs.h"
#include "script/rows.h"
#include "script/rows_feed.h"
#include "script/script.h"

#define DOCUMENT "dts.document"
#define NODE     "dts.node"
#define LIST     "dts.node_list"
#define GRID     "dts.grid"
#define FEED     "dts.feed"

typedef struct document {
  markup *m;
  char origin[160];
} document;

typedef struct node {
  document *document; /* user value 1 keeps it alive */
  const markup_node *at;
} node;

static int document_gc(lua_State *L) {
  document *d = lua_touserdata(L, 1);
  markup_free(d->m);
  d->m = NULL;
  return 0;
}

static int list_gc(lua_State *L) {
  void **list = lua_touserdata(L, 1);
  free(*list);
  *list = NULL;
  return 0;
}

static int grid_gc(lua_State *L) {
  arena_free(lua_touserdata(L, 1));
  return 0;
}

static node *check_node(lua_State *L) { return luaL_checkudata(L, 1, NODE); }

/* Pushes a node of the document whose userdata lies at index. */
static void push_node(lua_State *L, int document_at, const markup_node *at) {
  document_at = lua_absindex(L, document_at);
  node *n = lua_newuserdatauv(L, sizeof *n, 1);
  n->document = lua_touserdata(L, document_at);
  n->at = at;
  lua_pushvalue(L, document_at);
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, NODE);
}

/* ── Selecting ── */

/* The nodes that a selector finds, in a userdata that it pushes. */
static const markup_node **select_nodes(lua_State *L, node *n, const char *selector,
                                        size_t *count) {
  dts_error e;
  void **held = lua_newuserdatauv(L, sizeof *held, 0);
  *held = NULL;
  rows_set_gc(L, LIST, list_gc);
  const markup_node **list = markup_select(n->document->m, n->at, selector, count, &e);
  if (!list) fault_raise(L, &e);
  *held = (void *)list;
  return list;
}

static int node_select(lua_State *L) {
  size_t count;
  node *n = check_node(L);
  const char *selector = luaL_checkstring(L, 2);
  lua_settop(L, 2);
  lua_getiuservalue(L, 1, 1); /* 3 */
  const markup_node **list = select_nodes(L, n, selector, &count);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    push_node(L, 3, list[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int node_first(lua_State *L) {
  size_t count;
  node *n = check_node(L);
  const char *selector = luaL_checkstring(L, 2);
  lua_settop(L, 2);
  lua_getiuservalue(L, 1, 1);
  const markup_node **list = select_nodes(L, n, selector, &count);
  if (!count) return 0;
  push_node(L, 3, list[0]);
  return 1;
}

static int node_children(lua_State *L) {
  node *n = check_node(L);
  lua_Integer i = 0;
  lua_getiuservalue(L, 1, 1);
  int document_at = lua_gettop(L);
  lua_newtable(L);
  for (const markup_node *c = markup_child(n->at); c; c = markup_next(c)) {
    push_node(L, document_at, c);
    lua_rawseti(L, -2, ++i);
  }
  return 1;
}

/* ── Texts ── */

static void push_text(lua_State *L, const document *d, const markup_node *at) {
  buffer *b = json_push_buffer(L, (size_t)256 * 1024 * 1024);
  markup_text(d->m, at, b);
  lua_pushlstring(L, buffer_text(b), b->size);
  buffer_free(b);
  lua_remove(L, -2);
}

static int node_text(lua_State *L) {
  node *n = check_node(L);
  push_text(L, n->document, n->at);
  return 1;
}

static int node_name(lua_State *L) {
  lua_pushstring(L, markup_name(check_node(L)->at));
  return 1;
}

static void set_attribute(void *arg, const char *name, const char *text) {
  lua_State *L = arg;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static int node_attrs(lua_State *L) {
  node *n = check_node(L);
  lua_newtable(L);
  markup_attributes(n->at, set_attribute, L);
  return 1;
}

static int node_attr(lua_State *L) {
  luaL_checkstring(L, 2);
  lua_settop(L, 2);
  node_attrs(L);
  lua_getfield(L, -1, lua_tostring(L, 2));
  return 1;
}

/* ── Records ── */

/* The field on top goes into the record below it; of several of one name a list is made. */
static void set_field(lua_State *L, const char *name) {
  int type = lua_getfield(L, -2, name);
  if (type == LUA_TNIL) {
    lua_pop(L, 1);
    lua_setfield(L, -2, name);
    return;
  }
  if (type != LUA_TTABLE) {
    lua_createtable(L, 2, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, name);
  }
  lua_insert(L, -2);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  lua_pop(L, 1);
}

/* An element as a record: its attributes, its children's texts, or its own text. */
static void push_record(lua_State *L, const document *d, const markup_node *at) {
  lua_newtable(L);
  markup_attributes(at, set_attribute, L);
  const markup_node *child = markup_child(at);
  if (!child) {
    push_text(L, d, at);
    if (lua_rawlen(L, -1))
      lua_setfield(L, -2, "text");
    else
      lua_pop(L, 1);
  }
  for (; child; child = markup_next(child)) {
    push_text(L, d, child);
    if (lua_rawlen(L, -1))
      set_field(L, markup_name(child));
    else
      lua_pop(L, 1);
  }
}

/* Adds the rows of a table to the list on top. */
static void add_table(lua_State *L, const document *d, const markup_node *at) {
  dts_error e;
  markup_grid grid;
  arena *a = lua_newuserdatauv(L, sizeof *a, 0);
  *a = (arena){0};
  rows_set_gc(L, GRID, grid_gc);
  lua_insert(L, -2);
  if (markup_grid_read(d->m, at, a, &grid, &e) < 0) fault_raise(L, &e);
  for (size_t y = 0; y < grid.rows; y++) {
    lua_createtable(L, 0, (int)grid.columns);
    for (size_t x = 0; x < grid.columns; x++) {
      const char *text = grid.cells[y][x];
      if (!text || !text[0]) continue;
      lua_pushstring(L, text);
      lua_setfield(L, -2, grid.names[x]);
    }
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
  arena_free(a);
  lua_remove(L, -2);
}

static bool is_table(const document *d, const markup_node *at) {
  return markup_kind_of(d->m) == MARKUP_HTML && strcmp(markup_name(at), "table") == 0;
}

static int next_record(lua_State *L) {
  lua_Integer i = lua_tointeger(L, lua_upvalueindex(2)) + 1;
  lua_pushinteger(L, i);
  lua_copy(L, -1, lua_upvalueindex(2));
  lua_rawgeti(L, lua_upvalueindex(1), i);
  return 1;
}

static void add_records(lua_State *L, const document *d, const markup_node **list, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (is_table(d, list[i])) {
      add_table(L, d, list[i]);
    } else {
      push_record(L, d, list[i]);
      lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
  }
}

/* records(at?): an HTML document's first table unless said. */
static int node_records(lua_State *L) {
  size_t count;
  node *n = check_node(L);
  const document *d = n->document;
  bool html = markup_kind_of(d->m) == MARKUP_HTML;
  const char *selector = luaL_optstring(L, 2, NULL);
  lua_settop(L, 2);
  if (!selector && !html)
    return fault_fail(L, "ROWS",
                      "`at` says where the records of an XML document are, for example "
                      "rows { at = \"//item\" } (%s)",
                      d->origin);
  const markup_node **list = select_nodes(L, n, selector ? selector : "table", &count);
  if (!count && !selector) return fault_fail(L, "ROWS", "there is no table in %s", d->origin);
  if (!count) return fault_fail(L, "ROWS", "there is nothing at '%s' in %s", selector, d->origin);
  lua_newtable(L);
  add_records(L, d, list, selector ? count : 1);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_record, 2);
  return 1;
}

static int node_tostring(lua_State *L) {
  node *n = check_node(L);
  const char *name = markup_name(n->at);
  if (name[0])
    lua_pushfstring(L, "<%s>", name);
  else
    lua_pushliteral(L, "document");
  return 1;
}

/* ── Reading ── */

/* The encoding that the document itself names (XML declaration, <meta charset>), as far as we know it. */
static bool push_own_encoding(lua_State *L, const char *text, size_t size) {
  char head[1024];
  size_t n = size < sizeof head - 1 ? size : sizeof head - 1;
  for (size_t i = 0; i < n; i++) head[i] = text[i] ? text[i] : ' ';
  head[n] = '\0';
  const char *at =
      strncmp(head, "<?xml", 5) == 0 ? strstr(head, "encoding=") : strcasestr(head, "charset=");
  if (!at) return false;
  at = strchr(at, '=') + 1;
  at += *at == '"' || *at == '\'';
  size_t length = strcspn(at, "\"' ;/>");
  text_encoding known;
  lua_pushlstring(L, at, length);
  if (text_encoding_read(lua_tostring(L, -1), &known, NULL) == 0) return true;
  lua_pop(L, 1);
  return false;
}

static int feed_gc(lua_State *L) {
  feed_close(lua_touserdata(L, 1));
  return 0;
}

/* Leaves the encodings at 3: those given, the document's own, or none. */
static void choose_encoding(lua_State *L, body *b) {
  char start[1024];
  size_t before = b->at;
  bool given = lua_istable(L, 3) || (lua_isstring(L, 3) && lua_rawlen(L, 3) > 0);
  if (given) return;
  b->at = 0;
  size_t got = body_read(L, b, start, sizeof start);
  b->at = before;
  if (!push_own_encoding(L, start, got)) lua_pushnil(L);
  lua_replace(L, 3);
}

/* read(text or body, "xml" or "html", encodings, origin) -> the document's node */
static int markup_open(lua_State *L) {
  dts_error e;
  const char *kind = luaL_checkstring(L, 2), *origin = luaL_optstring(L, 4, "a text");
  lua_settop(L, 4);
  if (lua_type(L, 1) == LUA_TSTRING) body_push_text(L, 1), lua_replace(L, 1);
  body *b = body_check(L, 1);
  choose_encoding(L, b);
  document *d = lua_newuserdatauv(L, sizeof *d, 0); /* 5 */
  d->m = NULL;
  snprintf(d->origin, sizeof d->origin, "%s", origin);
  rows_set_gc(L, DOCUMENT, document_gc);
  feed *f = lua_newuserdatauv(L, sizeof *f, 0);
  memset(f, 0, sizeof *f);
  rows_set_gc(L, FEED, feed_gc);
  size_t limit = script_of(L)->memory_limit;
  buffer *text = json_push_buffer(L, limit ? limit / 4 : (size_t)1 << 29);
  feed_open(L, f, b, 3, origin);
  feed_all(L, f, text);
  d->m = markup_read(buffer_text(text), text->size, kind[0] == 'x' ? MARKUP_XML : MARKUP_HTML, &e);
  buffer_free(text);
  if (!d->m) {
    size_t size = strlen(e.message);
    snprintf(e.message + size, sizeof e.message - size, " (%s)", origin);
    return fault_raise(L, &e);
  }
  push_node(L, 5, markup_root(d->m));
  return 1;
}

static void make_node_class(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"attr", node_attr},     {"attrs", node_attrs}, {"children", node_children},
      {"first", node_first},   {"name", node_name},   {"records", node_records},
      {"select", node_select}, {"text", node_text},   {NULL, NULL}};
  if (luaL_newmetatable(L, NODE)) {
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, node_tostring);
    lua_setfield(L, -2, "__tostring");
  }
  lua_pop(L, 1);
}

int luaopen_dts_markup(lua_State *L) {
  static const luaL_Reg functions[] = {{"read", markup_open}, {NULL, NULL}};
  make_node_class(L);
  luaL_newlib(L, functions);
  return 1;
}
