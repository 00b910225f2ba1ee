/* cache.c -- see cache.h. A hash table of chains, and a list from the newest to the oldest use.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { CHAINS = 4096 };

typedef struct kept kept;
struct kept {
  kept *chain, *newer, *older;
  arena memory; /* everything below but the body */
  const char *key;
  cache_entry entry;
  value tables;
  char *body;
  size_t size, weight;
};

struct cache {
  pthread_mutex_t mutex;
  kept *chains[CHAINS], *newest, *oldest;
  size_t limit, total;
  uint64_t hits, misses;
};

cache *cache_open(size_t limit) {
  cache *c = memory_alloc(sizeof *c);
  *c = (cache){.limit = limit};
  pthread_mutex_init(&c->mutex, NULL);
  return c;
}

static kept **chain_of(cache *c, const char *key) {
  uint32_t h = 2166136261u;
  for (const char *p = key; *p; p++) h = (h ^ (unsigned char)*p) * 16777619u;
  return &c->chains[h % CHAINS];
}

static void unlink_use(cache *c, kept *k) {
  *(k->newer ? &k->newer->older : &c->newest) = k->older;
  *(k->older ? &k->older->newer : &c->oldest) = k->newer;
}

static void link_newest(cache *c, kept *k) {
  k->newer = NULL;
  k->older = c->newest;
  if (c->newest)
    c->newest->newer = k;
  else
    c->oldest = k;
  c->newest = k;
}

static void drop(cache *c, kept *k) {
  kept **at = chain_of(c, k->key);
  while (*at != k) at = &(*at)->chain;
  *at = k->chain;
  unlink_use(c, k);
  c->total -= k->weight;
  arena_free(&k->memory);
  free(k->body);
  free(k);
}

void cache_close(cache *c) {
  if (!c) return;
  while (c->newest) drop(c, c->newest);
  pthread_mutex_destroy(&c->mutex);
  free(c);
}

static kept *find(cache *c, const char *key) {
  kept *k = *chain_of(c, key);
  while (k && strcmp(k->key, key) != 0) k = k->chain;
  return k;
}

static bool is_fresh(const kept *k, store *s, int64_t now) {
  if (k->entry.until && k->entry.until <= now) return false;
  for (size_t i = 0; i < k->tables.list.count; i++)
    if (store_version(s, k->tables.list.items[i].text.bytes) != k->entry.versions[i]) return false;
  return true;
}

bool cache_get(cache *c, const char *key, store *s, int64_t now, arena *a, cache_entry *entry,
               buffer *body) {
  pthread_mutex_lock(&c->mutex);
  kept *k = find(c, key);
  bool fresh = k && is_fresh(k, s, now);
  if (k && !fresh) drop(c, k);
  if (fresh) {
    unlink_use(c, k);
    link_newest(c, k);
    *entry = k->entry;
    entry->type = arena_text(a, k->entry.type);
    entry->headers = arena_text(a, k->entry.headers);
    value *tables = arena_alloc(a, sizeof *tables);
    *tables = value_copy(a, &k->tables);
    entry->tables = tables;
    buffer_add(body, k->body, k->size);
  }
  *(fresh ? &c->hits : &c->misses) += 1;
  pthread_mutex_unlock(&c->mutex);
  return fresh;
}

static kept *make(const char *key, const cache_entry *entry, const char *body, size_t size) {
  kept *k = memory_alloc(sizeof *k);
  size_t count = entry->tables ? entry->tables->list.count : 0;
  *k = (kept){.size = size, .entry = *entry};
  k->key = arena_text(&k->memory, key);
  k->entry.type = arena_text(&k->memory, entry->type);
  k->entry.headers = arena_text(&k->memory, entry->headers);
  k->tables = count ? value_copy(&k->memory, entry->tables) : value_list();
  k->entry.versions = NULL;
  if (count)
    k->entry.versions =
        (uint64_t *)(void *)arena_copy(&k->memory, entry->versions, count * sizeof(uint64_t));
  k->entry.tables = NULL;
  k->body = memory_alloc(size + 1);
  if (size) memcpy(k->body, body, size);
  k->weight = size + sizeof *k + k->memory.total + 256;
  return k;
}

void cache_put(cache *c, const char *key, const cache_entry *entry, const char *body, size_t size) {
  if (size > c->limit / 4) return;
  kept *k = make(key, entry, body, size);
  pthread_mutex_lock(&c->mutex);
  kept *old = find(c, key);
  if (old) drop(c, old);
  kept **chain = chain_of(c, key);
  k->chain = *chain;
  *chain = k;
  link_newest(c, k);
  c->total += k->weight;
  while (c->total > c->limit && c->oldest != k) drop(c, c->oldest);
  pthread_mutex_unlock(&c->mutex);
}

uint64_t *cache_versions(store *s, const value *tables, arena *a) {
  uint64_t *versions = arena_alloc(a, (tables->list.count + 1) * sizeof *versions);
  for (size_t i = 0; i < tables->list.count; i++)
    versions[i] = store_version(s, tables->list.items[i].text.bytes);
  return versions;
}

size_t cache_size(cache *c, uint64_t *hits, uint64_t *misses) {
  pthread_mutex_lock(&c->mutex);
  size_t total = c->total;
  *hits = c->hits;
  *misses = c->misses;
  pthread_mutex_unlock(&c->mutex);
  return total;
}
