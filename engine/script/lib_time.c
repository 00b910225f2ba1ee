/* lib_time.c -- Lua: local time = require "dts.time"   (engine Lua only; dts.date is made from it)
 *
 * Dates, instants, durations, schedules and calendars as texts: the arithmetic is format/'s. A date is
 * "YYYY-MM-DD", an instant "YYYY-MM-DDTHH:MM:SS.mmmZ". Nothing here asks for the time.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "format/calendar.h"
#include "format/cron.h"
#include "format/date.h"
#include "format/duration.h"
#include "script/convert.h"
#include "script/fault.h"
#include "script/libs.h"

#define CALENDAR "dts.calendar"

typedef struct moment {
  int32_t date;
  int64_t ms; /* the instant, when it is one */
  bool has_time;
} moment;

/* ── Arguments ── */

static const char *shown(lua_State *L, int index, char out[TEXT_SHORT]) {
  size_t size;
  if (lua_type(L, index) != LUA_TSTRING) return convert_type(L, index);
  const char *text = lua_tolstring(L, index, &size);
  return text_shorten(out, text, size);
}

/* "2026-02-29": the form of a date, and no day of the calendar. */
static void refuse_day(lua_State *L, const char *text, size_t size) {
  int32_t date;
  int64_t ms;
  if (text && size == 10 && date_parse(text, size, "%Y-%m-%d", &date, &ms) == DATE_NO_SUCH_DAY)
    fault_fail(L, "DATE", "there is no such day: \"%s\"", text);
}

/* A number may be seconds, or a day's figures: what it is must be said. */
static void refuse_number(lua_State *L, int index, const char *expected) {
  dts_error e;
  if (lua_type(L, index) != LUA_TNUMBER) return;
  error_fail(&e, "DATE", "%s expected, got the number %s", expected,
             luaL_tolstring(L, index, NULL));
  error_hint(&e, "%s",
             "dts.date.parse(n, \"%s\") reads seconds since 1970 (of milliseconds, n // 1000), "
             "dts.date.parse(n, \"%Y%m%d\") a number like 20260131");
  fault_raise(L, &e);
}

static int32_t check_date(lua_State *L, int index) {
  char out[TEXT_SHORT];
  size_t size = 0;
  int32_t date = 0;
  const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &size) : NULL;
  if (text && date_read(text, size, &date) == 0) return date;
  refuse_day(L, text, size);
  refuse_number(L, index, "a date YYYY-MM-DD");
  fault_fail(L, "DATE", "a date YYYY-MM-DD expected, got %s", shown(L, index, out));
  return date;
}

static moment check_moment(lua_State *L, int index) {
  char out[TEXT_SHORT];
  size_t size = 0;
  moment m = {0};
  const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &size) : NULL;
  if (text && date_read(text, size, &m.date) == 0) return m;
  if (!text || timestamp_read(text, size, &m.ms) < 0) {
    refuse_day(L, text, size);
    refuse_number(L, index, "a date YYYY-MM-DD or a timestamp with an offset");
    fault_fail(L, "DATE", "a date YYYY-MM-DD or a timestamp with an offset expected, got %s",
               shown(L, index, out));
  }
  m.has_time = true;
  m.date = date_of(m.ms, NULL);
  return m;
}

static int push_date(lua_State *L, int32_t date) {
  char text[11];
  if (date < DATE_MIN || date > DATE_MAX)
    return fault_fail(L, "DATE", "a date outside of the years 1 to 9999");
  date_write(date, text);
  lua_pushstring(L, text);
  return 1;
}

static int push_instant(lua_State *L, int64_t ms) {
  char text[25];
  if (ms < TIMESTAMP_MIN || ms > TIMESTAMP_MAX)
    return fault_fail(L, "DATE", "an instant outside of the years 1 to 9999");
  timestamp_write(ms, text);
  lua_pushstring(L, text);
  return 1;
}

/* ── dts.date ── */

