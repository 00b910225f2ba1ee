/* aggregates.c -- SQL aggregates that SQLite lacks: first last median quantile; moments.c has
 * stddev corr slope.
 *
 * As with SQL's own, rows with a null argument do not count, and no rows give null. Of rows with
 * the same time, first takes the least value and last the greatest, so that the result never
 * depends on the order of reading. quantile is linear between the two nearest ranks (PostgreSQL's
 * percentile_cont); stddev is the sample's; corr and slope are PostgreSQL's corr and regr_slope.
 * All but first and last may stand over a window: SQL has first_value and last_value for those.
 *
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/conn.h"

enum { FEW = 16 };

typedef void step_fn(sqlite3_context *, int, sqlite3_value **);

int aggregates_number(sqlite3_context *x, const char *name, sqlite3_value *v, double *out) {
  char message[256], shown[TEXT_SHORT];
  int type = sqlite3_value_type(v);
  *out = sqlite3_value_double(v);
  if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) return 0;
  const char *text = (const char *)sqlite3_value_text(v);
  text_shorten(shown, text ? text : "", text ? (size_t)sqlite3_value_bytes(v) : 0);
  snprintf(message, sizeof message, "%s: a number expected, got %s", name, shown);
  sqlite3_result_error(x, message, -1);
  return -1;
}

/* ---- first, last ---- */

typedef struct edge {
  sqlite3_value *x, *t;
} edge;

static int compare_numbers(sqlite3_value *a, sqlite3_value *b) {
  if (sqlite3_value_type(a) == SQLITE_INTEGER && sqlite3_value_type(b) == SQLITE_INTEGER) {
    int64_t m = sqlite3_value_int64(a), n = sqlite3_value_int64(b);
    return (m > n) - (m < n);
  }
  double m = sqlite3_value_double(a), n = sqlite3_value_double(b);
  return (m > n) - (m < n);
}

/* SQLite's order: numbers, then texts and blobs by their bytes. */
static int compare(sqlite3_value *a, sqlite3_value *b) {
  static const int rank[] = {[SQLITE_INTEGER] = 0,
                             [SQLITE_FLOAT] = 0,
                             [SQLITE_TEXT] = 1,
                             [SQLITE_BLOB] = 2,
                             [SQLITE_NULL] = 3};
  int m = rank[sqlite3_value_type(a)], n = rank[sqlite3_value_type(b)];
  if (m != n) return m - n;
  if (m == 0) return compare_numbers(a, b);
  const void *p = sqlite3_value_blob(a), *q = sqlite3_value_blob(b);
  int size = sqlite3_value_bytes(a), other = sqlite3_value_bytes(b);
  int order = size && other ? memcmp(p, q, (size_t)(size < other ? size : other)) : 0;
  return order ? order : (size > other) - (size < other);
}

static void edge_take(edge *g, sqlite3_value **values) {
  sqlite3_value_free(g->x);
  sqlite3_value_free(g->t);
  g->x = sqlite3_value_dup(values[0]);
  g->t = sqlite3_value_dup(values[1]);
}

static void edge_step(sqlite3_context *x, sqlite3_value **values, int sign) {
  edge *g = sqlite3_aggregate_context(x, sizeof *g);
  if (!g || functions_any_null(2, values)) return;
  int order = g->t ? sign * compare(values[1], g->t) : 1;
  if (order == 0) order = sign * compare(values[0], g->x);
  if (order > 0) edge_take(g, values);
  if (!g->x || !g->t) sqlite3_result_error_nomem(x);
}

static void first_step(sqlite3_context *x, int count, sqlite3_value **values) {
  (void)count;
  edge_step(x, values, -1);
}

static void last_step(sqlite3_context *x, int count, sqlite3_value **values) {
  (void)count;
  edge_step(x, values, 1);
}

static void edge_final(sqlite3_context *x) {
  edge *g = sqlite3_aggregate_context(x, 0);
  if (!g) return;
  if (g->x) sqlite3_result_value(x, g->x);
  sqlite3_value_free(g->x);
  sqlite3_value_free(g->t);
}

/* ---- median, quantile ---- */

typedef struct sample {
  double *values;
  size_t count, capacity, sorted; /* the first `sorted` stand in order */
  double p;
  bool begun, failed;
} sample;

