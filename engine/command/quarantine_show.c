/* quarantine_show.c -- see quarantine_show.h.
 *
 * SPDX-License-Identifier: MIT */
#include "command/quarantine_show.h"

#include <stdio.h>
#include <string.h>

#include "command/report.h"
#include "command/screen.h"
#include "flow/jobs/quarantine.h"
#include "format/date.h"
#include "format/json.h"

enum { TEXT_LIMIT = 64 * 1024 * 1024 };

typedef struct shown {
  value fields, attempts, decisions; /* answers of engine_sql */
  value error, input;                /* of a job, else null */
} shown;

/* What lies in quarantine, or what once lay there. */
static const char one_sql[] =
    "select id, pipeline, input, name, 'quarantined' as state, line, error, attempts, retry_count, "
    "at, newer from dts_quarantine where id = :id union all select :id, pipeline, kind, name, "
    "state, "
    "input_line, coalesce(message, reason), attempts, retry_count, null, null from dts_job where "
    "'job-' || id = :id and state <> 'quarantined' and :decided union all select :id, pipeline, "
    "'date', series || ' ' || day, state, null, message, attempts, retry_count, null, null from "
    "dts_gap "
    "where 'date-' || pipeline || '/' || series || '/' || day = :id and state <> 'quarantined' and "
    ":decided";

static bool has_rows(const value *answer) {
  const value *rows = value_get(answer, "rows");
  return rows && rows->list.count;
}

static void read_json(const value *text, arena *a, value *out) {
  if (text->kind == VALUE_TEXT) json_read(a, text->text.bytes, text->text.size, out, NULL);
}

static int find_job(engine *n, const char *id, arena *a, shown *s, dts_error *e) {
  value params = value_map(), result;
  long long job;
  char rest;
  if (sscanf(id, "job-%lld%c", &job, &rest) != 1) return 0;
  value_set(a, &params, "id", value_integer(job));
  if (engine_sql(n, "select error, input from dts_job where id = :id", &params, 0, a, &result, e) <
      0)
    return -1;
  if (!has_rows(&result)) return 0;
  const value *row = value_get(&result, "rows")->list.items[0].list.items;
  read_json(&row[0], a, &s->error);
  read_json(&row[1], a, &s->input);
  return 0;
}

static int find(engine *n, const char *id, arena *a, shown *s, dts_error *e) {
  value params = value_map();
  const char *attempts = quarantine_attempts_sql(id, a);
  if (engine_sql(n, quarantine_decisions_sql(id, a), NULL, 0, a, &s->decisions, e) < 0) return -1;
  value_set(a, &params, "id", value_text(id));
  value_set(a, &params, "decided", value_boolean(has_rows(&s->decisions)));
  if (engine_sql(n, one_sql, &params, 0, a, &s->fields, e) < 0) return -1;
  if (!attempts || !has_rows(&s->fields)) {
    error_fail(e, "QUARANTINE", "nothing in quarantine is called '%s'", id);
    return error_hint(e, "`dts quarantine list` shows the ids");
  }
  if (engine_sql(n, attempts, NULL, 0, a, &s->attempts, e) < 0) return -1;
  return find_job(n, id, a, s, e);
}

/* ---- for people ---- */

static void add_field(buffer *b, const value *v, const zone *z) {
  int64_t ms;
  char time[32];
  if (v->kind == VALUE_TEXT && z && v->text.size == 24 &&
      timestamp_read(v->text.bytes, 24, &ms) == 0) {
    screen_time(ms, z, time);
    buffer_add_format(b, "%s (%s)", time, zone_name(z));
  } else if (v->kind == VALUE_TEXT) {
    buffer_add(b, v->text.bytes, v->text.size);
  } else if (v->kind != VALUE_NULL) {
    json_write(b, v);
  }
}

static void print_fields(const value *answer) {
  const value *columns = value_get(answer, "columns"),
              *row = &value_get(answer, "rows")->list.items[0];
  zone *z = zone_open(value_get_text(answer, "timezone", "UTC"), NULL);
  for (size_t i = 0; i < columns->list.count; i++) {
    buffer b;
    buffer_init(&b, TEXT_LIMIT);
    add_field(&b, &row->list.items[i], z);
    printf("%-12s %s\n", columns->list.items[i].text.bytes, buffer_text(&b));
    buffer_free(&b);
  }
  zone_close(z);
}

static void print_list(const screen *s, const char *title, const value *answer) {
  if (!has_rows(answer)) return;
  zone *z = zone_open(value_get_text(answer, "timezone", "UTC"), NULL);
  printf("\n%s:\n", title);
  screen_table(s, answer, z);
  zone_close(z);
}

static void print_input(engine *n, const shown *x, arena *a) {
  value order = engine_command(a, "place"), place;
  const char *object = value_get_text(&x->input, "object", NULL);
  int64_t line = value_get_integer(&x->error, "input_line", 0);
  if (object && engine_ask(n, &order, NULL, NULL, a, &place, NULL) == 0)
    quarantine_print_lines(value_get_text(&place, "objects", ""), object, line);
  if (x->input.kind == VALUE_NULL) return;
  puts("\ninput:");
  screen_json(stdout, &x->input);
}

static void print(engine *n, const given *g, const char *id, const shown *x, arena *a) {
  screen s = screen_of(stdout);
  value ids = value_list();
  value_add(a, &ids, value_text(id));
  print_fields(&x->fields);
  fputs(quarantine_newer(n, g, &ids, a), stdout);
  print_list(&s, "attempts", &x->attempts);
  print_list(&s, "decisions", &x->decisions);
  if (x->error.kind == VALUE_MAP) {
    putchar('\n');
    report_value(&s, &x->error, engine_root(n));
  }
  print_input(n, x, a);
}

/* ---- for programs ---- */

static value object_of(const value *columns, const value *row, arena *a) {
  value object = value_map();
  for (size_t i = 0; i < columns->list.count; i++)
    value_set(a, &object, columns->list.items[i].text.bytes, row->list.items[i]);
  return object;
}

static value objects_of(const value *answer, arena *a) {
  const value *rows = value_get(answer, "rows"), *columns = value_get(answer, "columns");
  value list = value_list();
  for (size_t i = 0; rows && i < rows->list.count; i++)
    value_add(a, &list, object_of(columns, &rows->list.items[i], a));
  return list;
}

static void print_json(const shown *x, arena *a) {
  value list = objects_of(&x->fields, a), *object = &list.list.items[0];
  value_set(a, object, "history", objects_of(&x->attempts, a));
  value_set(a, object, "decisions", objects_of(&x->decisions, a));
  value_set(a, object, "payload", x->input);
  screen_json(stdout, &list);
}

int quarantine_show(engine *n, const given *g, dts_error *e) {
  arena a = {0};
  shown x = {0};
  const char *id = given_word(g, 1);
  bool number = *id && !id[strspn(id, "0123456789")]; /* as `dts jobs` shows it */
  if (number) id = arena_format(&a, "job-%s", id);
  int rc = find(n, id, &a, &x, e);
  if (rc == 0 && g->json)
    print_json(&x, &a);
  else if (rc == 0)
    print(n, g, id, &x, &a);
  arena_free(&a);
  return rc;
}
