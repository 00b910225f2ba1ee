/* alert_step.h -- what an alert does next. Pure: no clock, no I/O.
 *
 *   ok --rows--> pending --held--> firing --told--> told --due--> reminding --told--> told
 *    ^------ no rows ------|          \                \               |
 *    |                                 `--- no rows ----`--> recovering <
 *    `------------------ told ---------------------------------'
 *
 * In firing, reminding and recovering a notice is owed: it is sent whenever the alert is looked at,
 * until it was. While a notice is on its way the alert is not looked at.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_ALERT_STEP_H
#define DTS_FLOW_ALERT_STEP_H

#include <stdbool.h>
#include <stdint.h>

typedef enum alert_name {
  ALERT_OK,
  ALERT_PENDING,
  ALERT_FIRING,
  ALERT_TOLD,
  ALERT_REMINDING,
  ALERT_RECOVERING
} alert_name;

typedef struct alert_state {
  alert_name name;
  int64_t since; /* rows are there since; ms UTC, 0 in ok */
  int64_t told;  /* the last notice of firing; 0: none */
} alert_state;

typedef enum alert_notice {
  NOTICE_NONE,
  NOTICE_FIRING,
  NOTICE_REMINDER,
  NOTICE_RECOVERY
} alert_notice;

const char *alert_name_text(alert_name name);
bool alert_name_read(const char *text, alert_name *out);
const char *alert_notice_text(alert_notice notice); /* "firing" "reminder" "recovered" */

/* The query was asked. Gives the notice that is owed now. remind_ms 0: never again. */
alert_notice alert_asked(alert_state *s, bool rows, int64_t now, int64_t hold_ms,
                         int64_t remind_ms);
void alert_told(alert_state *s, int64_t now); /* the notice that was owed has been sent */

#endif
