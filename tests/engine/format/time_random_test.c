/* time_random_test.c -- damaged texts against every reader of time: none may read past its end, and
 * what is accepted must survive being written and read again.
 *
 * The chances come from a fixed seed, so that a failure comes back.
 *
 * SPDX-License-Identifier: MIT */
#include "format/suite.h"

#include <stdlib.h>

#include "format/cron.h"
#include "format/duration.h"
#include "format/zone_file.h"

enum { ROUNDS = 40000 };

static uint64_t chance(uint64_t below) { /* xorshift64 (Marsaglia 2003) */
  static uint64_t x = 88172645463325252;
  x ^= x << 13, x ^= x >> 7, x ^= x << 17;
  return x % below;
}

static const char *const SEEDS[] = {
    "2026-03-10T10:00:00.123-03:00",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "*/15 8-18 1,2 jan-mar fri-6/2",
    "EST5EDT,M3.2.0/2,J60/-3:30",
    "1h30m5s",
    "@daily",
    "Mon 12:05 PM +0300",
};

/* A seed with a few characters changed, perhaps cut, in a block of exactly its size. */
static char *damaged(size_t *size) {
  static const char LIKELY[] = "0123456789-+:/,.*% abMZ";
  const char *seed = SEEDS[chance(sizeof SEEDS / sizeof *SEEDS)];
  size_t length = strlen(seed);
  *size = chance(4) ? length : chance(length + 1);
  char *text = malloc(*size ? *size : 1);
  memcpy(text, seed, *size);
  for (uint64_t n = chance(4); n > 0 && *size > 0; n--)
    text[chance(*size)] = chance(3) ? LIKELY[chance(sizeof LIKELY - 1)] : (char)chance(256);
  return text;
}

static int try_timestamp(const char *text, size_t size) {
  int64_t ms, again;
  char out[25];
  if (timestamp_read(text, size, &ms) != 0) return 0;
  timestamp_write(ms, out);
  assert_int_equal(timestamp_read(out, 24, &again), 0);
  assert_int_equal(again, ms);
  assert_int_equal(timestamp_parse(text, size, &again), 0);
  return 1;
}

static int try_http_date(const char *text, size_t size) {
  int64_t ms, again;
  char out[30];
  if (http_date_read(text, size, 1773000000000, &ms) != 0) return 0;
  http_date_write(ms, out);
  assert_int_equal(http_date_read(out, 29, 0, &again), 0);
  assert_int_equal(again, ms);
  return 1;
}

static int try_date(const char *text, size_t size) {
  static const char *const FORMATS[] = {"%FT%T.%f%z", "%a %I:%M %p %z %Y", "%a, %d %b %Y %T %Z"};
  int count = 0;
  for (int i = 0; i < 3; i++) {
    int32_t date, date_again;
    int64_t ms, ms_again;
    if (date_parse(text, size, FORMATS[i], &date, &ms) != 0) continue;
    buffer b;
    buffer_init(&b, 200);
    assert_int_equal(date_format(date, ms, FORMATS[i], &b), 0);
    assert_int_equal(date_parse(b.data, b.size, FORMATS[i], &date_again, &ms_again), 0);
    assert_true(date_again == date && ms_again / 1000 == ms / 1000);
    buffer_free(&b);
    count++;
  }
  return count;
}

static int try_rule(const char *text, size_t size) {
  zone z = {.name = "rule"};
  if (zone_rule_read(text, size, &z.rule) != 0) return 0;
  int64_t ms = (int64_t)chance(4000000000000), out[2];
  if (zone_resolve(&z, ms, out) > 0) assert_true(zone_local(&z, out[0]) == ms);
  assert_true(zone_next_change(&z, ms) > ms);
  return 1;
}

static int try_cron(const char *text, size_t size, const zone *z) {
  cron c;
  char copy[64];
  buffer b;
  snprintf(copy, sizeof copy, "%.*s", (int)size, text);
  if (cron_read(copy, &c, NULL) != 0) return 0;
  int64_t after = (int64_t)chance(4000000000000), next = cron_next(&c, z, after);
  assert_true(next == -1 || (next > after && cron_next(&c, z, next - 1) == next));
  buffer_init(&b, 10000);
  assert_int_equal(cron_words(&c, copy, &b), 0);
  assert_true(b.size > 0);
  buffer_free(&b);
  return 1;
}

static void damaged_texts_do_no_harm(void **state) {
  (void)state;
  int accepted[6] = {0};
  zone *z = zone_open("America/New_York", NULL);
  for (int i = 0; i < ROUNDS; i++) {
    size_t size;
    int64_t ms;
    char *text = damaged(&size);
    accepted[0] += try_timestamp(text, size);
    accepted[1] += try_http_date(text, size);
    accepted[2] += try_date(text, size);
    accepted[3] += try_rule(text, size);
    accepted[4] += try_cron(text, size, z);
    accepted[5] += duration_read(text, size, &ms) == 0;
    free(text);
  }
  for (int i = 0; i < 6; i++)
    assert_in_range(accepted[i], 500, ROUNDS - 500); /* both sides tried */
  zone_close(z);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(damaged_texts_do_no_harm)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
