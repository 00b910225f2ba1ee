/* rows_csv.c -- rows.csv(body, shape) -> iterator of (row, line).
 *
 * The hot path of every file: field by field from the reader's memory into a sink (rows_csv.h), which
 * for a script is one new Lua table, nothing kept. The iterator is a closure over the reader, the list
 * of our names, and the shape.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "format/csv.h"
#include "script/convert.h"
#include "script/fault.h"
#include "script/lib_json.h"
#include "script/rows.h"
#include "script/rows_csv_parts.h"

#define READER "dts.csv_reader"
enum { UP_READER = 1, UP_NAMES, UP_SHAPE };
enum { MOST_CURED = 10 };

static void close_reader(reader *r) {
  if (r->open) csv_close(&r->csv), feed_close(&r->feed), arena_free(&r->memory);
  r->open = false;
  r->target_count = 0;
}

static int reader_gc(lua_State *L) {
  close_reader(lua_touserdata(L, 1));
  return 0;
}

/* ── A row ── */

static bool is_null(const reader *r, const char *text, size_t size) {
  if (!size) return true;
  for (size_t i = 0; i < r->null_count; i++)
    if (strlen(r->nulls[i]) == size && memcmp(r->nulls[i], text, size) == 0) return true;
  return false;
}

bool csv_push_cell(lua_State *L, const cell_rule *rule, shape_type type, const char *text,
                   size_t size) {
  char scratch[CELL_SCRATCH];
  value v;
  if (type == SHAPE_TEXT) return lua_pushlstring(L, text, size), true;
  if (type == SHAPE_JSON) return rows_push_json(L, text, size);
  if (cell_read(rule, type, text, size, scratch, &v) < 0) return false;
  convert_push(L, &v);
  return true;
}

/* Under these a row that its table cannot take is set aside: it would fail the whole put. */
static bool sets_aside(const reader *r) { return r->bad == BAD_REJECT || r->bad == BAD_NULL; }

/* "column 'price' (\"Valor\")": ours, and theirs where it is another name. */
static void name_column(lua_State *L, const csv_source *from, size_t i, char out[TEXT_SHORT * 2]) {
  const char *theirs = from->rows->theirs[i];
  lua_rawgeti(L, from->names, from->rows->targets[i].name);
  const char *ours = lua_tostring(L, -1); /* the list keeps it alive */
  lua_pop(L, 1);
  if (strcmp(ours, theirs) == 0)
    snprintf(out, TEXT_SHORT * 2, "column '%s'", ours);
  else
    snprintf(out, TEXT_SHORT * 2, "column '%s' (\"%s\")", ours, theirs);
}

/* A row that is set aside has no hint of its own: the first few have the cure in their message. */
static void say_cell(lua_State *L, const csv_source *from, size_t i, const char *text, size_t size,
                     dts_error *e) {
  reader *r = from->rows;
  bool aside = sets_aside(r);
  shape_type type = r->targets[i].type;
  char shown[TEXT_SHORT], wanted[128], name[TEXT_SHORT * 2], hint[CELL_HINT];
  const char *cure = NULL;
  if (!aside || r->cured++ < MOST_CURED) cure = cell_cure(&r->rule, type, text, size, hint);
  name_column(L, from, i, name);
  error_fail(e, "ROWS", "%s: %s expected, got %s (line %lld of %s)%s%s", name,
             cell_expected(&r->rule, type, wanted), text_shorten(shown, text, size),
             (long long)r->csv.line, r->feed.origin, aside && cure ? "; " : "",
             aside && cure ? cure : "");
  if (!aside) error_hint(e, "%s", cure ? cure : CELL_NO_CURE);
}

static void say_lack(lua_State *L, const csv_source *from, size_t i, dts_error *e) {
  const reader *r = from->rows;
  char name[TEXT_SHORT * 2];
  name_column(L, from, i, name);
  error_fail(e, "ROWS", "%s: a value is required, got nothing (line %lld of %s)", name,
             (long long)r->csv.line, r->feed.origin);
  error_hint(e,
             "bad = \"reject\" sets rows without it aside, such as totals and notes below a table");
}

static void say_count(const reader *r, size_t count, dts_error *e) {
  error_fail(e, "ROWS", "%zu field%s expected, as in the header, got %zu (line %lld of %s)",
             r->target_count, r->target_count == 1 ? "" : "s", count, (long long)r->csv.line,
             r->feed.origin);
  error_hint(e,
             "ragged = \"pad\" takes fields that are missing as null, ragged = \"cut\" also leaves "
             "out those that are too many");
}

