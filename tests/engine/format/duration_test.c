/* duration_test.c -- lengths of time, written and read.
 *
 * SPDX-License-Identifier: MIT */
#include "format/suite.h"

#include "format/duration.h"

static void lengths_as_analysts_write_them(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t ms;
  } CASES[] = {{"500ms", 500},
               {"2s", 2000},
               {"15m", 900000},
               {"6h", 21600000},
               {"30d", 2592000000},
               {"1w", 604800000},
               {"1h30m", 5400000},
               {"0d", 0},
               {"1m500ms", 60500},
               {"1w2d3h4m5s6ms", 788645006},
               {"9223372036854775807ms", INT64_MAX}};
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    int64_t ms = -1;
    assert_int_equal(duration_read(CASES[i].text, strlen(CASES[i].text), &ms), 0);
    assert_int_equal(ms, CASES[i].ms);
  }
}

static void what_is_no_length(void **state) {
  (void)state;
  static const char *const BAD[] = {"",
                                    "5",
                                    "m",
                                    "5 m",
                                    "1.5h",
                                    "-1h",
                                    "+1h",
                                    "1H",
                                    "30m1h",
                                    "1h1h",
                                    "1min",
                                    "1h ",
                                    " 1h",
                                    "5mo",
                                    "1y",
                                    "1hm",
                                    "9223372036854775808ms",
                                    "99999999999999999w",
                                    "1h30"};
  int64_t ms = 7;
  for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
    if (duration_read(BAD[i], strlen(BAD[i]), &ms) == 0) fail_msg("accepted: '%s'", BAD[i]);
  assert_int_equal(duration_read("1h\0", 3, &ms), -1);
  assert_int_equal(ms, 7);
}

static void lengths_as_people_read_them(void **state) {
  (void)state;
  static const struct {
    int64_t ms;
    const char *text;
  } CASES[] = {{0, "0 ms"},
               {350, "350 ms"},
               {999, "999 ms"},
               {1000, "1 s"},
               {4290, "4.2 s"},
               {9999, "9.9 s"},
               {10900, "10 s"},
               {59999, "59 s"},
               {72000, "1 m 12 s"},
               {60000, "1 m"},
               {11520000, "3 h 12 m"},
               {3600000, "1 h"},
               {190800000, "2 d 5 h"},
               {604800000, "7 d"},
               {3601000, "1 h"},
               {-5, "0 ms"},
               {INT64_MAX, "1157407 d 9 h"}};
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    char out[32];
    duration_write(CASES[i].ms, out);
    assert_string_equal(out, CASES[i].text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lengths_as_analysts_write_them),
      cmocka_unit_test(what_is_no_length),
      cmocka_unit_test(lengths_as_people_read_them),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
