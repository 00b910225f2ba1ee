/* listing.c -- see listing.h.
 *
 * SPDX-License-Identifier: MIT */
#include "command/listing.h"

#include <stdio.h>
#include <string.h>

#include "command/screen.h"

int listing_print(engine *n, const given *g, const listing *l, const value *params, dts_error *e) {
  arena a = {0};
  value result;
  int rc = engine_sql(n, l->sql, params, 0, &a, &result, e);
  const value *rows = rc == 0 ? value_get(&result, "rows") : NULL;
  if (rows && g->json) {
    screen_objects(stdout, &result);
  } else if (rows && !rows->list.count) {
    printf("%s\n", l->none);
  } else if (rows) {
    screen s = screen_of(stdout);
    s.spare = l->spare;
    zone *z = zone_open(value_get_text(&result, "timezone", "UTC"), NULL);
    screen_table(&s, &result, z);
    zone_close(z);
  }
  arena_free(&a);
  return rc;
}

int listing_check_pipeline(engine *n, const char *name, dts_error *e) {
  arena a = {0};
  value order, params = value_map(), answer;
  dts_error unknown;
  if (!name) return 0;
  order = engine_command(&a, "next");
  value_set(&a, &order, "pipeline", value_text(name));
  value_set(&a, &order, "count", value_integer(1));
  value_set(&a, &params, "name", value_text(name));
  int rc = engine_ask(n, &order, NULL, NULL, &a, &answer, &unknown);
  if (rc < 0 && strcmp(unknown.code, "PIPELINE") == 0 &&
      engine_sql(n, "select id from dts_jobs where pipeline = :name limit 1", &params, 0, &a,
                 &answer, NULL) == 0 &&
      value_get(&answer, "rows")->list.count)
    rc = 0;
  if (rc < 0 && e) *e = unknown;
  arena_free(&a);
  return rc;
}

int listing_of_pipeline(const given *g, const listing *l, const char *const *states, dts_error *e) {
  arena a = {0};
  int64_t limit;
  const char *name = given_text(g, "pipeline", NULL);
  value params = value_map();
  if (given_integer(g, "limit", 20, &limit, e) < 0 || given_one_of(g, "state", states, e) < 0)
    return -1;
  value_set(&a, &params, "pipeline", value_text(name));
  value_set(&a, &params, "state", value_text(given_text(g, "state", NULL)));
  value_set(&a, &params, "limit", value_integer(limit));
  engine *n = engine_here(&a, e);
  int rc = n ? listing_check_pipeline(n, name, e) : -1;
  if (rc == 0) rc = listing_print(n, g, l, &params, e);
  engine_close(n);
  arena_free(&a);
  return rc;
}
