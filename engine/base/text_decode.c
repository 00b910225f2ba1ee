/* text_decode.c -- Latin-1, Windows-1252 and UTF-16 into UTF-8, whole or in pieces.
 *
 * Latin-1 is the first 256 codes of Unicode; Windows-1252 differs from it in 80..9F (WHATWG
 * Encoding Standard, whose five holes keep their C1 codes). A piece that ends inside a character
 * leaves that beginning in the decoder, at most three bytes.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"

static const uint16_t windows1252[32] = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

static const struct {
  const char *name;
  text_encoding encoding;
} names[] = {
    {"utf-8", TEXT_UTF8},
    {"utf8", TEXT_UTF8},
    {"ascii", TEXT_UTF8},
    {"us-ascii", TEXT_UTF8},
    {"latin1", TEXT_LATIN1},
    {"latin-1", TEXT_LATIN1},
    {"iso-8859-1", TEXT_LATIN1},
    {"iso8859-1", TEXT_LATIN1},
    {"windows-1252", TEXT_WINDOWS1252},
    {"windows1252", TEXT_WINDOWS1252},
    {"cp1252", TEXT_WINDOWS1252},
    {"utf-16le", TEXT_UTF16LE},
    {"utf16le", TEXT_UTF16LE},
    {"utf-16be", TEXT_UTF16BE},
    {"utf16be", TEXT_UTF16BE},
};

int text_encoding_read(const char *name, text_encoding *out, dts_error *e) {
  char shown[TEXT_SHORT];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (text_equal_fold(name, names[i].name)) return *out = names[i].encoding, 0;
  error_fail(e, "ENCODING", "unknown encoding %s", text_shorten(shown, name, strlen(name)));
  return error_hint(e, "use utf-8, latin1, windows-1252, utf-16le or utf-16be");
}

static const char *name_of(text_encoding encoding) {
  static const char *const known[] = {"utf-8", "latin1", "windows-1252", "utf-16le", "utf-16be"};
  return known[encoding];
}

static bool starts_with(const char *bytes, size_t size, const char *mark, size_t mark_size) {
  return size >= mark_size && memcmp(bytes, mark, mark_size) == 0;
}

size_t text_bom(const char *bytes, size_t size, text_encoding *found) {
  if (starts_with(bytes, size, "\xEF\xBB\xBF", 3)) return *found = TEXT_UTF8, 3;
  if (starts_with(bytes, size, "\xFF\xFE", 2)) return *found = TEXT_UTF16LE, 2;
  if (starts_with(bytes, size, "\xFE\xFF", 2)) return *found = TEXT_UTF16BE, 2;
  return 0;
}

static void put(buffer *out, uint32_t code) {
  char bytes[4];
  buffer_add(out, bytes, text_utf8_put(code, bytes));
}

static void from_single(buffer *out, const char *bytes, size_t size, const uint16_t *upper) {
  size_t from = 0;
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if (c < 0x80) continue;
    buffer_add(out, bytes + from, i - from);
    put(out, upper && c < 0xA0 ? upper[c - 0x80] : c);
    from = i + 1;
  }
  if (size > from) buffer_add(out, bytes + from, size - from);
}

static uint32_t unit(const char *bytes, bool big_endian) {
  unsigned char a = (unsigned char)bytes[0], b = (unsigned char)bytes[1];
  return big_endian ? (uint32_t)(a << 8 | b) : (uint32_t)(b << 8 | a);
}

/* One character of UTF-16: bytes taken, 0 if broken or cut off. */
static size_t take_utf16(const char *bytes, size_t size, bool big_endian, uint32_t *code,
                         bool *cut) {
  *cut = size < 2;
  if (*cut) return 0;
  *code = unit(bytes, big_endian);
  if (*code < 0xD800 || *code > 0xDFFF) return 2;
  if (*code > 0xDBFF) return 0;
  *cut = size < 4;
  if (*cut) return 0;
  uint32_t low = unit(bytes + 2, big_endian);
  if (low < 0xDC00 || low > 0xDFFF) return 0;
  *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
  return 4;
}

