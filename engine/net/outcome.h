/* outcome.h -- how a try or a call ended, in words for an analyst.
 *
 * One idea: curl's codes and the manners' numbers become one of a few outcomes, each with one
 * error. What is said names method and host only. Private to engine/net.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_NET_OUTCOME_H
#define DTS_NET_OUTCOME_H

#include "net/call.h"

typedef enum outcome {
  OUTCOME_REPLY, /* of any status */
  OUTCOME_FAULT, /* of the network; may be tried again: the error is not filled in yet */
  OUTCOME_FINAL, /* an end, with the task's error filled in */
  OUTCOME_OURS,  /* the same, for a reason of ours that says nothing about the host */
} outcome;

/* `fault` receives a few words for the record of the try. */
outcome outcome_of(call *c, CURLcode code, char *fault, size_t size);
const char *outcome_words(const task *t, CURLcode code); /* curl's own, when they hold no secret */
int64_t outcome_retry_after(const call *c);
/* Rate headers: nothing is left for so long; 0: they do not say so. */
int64_t outcome_quota(const call *c, int status);

/* These end a call; all but the last fill in the task's error. */
void outcome_full(call *c, int64_t wait);   /* rate used up */
void outcome_paused(call *c, int64_t wait); /* the host asked for a pause */
void outcome_broken(call *c, int64_t wait); /* breaker open */
void outcome_later(call *c, int status, int64_t asked);
void outcome_network(call *c, const char *fault);
void outcome_redirect(call *c); /* says which redirect the error is about */
void outcome_memory(call *c);
void outcome_reply(call *c, int status); /* headers and body into the reply */

#endif
