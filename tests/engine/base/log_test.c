/* log_test.c -- lines of the engine's log, caught on their way to standard error.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static int kept;
static FILE *caught;

static int catch_lines(void **state) {
  (void)state;
  caught = tmpfile();
  kept = dup(STDERR_FILENO);
  log_set_level(LOG_LEVEL_INFO);
  return dup2(fileno(caught), STDERR_FILENO) < 0 ? -1 : 0;
}

/* The test's first assertion reads; from here standard error is itself again. */
static char *lines(void) {
  static char text[1 << 20];
  dup2(kept, STDERR_FILENO);
  close(kept);
  rewind(caught);
  text[fread(text, 1, sizeof text - 1, caught)] = 0;
  fclose(caught);
  return text;
}

static void a_line_has_time_level_and_message(void **state) {
  (void)state;
  errno = EBUSY;
  log_info("worker %d started", 7);
  log_warn("slow");
  log_error("gone");
  int number = errno;
  int y, mo, d, h, mi, s, ms, used = 0;
  const char *at = lines();
  assert_int_equal(number, EBUSY);
  assert_int_equal(
      sscanf(at, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &y, &mo, &d, &h, &mi, &s, &ms, &used), 7);
  assert_int_equal(used, 25);
  assert_true(y >= 2024 && mo <= 12 && d <= 31 && h < 24 && mi < 60 && s <= 60);
  at += 25;
  assert_memory_equal(at, "info worker 7 started\n", 22);
  assert_memory_equal(at + 22 + 25, "warn slow\n", 10);
  assert_string_equal(at + 22 + 25 + 10 + 25, "error gone\n");
}

static void lower_levels_are_left_out(void **state) {
  (void)state;
  log_set_level(LOG_LEVEL_WARN);
  log_info("no");
  log_warn("yes");
  log_set_level(LOG_LEVEL_OFF);
  log_error("no");
  char *text = lines();
  log_set_level(LOG_LEVEL_INFO);
  assert_string_equal(text + 25, "warn yes\n");
}

static void a_message_is_one_line_of_bounded_length(void **state) {
  (void)state;
  char *longest = malloc(10001);
  memset(longest, 'x', 10000);
  longest[10000] = 0;
  log_info("a\nb\033[31mc\x7f %s", "é");
  log_info("%s", longest);
  free(longest);
  char *text = lines(), *end = strchr(text, '\n');
  assert_non_null(end);
  *end = 0;
  assert_string_equal(text + 25, "info a b [31mc  é");
  assert_int_equal(strlen(end + 1), 4096);
  assert_int_equal(end[4096], '\n');
}

static void *say_often(void *name) {
  for (int i = 0; i < 500; i++) log_info("%s %s %s", (char *)name, (char *)name, (char *)name);
  return NULL;
}

static void threads_never_mix_their_lines(void **state) {
  (void)state;
  static char names[2][100];
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) {
    memset(names[i], 'a' + i, sizeof names[i] - 1);
    pthread_create(&threads[i], NULL, say_often, names[i]);
  }
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  int count = 0;
  char *rest, *text = lines();
  for (char *line = strtok_r(text, "\n", &rest); line;
       line = strtok_r(NULL, "\n", &rest), count++) {
    assert_int_equal(strlen(line), 25 + 5 + 299);
    char word[2] = {line[30], 0};
    assert_int_equal(strspn(line + 30, word[0] == 'a' ? "a " : "b "), 299);
  }
  assert_int_equal(count, 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_line_has_time_level_and_message, catch_lines),
      cmocka_unit_test_setup(lower_levels_are_left_out, catch_lines),
      cmocka_unit_test_setup(a_message_is_one_line_of_bounded_length, catch_lines),
      cmocka_unit_test_setup(threads_never_mix_their_lines, catch_lines),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
