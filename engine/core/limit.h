/* limit.h -- manners towards one destination: rate, concurrency, and a circuit breaker.
 *
 * All three are small plain values that the engine keeps for each destination and asks before a
 * call; time is an argument. A rate of N in a period promises never more than N in any window of
 * that length (generic cell rate algorithm, ITU-T I.371: a tenth may come at once, the rest is
 * spread). A breaker hands out a ticket with each call, so a reply that began before the breaker
 * last moved changes nothing: the same idea as a job's epoch.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_CORE_LIMIT_H
#define DTS_CORE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* Rate: a structure of zeros limits nothing. */
typedef struct rate {
  int64_t count, period_ms; /* as written */
  int64_t gap_us, burst_us; /* between calls when spread · how far ahead of that one may be */
  int64_t due_us;           /* when the next call would be due if all were spread */
} rate;

void rate_set(rate *r, int64_t count, int64_t period_ms); /* both at least 1; owes nothing yet */
int64_t rate_wait(const rate *r, int64_t now_ms);         /* ms until a call may go; 0 = now */
int64_t rate_take(rate *r, int64_t now_ms); /* 0 and taken, or the ms to wait and nothing taken */

/* Concurrency. limit 0 limits nothing. */
typedef struct slots {
  int limit, busy;
} slots;

bool slots_take(slots *s);
void slots_give(slots *s);

/* Breaker: a structure of zeros is closed. */
#define BREAKER_ROW       5
#define BREAKER_WINDOW    20
#define BREAKER_WINDOW_MS ((int64_t)60 * 1000)
#define BREAKER_OPEN_MS   ((int64_t)30 * 1000)
#define BREAKER_CAP_MS    ((int64_t)10 * 60 * 1000)
#define BREAKER_PROBE_MS  ((int64_t)60 * 1000) /* a probe that says nothing this long is lost */

typedef enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN } breaker_state;
typedef enum breaker_result { BREAKER_GOOD, BREAKER_BAD, BREAKER_UNKNOWN } breaker_result;

typedef struct breaker {
  breaker_state state;
  uint32_t ticket; /* moves with every change of state */
  int failures;    /* in a row */
  int opened;      /* times opened since it was last closed: k + 1 */
  int64_t until;   /* open: end; half-open: when its probe is given up */
  int calls, next; /* the last BREAKER_WINDOW calls, a ring */
  int64_t at[BREAKER_WINDOW];
  bool bad[BREAKER_WINDOW];
} breaker;

/* ms until a call (or lease) for this destination may go; 0 = now. Changes nothing. */
int64_t breaker_wait(const breaker *b, int64_t now_ms);
/* 0 and a ticket for breaker_report(), or the ms to wait. After an open time one call passes as
 * the probe, and none beside it. */
int64_t breaker_enter(breaker *b, int64_t now_ms, uint32_t *ticket);
/* How that call ended. BAD: network fault or 5xx; GOOD: any other answer; UNKNOWN: it was given up
 * for a reason of ours. True if this changed the state. */
bool breaker_report(breaker *b, uint32_t ticket, breaker_result r, int64_t now_ms, double random);

#endif
