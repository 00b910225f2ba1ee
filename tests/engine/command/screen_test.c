/* screen_test.c -- tables, widths, times, CSV and errors as people see them, word for word.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/report.h"
#include "command/screen.h"
#include "format/date.h"
#include "format/json.h"

static value read_json(arena *a, const char *text) {
  value v;
  assert_int_equal(0, json_read(a, text, strlen(text), &v, NULL));
  return v;
}

/* What a print function wrote. */
typedef struct page {
  char *text; /* free() it after page_close */
  size_t size;
  screen screen;
} page;

static void page_open(page *p, size_t width) {
  *p = (page){.screen = {.width = width}};
  p->screen.out = open_memstream(&p->text, &p->size);
}

static char *page_text(page *p) {
  fclose(p->screen.out);
  return p->text;
}

static void measures(void **state) {
  (void)state;
  assert_int_equal(5, screen_width("abc12", 5));
  assert_int_equal(2, screen_width("é1", strlen("é1")));
  assert_int_equal(4, screen_width("中文", strlen("中文")));
  assert_int_equal(1, screen_width("e\xCC\x81", 3)); /* e with a combining acute */
  assert_int_equal(2, screen_width("😀", strlen("😀")));
  assert_int_equal(6, screen_width("a\xFF"
                                   "b",
                                   3)); /* a broken byte stands as \xFF */
  assert_int_equal(2, screen_width("🚀", strlen("🚀")));
  assert_int_equal(6, screen_width("\u202E", 3)); /* turns what follows: shown, not sent */
  assert_int_equal(0, screen_width("", 0));
}

static void check_fit(const char *text, size_t width, bool pad, const char *expected) {
  buffer b;
  buffer_init(&b, 4096);
  screen_fit(&b, text, strlen(text), width, pad);
  assert_string_equal(expected, buffer_text(&b));
  buffer_free(&b);
}

static void cuts_and_pads(void **state) {
  (void)state;
  check_fit("abcdef", 6, false, "abcdef");
  check_fit("abcdef", 5, false, "abcd…");
  check_fit("ab", 5, true, "ab   ");
  check_fit("中文字", 5, true, "中文…");
  check_fit("中文字", 4, true, "中… "); /* half a character does not fit */
  check_fit("a\nb\x1B[31m", 20, false, "a\\nb\\x1B[31m");
  check_fit("\xC2\x9B"
            "2J",
            20, false, "\\x9B2J");   /* C1: an escape in one byte */
  check_fit("a\nb", 3, false, "a…"); /* an escape is not cut in two */
  check_fit("abc", 1, false, "…");
}

static void goes_on_below(void **state) {
  (void)state;
  assert_int_equal(3, screen_take("ab cd", 5, 4)); /* up to the blank */
  assert_int_equal(4, screen_take("abcdef", 6, 4));
  assert_int_equal(2, screen_take("ab", 2, 9));
  assert_int_equal(3, screen_take("中文", 6, 1)); /* one at least */
  buffer b;
  buffer_init(&b, 4096);
  screen_lines(&b, "one\ntwo\x07", 8, 2);
  assert_string_equal("one\n  two\\x07", buffer_text(&b));
  buffer_free(&b);
}

static const char result[] = "{\"columns\":[\"name\",\"rows\",\"at\",\"note\"],\"rows\":["
                             "[\"a\",1,\"2026-03-10T13:00:00.000Z\",null],[\"中文\",12345,null,\"a "
                             "much longer text here\"]]}";

static void prints_tables(void **state) {
  (void)state;
  arena a = {0};
  value v = read_json(&a, result);
  zone *z = zone_open("America/Sao_Paulo", NULL);
  page p;
  page_open(&p, 0);
  screen_table(&p.screen, &v, z);
  char *text = page_text(&p);
  assert_string_equal("name   rows  at (America/Sao_Paulo)  note\n"
                      "a         1  2026-03-10 10:00:00\n"
                      "中文  12345                          a much longer text here\n",
                      text);
  free(text);
  zone_close(z);
  arena_free(&a);
}

static void fits_the_terminal(void **state) {
  (void)state;
  arena a = {0};
  value v = read_json(&a, result);
  page p;
  page_open(&p, 40);
  screen_table(&p.screen, &v, NULL);
  char *text = page_text(&p);
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
    assert_true(screen_width(line, strlen(line)) <= 40);
  free(text);
  arena_free(&a);
}

