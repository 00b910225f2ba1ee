/* alert_reach.h -- whom an alert tells, and whether they could be told as dts.lua and the secrets
 * stand. Nothing is sent. Any thread.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_ALERT_REACH_H
#define DTS_FLOW_ALERT_REACH_H

#include "flow/kernel/kernel.h"

/* A list; the default of dts.lua unless the alert has its own (`declared` NULL: a built-in one). */
const value *alert_addresses(const kernel *k, const value *declared);
/* -1 with what stands in the way of the first that cannot be told. */
int alert_reach(kernel *k, const value *declared, arena *a, dts_error *e);
/* Adds {where, message, hint, alert} of each alert of the set with such an address. */
void alert_notes(kernel *k, const registry *set, arena *a, value *notes);

#endif
