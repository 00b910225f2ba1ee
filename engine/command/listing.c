/* listing.c -- see listing.h.
 *
 * SPDX-License-Identifier: MIT */
#include "command/listing.h"

#include <stdio.h>

#include "command/screen.h"

int listing_print(engine *n, const given *g, const char *sql, const value *params, const char *none,
                  dts_error *e) {
  arena a = {0};
  value result;
  int rc = engine_sql(n, sql, params, 0, &a, &result, e);
  const value *rows = rc == 0 ? value_get(&result, "rows") : NULL;
  if (rows && g->json) {
    screen_objects(stdout, &result);
  } else if (rows && !rows->list.count) {
    printf("%s\n", none);
  } else if (rows) {
    screen s = screen_of(stdout);
    zone *z = zone_open(value_get_text(&result, "timezone", "UTC"), NULL);
    screen_table(&s, &result, z);
    zone_close(z);
  }
  arena_free(&a);
  return rc;
}
