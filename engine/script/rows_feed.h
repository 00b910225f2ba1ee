/* rows_feed.h -- a body's bytes as a stream of UTF-8.
 *
 * The encoding is a byte order mark's, or the first of those given under which the whole body can be
 * read (the last one is taken without asking), or UTF-8. Several feeds may read one body: each keeps
 * its own place. A feed is a part of a userdata that keeps the body alive and calls feed_close.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_ROWS_FEED_H
#define DTS_SCRIPT_ROWS_FEED_H

#include <lua.h>

#include "base/buffer.h"
#include "base/text.h"
#include "script/body.h"

enum { FEED_CHUNK = 64 * 1024 };

typedef struct feed {
  body *body;
  size_t at;
  text_decoder decoder;
  buffer text; /* what feed_next gave */
  bool ended;
  char origin[160]; /* for messages: "GET https://..." */
} feed;

/* `encodings`: index of a list of names, of nil, or of one name. Raises ENCODING. */
void feed_open(lua_State *L, feed *f, body *b, int encodings, const char *origin);
void feed_close(feed *f);
/* The next piece, decoded, in f->text, which it clears first; false at the end. Raises ENCODING. */
bool feed_next(lua_State *L, feed *f);
int feed_refuse_nul(lua_State *L, feed *f); /* raises ENCODING with the line of the first NUL */
/* All that is left, appended to out. Raises ENCODING, LIMIT_SIZE. */
void feed_all(lua_State *L, feed *f, buffer *out);

#endif
