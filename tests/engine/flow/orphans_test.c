/* orphans_test.c -- of old objects those go that no row names, and no others.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "flow/kernel/orphans.h"
#include "flow/kernel/schema.h"
#include "format/json.h"

enum { DAY_S = 86400, NAMED = 5, ALL = 8 };

typedef struct house {
  char folder[64], names[ALL][65];
  store *store;
  objects *objects;
} house;

/* One row for each column that names an object. */
static const char *const rows[NAMED] = {
    "insert into dts_archive (source, day, at, object, size) values ('s', '2026-03-01', 1, ?1, 1)",
    "insert into dts_validator (source, url, object, status, at) values ('s', 'u', ?1, 200, 1)",
    "insert into dts_file (name, size, sha256, at) values ('f.csv', 1, ?1, 1)",
    "insert into dts_replaced (sha256, file) values (?1, 1)",
    "insert into dts_job (firing, pipeline, trigger, kind, input, state, once, retry_limit, "
    "attempts, retry_count, deferrals, handbacks, interruptions, worker_deaths, releases, epoch, "
    "run_at, lease_until, deadline, created, age_from, ended) values (1, 'p', 'hand', 'file', "
    "json_object('name', 'f', 'object', ?1), 'queued', 1, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "
    "0, 0)"};

static int add_rows(store_conn *c, void *arg, dts_error *e) {
  house *h = arg;
  for (size_t i = 0; i < NAMED; i++) {
    value params[] = {value_text(h->names[i])};
    if (store_exec(c, rows[i], params, 1, e) < 0) return -1;
  }
  return 0;
}

static void age(const house *h, const char *name, int days) {
  char path[256];
  struct timespec when[2] = {{.tv_sec = time(NULL) - days * DAY_S}};
  when[1] = when[0];
  snprintf(path, sizeof path, "%s/%.2s/%.62s.zst", h->folder, name, name + 2);
  assert_int_equal(0, utimensat(AT_FDCWD, path, when, 0));
}

static int sweep(house *h) {
  int64_t before = ((int64_t)time(NULL) - 7 * DAY_S) * 1000;
  int all = 0;
  for (int first = 0; first < 16; first++) {
    dts_error e = {0};
    int n = orphans_remove(h->store, h->objects, first, before, &e);
    if (n < 0) fail_msg("%s", e.message);
    all += n;
  }
  return all;
}

static void open_house(house *h) {
  char url[80];
  dts_error e = {0};
  store_options options = {0};
  *h = (house){.folder = "/tmp/dts-orphans-XXXXXX"};
  assert_non_null(mkdtemp(h->folder));
  snprintf(url, sizeof url, "file:%s", h->folder);
  h->objects = objects_open(url, &e);
  h->store = store_open("sqlite::memory:", &options, &e);
  assert_non_null(h->objects);
  assert_non_null(h->store);
  assert_int_equal(0, schema_create(h->store, &e));
  for (int i = 0; i < ALL; i++)
    assert_int_equal(0, objects_put(h->objects, &i, sizeof i, h->names[i], &e));
}

static void close_house(house *h) {
  char command[100];
  store_close(h->store);
  objects_close(h->objects);
  snprintf(command, sizeof command, "rm -rf '%s'", h->folder);
  assert_int_equal(0, system(command));
}

static void old_objects_without_a_row_go(void **state) {
  (void)state;
  house h;
  dts_error e = {0};
  char again[65];
  int last = ALL - 1;
  open_house(&h);
  if (store_write(h.store, add_rows, &h, &e) < 0) fail_msg("%s", e.message);
  for (int i = 0; i < ALL; i++) age(&h, h.names[i], 6);
  assert_int_equal(0, sweep(&h));
  for (int i = 0; i < ALL; i++) age(&h, h.names[i], 8);
  assert_int_equal(0, objects_put(h.objects, &last, sizeof last, again, &e)); /* put again */
  assert_int_equal(ALL - NAMED - 1, sweep(&h));
  for (int i = 0; i < ALL; i++)
    assert_int_equal(i < NAMED || i == last, objects_has(h.objects, h.names[i]));
  assert_int_equal(0, sweep(&h));
  close_house(&h);
}

/* A dry run reads objects through links: theirs are not its own. */
static void links_and_other_files_stay(void **state) {
  (void)state;
  house h;
  char path[256], moved[256], other[256];
  const char *name;
  open_house(&h);
  name = h.names[0];
  age(&h, name, 8);
  snprintf(path, sizeof path, "%s/%.2s/%.62s.zst", h.folder, name, name + 2);
  snprintf(moved, sizeof moved, "%s/elsewhere", h.folder);
  snprintf(other, sizeof other, "%s/%.2s/notes.txt", h.folder, h.names[1]);
  assert_int_equal(0, rename(path, moved));
  assert_int_equal(0, symlink(moved, path));
  int fd = open(other, O_CREAT | O_WRONLY, 0600);
  struct timespec when[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
  assert_int_equal(0, futimens(fd, when));
  close(fd);
  assert_int_equal(0, sweep(&h));
  assert_int_equal(0, access(path, F_OK));
  assert_int_equal(0, access(other, F_OK));
  close_house(&h);
}

static bool shared(const char *json) {
  arena a = {0};
  value config;
  assert_int_equal(0, json_read(&a, json, strlen(json), &config, NULL));
  bool found = orphans_shared(&config);
  arena_free(&a);
  return found;
}

static void a_folder_of_two_stores_is_left_alone(void **state) {
  (void)state;
  assert_false(shared("{}"));
  assert_false(shared("{\"name\":\"x\",\"env\":{\"dev\":{\"name\":\"y\"}}}"));
  assert_true(shared("{\"objects\":\"file:/srv/objects\"}"));
  assert_true(shared("{\"store\":\"sqlite:a.db\"}"));
  assert_true(shared("{\"env\":{\"dev\":{\"store\":\"sqlite:dev.db\"}}}"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(old_objects_without_a_row_go),
                                     cmocka_unit_test(links_and_other_files_stay),
                                     cmocka_unit_test(a_folder_of_two_stores_is_left_alone)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
