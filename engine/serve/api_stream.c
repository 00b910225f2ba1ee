/* api_stream.c -- what changes, as it changes. A visitor without a key hears of tables and reloads
 * as well: names alone, and only if some page is public.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/events.h"

static bool has_public_page(const registry *set) {
  for (size_t i = 0; i < set->dashboards.list.count; i++)
    if (value_get_boolean(&set->dashboards.list.items[i], "public", false)) return true;
  return false;
}

static int stream_all(api_call *c, dts_error *e) {
  if (!has_public_page(c->set) && call_need(c, KEY_READ, e) < 0) return -1;
  stream *s = stream_open(server_hub(c->server), 0, e);
  if (!s) return -1;
  events_pass(c, s);
  stream_close(s);
  return 0;
}

const api_route api_stream[] = {{"GET", "/api/v1/stream", 0, stream_all}, {0}};
