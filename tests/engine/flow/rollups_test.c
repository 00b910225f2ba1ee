/* Roll-ups against plain arithmetic over a model of the source: random rows, late rows, updates,
 * deletes; every measure, period, way of finding rows and time zone; and the ranking of real
 * repositories against what an independent engine computed.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/flow_help.h"

#include <math.h>
#include <time.h>

#include "base/file.h"
#include "flow/rollups/rollups.h"
#include "format/csv.h"
#include "format/date.h"
#include "format/zone.h"

/* ---- a model ---- */

enum { ROWS = 700, KEYS = 5 };

typedef struct row {
  char key[8], time[32];
  double v;
  int64_t n;
  bool there, has_v;
} row;

typedef struct model {
  store *store;
  registry *set;
  row rows[ROWS];
  size_t count;
  bool timed;
  zone *zone;
  unsigned seed;
} model;

static unsigned chance(model *m, unsigned below) {
  m->seed = m->seed * 1664525u + 1013904223u;
  return (m->seed >> 8) % below;
}

static int ensure(store_conn *c, void *arg, dts_error *e) {
  const registry *set = arg;
  if (rollups_prepare(c, set, e) < 0) return -1;
  if (help_tables_work(c, arg, e) < 0) return -1;
  return rollups_ensure(c, set, true, e);
}

static int refresh(store_conn *c, void *arg, dts_error *e) {
  return rollups_refresh(c, arg, NULL, e);
}

static void make_rows(model *m) {
  int32_t first;
  date_make(2019, 12, 20, &first); /* over two ends of a year, and a week 53 */
  for (size_t i = 0; i < ROWS; i++) {
    row *r = &m->rows[m->count];
    snprintf(r->key, sizeof r->key, "k%u", chance(m, KEYS));
    int32_t day = first + (int32_t)chance(m, 480);
    if (m->timed && i % 4 == 0) /* where Lord Howe's clock goes back by half an hour */
      timestamp_write(1617456600000 + chance(m, 180) * 60000LL, r->time);
    else if (m->timed)
      timestamp_write(day * DATE_DAY_MS + chance(m, 86400) * 1000LL, r->time);
    else
      date_write(day, r->time);
    bool again = false;
    for (size_t k = 0; k < m->count && !again; k++)
      again = strcmp(m->rows[k].key, r->key) == 0 && strcmp(m->rows[k].time, r->time) == 0;
    if (!again) m->count++;
  }
}

typedef struct change {
  model *m;
  size_t index;
} change;

static int put(store_conn *c, void *arg, dts_error *e) {
  const change *x = arg;
  const row *r = &x->m->rows[x->index];
  value values[] = {value_text(r->key), value_text(r->time),
                    r->has_v ? value_real(r->v) : value_null(), value_integer(r->n)};
  return store_put(c, registry_table(x->m->set, "s"), values, e);
}

static int remove_row(store_conn *c, void *arg, dts_error *e) {
  const change *x = arg;
  arena a = {0};
  value where = value_map();
  value_set(&a, &where, "k", value_text(x->m->rows[x->index].key));
  value_set(&a, &where, "t", value_text(x->m->rows[x->index].time));
  int rc = store_delete(c, registry_table(x->m->set, "s"), &where, e);
  arena_free(&a);
  return rc;
}

static int update_row(store_conn *c, void *arg, dts_error *e) {
  const change *x = arg;
  arena a = {0};
  const row *r = &x->m->rows[x->index];
  value values = value_map();
  value_set(&a, &values, "k", value_text(r->key));
  value_set(&a, &values, "t", value_text(r->time));
  value_set(&a, &values, "v", r->has_v ? value_real(r->v) : value_null());
  int rc = store_update(c, registry_table(x->m->set, "s"), &values, e);
  arena_free(&a);
  return rc;
}

static void new_values(model *m, row *r) {
  r->has_v = chance(m, 8) > 0;
  r->v = (double)chance(m, 2000) / 8;
  r->n = chance(m, 6);
}

static void change_one(model *m, size_t i) {
  change x = {m, i};
  row *r = &m->rows[i];
  if (r->there && chance(m, 3) == 0) {
    r->there = false;
    return help_write(m->store, remove_row, &x);
  }
  int64_t n = r->n;
  bool was = r->there;
  new_values(m, r);
  r->there = true;
  if (was && chance(m, 2)) {
    r->n = n;
    return help_write(m->store, update_row, &x);
  }
  help_write(m->store, put, &x);
}

/* ---- what the tables must hold ---- */

