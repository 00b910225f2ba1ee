/* assets.c -- see assets.h. Files with a hash in their name are for ever; index.html is asked for
 * each time, and stands for every address of the application (its places, below).
 *
 * SPDX-License-Identifier: MIT */
#include "serve/assets.h"

#include <string.h>

#include "crypto/crypto.h"
#include "pack/pack.h"

enum { FILE_LIMIT = 16 << 20 };

static const embed_file *find(const embed_file *files, const char *name) {
  for (; files && files->name; files++) {
    size_t size = strlen(name);
    bool same = strncmp(files->name, name, size) == 0;
    if (same && (!files->name[size] || strcmp(files->name + size, ".gz") == 0)) return files;
  }
  return NULL;
}

static const char *type_of(const char *name) {
  static const struct {
    const char *ending, *type;
  } types[] = {{".html", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"},
               {".css", "text/css; charset=utf-8"},   {".svg", "image/svg+xml"},
               {".json", "application/json"},         {".png", "image/png"}};
  const char *dot = strrchr(name, '.');
  for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
    if (strcmp(dot, types[i].ending) == 0) return types[i].type;
  return "application/octet-stream";
}

static bool is_place(const address *at) {
  static const char *const places[] = {"pages",      "overview", "runs",   "gaps",
                                       "quarantine", "files",    "events", "tables",
                                       "sql",        "schedule", "alerts", "settings"};
  if (at->count == 0) return true;
  if (at->count == 1 && strcmp(at->segments[0], "api") == 0) return true; /* below it: routes */
  if (at->count > 2) return false;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (strcmp(at->segments[0], places[i]) == 0) return true;
  return false;
}

static const char *name_of(const api_call *c) {
  const address *at = &c->rq->at;
  if (is_place(at)) return "index.html";
  const char *name = at->segments[0];
  for (size_t i = 1; i < at->count; i++)
    name = arena_format(c->memory, "%s/%s", name, at->segments[i]);
  return name;
}

static int add_body(api_call *c, const embed_file *f, dts_error *e) {
  size_t size = (size_t)(f->end - f->bytes);
  bool packed = pack_guess(f->bytes, size) == PACK_GZIP;
  c->rp->packed = packed && http_accepts(c->rq, "accept-encoding", "gzip");
  if (packed && !c->rp->packed) return pack_gunzip(&c->rp->body, f->bytes, size, FILE_LIMIT, e);
  return buffer_add(&c->rp->body, f->bytes, size);
}

int assets_serve(api_call *c, dts_error *e) {
  char hex[CRYPTO_SHA256_HEX];
  const char *name = name_of(c);
  const embed_file *f = find(server_web(c->server), name);
  if (!f || call_is_mutation(c)) return 1;
  bool hashed = strncmp(name, "assets/", 7) == 0;
  c->rp->status = 200;
  c->rp->type = type_of(name);
  c->rp->cache = hashed ? "public, max-age=31536000, immutable" : "no-cache";
  crypto_sha256_hex(f->bytes, (size_t)(f->end - f->bytes), hex);
  hex[32] = 0;
  c->rp->etag = arena_format(c->memory, "W/\"%s\"", hex);
  return add_body(c, f, e);
}
