/* control_release.c -- the command `release`: inputs leave quarantine and are run again.
 *
 * decide.c does the work; `drop` shares it.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/control/controls.h"
#include "flow/jobs/decide.h"

void control_release(kernel *k, question *q) {
  (void)k;
  decide(q, true);
}
