/* intake_test.c -- files by upload and by folder: who wants them, once for each content, whole or
 * not yet.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/input_kernel.h"

#include <fcntl.h>
#include <utime.h>

#define FILES(name, line, patterns)                                                                \
  "{\"noun\":\"pipeline\",\"name\":\"" name "\",\"file\":\"pipelines/test.lua\",\"line\":" #line   \
  ",\"trigger\":\"files\",\"retry\":5,\"files\":[" patterns "]}"
#define TWO                                                                                        \
  "[" FILES("sales", 1, "\"incoming/sales-*.csv\"") "," FILES(                                     \
      "stock", 2, "\"incoming/stock.csv\",\"other/*.txt\"") "]"

static input_answer *upload(input_kernel *k, const char *name, const char *bytes) {
  arena a = {0};
  char object[65];
  value command = value_map();
  assert_int_equal(objects_put(k->kernel.objects, bytes, strlen(bytes), object, NULL), 0);
  value_set(&a, &command, "file", value_text(name));
  value_set(&a, &command, "object", value_text(object));
  value_set(&a, &command, "size", value_integer((int64_t)strlen(bytes)));
  input_answer *answer = input_ask(k, control_file, command);
  arena_free(&a);
  return answer;
}

static int64_t count(input_kernel *k, const char *sql) { return help_count(k->kernel.store, sql); }

static void is_taken_once_for_each_content(void **state) {
  (void)state;
  input_kernel *k = input_open(TWO, NULL);
  input_answer *a = upload(k, "sales-1.csv", "a;b\n1;2\n");
  if (a->failed) fail_msg("%s", a->error.message);
  int64_t id = value_get_integer(&a->answer, "id", -1);
  assert_string_equal(value_get_text(&a->answer, "pipeline", ""), "sales");
  assert_true(value_get_boolean(&a->answer, "fresh", false));
  input_forget(a);
  a = upload(k, "sales-1.csv", "a;b\n1;2\n");
  assert_int_equal(value_get_integer(&a->answer, "id", -1), id);
  assert_false(value_get_boolean(&a->answer, "fresh", true));
  input_forget(a);
  assert_int_equal(count(k, "select count(*) from dts_job"), 1);
  a = upload(k, "sales-1.csv", "a;b\n1;3\n"); /* another content is another file */
  assert_int_not_equal(value_get_integer(&a->answer, "id", -1), id);
  input_forget(a);
  a = upload(k, "sales-2.csv", "a;b\n1;2\n"); /* another name is not */
  assert_false(value_get_boolean(&a->answer, "fresh", true));
  assert_int_equal(value_get_integer(&a->answer, "id", -1), id);
  input_forget(a);
  a = upload(k, "stock.csv", "a;b\n1;2\n"); /* another pipeline has not seen it */
  assert_true(value_get_boolean(&a->answer, "fresh", false));
  assert_string_equal(value_get_text(&a->answer, "pipeline", ""), "stock");
  input_forget(a);
  assert_int_equal(count(k, "select count(*) from dts_job where kind = 'file' and trigger = "
                            "'files' and state = 'queued'"),
                   3);
  assert_int_equal(
      count(k,
            "select count(*) from dts_job j join dts_file f on f.job = j.id where "
            "json_extract(j.input, "
            "'$.object') = f.sha256 and json_extract(j.input, '$.size') = 8 and j.name = f.name"),
      3);
  assert_int_equal(count(k, "select count(*) from dts_files where state = 'queued'"), 3);
  input_close(k);
}

static void expect_refused(input_kernel *k, const char *name, const char *code, int status,
                           const char *words) {
  input_answer *a = upload(k, name, "x");
  assert_true(a->failed);
  assert_string_equal(a->error.code, code);
  assert_int_equal(a->error.status, status);
  if (!strstr(a->error.message, words) && !strstr(a->error.hint, words))
    fail_msg("%s (%s)", a->error.message, a->error.hint);
  input_forget(a);
}

