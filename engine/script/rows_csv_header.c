/* rows_csv_header.c -- a CSV file's columns: their names, from its header or the analyst, and what of
 * them is wanted under which of our names (rows_csv_parts.h).
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "script/fault.h"
#include "script/rows.h"
#include "script/rows_csv_parts.h"

enum { MOST_TITLES = 50 }; /* lines that are looked at for the header, when the first is none */

const char *csv_trim(const csv_field *f, size_t *size) {
  const char *at = f->bytes, *end = at + f->size;
  while (at < end && (*at == ' ' || *at == '\t')) at++;
  while (end > at && (end[-1] == ' ' || end[-1] == '\t')) end--;
  *size = (size_t)(end - at);
  return at;
}

static shape_type type_of(lua_State *L, int shape, const char *name) {
  shape_type type = SHAPE_TEXT;
  if (lua_getfield(L, shape, "types") == LUA_TTABLE) {
    lua_getfield(L, -1, name);
    type = rows_type(lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return type;
}

/* Whether a row without it is refused: its table takes none. */
static bool is_required(lua_State *L, int shape, const char *name) {
  int top = lua_gettop(L);
  bool required =
      lua_getfield(L, shape, "required") == LUA_TTABLE && lua_getfield(L, -1, name) == LUA_TBOOLEAN;
  lua_settop(L, top);
  return required;
}

static csv_target target_of(lua_State *L, int shape, const char *ours, int place) {
  return (csv_target){.wanted = true,
                      .required = is_required(L, shape, ours),
                      .type = type_of(L, shape, ours),
                      .name = place,
                      .column = -1};
}

/* "the file has Datum, Wert": as many of them as a hint takes. */
static void hint_names(const reader *r, dts_error *e) {
  char names[200] = "";
  size_t used = 0, i = 0;
  for (; i < r->target_count && used + strlen(r->theirs[i]) + 3 < sizeof names; i++)
    used +=
        (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", r->theirs[i]);
  error_hint(e, "the file has %s%s", names, i < r->target_count ? " …" : "");
}

/* Whether each of the columns asked for (the table on top) is a field of this row. */
static bool has_all(lua_State *L, const csv_field *fields, size_t count) {
  int columns = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, columns); lua_pop(L, 1)) {
    size_t size, wanted, i = 0;
    const char *theirs = lua_tolstring(L, -1, &wanted), *name;
    for (; i < count; i++)
      if (name = csv_trim(&fields[i], &size), size == wanted && !memcmp(name, theirs, size)) break;
    if (i == count) return lua_settop(L, columns), false;
  }
  return true;
}

/* The line of the header where titles stand above it, of the next few; 0: none has all the names. The
 * reader is of no use behind it. */
static long long find_header(lua_State *L, reader *r) {
  const csv_field *fields;
  size_t count;
  dts_error ignored;
  for (int rows = 0; rows < MOST_TITLES;) {
    csv_status status = csv_next(&r->csv, &fields, &count, &ignored);
    if (status == CSV_ERROR || status == CSV_END) return 0;
    if (status == CSV_MORE)
      csv_feed_more(L, r);
    else if (rows++, has_all(L, fields, count))
      return (long long)r->csv.line;
  }
  return 0;
}

/* Where all names stand in one field, what is between them. */
static void hint_delimiter(const char *line, dts_error *e) {
  const char *mark = strpbrk(line, ";\t|,");
  if (mark)
    error_hint(e, "the line has one field only: is the delimiter right? delimiter = \"%.*s\"",
               *mark == '\t' ? 2 : 1, *mark == '\t' ? "\\t" : mark);
  else
    error_hint(e, "the line has one field only: are there titles above the header? skip = 1 passes "
                  "over a line");
}

/* The table of columns is on top, above ours and theirs, which it keeps alive. */
static int refuse_missing(lua_State *L, reader *r, const char *ours, const char *theirs) {
  char said[200] = "";
  dts_error e;
  const char *nearest = error_nearest(theirs, r->theirs);
  if (nearest) snprintf(said, sizeof said, "; did you mean \"%.150s\"?", nearest);
  error_fail(&e, "COLUMN", "there is no column \"%s\" (for '%s') in line %lld of %s%s", theirs,
             ours, (long long)r->csv.line, r->feed.origin, said);
  long long line = find_header(L, r);
  if (line)
    error_hint(&e, "line %lld has them: skip = %lld", line, line - 1);
  else if (r->target_count && r->theirs[0][0] == '<')
    error_hint(&e, "it looks like a page or XML, which format = \"csv\" cannot read");
  else if (r->target_count == 1)
    hint_delimiter(r->theirs[0], &e);
  else
    hint_names(r, &e);
  return fault_raise(L, &e);
}

/* A column without a name, or whose name came before, gets a number. */
static void number_names(reader *r) {
  for (size_t i = 0; i < r->target_count; i++) {
    bool seen = !r->theirs[i][0];
    for (size_t j = 0; j < i && !seen; j++) seen = strcmp(r->theirs[j], r->theirs[i]) == 0;
    if (!seen) continue;
    const char *name = r->theirs[i][0] ? r->theirs[i] : "column";
    r->theirs[i] = arena_format(&r->memory, "%s_%zu", name, i + 1);
  }
}

/* Only the columns asked for, under our names. */
static void choose_columns(lua_State *L, const csv_source *from) {
  reader *r = from->rows;
  int columns = lua_gettop(L), count = 0;
  for (lua_pushnil(L); lua_next(L, columns); lua_pop(L, 1)) {
    const char *ours = lua_tostring(L, -2), *theirs = lua_tostring(L, -1);
    size_t i = 0;
    while (i < r->target_count && strcmp(r->theirs[i], theirs) != 0) i++;
    if (i == r->target_count) lua_pushvalue(L, columns), refuse_missing(L, r, ours, theirs);
    if (r->targets[i].wanted) fault_fail(L, "COLUMN", "column \"%s\" is asked for twice", theirs);
    r->targets[i] = target_of(L, from->shape, ours, ++count);
    lua_pushvalue(L, -2);
    lua_rawseti(L, from->names, count);
  }
}

static void take_columns(lua_State *L, const csv_source *from) {
  reader *r = from->rows;
  for (size_t i = 0; i < r->target_count; i++) {
    r->targets[i] = target_of(L, from->shape, r->theirs[i], (int)i + 1);
    lua_pushstring(L, r->theirs[i]);
    lua_rawseti(L, from->names, (lua_Integer)i + 1);
  }
}

static void open_columns(reader *r, size_t count) {
  r->target_count = count;
  r->targets = arena_alloc(&r->memory, (count + 1) * sizeof *r->targets);
  r->theirs = arena_alloc(&r->memory, (count + 1) * sizeof *r->theirs);
  r->has_header = true;
}

static void map_columns(lua_State *L, const csv_source *from) {
  number_names(from->rows);
  if (lua_getfield(L, from->shape, "columns") == LUA_TTABLE)
    choose_columns(L, from);
  else
    take_columns(L, from);
  lua_pop(L, 1);
}

void csv_read_header(lua_State *L, const csv_source *from, const csv_field *fields, size_t count) {
  reader *r = from->rows;
  open_columns(r, count);
  for (size_t i = 0; i < count; i++) {
    size_t size;
    const char *name = csv_trim(&fields[i], &size);
    if (memchr(name, 0, size)) feed_refuse_nul(L, &r->feed);
    r->theirs[i] = arena_copy(&r->memory, name, size);
  }
  map_columns(L, from);
}

/* As many columns as the first row has fields, with numbers for names. */
void csv_number_columns(lua_State *L, const csv_source *from, size_t count) {
  open_columns(from->rows, count);
  for (size_t i = 0; i < count; i++) from->rows->theirs[i] = "";
  map_columns(L, from);
}

/* The names that the analyst gives, for a file whose first line is a row already. */
void csv_given_header(lua_State *L, const csv_source *from) {
  reader *r = from->rows;
  bool given = lua_getfield(L, from->shape, "header") == LUA_TTABLE;
  r->numbered = given && lua_rawlen(L, -1) == 0;
  if (given && !r->numbered) {
    open_columns(r, lua_rawlen(L, -1));
    for (size_t i = 0; i < r->target_count; i++, lua_pop(L, 1)) {
      lua_rawgeti(L, -1, (lua_Integer)i + 1);
      r->theirs[i] = arena_text(&r->memory, lua_tostring(L, -1));
    }
    map_columns(L, from);
  }
  lua_pop(L, 1);
}

void csv_check_header(lua_State *L, const csv_source *from) {
  reader *r = from->rows;
  dts_error e;
  if (r->has_header || lua_getfield(L, from->shape, "headed") != LUA_TBOOLEAN) return;
  lua_getfield(L, from->shape, "skip");
  lua_Integer skip = r->feed.body->size ? lua_tointeger(L, -1) : 0;
  error_fail(&e, "COLUMN", "a line with the columns' names expected, but %s %s", r->feed.origin,
             skip ? "ends before it" : "is empty");
  if (skip) error_hint(&e, "skip = %lld passes over all of its lines", skip);
  fault_raise(L, &e);
}