static bool has_its_fields(const reader *r, size_t count) {
  if (count == r->target_count || r->bad == BAD_NULL || r->ragged == RAGGED_CUT) return true;
  return r->ragged == RAGGED_PAD && count < r->target_count;
}

static bool has_nul(const reader *r, const char *text, size_t size) {
  return r->nul_seen && r->typed && memchr(text, 0, size);
}

/* The row into the sink; false, and the error filled in, when it is bad. */
static bool give_row(lua_State *L, const csv_source *from, const csv_sink *sink,
                     const csv_field *fields, size_t count, dts_error *e) {
  reader *r = from->rows;
  if (!has_its_fields(r, count)) return say_count(r, count, e), false;
  size_t most = count < r->target_count ? count : r->target_count, size = 0;
  sink->begin(L, sink->data, from, most);
  for (size_t i = 0; i < r->target_count; i++) {
    csv_target *t = &r->targets[i];
    if (!t->wanted) continue;
    const char *text = i < most ? csv_trim(&fields[i], &size) : "";
    bool is_there = i < most && !is_null(r, text, size);
    if (is_there && !has_nul(r, text, size) && sink->cell(L, sink->data, from, t, text, size))
      continue;
    if (is_there && r->bad != BAD_NULL) return say_cell(L, from, i, text, size, e), false;
    if (t->required) return say_lack(L, from, i, e), false;
  }
  return true;
}

/* shape.reject(row, reason, line): the row as the file has it. */
static void reject(lua_State *L, const csv_source *from, const csv_field *fields, size_t count,
                   const dts_error *e) {
  const reader *r = from->rows;
  if (lua_getfield(L, from->shape, "reject") != LUA_TFUNCTION)
    fault_fail(L, "ROWS", "rows are set aside (bad) by the runs of a pipeline only");
  lua_createtable(L, 0, (int)count);
  for (size_t i = 0; i < count; i++, lua_rawset(L, -3)) {
    if (i < r->target_count)
      lua_pushstring(L, r->theirs[i]);
    else
      lua_pushfstring(L, "column_%d", (int)i + 1);
    lua_pushlstring(L, fields[i].bytes, fields[i].size);
  }
  lua_pushstring(L, e->message);
  lua_pushinteger(L, (lua_Integer)r->csv.line);
  lua_call(L, 3, 0);
}

void csv_feed_more(lua_State *L, reader *r) {
  bool more = feed_next(L, &r->feed);
  if (r->feed.text.size && memchr(r->feed.text.data, 0, r->feed.text.size)) r->nul_seen = true;
  if (csv_feed(&r->csv, r->feed.text.data ? r->feed.text.data : "", r->feed.text.size,
               !more || r->feed.ended) < 0)
    fault_fail(L, "LIMIT_MEMORY", "no memory to read %s", r->feed.origin);
}

static int fail_csv(lua_State *L, reader *r, dts_error *e) {
  size_t size = strlen(e->message);
  snprintf(e->message + size, sizeof e->message - size, " (%s)", r->feed.origin);
  return fault_raise(L, e);
}

/* Where a row stands as it is read: good rows go out, bad ones are raised or set aside. */
static bool take_row(lua_State *L, const csv_source *from, const csv_sink *sink,
                     const csv_field *fields, size_t count) {
  reader *r = from->rows;
  dts_error e;
  int top = lua_gettop(L);
  if (!r->has_header && !r->numbered) return csv_read_header(L, from, fields, count), false;
  if (!r->has_header) csv_number_columns(L, from, count);
  if (give_row(L, from, sink, fields, count, &e)) return true;
  lua_settop(L, top);
  if (!sets_aside(r)) fault_raise(L, &e);
  return reject(L, from, fields, count, &e), false;
}

lua_Integer csv_source_next(lua_State *L, const csv_source *from, const csv_sink *sink) {
  reader *r = from->rows;
  const csv_field *fields;
  size_t count;
  dts_error e;
  if (r->open && !r->has_header) csv_given_header(L, from);
  while (r->open) {
    csv_status status = csv_next(&r->csv, &fields, &count, &e);
    if (status == CSV_ERROR) fail_csv(L, r, &e);
    if (status == CSV_END) {
      csv_check_header(L, from);
      break;
    }
    if (status == CSV_MORE)
      csv_feed_more(L, r);
    else if (take_row(L, from, sink, fields, count))
      return (lua_Integer)r->csv.line;
  }
  close_reader(r);
  return 0;
}

