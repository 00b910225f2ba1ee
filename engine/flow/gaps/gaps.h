/* gaps.h -- which dates of a series are missing, the spans that would fetch them, and what became of them.
 *
 * One idea: the table is the truth. Every look subtracts its complete rows from the dates that the
 * calendar expects; dts_gap only remembers what was tried (core/gap.h).
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_GAPS_H
#define DTS_FLOW_GAPS_H

#include "core/gap.h"
#include "core/span.h"
#include "flow/jobs/jobs.h"

typedef enum gaps_which {
  GAPS_NEW,     /* schedule */
  GAPS_TRIED,   /* recheck */
  GAPS_ALL,     /* by hand */
  GAPS_MISSING, /* a backfill: as by hand, but nothing that is there is read again */
  GAPS_EVERY    /* a backfill with --all: also what is there */
} gaps_which;

typedef struct gaps_range { /* narrows a look; days INT32_MIN and INT32_MAX: no bound */
  int32_t from, to;
} gaps_range;

typedef struct gaps_series { /* one key, looked at; arrays of `count`, in the arena */
  const series *series;
  const calendar *days;
  bool whole;       /* all its dates were looked at, not a range of them */
  int32_t from, to; /* the bounds, expected or not; from > to: nothing is wanted */
  size_t count, present, span_count;
  size_t missing, again; /* missing: asked for now; again: those of them that are complete */
  size_t absent;         /* closed for good without a row */
  size_t stray_count;    /* rows on days that the calendar does not expect; the first of them */
  int32_t stray;
  const int32_t *expected;
  const uint8_t *marks;
  const gap_state *states;      /* what dts_gap says; GAP_OPEN when it says nothing */
  const bool *there, *complete; /* a row of the table · one that counts */
  const bool *known;            /* a row of dts_gap */
  const span *spans;
} gaps_series;

typedef struct gaps_look {
  size_t count;
  gaps_series *series;
} gaps_look;

/* Reads only. */
int gaps_look_at(store_conn *c, const pipeline *p, gaps_which which, const gaps_range *range,
                 int64_t now, arena *a, gaps_look *out, dts_error *e);
/* The one series with this label, all its dates; 1, 0 when no key has it, -1. */
int gaps_look_for(store_conn *c, const pipeline *p, const char *label, const gaps_range *range,
                  int64_t now, arena *a, gaps_series *out, dts_error *e);
bool gaps_find_day(const gaps_series *s, int32_t day, size_t *at); /* its place in `expected` */
/* Inside a write: queues one job of the firing for each span and marks its dates as held. */
int gaps_queue(store_conn *c, const pipeline *p, const gaps_look *look, const firing *f,
               int64_t now, size_t *jobs, dts_error *e);
/* Inside a write, when all scripts are loaded: which keys nothing declares any more (gaps_gone.c). */
int gaps_gone_ensure(store_conn *c, const pipeline *all, size_t count, dts_error *e);

typedef struct gaps_end { /* how the job of a span has ended */
  int64_t job_id;
  bool succeeded, no_retry;
  const char *error_json; /* or NULL */
} gaps_end;
/* Inside a run's final write: one attempt for each date of its span. */
int gaps_ended(store_conn *c, const pipeline *p, const gaps_end *end, int64_t now, dts_error *e);

/* Letters for a calendar page: p present, m missing, r retrying, q quarantined, a absent. */
char gaps_letter(const gaps_series *s, size_t i);

#endif
