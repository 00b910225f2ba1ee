/* script.c -- a loaded script: its source, its modules and what it declares (registry.h).
 *
 * SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "crypto/crypto.h"
#include "flow/reload/registry.h"

typedef struct held_script { /* what a script pointer really points into */
  script script;             /* first */
  atomic_int refs;
  arena memory;
} held_script;

static void add_text(sha256 *hash, const char *text) { sha256_add(hash, text, strlen(text) + 1); }

/* The version of a script is that of all its text: sources and names, each ended by a NUL. It names
 * content, so base/ computes it: OpenSSL takes a millisecond to wake, which `dts run` need not pay. */
static void make_version(script *s) {
  sha256 hash;
  unsigned char digest[SHA256_SIZE];
  sha256_open(&hash);
  add_text(&hash, s->file);
  add_text(&hash, s->source);
  for (size_t i = 0; i < s->module_count; i++) {
    add_text(&hash, s->modules[i].name);
    add_text(&hash, s->modules[i].source);
  }
  sha256_finish(&hash, digest);
  crypto_hex(digest, 8, s->version);
}

script *script_make(const char *file, const char *text, const value *declarations,
                    const module *modules, size_t module_count) {
  held_script *h = memory_alloc(sizeof *h);
  arena *a = &h->memory;
  atomic_init(&h->refs, 1);
  h->script.file = arena_text(a, file);
  h->script.source = arena_text(a, text);
  h->script.declarations = value_copy(a, declarations);
  module *copies = arena_alloc(a, module_count * sizeof *copies);
  for (size_t i = 0; i < module_count; i++)
    copies[i] = (module){arena_text(a, modules[i].name), arena_text(a, modules[i].file),
                         arena_text(a, modules[i].source), modules[i].shipped};
  h->script.modules = copies;
  h->script.module_count = module_count;
  make_version(&h->script);
  return &h->script;
}

script *script_hold(script *s) {
  atomic_fetch_add(&((held_script *)s)->refs, 1);
  return s;
}

void script_release(script *s) {
  held_script *h = (held_script *)s;
  if (!h || atomic_fetch_sub(&h->refs, 1) > 1) return;
  arena_free(&h->memory);
  free(h);
}
