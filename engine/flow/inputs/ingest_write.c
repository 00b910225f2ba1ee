/* ingest_write.c -- see ingest_write.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/inputs/ingest_write.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "flow/jobs/jobs.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
enum { PAYLOAD = 2000, MINUTE_MS = 60000, COUNTED_MS = 2 * 86400000, REMEMBERED = 100 };

/* ---- duplicates ---- */

/* An id is remembered from its first sight, and is new again after the window. */
static int see(store_conn *c, const ingest_write *w, ingest_event *event, dts_error *e) {
  value params[] = {value_text(w->to.pipeline), value_text(event->id), value_integer(w->now),
                    value_integer(w->now - w->to.window_ms)};
  if (store_exec(
          c,
          "insert into dts_seen (pipeline, id, at) values (?1, ?2, ?3) on conflict (pipeline, id) "
          "do update set at = excluded.at where dts_seen.at <= ?4",
          params, COUNT(params), e) < 0)
    return -1;
  event->job = store_changes(c) ? 0 : -1;
  return 0;
}

typedef struct part { /* of the ids, that the hand goes over */
  char last[INGEST_ID_BYTES + 1];
  int64_t count;
} part;

static int read_part(void *arg, const store_header *header, const value *row, dts_error *e) {
  part *p = arg;
  (void)header, (void)e;
  p->count = row[1].integer;
  if (p->count) snprintf(p->last, sizeof p->last, "%.*s", (int)row[0].text.size, row[0].text.bytes);
  return 0;
}

/* A hand goes round the ids, twice as fast as new ones come: none is kept for longer than one and
 * a half windows, and no index by time is needed, which would cost as much as the ids themselves. */
static int forget(store_conn *c, ingest_write *w, dts_error *e) {
  part p = {"", 0};
  int64_t many = (int64_t)(2 * w->batch->count + REMEMBERED);
  value next[] = {value_text(w->to.pipeline), value_text(w->hand), value_integer(many)};
  if (store_select(
          c,
          "select max(id), count(*) from (select id from dts_seen where pipeline = ?1 and id > ?2 "
          "order by id limit ?3) as part",
          next, COUNT(next), read_part, &p, e) < 0)
    return -1;
  value old[] = {value_text(w->to.pipeline), value_text(w->hand), value_text(p.last),
                 value_integer(w->now - w->to.window_ms)};
  snprintf(w->stopped, sizeof w->stopped, "%s", p.count == many ? p.last : "");
  if (!p.count) return 0;
  return store_exec(
      c, "delete from dts_seen where pipeline = ?1 and id > ?2 and id <= ?3 and at <= ?4", old,
      COUNT(old), e);
}

static int see_all(store_conn *c, ingest_write *w, dts_error *e) {
  w->accepted = w->duplicates = 0;
  if (forget(c, w, e) < 0) return -1;
  for (size_t i = 0; i < w->batch->count; i++) {
    ingest_event *event = &w->batch->events[i];
    if (see(c, w, event, e) < 0) return -1;
    if (event->job == 0)
      w->accepted++;
    else
      w->duplicates++;
  }
  return 0;
}

/* ---- bundles ---- */

static int insert_job(store_conn *c, const ingest_target *to, int64_t now, size_t count,
                      size_t bytes, int64_t *id, dts_error *e) {
  char name[48], input[80];
  bool fresh;
  firing f = {.pipeline = to->pipeline, .trigger = "ingest", .day = to->day};
  snprintf(name, sizeof name, "%zu event%s", count, count == 1 ? "" : "s");
  snprintf(input, sizeof input, "{\"events\":%zu,\"bytes\":%zu}", count, bytes);
  if (jobs_fire(c, &f, now, e) < 0) return -1;
  job_new n = {.firing = f.id,
               .pipeline = to->pipeline,
               .trigger = "ingest",
               .kind = "batch",
               .name = name,
               .group = to->group,
               .input = input,
               .limit = to->retry};
  return jobs_insert(c, &n, now, id, &fresh, e);
}

typedef struct filling { /* the bundle that is being filled */
  size_t first, count, bytes;
} filling;

static int close_bundle(store_conn *c, ingest_write *w, const filling *b, size_t end,
                        dts_error *e) {
  int64_t id;
  if (insert_job(c, &w->to, w->now, b->count, b->bytes, &id, e) < 0) return -1;
  for (size_t i = b->first; i < end; i++)
    if (w->batch->events[i].job == 0) w->batch->events[i].job = id;
  return 0;
}

