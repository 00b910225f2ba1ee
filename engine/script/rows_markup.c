/* rows_markup.c -- node:records(at?, header?): the records of a document, one at a time.
 *
 * A record is an element (its attributes, its children's texts, or its own text) or a row of an HTML table.
 * The iterator gives record, line, and where the record's fields can be looked for: the node of an element,
 * the list of names of a table's row. Only one table is taken apart at a time.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "script/fault.h"
#include "script/lib_json.h"
#include "script/libs.h"
#include "script/markup_node.h"
#include "script/rows.h"

#define CURSOR "dts.records"

/* What next_record has as upvalues. */
enum { UP_CURSOR = 1, UP_DOCUMENT, UP_LIST, UP_HEADER, UP_NAMES };

typedef struct cursor {
  const document *document;
  const markup_node **list; /* UP_LIST keeps it */
  size_t count, at;
  arena memory; /* of the grid */
  markup_grid grid;
  size_t row;
} cursor;

static int cursor_gc(lua_State *L) {
  arena_free(&((cursor *)lua_touserdata(L, 1))->memory);
  return 0;
}

/* ── Elements ── */

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

static void set_text(lua_State *L, const document *d, const markup_node *at, const char *name) {
  markup_push_text(L, d, at);
  if (lua_rawlen(L, -1))
    set_field(L, name);
  else
    lua_pop(L, 1);
}

/* An element as a record: its attributes, its children's texts, or its own text; of HTML, where text
 * stands between children, all of its text in any case. */
static void push_element(lua_State *L, const document *d, const markup_node *at) {
  lua_newtable(L);
  markup_attributes(at, markup_set_attribute, L);
  const markup_node *child = markup_child(at);
  if (!child || markup_kind_of(d->m) == MARKUP_HTML) set_text(L, d, at, "text");
  for (; child; child = markup_next(child)) set_text(L, d, child, markup_name(child));
}

static void push_line(lua_State *L, const markup_node *at) {
  long line = markup_line(at);
  if (line)
    lua_pushinteger(L, line);
  else
    lua_pushnil(L);
}

/* ── Tables ── */

static bool is_table(const document *d, const markup_node *at) {
  return markup_kind_of(d->m) == MARKUP_HTML && strcmp(markup_name(at), "table") == 0;
}

/* The names given take the place of the table's own, as far as they go. */
static void rename_columns(lua_State *L, cursor *c) {
  size_t given = lua_rawlen(L, lua_upvalueindex(UP_HEADER));
  if (given > c->grid.columns)
    fault_fail(L, "ROWS", "`header` has %d names, the table at line %d of %s has %d columns",
               (int)given, (int)markup_line(c->list[c->at]), c->document->origin,
               (int)c->grid.columns);
  for (size_t i = 0; i < given; i++, lua_pop(L, 1)) {
    lua_rawgeti(L, lua_upvalueindex(UP_HEADER), (lua_Integer)i + 1);
    c->grid.names[i] = lua_tostring(L, -1); /* the list keeps it alive */
  }
}

static void open_table(lua_State *L, cursor *c) {
  dts_error e;
  bool named = lua_istable(L, lua_upvalueindex(UP_HEADER));
  arena_free(&c->memory);
  c->memory = (arena){0};
  c->row = 0;
  if (markup_grid_read(c->document->m, c->list[c->at], named, &c->memory, &c->grid, &e) < 0)
    fault_raise(L, &e);
  if (named) rename_columns(L, c);
  lua_createtable(L, (int)c->grid.columns, 0);
  for (size_t x = 0; x < c->grid.columns; x++) {
    lua_pushstring(L, c->grid.names[x]);
    lua_rawseti(L, -2, (lua_Integer)x + 1);
  }
  lua_replace(L, lua_upvalueindex(UP_NAMES));
}

static int push_row(lua_State *L, cursor *c) {
  const char **cells = c->grid.cells[c->row];
  lua_createtable(L, 0, (int)c->grid.columns);
  for (size_t x = 0; x < c->grid.columns; x++) {
    if (!cells[x] || !cells[x][0]) continue;
    lua_pushstring(L, cells[x]);
    lua_setfield(L, -2, c->grid.names[x]);
  }
  push_line(L, c->grid.nodes[c->row++]);
  lua_pushvalue(L, lua_upvalueindex(UP_NAMES));
  return 3;
}

/* ── The iterator ── */

static int next_record(lua_State *L) {
  cursor *c = lua_touserdata(L, lua_upvalueindex(UP_CURSOR));
  for (; c->at < c->count; c->at++) {
    const markup_node *at = c->list[c->at];
    if (!is_table(c->document, at)) {
      push_element(L, c->document, at);
      push_line(L, at);
      markup_push_node(L, lua_upvalueindex(UP_DOCUMENT), at);
      c->at++;
      return 3;
    }
    if (!lua_istable(L, lua_upvalueindex(UP_NAMES))) open_table(L, c);
    if (c->row < c->grid.rows) return push_row(L, c);
    lua_pushnil(L);
    lua_replace(L, lua_upvalueindex(UP_NAMES));
  }
  return 0;
}

/* "; its root is <rss>, which has <channel>": what there is instead. */
static void describe(const document *d, char out[160]) {
  const markup_node *top = markup_child(markup_root(d->m)), *child = top ? markup_child(top) : NULL;
  size_t size = 0;
  out[0] = '\0';
  if (!top) return;
  size = (size_t)snprintf(out, 160, "; its root is <%.40s>", markup_name(top));
  const char *before = "", *joint = ", which has";
  for (int i = 0; child && i < 3 && size < 100; child = markup_next(child)) {
    const char *name = markup_name(child);
    if (strcmp(name, before) == 0) continue;
    size += (size_t)snprintf(out + size, 160 - size, "%s <%.30s>", joint, name);
    before = name, joint = ",", i++;
  }
}

static void check_found(lua_State *L, const document *d, const char *selector, size_t count) {
  char found[160];
  if (count) return;
  describe(d, found);
  if (selector)
    fault_fail(L, "ROWS", "there is nothing at '%s' in %s%s", selector, d->origin, found);
  fault_fail(L, "ROWS",
             "there is no table in %s%s (`at` is for records that stand in other elements, for "
             "example at = \"li.item\")",
             d->origin, found);
}

/* records(at?, header?): an HTML document's first table unless said. */
int markup_records(lua_State *L) {
  node *n = markup_check_node(L);
  const document *d = n->document;
  bool html = markup_kind_of(d->m) == MARKUP_HTML;
  const char *selector = luaL_optstring(L, 2, NULL);
  lua_settop(L, 3);
  if (!selector && !html)
    return fault_fail(L, "ROWS",
                      "`at` says where the records of an XML document are, for example "
                      "rows { at = \"//item\" } (%s)",
                      d->origin);
  cursor *c = lua_newuserdatauv(L, sizeof *c, 0);
  *c = (cursor){.document = d};
  rows_set_gc(L, CURSOR, cursor_gc);
  lua_getiuservalue(L, 1, 1);
  if (!selector && strcmp(markup_name(n->at), "table") == 0) selector = "self::table";
  c->list = markup_push_list(L, n, selector ? selector : "table", &c->count);
  check_found(L, d, selector, c->count);
  if (!selector) c->count = 1;
  lua_pushvalue(L, 3);
  lua_pushnil(L);
  lua_pushcclosure(L, next_record, 5);
  return 1;
}