lua_Integer csv_source_line(const csv_source *from) { return (lua_Integer)from->rows->csv.line; }

void csv_forget_columns(const csv_source *from) {
  for (size_t i = 0; i < from->rows->target_count; i++) from->rows->targets[i].column = -1;
}

const cell_rule *csv_source_rule(const csv_source *from) { return &from->rows->rule; }
/* ── Rows as Lua tables ── */

static void begin_table(lua_State *L, void *data, const csv_source *from, size_t fields) {
  (void)data, (void)from;
  lua_createtable(L, 0, (int)fields);
}

static bool set_cell(lua_State *L, void *data, const csv_source *from, csv_target *t,
                     const char *text, size_t size) {
  (void)data;
  lua_rawgeti(L, from->names, t->name);
  if (!csv_push_cell(L, &from->rows->rule, t->type, text, size)) return lua_pop(L, 1), false;
  lua_rawset(L, -3);
  return true;
}

static int next_row(lua_State *L) {
  static const csv_sink tables = {begin_table, set_cell, NULL};
  csv_source from = {lua_touserdata(L, lua_upvalueindex(UP_READER)), lua_upvalueindex(UP_NAMES),
                     lua_upvalueindex(UP_SHAPE)};
  lua_settop(L, 0);
  lua_Integer line = csv_source_next(L, &from, &tables);
  if (!line) return 0;
  lua_pushinteger(L, line);
  return 2;
}

bool csv_source_open(lua_State *L, int index, csv_source *from) {
  if (lua_tocfunction(L, index) != next_row) return false;
  lua_getupvalue(L, index, UP_READER);
  lua_getupvalue(L, index, UP_NAMES);
  lua_getupvalue(L, index, UP_SHAPE);
  *from = (csv_source){lua_touserdata(L, -3), lua_gettop(L) - 1, lua_gettop(L)};
  return true;
}

/* ── Opening ── */

static void read_nulls(lua_State *L, reader *r) {
  if (lua_getfield(L, 2, "null") == LUA_TTABLE) {
    r->null_count = lua_rawlen(L, -1);
    r->nulls = arena_alloc(&r->memory, (r->null_count + 1) * sizeof *r->nulls);
    for (size_t i = 0; i < r->null_count; i++, lua_pop(L, 1)) {
      lua_rawgeti(L, -1, (lua_Integer)i + 1);
      r->nulls[i] = arena_text(&r->memory, lua_tostring(L, -1));
    }
  }
  lua_pop(L, 1);
}

static const char *option(lua_State *L, const char *name) { /* the shape keeps it alive */
  lua_getfield(L, 2, name);
  const char *text = lua_tostring(L, -1);
  return lua_pop(L, 1), text;
}

static char letter(lua_State *L, const char *name) {
  return option(L, name) ? *option(L, name) : '\0';
}

static csv_options read_options(lua_State *L) {
  csv_options o = {.delimiter = letter(L, "delimiter"), .quote = letter(L, "quote")};
  if (lua_getfield(L, 2, "quotes") == LUA_TBOOLEAN) o.no_quotes = !lua_toboolean(L, -1);
  lua_pop(L, 1);
  lua_getfield(L, 2, "skip");
  o.skip = (uint64_t)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return o;
}

int rows_csv(lua_State *L) {
  body *b = body_check(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  csv_options options = read_options(L);
  reader *r = lua_newuserdatauv(L, sizeof *r, 1); /* 3 */
  memset(r, 0, sizeof *r);
  rows_set_gc(L, READER, reader_gc);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, 3, 1);
  csv_open(&r->csv, &options);
  r->open = true;
  const char *origin = option(L, "origin");
  lua_getfield(L, 2, "encoding");
  feed_open(L, &r->feed, b, 4, origin ? origin : "a text");
  lua_settop(L, 3);
  rows_read_rule(L, 2, &r->rule);
  r->typed = option(L, "into") != NULL;
  r->bad = letter(L, "bad");
  r->ragged = letter(L, "ragged");
  read_nulls(L, r);
  lua_newtable(L);
  lua_pushvalue(L, 2);
  return lua_pushcclosure(L, next_row, 3), 1;
}
