/* coding.c -- see coding.h.
 *
 * SPDX-License-Identifier: MIT */
#include "pack/coding.h"

#include <brotli/decode.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>
#include <zstd.h>

/* zlib's windows: 32 KB with a gzip header, with zlib's own, with none. */
enum { WINDOW_GZIP = 15 + 16, WINDOW_ZLIB = 15, WINDOW_RAW = -15 };
enum { ZSTD_WINDOW = 23 }; /* 8 MB, what RFC 9659 allows in Content-Encoding */

typedef enum flate_place {
  FLATE_START, /* deflate: zlib's header or none, the first two bytes tell */
  FLATE_INSIDE,
  FLATE_BEHIND, /* a gzip member ended: the next two bytes tell whether another follows */
  FLATE_OVER,
} flate_place;

typedef struct flate {
  z_stream z;
  flate_place place;
  bool gzip, ready; /* ready: z is to be ended */
  uint8_t seen[2];  /* bytes kept until there are two to tell by */
  unsigned count;
} flate;

static flate *flate_open(bool gzip) {
  flate *f = calloc(1, sizeof *f);
  if (!f) return NULL;
  f->gzip = gzip;
  f->place = gzip ? FLATE_INSIDE : FLATE_START;
  f->ready = gzip && inflateInit2(&f->z, WINDOW_GZIP) == Z_OK;
  if (f->ready == gzip) return f;
  free(f);
  return NULL;
}

static void *gzip_open(void) { return flate_open(true); }
static void *deflate_open(void) { return flate_open(false); }

static void flate_close(void *state) {
  flate *f = state;
  if (f->ready) inflateEnd(&f->z);
  free(f);
}

static bool flate_whole(const void *state) {
  const flate *f = state;
  return f->place == FLATE_OVER || (f->place == FLATE_BEHIND && !f->count);
}

static const char *flate_inside(flate *f, const uint8_t **in, size_t *left, coding_io *io) {
  uInt portion = *left > 1u << 30 ? 1u << 30 : (uInt)*left;
  size_t room = io->room - io->made;
  f->z.next_in = (Bytef *)(uintptr_t)*in;
  f->z.avail_in = portion;
  f->z.next_out = io->out + io->made;
  f->z.avail_out = (uInt)room;
  int status = inflate(&f->z, Z_NO_FLUSH);
  *in += portion - f->z.avail_in;
  *left -= portion - f->z.avail_in;
  io->made += room - f->z.avail_out;
  if (status == Z_STREAM_END) f->place = f->gzip ? FLATE_BEHIND : FLATE_OVER;
  if (status == Z_OK || status == Z_BUF_ERROR || status == Z_STREAM_END) return NULL;
  return f->z.msg ? f->z.msg : "unreadable";
}

/* RFC 1950 section 2.2: method 8, a window of at most 32 KB, a multiple of 31. */
static bool looks_like_zlib(const uint8_t *two) {
  return (two[0] & 15) == 8 && two[0] >> 4 <= 7 && (two[0] * 256 + two[1]) % 31 == 0;
}

/* Two bytes are there: what do they begin? */
static const char *flate_enter(flate *f, coding_io *io) {
  const uint8_t *two = f->seen;
  size_t left = sizeof f->seen;
  f->count = 0;
  bool member = f->place == FLATE_BEHIND;
  if (member && memcmp(two, "\x1f\x8b", 2) != 0) {
    f->place = FLATE_OVER;
    return NULL;
  }
  int window = looks_like_zlib(two) ? WINDOW_ZLIB : WINDOW_RAW;
  int status = member ? inflateReset(&f->z) : inflateInit2(&f->z, window);
  if (status != Z_OK) return "no memory";
  f->ready = true;
  f->place = FLATE_INSIDE;
  return flate_inside(f, &two, &left, io);
}

static const char *flate_step(void *state, coding_io *io) {
  flate *f = state;
  io->made = 0;
  while (io->left && (f->place == FLATE_START || f->place == FLATE_BEHIND)) {
    f->seen[f->count++] = *io->in++;
    io->left--;
    if (f->place == FLATE_BEHIND && f->seen[0] != 0x1f) f->place = FLATE_OVER;
    if (f->count < 2 || f->place == FLATE_OVER) continue;
    const char *fault = flate_enter(f, io);
    if (fault) return fault;
  }
  if (f->place == FLATE_INSIDE) return flate_inside(f, &io->in, &io->left, io);
  if (f->place == FLATE_OVER) io->left = 0;
  return NULL;
}

typedef struct zstd {
  ZSTD_DStream *stream;
  bool whole;
} zstd;

static void zstd_close(void *state) {
  zstd *s = state;
  ZSTD_freeDStream(s->stream);
  free(s);
}

static void *zstd_open(void) {
  zstd *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->stream = ZSTD_createDStream();
  if (s->stream &&
      !ZSTD_isError(ZSTD_DCtx_setParameter(s->stream, ZSTD_d_windowLogMax, ZSTD_WINDOW)))
    return s;
  zstd_close(s);
  return NULL;
}

/* At the end of a frame a step without input would ask for the next one. */
static const char *zstd_step(void *state, coding_io *io) {
  zstd *s = state;
  ZSTD_inBuffer in = {io->in, io->left, 0};
  ZSTD_outBuffer out = {io->out, io->room, 0};
  io->made = 0;
  if (s->whole && !io->left) return NULL;
  size_t more = ZSTD_decompressStream(s->stream, &out, &in);
  if (ZSTD_isError(more)) return ZSTD_getErrorName(more);
  s->whole = more == 0;
  io->in += in.pos;
  io->left -= in.pos;
  io->made = out.pos;
  return NULL;
}

static bool zstd_whole(const void *state) { return ((const zstd *)state)->whole; }

static void *brotli_open(void) { return BrotliDecoderCreateInstance(NULL, NULL, NULL); }
static void brotli_close(void *state) { BrotliDecoderDestroyInstance(state); }
static bool brotli_whole(const void *state) { return BrotliDecoderIsFinished(state); }

static const char *brotli_step(void *state, coding_io *io) {
  size_t room = io->room;
  uint8_t *out = io->out;
  io->made = 0;
  if (brotli_whole(state)) {
    io->left = 0;
    return NULL;
  }
  BrotliDecoderResult result =
      BrotliDecoderDecompressStream(state, &io->left, &io->in, &room, &out, NULL);
  io->made = io->room - room;
  if (result != BROTLI_DECODER_RESULT_ERROR) return NULL;
  return BrotliDecoderErrorString(BrotliDecoderGetErrorCode(state));
}

static const coding codings[] = {
    {{"gzip", "x-gzip"}, gzip_open, flate_step, flate_whole, flate_close},
    {{"deflate"}, deflate_open, flate_step, flate_whole, flate_close},
    {{"br"}, brotli_open, brotli_step, brotli_whole, brotli_close},
    {{"zstd"}, zstd_open, zstd_step, zstd_whole, zstd_close},
};

const coding *coding_find(const char *name, size_t size) {
  for (size_t i = 0; i < sizeof codings / sizeof *codings; i++)
    for (const char *const *known = codings[i].names; *known; known++)
      if (strlen(*known) == size && !strncasecmp(*known, name, size)) return &codings[i];
  return NULL;
}
