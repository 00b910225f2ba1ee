/* What the notes of roll-ups cost: 100,000 rows put in one transaction, sorted by key, with none, one
 * and two roll-ups of the table, and the recomputing that follows.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/flow_help.h"

#include <unistd.h>

#include "base/clock.h"
#include "flow/rollups/rollups.h"
#include "format/date.h"

enum { REPOS = 500, DAYS = 200, ROUNDS = 5 };

#define TABLE                                                                                      \
  "{\"noun\":\"table\",\"name\":\"s\",\"key\":[\"repo\",\"date\"],\"columns\":[{\"name\":"         \
  "\"repo\","                                                                                      \
  "\"type\":\"text\"},{\"name\":\"date\",\"type\":\"date\"},{\"name\":\"stars\",\"type\":"         \
  "\"integer\"},"                                                                                  \
  "{\"name\":\"forks\",\"type\":\"integer\"},{\"name\":\"note\",\"type\":\"text\"}]}"
#define ROLLUP(name, every)                                                                        \
  ",{\"noun\":\"rollup\",\"name\":\"" name                                                         \
  "\",\"from\":\"s\",\"time\":\"date\",\"by\":[{\"expr\":"                                         \
  "\"repo\",\"name\":\"repo\"}],\"every\":[" every                                                 \
  "],\"measures\":[{\"expr\":\"last(stars)\",\"name\":"                                            \
  "\"l\"},{\"expr\":\"change(stars)\",\"name\":\"c\"},{\"expr\":\"count(*)\",\"name\":\"n\"}]}"

typedef struct load {
  const registry *set;
  int64_t stars;
} load;

static int ensure(store_conn *c, void *arg, dts_error *e) {
  const registry *set = ((load *)arg)->set;
  for (size_t i = 0; i < set->table_count; i++)
    if (store_table_ensure(c, set->tables[i], e) < 0) return -1;
  return rollups_ensure(c, set, true, e);
}

static int put_all(store_conn *c, void *arg, dts_error *e) {
  const load *l = arg;
  const table *t = registry_table(l->set, "s");
  for (int r = 0; r < REPOS; r++)
    for (int d = 0; d < DAYS; d++) {
      char repo[32], date[11];
      snprintf(repo, sizeof repo, "owner%04d/name", r);
      date_write(19700 + d, date);
      value row[] = {value_text(repo), value_text(date), value_integer(l->stars + d),
                     value_integer(r), value_text("a note")};
      if (store_put(c, t, row, e) < 0) return -1;
    }
  return 0;
}

static int refresh(store_conn *c, void *arg, dts_error *e) {
  return rollups_refresh(c, ((load *)arg)->set, NULL, e);
}

static int64_t timed(store *s, store_work *work, load *l) {
  int64_t start = clock_monotonic_ms();
  help_write(s, work, l);
  return clock_monotonic_ms() - start;
}

static void measure(const char *what, const char *declared) {
  char folder[] = "/tmp/dts-bench-XXXXXX", url[64], command[64];
  dts_error e = {0};
  if (!mkdtemp(folder)) exit(1);
  snprintf(url, sizeof url, "sqlite:%s/x.db", folder);
  store *s = store_open(url, NULL, &e);
  if (!s || schema_create(s, &e) < 0) exit(1);
  load l = {.set = help_good_set(declared)};
  help_write(s, ensure, &l);
  int64_t fresh = timed(s, put_all, &l), rolled = timed(s, refresh, &l), best = INT64_MAX,
          again = INT64_MAX;
  for (int i = 0; i < ROUNDS; i++) {
    l.stars += 7;
    int64_t ms = timed(s, put_all, &l), after = timed(s, refresh, &l);
    best = ms < best ? ms : best, again = after < again ? after : again;
  }
  int64_t same = timed(s, put_all, &l);
  printf("%-22s inserted %4lld ms, rolled up %4lld ms; changed %4lld ms, rolled up %4lld ms; "
         "unchanged %4lld ms\n",
         what, (long long)fresh, (long long)rolled, (long long)best, (long long)again,
         (long long)same);
  store_close(s);
  registry_release((registry *)(uintptr_t)l.set);
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  if (system(command) != 0) exit(1);
}

int main(void) {
  printf("%d rows, one transaction each\n", REPOS * DAYS);
  measure("no roll-up", "[" TABLE "]");
  measure("by week", "[" TABLE ROLLUP("a", "\"week\"") "]");
  measure("by week and month", "[" TABLE ROLLUP("a", "\"week\",\"month\"") "]");
  measure("two roll-ups", "[" TABLE ROLLUP("a", "\"week\",\"month\"") ROLLUP("b", "\"year\"") "]");
  return 0;
}
