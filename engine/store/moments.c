/* moments.c -- the SQL aggregates stddev, corr and slope, also over a window.
 *
 * Means and co-moments are kept as rows come (Welford 1962) and, in a window, as they go. What goes
 * can leave rounding behind that is larger than what stays; so the rows of a frame are kept, up to
 * KEPT, and the moments are made anew from them once as many have gone as are there, and whenever a
 * moment has shrunk by a million.
 *
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "store/conn.h"

enum { KEPT = 65536 };
static const double SHRUNK = 1e-6;

typedef struct moments {
  double count, mean_x, mean_y, xx, yy, xy;
  double most_xx, most_yy; /* since they were last made anew */
  struct pair {
    double x, y;
  } * rows;
  size_t first, size, capacity, gone; /* rows[first .. first + size) are in the frame */
  bool failed, lost;                  /* lost: the frame is longer than KEPT */
} moments;

static double more(double a, double b) { return a > b ? a : b; }

/* sign: 1 comes, -1 goes. */
static void moments_move(moments *m, double x, double y, int sign) {
  double dx = x - m->mean_x, dy = y - m->mean_y;
  m->count += sign;
  if (m->count == 0) {
    m->mean_x = m->mean_y = m->xx = m->yy = m->xy = 0;
    return;
  }
  m->mean_x += sign * dx / m->count;
  m->mean_y += sign * dy / m->count;
  m->xx += sign * dx * (x - m->mean_x);
  m->yy += sign * dy * (y - m->mean_y);
  m->xy += sign * dx * (y - m->mean_y);
  m->most_xx = more(m->most_xx, m->xx);
  m->most_yy = more(m->most_yy, m->yy);
}

static void keep_row(moments *m, double x, double y) {
  if (m->lost) return;
  if (m->first + m->size == m->capacity && m->first > m->capacity / 2) {
    memmove(m->rows, m->rows + m->first, m->size * sizeof *m->rows);
    m->first = 0;
  }
  if (m->first + m->size == m->capacity) {
    size_t capacity = m->capacity ? 2 * m->capacity : 16;
    struct pair *grown =
        capacity > 2 * KEPT ? NULL : sqlite3_realloc64(m->rows, capacity * sizeof *grown);
    m->lost = !grown;
    if (m->lost) return;
    m->rows = grown;
    m->capacity = capacity;
  }
  m->rows[m->first + m->size++] = (struct pair){x, y};
}

static void make_anew(moments *m) {
  m->count = m->mean_x = m->mean_y = m->xx = m->yy = m->xy = m->most_xx = m->most_yy = 0;
  m->gone = 0;
  for (size_t i = m->first; i < m->first + m->size; i++)
    moments_move(m, m->rows[i].x, m->rows[i].y, 1);
}

static int read_pair(sqlite3_context *x, moments *m, int count, sqlite3_value **values, double *a,
                     double *b) {
  const char *name = sqlite3_user_data(x);
  if (!m || m->failed) return -1;
  for (int i = 0; i < count; i++)
    if (sqlite3_value_type(values[i]) == SQLITE_NULL) return -1;
  m->failed = aggregates_number(x, name, values[0], a) < 0 ||
              aggregates_number(x, name, values[count - 1], b) < 0;
  return m->failed ? -1 : 0;
}

static void step(sqlite3_context *x, int count, sqlite3_value **values) {
  moments *m = sqlite3_aggregate_context(x, sizeof *m);
  double a, b;
  if (read_pair(x, m, count, values, &a, &b) < 0) return;
  moments_move(m, a, b, 1);
  keep_row(m, a, b);
}

static void leave(sqlite3_context *x, int count, sqlite3_value **values) {
  moments *m = sqlite3_aggregate_context(x, sizeof *m);
  double a, b;
  if (read_pair(x, m, count, values, &a, &b) < 0) return;
  moments_move(m, a, b, -1);
  if (m->lost) return;
  m->first++, m->size--, m->gone++;
  if (m->gone > m->size || m->xx < SHRUNK * m->most_xx || m->yy < SHRUNK * m->most_yy) make_anew(m);
}

static void stddev(sqlite3_context *x) {
  const moments *m = sqlite3_aggregate_context(x, 0);
  if (m && !m->failed && m->count > 1)
    sqlite3_result_double(x, sqrt(more(m->xx, 0) / (m->count - 1)));
}

static void corr(sqlite3_context *x) {
  const moments *m = sqlite3_aggregate_context(x, 0);
  if (!m || m->failed || m->xx <= 0 || m->yy <= 0) return;
  double r = m->xy / (sqrt(m->xx) * sqrt(m->yy));
  sqlite3_result_double(x, r > 1 ? 1 : r < -1 ? -1 : r);
}

/* slope(y, x): the first argument is y. */
static void slope(sqlite3_context *x) {
  const moments *m = sqlite3_aggregate_context(x, 0);
  if (m && !m->failed && m->yy > 0) sqlite3_result_double(x, m->xy / m->yy);
}

static void release(sqlite3_context *x) {
  moments *m = sqlite3_aggregate_context(x, 0);
  if (m) sqlite3_free(m->rows);
}

static void stddev_final(sqlite3_context *x) {
  stddev(x);
  release(x);
}

static void corr_final(sqlite3_context *x) {
  corr(x);
  release(x);
}

static void slope_final(sqlite3_context *x) {
  slope(x);
  release(x);
}

int moments_register(sqlite3 *db) {
  static struct {
    char name[8];
    int arguments;
    void (*value)(sqlite3_context *);
    void (*final)(sqlite3_context *);
  } all[] = {{"stddev", 1, stddev, stddev_final},
             {"corr", 2, corr, corr_final},
             {"slope", 2, slope, slope_final}};
  int rc = SQLITE_OK, flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  for (size_t i = 0; !rc && i < sizeof all / sizeof all[0]; i++)
    rc = sqlite3_create_window_function(db, all[i].name, all[i].arguments, flags, all[i].name, step,
                                        all[i].final, all[i].value, leave, NULL);
  return rc;
}