static void check_table(size_t width, bool wrap, const char *json, const zone *z,
                        const char *expected) {
  static const char *const spare[] = {"version", "nothing", "ended", NULL};
  arena a = {0};
  value v = read_json(&a, json);
  page p;
  page_open(&p, width);
  p.screen.wrap = wrap;
  p.screen.spare = spare;
  screen_table(&p.screen, &v, z);
  char *text = page_text(&p);
  assert_string_equal(expected, text);
  free(text);
  arena_free(&a);
}

/* Short times; without version; without ended as well; texts are cut; then even numbers. */
static void gives_up_what_it_can_do_without(void **state) {
  (void)state;
  static const char runs[] =
      "{\"columns\":[\"id\",\"ended\",\"rows\",\"error\",\"version\"],\"rows\":[[12345678,"
      "\"2026-03-10T13:00:01.000Z\",1,\"a text that is longer than the room there is\","
      "\"5ebb5048\"],[7,null,12345,null,null]]}";
  zone *z = zone_open("Europe/Berlin", NULL);
  static const char wide[] = "      id  ended (Europe/Berlin)   rows  error                        "
                             "                 version\n"
                             "12345678  2026-03-10 14:00:01        1  a text that is longer than "
                             "the room there is  5ebb5048\n"
                             "       7                         12345\n";
  check_table(0, false, runs, z, wide);
  check_table(100, false, runs, z, wide);
  check_table(
      90, false, runs, z,
      "      id  ended              rows  error                                         version\n"
      "12345678  2026-03-10 14:00      1  a text that is longer than the room there is  5ebb5048\n"
      "       7                    12345\n"
      "times: Europe/Berlin\n");
  check_table(75, false, runs, z,
              "      id  ended              rows  error\n"
              "12345678  2026-03-10 14:00      1  a text that is longer than the room the…\n"
              "       7                    12345\n"
              "times: Europe/Berlin; left out at this width: version\n");
  check_table(66, false, runs, z,
              "      id   rows  error\n"
              "12345678      1  a text that is longer than the room there is\n"
              "       7  12345\n"
              "left out at this width: version, ended\n");
  check_table(30, false, runs, z,
              "      id   rows  error\n"
              "12345678      1  a text that …\n"
              "       7  12345\n"
              "left out at this width: version, ended\n");
  check_table(20, false, runs, z,
              "    id   rows  error\n"
              "12345…      1  a tex…\n"
              "     7  12345\n"
              "left out at this width: version, ended\n");
  check_table(48, true, runs, z,
              "      id   rows  error\n"
              "12345678      1  a text that is longer than the\n"
              "                 room there is\n"
              "       7  12345\n"
              "left out at this width: version, ended\n");
  zone_close(z);
}

/* Today's date is not repeated, and does not cost the error its room. */
static void shortens_todays_times(void **state) {
  (void)state;
  arena a = {0};
  char now[25];
  timestamp_write(clock_now_ms(), now);
  zone *z = zone_open("UTC", NULL);
  const char *json = arena_format(
      &a, "{\"columns\":[\"at\",\"error\"],\"rows\":[[\"%s\",\"what went wrong is told here\"]]}",
      now);
  check_table(42, false, json, z,
              arena_format(&a,
                           "at        error\n%.8s  what went wrong is told here\n"
                           "times: UTC\n",
                           now + 11));
  check_table(0, false, json, z,
              arena_format(&a,
                           "at (UTC)             error\n%.10s %.8s  what went wrong is told here\n",
                           now, now + 11));
  zone_close(z);
  arena_free(&a);
}

static void prints_csv_and_objects(void **state) {
  (void)state;
  arena a = {0};
  value v = read_json(
      &a, "{\"columns\":[\"a\",\"b\"],\"rows\":[[1,\"x, \\\"y\\\"\"],[null,\"two\\nlines\"]]}");
  page p;
  page_open(&p, 0);
  screen_csv(p.screen.out, &v);
  char *text = page_text(&p);
  assert_string_equal("a,b\r\n1,\"x, \"\"y\"\"\"\r\n,\"two\nlines\"\r\n", text);
  free(text);
  page_open(&p, 0);
  screen_objects(p.screen.out, &v);
  text = page_text(&p);
  value back = read_json(&a, text);
  assert_int_equal(2, back.list.count);
  assert_int_equal(1, value_get_integer(&back.list.items[0], "a", 0));
  assert_null(value_get(&back.list.items[1], "a"));
  assert_string_equal("two\nlines", value_get_text(&back.list.items[1], "b", ""));
  free(text);
  arena_free(&a);
}

