/* limit.c -- rate, slots and breaker: arithmetic on small plain values.
 *
 * The rate is a generic cell rate algorithm (ITU-T I.371, virtual scheduling) in microseconds, so
 * that thousands a second do not round to none. All times come from one monotonic clock. Nothing
 * here waits; it says for how long.
 *
 * SPDX-License-Identifier: MIT */
#include "core/limit.h"

/* A count of N with a tenth of it at once spreads the other nine tenths over the period: any window
 * of that length then sees at most burst + spread = N. */
void rate_set(rate *r, int64_t count, int64_t period_ms) {
  int64_t tenth = count / 10, spread = count - tenth;
  int64_t gap = (period_ms * 1000 + spread - 1) / spread;
  *r = (rate){.count = count, .period_ms = period_ms, .gap_us = gap, .burst_us = tenth * gap};
}

/* A clock that went back must not turn into a wait longer than a full debt. */
static int64_t rate_due(const rate *r, int64_t now_us) {
  int64_t most = now_us + r->burst_us + r->gap_us;
  return r->due_us < most ? r->due_us : most;
}

int64_t rate_wait(const rate *r, int64_t now_ms) {
  if (r->count <= 0) return 0;
  int64_t now_us = now_ms * 1000;
  int64_t early = rate_due(r, now_us) - r->burst_us - now_us;
  return early > 0 ? (early + 999) / 1000 : 0;
}

int64_t rate_take(rate *r, int64_t now_ms) {
  int64_t wait = rate_wait(r, now_ms);
  if (wait > 0 || r->count <= 0) return wait;
  int64_t now_us = now_ms * 1000, due = rate_due(r, now_us);
  r->due_us = (due > now_us ? due : now_us) + r->gap_us;
  return 0;
}

bool slots_take(slots *s) {
  if (s->limit > 0 && s->busy >= s->limit) return false;
  s->busy++;
  return true;
}

void slots_give(slots *s) {
  if (s->busy > 0) s->busy--;
}

int64_t breaker_wait(const breaker *b, int64_t now_ms) {
  if (b->state == BREAKER_CLOSED || now_ms >= b->until) return 0;
  return b->until - now_ms;
}

int64_t breaker_enter(breaker *b, int64_t now_ms, uint32_t *ticket) {
  int64_t wait = breaker_wait(b, now_ms);
  if (wait > 0) return wait;
  if (b->state != BREAKER_CLOSED) { /* this call is the probe; a lost one's ticket is void */
    b->state = BREAKER_HALF_OPEN;
    b->ticket++;
    b->until = now_ms + BREAKER_PROBE_MS;
  }
  *ticket = b->ticket;
  return 0;
}

static void breaker_open(breaker *b, int64_t now_ms, double random) {
  int k = b->opened < 10 ? b->opened : 10; /* clamped before shifting; 2^5 is past the cap */
  int64_t top = BREAKER_OPEN_MS << k;
  if (top > BREAKER_CAP_MS) top = BREAKER_CAP_MS;
  *b = (breaker){.state = BREAKER_OPEN, .ticket = b->ticket + 1, .opened = k + 1};
  b->until = now_ms + top / 2 + (int64_t)(random * (double)(top - top / 2));
}

static void breaker_record(breaker *b, bool bad, int64_t now_ms) {
  b->failures = bad ? b->failures + 1 : 0;
  b->at[b->next] = now_ms;
  b->bad[b->next] = bad;
  b->next = (b->next + 1) % BREAKER_WINDOW;
  if (b->calls < BREAKER_WINDOW) b->calls++;
}

static bool breaker_is_bad(const breaker *b, int64_t now_ms) {
  int bad = 0;
  if (b->failures >= BREAKER_ROW) return true;
  if (b->calls < BREAKER_WINDOW) return false;
  if (now_ms - b->at[b->next] > BREAKER_WINDOW_MS) return false; /* `next` is the oldest */
  for (int i = 0; i < BREAKER_WINDOW; i++) bad += b->bad[i];
  return bad * 2 >= BREAKER_WINDOW;
}

static bool breaker_judge_probe(breaker *b, breaker_result r, int64_t now_ms, double random) {
  if (r == BREAKER_GOOD) {
    *b = (breaker){.state = BREAKER_CLOSED, .ticket = b->ticket + 1};
  } else if (r == BREAKER_BAD) {
    breaker_open(b, now_ms, random);
  } else {
    b->until = now_ms; /* it proved nothing: the next call is the probe */
  }
  return r != BREAKER_UNKNOWN;
}

bool breaker_report(breaker *b, uint32_t ticket, breaker_result r, int64_t now_ms, double random) {
  if (ticket != b->ticket || b->state == BREAKER_OPEN) return false;
  if (b->state == BREAKER_HALF_OPEN) return breaker_judge_probe(b, r, now_ms, random);
  if (r == BREAKER_UNKNOWN) return false;
  breaker_record(b, r == BREAKER_BAD, now_ms);
  if (!breaker_is_bad(b, now_ms)) return false;
  breaker_open(b, now_ms, random);
  return true;
}