static void refuses_what_nobody_or_two_want(void **state) {
  (void)state;
  input_kernel *k = input_open("[" FILES("sales", 1, "\"incoming/sales-*.csv\"") "," FILES(
                                   "all", 2, "\"more/*-2026.csv\"") "]",
                               NULL);
  expect_refused(k, "budget.csv", "NO_PIPELINE", 409,
                 "the patterns are: incoming/sales-*.csv (sales), more/*-2026.csv (all)");
  expect_refused(k, "sales-2026.csv", "AMBIGUOUS", 409, "'sales' and 'all'");
  expect_refused(k, "../sales-1.csv", "FILE_NAME", 422, "no slash");
  expect_refused(k, ".sales-1.csv", "FILE_NAME", 422, "no slash");
  expect_refused(k, "", "FILE_NAME", 422, "no slash");
  expect_refused(k, "sales-\n.csv", "FILE_NAME", 422, "no slash");
  assert_int_equal(count(k, "select count(*) from dts_job"), 0);
  input_close(k);
}

static void needs_the_bytes(void **state) {
  (void)state;
  input_kernel *k = input_open(TWO, NULL);
  const char *const bad[] = {"", "../../etc/passwd",
                             "0123456789012345678901234567890123456789012345678901234567890123"};
  for (size_t i = 0; i < 3; i++) {
    arena m = {0};
    value command = value_map();
    value_set(&m, &command, "file", value_text("stock.csv"));
    value_set(&m, &command, "object", value_text(bad[i]));
    input_answer *a = input_ask(k, control_file, command);
    assert_true(a->failed);
    assert_string_equal(a->error.code, "OBJECT");
    input_forget(a);
    arena_free(&m);
  }
  input_close(k);
}

static void knows_folders_of_patterns(void **state) {
  (void)state;
  char out[64];
  assert_int_equal(intake_folder_of("incoming/a-*.csv", out, sizeof out), 0);
  assert_string_equal(out, "incoming");
  assert_int_equal(intake_folder_of("*.csv", out, sizeof out), 0);
  assert_string_equal(out, "");
  assert_int_equal(intake_folder_of("/etc/*.csv", out, sizeof out), -1);
  assert_int_equal(intake_folder_of("../x/*.csv", out, sizeof out), -1);
  assert_int_equal(intake_folder_of("in*/x.csv", out, sizeof out), -1);
}

/* ---- the folder ---- */

static void wait_for(input_kernel *k, const char *sql, int64_t wanted) {
  for (int i = 0; i < 200 && count(k, sql) != wanted; i++) loop_turn(k->kernel.loop, 25);
  input_settle(k);
  assert_int_equal(count(k, sql), wanted);
}

static void turn_for(input_kernel *k, int ms) {
  int64_t until = loop_elapsed(k->kernel.loop) + ms;
  while (loop_elapsed(k->kernel.loop) < until) loop_turn(k->kernel.loop, 20);
}

