/* screen.c -- see screen.h. Widths follow Unicode's East Asian Width (wide and fullwidth: two
 * columns); combining marks take none.
 *
 * SPDX-License-Identifier: MIT */
#include "command/screen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"
#include "format/date.h"

typedef struct range {
  uint32_t first, last;
} range;

static const range none_wide[] = {
    {0x300, 0x36F},   {0x483, 0x489},   {0x591, 0x5BD},   {0x610, 0x61A},   {0x64B, 0x65F},
    {0x93C, 0x93C},   {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x202A, 0x202E},
    {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}};
static const range twice_wide[] = {
    {0x1100, 0x115F}, {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},  {0x4E00, 0x9FFF},
    {0xA000, 0xA4CF}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},  {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};

static bool within(uint32_t code, const range *ranges, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (code >= ranges[i].first && code <= ranges[i].last) return true;
  return false;
}

static size_t columns_of(uint32_t code) {
  if (within(code, none_wide, sizeof none_wide / sizeof *none_wide)) return 0;
  return within(code, twice_wide, sizeof twice_wide / sizeof *twice_wide) ? 2 : 1;
}

/* The character at `text`: its bytes (1 for a broken one) and columns. */
static size_t next_character(const char *text, size_t size, size_t *columns) {
  bool cut;
  size_t bytes = text_utf8_take(text, size, &cut);
  unsigned char c = (unsigned char)text[0];
  *columns = 1;
  if (bytes < 2) return 1;
  uint32_t code = c & (0xFFu >> (bytes + 1));
  for (size_t i = 1; i < bytes; i++) code = code << 6 | ((unsigned char)text[i] & 0x3F);
  *columns = columns_of(code);
  return bytes;
}

size_t screen_width(const char *text, size_t size) {
  size_t width = 0, columns;
  for (size_t i = 0; i < size; width += columns) i += next_character(text + i, size - i, &columns);
  return width;
}

void screen_fit(buffer *b, const char *text, size_t size, size_t width, bool pad) {
  bool cut = screen_width(text, size) > width;
  size_t room = cut && width ? width - 1 : width, used = 0, columns;
  for (size_t i = 0, bytes; i < size; i += bytes) {
    bytes = next_character(text + i, size - i, &columns);
    if (used + columns > room) break;
    bool control = bytes == 1 && ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] >= 0x7F);
    if (control)
      buffer_add_char(b, ' ');
    else
      buffer_add(b, text + i, bytes);
    used += columns;
  }
  if (cut && width) buffer_add_text(b, "…"), used++;
  for (; pad && used < width; used++) buffer_add_char(b, ' ');
}

screen screen_of(FILE *out) {
  struct winsize size;
  screen s = {.out = out};
  const char *plain = getenv("NO_COLOR"), *term = getenv("TERM");
  if (!isatty(fileno(out))) return s;
  s.width = ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
  s.colour = !(plain && *plain) && !(term && strcmp(term, "dumb") == 0);
  return s;
}

void screen_time(int64_t ms, const zone *z, char out[32]) {
  char text[25];
  timestamp_write(z ? zone_local(z, ms) : ms, text);
  snprintf(out, 32, "%.10s %.8s", text, text + 11);
}

void screen_count(buffer *b, int64_t count, const char *noun) {
  char digits[32];
  int size = snprintf(digits, sizeof digits, "%lld", (long long)count);
  for (int i = 0; i < size; i++) {
    if (i > 0 && (size - i) % 3 == 0 && digits[i - 1] != '-') buffer_add_char(b, ',');
    buffer_add_char(b, digits[i]);
  }
  buffer_add_format(b, " %s%s", noun, count == 1 ? "" : "s");
}
