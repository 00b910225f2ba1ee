/* retry.h -- when to try again, for a job and for one HTTP request.
 *
 * Full jitter: a wait is uniform between a floor and min(cap, base * 2^(count-1)), so that many
 * who failed together do not return together. A source's Retry-After is a minimum. A request is
 * repeated in place for a few tries within half a minute; a longer wait that the source asked for
 * becomes a deferral of the whole job, which costs no retry. No clock here: elapsed time is given.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_CORE_RETRY_H
#define DTS_CORE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

typedef struct retry_policy {
  int64_t base_ms, cap_ms, floor_ms;
} retry_policy;

#define RETRY_JOB  ((retry_policy){2000, 15 * 60 * 1000, 0})
#define RETRY_HTTP ((retry_policy){1000, 10 * 1000, 0})

#define RETRY_AFTER_CAP_MS ((int64_t)3600 * 1000)
#define RETRY_HTTP_TRIES   4
#define RETRY_HTTP_MS      ((int64_t)30 * 1000)

/* Milliseconds to wait after failure number `count` (1 the first); random in [0,1). */
int64_t retry_delay(const retry_policy *p, int count, double random);

/* Retry-After (RFC 9110 section 10.2.3) in milliseconds, at most an hour; 0 = none, which is also
 * what an invalid, negative or past value gives. Seconds come as the header's text; a date comes
 * parsed, with the reply's own Date (both in ms since 1970), so that a wrong clock here is no
 * matter. A caller tries the text, and if it is no number, the date. */
bool retry_after_is_seconds(const char *text);
int64_t retry_after_seconds(const char *text);
int64_t retry_after_date(int64_t at_ms, int64_t reply_date_ms);

bool retry_status(int status); /* 408, 425, 429, 5xx, and 0 for a network fault */
bool retry_method(const char *method, bool idempotency); /* all but POST and PATCH without it */

typedef struct retry_try {
  const char *method;
  bool idempotency;       /* the request carries one key through all its tries */
  int status;             /* 0: network fault */
  int tries;              /* made so far, this one included */
  int64_t elapsed_ms;     /* since the first one began */
  int64_t retry_after_ms; /* 0: none */
} retry_try;

typedef enum retry_verdict {
  RETRY_STOP,  /* give the script this reply or fault */
  RETRY_WAIT,  /* send again after *wait_ms */
  RETRY_LATER, /* HTTP_LATER: the source (429 or 503) asks for *wait_ms, more than we stay for */
} retry_verdict;

retry_verdict retry_decide(const retry_try *t, double random, int64_t *wait_ms);

#endif
