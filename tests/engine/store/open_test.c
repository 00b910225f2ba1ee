/* open_test.c -- opening a store: one writer, private files, what cannot be opened.
 *
 * SPDX-License-Identifier: MIT */
#include "store/help.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

static void one_writer_at_a_time(void **state) {
  (void)state;
  char *folder = help_folder(), url[300], expected[400];
  dts_error e = {0};
  store *s = help_open(folder);
  snprintf(url, sizeof url, "sqlite:%s/dts.db", folder);
  assert_null(store_open(url, NULL, &e));
  snprintf(expected, sizeof expected, "%s is in use by another dts (process %d)", url + 7,
           (int)getpid());
  assert_string_equal(e.message, expected);
  assert_string_equal(e.code, "STORE_LOCKED");
  help_exec(s, "create table x(a)");
  store *beside = store_open(url, &(store_options){.read_only = true}, &e);
  assert_non_null(beside);
  assert_int_equal(help_count(beside, "select count(*) from x"), 0);
  assert_int_equal(store_write(beside, help_run_sql, &(help_sql){"insert into x values(1)"}, &e),
                   -1);
  assert_string_equal(e.code, "READ_ONLY");
  store_close(beside);
  store_close(s);
  store_close(help_open(folder));
  help_remove(folder);
}

/* Another process that has signed as a command, and ends after some milliseconds. */
static pid_t hold_for(const char *database, const char *word, int ms) {
  char path[320], line[32];
  snprintf(path, sizeof path, "%s.lock", database);
  pid_t child = fork();
  if (child != 0) return child;
  int fd = open(path, O_RDWR | O_CREAT, 0600);
  int size = snprintf(line, sizeof line, "%d\n%s\n", (int)getpid(), word);
  bool held = flock(fd, LOCK_EX) == 0 && pwrite(fd, line, (size_t)size, 0) == size;
  usleep((useconds_t)ms * 1000);
  _exit(held ? 0 : 1);
}

/* `dts status` beside an engine that starts: the one waits for the other. */
static void a_command_that_ends_is_waited_for(void **state) {
  (void)state;
  char *folder = help_folder(), url[300];
  dts_error e = {0};
  int status = -1;
  store_close(help_open(folder));
  snprintf(url, sizeof url, "sqlite:%s/dts.db", folder);
  pid_t child = hold_for(url + 7, "status", 400);
  usleep(100000);
  store *s = store_open(url, NULL, &e);
  if (!s) fail_msg("%s", e.message);
  store_close(s);
  waitpid(child, &status, 0);
  assert_int_equal(status, 0);
  help_remove(folder);
}

/* The store itself is locked, not only its path: a link to it, and a lock file that somebody removed. */
static void one_writer_by_any_name(void **state) {
  (void)state;
  char *folder = help_folder(), url[300], other[300], path[300];
  dts_error e = {0};
  store *s = help_open(folder);
  snprintf(url, sizeof url, "sqlite:%s/dts.db", folder);
  snprintf(other, sizeof other, "sqlite:%s/soft.db", folder);
  assert_int_equal(symlink(url + 7, other + 7), 0);
  assert_null(store_open(other, NULL, &e));
  assert_string_equal(e.code, "STORE_LOCKED");
  snprintf(other, sizeof other, "sqlite:%s/hard.db", folder);
  assert_int_equal(link(url + 7, other + 7), 0);
  assert_null(store_open(other, NULL, &e));
  assert_string_equal(e.code, "STORE_LOCKED");
  snprintf(path, sizeof path, "%s.lock", url + 7);
  assert_int_equal(unlink(path), 0);
  e = (dts_error){0};
  assert_null(store_open(url, NULL, &e));
  assert_string_equal(e.code, "STORE_LOCKED");
  store_close(s);
  store_close(help_open(folder));
  help_remove(folder);
}

static void files_are_private(void **state) {
  (void)state;
  char *folder = help_folder(), url[300], path[300];
  struct stat st;
  dts_error e = {0};
  snprintf(url, sizeof url, "sqlite:%s/a/b/dts.db", folder);
  mode_t old = umask(0);
  store *s = store_open(url, NULL, &e);
  help_exec(s, "create table x(a)");
  static const char *const parts[] = {"", "-wal", "-shm", ".lock"};
  for (size_t i = 0; i < 4; i++) {
    snprintf(path, sizeof path, "%s%s", url + 7, parts[i]);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
  }
  snprintf(path, sizeof path, "%s/a", folder);
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0700);
  store_close(s);
  snprintf(path, sizeof path, "%s-wal", url + 7);
  assert_int_equal(stat(path, &st), -1);
  umask(old);
  help_remove(folder);
}

static void says_what_it_cannot_open(void **state) {
  (void)state;
  dts_error e = {0};
  char *folder = help_folder(), path[300], url[400];
  assert_null(store_open("postgres://x", NULL, &e));
  assert_string_equal(e.message, "a PostgreSQL store is not available in this version");
  assert_null(store_open("mysql:x", NULL, &e));
  assert_string_equal(e.message, "store \"mysql:x\": sqlite:PATH expected");
  snprintf(url, sizeof url, "sqlite:%s/no.db", folder);
  assert_null(store_open(url, &(store_options){.read_only = true}, &e));
  assert_non_null(strstr(e.message, "there is no store"));
  snprintf(path, sizeof path, "%s/bad.db", folder);
  char junk[8192];
  memset(junk, 'x', sizeof junk);
  assert_int_equal(file_write_atomic(path, junk, sizeof junk, 0600, NULL), 0);
  snprintf(url, sizeof url, "sqlite:%s", path);
  assert_null(store_open(url, NULL, &e));
  assert_string_equal(e.code, "STORE_CORRUPT");
  help_remove(folder);
}

static int count_entries(const char *folder) {
  int count = 0;
  DIR *d = opendir(folder);
  for (struct dirent *entry; d && (entry = readdir(d));)
    count += strncmp(entry->d_name, "dts-", 4) == 0;
  if (d) closedir(d);
  return count;
}

static void memory_leaves_nothing(void **state) {
  (void)state;
  int before = count_entries("/dev/shm") + count_entries("/tmp");
  store *s = help_memory(), *other = help_memory();
  help_exec(s, "create table x(a)");
  help_exec(other, "create table x(a, b)");
  for (int i = 0; i < 20; i++) help_exec(s, "insert into x values(zeroblob(100000))");
  assert_int_equal(help_count(s, "select count(*) from x"), 20);
  assert_int_equal(help_count(other, "select count(*) from x"), 0);
  assert_int_equal(count_entries("/dev/shm") + count_entries("/tmp"), before);
  store_close(s);
  store_close(other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_writer_at_a_time),
      cmocka_unit_test(one_writer_by_any_name),
      cmocka_unit_test(a_command_that_ends_is_waited_for),
      cmocka_unit_test(files_are_private),
      cmocka_unit_test(says_what_it_cannot_open),
      cmocka_unit_test(memory_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
