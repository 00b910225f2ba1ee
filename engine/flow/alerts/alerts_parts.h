/* alerts_parts.h -- what alerts.c (a set's alerts and their timers) and alerts_look.c (one look at
 * one of them) share.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_ALERTS_PARTS_H
#define DTS_FLOW_ALERTS_PARTS_H

#include "flow/alerts/alert_builtin.h"
#include "flow/alerts/alert_send.h"
#include "flow/alerts/alert_step.h"
#include "flow/alerts/alerts.h"

enum { ADDRESSES = 16 };

typedef struct look look;

typedef struct alert {
  struct alert *next;
  alerts *owner;
  const char *name, *when, *message;
  const alert_builtin *builtin; /* or NULL */
  int64_t every_ms, hold_ms, remind_ms;
  value to;
  loop_timer *timer;
  look *look;              /* under way, or NULL */
  bool reached[ADDRESSES]; /* by the notice that is owed */
  bool complained;
} alert;

struct look {
  kernel *kernel;
  alert *alert;
  alerts *owner; /* the loop's to read: a reload changes it */
  registry *set; /* held */
  arena memory;
  int64_t now;
  alert_state state;
  value answer, tables;
  char *kept;     /* JSON of the first rows, for dts_alert */
  bool known;     /* dts_alert has a row of it: it was looked at before */
  bool had_fault; /* dts_alert_fault has one */
  const char *fault;
  bool changed;
  alert_notice notice;
  alert_send *sends[ADDRESSES];
  size_t sending;
  bool all_sent;
  int rc;
  dts_error error;
};

struct alerts {
  kernel *kernel;
  registry *set; /* held */
  arena memory;  /* of the alerts, while they are in force */
  alert *first;
  size_t looks;
  uint64_t listening;
  alerts *replaced; /* by a reload, while looks of theirs are under way */
  alerts *current;  /* of a replaced one: whom it belongs to */
};

void alert_look(alert *x); /* unless one is under way */
void alert_schedule(alert *x);
void alerts_free_when_done(alerts *s); /* one that a reload replaced, once its looks have ended */

#endif
