/* What of a piece of SQL one store alone understands, told by its words.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/buffer.h"
#include "flow/reload/sql_portable.h"

static void differences_are_found(void **state) {
  static const struct {
    const char *sql, *found; /* what, separated by bars */
  } cases[] = {
      {"select ifnull(a, 1), strftime('%Y', d) from t", "ifnull|strftime|"},
      {"select json_extract(j, '$.a'), j ->> 'a' from t", "json_extract|->>|"},
      {"select group_concat(a, ',') from t limit 5, 10", "group_concat|limit a, b|"},
      {"select a from t limit 10 offset 5", ""},
      {"select iif(a == 1, 2, 3) from t where a glob 'x*'", "iif|==|glob|"},
      {"select datetime(t), date(t) from t", "datetime|date|"},
      {"select date, time, \"date\" from t where format = 1", ""},
      {"select 'ifnull(1, 2)' as x -- strftime()\n from t /* group_concat(x) */", ""},
      {"select a || b, coalesce(a, 1), cast(a as real) / 2 from t", ""},
      {"select max(a), min(b) from t", ""},
      {"select max(a, 0) from t", "min or max of several values|"},
      {"select max(coalesce(a, 0)) from t", ""},
      {"select round(avg(a), 2) from t", "round(x, n)|"},
      {"select round(cast(avg(a) as numeric), 2), round(a) from t", ""},
      {"select sum(state = 'done') from t", "sum or avg of a condition|"},
      {"select sum(case when state = 'done' then 1 else 0 end) from t", ""},
      {"select sum(coalesce(a = 1, b)) from t", ""},
      {"select a from t where b is null and c is not null and d is not distinct from 1", ""},
      {"select a from t where b is :x", "is between values|"},
      {"select a from t where name like 'a%'", "like that is blind to case|"},
      {"select a from t where name not like 'a%'", "like that is blind to case|"},
      {"select a from t where lower(name) like 'a%'", ""},
      {"select a from t where b in ()", "in ()|"},
      {"select a from t where b in (1, 2)", ""},
      {"select t.rowid, [a] from t", "rowid|[|"},
      {"select a from t order by a collate nocase", "nocase|"},
      {"select first(x, t), last(x, t), median(x), quantile(x, 0.9), year(d), week(d) from t", ""},
      {"select add_days(d, 1), add_minutes(t, 5), days_between(a, b), corr(x, y) from t", ""},
      {"select (((", ""},
      {"select sum(", ""},
      {"", ""},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sql_difference found[16];
    buffer b;
    buffer_init(&b, 1 << 12);
    size_t count = sql_portable(cases[i].sql, found, 16);
    for (size_t k = 0; k < count; k++) {
      buffer_add_format(&b, "%s|", found[k].what);
      assert_true(*found[k].advice);
    }
    if (strcmp(buffer_text(&b), cases[i].found) != 0)
      fail_msg("%s: %s", cases[i].sql, buffer_text(&b));
    buffer_free(&b);
  }
}

static void no_more_than_there_is_room_for(void **state) {
  sql_difference found[2];
  (void)state;
  assert_int_equal(sql_portable("ifnull(1) iif(2) total(3) hex(4)", found, 2), 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(differences_are_found),
      cmocka_unit_test(no_more_than_there_is_room_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
