/* lib_markup.c -- Lua: local markup = require "dts.markup"   markup.read(text or body, kind, encodings, origin)
 *
 * A node is a userdata that keeps its document alive: node:select(s) node:first(s) node:text() node:name()
 * node:attr(name) node:attrs() node:children() node:each(s) node:line(), and node:records(at?, header?) of
 * rows_markup.c. A selector is an XPath or CSS.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "markup/markup.h"
#include "script/convert.h"
#include "script/fault.h"
#include "script/lib_json.h"
#include "script/libs.h"
#include "script/markup_node.h"
#include "script/rows.h"
#include "script/rows_feed.h"
#include "script/script.h"

#define DOCUMENT "dts.document"
#define NODE     "dts.node"
#define LIST     "dts.node_list"
#define FEED     "dts.feed"

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

node *markup_check_node(lua_State *L) { return luaL_checkudata(L, 1, NODE); }

void markup_push_node(lua_State *L, int document_at, const markup_node *at) {
  document_at = lua_absindex(L, document_at);
  node *n = lua_newuserdatauv(L, sizeof *n, 1);
  n->document = lua_touserdata(L, document_at);
  n->at = at;
  lua_pushvalue(L, document_at);
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, NODE);
}

/* ── Selecting ── */

const markup_node **markup_push_list(lua_State *L, node *n, const char *selector, size_t *count) {
  dts_error e;
  void **held = lua_newuserdatauv(L, sizeof *held, 0);
  *held = NULL;
  rows_set_gc(L, LIST, list_gc);
  const markup_node **list = markup_select(n->document->m, n->at, selector, count, &e);
  if (!list) fault_raise(L, &e);
  *held = (void *)list;
  return list;
}

static const char *check_selector(lua_State *L) {
  if (lua_type(L, 2) != LUA_TSTRING)
    fault_fail(L, "SELECTOR",
               "a selector such as \"table.prices td\" or \"//item\" expected, got %s",
               convert_type(L, 2));
  return lua_tostring(L, 2);
}

