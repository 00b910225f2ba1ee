/* alert_step.c -- see alert_step.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/alerts/alert_step.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {"ok", "pending", "firing", "told", "reminding", "recovering"};
static const char *const notices[] = {"none", "firing", "reminder", "recovered"};

const char *alert_name_text(alert_name name) { return names[name]; }
const char *alert_notice_text(alert_notice notice) { return notices[notice]; }

bool alert_name_read(const char *text, alert_name *out) {
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i], text) == 0) return *out = (alert_name)i, true;
  return false;
}

static alert_notice owed(const alert_state *s) {
  switch (s->name) {
  case ALERT_FIRING: return NOTICE_FIRING;
  case ALERT_REMINDING: return NOTICE_REMINDER;
  case ALERT_RECOVERING: return NOTICE_RECOVERY;
  default: return NOTICE_NONE;
  }
}

static void see_rows(alert_state *s, int64_t now, int64_t hold_ms, int64_t remind_ms) {
  if (s->name == ALERT_OK) *s = (alert_state){ALERT_PENDING, now, 0};
  if (s->name == ALERT_PENDING && now - s->since >= hold_ms) s->name = ALERT_FIRING;
  if (s->name == ALERT_TOLD && remind_ms && now - s->told >= remind_ms) s->name = ALERT_REMINDING;
  /* Back before anybody was told that it was over: whether that notice left is not known, so the
   * alert is told anew. */
  if (s->name == ALERT_RECOVERING) *s = (alert_state){ALERT_FIRING, s->since, 0};
}

static void see_none(alert_state *s) {
  if (s->name == ALERT_PENDING)
    *s = (alert_state){ALERT_OK, 0, 0};
  else if (s->name != ALERT_OK)
    s->name = ALERT_RECOVERING;
}

alert_notice alert_asked(alert_state *s, bool rows, int64_t now, int64_t hold_ms,
                         int64_t remind_ms) {
  if (rows)
    see_rows(s, now, hold_ms, remind_ms);
  else
    see_none(s);
  return owed(s);
}

void alert_told(alert_state *s, int64_t now) {
  if (s->name == ALERT_RECOVERING)
    *s = (alert_state){ALERT_OK, 0, 0};
  else if (owed(s) != NOTICE_NONE)
    *s = (alert_state){ALERT_TOLD, s->since, now};
}
