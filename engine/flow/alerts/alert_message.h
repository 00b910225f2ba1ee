/* alert_message.h -- what people are told: as text for mail, as JSON for a webhook. Pure.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_ALERT_MESSAGE_H
#define DTS_FLOW_ALERT_MESSAGE_H

#include "flow/alerts/alert_step.h"
#include "format/value.h"
#include "format/zone.h"

typedef struct alert_message {
  const char *project, *alert, *message; /* message may be NULL */
  alert_notice notice;
  int64_t since, now;
  const zone *zone;
  const value *columns, *rows; /* as reader_sql answers; empty lists when it is over */
} alert_message;

const char *alert_message_subject(const alert_message *m, arena *a);
const char *alert_message_text(const alert_message *m, arena *a);
const char *alert_message_json(const alert_message *m, arena *a);

#endif
