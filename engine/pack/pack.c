/* pack.c -- see pack.h. Unpacking goes in steps of 64 KB straight into the buffer.
 *
 * SPDX-License-Identifier: MIT */
#include "pack/pack.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { STEP = 64 * 1024, GZIP_WINDOW = 15 + 16 /* zlib: 32 KB window, gzip header */ };

pack_kind pack_guess(const void *bytes, size_t size) {
  if (size >= 2 && memcmp(bytes, "\x1f\x8b", 2) == 0) return PACK_GZIP;
  if (size >= 4 && memcmp(bytes, "\x28\xb5\x2f\xfd", 4) == 0) return PACK_ZSTD;
  return PACK_NONE;
}

/* The buffer as it was, for the way back. */
typedef struct output {
  buffer *out;
  size_t before, limit;
  bool failed;
} output;

static output begin(buffer *out, size_t limit) {
  size_t left = out->limit > out->size ? out->limit - out->size : 0;
  return (output){out, out->size, limit < left ? limit : left, out->failed};
}

static int undo(const output *o) {
  o->out->size = o->before;
  o->out->failed = o->failed;
  return -1;
}

/* Room for the next step; one byte past the limit, so that reaching it and passing it differ. */
static size_t next_room(const output *o, dts_error *e) {
  size_t done = o->out->size - o->before;
  if (done > o->limit) {
    error_fail(e, "LIMIT_SIZE", "the unpacked data is larger than the limit of %zu bytes",
               o->limit);
    error_hint(e, "raise the limit if the source is known to send this much");
    return 0;
  }
  size_t room = o->limit - done < STEP ? o->limit - done + 1 : STEP;
  buffer *out = o->out;
  size_t kept = out->limit;
  out->limit = SIZE_MAX; /* ours stops at most one byte past the buffer's own, and is undone */
  int status = buffer_reserve(out, room);
  out->limit = kept;
  if (status == 0) return room;
  error_fail(e, "PACK", "no memory for %zu unpacked bytes", done + room);
  return 0;
}

int pack_zstd(buffer *out, const void *bytes, size_t size, int level, dts_error *e) {
  output o = begin(out, SIZE_MAX);
  size_t room = ZSTD_compressBound(size);
  buffer packed; /* the bound may be past the buffer's limit, what comes out need not be */
  buffer_init(&packed, SIZE_MAX);
  int status = buffer_reserve(&packed, room);
  size_t n = status == 0 ? ZSTD_compress(packed.data, room, bytes, size, level) : 0;
  bool fine = status == 0 && !ZSTD_isError(n) && buffer_add(out, packed.data, n) == 0;
  buffer_free(&packed);
  if (fine) return 0;
  error_fail(e, "PACK", "zstd could not pack %zu bytes: %s", size,
             ZSTD_isError(n) ? ZSTD_getErrorName(n) : "the result is too large");
  return undo(&o);
}

static int unzstd(ZSTD_DStream *stream, output *o, ZSTD_inBuffer *in, dts_error *e) {
  size_t more = 1;
  for (bool full = false; in->pos < in->size || full;) {
    size_t room = next_room(o, e);
    if (!room) return -1;
    ZSTD_outBuffer step = {o->out->data + o->out->size, room, 0};
    more = ZSTD_decompressStream(stream, &step, in);
    if (ZSTD_isError(more))
      return error_fail(e, "PACK", "not zstd, or damaged at byte %zu: %s", in->pos,
                        ZSTD_getErrorName(more));
    o->out->size += step.pos;
    full = step.pos == room && more != 0;
  }
  if (more) return error_fail(e, "PACK", "the zstd data ends too early (%zu bytes)", in->size);
  return o->out->size - o->before > o->limit && !next_room(o, e) ? -1 : 0;
}

int pack_unzstd(buffer *out, const void *bytes, size_t size, size_t limit, dts_error *e) {
  output o = begin(out, limit);
  ZSTD_inBuffer in = {bytes, size, 0};
  ZSTD_DStream *stream = ZSTD_createDStream();
  if (!stream) return error_fail(e, "PACK", "no memory for zstd");
  int status = unzstd(stream, &o, &in, e);
  ZSTD_freeDStream(stream);
  return status < 0 ? undo(&o) : 0;
}

static uInt portion(size_t left) { return left > 1u << 30 ? 1u << 30 : (uInt)left; }

static int deflate_all(z_stream *z, buffer *out, size_t size) {
  int status = Z_OK;
  while (status == Z_OK || status == Z_BUF_ERROR) {
    if (buffer_reserve(out, STEP / 16) < 0) return -1;
    if (!z->avail_in) z->avail_in = portion(size), size -= z->avail_in;
    z->next_out = (Bytef *)out->data + out->size;
    z->avail_out = STEP / 16;
    status = deflate(z, size ? Z_NO_FLUSH : Z_FINISH);
    out->size += STEP / 16 - z->avail_out;
  }
  return status == Z_STREAM_END ? 0 : -1;
}

int pack_gzip(buffer *out, const void *bytes, size_t size, int level, dts_error *e) {
  output o = begin(out, SIZE_MAX);
  z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes};
  buffer packed; /* grows in whole steps; only what came out counts against the buffer's limit */
  buffer_init(&packed, SIZE_MAX);
  if (deflateInit2(&z, level ? level : Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    return error_fail(e, "PACK", "gzip level %d is not 1 to 9, or there is no memory", level);
  bool fine = deflate_all(&z, &packed, size) == 0;
  deflateEnd(&z);
  fine = fine && buffer_add(out, packed.data, packed.size) == 0;
  buffer_free(&packed);
  if (fine) return 0;
  error_fail(e, "PACK", "gzip could not pack %zu bytes: the result is too large", size);
  return undo(&o);
}

static int gunzip_step(z_stream *z, output *o, int *status, dts_error *e) {
  size_t room = next_room(o, e);
  if (!room) return -1;
  z->next_out = (Bytef *)o->out->data + o->out->size;
  z->avail_out = (uInt)room;
  *status = inflate(z, Z_NO_FLUSH);
  o->out->size += room - z->avail_out;
  if (*status == Z_OK || *status == Z_STREAM_END || *status == Z_BUF_ERROR) return 0;
  return error_fail(e, "PACK", "not gzip, or damaged: %s", z->msg ? z->msg : "unreadable");
}

/* A member's end is the end of all, or another member follows. */
static int gunzip(z_stream *z, output *o, size_t size, dts_error *e) {
  int status = Z_OK;
  for (;;) {
    if (!z->avail_in) z->avail_in = portion(size), size -= z->avail_in;
    if (gunzip_step(z, o, &status, e) < 0) return -1;
    bool spent = !z->avail_in && !size;
    if (status == Z_STREAM_END && spent) break;
    if (status == Z_STREAM_END && inflateReset(z) != Z_OK) return -1;
    if (status != Z_STREAM_END && spent && z->avail_out)
      return error_fail(e, "PACK", "the gzip data ends too early");
  }
  return o->out->size - o->before > o->limit && !next_room(o, e) ? -1 : 0;
}

int pack_gunzip(buffer *out, const void *bytes, size_t size, size_t limit, dts_error *e) {
  output o = begin(out, limit);
  z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes};
  if (inflateInit2(&z, GZIP_WINDOW) != Z_OK) return error_fail(e, "PACK", "no memory for gzip");
  int status = gunzip(&z, &o, size, e);
  inflateEnd(&z);
  return status < 0 ? undo(&o) : 0;
}
