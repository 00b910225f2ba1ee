/* alert_send.h -- one notice to one address: "mailto:name@host", "https://..", or "http://.." on
 * loopback. An address may hold {secret:NAME}.
 *
 * A send belongs to the loop; it is gone once `done` was called or it was cancelled. It is tried
 * three times within two minutes or so.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_ALERT_SEND_H
#define DTS_FLOW_ALERT_SEND_H

#include "flow/kernel/kernel.h"

typedef struct alert_send alert_send;

typedef struct alert_letter { /* copied */
  const char *address, *subject, *text, *json;
  const char *key; /* the same for every try of one notice */
} alert_letter;

typedef void alert_sent(void *arg, alert_send *s, const dts_error *e); /* e NULL: it was taken */

/* Could it be told at all, as dts.lua and the secrets stand? Nothing is sent; any thread. */
int alert_send_check(kernel *k, const char *address, dts_error *e);

/* `done` is never called from inside. */
alert_send *alert_send_start(kernel *k, const alert_letter *letter, alert_sent *done, void *arg);
void alert_send_cancel(alert_send *s); /* no call of `done` after this */

#endif
