/* quota.c -- see quota.h. What cannot be read is no quota: a reply is never held up by a guess.
 *
 * SPDX-License-Identifier: MIT */
#include "core/quota.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "core/retry.h"

enum { DIGITS = 15 };

/* A whole number that ends with the text or a list's comma; -1: none. A fraction is rounded up. */
static int64_t number(const char *text) {
  int64_t n = 0;
  int digits = 0;
  if (!text) return -1;
  for (text += strspn(text, " \t"); *text >= '0' && *text <= '9' && digits <= DIGITS; digits++)
    n = n * 10 + (*text++ - '0');
  if (*text == '.') {
    size_t fraction = strspn(++text, "0123456789");
    n += strspn(text, "0") < fraction;
    text += fraction;
  }
  text += strspn(text, " \tsS");
  return digits && digits <= DIGITS && (!*text || strchr(",;", *text)) ? n : -1;
}

/* Past 2001 in seconds it is a moment; nobody waits 31 years. */
static int64_t reset_wait(int64_t reset, int64_t date_ms) {
  const int64_t moment = 1000000000;
  int64_t wait = 0;
  if (reset < 0) return 0;
  if (reset < moment)
    wait = reset > RETRY_AFTER_CAP_MS / 1000 ? RETRY_AFTER_CAP_MS : reset * 1000;
  else if (date_ms > 0)
    wait = (reset < moment * 1000 ? reset * 1000 : reset) - date_ms;
  if (wait < 0) return 0;
  return wait > RETRY_AFTER_CAP_MS ? RETRY_AFTER_CAP_MS : wait;
}

static const char *skip_blanks(const char *at) { return at + strspn(at, " \t"); }

/* `name=` at `at`: what follows, or NULL. */
static const char *parameter(const char *at, const char *name) {
  size_t size = strlen(name);
  if (strncasecmp(at, name, size) != 0) return NULL;
  at = skip_blanks(at + size);
  return *at == '=' ? at + 1 : NULL;
}

/* Where the next parameter or item begins, past quoted texts; *item: it is another policy. */
static const char *next_part(const char *at, bool *item) {
  bool quoted = false;
  for (; *at && (quoted || !strchr(",;", *at)); at++)
    if (*at == '"') quoted = !quoted;
  *item = *at == ',';
  return *at ? skip_blanks(at + 1) : NULL;
}

/* Of several policies the longest wait counts. In the earlier form one policy's parts stand between
 * commas. */
static int64_t field_wait(const char *field) {
  int64_t left = -1, reset = -1, longest = 0;
  bool item = false, plain = !strchr(field, ';');
  for (const char *at = skip_blanks(field); at; at = next_part(at, &item)) {
    const char *found;
    if (item && !plain) left = reset = -1;
    if ((found = parameter(at, "r")) || (found = parameter(at, "remaining"))) left = number(found);
    if ((found = parameter(at, "t")) || (found = parameter(at, "reset"))) reset = number(found);
    int64_t wait = left == 0 ? reset_wait(reset, 0) : 0;
    if (wait > longest) longest = wait;
  }
  return longest;
}

int64_t quota_wait(const quota *q) {
  int64_t wait = q->field ? field_wait(q->field) : 0;
  if (wait > 0) return wait;
  return number(q->remaining) == 0 ? reset_wait(number(q->reset), q->date_ms) : 0;
}
