/* suite.h -- what the tests of engine/format share: files of outside suites, and quick dates.
 *
 * A suite that is not there skips its test with a line that says so.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_FORMAT_SUITE_H
#define TESTS_FORMAT_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/file.h"
#include "format/date.h"

static inline buffer suite_read(const char *name) {
  char path[512];
  buffer b;
  buffer_init(&b, 64 << 20);
  snprintf(path, sizeof path, "%s/%s", TEST_DATA, name);
  if (file_read(path, b.limit, &b, NULL) != 0) {
    print_message("skipped: there is no %s\n", path);
    skip();
  }
  buffer_text(&b);
  return b;
}

static inline int32_t day(const char *text) {
  int32_t date = 0;
  if (date_read(text, strlen(text), &date) != 0) fail_msg("no date: %s", text);
  return date;
}

static inline int64_t at(const char *text) {
  int64_t ms = 0;
  if (timestamp_parse(text, strlen(text), &ms) != 0) fail_msg("no timestamp: %s", text);
  return ms;
}

#endif
