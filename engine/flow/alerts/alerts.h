/* alerts.h -- asks each alert's query when it is due, and tells people: mail, or POST of JSON.
 *
 * One idea: alert_step.h decides; its outcome is committed to dts_alert before anything is sent,
 * and the sending is committed after. So each transition is told once, and again only if a crash
 * fell between the two. Queries run beside the loop; sending is tried a few times, then left to the
 * next look, with a line in the log.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_ALERTS_H
#define DTS_FLOW_ALERTS_H

#include "flow/kernel/kernel.h"

typedef struct alerts alerts;

alerts *alerts_open(kernel *k); /* looks at nothing until alerts_start */
void alerts_close(alerts *s);   /* NULL is fine; the loop still turns what is under way */

/* A set is in force: its alerts are looked at from now on, each at its own pace by the wall
 * clock. */
void alerts_start(alerts *s, const registry *set);

#endif
