/* keys.h -- API keys: who may ask the engine for what.
 *
 * One idea: a key is 32 random bytes written as `dts_` and base64url, shown once; the store keeps
 * its SHA-256 alone, so whoever reads the store can use no key. Each function is work for
 * store_read or store_write, its argument the struct beside it; texts handed out live in the arena
 * given.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_KEYS_H
#define DTS_FLOW_KEYS_H

#include "store/store.h"

enum { KEY_READ = 1, KEY_WRITE = 2, KEY_ADMIN = 4, KEY_ALL = 7 };
enum { KEY_TEXT = 48, KEY_NAME = 64, KEY_HASH = 65 }; /* sizes with the NUL */

void key_make(char text[KEY_TEXT]);                   /* a fresh random key */
void key_hash(const char *text, char hash[KEY_HASH]); /* what the store keeps of it */
int key_scopes_read(const value *words, unsigned *scopes, dts_error *e); /* list, or "read,write" */
value key_scopes_list(unsigned scopes, arena *a);                        /* ["read", ..] */

typedef struct key_added { /* in: name, scopes, now; out: text */
  const char *name;
  unsigned scopes;
  int64_t now;
  char text[KEY_TEXT];
} key_added;
int keys_add(store_conn *c, void *key_added, dts_error *e); /* KEY_NAME, CONFLICT */

typedef struct key_listed { /* out: [{name, scopes [..], created, used or null}] */
  arena *memory;
  value keys;
} key_listed;
int keys_list(store_conn *c, void *key_listed, dts_error *e);

typedef struct key_revoked {
  const char *name;
} key_revoked;
int keys_revoke(store_conn *c, void *key_revoked, dts_error *e); /* KEY when there is none */

typedef struct key_found { /* in: hash; out: the rest */
  char hash[KEY_HASH], name[KEY_NAME];
  unsigned scopes;
  int64_t used; /* 0: never */
  bool found;
} key_found;
int keys_find(store_conn *c, void *key_found, dts_error *e);

enum { KEY_USE_MS = 3600000 }; /* uses nearer to the last one noted are not noted */
typedef struct key_used {
  const char *name;
  int64_t now;
} key_used;
int keys_use(store_conn *c, void *key_used, dts_error *e);

#endif
