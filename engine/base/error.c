/* error.c -- filling in errors, and finding the name that a misspelt word was meant to be.
 *
 * SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_fail(dts_error *e, const char *code, const char *format, ...) {
  if (!e) return -1;
  va_list arguments;
  char message[sizeof e->message]; /* the arguments may point into `e` itself */
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  char kept[sizeof e->code];
  snprintf(kept, sizeof kept, "%s", code);
  *e = (dts_error){0};
  memcpy(e->code, kept, sizeof kept);
  memcpy(e->message, message, sizeof message);
  return -1;
}

int error_hint(dts_error *e, const char *format, ...) {
  if (!e) return -1;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(e->hint, sizeof e->hint, format, arguments);
  va_end(arguments);
  return -1;
}

enum { LONGEST_NAME = 63 };

static int least(int a, int b, int c) {
  int m = a < b ? a : b;
  return m < c ? m : c;
}

/* Optimal string alignment distance; three rows, since a transposition looks two rows back. */
static int distance(const char *a, const char *b) {
  int n = (int)strlen(a), m = (int)strlen(b);
  if (n > LONGEST_NAME || m > LONGEST_NAME) return LONGEST_NAME;
  int rows[3][LONGEST_NAME + 1];
  for (int j = 0; j <= m; j++) rows[0][j] = j;
  for (int i = 1; i <= n; i++) {
    int *now = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
    now[0] = i;
    for (int j = 1; j <= m; j++) {
      now[j] = least(up[j] + 1, now[j - 1] + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped && up2[j - 2] + 1 < now[j]) now[j] = up2[j - 2] + 1;
    }
  }
  return rows[n % 3][m];
}

const char *error_nearest(const char *word, const char *const *names) {
  int allowed = (int)strlen(word) / 3, best = allowed < 1 ? 2 : allowed + 1;
  const char *nearest = NULL;
  for (; *names; names++) {
    int d = distance(word, *names);
    if (d < best) best = d, nearest = *names;
  }
  return nearest;
}