/* Full bundles get their job before their events are written, so that most rows are written once. */
static int bundle_fresh(store_conn *c, ingest_write *w, dts_error *e) {
  filling b = {0, 0, 0};
  for (size_t i = 0; i < w->batch->count; i++) {
    const ingest_event *event = &w->batch->events[i];
    if (event->job < 0) continue;
    bool full = b.count == w->to.batch || (b.count && b.bytes + event->size > INGEST_BUNDLE_BYTES);
    if (full && close_bundle(c, w, &b, i, e) < 0) return -1;
    if (full) b = (filling){i, 0, 0};
    b.count++, b.bytes += event->size;
  }
  bool whole = b.count && (b.count == w->to.batch || w->at_once);
  if (whole && close_bundle(c, w, &b, w->batch->count, e) < 0) return -1;
  w->loose = whole ? 0 : b.count;
  w->loose_bytes = whole ? 0 : b.bytes;
  return 0;
}

static int insert_events(store_conn *c, const ingest_write *w, dts_error *e) {
  for (size_t i = 0; i < w->batch->count; i++) {
    const ingest_event *event = &w->batch->events[i];
    if (event->job < 0) continue;
    value params[] = {value_text(w->to.pipeline),
                      value_text(event->id),
                      value_text(event->type),
                      value_integer(w->now),
                      value_text(event->time),
                      value_bytes(event->json, event->size),
                      event->job ? value_integer(event->job) : value_null()};
    if (store_exec(c,
                   "insert into dts_event (pipeline, id, type, at, time, data, job) values (?1, "
                   "?2, ?3, ?4, "
                   "?5, ?6, ?7)",
                   params, COUNT(params), e) < 0)
      return -1;
  }
  if (w->accepted) store_touch(c, "dts_event");
  return 0;
}

/* ---- refusals, counts, the archive ---- */

/* At most PAYLOAD bytes, whole characters of UTF-8: broken bytes are not kept. */
static value payload_of(const ingest_refusal *r) {
  size_t size = r->size < PAYLOAD ? r->size : PAYLOAD, good = size, nul;
  text_is_utf8(r->json, size, &good);
  if (text_is_utf8(r->json, size, NULL)) good = size;
  const char *end = good ? memchr(r->json, 0, good) : NULL;
  nul = end ? (size_t)(end - r->json) : good;
  return value_bytes(r->json, nul);
}

static int insert_refusals(store_conn *c, const ingest_write *w, dts_error *e) {
  const ingest_batch *b = w->batch;
  for (size_t i = 0; i < b->refused_count; i++) {
    const ingest_refusal *r = &b->refused[i];
    value params[] = {value_text(w->to.pipeline), value_integer(w->now),  value_integer(r->line),
                      value_text(r->path),        value_text(r->message), payload_of(r)};
    if (store_exec(c,
                   "insert into dts_refusal (pipeline, at, line, path, message, payload) values "
                   "(?1, ?2, ?3, "
                   "?4, ?5, ?6)",
                   params, COUNT(params), e) < 0)
      return -1;
  }
  if (!b->refused_count) return 0;
  store_touch(c, "dts_refusal");
  value params[] = {value_integer(store_last_id(c) - INGEST_REFUSALS)};
  return store_exec(c, "delete from dts_refusal where seq <= ?1", params, 1, e);
}

static int count_minute(store_conn *c, const ingest_write *w, dts_error *e) {
  value params[] = {value_text(w->to.pipeline), value_integer(w->now - w->now % MINUTE_MS),
                    value_integer((int64_t)w->accepted), value_integer((int64_t)w->duplicates),
                    value_integer((int64_t)w->batch->refused_count)};
  value old[] = {value_text(w->to.pipeline), value_integer(w->now - COUNTED_MS)};
  if (store_exec(
          c,
          "insert into dts_event_count (pipeline, minute, accepted, duplicates, refused) values "
          "(?1, "
          "?2, ?3, ?4, ?5) on conflict (pipeline, minute) do update set accepted = accepted + ?3, "
          "duplicates = duplicates + ?4, refused = refused + ?5",
          params, COUNT(params), e) < 0)
    return -1;
  return store_exec(c, "delete from dts_event_count where pipeline = ?1 and minute < ?2", old,
                    COUNT(old), e);
}

