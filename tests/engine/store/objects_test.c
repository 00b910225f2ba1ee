/* objects_test.c -- what has a name is whole; crash leftovers have none.
 *
 * SPDX-License-Identifier: MIT */
#include "store/help.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <utime.h>

static objects *open_in(const char *folder) {
  char url[300];
  dts_error e = {0};
  snprintf(url, sizeof url, "file:%s/objects", folder);
  objects *o = objects_open(url, &e);
  if (!o) fail_msg("%s", e.message);
  return o;
}

static void has_bytes(objects *o, const char *name, const char *expected, size_t size) {
  int fd;
  int64_t got;
  char *bytes = malloc(size + 1);
  dts_error e = {0};
  if (objects_get(o, name, &fd, &got, &e) < 0) fail_msg("%s", e.message);
  assert_int_equal(got, size);
  assert_int_equal(read(fd, bytes, size + 1), size);
  assert_memory_equal(bytes, expected, size);
  close(fd);
  free(bytes);
}

static int count_fresh(const char *folder) {
  char path[300];
  int count = 0;
  snprintf(path, sizeof path, "%s/objects/new", folder);
  DIR *d = opendir(path);
  for (struct dirent *entry; (entry = readdir(d));) count += entry->d_name[0] != '.';
  closedir(d);
  return count;
}

