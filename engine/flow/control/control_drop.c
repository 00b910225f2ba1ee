/* control_drop.c -- the command `drop`: inputs leave quarantine for good, with a reason.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/control/controls.h"
#include "flow/jobs/decide.h"

void control_drop(kernel *k, question *q) {
  (void)k;
  decide(q, false);
}
