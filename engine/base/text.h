/* text.h -- UTF-8 checks, other encodings into UTF-8, and texts for messages.
 *
 * Everything inside the engine is UTF-8; this is the door through which the rest comes in. The
 * tables are our own, because the C library loads its own from disk and a caged worker cannot. A
 * decoder takes a stream in pieces that may cut a character anywhere. Nothing here owns memory:
 * results go into the caller's buffer.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_BASE_TEXT_H
#define DTS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

typedef enum text_encoding {
  TEXT_UTF8,
  TEXT_LATIN1,
  TEXT_WINDOWS1252,
  TEXT_UTF16LE,
  TEXT_UTF16BE
} text_encoding;

/* "utf-8", "latin1", "iso-8859-1", "windows-1252", "utf-16le", "utf-16be" and usual spellings of
 * them, in any case. 0, or -1 with an error that lists the names. */
int text_encoding_read(const char *name, text_encoding *out, dts_error *e);

/* UTF-8 as in RFC 3629: no surrogates, nothing overlong, nothing past U+10FFFF. `fault` (may be
 * NULL) receives the offset of the first byte that does not belong. */
bool text_is_utf8(const char *bytes, size_t size, size_t *fault);
/* Bytes of the whole character at `bytes` (size > 0); 0 when it is broken, or only `cut` off. */
size_t text_utf8_take(const char *bytes, size_t size, bool *cut);
size_t text_utf8_length(const char *bytes, size_t size); /* characters, of valid UTF-8 */
size_t text_utf8_put(uint32_t code, char out[4]);        /* bytes written, 0 if not a character */

/* The byte order mark at the start: its length, 0 when there is none; `found` gets its encoding. */
size_t text_bom(const char *bytes, size_t size, text_encoding *found);

/* A whole text. 0, or -1: a full buffer, or bytes that the encoding does not have. */
int text_from_utf16(buffer *out, const char *bytes, size_t size, bool big_endian);

/* Streams: feed pieces, the last one (perhaps empty) with `last`. A byte order mark of the
 * decoder's own encoding is dropped. An error names the offset in the stream, code ENCODING. */
typedef struct text_decoder {
  text_encoding encoding;
  char held[4]; /* the start of a character that the last piece cut off */
  size_t held_size;
  uint64_t offset; /* of the next byte to decode */
} text_decoder;

void text_decoder_open(text_decoder *d, text_encoding encoding);
int text_decode(text_decoder *d, const char *bytes, size_t size, bool last, buffer *out,
                dts_error *e);

/* ASCII only: A equals a, nothing else is folded. */
bool text_equal_fold(const char *a, const char *b);
bool text_equal_fold_bytes(const char *a, size_t a_size, const char *b, size_t b_size);

/* A text quoted for a message: control characters and broken bytes as \xNN, cut at a character
 * after about 60 bytes: "n/a", "a very long te..." (with the quotes). Gives `out`. */
enum { TEXT_SHORT = 96 };
const char *text_shorten(char out[TEXT_SHORT], const char *bytes, size_t size);

#endif