static void keeps_snapshots_compressed(void **state) {
  (void)state;
  char *folder = help_folder(), name[65], again[65], path[400];
  struct stat s;
  objects *o = open_in(folder);
  char *bytes = malloc(1 << 20);
  memset(bytes, 'x', 1 << 20);
  assert_int_equal(objects_put(o, bytes, 1 << 20, name, NULL), 0);
  assert_int_equal(objects_put(o, bytes, 1 << 20, again, NULL), 0);
  assert_string_equal(name, again);
  assert_true(objects_has(o, name));
  has_bytes(o, name, bytes, 1 << 20);
  snprintf(path, sizeof path, "%s/objects/%.2s/%s.zst", folder, name, name + 2);
  assert_int_equal(stat(path, &s), 0);
  assert_true(s.st_size < 4096);
  assert_int_equal(s.st_mode & 0777, 0600);
  assert_int_equal(objects_put(o, "", 0, name, NULL), 0);
  assert_string_equal(name, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  has_bytes(o, name, "", 0);
  assert_int_equal(count_fresh(folder), 0);
  free(bytes);
  objects_close(o);
  help_remove(folder);
}

static void gives_sealed_memory(void **state) {
  (void)state;
  char *folder = help_folder(), name[65];
  int fd;
  int64_t size;
  objects *o = open_in(folder);
  assert_int_equal(objects_put(o, "abc", 3, name, NULL), 0);
  assert_int_equal(objects_get(o, name, &fd, &size, NULL), 0);
  assert_int_equal(write(fd, "x", 1), -1);
  assert_int_equal(ftruncate(fd, 0), -1);
  close(fd);
  objects_close(o);
  help_remove(folder);
}

static void keeps_uploads_plain(void **state) {
  (void)state;
  char *folder = help_folder(), name[65], snapshot[65];
  int64_t size;
  objects *o = open_in(folder);
  int fd = memfd_create("upload", 0);
  assert_int_equal(write(fd, "station;price\n", 14), 14);
  assert_int_equal(objects_put_file(o, fd, name, &size, NULL), 0);
  assert_int_equal(objects_put_file(o, fd, name, &size, NULL), 0);
  close(fd);
  assert_int_equal(size, 14);
  has_bytes(o, name, "station;price\n", 14);
  assert_int_equal(objects_put(o, "station;price\n", 14, snapshot, NULL), 0);
  assert_string_equal(name, snapshot);
  assert_int_equal(objects_delete(o, name, INT64_MAX, NULL), 0);
  assert_false(objects_has(o, name));
  assert_int_equal(objects_delete(o, name, INT64_MAX, NULL), 0);
  assert_int_equal(count_fresh(folder), 0);
  objects_close(o);
  help_remove(folder);
}

static void age(const char *folder, const char *name, const char *suffix, int days) {
  char path[400];
  struct timespec when[2] = {{.tv_sec = time(NULL) - days * 86400}};
  when[1] = when[0];
  snprintf(path, sizeof path, "%s/objects/%.2s/%s%s", folder, name, name + 2, suffix);
  assert_int_equal(utimensat(AT_FDCWD, path, when, 0), 0);
}

static size_t count_old(objects *o, const char *name, int64_t before) {
  objects_names old;
  size_t found = 0;
  for (int i = 0; i < 16; i++) {
    assert_int_equal(objects_old(o, i, before, &old, NULL), 0);
    for (size_t n = 0; n < old.count; n++) found += !name || strcmp(old.names[n], name) == 0;
    free(old.names);
  }
  return found;
}

static void a_put_renews_what_is_there(void **state) {
  (void)state;
  char *folder = help_folder(), packed[65], plain[65], again[65];
  int64_t size, week = ((int64_t)time(NULL) - 7 * 86400) * 1000;
  objects *o = open_in(folder);
  int fd = memfd_create("upload", 0);
  assert_int_equal(write(fd, "plain", 5), 5);
  assert_int_equal(objects_put(o, "packed", 6, packed, NULL), 0);
  assert_int_equal(objects_put_file(o, fd, plain, &size, NULL), 0);
  assert_int_equal(count_old(o, NULL, week), 0);
  age(folder, packed, ".zst", 8);
  age(folder, plain, "", 8);
  assert_int_equal(count_old(o, NULL, week), 2);
  assert_int_equal(count_old(o, packed, week), 1);
  assert_int_equal(count_old(o, plain, week), 1);
  assert_int_equal(objects_put(o, "packed", 6, again, NULL), 0);
  assert_int_equal(objects_put_file(o, fd, again, &size, NULL), 0);
  assert_int_equal(count_old(o, NULL, week), 0);
  assert_int_equal(objects_delete(o, packed, week, NULL), 0); /* listed before, put meanwhile */
  assert_true(objects_has(o, packed));
  age(folder, plain, "", 8);
  assert_int_equal(objects_put(o, "plain", 5, again, NULL), 0); /* the other kind of put */
  assert_int_equal(objects_delete(o, plain, week, NULL), 0);
  assert_true(objects_has(o, plain));
  age(folder, packed, ".zst", 8);
  assert_int_equal(objects_delete(o, packed, week, NULL), 0);
  assert_false(objects_has(o, packed));
  close(fd);
  objects_close(o);
  help_remove(folder);
}

static void removes_what_a_crash_left(void **state) {
  (void)state;
  char *folder = help_folder(), old[400], young[400];
  objects_close(open_in(folder));
  snprintf(old, sizeof old, "%s/objects/new/half", folder);
  snprintf(young, sizeof young, "%s/objects/new/being-written", folder);
  assert_int_equal(file_write_atomic(old, "ha", 2, 0600, NULL), 0);
  assert_int_equal(file_write_atomic(young, "be", 2, 0600, NULL), 0);
  struct utimbuf yesterday = {time(NULL) - 86400, time(NULL) - 86400};
  assert_int_equal(utime(old, &yesterday), 0);
  objects_close(open_in(folder));
  assert_false(file_exists(old));
  assert_true(file_exists(young));
  help_remove(folder);
}

static void notices_damage(void **state) {
  (void)state;
  char *folder = help_folder(), name[65], other[65], from[400], to[400];
  int fd;
  int64_t size;
  dts_error e = {0};
  objects *o = open_in(folder);
  assert_int_equal(objects_put(o, "one", 3, name, NULL), 0);
  assert_int_equal(objects_put(o, "two", 3, other, NULL), 0);
  snprintf(from, sizeof from, "%s/objects/%.2s/%s.zst", folder, other, other + 2);
  snprintf(to, sizeof to, "%s/objects/%.2s/%s.zst", folder, name, name + 2);
  assert_int_equal(rename(from, to), 0);
  assert_int_equal(objects_get(o, name, &fd, &size, &e), -1);
  assert_non_null(strstr(e.message, "is damaged on disk"));
  assert_int_equal(objects_get(o, other, &fd, &size, &e), -1);
  assert_string_equal(e.code, "OBJECT_MISSING");
  objects_close(o);
  help_remove(folder);
}

static void refuses_other_names(void **state) {
  (void)state;
  char *folder = help_folder();
  int fd;
  int64_t size;
  dts_error e = {0};
  objects *o = open_in(folder);
  assert_int_equal(objects_get(o, "../../etc/passwd", &fd, &size, &e), -1);
  assert_string_equal(e.message, "object \"../../etc/passwd\": 64 hexadecimal digits expected");
  assert_int_equal(objects_delete(o, "..", INT64_MAX, &e), -1);
  assert_false(objects_has(o, NULL));
  objects_close(o);
  assert_null(objects_open("s3://bucket/x", &e));
  assert_string_equal(e.message, "objects \"s3://bucket/x\": file:FOLDER expected");
  assert_null(objects_open("ftp:x", &e));
  help_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_snapshots_compressed), cmocka_unit_test(gives_sealed_memory),
      cmocka_unit_test(keeps_uploads_plain),        cmocka_unit_test(a_put_renews_what_is_there),
      cmocka_unit_test(removes_what_a_crash_left),  cmocka_unit_test(notices_damage),
      cmocka_unit_test(refuses_other_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
