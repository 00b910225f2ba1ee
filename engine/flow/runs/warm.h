/* warm.h -- workers that stay warm: one for each script with route handlers, gone after 60 s idle.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_WARM_H
#define DTS_FLOW_WARM_H

#include "flow/control/control.h"

typedef struct warm warm;

/* The command `request` {route, req}: a handler's reply, as OP_REQUEST gives it (op.h). */
void control_request(kernel *k, question *q);
void warm_close(kernel *k);

#endif
