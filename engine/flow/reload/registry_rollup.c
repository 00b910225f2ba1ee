/* registry_rollup.c -- reads the roll-ups of a set: each period's table is one of the set's tables.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/registry_parts.h"
#include "flow/rollups/rollup_sql.h"
#include "format/zone.h"

static const table *find_table(void *arg, const char *name) { return registry_table(arg, name); }

static int check_zone(const value *declared, dts_error *e) {
  const char *name = value_get_text(declared, "timezone", NULL);
  zone *z = name ? zone_open(name, e) : NULL;
  zone_close(z);
  return name && !z ? -1 : 0;
}

static int read_one(building *b, const value *declared, const value *all, dts_error *e) {
  if (check_zone(declared, e) < 0) return registry_fail(e, declared);
  const rollup *r = rollup_read(b->memory, declared, all, b->set->timezone, find_table, b->set, e);
  if (!r) return registry_fail(e, declared);
  for (size_t i = 0; i < r->period_count; i++) {
    value t = rollup_table(r, r->periods[i], b->memory);
    if (registry_add_table(b, &t, declared, e) < 0) return -1;
  }
  return 0;
}

int registry_read_rollups(building *b, dts_error *e) {
  const value *all = &b->nouns[3];
  const value **ordered = arena_alloc(b->memory, (all->list.count + 1) * sizeof *ordered);
  if (rollup_order(all, b->memory, ordered, e) < 0) return -1;
  for (size_t i = 0; i < all->list.count; i++)
    if (read_one(b, ordered[i], all, e) < 0) return -1;
  return 0;
}
