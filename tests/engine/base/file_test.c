/* file_test.c -- whole files: read up to a limit, replaced at once, with nothing left behind.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static int enter(void **state) {
  char *folder = strdup("/tmp/dts-file-XXXXXX");
  *state = folder;
  return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

/* Every test leaves an empty folder: rmdir() says so. */
static int leave(void **state) {
  int result = chdir("/") == 0 && rmdir(*state) == 0 ? 0 : -1;
  free(*state);
  return result;
}

static int entries(const char *folder) {
  int count = -2; /* . and .. */
  DIR *d = opendir(folder);
  while (readdir(d)) count++;
  closedir(d);
  return count;
}

static mode_t mode_of(const char *path) {
  struct stat s;
  assert_int_equal(stat(path, &s), 0);
  return s.st_mode & 07777;
}

static void check_content(const char *path, const char *expected) {
  buffer b;
  buffer_init(&b, 1000);
  assert_int_equal(file_read(path, 1000, &b, NULL), 0);
  assert_string_equal(buffer_text(&b), expected);
  buffer_free(&b);
}

static void a_file_is_replaced_as_a_whole(void **state) {
  (void)state;
  mode_t kept = umask(077);
  assert_false(file_exists("a"));
  assert_int_equal(file_write_atomic("a", "one", 3, 0644, NULL), 0);
  umask(kept);
  assert_int_equal(mode_of("a"), 0644);
  check_content("a", "one");
  assert_int_equal(file_write_atomic("./a", "", 0, 0600, NULL), 0);
  assert_int_equal(mode_of("a"), 0600);
  check_content("a", "");
  assert_int_equal(entries("."), 1);
  unlink("a");
}

static void a_failed_write_leaves_the_old_file(void **state) {
  (void)state;
  dts_error e;
  assert_int_equal(file_write_atomic("none/a", "x", 1, 0600, &e), -1);
  assert_string_equal(e.code, "FILE_MISSING");
  assert_string_equal(e.message, "cannot write 'none/a': No such file or directory");
  assert_int_equal(mkdir("folder", 0700), 0);
  assert_int_equal(file_write_atomic("folder", "x", 1, 0600, &e), -1);
  assert_string_equal(e.message, "cannot write 'folder': Is a directory");
  assert_int_equal(entries("."), 1);
  rmdir("folder");
}

static void reading_stops_at_the_limit(void **state) {
  (void)state;
  dts_error e;
  buffer b;
  buffer_init(&b, 100000);
  char *bytes = calloc(1, 50000);
  assert_int_equal(file_write_atomic("a", bytes, 50000, 0600, NULL), 0);
  buffer_add_text(&b, "before");
  assert_int_equal(file_read("a", 49999, &b, &e), -1);
  assert_string_equal(e.message, "cannot read 'a': it is larger than 49999 bytes");
  assert_string_equal(buffer_text(&b), "before");
  assert_int_equal(file_read("a", 50000, &b, NULL), 0);
  assert_int_equal(b.size, 50006);
  assert_int_equal(file_read("a", 50000, &b, &e), -1); /* the buffer's own limit */
  assert_int_equal(b.size, 50006);
  assert_false(b.failed);
  buffer_free(&b);
  free(bytes);
  unlink("a");
}

static void only_regular_files_are_read(void **state) {
  (void)state;
  dts_error e;
  buffer b;
  buffer_init(&b, 1000);
  assert_int_equal(file_read("none", 10, &b, &e), -1);
  assert_string_equal(e.code, "FILE_MISSING");
  assert_string_equal(e.message, "cannot read 'none': No such file or directory");
  assert_int_equal(file_read(".", 10, &b, &e), -1);
  assert_string_equal(e.message, "cannot read '.': it is not a regular file");
  assert_int_equal(mkfifo("pipe", 0600), 0);
  assert_int_equal(file_read("pipe", 10, &b, &e), -1); /* and does not wait for a writer */
  assert_int_equal(file_read("/proc/self/comm", 100, &b, NULL), 0);
  assert_true(b.size > 0);
  buffer_free(&b);
  unlink("pipe");
}

static void folders_are_made_on_the_way(void **state) {
  (void)state;
  dts_error e;
  assert_int_equal(file_make_folder("a/b//c/", 0750, NULL), 0);
  assert_int_equal(file_make_folder("a/b/c", 0700, NULL), 0);
  assert_int_equal(mode_of("a/b/c"), 0750);
  assert_true(file_exists("a/b/c"));
  assert_int_equal(file_write_atomic("a/file", "", 0, 0600, NULL), 0);
  assert_int_equal(file_make_folder("a/file/c", 0700, &e), -1);
  assert_string_equal(e.message, "cannot make folder 'a/file/c': Not a directory");
  assert_int_equal(file_make_folder("a/file", 0700, &e), -1);
  assert_int_equal(file_make_folder("", 0700, &e), -1);
  unlink("a/file");
  rmdir("a/b/c");
  rmdir("a/b");
  rmdir("a");
}

int main(void) {
  umask(022);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_file_is_replaced_as_a_whole, enter, leave),
      cmocka_unit_test_setup_teardown(a_failed_write_leaves_the_old_file, enter, leave),
      cmocka_unit_test_setup_teardown(reading_stops_at_the_limit, enter, leave),
      cmocka_unit_test_setup_teardown(only_regular_files_are_read, enter, leave),
      cmocka_unit_test_setup_teardown(folders_are_made_on_the_way, enter, leave),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
