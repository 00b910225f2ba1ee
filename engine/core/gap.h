/* gap.h -- one expected date of a series: open -> retrying -> filled | absent | quarantined.
 *
 * The same boundary as a job's: a date that is still missing after its span's job ended counts one,
 * and is tried again iff retry_count <= limit. A date is `held` while an open job has it in its
 * span, so that a recheck passes it over; the job's own epoch fences the end, since both are
 * written in one transaction. Everything is a plain value.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_CORE_GAP_H
#define DTS_CORE_GAP_H

#include <stdbool.h>

typedef enum gap_status {
  GAP_OPEN,     /* never tried: the schedule plans it */
  GAP_RETRYING, /* tried and still missing or incomplete: the recheck plans it */
  GAP_FILLED,
  GAP_ABSENT, /* the source answered that there is none (empty = "ok"), or a person said so */
  GAP_QUARANTINED
} gap_status;

typedef struct gap_state {
  gap_status status;
  bool held; /* an open job has it in its span */
  int limit;
  int attempts;    /* span jobs that ended with it inside */
  int retry_count; /* those that left it missing, since the start or the last release */
  int releases;
} gap_state;

typedef enum gap_event_kind {
  GAP_PLAN,     /* a span's job is queued with this date */
  GAP_DEFERRED, /* that job was deferred or sleeps: counts nothing, stays held */
  GAP_ENDED,    /* that job ended: done, failed, cancelled, its worker lost */
  GAP_PRESENT,  /* a complete row is there, whoever wrote it */
  GAP_LOST,     /* a filled date's row is gone or incomplete again */
  GAP_RELEASE,  /* by a person */
  GAP_DROP      /* by a person: absent for good */
} gap_event_kind;

typedef enum gap_seen { GAP_SEEN_COMPLETE, GAP_SEEN_INCOMPLETE, GAP_SEEN_MISSING } gap_seen;

typedef struct gap_event {
  gap_event_kind kind;
  gap_seen seen;  /* ENDED: how the date's row looks now */
  bool succeeded; /* ENDED: the job is done */
  bool empty_ok;  /* ENDED: the pipeline says empty = "ok" */
  bool no_retry;  /* ENDED: the script said ctx:fail(reason, { retry = false }) */
} gap_event;

typedef enum gap_verdict { GAP_OK, GAP_REFUSED } gap_verdict;

/* The decision; `out` may be `s`, and is a copy of it on a refusal. *reason (may be NULL) is why
 * the date came into quarantine or why the event is refused, else NULL. */
gap_verdict gap_step(const gap_state *s, const gap_event *e, gap_state *out, const char **reason);

gap_state gap_begin(int limit);
bool gap_is_planned_by_schedule(const gap_state *s); /* open and not held */
bool gap_is_planned_by_recheck(const gap_state *s);  /* retrying and not held */
const char *gap_check(const gap_state *s);           /* NULL, or the invariant that is broken */
const char *gap_status_name(gap_status s);
int gap_status_read(const char *name, gap_status *out); /* 0, or -1 */

#endif
