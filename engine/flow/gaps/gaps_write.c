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

static value day_value(arena *a, int32_t day) {
  char *text = arena_alloc(a, 11);
  date_write(day, text);
  return value_text(text);
}

/* ---- queueing ---- */

static int write_state(store_conn *c, const char *pipeline_name, const char *label, int32_t day,
                       const gap_state *s, int64_t job_id, const char *error_json, int64_t now,
                       dts_error *e) {
  char text[11];
  date_write(day, text);
  value params[] = {value_text(pipeline_name),
                    value_text(label),
                    value_text(text),
                    value_text(gap_status_name(s->status)),
                    value_integer(s->attempts),
                    value_integer(s->retry_count),
                    value_integer(s->releases),
                    value_integer(s->held),
                    job_id ? value_integer(job_id) : value_null(),
                    value_text(error_json),
                    value_integer(now)};
  store_touch(c, "dts_gap");
  return store_exec(
      c,
      "insert into dts_gap (pipeline, series, day, state, attempts, retry_count, releases, "
      "held, job, error, message, at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
      "json_extract(?10, '$.message'), ?11) on "
      "conflict (pipeline, series, day) do update set state = ?4, attempts = ?5, "
      "retry_count = ?6, releases = ?7, held = ?8, job = coalesce(?9, job), error = case when ?4 "
      "in ('filled', "
      "'absent') then null else coalesce(?10, error) end, message = case when ?4 in ('filled', "
      "'absent') "
      "then null else coalesce(json_extract(?10, '$.message'), message) end, at = ?11",
      params, sizeof params / sizeof *params, e);
}

/* A date that is only read again (refresh) is complete and has nothing to lose: no record. */
static int hold_dates(store_conn *c, const pipeline *p, const gaps_series *s, const span *w,
                      int64_t job_id, int64_t now, dts_error *e) {
  gap_event plan = {.kind = GAP_PLAN}, lost = {.kind = GAP_LOST};
  for (size_t i = w->first; i < w->first + w->count; i++) {
    gap_state out = s->states[i];
    if (s->marks[i] != SPAN_MISSING || s->complete[i]) continue;
    if (out.status == GAP_FILLED) gap_step(&out, &lost, &out, NULL);
    if (gap_step(&out, &plan, &out, NULL) != GAP_OK) continue;
    if (write_state(c, p->name, s->series->label, s->expected[i], &out, job_id, NULL, now, e) < 0)
      return -1;
  }
  return 0;
}

static value span_input(arena *a, const gaps_series *s, const span *w) {
  value v = value_map(), dates = value_list();
  const series *key = s->series;
  int32_t *days = arena_alloc(a, w->missing * sizeof *days);
  size_t count = span_dates(w, s->expected, s->marks, days);
  for (size_t i = 0; i < count; i++) value_add(a, &dates, day_value(a, days[i]));
  if (key->given) value_set(a, &v, "key", *key->given);
  value_set(a, &v, "from", day_value(a, w->from));
  value_set(a, &v, "to", day_value(a, w->to));
  value_set(a, &v, "dates", dates);
  value_set(a, &v, "with", key->with ? *key->with : value_map());
  value_set(a, &v, "series", value_text(key->label));
  return v;
}

static int queue_span(store_conn *c, const pipeline *p, const gaps_series *s, const span *w,
                      int64_t firing_id, const char *trigger_text, int64_t now, dts_error *e) {
  arena a = {0};
  buffer input;
  int64_t id;
  bool fresh;
  value v = span_input(&a, s, w);
  buffer_init(&input, INPUT_LIMIT);
  int rc = json_write(&input, &v);
  if (rc < 0)
    error_fail(e, "GAPS", "a span of '%s' holds too many dates; set gaps.max_span", p->name);
  job_new n = {.firing = firing_id,
               .pipeline = p->name,
               .trigger = trigger_text,
               .kind = "span",
               .name =
                   arena_format(&a, "%s%s%s/%s", s->series->label, s->series->label[0] ? " " : "",
                                value_get_text(&v, "from", ""), value_get_text(&v, "to", "")),
               .input = buffer_text(&input),
               .limit = p->retry,
               .once = true};
  if (rc == 0) rc = jobs_insert(c, &n, now, &id, &fresh, e);
  if (rc == 0) rc = hold_dates(c, p, s, w, id, now, e);
  buffer_free(&input);
  arena_free(&a);
  return rc;
}

