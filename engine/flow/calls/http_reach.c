/* http_reach.c -- see http_reach.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/calls/http_reach.h"

#include <string.h>

#include "flow/kernel/parts.h"
#include "net/guard.h"
#include "net/url.h"

typedef struct names {
  arena *memory;
  const char **items;
  size_t count;
} names;

static size_t length(const value *list) {
  if (!list) return 0;
  return list->kind == VALUE_LIST  ? list->list.count
         : list->kind == VALUE_MAP ? list->map.count
                                   : 0;
}

static names names_open(arena *a, size_t most) {
  return (names){a, arena_alloc(a, (most + 1) * sizeof(const char *)), 0};
}

static void add_all(names *n, const value *list) {
  for (size_t i = 0; list && list->kind == VALUE_LIST && i < list->list.count; i++)
    if (list->list.items[i].kind == VALUE_TEXT)
      n->items[n->count++] = list->list.items[i].text.bytes;
}

/* "host:port" of an address, as a pattern: exactly this place. */
static void add_place(names *n, const char *url) {
  url_place p;
  dts_error ignored;
  if (url_place_read(url, &p, &ignored) < 0) return;
  const char *format = strchr(p.host, ':') ? "[%s]:%d" : "%s:%d";
  n->items[n->count++] = arena_format(n->memory, format, p.host, p.port);
}

static const char *const *own_hosts(run *r, arena *a) {
  const value *sources = r->pipeline->sources, *hosts = r->pipeline->hosts;
  names n = names_open(a, length(sources) + length(hosts));
  for (size_t i = 0; i < length(sources); i++) {
    const source *s = registry_source(r->set, sources->list.items[i].text.bytes);
    if (s) add_place(&n, s->url);
  }
  add_all(&n, hosts);
  return n.items;
}

static const char *const *given_hosts(const value *stand_ins, const value *ceiling, arena *a) {
  names n = names_open(a, length(stand_ins) + length(ceiling));
  for (size_t i = 0; i < length(stand_ins); i++)
    if (stand_ins->map.pairs[i].item.kind == VALUE_TEXT)
      add_place(&n, stand_ins->map.pairs[i].item.text.bytes);
  add_all(&n, ceiling);
  return n.items;
}

static const char *const *texts(const value *list, arena *a) {
  names n = names_open(a, length(list));
  add_all(&n, list);
  return n.items;
}

void http_reach_make(run *r, arena *a, http_reach *out) {
  const value *config = kernel_config(r->kernel);
  const value *ceiling = value_get(value_get(config, "allow"), "hosts");
  *out = (http_reach){.given = given_hosts(value_get(config, "sources"), ceiling, a)};
  out->permit = (permit){.who = arena_format(a, "pipeline '%s'", r->pipeline->name),
                         .hosts = own_hosts(r, a),
                         .ceiling = ceiling ? texts(ceiling, a) : NULL};
}

int http_reach_ask(void *arg, const char *host, int port, bool *named, dts_error *e) {
  const http_reach *h = arg;
  const permit given = {.hosts = h->given};
  *named = false;
  if (permit_host(&h->permit, host, port, e) < 0) return -1;
  bool trusted = guard_is_address(host) || guard_is_local_name(host) ||
                 permit_host_is_named(&given, host, port);
  *named = trusted && permit_host_is_named(&h->permit, host, port);
  return 0;
}
