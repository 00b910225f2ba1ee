/* quarantine_past.c -- what was tried and decided about an input, as SQL (quarantine.h).
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flow/jobs/quarantine.h"
#include "flow/reload/sql_lex.h"

enum { SQL_SIZE = 1 << 16 };

#define ATTEMPT                                                                                    \
  "r.id as run, coalesce(a.outcome, 'open') as outcome, r.started, r.ended, r.rows, (select "      \
  "q.status from dts_request q where q.run = r.id order by q.seq desc limit 1) as http, r.error "

static const char *text_of(buffer *b, arena *a) {
  const char *sql = arena_copy(a, b->data, b->size);
  buffer_free(b);
  return sql;
}

static const char *of_job(const char *number, arena *a) {
  char *end;
  int64_t id = strtoll(number, &end, 10);
  if (!*number || *end) return NULL;
  return arena_format(a,
                      "select a.epoch as attempt, " ATTEMPT
                      "from dts_run a join dts_runs r on r.id = a.id where a.job = %lld order by "
                      "a.epoch",
                      (long long)id);
}

/* "PIPELINE/SERIES/DAY" */
static const char *of_date(const char *id, arena *a) {
  const char *first = strchr(id, '/'), *last = strrchr(id, '/');
  buffer b;
  if (!first || first == last) return NULL;
  buffer_init(&b, SQL_SIZE);
  buffer_add_text(&b,
                  "select row_number() over (order by a.id) as attempt, " ATTEMPT
                  "from dts_job j join dts_run a on a.job = j.id join dts_runs r on r.id = a.id "
                  "where j.kind = 'span' and j.pipeline = ");
  sql_quote_text(&b, arena_copy(a, id, (size_t)(first - id)));
  buffer_add_text(&b, " and json_extract(j.input, '$.series') = ");
  sql_quote_text(&b, arena_copy(a, first + 1, (size_t)(last - first - 1)));
  buffer_add_text(&b,
                  " and exists (select 1 from json_each(j.input, '$.dates') d where d.value = ");
  sql_quote_text(&b, last + 1);
  buffer_add_text(&b, ") order by a.id");
  return text_of(&b, a);
}

const char *quarantine_attempts_sql(const char *id, arena *a) {
  if (strncmp(id, "job-", 4) == 0) return of_job(id + 4, a);
  return strncmp(id, "date-", 5) == 0 ? of_date(id + 5, a) : NULL;
}

const char *quarantine_decisions_sql(const char *id, arena *a) {
  buffer b;
  buffer_init(&b, SQL_SIZE);
  buffer_add_text(&b, "select at, action, who, reason from dts_decisions where id = ");
  sql_quote_text(&b, id);
  buffer_add_text(&b, " order by seq");
  return text_of(&b, a);
}
