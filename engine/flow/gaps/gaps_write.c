/* gaps_write.c -- queueing spans, and what became of each of their dates. See gaps.h.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/gaps/gaps.h"
#include "flow/gaps/gaps_parts.h"
#include "format/date.h"
#include "format/json.h"

enum { INPUT_LIMIT = 8 * 1024 * 1024 };

typedef struct dates { /* of one series */
  store_conn *conn;
  const char *pipeline, *label;
  int64_t job_id; /* that asks for them; 0: none */
  int64_t now;
} dates;

static int write_state(const dates *of, int32_t day, const gap_state *s, const char *error_json,
                       dts_error *e) {
  char text[11];
  date_write(day, text);
  value params[] = {value_text(of->pipeline),
                    value_text(of->label),
                    value_text(text),
                    value_text(gap_status_name(s->status)),
                    value_integer(s->attempts),
                    value_integer(s->retry_count),
                    value_integer(s->releases),
                    value_integer(s->held),
                    of->job_id ? value_integer(of->job_id) : value_null(),
                    value_text(error_json),
                    value_integer(of->now)};
  store_touch(of->conn, "dts_gap");
  return store_exec(
      of->conn,
      "insert into dts_gap (pipeline, series, day, state, attempts, retry_count, releases, held, "
      "job, error, message, at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
      "json_extract(?10, '$.message'), ?11) on conflict (pipeline, series, day) do update set "
      "state = ?4, attempts = ?5, retry_count = ?6, releases = ?7, held = ?8, "
      "job = coalesce(?9, job), error = case when ?4 in ('filled', 'absent') then null "
      "else coalesce(?10, error) end, message = case when ?4 in ('filled', 'absent') then null "
      "else coalesce(json_extract(?10, '$.message'), message) end, at = ?11",
      params, sizeof params / sizeof *params, e);
}

/* ---- queueing ---- */

/* A date that is only read again (refresh) is complete and has nothing to lose: no record. */
static int hold_dates(const dates *of, const gaps_series *s, const span *w, dts_error *e) {
  gap_event plan = {.kind = GAP_PLAN}, lost = {.kind = GAP_LOST};
  for (size_t i = w->first; i < w->first + w->count; i++) {
    gap_state out = s->states[i];
    if (s->marks[i] != SPAN_MISSING || s->complete[i]) continue;
    if (out.status == GAP_FILLED) gap_step(&out, &lost, &out, NULL);
    if (gap_step(&out, &plan, &out, NULL) != GAP_OK) continue;
    if (write_state(of, s->expected[i], &out, NULL, e) < 0) return -1;
  }
  return 0;
}

static value span_input(arena *a, const gaps_series *s, const span *w) {
  value v = value_map(), list = value_list();
  const series *key = s->series;
  int32_t *days = arena_alloc(a, w->missing * sizeof *days);
  size_t count = span_dates(w, s->expected, s->marks, days);
  for (size_t i = 0; i < count; i++) value_add(a, &list, date_value(a, days[i]));
  if (key->given) value_set(a, &v, "key", *key->given);
  value_set(a, &v, "from", date_value(a, w->from));
  value_set(a, &v, "to", date_value(a, w->to));
  value_set(a, &v, "dates", list);
  value_set(a, &v, "with", key->with ? *key->with : value_map());
  value_set(a, &v, "series", value_text(key->label));
  return v;
}

static int queue_span(dates of, const pipeline *p, const gaps_series *s, const span *w,
                      const firing *f, dts_error *e) {
  arena a = {0};
  buffer input;
  bool fresh;
  value v = span_input(&a, s, w);
  buffer_init(&input, INPUT_LIMIT);
  int rc = json_write(&input, &v);
  if (rc < 0)
    error_fail(e, "GAPS", "a span of '%s' holds too many dates; set gaps.max_span", p->name);
  job_new n = {.firing = f->id,
               .pipeline = p->name,
               .trigger = f->trigger,
               .kind = "span",
               .name =
                   arena_format(&a, "%s%s%s/%s", s->series->label, s->series->label[0] ? " " : "",
                                value_get_text(&v, "from", ""), value_get_text(&v, "to", "")),
               .input = buffer_text(&input),
               .limit = p->retry,
               .once = true};
  if (rc == 0) rc = jobs_insert(of.conn, &n, of.now, &of.job_id, &fresh, e);
  if (rc == 0) rc = hold_dates(&of, s, w, e);
  buffer_free(&input);
  arena_free(&a);
  return rc;
}

/* Dates that were tried and whose row has come since by another way are filled. */
static int note_present(const dates *of, const gaps_series *s, dts_error *e) {
  gap_event present = {.kind = GAP_PRESENT};
  for (size_t i = 0; i < s->count; i++) {
    gap_state out = s->states[i];
    if (!s->known[i] || !s->complete[i] || out.status == GAP_FILLED) continue;
    if (gap_step(&out, &present, &out, NULL) != GAP_OK) continue;
    if (write_state(of, s->expected[i], &out, NULL, e) < 0) return -1;
  }
  return 0;
}

static bool is_stray(const gaps_series *s, const value *text) {
  size_t at;
  int32_t day;
  return date_read(text->text.bytes, text->text.size, &day) == 0 && !gaps_find_day(s, day, &at);
}