static int archive(store_conn *c, const ingest_write *w, dts_error *e) {
  if (!w->object || w->accepted + w->batch->refused_count == 0)
    return 0; /* seen before: kept before */
  value params[] = {value_text(w->to.pipeline),      value_text(w->to.day),
                    value_integer(w->now),           value_text(w->object),
                    value_integer((int64_t)w->size), value_text(w->type)};
  store_touch(c, "dts_archive");
  return store_exec(
      c,
      "insert into dts_archive (source, day, at, object, size, type) values (?1, ?2, ?3, ?4, "
      "?5, ?6)",
      params, COUNT(params), e);
}

int ingest_write_work(store_conn *c, void *arg, dts_error *e) {
  ingest_write *w = arg;
  if (see_all(c, w, e) < 0 || bundle_fresh(c, w, e) < 0 || insert_events(c, w, e) < 0) return -1;
  if (insert_refusals(c, w, e) < 0 || count_minute(c, w, e) < 0) return -1;
  return archive(c, w, e);
}

/* ---- bundling what waits ---- */

typedef struct waiting {
  size_t batch, count, bytes; /* of the bundle */
  int64_t last;               /* its last seq */
  bool full;
} waiting;

static int add_waiting(void *arg, const store_header *header, const value *row, dts_error *e) {
  waiting *w = arg;
  size_t size = (size_t)row[1].integer;
  (void)header, (void)e;
  w->full = w->full || (w->count && w->bytes + size > INGEST_BUNDLE_BYTES);
  if (w->full) return 0;
  w->count++, w->bytes += size, w->last = row[0].integer;
  w->full = w->count == w->batch;
  return 0;
}

static int next_bundle(store_conn *c, const ingest_bundle *b, waiting *w, dts_error *e) {
  value params[] = {value_text(b->to.pipeline), value_integer((int64_t)b->to.batch)};
  *w = (waiting){.batch = b->to.batch};
  return store_select(c,
                      "select seq, length(cast(data as blob)) from dts_event where job is null and "
                      "pipeline = ?1 order "
                      "by seq limit ?2",
                      params, COUNT(params), add_waiting, w, e);
}

static int give_job(store_conn *c, const ingest_bundle *b, const waiting *w, dts_error *e) {
  int64_t id;
  if (insert_job(c, &b->to, b->now, w->count, w->bytes, &id, e) < 0) return -1;
  value params[] = {value_integer(id), value_text(b->to.pipeline), value_integer(w->last)};
  return store_exec(
      c, "update dts_event set job = ?1 where job is null and pipeline = ?2 and seq <= ?3", params,
      COUNT(params), e);
}

int ingest_bundle_work(store_conn *c, void *arg, dts_error *e) {
  ingest_bundle *b = arg;
  waiting w;
  for (b->jobs = 0;; b->jobs++) {
    if (next_bundle(c, b, &w, e) < 0) return -1;
    if (!w.count || (!w.full && !b->all)) break;
    if (give_job(c, b, &w, e) < 0) return -1;
  }
  b->loose = w.count;
  b->loose_bytes = w.bytes;
  return 0;
}

int ingest_unbundled(store_conn *c, arena *a, value *pipelines, dts_error *e) {
  return store_list(c, "select distinct pipeline from dts_event where job is null", NULL, 0, a,
                    pipelines, e);
}

/* ---- done ---- */

int ingest_done(store_conn *c, const char *of, int64_t id, dts_error *e) {
  static const struct {
    const char *sql;
    size_t count;
  } steps[] = {
      {"update dts_event set job = 0 where job = ?2 and pipeline = ?1 and seq in (select seq from "
       "dts_event where job = ?2 and pipeline = ?1 order by seq desc limit ?3)",
       3},
      {"delete from dts_event where job = ?2 and pipeline = ?1", 2},
      {"delete from dts_event where job = 0 and pipeline = ?1 and seq not in (select seq from "
       "dts_event where job = 0 and pipeline = ?1 order by seq desc limit ?2)",
       2}};
  value params[] = {value_text(of), value_integer(id), value_integer(INGEST_SHOWN)};
  for (size_t i = 0; i < COUNT(steps); i++) {
    if (i == 2) params[1] = value_integer(INGEST_SHOWN);
    if (store_exec(c, steps[i].sql, params, steps[i].count, e) < 0) return -1;
  }
  store_touch(c, "dts_event");
  return 0;
}
