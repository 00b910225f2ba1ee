/* notes.c -- see notes.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/jobs/notes.h"

#include <stdio.h>
#include <string.h>

enum { SENTENCE_BYTES = 4096, REASON_BYTES = 300 };

/* A reader's reason ends with "(line 3 of f.csv)", a script's own says nothing of it. */
static bool names_line(const value *reason, int64_t line) {
  char words[48];
  int size = snprintf(words, sizeof words, "(line %lld of ", (long long)line);
  return memmem(reason->text.bytes, reason->text.size, words, (size_t)size) != NULL;
}

static int add_note(void *arg, const store_header *header, const value *row, dts_error *e) {
  buffer *b = arg;
  size_t size = row[1].text.size < REASON_BYTES ? row[1].text.size : REASON_BYTES;
  (void)header, (void)e;
  buffer_add_text(b, b->size ? "; " : "");
  if (row[0].kind == VALUE_INTEGER && !names_line(&row[1], row[0].integer))
    buffer_add_format(b, "line %lld: ", (long long)row[0].integer);
  while (size && size < row[1].text.size && (row[1].text.bytes[size] & 0xc0) == 0x80) size--;
  buffer_add(b, row[1].text.bytes, size);
  return 0;
}

int notes_say(store_conn *c, int64_t job, arena *a, int64_t *count, const char **said,
              dts_error *e) {
  value n, params[] = {value_integer(job)};
  *said = NULL, *count = 0;
  if (store_get(c, "select count(*) from dts_note where job = ?1", params, 1, NULL, &n, e) < 0)
    return -1;
  if ((*count = n.integer) == 0) return 0;
  buffer b;
  buffer_init(&b, SENTENCE_BYTES);
  int rc = store_select(c, "select line, reason from dts_note where job = ?1 order by seq limit 3",
                        params, 1, add_note, &b, e);
  if (rc == 0)
    *said = arena_format(a, "%lld row%s set aside: %s%s", (long long)*count, *count == 1 ? "" : "s",
                         buffer_text(&b), *count > 3 ? "; ..." : "");
  buffer_free(&b);
  return rc;
}
