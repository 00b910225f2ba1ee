/* api_settings.c -- where the data is, how much of it there is, and which scripts are in force.
 *
 * SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "serve/call.h"

enum { DEPTH = 4 };

static int64_t size_of(const char *path, int depth) {
  struct stat st;
  if (lstat(path, &st) < 0) return 0;
  if (!S_ISDIR(st.st_mode)) return st.st_size;
  int64_t total = 0;
  DIR *d = depth ? opendir(path) : NULL;
  char below[1024];
  for (struct dirent *entry; d && (entry = readdir(d));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    int n = snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
    if (n > 0 && (size_t)n < sizeof below) total += size_of(below, depth - 1);
  }
  if (d) closedir(d);
  return total;
}

static void add_size(api_call *c, value *list, const char *name, const char *path) {
  value v = value_map();
  const char *full = arena_format(c->memory, "%s/var/%s", kernel_root(c->kernel), path);
  value_set(c->memory, &v, "name", value_text(name));
  value_set(c->memory, &v, "bytes", value_integer(size_of(full, DEPTH)));
  value_add(c->memory, list, v);
}

/* The versions that runs have used, newest first: what was deployed, and when it first ran. */
static int add_deploys(api_call *c, value *out, dts_error *e) {
  gathered g = {.memory = c->memory};
  if (result_gather(
          c->store, &g,
          "select version, min(started) as at, pipeline from dts_run where version is not null "
          "group by version, pipeline order by at desc limit 50",
          NULL, 0, e) < 0)
    return -1;
  *out = value_list();
  for (size_t i = 0; i < g.rows.list.count; i++) {
    value v = value_map(), files = value_list();
    const value *row = &g.rows.list.items[i];
    const pipeline *p = registry_pipeline(c->set, value_get_text(row, "pipeline", ""));
    if (p) value_add(c->memory, &files, value_text(p->file));
    value_set(c->memory, &v, "at", call_stamp_or_null(c, value_get(row, "at")));
    value_set(c->memory, &v, "version", *value_get(row, "version"));
    value_set(c->memory, &v, "files", files);
    value_add(c->memory, out, v);
  }
  return 0;
}

/* A server's address may hold a password: all before its '@' is hidden. */
static const char *store_shown(api_call *c) {
  const char *url = value_get_text(kernel_config(c->kernel), "store", "sqlite:var/dts.db");
  const char *at = strrchr(url, '@'), *slashes = strstr(url, "://");
  if (!at || !slashes) return url;
  return arena_format(c->memory, "%.*s://...%s", (int)(slashes - url), url, at);
}

static int settings(api_call *c, dts_error *e) {
  value v = value_map(), sizes = value_list(), deploys;
  if (add_deploys(c, &deploys, e) < 0) return -1;
  add_size(c, &sizes, "store", "dts.db");
  add_size(c, &sizes, "write-ahead log", "dts.db-wal");
  add_size(c, &sizes, "objects", "objects");
  value_set(c->memory, &v, "store", value_text(store_shown(c)));
  value_set(c->memory, &v, "sizes", sizes);
  value_set(c->memory, &v, "deploys", deploys);
  http_reply_json(c->rp, &v);
  return 0;
}

const api_route api_settings[] = {{"GET", "/api/v1/settings", KEY_READ, settings}, {0}};
