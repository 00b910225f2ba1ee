/* shape_pack.c -- one Lua value for one column: checked, made canonical, packed.
 *
 * The rules are scripting.md's "Tables and rows": integers of 64 bits (3.0 is taken), reals without
 * NaN and infinities, real days, timestamps with an offset (converted to UTC), UTF-8 without NUL. A
 * text is taken for another type when it is that type's canonical form.
 *
 * SPDX-License-Identifier: MIT */
#include "script/shape.h"

#include <errno.h>
#include <inttypes.h>
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "format/date.h"
#include "format/json.h"
#include "script/convert.h"
#include "wire/pack.h"

static const char *const expected[] = {"text",
                                       "an integer",
                                       "a number",
                                       "true or false",
                                       "a date YYYY-MM-DD",
                                       "a timestamp with an offset, such as 2026-03-10T13:00:00Z",
                                       "plain data, or a text that is JSON"};

static const char *show_number(lua_State *L, int index, char out[TEXT_SHORT]) {
  lua_Number x = lua_tonumber(L, index);
  if (isnan(x)) return "NaN (0/0)";
  if (isinf(x)) return "infinity";
  if (lua_isinteger(L, index))
    snprintf(out, TEXT_SHORT, "%" PRId64, (int64_t)lua_tointeger(L, index));
  else
    snprintf(out, TEXT_SHORT, "%.14g", x);
  return out;
}

static const char *show(lua_State *L, int index, char out[TEXT_SHORT]) {
  size_t size;
  const char *text;
  switch (lua_type(L, index)) {
  case LUA_TSTRING: text = lua_tolstring(L, index, &size); return text_shorten(out, text, size);
  case LUA_TBOOLEAN: return lua_toboolean(L, index) ? "true" : "false";
  case LUA_TNUMBER: return show_number(L, index, out);
  default: snprintf(out, TEXT_SHORT, "a %s", luaL_typename(L, index)); return out;
  }
}

/* What the script may write instead; "" when there is nothing to guess. */
static const char *remedy(lua_State *L, shape_type type, int index) {
  int given = lua_type(L, index);
  bool number = type == SHAPE_INTEGER || type == SHAPE_REAL;
  if (number && given == LUA_TSTRING)
    return "tonumber(text) makes a number of a text; :rows { decimal = \",\" } reads a decimal "
           "comma";
  if (type == SHAPE_INTEGER && given == LUA_TNUMBER)
    return "declare the column real, or round the number: math.floor(x + 0.5)";
  if (type == SHAPE_DATE && given == LUA_TSTRING)
    return "dts.date.parse(text, \"%d/%m/%Y\") reads a day written another way";
  if (type == SHAPE_DATE && given == LUA_TNUMBER)
    return "dts.date.parse(n, \"%Y%m%d\") reads a number like 20260131";
  if (type == SHAPE_TEXT && (given == LUA_TNUMBER || given == LUA_TBOOLEAN))
    return "tostring(value) makes a text of it";
  return "";
}

static int refuse(lua_State *L, const shape_column *c, int index, dts_error *e) {
  char shown[TEXT_SHORT];
  error_fail(e, "COLUMN", "column '%s': %s expected, got %s", c->name, expected[c->type],
             show(L, index, shown));
  return error_hint(e, "%s", remedy(L, c->type, index));
}

/* ── Canonical texts of numbers ── */

static bool is_integer_text(const char *text, size_t size) {
  size_t sign = size && text[0] == '-';
  if (size == sign || size > 20) return false;
  if (text[sign] == '0') return size == 1;
  return strspn(text + sign, "0123456789") == size - sign;
}

/* A JSON number: RFC 8259 section 6. */
static bool is_number_text(const char *text, size_t size) {
  const char *at = text + (size && *text == '-');
  size_t digits = strspn(at, "0123456789");
  if (!digits || (digits > 1 && *at == '0')) return false;
  at += digits;
  if (*at == '.') {
    digits = strspn(++at, "0123456789");
    if (!digits) return false;
    at += digits;
  }
  if (*at == 'e' || *at == 'E') {
    at += 1 + (at[1] == '+' || at[1] == '-');
    digits = strspn(at, "0123456789");
    if (!digits) return false;
    at += digits;
  }
  return at == text + size;
}

/* ── One function for each type, given the value's type in Lua; -1 when it does not fit ── */

