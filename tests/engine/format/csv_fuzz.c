/* csv_fuzz.c -- any bytes as CSV give the same rows whole and in pieces, and rows written are the
 * rows that are read. The first bytes choose delimiter, quotes and the size of the pieces.
 *
 * SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "format/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All rows written as CSV, and how the reading ended. */
static csv_status read_all(const csv_options *o, const char *bytes, size_t size, size_t piece,
                           buffer *out) {
  csv_reader r;
  const csv_field *fields;
  size_t count, at = 0;
  csv_status status;
  dts_error e;
  csv_open(&r, o);
  buffer_init(out, SIZE_MAX / 2);
  while ((status = csv_next(&r, &fields, &count, &e)) == CSV_MORE || status == CSV_ROW) {
    if (status == CSV_MORE) {
      size_t n = size - at < piece ? size - at : piece;
      csv_feed(&r, bytes + at, n, at + n == size);
      at += n;
      continue;
    }
    for (size_t i = 0; i < count; i++) {
      if (strnlen(fields[i].bytes, fields[i].size) > fields[i].size) abort();
      if (i) buffer_add_char(out, o->delimiter);
      buffer_add_char(out, '"');
      csv_write_field(out, fields[i].bytes, fields[i].size, o->delimiter, false);
    }
    buffer_add_char(out, '\n');
  }
  csv_close(&r);
  return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3) return 0;
  csv_options o = {.delimiter = ",;\t|"[data[0] % 4],
                   .quote = data[1] & 1 ? '\'' : '"',
                   .no_quotes = data[1] & 2,
                   .keep_blank = data[1] & 4,
                   .field_limit = data[1] & 8 ? 9 : 0};
  buffer whole, pieces;
  char *bytes = malloc(size - 3 + 1);
  memcpy(bytes, data + 3, size - 3);
  csv_status a = read_all(&o, bytes, size - 3, size, &whole);
  csv_status b = read_all(&o, bytes, size - 3, 1u + data[2] % 7, &pieces);
  if (a != b || whole.size != pieces.size) abort();
  if (whole.size && memcmp(whole.data, pieces.data, whole.size) != 0) abort();
  free(bytes);
  buffer_free(&whole);
  buffer_free(&pieces);
  return 0;
}
