/* alone.c -- see alone.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/jobs/alone.h"

#include "format/json.h"

enum { NAMES_BYTES = 1 << 20 };

#define OURS(job) "(" job ".firing >= ?1 or " job ".firing in (select value from json_each(?2)))"
#define PUT_OFF(job)                                                                               \
  "(" job ".state = 'waiting' and exists (select 1 from dts_run r where r.job = " job              \
  ".id and r.epoch = " job ".epoch and r.outcome = 'deferred'))"
#define OPEN(job) job ".state in ('waiting', 'queued', 'leased')"

static bool follows(const pipeline *p, const value *names) {
  const value *after = value_get(p->declared, "after");
  for (size_t i = 0; i < names->list.count; i++)
    if (value_has(after, names->list.items[i].text.bytes)) return true;
  return false;
}

/* These and whatever follows them, as a JSON list. */
static const char *reach(const registry *set, const char *const *names, size_t count, arena *a) {
  value all = value_list();
  buffer b;
  for (size_t i = 0; i < count; i++) value_add(a, &all, value_text(names[i]));
  for (size_t before = 0; before != all.list.count;) {
    before = all.list.count;
    for (size_t i = 0; i < set->pipeline_count; i++) {
      const pipeline *p = &set->pipelines[i];
      if (!value_has(&all, p->name) && follows(p, &all)) value_add(a, &all, value_text(p->name));
    }
  }
  buffer_init(&b, NAMES_BYTES);
  json_write(&b, &all);
  const char *text = arena_copy(a, buffer_text(&b), b.size);
  buffer_free(&b);
  return text;
}

/* Of a schedule's firings the first open one alone: the others wait for it. */
int alone_takes(store_conn *c, const registry *set, const char *const *names, size_t count,
                int64_t first, int64_t now, arena *a, const char **firings, dts_error *e) {
  static const char sql[] =
      "select json_group_array(distinct j.firing) from dts_job j where j.firing < ?1 and j.run_at "
      "<= ?3 and j.state in ('waiting', 'queued') and (j.pipeline in (select value from "
      "json_each(?2)) and exists (select 1 from dts_run r where r.job = j.id and r.epoch = j.epoch "
      "and r.outcome = 'deferred') or j.firing in (select d.firing from dts_descent d join "
      "dts_firing o on o.id = d.origin where d.firing <> d.origin and o.pipeline in (select value "
      "from json_each(?2)))) and not exists (select 1 from dts_firing f join dts_firing g on "
      "g.pipeline = f.pipeline and g.id < f.id where f.id = j.firing and f.fire_time is not null "
      "and g.fire_time is not null and g.state = 'open')";
  value v, params[] = {value_integer(first), value_text(reach(set, names, count, a)),
                       value_integer(now)};
  if (store_get(c, sql, params, 3, a, &v, e) < 0) return -1;
  *firings = arena_copy(a, v.text.bytes, v.text.size);
  return 0;
}

int alone_goes_on(store_conn *c, int64_t first, const char *firings, bool *goes_on, dts_error *e) {
  static const char sql[] = "select exists (select 1 from dts_job j where " OPEN("j") " and " OURS(
      "j") " and (j.state = 'leased' or (j.state = "
           "'queued' or j.state = 'waiting' and j.attempts > 0 and not " PUT_OFF(
               "j") ") and not exists "
                    "(select 1 from dts_job o where o.pipeline = j.pipeline and o.grp = j.grp and "
                    "o.id < j.id "
                    "and " OPEN("o") " and (" PUT_OFF("o") " or not " OURS("o") "))))";
  value v, params[] = {value_integer(first), value_text(firings)};
  if (store_get(c, sql, params, 2, NULL, &v, e) < 0) return -1;
  *goes_on = v.integer != 0;
  return 0;
}
