/* cache.h -- replies kept in memory: 64 MB, the least recently used leave first.
 *
 * One idea: an entry names the versions of the tables that its rows came from, read before the rows
 * were, so that a body is never kept under a newer version than its own; it is good while all of
 * them still stand and its time, if it has one, is not over. Any thread.
 *
 * Ownership: what goes in is copied; what comes out is copied into the caller's buffer and arena.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_CACHE_H
#define DTS_SERVE_CACHE_H

#include "base/buffer.h"
#include "store/store.h"

typedef struct cache cache;

typedef struct cache_entry {
  int status;
  const char *type, *headers; /* headers: JSON of a handler's own, or NULL */
  int64_t until;              /* ms UTC; 0: for ever */
  const value *tables;        /* list of names */
  const uint64_t *versions;   /* beside them */
} cache_entry;

cache *cache_open(size_t limit);
void cache_close(cache *c);
/* True: `body` and *entry (type, headers, tables in the arena) are filled in. */
bool cache_get(cache *c, const char *key, store *s, int64_t now, arena *a, cache_entry *entry,
               buffer *body);
void cache_put(cache *c, const char *key, const cache_entry *entry, const char *body, size_t size);

uint64_t *cache_versions(store *s, const value *tables, arena *a);
size_t cache_size(cache *c, uint64_t *hits, uint64_t *misses); /* bytes held */

#endif