int text_from_utf16(buffer *out, const char *bytes, size_t size, bool big_endian) {
  text_decoder d;
  text_decoder_open(&d, big_endian ? TEXT_UTF16BE : TEXT_UTF16LE);
  return text_decode(&d, bytes, size, true, out, NULL);
}

void text_decoder_open(text_decoder *d, text_encoding encoding) {
  *d = (text_decoder){.encoding = encoding};
}

/* Decodes one character of an encoding of several bytes; 0 if broken or cut off. */
static size_t decode_one(text_decoder *d, const char *bytes, size_t size, buffer *out, bool *cut) {
  uint32_t code = 0;
  size_t taken;
  if (d->encoding == TEXT_UTF8) {
    taken = text_utf8_take(bytes, size, cut);
    bool mark = d->offset == 0 && taken == 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0;
    if (taken && !mark) buffer_add(out, bytes, taken);
  } else {
    taken = take_utf16(bytes, size, d->encoding == TEXT_UTF16BE, &code, cut);
    if (taken && !(d->offset == 0 && code == 0xFEFF)) put(out, code);
  }
  d->offset += taken;
  return taken;
}

static int fail(const text_decoder *d, const char *bytes, bool cut, dts_error *e) {
  static const char *const hints[] = {
      "is the file in latin1 or windows-1252? name its encoding",
      "is the file in another encoding? name it",
  };
  const char *name = name_of(d->encoding);
  if (cut)
    error_fail(e, "ENCODING", "the text ends inside a %s character (offset %llu)", name,
               (unsigned long long)d->offset);
  else
    error_fail(e, "ENCODING", "byte 0x%02X at offset %llu is not %s", (unsigned char)bytes[0],
               (unsigned long long)d->offset, name);
  return error_hint(e, "%s", hints[d->encoding != TEXT_UTF8]);
}

/* Runs of good UTF-8 are copied whole. */
static size_t decode_run(text_decoder *d, const char *bytes, size_t size, buffer *out) {
  size_t good = size;
  if (d->encoding != TEXT_UTF8 || d->offset == 0) return 0;
  if (!text_is_utf8(bytes, size, &good) && !good) return 0;
  buffer_add(out, bytes, good);
  d->offset += good;
  return good;
}

/* The held beginning is completed with one byte after the other. 0, or -1 when it is broken. */
static int decode_held(text_decoder *d, const char **bytes, size_t *size, buffer *out) {
  bool cut = true;
  while (d->held_size && *size && cut) {
    d->held[d->held_size++] = *(*bytes)++;
    (*size)--;
    if (decode_one(d, d->held, d->held_size, out, &cut)) d->held_size = 0;
    if (d->held_size && !cut) return -1;
  }
  return 0;
}

static int decode_piece(text_decoder *d, const char *bytes, size_t size, bool last, buffer *out,
                        dts_error *e) {
  bool cut = false;
  if (decode_held(d, &bytes, &size, out) < 0) return fail(d, d->held, false, e);
  while (size) {
    size_t taken = decode_run(d, bytes, size, out);
    if (!taken) taken = decode_one(d, bytes, size, out, &cut);
    if (!taken) break;
    bytes += taken;
    size -= taken;
  }
  if (size && !cut) return fail(d, bytes, false, e);
  if (size) memcpy(d->held + d->held_size, bytes, size);
  d->held_size += size;
  if (last && d->held_size) return fail(d, d->held, true, e);
  return 0;
}

int text_decode(text_decoder *d, const char *bytes, size_t size, bool last, buffer *out,
                dts_error *e) {
  int status = 0;
  if (d->encoding == TEXT_LATIN1 || d->encoding == TEXT_WINDOWS1252) {
    from_single(out, bytes, size, d->encoding == TEXT_LATIN1 ? NULL : windows1252);
    d->offset += size;
  } else {
    status = decode_piece(d, bytes, size, last, out, e);
  }
  if (status == 0 && out->failed)
    return error_fail(e, "LIMIT_SIZE", "the decoded text is larger than %zu bytes", out->limit);
  return status;
}
