/* The states of an alert as traces, and what people read.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/flow_help.h"

#include "flow/alerts/alert_message.h"
#include "flow/alerts/alert_step.h"

/* A trace: at minute, rows (R), none (-) or told (T); then the state and the notice that is owed. */
typedef struct event {
  int minute;
  char what;
  const char *state, *notice;
} event;

enum { MINUTE = 60000 };

static void follow(const event *events, size_t count, int hold, int remind) {
  alert_state s = {0};
  for (size_t i = 0; i < count; i++) {
    int64_t now = (1000 + events[i].minute) * (int64_t)MINUTE;
    alert_notice n = NOTICE_NONE;
    if (events[i].what == 'T')
      alert_told(&s, now);
    else
      n = alert_asked(&s, events[i].what == 'R', now, hold * MINUTE, remind * MINUTE);
    if (strcmp(alert_name_text(s.name), events[i].state) ||
        strcmp(alert_notice_text(n), events[i].notice))
      fail_msg("event %zu: %s and %s expected, got %s and %s", i, events[i].state, events[i].notice,
               alert_name_text(s.name), alert_notice_text(n));
  }
}

#define FOLLOW(hold, remind, ...)                                                                  \
  follow((const event[]){__VA_ARGS__}, sizeof((const event[]){__VA_ARGS__}) / sizeof(event), hold, \
         remind)

static void traces(void **state) {
  (void)state;
  /* told once, reminded, ended */
  FOLLOW(30, 60, {0, 'R', "pending", "none"}, {10, 'R', "pending", "none"},
         {30, 'R', "firing", "firing"}, {31, 'T', "told", "none"}, {40, 'R', "told", "none"},
         {90, 'R', "told", "none"}, {91, 'R', "reminding", "reminder"}, {92, 'T', "told", "none"},
         {100, 'R', "told", "none"}, {110, '-', "recovering", "recovered"},
         {111, 'T', "ok", "none"}, {120, '-', "ok", "none"});
  /* without hold at once; without remind never again */
  FOLLOW(0, 0, {0, 'R', "firing", "firing"}, {1, 'T', "told", "none"},
         {99999, 'R', "told", "none"});
  /* shorter than hold: nobody hears of it, and it begins anew */
  FOLLOW(30, 0, {0, 'R', "pending", "none"}, {20, '-', "ok", "none"}, {29, 'R', "pending", "none"},
         {40, 'R', "pending", "none"}, {59, 'R', "firing", "firing"});
  /* what could not be sent stays owed */
  FOLLOW(0, 0, {0, 'R', "firing", "firing"}, {10, 'R', "firing", "firing"},
         {20, 'R', "firing", "firing"}, {21, 'T', "told", "none"});
  FOLLOW(0, 0, {0, 'R', "firing", "firing"}, {10, '-', "recovering", "recovered"},
         {20, '-', "recovering", "recovered"}, {21, 'T', "ok", "none"});
  FOLLOW(0, 5, {0, 'R', "firing", "firing"}, {1, 'T', "told", "none"},
         {6, 'R', "reminding", "reminder"}, {12, 'R', "reminding", "reminder"},
         {13, '-', "recovering", "recovered"}, {14, 'R', "firing", "firing"});
}

static void nothing_is_told_twice(void **state) {
  (void)state;
  unsigned seed = 3;
  for (int run = 0; run < 2000; run++) {
    alert_state s = {0};
    bool open = false; /* told of a firing, and not yet of its end */
    for (int i = 0; i < 60; i++) {
      seed = seed * 1664525u + 1013904223u;
      int64_t now = (i + 1) * (int64_t)MINUTE;
      alert_notice n =
          alert_asked(&s, (seed >> 20) % 3 != 0, now, (run % 4) * MINUTE, (run % 5) * MINUTE);
      if (n == NOTICE_NONE || (seed >> 10) % 4 == 0) continue; /* the sending failed */
      if (n == NOTICE_REMINDER) assert_true(open);
      if (n == NOTICE_FIRING && s.told) assert_false(open);
      open = n != NOTICE_RECOVERY;
      alert_told(&s, now);
      assert_int_equal(alert_asked(&s, open, now, (run % 4) * MINUTE, 100 * MINUTE), NOTICE_NONE);
    }
  }
}

static void what_people_read(void **state) {
  (void)state;
  arena a = {0};
  value columns = help_json(&a, "[\"info_type\",\"last\"]"), rows = value_list();
  for (int i = 0; i < 12; i++)
    value_add(&a, &rows, help_json(&a, "[\"CURRENCY#USD\",\"2026-03-02\"]"));
  zone *z = zone_open("America/Sao_Paulo", NULL);
  alert_message m = {.project = "fuel",
                     .alert = "fuel_stale",
                     .message = "No {info_type} since {last}, {nothing}.",
                     .notice = NOTICE_FIRING,
                     .since = 1773147600000,
                     .now = 1773149400000,
                     .zone = z,
                     .columns = &columns,
                     .rows = &rows};
  assert_string_equal(alert_message_subject(&m, &a), "[fuel] fuel_stale: firing (12 rows)");
  const char *text = alert_message_text(&m, &a);
  assert_non_null(strstr(text,
                         "The alert fuel_stale of fuel is firing since 2026-03-10 10:00 "
                         "America/Sao_Paulo (30 min).\n\n"
                         "No CURRENCY#USD since 2026-03-02, {nothing}.\n\n12 rows, the first ten:\n"
                         "  info_type: CURRENCY#USD, last: 2026-03-02\n"));
  size_t lines = 0;
  for (const char *at = text; (at = strstr(at, "  info_type")); at++) lines++;
  assert_int_equal(lines, 10);
  value json = help_json(&a, alert_message_json(&m, &a));
  assert_string_equal(value_get_text(&json, "state", ""), "firing");
  assert_string_equal(value_get_text(&json, "since", ""), "2026-03-10T13:00:00.000Z");
  assert_string_equal(value_get_text(&json, "message", ""),
                      "No CURRENCY#USD since 2026-03-02, {nothing}.");
  assert_int_equal(value_get_integer(&json, "count", 0), 12);
  assert_int_equal(value_get(&json, "rows")->list.count, 10);
  value none = value_list();
  m.notice = NOTICE_RECOVERY, m.rows = m.columns = &none;
  assert_string_equal(alert_message_subject(&m, &a), "[fuel] fuel_stale: recovered");
  assert_string_equal(alert_message_text(&m, &a),
                      "The alert fuel_stale of fuel is over: it was firing since 2026-03-10 10:00 "
                      "America/Sao_Paulo (30 min).\n");
  zone_close(z);
  arena_free(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(traces),
                                     cmocka_unit_test(nothing_is_told_twice),
                                     cmocka_unit_test(what_people_read)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
