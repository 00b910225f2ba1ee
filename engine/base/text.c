/* text.c -- UTF-8: checking, counting, and shortening for messages. The other encodings are in
 * text_decode.c.
 *
 * SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* What the first byte of a character promises: its length, and the range of the second byte, which
 * shuts out overlong forms, surrogates and codes past U+10FFFF (Unicode 15, table 3-7). */
typedef struct lead {
  unsigned char size, least, most;
} lead;

static lead lead_of(unsigned char c) {
  if (c < 0x80) return (lead){1, 0, 0};
  if (c < 0xC2) return (lead){0, 0, 0};
  if (c < 0xE0) return (lead){2, 0x80, 0xBF};
  if (c == 0xE0) return (lead){3, 0xA0, 0xBF};
  if (c == 0xED) return (lead){3, 0x80, 0x9F};
  if (c < 0xF0) return (lead){3, 0x80, 0xBF};
  if (c == 0xF0) return (lead){4, 0x90, 0xBF};
  if (c < 0xF4) return (lead){4, 0x80, 0xBF};
  if (c == 0xF4) return (lead){4, 0x80, 0x8F};
  return (lead){0, 0, 0};
}

size_t text_utf8_take(const char *bytes, size_t size, bool *cut) {
  lead first = lead_of((unsigned char)bytes[0]);
  *cut = false;
  for (size_t i = 1; i < first.size; i++) {
    if (i == size) return *cut = true, 0;
    unsigned char c = (unsigned char)bytes[i];
    if (i == 1 ? c < first.least || c > first.most : (c & 0xC0) != 0x80) return 0;
  }
  return first.size;
}

/* Eight bytes of ASCII at once; most text is that. */
static size_t skip_ascii(const char *bytes, size_t size) {
  size_t at = 0;
  uint64_t word;
  for (; at + sizeof word <= size; at += sizeof word) {
    memcpy(&word, bytes + at, sizeof word);
    if (word & 0x8080808080808080u) break;
  }
  while (at < size && !((unsigned char)bytes[at] & 0x80)) at++;
  return at;
}

bool text_is_utf8(const char *bytes, size_t size, size_t *fault) {
  bool cut;
  for (size_t at = 0;;) {
    at += skip_ascii(bytes + at, size - at);
    if (at == size) return true;
    size_t taken = text_utf8_take(bytes + at, size - at, &cut);
    if (!taken && fault) *fault = at;
    if (!taken) return false;
    at += taken;
  }
}

size_t text_utf8_length(const char *bytes, size_t size) {
  size_t count = 0;
  for (size_t i = 0; i < size; i++) count += ((unsigned char)bytes[i] & 0xC0) != 0x80;
  return count;
}

size_t text_utf8_put(uint32_t code, char out[4]) {
  if (code < 0x80) return out[0] = (char)code, 1;
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return 0;
  size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (size_t i = size - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
  out[0] = (char)(marks[size] | code);
  return size;
}

static char fold(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

bool text_equal_fold_bytes(const char *a, size_t a_size, const char *b, size_t b_size) {
  if (a_size != b_size) return false;
  for (size_t i = 0; i < a_size; i++)
    if (fold(a[i]) != fold(b[i])) return false;
  return true;
}

bool text_equal_fold(const char *a, const char *b) {
  return text_equal_fold_bytes(a, strlen(a), b, strlen(b));
}

/* One character of the input as it is shown: at most 4 bytes. `taken` gets its input bytes. */
static size_t show(char out[5], const char *bytes, size_t size, size_t *taken) {
  bool cut;
  unsigned char c = (unsigned char)bytes[0];
  *taken = text_utf8_take(bytes, size, &cut);
  if (*taken && c >= 0x20 && c != 0x7F) return memcpy(out, bytes, *taken), *taken;
  *taken = 1;
  if (c == '\n' || c == '\t' || c == '\r')
    return (size_t)snprintf(out, 5, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
  return (size_t)snprintf(out, 5, "\\x%02X", (unsigned)c);
}

const char *text_shorten(char out[TEXT_SHORT], const char *bytes, size_t size) {
  size_t used = 0, at = 0, taken;
  out[used++] = '"';
  while (at < size && used < 64) {
    char shown[5];
    size_t n = show(shown, bytes + at, size - at, &taken);
    memcpy(out + used, shown, n);
    used += n;
    at += taken;
  }
  snprintf(out + used, TEXT_SHORT - used, "%s\"", at < size ? "..." : "");
  return out;
}