typedef struct group {
  char key[8], period[32];
  double v[ROWS];
  size_t count, values;
  int64_t sum_n;
  bool seen_n[8];
  const char *first_time, *last_time;
  double first, last, sum;
} group;

typedef struct expected {
  group *groups;
  size_t count;
} expected;

typedef const char *key_of(const row *r);
static const char *whole_key(const row *r) { return r->key; }
static const char *first_letter(const row *r) { return strcmp(r->key, "k2") < 0 ? "low" : "high"; }
static const char *no_key(const row *r) {
  (void)r;
  return "";
}

static void period_of(const model *m, const row *r, const char *kind, char out[32]) {
  int64_t ms;
  int32_t date;
  date_period period;
  if (!m->timed)
    assert_int_equal(date_read(r->time, strlen(r->time), &date), 0);
  else {
    assert_int_equal(timestamp_read(r->time, strlen(r->time), &ms), 0);
    int64_t local = zone_local(m->zone, ms);
    if (strcmp(kind, "hour") == 0) {
      int64_t at =
          ms - ms % 60000; /* back to a full hour, or to where the wall's clock was moved */
      while (zone_local(m->zone, at) % 3600000 &&
             zone_offset(m->zone, at - 60000) == zone_offset(m->zone, at))
        at -= 60000;
      timestamp_write(at, out);
      return;
    }
    date = date_of(local, NULL);
  }
  assert_int_equal(date_period_read(kind, &period), 0);
  date_write(date_period_start(date, period), out);
}

static group *find_group(expected *x, const char *key, const char *period) {
  for (size_t i = 0; i < x->count; i++)
    if (strcmp(x->groups[i].key, key) == 0 && strcmp(x->groups[i].period, period) == 0)
      return &x->groups[i];
  group *g = &x->groups[x->count++];
  snprintf(g->key, sizeof g->key, "%s", key);
  snprintf(g->period, sizeof g->period, "%s", period);
  return g;
}

