/* control_drop.c -- the command `drop`: inputs leave quarantine for good, with a reason.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/controls.h"
#include "flow/decide.h"

void control_drop(kernel *k, question *q) {
  (void)k;
  decide(q, false);
}