static int pack_as_text(lua_State *L, int index, int type, buffer *b) {
  size_t size;
  if (type != LUA_TSTRING) return -1;
  const char *text = lua_tolstring(L, index, &size);
  if (memchr(text, '\0', size) || !text_is_utf8(text, size, NULL)) return -1;
  pack_text(b, text, size);
  return 0;
}

static int pack_as_integer(lua_State *L, int index, int type, buffer *b) {
  size_t size;
  lua_Integer n;
  int exact;
  if (type == LUA_TSTRING) {
    const char *text = lua_tolstring(L, index, &size);
    if (!is_integer_text(text, size)) return -1;
    errno = 0; /* not Lua's conversion: past 64 bits it goes by way of a float */
    n = strtoll(text, NULL, 10);
    exact = errno == 0;
  } else if (type == LUA_TNUMBER) {
    n = lua_tointegerx(L, index, &exact); /* 3.0 is 3, 3.5 is none */
  } else {
    return -1;
  }
  if (!exact) return -1;
  pack_integer(b, n);
  return 0;
}

static int pack_as_real(lua_State *L, int index, int type, buffer *b) {
  size_t size;
  double x;
  if (type == LUA_TSTRING) {
    const char *text = lua_tolstring(L, index, &size);
    if (!is_number_text(text, size)) return -1;
    x = json_parse_real(text, size);
  } else if (type == LUA_TNUMBER) {
    x = lua_tonumber(L, index);
  } else {
    return -1;
  }
  if (!isfinite(x)) return -1;
  pack_real(b, x);
  return 0;
}

static int pack_as_boolean(lua_State *L, int index, int type, buffer *b) {
  size_t size = 0;
  bool text = type == LUA_TSTRING;
  const char *word = text ? lua_tolstring(L, index, &size) : "";
  bool known =
      (size == 4 && memcmp(word, "true", 4) == 0) || (size == 5 && memcmp(word, "false", 5) == 0);
  if (type != LUA_TBOOLEAN && !known) return -1;
  pack_boolean(b, text ? word[0] == 't' : lua_toboolean(L, index));
  return 0;
}

static int pack_as_date(lua_State *L, int index, int type, buffer *b) {
  size_t size;
  int32_t date;
  if (type != LUA_TSTRING) return -1;
  const char *text = lua_tolstring(L, index, &size);
  if (date_read(text, size, &date) < 0) return -1;
  pack_text(b, text, size);
  return 0;
}

static int pack_as_timestamp(lua_State *L, int index, int type, buffer *b) {
  size_t size;
  int64_t ms;
  char canonical[25];
  if (type != LUA_TSTRING) return -1;
  const char *text = lua_tolstring(L, index, &size);
  if (timestamp_read(text, size, &ms) < 0) return -1;
  timestamp_write(ms, canonical);
  pack_text(b, canonical, strlen(canonical));
  return 0;
}

/* A text is JSON already. */
static bool is_json_text(const char *text, size_t size) {
  arena scratch = {0};
  value ignored;
  bool good = json_read(&scratch, text, size, &ignored, NULL) == 0;
  arena_free(&scratch);
  return good;
}

static int pack_as_json(lua_State *L, int index, int type, buffer *b) {
  size_t size;
  const char *text = type == LUA_TSTRING ? lua_tolstring(L, index, &size) : NULL;
  if (text && !is_json_text(text, size)) return -1;
  if (type == LUA_TNUMBER && !isfinite(lua_tonumber(L, index))) return -1;
  convert_pack(L, index, b, NULL);
  return 0;
}

int shape_pack(lua_State *L, const shape_column *c, int index, buffer *b, dts_error *e) {
  typedef int (*packer)(lua_State *, int, int, buffer *);
  static const packer packers[] = {pack_as_text, pack_as_integer,   pack_as_real, pack_as_boolean,
                                   pack_as_date, pack_as_timestamp, pack_as_json};
  int type = lua_type(L, index); /* asked once: put's hot path */
  if (type <= LUA_TNIL || (type == LUA_TLIGHTUSERDATA && convert_is_null(L, index))) {
    if (c->required)
      return error_fail(e, "COLUMN", "column '%s': a value is required, got nothing", c->name);
    pack_null(b);
    return 0;
  }
  return packers[c->type](L, index, type, b) < 0 ? refuse(L, c, index, e) : 0;
}