static void sample_add(sqlite3_context *x, sample *s, double one) {
  if (s->count == s->capacity) {
    size_t capacity = s->capacity ? 2 * s->capacity : 64;
    double *grown = sqlite3_realloc64(s->values, capacity * sizeof *grown);
    if (!grown) {
      s->failed = true;
      sqlite3_result_error_nomem(x);
      return;
    }
    s->values = grown;
    s->capacity = capacity;
  }
  s->values[s->count++] = one;
}

static void sample_step(sqlite3_context *x, const char *name, sqlite3_value *v, double p) {
  sample *s = sqlite3_aggregate_context(x, sizeof *s);
  double one;
  if (!s || s->failed || sqlite3_value_type(v) == SQLITE_NULL) return;
  if (!(p >= 0 && p <= 1) || (s->begun && p != s->p)) {
    s->failed = true;
    sqlite3_result_error(x, "quantile(x, p): one p between 0 and 1 expected", -1);
    return;
  }
  s->begun = true;
  s->p = p;
  if (aggregates_number(x, name, v, &one) < 0)
    s->failed = true;
  else
    sample_add(x, s, one);
}

static void median_step(sqlite3_context *x, int count, sqlite3_value **values) {
  (void)count;
  sample_step(x, "median", values[0], 0.5);
}

static void quantile_step(sqlite3_context *x, int count, sqlite3_value **values) {
  double p;
  (void)count;
  if (aggregates_number(x, "quantile", values[1], &p) == 0)
    sample_step(x, "quantile", values[0], p);
}

static int compare_doubles(const void *a, const void *b) {
  double m = *(const double *)a, n = *(const double *)b;
  return (m > n) - (m < n);
}

/* Where a value stands, or would, among the sorted ones. */
static size_t sample_place(const sample *s, double one) {
  size_t low = 0, high = s->sorted;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (s->values[middle] < one)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* A few new ones are put in their places; many are sorted with the rest. */
static void sample_sort(sample *s) {
  if (s->count - s->sorted > FEW)
    qsort(s->values, s->count, sizeof *s->values, compare_doubles);
  else
    for (; s->sorted < s->count; s->sorted++) {
      double one = s->values[s->sorted];
      size_t at = sample_place(s, one);
      memmove(s->values + at + 1, s->values + at, (s->sorted - at) * sizeof one);
      s->values[at] = one;
    }
  s->sorted = s->count;
}

static void sample_value(sqlite3_context *x) {
  sample *s = sqlite3_aggregate_context(x, 0);
  if (!s || !s->count || s->failed) return;
  sample_sort(s);
  double rank = s->p * (double)(s->count - 1), low = floor(rank);
  size_t i = (size_t)low, j = i + 1 < s->count ? i + 1 : i;
  double a = s->values[i], b = s->values[j];
  sqlite3_result_double(x, a == b ? a : a + (rank - low) * (b - a));
}

/* A row that leaves the window; it came as it goes. */
static void sample_leave(sqlite3_context *x, int count, sqlite3_value **values) {
  sample *s = sqlite3_aggregate_context(x, 0);
  (void)count;
  if (!s || s->failed || sqlite3_value_type(values[0]) == SQLITE_NULL) return;
  sample_sort(s);
  size_t at = sample_place(s, sqlite3_value_double(values[0]));
  memmove(s->values + at, s->values + at + 1, (s->count - at - 1) * sizeof *s->values);
  s->sorted = --s->count;
}

static void sample_final(sqlite3_context *x) {
  sample *s = sqlite3_aggregate_context(x, 0);
  sample_value(x);
  if (s) sqlite3_free(s->values);
}

int aggregates_register(sqlite3 *db) {
  static const struct {
    const char *name;
    int arguments;
    step_fn *step;
    void (*final)(sqlite3_context *);
    void (*value)(sqlite3_context *);
    step_fn *leave;
  } all[] = {{"first", 2, first_step, edge_final, NULL, NULL},
             {"last", 2, last_step, edge_final, NULL, NULL},
             {"median", 1, median_step, sample_final, sample_value, sample_leave},
             {"quantile", 2, quantile_step, sample_final, sample_value, sample_leave}};
  int rc = SQLITE_OK, flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  for (size_t i = 0; !rc && i < sizeof all / sizeof all[0]; i++)
    rc = sqlite3_create_window_function(db, all[i].name, all[i].arguments, flags, NULL, all[i].step,
                                        all[i].final, all[i].value, all[i].leave, NULL);
  return rc ? rc : moments_register(db);
}
