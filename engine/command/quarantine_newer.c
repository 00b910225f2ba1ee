/* quarantine_newer.c -- inputs whose file has come again since, with another content that ran well
 * (quarantine_show.h): a release gives the older content to the script, which is seldom meant.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "command/quarantine_show.h"
#include "format/json.h"

enum { TOLD = 3, IDS_BYTES = 16 << 20 };

static const char newer_sql[] =
    "select id, name, newer from dts_quarantine where newer is not null and (:pipeline is null or "
    "pipeline = :pipeline) and (:ids is null or id in (select value from json_each(:ids))) and "
    "((%s\n)) order by at, length(id), id limit 1000";

static value text_of(const value *ids, arena *a) {
  buffer b;
  if (!ids || !ids->list.count) return value_null();
  buffer_init(&b, IDS_BYTES);
  json_write(&b, ids);
  value text = value_text(arena_text(a, buffer_text(&b)));
  buffer_free(&b);
  return text;
}

/* Faults of --where are left to the release itself. */
const char *quarantine_newer(engine *n, const given *g, const value *ids, arena *a) {
  value params = value_map(), result;
  const char *said = "";
  const char *sql = arena_format(a, newer_sql, given_text(g, "where", "true"));
  value_set(a, &params, "pipeline", value_text(given_text(g, "pipeline", NULL)));
  value_set(a, &params, "ids", text_of(ids, a));
  if (engine_sql(n, sql, &params, 0, a, &result, NULL) < 0) return said;
  const value *rows = value_get(&result, "rows");
  size_t count = rows ? rows->list.count : 0;
  for (size_t i = 0; i < count && i < TOLD; i++) {
    const value *row = rows->list.items[i].list.items;
    const char *id = row[0].text.bytes;
    said =
        arena_format(a,
                     "%s%s holds an older content of %s; a newer one is done (%s). If that settles "
                     "it: dts quarantine drop %s --reason \"mended\"\n",
                     said, id, row[1].text.bytes, row[2].text.bytes, id);
  }
  if (count > TOLD)
    said = arena_format(a, "%s%zu more like that: see `newer`\n", said, count - TOLD);
  return said;
}