static int time_parse(lua_State *L) {
  char out[TEXT_SHORT];
  dts_error e;
  size_t size;
  int32_t date;
  int64_t ms;
  if (lua_isnoneornil(L, 2)) {
    moment m = check_moment(L, 1);
    return m.has_time ? push_instant(L, m.ms) : push_date(L, m.date);
  }
  const char *format = luaL_checkstring(L, 2);
  if (date_format_check(format, &e) < 0) return fault_raise(L, &e);
  if (lua_type(L, 1) == LUA_TNUMBER) lua_tostring(L, 1); /* %s, %Y, %Y%m%d as JSON may have them */
  const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &size) : NULL;
  int bad = text ? date_parse(text, size, format, &date, &ms) : -1;
  if (bad == DATE_NO_SUCH_DAY)
    return fault_fail(L, "DATE", "there is no such day: %s, read as %s", shown(L, 1, out), format);
  if (bad)
    return fault_fail(L, "DATE", "a date like %s expected, got %s", format, shown(L, 1, out));
  return ms < 0 ? push_date(L, date) : push_instant(L, date * DATE_DAY_MS + ms);
}

/* format(moment, format, offset?): `offset` is how many seconds the moment's wall is ahead of UTC. */
static int time_format(lua_State *L) {
  dts_error e;
  moment m = check_moment(L, 1);
  buffer text;
  const char *format = luaL_checkstring(L, 2);
  int64_t ms = m.has_time ? m.ms - m.date * DATE_DAY_MS : -1;
  int offset = (int)luaL_optinteger(L, 3, 0);
  buffer_init(&text, 1024);
  int bad = date_format_at(m.date, ms, lua_isnoneornil(L, 3) ? NULL : &offset, format, &text);
  if (!bad) lua_pushlstring(L, buffer_text(&text), text.size);
  buffer_free(&text);
  if (!bad) return 1;
  if (date_format_check(format, &e) == 0) error_fail(&e, "DATE_FORMAT", "the text is too long");
  return fault_raise(L, &e);
}

static int32_t add_months(lua_State *L, int32_t date, lua_Integer months) {
  int year, month, day;
  date_split(date, &year, &month, &day);
  if (llabs(months) > 120000) fault_fail(L, "DATE", "a date outside of the years 1 to 9999");
  int64_t at = (int64_t)year * 12 + month - 1 + months;
  int to_year = (int)(at / 12), to_month = (int)(at % 12) + 1;
  if (at < 12 || to_year > 9999) fault_fail(L, "DATE", "a date outside of the years 1 to 9999");
  int last = date_month_days(to_year, to_month);
  date_make(to_year, to_month, day < last ? day : last, &date);
  return date;
}

static int add_length(lua_State *L, moment m) {
  size_t size;
  int64_t ms;
  const char *text = lua_tolstring(L, 2, &size);
  bool back = size && text[0] == '-';
  if (duration_read(text + back, size - back, &ms) < 0)
    return fault_fail(L, "DATE", "a number of days or a duration such as \"15m\" expected, got %s",
                      text);
  if (back) ms = -ms;
  if (m.has_time) return push_instant(L, m.ms + ms);
  if (ms % DATE_DAY_MS)
    return fault_fail(L, "DATE", "a date moves by whole days: %s is none", text);
  return push_date(L, (int32_t)(m.date + ms / DATE_DAY_MS));
}

/* add(d, n, unit?): days, or "day" "week" "month" "quarter" "year"; the 31st becomes the month's last. */
static int time_add(lua_State *L) {
  static const char *const units[] = {"day", "week", "month", "quarter", "year", NULL};
  static const int factors[] = {1, 7, 1, 3, 12};
  moment m = check_moment(L, 1);
  if (lua_type(L, 2) == LUA_TSTRING) return add_length(L, m);
  int is_integer;
  lua_Integer n = lua_tointegerx(L, 2, &is_integer);
  if (!is_integer || llabs(n) > 4000000)
    return fault_fail(L, "DATE", "a whole number of days expected, got %s",
                      luaL_tolstring(L, 2, NULL));
  const char *word = luaL_optstring(L, 3, "day");
  int unit = 0;
  while (units[unit] && strcmp(units[unit], word) != 0) unit++;
  if (!units[unit])
    return fault_fail(L, "DATE", "day, week, month, quarter or year expected, got \"%s\"", word);
  int32_t date = unit < 2 ? m.date : add_months(L, m.date, n * factors[unit]);
  int64_t to = unit < 2 ? date + (int64_t)n * factors[unit] : date;
  if (to < DATE_MIN || to > DATE_MAX)
    return fault_fail(L, "DATE", "a date outside of the years 1 to 9999");
  if (!m.has_time) return push_date(L, (int32_t)to);
  return push_instant(L, m.ms + (to - m.date) * DATE_DAY_MS);
}