static int node_select(lua_State *L) {
  size_t count;
  node *n = markup_check_node(L);
  const char *selector = check_selector(L);
  lua_settop(L, 2);
  lua_getiuservalue(L, 1, 1); /* 3 */
  const markup_node **list = markup_push_list(L, n, selector, &count);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    markup_push_node(L, 3, list[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int node_first(lua_State *L) {
  size_t count;
  node *n = markup_check_node(L);
  const char *selector = check_selector(L);
  lua_settop(L, 2);
  lua_getiuservalue(L, 1, 1);
  const markup_node **list = markup_push_list(L, n, selector, &count);
  if (!count) return 0;
  markup_push_node(L, 3, list[0]);
  return 1;
}

static int next_node(lua_State *L) {
  lua_Integer i = lua_tointeger(L, lua_upvalueindex(2)) + 1;
  lua_pushinteger(L, i);
  lua_copy(L, -1, lua_upvalueindex(2));
  lua_rawgeti(L, lua_upvalueindex(1), i);
  return 1;
}

/* for each in node:each(selector) do … end */
static int node_each(lua_State *L) {
  node_select(L);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_node, 2);
  return 1;
}

static int node_children(lua_State *L) {
  node *n = markup_check_node(L);
  lua_Integer i = 0;
  lua_getiuservalue(L, 1, 1);
  int document_at = lua_gettop(L);
  lua_newtable(L);
  for (const markup_node *c = markup_child(n->at); c; c = markup_next(c)) {
    markup_push_node(L, document_at, c);
    lua_rawseti(L, -2, ++i);
  }
  return 1;
}

/* ── Texts ── */

void markup_push_text(lua_State *L, const document *d, const markup_node *at) {
  buffer *b = json_push_buffer(L, (size_t)256 * 1024 * 1024);
  markup_text(d->m, at, b);
  lua_pushlstring(L, buffer_text(b), b->size);
  buffer_free(b);
  lua_remove(L, -2);
}

static int node_text(lua_State *L) {
  node *n = markup_check_node(L);
  markup_push_text(L, n->document, n->at);
  return 1;
}

static int node_line(lua_State *L) {
  lua_pushinteger(L, markup_line(markup_check_node(L)->at));
  return 1;
}

static int node_name(lua_State *L) {
  lua_pushstring(L, markup_name(markup_check_node(L)->at));
  return 1;
}

void markup_set_attribute(void *arg, const char *name, const char *text) {
  lua_State *L = arg;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static int node_attrs(lua_State *L) {
  node *n = markup_check_node(L);
  lua_newtable(L);
  markup_attributes(n->at, markup_set_attribute, L);
  return 1;
}

static int node_attr(lua_State *L) {
  luaL_checkstring(L, 2);
  lua_settop(L, 2);
  node_attrs(L);
  lua_getfield(L, -1, lua_tostring(L, 2));
  return 1;
}

static int node_tostring(lua_State *L) {
  node *n = markup_check_node(L);
  const char *name = markup_name(n->at);
  if (name[0])
    lua_pushfstring(L, "<%s>", name);
  else
    lua_pushliteral(L, "document");
  return 1;
}

/* ── Reading ── */

/* The start of a document as ASCII. Of UTF-16 every other byte is nought; `wide` says which. */
enum { HEAD_SIZE = 16384 }; /* browsers look further than the 1024 bytes that are asked for */

typedef struct head {
  char text[HEAD_SIZE];
  size_t size;
  const char *wide; /* "utf-16le", "utf-16be", NULL */
} head;

/* XML 1.0, appendix F: the first characters tell UTF-16 also without a mark. */
static void read_head(head *h, const char *bytes, size_t got) {
  h->wide = NULL;
  if (got >= 4 && bytes[0] == '<' && !bytes[1] && bytes[2] && !bytes[3]) h->wide = "utf-16le";
  if (got >= 4 && !bytes[0] && bytes[1] == '<' && !bytes[2] && bytes[3]) h->wide = "utf-16be";
  h->size = 0;
  for (size_t i = 0; i < got && h->size + 1 < sizeof h->text; i++)
    if (bytes[i]) h->text[h->size++] = bytes[i];
  h->text[h->size] = '\0';
}

/* Where the name behind `charset=` or `encoding=` begins in a tag; NULL when it has none. */
static const char *named_in(const char *tag, const char *end, const char *attribute) {
  const char *at = strcasestr(tag, attribute);
  if (!at || at >= end) return NULL;
  at += strlen(attribute);
  at += strspn(at, " \t\r\n");
  if (*at != '=') return NULL;
  at++;
  at += strspn(at, " \t\r\n\"'");
  return at < end ? at : NULL;
}

/* content="text/html; charset=…" means something under http-equiv="content-type" alone. */
static bool is_meant(const char *tag, const char *name, const char *end) {
  const char *content = strcasestr(tag, "content="), *type = strcasestr(tag, "http-equiv");
  if (!content || content > name) return true;
  if (!type || type > end) return false;
  type += strcspn(type, "=>");
  type += strspn(type, "= \t\r\n\"'");
  return strncasecmp(type, "content-type", 12) == 0 && strchr(" \t\r\n\"'>/", type[12]);
}

/* The first <meta> outside of comments that names an encoding. (HTML, "prescan a byte stream".) */
static const char *find_meta(const char *text) {
  for (const char *at = strchr(text, '<'); at; at = strchr(at + 1, '<')) {
    if (strncmp(at, "<!--", 4) == 0) {
      at = strstr(at, "-->");
      if (!at) return NULL;
      continue;
    }
    const char *end = strchr(at, '>'), *name;
    if (!end) return NULL;
    if (strncasecmp(at, "<meta", 5) == 0 && strchr(" \t\r\n/", at[5]) &&
        (name = named_in(at + 5, end, "charset")) && is_meant(at, name, end))
      return name;
  }
  return NULL;
}

static void push_html_encoding(lua_State *L, const char *name) {
  text_encoding known;
  if (!name || text_encoding_read(name, &known, NULL) < 0) known = TEXT_UTF8;
  lua_createtable(L, 2, 0); /* a page that is not what it says is read as a browser reads it */
  bool single = known == TEXT_LATIN1 || known == TEXT_WINDOWS1252;
  if (!single) lua_pushliteral(L, "utf-8"), lua_rawseti(L, -2, 1);
  lua_pushliteral(L, "windows-1252");
  lua_rawseti(L, -2, single ? 1 : 2);
}

/* Pushes what the document itself says: a name, a list, or nil. */
static void push_own_encoding(lua_State *L, const char *bytes, size_t got, bool html,
                              const char *origin) {
  head h;
  dts_error e;
  text_encoding known;
  read_head(&h, bytes, got);
  if (h.wide) {
    lua_pushstring(L, h.wide);
    return;
  }
  bool declared = strncmp(h.text, "<?xml", 5) == 0;
  const char *end = declared ? strstr(h.text, "?>") : NULL;
  const char *at = end ? named_in(h.text, end, "encoding") : html ? find_meta(h.text) : NULL;
  if (!at && !html) return lua_pushnil(L);
  lua_pushlstring(L, at ? at : "", at ? strcspn(at, "\"' \t\r\n;/>?") : 0);
  const char *name = lua_tostring(L, -1);
  bool sixteen = strncasecmp(name, "utf-16", 6) == 0; /* its noughts would have been seen */
  if (text_encoding_read(sixteen ? "utf-8" : at ? name : "utf-8", &known, &e) < 0)
    fault_fail(L, "ENCODING", "%s says that it is in %s, which is not known: %s", origin, name,
               e.hint[0] ? e.hint : e.message);
  if (html)
    push_html_encoding(L, sixteen || !at ? NULL : name);
  else if (sixteen)
    lua_pushliteral(L, "utf-8");
  else
    return;
  lua_remove(L, -2);
}

static int feed_gc(lua_State *L) {
  feed_close(lua_touserdata(L, 1));
  return 0;
}

/* Leaves the encodings at 3: those given, the document's own, or none. A byte order mark wins, in feed_open. */
static void choose_encoding(lua_State *L, body *b, bool html, const char *origin) {
  char start[HEAD_SIZE];
  size_t before = b->at;
  bool given = lua_istable(L, 3) || (lua_isstring(L, 3) && lua_rawlen(L, 3) > 0);
  if (given) return;
  b->at = 0;
  size_t got = body_read(L, b, start, sizeof start);
  b->at = before;
  push_own_encoding(L, start, got, html, origin);
  lua_replace(L, 3);
}

/* read(text or body, "xml" or "html", encodings, origin) -> the document's node */
static int markup_open(lua_State *L) {
  dts_error e;
  const char *kind = luaL_checkstring(L, 2), *origin = luaL_optstring(L, 4, "a text");
  lua_settop(L, 4);
  if (lua_type(L, 1) == LUA_TSTRING) body_push_text(L, 1), lua_replace(L, 1);
  body *b = body_check(L, 1);
  choose_encoding(L, b, kind[0] == 'h', origin);
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
  markup_push_node(L, 5, markup_root(d->m));
  return 1;
}

static void make_node_class(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"attr", node_attr},
      {"attrs", node_attrs},
      {"children", node_children},
      {"each", node_each},
      {"first", node_first},
      {"line", node_line},
      {"name", node_name},
      {"records", markup_records},
      {"select", node_select},
      {"text", node_text},
      {NULL, NULL},
  };
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
