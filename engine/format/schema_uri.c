/* schema_uri.c -- references resolved against a base (RFC 3986, sections 5.2 and 5.3).
 *
 * Bases without a scheme are resolved in the same way, so that documents may call each other by
 * bare names such as common/user.json.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "format/schema_parts.h"

typedef struct slice {
  const char *at;
  size_t size;
  bool given;
} slice;

typedef struct uri {
  slice scheme, authority, path, query;
} uri;

static slice until(const char **at, const char *stops) {
  slice s = {*at, strcspn(*at, stops), true};
  *at += s.size;
  return s;
}

static uri split(const char *text) {
  uri u = {{0}, {0}, {0}, {0}};
  size_t scheme = strcspn(text, ":/?#");
  if (scheme && text[scheme] == ':') {
    u.scheme = (slice){text, scheme, true};
    text += scheme + 1;
  }
  if (strncmp(text, "//", 2) == 0) {
    text += 2;
    u.authority = until(&text, "/?#");
  }
  u.path = until(&text, "?#");
  if (*text == '?') {
    text++;
    u.query = until(&text, "#");
  }
  return u;
}

/* In place, section 5.2.4; a leading ".." of a path without root is dropped as well. */
static void remove_dots(char *path) {
  char *to = path, *from = path, *root = path + (*path == '/');
  to = from = root;
  while (*from) {
    size_t size = strcspn(from, "/");
    bool slash = from[size] == '/', one = size == 1 && from[0] == '.';
    bool two = size == 2 && from[0] == '.' && from[1] == '.';
    if (two && to > root)
      for (to--; to > root && to[-1] != '/';) to--;
    if (!one && !two) {
      memmove(to, from, size + slash);
      to += size + slash;
    }
    from += size + slash;
  }
  *to = '\0';
}

static char *merge(arena *a, const uri *base, slice path) {
  size_t kept = base->path.size;
  while (kept && base->path.at[kept - 1] != '/') kept--;
  if (base->authority.given && !base->path.size)
    return arena_format(a, "/%.*s", (int)path.size, path.at);
  return arena_format(a, "%.*s%.*s", (int)kept, kept ? base->path.at : "", (int)path.size, path.at);
}

static char *join(arena *a, const uri *u, const char *path, const char *fragment) {
  return arena_format(a, "%.*s%s%s%.*s%s%s%.*s%s", (int)u->scheme.size,
                      u->scheme.size ? u->scheme.at : "", u->scheme.given ? ":" : "",
                      u->authority.given ? "//" : "", (int)u->authority.size,
                      u->authority.size ? u->authority.at : "", path, u->query.given ? "?" : "",
                      (int)u->query.size, u->query.size ? u->query.at : "", fragment);
}

char *schema_uri_resolve(arena *a, const char *base, const char *reference) {
  uri b = split(base), r = split(reference);
  const char *fragment = reference + strcspn(reference, "#");
  char *path = arena_copy(a, r.path.at, r.path.size);
  if (!r.scheme.given) {
    r.scheme = b.scheme;
    bool bare = !r.authority.given && !r.path.size;
    if (bare) path = arena_copy(a, b.path.at, b.path.size);
    if (bare && !r.query.given) r.query = b.query;
    if (!r.authority.given && r.path.size && r.path.at[0] != '/') path = merge(a, &b, r.path);
    if (!r.authority.given) r.authority = b.authority;
    if (bare) return join(a, &r, path, fragment);
  }
  bool opaque = r.scheme.given && !r.authority.given && path[0] != '/'; /* urn:... */
  if (!opaque) remove_dots(path);
  return join(a, &r, path, fragment);
}

static int hex(char c) {
  const char *digits = "0123456789abcdefABCDEF", *found = c ? strchr(digits, c) : NULL;
  int digit = found ? (int)(found - digits) : -1;
  return digit < 16 ? digit : digit - 6;
}

char *schema_uri_cut(arena *a, const char *text, char **fragment) {
  size_t size = strcspn(text, "#");
  *fragment = text[size] ? arena_text(a, text + size + 1) : NULL;
  char *to = *fragment;
  for (const char *from = *fragment; from && *from; from++) {
    int high = *from == '%' ? hex(from[1]) : -1, low = high >= 0 ? hex(from[2]) : -1;
    *to++ = low < 0 ? *from : (char)(high * 16 + low);
    if (low >= 0) from += 2;
  }
  if (to) *to = '\0';
  return arena_copy(a, text, size);
}
