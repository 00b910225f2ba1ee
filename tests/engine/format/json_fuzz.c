/* json_fuzz.c -- any bytes as JSON: refused with a place, or read; and what was read is written and
 * read again as the same.
 *
 * SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "format/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write(buffer *b, const value *v) {
  buffer_init(b, SIZE_MAX / 2);
  if (json_write(b, v) < 0) abort();
}

static void check_again(const value *v) {
  arena a = {0};
  buffer one, two;
  value again;
  write(&one, v);
  if (json_read(&a, one.data, one.size, &again, NULL) < 0) abort();
  write(&two, &again);
  if (one.size != two.size || memcmp(one.data, two.data, one.size) != 0) abort();
  buffer_free(&one);
  buffer_free(&two);
  arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  arena a = {0};
  value v;
  dts_error e = {0};
  char *bytes = malloc(size + !size); /* of exactly that size: reading past it is seen */
  if (size) memcpy(bytes, data, size);
  if (json_read(&a, bytes, size, &v, &e) == 0)
    check_again(&v);
  else if (strncmp(e.message, "line ", 5) != 0)
    abort();
  free(bytes);
  arena_free(&a);
  return 0;
}
