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
    {0x93C, 0x93C},   {0xE31, 0xE31},   {0xE34, 0xE3A},   {0xE47, 0xE4E},   {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x202A, 0x202E}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F},
    {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}};
static const range twice_wide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
    {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F},
    {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD}};

static bool within(uint32_t code, const range *ranges, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (code >= ranges[i].first && code <= ranges[i].last) return true;
  return false;
}

static size_t columns_of(uint32_t code) {
  if (within(code, none_wide, sizeof none_wide / sizeof *none_wide)) return 0;
  return within(code, twice_wide, sizeof twice_wide / sizeof *twice_wide) ? 2 : 1;
}

typedef struct piece { /* one character as the screen shows it */
  size_t bytes, columns, shown_size;
  const char *shown;
  char escape[12];
} piece;

/* What would drive a terminal, or turn the order of what is read: C0, DEL, C1, and Unicode's
 * directional embeddings, overrides and isolates. */
static bool is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

static void show_escape(piece *p, const char *format, uint32_t code) {
  int size = code == '\n'   ? snprintf(p->escape, sizeof p->escape, "\\n")
             : code == '\r' ? snprintf(p->escape, sizeof p->escape, "\\r")
             : code == '\t' ? snprintf(p->escape, sizeof p->escape, "\\t")
                            : snprintf(p->escape, sizeof p->escape, format, (unsigned)code);
  p->shown = p->escape;
  p->shown_size = p->columns = (size_t)size;
}

static void next_piece(const char *text, size_t size, piece *p) {
  bool cut;
  unsigned char c = (unsigned char)text[0];
  p->bytes = text_utf8_take(text, size, &cut);
  p->shown = text;
  p->shown_size = p->bytes;
  if (!p->bytes) {
    p->bytes = 1;
    return show_escape(p, "\\x%02X", c);
  }
  uint32_t code = p->bytes == 1 ? c : c & (0xFFu >> (p->bytes + 1));
  for (size_t i = 1; i < p->bytes; i++) code = code << 6 | ((unsigned char)text[i] & 0x3F);
  p->columns = columns_of(code);
  if (is_control(code)) show_escape(p, code < 0x100 ? "\\x%02X" : "\\u%04X", code);
}

size_t screen_width(const char *text, size_t size) {
  size_t width = 0;
  piece p;
  for (size_t i = 0; i < size; i += p.bytes) {
    next_piece(text + i, size - i, &p);
    width += p.columns;
  }
  return width;
}

void screen_fit(buffer *b, const char *text, size_t size, size_t width, bool pad) {
  bool cut = screen_width(text, size) > width;
  size_t room = cut && width ? width - 1 : width, used = 0;
  piece p;
  for (size_t i = 0; i < size; i += p.bytes) {
    next_piece(text + i, size - i, &p);
    if (used + p.columns > room) break;
    buffer_add(b, p.shown, p.shown_size);
    used += p.columns;
  }
  if (cut && width) buffer_add_text(b, "…"), used++;
  for (; pad && used < width; used++) buffer_add_char(b, ' ');
}

size_t screen_take(const char *text, size_t size, size_t width) {
  size_t used = 0, blank = 0, i = 0;
  piece p;
  for (; i < size; i += p.bytes) {
    next_piece(text + i, size - i, &p);
    if (i && used + p.columns > width) return blank ? blank : i;
    used += p.columns;
    if (text[i] == ' ') blank = i + 1;
  }
  return size;
}

void screen_lines(buffer *b, const char *text, size_t size, size_t indent) {
  const char *end = text + size, *newline;
  for (const char *at = text; at < end; at = newline + 1) {
    newline = memchr(at, '\n', (size_t)(end - at));
    if (!newline) newline = end;
    for (size_t i = 0; at > text && i < indent; i++) buffer_add_char(b, ' ');
    screen_fit(b, at, (size_t)(newline - at), SIZE_MAX, false);
    if (newline + 1 < end) buffer_add_char(b, '\n');
  }
}

void screen_say(const screen *s, const char *text) {
  buffer b;
  buffer_init(&b, 16 * 1024 * 1024);
  screen_lines(&b, text, strlen(text), 0);
  fwrite(buffer_text(&b), 1, b.size, s->out);
  buffer_free(&b);
}

screen screen_of(FILE *out) {
  struct winsize size;
  screen s = {.out = out};
  const char *plain = getenv("NO_COLOR"), *forced = getenv("CLICOLOR_FORCE"),
             *term = getenv("TERM"), *columns = getenv("COLUMNS");
  bool terminal = isatty(fileno(out)), refused = plain && *plain;
  bool asked = forced && *forced && strcmp(forced, "0") != 0;
  s.colour = !refused && (asked || (terminal && !(term && strcmp(term, "dumb") == 0)));
  if (!terminal) return s;
  long wanted = columns ? strtol(columns, NULL, 10) : 0;
  s.width = wanted >= 20 && wanted <= 1000 ? (size_t)wanted : 80;
  if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col) s.width = size.ws_col;
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