/* diff(a, b): a less b, in days; in seconds when both are instants. */
static int time_diff(lua_State *L) {
  moment a = check_moment(L, 1), b = check_moment(L, 2);
  if (a.has_time != b.has_time)
    return fault_fail(L, "DATE", "two dates or two timestamps expected, got one of each");
  int64_t ms = a.ms - b.ms;
  if (!a.has_time)
    lua_pushinteger(L, a.date - b.date);
  else if (ms % 1000)
    lua_pushnumber(L, (double)ms / 1000.0);
  else
    lua_pushinteger(L, ms / 1000);
  return 1;
}

static date_period check_period(lua_State *L, int index) {
  char out[TEXT_SHORT];
  date_period period = DATE_DAY;
  const char *word = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
  if (date_period_read(word, &period) < 0)
    fault_fail(L, "DATE", "day, week, month, quarter or year expected, got %s",
               shown(L, index, out));
  return period;
}

/* The n-th month, quarter or year after `from`, each counted from there: the 31st stays the last. */
static int range_of_months(lua_State *L, int32_t from, int32_t to, int months) {
  lua_newtable(L);
  for (lua_Integer i = 0;; i++) {
    int32_t date = add_months(L, from, i * months);
    if (date > to) return 1;
    push_date(L, date);
    lua_rawseti(L, -2, i + 1);
    if (to - date < months * 28)
      return 1; /* the next would be past it, perhaps past the year 9999 */
  }
}

/* range(from, to, step?): days, or a period's name. */
static int time_range(lua_State *L) {
  static const int DAYS[] = {1, 7, 0, 0, 0}, MONTHS[] = {0, 0, 1, 3, 12};
  int32_t from = check_date(L, 1), to = check_date(L, 2);
  lua_Integer step = 1, i = 0;
  if (lua_type(L, 3) == LUA_TSTRING) {
    date_period period = check_period(L, 3);
    step = DAYS[period];
    if (!step) return range_of_months(L, from, to, MONTHS[period]);
  } else {
    step = luaL_optinteger(L, 3, 1);
  }
  if (step < 1 || step > 366000) return fault_fail(L, "DATE", "a step of at least 1 day expected");
  lua_newtable(L);
  for (int64_t date = from; date <= to; date += step) {
    push_date(L, (int32_t)date);
    lua_rawseti(L, -2, ++i);
  }
  return 1;
}

static int time_weekday(lua_State *L) {
  lua_pushinteger(L, date_weekday(check_moment(L, 1).date) + 1);
  return 1;
}

static int time_start(lua_State *L) {
  moment m = check_moment(L, 1);
  return push_date(L, date_period_start(m.date, check_period(L, 2)));
}

/* last(d, period): the last day of the period that d is in. */
static int time_last(lua_State *L) {
  moment m = check_moment(L, 1);
  int32_t next = date_period_next(m.date, check_period(L, 2));
  return push_date(L,
                   next > m.date ? next - 1 : DATE_MAX); /* no period comes after the year 9999 */
}

/* ── For options ── */

static int time_instant(lua_State *L) { return push_instant(L, luaL_checkinteger(L, 1)); }

static int time_duration(lua_State *L) {
  size_t size;
  int64_t ms;
  const char *text = luaL_checklstring(L, 1, &size);
  if (duration_read(text, size, &ms) < 0) return 0;
  lua_pushinteger(L, ms);
  return 1;
}

static int time_has_zone(lua_State *L) {
  lua_pushboolean(L, date_format_has_zone(luaL_checkstring(L, 1)));
  return 1;
}

static int time_check_format(lua_State *L) {
  dts_error e;
  if (date_format_check(luaL_checkstring(L, 1), &e) < 0) return lua_pushstring(L, e.message), 1;
  return 0;
}

