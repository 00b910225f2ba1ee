/* body_packed.c -- a gzip or zstd body, read as what is in it.
 *
 * Its size is known before anything is read: the body is unpacked once to count its bytes, so that
 * one that is damaged or cut short is refused before its first row. Reading goes forward; a reader
 * that goes back begins anew. What was packed is never held as a whole.
 *
 * SPDX-License-Identifier: MIT */
#include "script/body_packed.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "pack/decode.h"
#include "pack/pack.h"
#include "script/fault.h"

/* A piece is small, since what it unpacks to is held: a gzip byte makes 1,032 at most, zstd's more. */
enum { PIECE = 512 };
static const size_t MOST = (size_t)1 << 40, HELD = (size_t)64 << 20;

struct packed {
  body *from; /* kept alive by the uservalue of the body that this belongs to */
  const char *coding;
  decode *decoder;
  size_t taken; /* of `from` */
  buffer ready; /* unpacked, from `start` on */
  size_t start;
};

static int keep(void *arg, const void *bytes, size_t size) {
  buffer *b = arg;
  buffer_add(b, bytes, size);
  return b->failed ? -1 : 0;
}

static void begin(lua_State *L, packed *p) {
  dts_error e;
  decode_free(p->decoder);
  p->taken = p->start = 0;
  buffer_clear(&p->ready);
  p->decoder = decode_open(p->coding, MOST, keep, &p->ready, &e);
  if (!p->decoder) fault_raise(L, &e);
}

static size_t take_piece(lua_State *L, packed *p, char piece[PIECE]) {
  size_t before = p->from->at;
  p->from->at = p->taken;
  size_t got = body_read(L, p->from, piece, PIECE);
  p->from->at = before;
  p->taken += got;
  return got;
}

/* The next bytes in `ready`, in place of those before; false at the end. */
static bool advance(lua_State *L, packed *p) {
  char piece[PIECE];
  dts_error e;
  p->start += p->ready.size;
  buffer_clear(&p->ready);
  while (!p->ready.size) {
    size_t got = take_piece(L, p, piece);
    if (!got && decode_end(p->decoder, &e) < 0) fault_raise(L, &e);
    if (!got) return false;
    if (decode_feed(p->decoder, piece, got, &e) < 0) fault_raise(L, &e);
  }
  return true;
}

size_t packed_read(lua_State *L, body *b, void *out, size_t size) {
  packed *p = b->packed;
  size_t made = 0;
  if (b->at < p->start) begin(L, p);
  while (made < size) {
    size_t place = b->at - p->start;
    if (place >= p->ready.size) {
      if (!advance(L, p)) break;
      continue;
    }
    size_t here = p->ready.size - place < size - made ? p->ready.size - place : size - made;
    memcpy((char *)out + made, p->ready.data + place, here);
    made += here;
    b->at += here;
  }
  return made;
}

void packed_close(packed *p) {
  if (!p) return;
  decode_free(p->decoder);
  buffer_free(&p->ready);
  free(p);
}

static const char *coding_of(lua_State *L, body *b) {
  char start[4];
  size_t before = b->at;
  b->at = 0;
  size_t got = body_read(L, b, start, sizeof start);
  b->at = before;
  pack_kind kind = pack_guess(start, got);
  return kind == PACK_GZIP ? "gzip" : kind == PACK_ZSTD ? "zstd" : NULL;
}

int body_unpacked(lua_State *L) {
  body *from = body_check(L, 1);
  lua_settop(L, 1);
  const char *coding = from->packed ? NULL : coding_of(L, from);
  if (!coding) return 1;
  lua_pushliteral(L, "");
  body *b = body_push_text(L, 2);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  packed *p = b->packed = calloc(1, sizeof *p);
  if (!p) return fault_fail(L, "LIMIT_MEMORY", "no memory to unpack %s", coding);
  *p = (packed){.from = from, .coding = coding};
  b->bytes = NULL;
  buffer_init(&p->ready, HELD);
  begin(L, p);
  while (advance(L, p)) b->size = p->start + p->ready.size;
  return 1;
}