/* Dates that were tried and whose row has come since by another way are filled. */
static int note_present(store_conn *c, const pipeline *p, const gaps_series *s, int64_t now,
                        dts_error *e) {
  gap_event present = {.kind = GAP_PRESENT};
  for (size_t i = 0; i < s->count; i++) {
    gap_state out = s->states[i];
    if (!s->known[i] || !s->complete[i] || out.status == GAP_FILLED) continue;
    if (gap_step(&out, &present, &out, NULL) != GAP_OK) continue;
    if (write_state(c, p->name, s->series->label, s->expected[i], &out, 0, NULL, now, e) < 0)
      return -1;
  }
  return 0;
}

typedef struct strays {
  const gaps_series *series;
  arena *memory;
  value days;
} strays;

static int add_stray(void *arg, const store_header *header, const value *row, dts_error *e) {
  strays *s = arg;
  size_t at;
  int32_t day;
  (void)header, (void)e;
  if (date_read(row[0].text.bytes, row[0].text.size, &day) == 0 &&
      !gaps_find_day(s->series, day, &at))
    value_add(s->memory, &s->days, day_value(s->memory, day));
  return 0;
}

/* Dates that are tried no more, since an edited calendar or range does not expect them: were their
 * record kept, they would be missing for ever. A person decides about those in quarantine. */
static int forget_strays(store_conn *c, const pipeline *p, const gaps_series *s, dts_error *e) {
  arena a = {0};
  strays found = {s, &a, value_list()};
  value params[] = {value_text(p->name), value_text(s->series->label), value_null()};
  int rc = !s->whole ? 0
                     : store_select(c,
                                    "select day from dts_gap where pipeline = ?1 and series = ?2 "
                                    "and state in ('open', 'retrying') and held = 0",
                                    params, 2, add_stray, &found, e);
  for (size_t i = 0; rc == 0 && i < found.days.list.count; i++) {
    params[2] = found.days.list.items[i];
    store_touch(c, "dts_gap");
    rc = store_exec(c, "delete from dts_gap where pipeline = ?1 and series = ?2 and day = ?3",
                    params, 3, e);
  }
  arena_free(&a);
  return rc;
}

int gaps_queue(store_conn *c, const pipeline *p, const gaps_look *look, int64_t firing_id,
               const char *trigger_text, int64_t now, size_t *jobs, dts_error *e) {
  if (gaps_gone_look(c, p, look, e) < 0) return -1;
  for (size_t i = 0; i < look->count; i++) {
    const gaps_series *s = &look->series[i];
    if (note_present(c, p, s, now, e) < 0 || forget_strays(c, p, s, e) < 0) return -1;
    for (size_t k = 0; k < s->span_count; k++, ++*jobs)
      if (queue_span(c, p, s, &s->spans[k], firing_id, trigger_text, now, e) < 0) return -1;
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

int gaps_ended(store_conn *c, const pipeline *p, int64_t job_id, bool succeeded, bool no_retry,
               const char *error_json, int64_t now, dts_error *e) {
  arena a = {0};
  held h = {.memory = &a, .limit = p->retry};
  gaps_series s = {0};
  int rc = read_held(c, job_id, &h, e);
  if (rc == 0 && h.count) look_at_held(c, p, &h, now, &s);
  for (size_t i = 0; rc == 0 && i < h.count; i++) {
    const char *reason = NULL;
    gap_event event = {.kind = GAP_ENDED,
                       .succeeded = succeeded,
                       .no_retry = no_retry,
                       .empty_ok = p->gaps->empty_ok,
                       .seen = how_seen(&s, h.dates[i].day)};
    if (gap_step(&h.dates[i].state, &event, &h.dates[i].state, &reason) != GAP_OK) continue;
    const char *said =
        error_json ? error_json : "{\"message\":\"the source gave no complete row\"}";
    bool filled = h.dates[i].state.status == GAP_FILLED;
    rc = write_state(c, p->name, h.label, h.dates[i].day, &h.dates[i].state, job_id,
                     filled ? NULL : said, now, e);
  }
  free(h.dates);
  arena_free(&a);
  return rc;
}