static void counts(void **state) {
  (void)state;
  static const struct {
    int64_t n;
    const char *text;
  } rows[] = {{0, "0 rows"},
              {1, "1 row"},
              {999, "999 rows"},
              {1000, "1,000 rows"},
              {1234567, "1,234,567 rows"},
              {-1000, "-1,000 rows"},
              {-100, "-100 rows"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    buffer b;
    buffer_init(&b, 64);
    screen_count(&b, rows[i].n, "row");
    assert_string_equal(rows[i].text, buffer_text(&b));
    buffer_free(&b);
  }
}

/* ---- errors ---- */

static const char later[] =
    "{\"code\":\"HTTP_LATER\",\"message\":\"api.bcb.gov.br answered 429 and asks to wait 60 s\","
    "\"hint\":\"this run is queued again at 10:31; no retry is used "
    "up\",\"where\":\"pipelines/fuel/quotes.lua:14\","
    "\"line\":14,\"source\":[[13,\"  run = function(ctx, span)\"],"
    "[14,\"    ctx:put(\\\"quotes\\\", bcb.series(span.with.code, span.from, span.to), { info_type "
    "= span.key })\"],"
    "[15,\"  end,\"]]}";

static void check_report(const char *json, const char *root, const char *expected) {
  arena a = {0};
  buffer b;
  value v = read_json(&a, json);
  buffer_init(&b, 8192);
  report_text(&b, &v, root, false);
  assert_string_equal(expected, buffer_text(&b));
  buffer_free(&b);
  arena_free(&a);
}

static void reports(void **state) {
  (void)state;
  check_report(later, NULL,
               "pipelines/fuel/quotes.lua:14: api.bcb.gov.br answered 429 and asks to wait 60 s "
               "[HTTP_LATER]\n"
               "\n"
               "  14 |     ctx:put(\"quotes\", bcb.series(span.with.code, span.from, span.to), { "
               "info_type = span.key })\n"
               "\n"
               "hint: this run is queued again at 10:31; no retry is used up\n"
               "more: dts help HTTP_LATER\n");
  check_report("{\"code\":\"PIPELINE\",\"message\":\"no pipeline 'x'\"}", NULL,
               "no pipeline 'x' [PIPELINE]\n\nmore: dts help PIPELINE\n");
  check_report("{\"code\":\"A\",\"message\":\"m\",\"where\":\"gone.lua:3\"}", "/nonexistent",
               "gone.lua:3: m [A]\n\nmore: dts help A\n");
}

static void reads_the_line_from_the_file(void **state) {
  (void)state;
  char folder[] = "/tmp/dts-report-XXXXXX", path[64];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/x.lua", folder);
  FILE *f = fopen(path, "w");
  fputs("one\ntwo\r\nthree", f);
  fclose(f);
  check_report("{\"code\":\"A\",\"message\":\"m\",\"where\":\"x.lua:2\"}", folder,
               "x.lua:2: m [A]\n\n  2 | two\n\nmore: dts help A\n");
  check_report("{\"code\":\"A\",\"message\":\"m\",\"where\":\"x.lua:9\"}", folder,
               "x.lua:9: m [A]\n\nmore: dts help A\n");
  unlink(path);
  rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(measures),
                                     cmocka_unit_test(cuts_and_pads),
                                     cmocka_unit_test(goes_on_below),
                                     cmocka_unit_test(prints_tables),
                                     cmocka_unit_test(fits_the_terminal),
                                     cmocka_unit_test(gives_up_what_it_can_do_without),
                                     cmocka_unit_test(shortens_todays_times),
                                     cmocka_unit_test(prints_csv_and_objects),
                                     cmocka_unit_test(counts),
                                     cmocka_unit_test(reports),
                                     cmocka_unit_test(reads_the_line_from_the_file)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