static void add_value(group *g, const row *r) {
  if (!r->has_v) return;
  int before = g->first_time ? strcmp(r->time, g->first_time) : -1;
  int behind = g->last_time ? strcmp(r->time, g->last_time) : 1;
  if (before < 0 || (before == 0 && r->v < g->first)) g->first = r->v, g->first_time = r->time;
  if (behind > 0 || (behind == 0 && r->v > g->last)) g->last = r->v, g->last_time = r->time;
  g->sum += r->v;
  g->v[g->values++] = r->v;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int by_key(const void *a, const void *b) {
  const group *x = a, *y = b;
  int order = strcmp(x->key, y->key);
  return order ? order : strcmp(x->period, y->period);
}

static void expect(const model *m, const char *kind, key_of *key, bool filtered, expected *x) {
  x->groups = memory_alloc(ROWS * sizeof *x->groups);
  x->count = 0;
  for (size_t i = 0; i < m->count; i++) {
    const row *r = &m->rows[i];
    char period[32];
    if (!r->there || (filtered && r->n == 0)) continue;
    period_of(m, r, kind, period);
    group *g = find_group(x, key(r), period);
    g->count++;
    g->sum_n += r->n;
    g->seen_n[r->n] = true;
    add_value(g, r);
  }
  for (size_t i = 0; i < x->count; i++)
    qsort(x->groups[i].v, x->groups[i].values, sizeof(double), by_size);
  qsort(x->groups, x->count, sizeof *x->groups, by_key);
}

static double rank_of(const group *g, double p) {
  double at = p * (double)(g->values - 1);
  size_t i = (size_t)at, j = i + 1 < g->values ? i + 1 : i;
  return g->v[i] + (at - (double)i) * (g->v[j] - g->v[i]);
}

static double stddev_of(const group *g) {
  double mean = g->sum / (double)g->values, sum = 0;
  for (size_t i = 0; i < g->values; i++) sum += (g->v[i] - mean) * (g->v[i] - mean);
  return sqrt(sum / (double)(g->values - 1));
}

static void same(const value *v, bool has, double want, const group *g, const char *what) {
  double got = v->kind == VALUE_INTEGER ? (double)v->integer : v->real;
  if (!has && v->kind == VALUE_NULL) return;
  if (!has || v->kind == VALUE_NULL || fabs(got - want) > 1e-6 * (1 + fabs(want)))
    fail_msg("%s of %s %s: %g expected (%d), got %s %g", what, g->key, g->period, want, has,
             value_kind_name(v), got);
}

/* The last value of an earlier group of the same key. */
static bool before_of(const expected *x, size_t i, double *before) {
  for (size_t k = i; k-- > 0 && strcmp(x->groups[k].key, x->groups[i].key) == 0;)
    if (x->groups[k].values) return *before = x->groups[k].last, true;
  return false;
}

static void compare_row(const expected *x, size_t i, const value *row_) {
  const group *g = &x->groups[i];
  const value *v = row_->list.items;
  bool some = g->values > 0;
  double before = 0;
  bool earlier = before_of(x, i, &before);
  int64_t distinct = 0;
  for (size_t k = 0; k < 8; k++) distinct += g->seen_n[k];
  assert_true(value_is(&v[0], g->key));
  if (!value_is(&v[1], g->period))
    fail_msg("%s: %s expected, got %s", g->key, g->period, v[1].text.bytes);
  same(&v[2], true, (double)g->count, g, "count");
  same(&v[3], some, g->sum, g, "sum");
  same(&v[4], some, some ? g->v[0] : 0, g, "min");
  same(&v[5], some, some ? g->v[g->values - 1] : 0, g, "max");
  same(&v[6], some, g->sum / (double)g->values, g, "avg");
  same(&v[7], some, g->first, g, "first");
  same(&v[8], some, g->last, g, "last");
  same(&v[9], some, some ? rank_of(g, 0.5) : 0, g, "median");
  same(&v[10], some, some ? rank_of(g, 0.25) : 0, g, "quantile");
  same(&v[11], g->values > 1, g->values > 1 ? stddev_of(g) : 0, g, "stddev");
  same(&v[12], true, (double)distinct, g, "count distinct");
  same(&v[13], some, (g->sum + 1) / (double)g->count, g, "expression");
  if (row_->list.count > 14) same(&v[14], some && earlier, g->last - before, g, "change");
}

static void compare(model *m, const char *kind, key_of *key, bool filtered, const char *columns) {
  arena a = {0};
  expected x;
  expect(m, kind, key, filtered, &x);
  value rows =
      help_rows(m->store, &a, arena_format(&a, "select %s from r_%s order by 1, 2", columns, kind));
  if (rows.list.count != x.count)
    fail_msg("%s: %zu rows expected, got %zu", kind, x.count, rows.list.count);
  for (size_t i = 0; i < x.count; i++) compare_row(&x, i, &rows.list.items[i]);
  free(x.groups);
  arena_free(&a);
}

/* ---- the test ---- */

#define MEASURES                                                                                   \
  "{\"expr\":\"count(*)\",\"name\":\"c\"},{\"expr\":\"sum(v)\",\"name\":\"s\"},"                   \
  "{\"expr\":\"min(v)\",\"name\":\"mn\"},{\"expr\":\"max(v)\",\"name\":\"mx\"},"                   \
  "{\"expr\":\"avg(v)\",\"name\":\"av\"},{\"expr\":\"first(v)\",\"name\":\"f\"},"                  \
  "{\"expr\":\"last(v)\",\"name\":\"l\"},{\"expr\":\"median(v)\",\"name\":\"md\"},"                \
  "{\"expr\":\"quantile(v, 0.25)\",\"name\":\"q\"},{\"expr\":\"stddev(v)\",\"name\":\"sd\"},"      \
  "{\"expr\":\"count(distinct n)\",\"name\":\"cd\"},{\"expr\":\"(sum(v) + 1) / "                   \
  "count(*)\",\"name\":\"ex\"}"
#define COLUMNS "period, c, s, mn, mx, av, f, l, md, q, sd, cd, ex"

typedef struct variant {
  const char *by, *key_sql, *where, *zone, *every, *index;
  key_of *key;
  bool timed, change;
} variant;

static const char *declare(arena *a, const variant *v) {
  const char *type = v->timed ? "timestamp" : "date";
  return arena_format(a,
                      "[{\"noun\":\"table\",\"name\":\"s\",\"key\":[\"k\",\"t\"],\"columns\":[{"
                      "\"name\":\"k\",\"type\":\"text\"},"
                      "{\"name\":\"t\",\"type\":\"%s\"},{\"name\":\"v\",\"type\":\"real\"},{"
                      "\"name\":\"n\",\"type\":\"integer\"}]%s},"
                      "{\"noun\":\"rollup\",\"name\":\"r\",\"from\":\"s\",\"time\":\"t\",\"by\":[%"
                      "s],\"every\":[%s],%s%s"
                      "\"measures\":[" MEASURES "%s]}]",
                      type, v->index, v->by, v->every, v->where, v->zone,
                      v->change ? ",{\"expr\":\"change(v)\",\"name\":\"ch\"}" : "");
}

static void compare_all(model *m, const variant *v) {
  static const char *const kinds[] = {"hour", "day", "week", "month", "quarter", "year"};
  arena a = {0};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strstr(v->every, kinds[i]))
      compare(m, kinds[i], v->key, v->where[0] != 0,
              arena_format(&a, "%s, %s%s", v->key_sql, COLUMNS, v->change ? ", ch" : ""));
  arena_free(&a);
}

