/* rows_feed.c -- see rows_feed.h.
 *
 * SPDX-License-Identifier: MIT */
#include "script/rows_feed.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "script/fault.h"

enum { MOST = 8 };

/* A piece of the body from the feed's own place. */
static size_t read_piece(lua_State *L, feed *f, char *out, size_t size) {
  size_t before = f->body->at;
  f->body->at = f->at < f->body->size ? f->at : f->body->size;
  size_t got = body_read(L, f->body, out, size);
  f->body->at = before;
  f->at += got;
  return got;
}

/* The line in which the byte at an offset of the body stands, or if `nul` the first NUL before it. */
static long long line_at(lua_State *L, feed *f, unsigned long long offset, bool nul) {
  char piece[FEED_CHUNK];
  long long line = 1;
  bool wide = f->decoder.encoding == TEXT_UTF16LE || f->decoder.encoding == TEXT_UTF16BE;
  size_t low = f->decoder.encoding == TEXT_UTF16BE; /* of a unit's two bytes the one that tells */
  f->at = 0;
  for (size_t got; offset && (got = read_piece(L, f, piece, sizeof piece)); offset -= got) {
    if (got > offset) got = (size_t)offset;
    for (size_t i = wide ? low : 0; i < got; i += wide ? 2 : 1) {
      bool whole = !wide || (i ^ 1) >= got || !piece[i ^ 1];
      if (whole && nul && !piece[i]) return line;
      if (whole && piece[i] == '\n') line++;
    }
  }
  return line;
}

/* What no encoding makes a text of, by its first bytes; else what `otherwise` says. */
static int fail_text(lua_State *L, feed *f, dts_error *e, const char *otherwise) {
  char start[4] = "";
  f->at = 0;
  read_piece(L, f, start, sizeof start);
  if (memcmp(start, "PK\3\4", 4) == 0)
    error_hint(e, "it is a ZIP archive or an Excel workbook: unpack it, or save it as CSV");
  else if (memcmp(start, "\xd0\xcf\x11\xe0", 4) == 0)
    error_hint(e, "it is an old Excel workbook: save it as CSV");
  else if (memcmp(start, "%PDF", 4) == 0)
    error_hint(e, "it is a PDF, which holds no rows");
  else
    error_hint(e, "%s", otherwise);
  return fault_raise(L, e);
}

int feed_refuse_nul(lua_State *L, feed *f) {
  dts_error e;
  error_fail(&e, "ENCODING", "a NUL byte, which no text has (line %lld of %s)",
             line_at(L, f, f->at, true), f->origin);
  return fail_text(L, f, &e, "is it UTF-16 without its mark? encoding = \"utf-16\"");
}

static int fail_encoding(lua_State *L, feed *f, dts_error *e) {
  size_t size = strlen(e->message);
  snprintf(e->message + size, sizeof e->message - size, " (line %lld of %s)",
           line_at(L, f, f->decoder.offset, false), f->origin);
  return fail_text(
      L, f, e,
      "say in which encoding it is: encoding = \"latin1\", or a list that is tried in order");
}

bool feed_next(lua_State *L, feed *f) {
  char piece[FEED_CHUNK];
  dts_error e;
  buffer_clear(&f->text);
  if (f->ended) return false;
  size_t got = read_piece(L, f, piece, sizeof piece);
  f->ended = f->at >= f->body->size || got == 0;
  if (text_decode(&f->decoder, piece, got, f->ended, &f->text, &e) < 0) fail_encoding(L, f, &e);
  if (f->text.failed) fault_fail(L, "LIMIT_MEMORY", "no memory to read %s", f->origin);
  return true;
}

/* Whether the whole body can be read so. */
static bool fits(lua_State *L, feed *f, text_encoding encoding) {
  char piece[FEED_CHUNK];
  bool good = true;
  text_decoder_open(&f->decoder, encoding);
  for (f->at = 0, f->ended = false; good && !f->ended;) {
    size_t got = read_piece(L, f, piece, sizeof piece);
    f->ended = f->at >= f->body->size || got == 0;
    buffer_clear(&f->text);
    good = text_decode(&f->decoder, piece, got, f->ended, &f->text, NULL) == 0;
  }
  f->at = 0;
  f->ended = false;
  return good;
}

static text_encoding read_name(lua_State *L, int index) {
  dts_error e;
  text_encoding encoding;
  const char *name = luaL_checkstring(L, index);
  if (text_equal_fold(name, "utf-16") || text_equal_fold(name, "utf16")) return TEXT_UTF16LE;
  if (text_encoding_read(name, &encoding, &e) < 0) fault_raise(L, &e);
  return encoding;
}

static size_t read_names(lua_State *L, int index, text_encoding out[MOST]) {
  size_t count = 0;
  if (lua_isnoneornil(L, index)) return 0;
  if (lua_type(L, index) == LUA_TSTRING) return out[0] = read_name(L, index), 1;
  luaL_checktype(L, index, LUA_TTABLE);
  for (; lua_rawgeti(L, index, (lua_Integer)count + 1) != LUA_TNIL; lua_pop(L, 1)) {
    if (count == MOST) fault_fail(L, "ENCODING", "%d encodings at most can be tried", MOST);
    out[count++] = read_name(L, -1);
  }
  lua_pop(L, 1);
  return count;
}

static text_encoding choose(lua_State *L, feed *f, const text_encoding *names, size_t count) {
  char start[4];
  text_encoding found;
  size_t got = read_piece(L, f, start, sizeof start);
  f->at = 0;
  if (text_bom(start, got, &found)) return found;
  for (size_t i = 0; i + 1 < count; i++)
    if (fits(L, f, names[i])) return names[i];
  return count ? names[count - 1] : TEXT_UTF8;
}

void feed_open(lua_State *L, feed *f, body *b, int encodings, const char *origin) {
  text_encoding names[MOST];
  *f = (feed){.body = b};
  snprintf(f->origin, sizeof f->origin, "%s", origin);
  buffer_init(&f->text, 4 * FEED_CHUNK);
  size_t count = read_names(L, encodings, names);
  text_decoder_open(&f->decoder, choose(L, f, names, count));
}

void feed_close(feed *f) {
  buffer_free(&f->text);
  f->ended = true;
}

void feed_all(lua_State *L, feed *f, buffer *out) {
  while (feed_next(L, f)) buffer_add(out, f->text.data, f->text.size);
  if (out->failed)
    fault_fail(L, "LIMIT_SIZE",
               "%s is too large to be read at once: limits = { memory = … } allows more",
               f->origin);
}