static int time_check_cron(lua_State *L) { /* nil, or what is wrong and what to write */
  dts_error e;
  cron c;
  if (cron_read(luaL_checkstring(L, 1), &c, &e) == 0) return 0;
  lua_pushstring(L, e.message);
  lua_pushstring(L, e.hint);
  return 2;
}

static int time_is_date(lua_State *L) {
  size_t size;
  int32_t date;
  const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &size) : NULL;
  lua_pushboolean(L, text && date_read(text, size, &date) == 0);
  return 1;
}

static int time_is_instant(lua_State *L) {
  size_t size;
  int64_t ms;
  const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &size) : NULL;
  lua_pushboolean(L, text && timestamp_read(text, size, &ms) == 0);
  return 1;
}

/* ── Calendars ── */

static calendar *check_calendar(lua_State *L) {
  return *(calendar **)luaL_checkudata(L, 1, CALENDAR);
}

static int calendar_gc(lua_State *L) {
  calendar **c = luaL_checkudata(L, 1, CALENDAR);
  calendar_free(*c);
  *c = NULL;
  return 0;
}

static int calendar_is_open(lua_State *L) {
  calendar *c = check_calendar(L);
  lua_pushboolean(L, calendar_has(c, check_date(L, 2)));
  return 1;
}

static int push_neighbour(lua_State *L, int32_t (*step)(const calendar *, int32_t)) {
  calendar *c = check_calendar(L);
  int32_t date = step(c, check_date(L, 2));
  if (date == INT32_MAX || date == INT32_MIN) return 0;
  return push_date(L, date);
}

static int calendar_after(lua_State *L) { return push_neighbour(L, calendar_next); }
static int calendar_before(lua_State *L) { return push_neighbour(L, calendar_previous); }

/* The dates of the list at index, as an array in a userdata that it pushes. */
static int32_t *push_dates(lua_State *L, int index, size_t *count) {
  luaL_checktype(L, index, LUA_TTABLE);
  *count = lua_rawlen(L, index);
  int32_t *dates = lua_newuserdatauv(L, (*count + 1) * sizeof *dates, 0);
  for (size_t i = 0; i < *count; i++, lua_pop(L, 1)) {
    lua_rawgeti(L, index, (lua_Integer)i + 1);
    dates[i] = check_date(L, lua_gettop(L));
  }
  return dates;
}

/* calendar(name, closed, open) */
static int time_calendar(lua_State *L) {
  size_t closed_count, open_count;
  dts_error e;
  const char *name = luaL_checkstring(L, 1);
  lua_settop(L, 3);
  int32_t *closed = push_dates(L, 2, &closed_count), *open = push_dates(L, 3, &open_count);
  calendar **c = lua_newuserdatauv(L, sizeof *c, 0);
  *c = NULL;
  luaL_setmetatable(L, CALENDAR);
  *c = calendar_make(name, closed, closed_count, open, open_count, &e);
  return *c ? 1 : fault_raise(L, &e);
}

static void make_calendar_class(lua_State *L) {
  static const luaL_Reg methods[] = {{"has", calendar_is_open},
                                     {"next", calendar_after},
                                     {"previous", calendar_before},
                                     {NULL, NULL}};
  if (luaL_newmetatable(L, CALENDAR)) {
    lua_pushcfunction(L, calendar_gc);
    lua_setfield(L, -2, "__gc");
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
  }
  lua_pop(L, 1);
}

int luaopen_dts_time(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"add", time_add},
      {"calendar", time_calendar},
      {"check_cron", time_check_cron},
      {"check_format", time_check_format},
      {"diff", time_diff},
      {"duration", time_duration},
      {"format", time_format},
      {"has_zone", time_has_zone},
      {"instant", time_instant},
      {"is_date", time_is_date},
      {"is_instant", time_is_instant},
      {"last", time_last},
      {"parse", time_parse},
      {"range", time_range},
      {"start", time_start},
      {"weekday", time_weekday},
      {NULL, NULL},
  };
  make_calendar_class(L);
  luaL_newlib(L, functions);
  return 1;
}