static void write_part(input_kernel *k, const char *path, const char *text, int *fd) {
  char whole[300];
  snprintf(whole, sizeof whole, "%s/%s", k->folder, path);
  if (*fd < 0) *fd = open(whole, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  assert_int_equal(write(*fd, text, strlen(text)), strlen(text));
}

static void watches_the_folder(void **state) {
  (void)state;
  input_kernel *k = input_open(TWO, NULL);
  intake_start(k->kernel.intake);
  input_settle(k);
  input_file(k, "incoming/sales-1.csv", "one"); /* moved in whole */
  wait_for(k, "select count(*) from dts_file", 1);
  input_file(k, "other/a.txt", "two");
  input_file(k, "other/sales-2.csv", "not here");
  input_file(k, "incoming/readme.md", "nobody");
  wait_for(k, "select count(*) from dts_file", 2);
  assert_int_equal(
      count(k, "select count(*) from dts_job where pipeline = 'stock' and name = 'a.txt'"), 1);
  int fd = -1;
  write_part(k, "incoming/sales-3.csv", "half ", &fd);
  turn_for(k, 200);
  assert_int_equal(count(k, "select count(*) from dts_file"), 2); /* not before it is closed */
  write_part(k, "incoming/sales-3.csv", "whole", &fd);
  close(fd);
  wait_for(k, "select count(*) from dts_file where name = 'sales-3.csv' and size = 10", 1);
  input_file(k, "incoming/sales-1.csv", "one"); /* the same again */
  turn_for(k, 200);
  input_settle(k);
  assert_int_equal(count(k, "select count(*) from dts_file"), 3);
  input_file(k, "incoming/sales-4.csv", "one"); /* and under another name */
  turn_for(k, 200);
  input_settle(k);
  assert_int_equal(count(k, "select count(*) from dts_file"), 3);
  input_file(k, "incoming/sales-1.csv", "corrected");
  wait_for(k, "select count(*) from dts_file", 4);
  char path[300];
  snprintf(path, sizeof path, "%s/incoming/sales-1.csv", k->folder);
  assert_true(file_exists(path)); /* left in place */
  input_close(k);
}

/* A full disk, here a folder that is away: the file is taken once it can be kept. */
static void takes_later_what_could_not_be_kept(void **state) {
  (void)state;
  input_kernel *k = input_open(TWO, NULL);
  char kept[300], away[300];
  snprintf(kept, sizeof kept, "%s/objects/new", k->folder);
  snprintf(away, sizeof away, "%s/objects/away", k->folder);
  intake_start(k->kernel.intake);
  input_settle(k);
  assert_int_equal(rename(kept, away), 0);
  input_file(k, "incoming/sales-1.csv", "one");
  turn_for(k, 300);
  assert_int_equal(count(k, "select count(*) from dts_file"), 0);
  assert_int_equal(rename(away, kept), 0);
  turn_for(k, 5000);
  wait_for(k, "select count(*) from dts_file", 1);
  input_close(k);
}

static void finds_what_lay_there(void **state) {
  (void)state;
  input_kernel *k = input_open(TWO, NULL);
  char link[300];
  k->now = 4102444800000; /* later than any of these files */
  for (int i = 0; i < 5; i++) {
    char name[60];
    snprintf(name, sizeof name, "incoming/sales-%d.csv", i);
    input_file(k, name, name);
  }
  snprintf(link, sizeof link, "%s/incoming/sales-link.csv", k->folder);
  assert_int_equal(symlink("/etc/hostname", link), 0);
  intake_start(k->kernel.intake);
  turn_for(k, 300);
  assert_int_equal(count(k, "select count(*) from dts_file"), 0); /* still for a second first */
  int fd = -1;
  write_part(k, "incoming/sales-0.csv", "grows and grows", &fd); /* open: it still grows */
  wait_for(k, "select count(*) from dts_file", 5);
  close(fd);
  wait_for(k, "select count(*) from dts_file where size = 20 or size = 21", 5);
  assert_int_equal(count(k, "select count(*) from dts_file where name = 'sales-link.csv'"), 0);
  value event = value_map();
  arena a = {0};
  value_set(&a, &event, "name", value_text("reload"));
  kernel_tell(&k->kernel, 0, &event); /* looked at again: nothing is new */
  arena_free(&a);
  turn_for(k, 100);
  input_settle(k);
  assert_int_equal(count(k, "select count(*) from dts_job"),
                   count(k, "select count(*) from dts_file"));
  input_close(k);
}

static void follows_a_reload(void **state) {
  (void)state;
  input_kernel *k = input_open(TWO, NULL);
  intake_start(k->kernel.intake);
  input_settle(k);
  registry *old = k->set;
  k->set = input_set("[" FILES("late", 1, "\"late/*.csv\"") "]");
  registry_release(old);
  input_file(k, "late/a.csv", "was there before");
  value event = value_map();
  arena a = {0};
  value_set(&a, &event, "name", value_text("reload"));
  kernel_tell(&k->kernel, 0, &event);
  arena_free(&a);
  wait_for(k, "select count(*) from dts_file where pipeline = 'late'", 1);
  input_file(k, "incoming/sales-9.csv", "no longer wanted");
  turn_for(k, 200);
  input_settle(k);
  assert_int_equal(count(k, "select count(*) from dts_file"), 1);
  input_close(k);
}

static void reload(input_kernel *k) {
  arena a = {0};
  value event = value_map();
  value_set(&a, &event, "name", value_text("reload"));
  kernel_tell(&k->kernel, 0, &event);
  arena_free(&a);
  turn_for(k, 100);
  input_settle(k);
}

/* What the log says of `name`, line by line. */
static int lines_about(const char *path, const char *name) {
  char line[4200];
  int found = 0;
  FILE *f = fopen(path, "r");
  assert_non_null(f);
  while (fgets(line, sizeof line, f))
    found += strstr(line, name) && strstr(line, "wanted by two pipelines, 'bank' and 'stock'");
  fclose(f);
  return found;
}

static void tells_once_of_a_file_that_two_want(void **state) {
  (void)state;
  input_kernel *k = input_open(
      "[" FILES("bank", 1, "\"in/bank-*.csv\"") "," FILES("stock", 2, "\"in/*.csv\"") "]", NULL);
  char log[300];
  snprintf(log, sizeof log, "%s/log", k->folder);
  int kept = dup(2), fd = open(log, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  dup2(fd, 2);
  input_file(k, "in/bank-1.csv", "lay there before");
  intake_start(k->kernel.intake);
  input_settle(k);
  input_file(k, "in/bank-2.csv", "comes");
  turn_for(k, 200);
  reload(k);
  reload(k);
  dup2(kept, 2);
  close(kept), close(fd);
  assert_int_equal(lines_about(log, "in/bank-1.csv stays where it is"), 1);
  assert_int_equal(lines_about(log, "in/bank-2.csv stays where it is"), 1);
  assert_int_equal(count(k, "select count(*) from dts_file"), 0);
  registry_release(k->set);
  k->set = input_set("[" FILES("bank", 1, "\"in/bank-*.csv\"") "]");
  reload(k);
  wait_for(k, "select count(*) from dts_file where pipeline = 'bank'", 2);
  input_close(k);
}

static void takes_no_more_once_it_stops(void **state) {
  (void)state;
  input_kernel *k = input_open(TWO, NULL);
  for (int i = 0; i < 200; i++) {
    char name[64];
    snprintf(name, sizeof name, "incoming/sales-%d.csv", i);
    input_file(k, name, name);
  }
  intake_start(k->kernel.intake);
  while (!count(k, "select count(*) from dts_file")) loop_turn(k->kernel.loop, 10);
  intake_stop(k->kernel.intake);
  while (k->kernel.writes || loop_busy(k->kernel.loop)) loop_turn(k->kernel.loop, 50);
  assert_in_range(count(k, "select count(*) from dts_file"), 1, 10);
  intake_close(k->kernel.intake);
  k->kernel.intake = intake_open(&k->kernel);
  input_close(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(is_taken_once_for_each_content),
      cmocka_unit_test(refuses_what_nobody_or_two_want),
      cmocka_unit_test(needs_the_bytes),
      cmocka_unit_test(knows_folders_of_patterns),
      cmocka_unit_test(watches_the_folder),
      cmocka_unit_test(takes_later_what_could_not_be_kept),
      cmocka_unit_test(finds_what_lay_there),
      cmocka_unit_test(follows_a_reload),
      cmocka_unit_test(tells_once_of_a_file_that_two_want),
      cmocka_unit_test(takes_no_more_once_it_stops),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