static void run_variant(const variant *v, const char *zone_text) {
  arena a = {0};
  model *m = memory_alloc(sizeof *m);
  m->seed = 7;
  m->timed = v->timed;
  m->zone = zone_open(zone_text, NULL);
  m->store = help_store();
  m->set = help_good_set(declare(&a, v));
  make_rows(m);
  help_write(m->store, ensure, m->set);
  for (size_t i = 0; i < m->count; i++) change_one(m, i);
  help_write(m->store, refresh, m->set);
  compare_all(m, v);
  for (int round = 0; round < 12; round++) {
    unsigned changes = 1 + chance(m, 6);
    for (unsigned i = 0; i < changes; i++) change_one(m, chance(m, (unsigned)m->count));
    help_write(m->store, refresh, m->set);
    compare_all(m, v);
  }
  assert_string_equal(help_text(m->store, &a, "select count(*) from \"dts_dirty.r\""), "0\n");
  help_exec(m->store, "delete from s");
  help_write(m->store, refresh, m->set);
  for (size_t i = 0; i < m->count; i++) m->rows[i].there = false;
  compare_all(m, v);
  registry_release(m->set);
  store_close(m->store);
  zone_close(m->zone);
  free(m);
  arena_free(&a);
}

#define BY_KEY    "{\"expr\":\"k\",\"name\":\"key\"}"
#define BY_LETTER "{\"expr\":\"case when k < 'k2' then 'low' else 'high' end\",\"name\":\"half\"}"
#define PERIODS   "\"day\",\"week\",\"month\",\"quarter\",\"year\""
#define FILTER    "\"where\":\"n > 0 -- and so on\","

static void by_the_key(void **state) {
  (void)state;
  run_variant(&(variant){BY_KEY, "key", "", "", PERIODS, "", whole_key, false, true}, "UTC");
  run_variant(
      &(variant){BY_KEY, "key", FILTER, "", "\"week\",\"month\"", "", whole_key, false, true},
      "UTC");
  run_variant(&(variant){BY_KEY, "key", "", "", "\"week\"", "", whole_key, false, true}, "UTC");
}

static void by_an_expression(void **state) {
  (void)state;
  run_variant(&(variant){BY_LETTER, "half", "", "", PERIODS, "", first_letter, false, false},
              "UTC");
  run_variant(&(variant){BY_LETTER, "half", FILTER, "", PERIODS, "", first_letter, false, true},
              "UTC");
}

static void by_nothing(void **state) {
  (void)state;
  run_variant(&(variant){"", "''", "", "", PERIODS, "", no_key, false, false}, "UTC");
  run_variant(
      &(variant){"", "''", FILTER, "", PERIODS, ",\"index\":[[\"t\"]]", no_key, false, true},
      "UTC");
}

static void in_time_zones(void **state) {
  (void)state;
#define SHORT "\"hour\",\"day\",\"month\""
#define LONG  "\"day\",\"week\",\"quarter\""
  run_variant(&(variant){BY_KEY, "key", "", "", SHORT, "", whole_key, true, true}, "UTC");
  run_variant(&(variant){BY_KEY, "key", FILTER, "\"timezone\":\"America/Sao_Paulo\",", SHORT, "",
                         whole_key, true, true},
              "America/Sao_Paulo");
  run_variant(&(variant){BY_KEY, "key", "", "\"timezone\":\"Australia/Lord_Howe\",", SHORT, "",
                         whole_key, true, true},
              "Australia/Lord_Howe");
  run_variant(&(variant){BY_LETTER, "half", "", "\"timezone\":\"Pacific/Kiritimati\",", LONG, "",
                         first_letter, true, false},
              "Pacific/Kiritimati");
  run_variant(&(variant){BY_KEY, "key", "", "\"timezone\":\"Pacific/Pago_Pago\",", LONG, "",
                         whole_key, true, true},
              "Pacific/Pago_Pago");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(by_the_key),
      cmocka_unit_test(by_an_expression),
      cmocka_unit_test(by_nothing),
      cmocka_unit_test(in_time_zones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
