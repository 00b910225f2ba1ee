/* rollups.c -- the loop's side of rollups.h: one write at a time, and one more when commits came
 * meanwhile.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/rollups/rollups.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/kernel/parts.h"

struct rollups {
  kernel *kernel;
  registry *set; /* of the write under way, held; NULL: none */
  bool again;
};

rollups *rollups_open(kernel *k) {
  rollups *r = memory_alloc(sizeof *r);
  r->kernel = k;
  return r;
}

void rollups_close(rollups *r) {
  if (!r) return;
  registry_release(r->set);
  free(r);
}

static int refresh(store_conn *c, void *arg, dts_error *e) {
  const rollups *r = arg;
  return rollups_refresh(c, r->set, NULL, e);
}

static void start(rollups *r);

static void refreshed(void *arg, int result, const dts_error *e) {
  rollups *r = arg;
  bool again = r->again || kernel_current(r->kernel) != r->set; /* a reload came meanwhile */
  if (result < 0) log_warn("roll-ups could not be brought up to date: %s", e->message);
  registry_release(r->set);
  r->set = NULL;
  r->again = false;
  if (again) start(r);
}

static void start(rollups *r) {
  r->set = kernel_registry(r->kernel);
  kernel_write(r->kernel, refresh, refreshed, r);
}

static bool is_source(const registry *set, const char *name) {
  for (size_t i = 0; i < set->rollups.list.count; i++) {
    const char *from = value_get_text(&set->rollups.list.items[i], "from", "");
    size_t size = strlen(from); /* a roll-up's name may stand for its only table */
    if (strncmp(name, from, size) == 0 && (!name[size] || registry_find(&set->rollups, from)))
      return true;
  }
  return false;
}

/* A second-level roll-up's source moves in the very write that recomputes both: nothing is noted
 * then, and the write that this starts finds so at once. */
void rollups_changed(rollups *r, const char *const *tables, size_t count) {
  const registry *set = kernel_current(r->kernel);
  bool concerned = false;
  for (size_t i = 0; set && i < count && !concerned; i++) concerned = is_source(set, tables[i]);
  if (!concerned) return;
  if (r->set)
    r->again = true;
  else
    start(r);
}
