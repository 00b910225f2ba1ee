/* date_write.c -- dates and times written in a format, in UTC or as the wall of some zone shows them.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "format/date_fields.h"

typedef struct written {
  int32_t date;
  int64_t utc; /* the instant, in milliseconds */
  int offset;  /* seconds that date and time are ahead of UTC */
  bool zoned;  /* on the wall of some zone, not in UTC */
  int of[FIELD_COUNT];
} written;

static void write_offset(const written *w, bool colon, buffer *out) {
  int minutes = (w->offset < 0 ? -w->offset : w->offset) / 60;
  buffer_add_format(out, "%c%02d%s%02d", w->offset < 0 ? '-' : '+', minutes / 60, colon ? ":" : "",
                    minutes % 60);
}

static void write_field(char letter, const written *w, buffer *out) {
  const int *v = w->of, weekday = date_weekday(w->date);
  switch (letter) {
  case 'G':
  case 'Y': buffer_add_format(out, "%04d", v[date_find(letter)->to]); break;
  case 'y': buffer_add_format(out, "%02d", v[YEAR] % 100); break;
  case 'e': buffer_add_format(out, "%2d", v[DAY]); break;
  case 'j': buffer_add_format(out, "%03d", v[YEAR_DAY]); break;
  case 'f': buffer_add_format(out, "%03d", v[FRACTION]); break;
  case 'q': buffer_add_format(out, "%d", v[QUARTER]); break;
  case 'u': buffer_add_format(out, "%d", weekday + 1); break;
  case 's':
    buffer_add_format(out, "%lld", (long long)((w->utc - (w->utc % 1000 + 1000) % 1000) / 1000));
    break;
  case 'b': buffer_add_format(out, "%.3s", DATE_MONTHS[v[MONTH] - 1]); break;
  case 'B': buffer_add_text(out, DATE_MONTHS[v[MONTH] - 1]); break;
  case 'a': buffer_add_format(out, "%.3s", DATE_WEEKDAYS[weekday]); break;
  case 'A': buffer_add_text(out, DATE_WEEKDAYS[weekday]); break;
  case 'p': buffer_add_text(out, DATE_HALVES[v[HALF]]); break;
  case 'z': write_offset(w, false, out); break;
  case 'Z':
    if (w->zoned)
      write_offset(w, true, out);
    else
      buffer_add_text(out, "UTC");
    break;
  default: buffer_add_format(out, "%02d", v[date_find(letter)->to]); break;
  }
}

/* The field without its leading noughts and blanks. */
static void write_bare(char letter, const written *w, buffer *out) {
  size_t start = out->size;
  write_field(letter, w, out);
  size_t size = out->size - start, skip = 0;
  while (skip + 1 < size && strchr("0 ", out->data[start + skip])) skip++;
  if (skip) memmove(out->data + start, out->data + start + skip, size - skip);
  out->size -= skip;
}

static void write_all(const char *format, const written *w, buffer *out) {
  for (const char *f = format; *f; f++) {
    if (*f != '%')
      buffer_add_char(out, *f);
    else if (*++f == '%')
      buffer_add_char(out, '%');
    else if (date_expansion(*f))
      write_all(date_expansion(*f), w, out);
    else if (date_skip_flag(f) != f)
      write_bare(*++f, w, out);
    else
      write_field(*f, w, out);
  }
}

static void set_week(written *w) {
  int32_t thursday = w->date - date_weekday(w->date) + 3, first;
  int year, month, day;
  date_split(thursday, &year, &month, &day);
  date_make(year, 1, 1, &first);
  w->of[WEEK_YEAR] = year, w->of[WEEK] = (thursday - first) / 7 + 1;
}

int date_format_at(int32_t date, int64_t ms, const int *offset, const char *format, buffer *out) {
  char bad = 0;
  int32_t first;
  int time = ms < 0 || ms >= DATE_DAY_MS ? 0 : (int)ms;
  written w = {.date = date, .offset = offset ? *offset : 0, .zoned = offset != NULL};
  int *v = w.of;
  date_fields_of(format, &bad);
  if (bad) return -1;
  w.utc = date * DATE_DAY_MS + time - w.offset * 1000LL;
  date_split(date, &v[YEAR], &v[MONTH], &v[DAY]);
  date_make(v[YEAR], 1, 1, &first);
  v[YEAR_DAY] = date - first + 1, v[QUARTER] = (v[MONTH] + 2) / 3;
  set_week(&w);
  v[HOUR] = time / 3600000, v[HOUR_12] = (v[HOUR] + 11) % 12 + 1, v[HALF] = v[HOUR] >= 12;
  v[MINUTE] = time / 60000 % 60, v[SECOND] = time / 1000 % 60, v[FRACTION] = time % 1000;
  write_all(format, &w, out);
  return out->failed ? -1 : 0;
}

int date_format(int32_t date, int64_t ms, const char *format, buffer *out) {
  return date_format_at(date, ms, NULL, format, out);
}
