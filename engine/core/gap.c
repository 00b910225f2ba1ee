/* gap.c -- the transitions of one expected date.
 *
 * The idea: a date has no lease of its own; being held by one open job is all the ownership it
 * needs, and only the end of that job counts. It must not decide about spans or jobs.
 *
 * SPDX-License-Identifier: MIT */
#include "core/gap.h"

#include <stddef.h>
#include <string.h>

static const char *const statuses[] = {"open", "retrying", "filled", "absent", "quarantined"};
#define STATUSES (sizeof statuses / sizeof statuses[0])

static bool is_wanted(const gap_state *g) {
  return g->status == GAP_OPEN || g->status == GAP_RETRYING;
}

static const char *on_plan(gap_state *g) {
  if (!is_wanted(g)) return "the date is not wanted";
  if (g->held) return "an open job holds the date";
  g->held = true;
  return NULL;
}

/* The boundary of jobs: the count grows first, and the date is tried again iff within the limit. */
static const char *count_missing(gap_state *g, bool no_retry) {
  g->retry_count++;
  bool again = g->retry_count <= g->limit && !no_retry;
  g->status = again ? GAP_RETRYING : GAP_QUARANTINED;
  if (again) return NULL;
  return no_retry ? "not to be retried" : "retries exhausted";
}

static const char *on_ended(gap_state *g, const gap_event *e, const char **aside) {
  if (!g->held) return "no open job holds the date";
  g->held = false;
  g->attempts++;
  if (e->seen == GAP_SEEN_COMPLETE) {
    g->status = GAP_FILLED;
  } else if (e->seen == GAP_SEEN_MISSING && e->succeeded && e->empty_ok) {
    g->status = GAP_ABSENT;
  } else {
    *aside = count_missing(g, e->no_retry);
  }
  return NULL;
}

/* While a job holds the date, that job's end says what has become of it. */
static const char *on_present(gap_state *g) {
  if (g->held) return "an open job holds the date";
  g->status = GAP_FILLED;
  return NULL;
}

static const char *on_lost(gap_state *g) {
  if (g->status != GAP_FILLED) return "the date is not filled";
  g->status = g->attempts ? GAP_RETRYING : GAP_OPEN;
  g->retry_count = 0;
  return NULL;
}

static const char *leave_quarantine(gap_state *g, gap_event_kind kind) {
  if (g->status != GAP_QUARANTINED) return "the date is not in quarantine";
  bool release = kind == GAP_RELEASE;
  g->status = release ? GAP_RETRYING : GAP_ABSENT;
  g->retry_count = release ? 0 : g->retry_count;
  g->releases += release;
  return NULL;
}

static const char *apply(gap_state *g, const gap_event *e, const char **aside) {
  switch (e->kind) {
  case GAP_PLAN: return on_plan(g);
  case GAP_DEFERRED: return g->held ? NULL : "no open job holds the date";
  case GAP_ENDED: return on_ended(g, e, aside);
  case GAP_PRESENT: return on_present(g);
  case GAP_LOST: return on_lost(g);
  case GAP_RELEASE:
  case GAP_DROP: return leave_quarantine(g, e->kind);
  }
  return "no such event";
}

gap_verdict gap_step(const gap_state *s, const gap_event *e, gap_state *out, const char **reason) {
  const gap_state before = *s;
  gap_state g = before;
  const char *aside = NULL;
  const char *refused = gap_check(&before);
  if (!refused) refused = apply(&g, e, &aside);
  if (!refused) refused = gap_check(&g);
  *out = refused ? before : g;
  if (reason) *reason = refused ? refused : aside;
  return refused ? GAP_REFUSED : GAP_OK;
}

gap_state gap_begin(int limit) { return (gap_state){.limit = limit < 0 ? 0 : limit}; }

bool gap_is_planned_by_schedule(const gap_state *s) { return s->status == GAP_OPEN && !s->held; }

bool gap_is_planned_by_recheck(const gap_state *s) { return s->status == GAP_RETRYING && !s->held; }

const char *gap_check(const gap_state *s) {
  if ((unsigned)s->status >= STATUSES) return "no such status";
  if (s->limit < 0 || s->attempts < 0 || s->retry_count < 0 || s->releases < 0) {
    return "a count is out of range";
  }
  if (s->held && !is_wanted(s)) return "held, though not wanted";
  if (s->retry_count > s->attempts) return "more failures than attempts";
  if (s->status == GAP_OPEN && s->attempts) return "open, though it was tried";
  if (s->status == GAP_RETRYING && !s->attempts) return "retrying, though never tried";
  if (s->status == GAP_QUARANTINED && !s->retry_count) return "in quarantine without a failure";
  if (is_wanted(s) && s->retry_count > s->limit) return "retry_count is past the limit";
  if (s->retry_count > s->limit && s->retry_count - s->limit > 1) {
    return "retry_count is past the limit";
  }
  return NULL;
}

const char *gap_status_name(gap_status s) { return (size_t)s < STATUSES ? statuses[s] : "unknown"; }

int gap_status_read(const char *name, gap_status *out) {
  for (size_t i = 0; name && i < STATUSES; i++) {
    if (strcmp(statuses[i], name) != 0) continue;
    *out = (gap_status)i;
    return 0;
  }
  return -1;
}