/* Dates that are tried no more, since an edited calendar or range does not expect them: were their
 * record kept, they would be missing for ever. A person decides about those in quarantine. */
static int forget_strays(const dates *of, const gaps_series *s, dts_error *e) {
  static const char sql[] = "select day from dts_gap where pipeline = ?1 and series = ?2 and "
                            "state in ('open', 'retrying') and held = 0";
  arena a = {0};
  value tried, params[] = {value_text(of->pipeline), value_text(of->label), value_null()};
  if (!s->whole) return 0;
  int rc = store_list(of->conn, sql, params, 2, &a, &tried, e);
  for (size_t i = 0; rc == 0 && i < tried.list.count; i++) {
    params[2] = tried.list.items[i];
    if (!is_stray(s, &params[2])) continue;
    store_touch(of->conn, "dts_gap");
    rc =
        store_exec(of->conn, "delete from dts_gap where pipeline = ?1 and series = ?2 and day = ?3",
                   params, 3, e);
  }
  arena_free(&a);
  return rc;
}

int gaps_queue(store_conn *c, const pipeline *p, const gaps_look *look, const firing *f,
               int64_t now, size_t *jobs, dts_error *e) {
  if (gaps_gone_look(c, p, look, e) < 0) return -1;
  for (size_t i = 0; i < look->count; i++) {
    const gaps_series *s = &look->series[i];
    dates of = {c, p->name, s->series->label, 0, now};
    if (note_present(&of, s, e) < 0 || forget_strays(&of, s, e) < 0) return -1;
    for (size_t k = 0; k < s->span_count; k++, ++*jobs)
      if (queue_span(of, p, s, &s->spans[k], f, e) < 0) return -1;
  }
  return 0;
}

/* ---- what became of them ---- */

typedef struct held_date {
  int32_t day;
  gap_state state;
} held_date;

typedef struct held {
  arena *memory;
  const char *label;
  held_date *dates;
  size_t count, capacity;
  int limit;
} held;

static int add_held(void *arg, const store_header *header, const value *row, dts_error *e) {
  held *h = arg;
  (void)header, (void)e;
  if (h->count == h->capacity) {
    h->capacity = h->capacity ? 2 * h->capacity : 64;
    h->dates = memory_grow(h->dates, h->capacity * sizeof *h->dates);
  }
  held_date *d = &h->dates[h->count++];
  d->state = gap_begin(h->limit);
  if (!h->label) h->label = arena_copy(h->memory, row[0].text.bytes, row[0].text.size);
  date_read(row[1].text.bytes, row[1].text.size, &d->day);
  gap_status_read(row[2].text.bytes, &d->state.status);
  d->state.held = true;
  d->state.attempts = (int)row[3].integer;
  d->state.retry_count = (int)row[4].integer;
  d->state.releases = (int)row[5].integer;
  return 0;
}

static int read_held(store_conn *c, int64_t job_id, held *h, dts_error *e) {
  value params[] = {value_integer(job_id)};
  return store_select(
      c,
      "select series, day, state, attempts, retry_count, releases from dts_gap where job = ?1 "
      "and held = 1 order by day",
      params, 1, add_held, h, e);
}

static gap_seen how_seen(const gaps_series *s, int32_t day) {
  size_t i;
  if (!gaps_find_day(s, day, &i)) return GAP_SEEN_MISSING;
  return s->complete[i] ? GAP_SEEN_COMPLETE : s->there[i] ? GAP_SEEN_INCOMPLETE : GAP_SEEN_MISSING;
}

/* Keys that cannot be asked any more: no date was seen, and the run still ends. */
static void look_at_held(store_conn *c, const pipeline *p, const held *h, int64_t now,
                         gaps_series *s) {
  dts_error e;
  gaps_range range = {h->dates[0].day, h->dates[h->count - 1].day};
  if (gaps_look_for(c, p, h->label, &range, now, h->memory, s, &e) >= 0) return;
  *s = (gaps_series){0};
  log_warn("the dates of '%s' could not be looked at: %s", p->name, e.message);
}

static int end_date(const dates *of, held_date *d, gap_event event, const char *error_json,
                    dts_error *e) {
  static const char none[] = "{\"message\":\"the source gave no complete row\"}";
  const char *reason = NULL, *said = error_json ? error_json : none;
  if (gap_step(&d->state, &event, &d->state, &reason) != GAP_OK) return 0;
  return write_state(of, d->day, &d->state, d->state.status == GAP_FILLED ? NULL : said, e);
}

int gaps_ended(store_conn *c, const pipeline *p, const gaps_end *end, int64_t now, dts_error *e) {
  arena a = {0};
  held h = {.memory = &a, .limit = p->retry};
  gaps_series s = {0};
  int rc = read_held(c, end->job_id, &h, e);
  if (rc == 0 && h.count) look_at_held(c, p, &h, now, &s);
  dates of = {c, p->name, h.label, end->job_id, now};
  for (size_t i = 0; rc == 0 && i < h.count; i++) {
    gap_event event = {.kind = GAP_ENDED,
                       .succeeded = end->succeeded,
                       .no_retry = end->no_retry,
                       .empty_ok = p->gaps->empty_ok,
                       .seen = how_seen(&s, h.dates[i].day)};
    rc = end_date(&of, &h.dates[i], event, end->error_json, e);
  }
  free(h.dates);
  arena_free(&a);
  return rc;
}
