/* quarantine_lines.c -- the lines of an input around the one at fault, as they can be shown
 * (quarantine_show.h).
 *
 * What is no printable UTF-8 is written as \xE4: whoever looks is looking for just that byte.
 *
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "command/quarantine_show.h"
#include "store/objects.h"

enum { AROUND = 1, SHOWN_BYTES = 500 };

/* No control characters: what a terminal would obey is not shown to it. */
static bool is_shown(const unsigned char *c, size_t size) {
  if (size == 2 && c[0] == 0xc2 && c[1] < 0xa0) return false;
  return size && (c[0] >= 0x20 || c[0] == '\t') && c[0] != 0x7f;
}

static void print_bytes(const char *line, size_t size) {
  for (size_t i = 0, taken; i < size; i += taken) {
    bool cut;
    taken = text_utf8_take(line + i, size - i, &cut);
    bool shown = is_shown((const unsigned char *)line + i, taken);
    if (!taken) taken = 1;
    if (shown) fwrite(line + i, 1, taken, stdout);
    for (size_t k = 0; !shown && k < taken; k++) printf("\\x%02X", (unsigned char)line[i + k]);
  }
}

/* Reads one line; `false` at the end. Of a long one the beginning is kept, in constant memory. */
static bool read_line(FILE *f, char *line, size_t *size, bool *cut) {
  int c;
  *size = 0, *cut = false;
  while ((c = getc_unlocked(f)) != EOF && c != '\n') {
    *cut = *size == SHOWN_BYTES;
    if (!*cut) line[(*size)++] = (char)c;
  }
  if (*size && line[*size - 1] == '\r') --*size;
  return c != EOF || *size;
}

static void print_around(FILE *f, int64_t number) {
  char line[SHOWN_BYTES];
  size_t size;
  bool cut;
  for (int64_t n = 1; n <= number + AROUND && read_line(f, line, &size, &cut); n++) {
    if (n < number - AROUND) continue;
    printf("%c %6" PRId64 " | ", n == number ? '>' : ' ', n);
    print_bytes(line, size);
    puts(cut ? " ..." : "");
  }
}

void quarantine_print_lines(const char *folder, const char *object, int64_t number) {
  arena a = {0};
  int fd;
  int64_t size;
  objects *o = objects_open(arena_format(&a, "file:%s", folder), NULL);
  bool there = o && number > 0 && objects_get(o, object, &fd, &size, NULL) == 0;
  FILE *f = there ? fdopen(fd, "r") : NULL;
  if (there && !f) close(fd);
  if (f) {
    printf("\nthe input, line %" PRId64 ":\n", number);
    print_around(f, number);
    fclose(f);
  }
  objects_close(o);
  arena_free(&a);
}
