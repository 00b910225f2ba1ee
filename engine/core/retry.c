/* retry.c -- delays, Retry-After, and which requests are sent again.
 *
 * Full jitter after Brooker, "Exponential Backoff and Jitter" (AWS Architecture Blog, 2015);
 * Retry-After: RFC 9110 section 10.2.3; statuses: RFC 9110 section 15, RFC 6585 (429), RFC 8470
 * (425). It must not sleep or know what is sent.
 *
 * SPDX-License-Identifier: MIT */
#include "core/retry.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* The exponent is clamped before anything is shifted: 2^count itself would overflow long before a
 * count does, and a product past the cap is the cap. */
static int64_t ceiling(const retry_policy *p, int count) {
  int exponent = count < 1 ? 0 : count - 1;
  if (exponent > 62) exponent = 62;
  if (p->base_ms <= 0) return 0;
  if (p->base_ms > (p->cap_ms >> exponent)) return p->cap_ms;
  return p->base_ms << exponent;
}

int64_t retry_delay(const retry_policy *p, int count, double random) {
  int64_t top = ceiling(p, count);
  if (top <= p->floor_ms) return p->floor_ms;
  if (!(random > 0)) return p->floor_ms;
  if (random >= 1) return top;
  return p->floor_ms + (int64_t)(random * (double)(top - p->floor_ms));
}

/* The text without the blanks that a header may carry around it; *size is 0 when none is left. */
static const char *trim(const char *text, size_t *size) {
  if (!text) text = "";
  text += strspn(text, " \t");
  *size = strlen(text);
  while (*size && strchr(" \t\r\n", text[*size - 1])) (*size)--;
  return text;
}

bool retry_after_is_seconds(const char *text) {
  size_t size, digits;
  text = trim(text, &size);
  digits = strspn(text, "0123456789");
  return size > 0 && digits == size;
}

int64_t retry_after_seconds(const char *text) {
  size_t size;
  int64_t ms = 0;
  if (!retry_after_is_seconds(text)) return 0;
  text = trim(text, &size);
  for (size_t i = 0; i < size && ms < RETRY_AFTER_CAP_MS; i++) {
    ms = ms * 10 + (text[i] - '0') * 1000;
  }
  return ms < RETRY_AFTER_CAP_MS ? ms : RETRY_AFTER_CAP_MS;
}

int64_t retry_after_date(int64_t at_ms, int64_t reply_date_ms) {
  int64_t ms;
  if (at_ms <= reply_date_ms) return 0;
  if (__builtin_sub_overflow(at_ms, reply_date_ms, &ms)) return RETRY_AFTER_CAP_MS;
  return ms < RETRY_AFTER_CAP_MS ? ms : RETRY_AFTER_CAP_MS;
}

bool retry_status(int status) {
  return status == 0 || status == 408 || status == 425 || status == 429 ||
         (status >= 500 && status <= 599);
}

bool retry_method(const char *method, bool idempotency) {
  if (idempotency) return true;
  return strcasecmp(method, "POST") != 0 && strcasecmp(method, "PATCH") != 0;
}

static bool asks_to_wait(const retry_try *t) {
  return (t->status == 429 || t->status == 503) && t->retry_after_ms > 0;
}

/* A run that is deferred is repeated as a whole, just as after a failure; so RETRY_LATER does not
 * ask whether this one request may be sent twice. */
retry_verdict retry_decide(const retry_try *t, double random, int64_t *wait_ms) {
  retry_policy policy = RETRY_HTTP;
  int64_t wait = retry_delay(&policy, t->tries, random);
  *wait_ms = 0;
  if (!retry_status(t->status)) return RETRY_STOP;
  if (t->retry_after_ms > wait) wait = t->retry_after_ms;
  if (wait > RETRY_AFTER_CAP_MS) wait = RETRY_AFTER_CAP_MS;
  bool stays = t->tries < RETRY_HTTP_TRIES && t->elapsed_ms <= RETRY_HTTP_MS - wait;
  *wait_ms = wait;
  if (stays && retry_method(t->method, t->idempotency)) return RETRY_WAIT;
  if (asks_to_wait(t)) return RETRY_LATER;
  *wait_ms = 0;
  return RETRY_STOP;
}
