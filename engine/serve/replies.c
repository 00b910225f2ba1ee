/* replies.c -- see replies.h.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/replies.h"

#include <string.h>

#include "crypto/crypto.h"
#include "format/json.h"

versions_seen replies_begin(api_call *c) {
  versions_seen s = {.names = value_list()};
  for (size_t i = 0; i < c->set->table_count; i++)
    value_add(c->memory, &s.names, value_text(c->set->tables[i]->name));
  for (size_t i = 0; i < c->set->views.list.count; i++)
    value_add(c->memory, &s.names,
              value_text(value_get_text(&c->set->views.list.items[i], "name", "")));
  s.versions = cache_versions(c->store, &s.names, c->memory);
  return s;
}

void replies_etag(api_call *c) {
  char hex[CRYPTO_SHA256_HEX];
  crypto_sha256_hex(c->rp->body.size ? c->rp->body.data : "", c->rp->body.size, hex);
  hex[32] = 0;
  c->rp->etag = arena_format(c->memory, "W/\"%s\"", hex);
  if (!c->rp->cache) c->rp->cache = "private, no-cache";
}

static void add_headers(api_call *c, const char *json) {
  value headers;
  if (!json || json_read(c->memory, json, strlen(json), &headers, NULL) < 0) return;
  for (size_t i = 0; headers.kind == VALUE_MAP && i < headers.map.count; i++)
    if (headers.map.pairs[i].item.kind == VALUE_TEXT)
      http_set(c->rp, headers.map.pairs[i].key.text.bytes, headers.map.pairs[i].item.text.bytes);
}

bool replies_find(api_call *c, const char *key, value *tables) {
  cache_entry entry;
  if (!cache_get(server_cache(c->server), key, c->store, c->now, c->memory, &entry, &c->rp->body))
    return false;
  c->rp->status = entry.status;
  c->rp->type = entry.type;
  add_headers(c, entry.headers);
  if (tables) *tables = *entry.tables;
  replies_etag(c);
  return true;
}

static const char *headers_json(api_call *c) {
  value headers = value_map();
  buffer b;
  if (!c->rp->header_count) return NULL;
  for (size_t i = 0; i < c->rp->header_count; i++)
    value_set(c->memory, &headers, c->rp->headers[i].name, value_text(c->rp->headers[i].text));
  buffer_init(&b, 65536);
  json_write(&b, &headers);
  const char *text = arena_text(c->memory, buffer_text(&b));
  buffer_free(&b);
  return text;
}

static bool version_of(const versions_seen *seen, const value *name, uint64_t *out) {
  for (size_t i = 0; i < seen->names.list.count; i++)
    if (value_equal(&seen->names.list.items[i], name)) return *out = seen->versions[i], true;
  return false;
}

void replies_keep(api_call *c, const char *key, const versions_seen *seen, const value *tables,
                  int64_t until) {
  size_t count = tables ? tables->list.count : 0;
  uint64_t *versions = arena_alloc(c->memory, (count + 1) * sizeof *versions);
  for (size_t i = 0; i < count; i++)
    if (!version_of(seen, &tables->list.items[i], &versions[i])) return;
  cache_entry entry = {.status = c->rp->status,
                       .type = c->rp->type,
                       .headers = headers_json(c),
                       .until = until,
                       .tables = tables,
                       .versions = versions};
  if (c->rp->status == 200 && !c->rp->body.failed)
    cache_put(server_cache(c->server), key, &entry, c->rp->body.data, c->rp->body.size);
}
