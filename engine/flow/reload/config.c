/* config.c -- see config.h. load.c runs the file; lua/dts/config.lua checks its fields.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "core/permit.h"
#include "flow/kernel/parts.h"
#include "flow/reload/files_read.h"
#include "format/zone.h"

static const char *const AT_START[] = {"store", "objects", "listen", "workers", "trust", NULL};

const char *config_text(kernel *k, arena *a) {
  const char *text;
  return files_read(kernel_root(k), "dts.lua", a, &text, NULL) == 0 ? text : "";
}

/* ---- loading ---- */

typedef struct loading {
  kernel *kernel;
  arena memory;
  load_config_then *then;
  void *arg;
} loading;

static void lay(loading *l, value *config, const value *over) {
  for (size_t i = 0; over && over->kind == VALUE_MAP && i < over->map.count; i++)
    value_set(&l->memory, config, over->map.pairs[i].key.text.bytes, over->map.pairs[i].item);
}

static int lay_over(loading *l, value *config, dts_error *e) {
  const kernel_options *o = kernel_opened_with(l->kernel);
  lay(l, config, o->laid_over ? value_get(o->laid_over, "config") : NULL);
  if (!o->environment) return 0;
  const value *over = value_get(value_get(config, "env"), o->environment);
  if (over) return lay(l, config, over), 0;
  error_fail(e, "ENV", "dts.lua has no environment '%s'", o->environment);
  return error_hint(e, "add env = { %s = { ... } } to dts.lua", o->environment);
}

static int check_zone(const value *config, dts_error *e) {
  const char *name = value_get_text(config, "timezone", NULL);
  zone *z = name ? zone_open(name, e) : NULL;
  if (name && !z) return snprintf(e->where, sizeof e->where, "dts.lua"), -1;
  zone_close(z);
  return 0;
}

static int check_hosts(const value *config, dts_error *e) {
  if (permit_patterns_check(value_get(value_get(config, "allow"), "hosts"), e) == 0) return 0;
  return snprintf(e->where, sizeof e->where, "dts.lua"), -1;
}

static bool is_well(loading *l, value *config, dts_error *e) {
  return lay_over(l, config, e) == 0 && check_zone(config, e) == 0 && check_hosts(config, e) == 0;
}

static void loaded(void *arg, const value *config, const dts_error *e) {
  loading *l = arg;
  dts_error own;
  value whole = config ? value_copy(&l->memory, config) : value_map();
  if (!e && !is_well(l, &whole, &own)) e = &own;
  l->then(l->arg, e ? NULL : &whole, e);
  arena_free(&l->memory);
  free(l);
}

void config_load(kernel *k, load_config_then *then, void *arg) {
  arena a = {0};
  bool there = file_exists(arena_format(&a, "%s/dts.lua", kernel_root(k)));
  arena_free(&a);
  loading *l = memory_alloc(sizeof *l);
  *l = (loading){.kernel = k, .then = then, .arg = arg};
  if (there)
    load_config(k, "dts.lua", loaded, l);
  else
    loaded(l, NULL, NULL);
}

/* ---- an edit ---- */

static bool differs(const value *old, const value *now, const char *name) {
  const value *a = value_get(old, name), *b = value_get(now, name);
  return a && b ? !value_equal(a, b) : a || b;
}

bool config_apply(kernel *k, const value *config) {
  arena a = {0};
  const value *old = kernel_config(k);
  value now = value_copy(&a, config);
  for (size_t i = 0; AT_START[i]; i++) {
    const value *kept = value_get(old, AT_START[i]);
    if (!differs(old, config, AT_START[i])) continue;
    log_warn("dts.lua: `%s` was changed, and is used from the next start on", AT_START[i]);
    value_set(&a, &now, AT_START[i], kept ? *kept : value_null());
  }
  bool changed = !value_equal(old, &now);
  bool names = differs(old, &now, "name") || differs(old, &now, "timezone");
  if (changed) {
    kernel_set_config(k, &now);
    log_info("dts.lua: the edit is in force");
  }
  arena_free(&a);
  return changed && names;
}
