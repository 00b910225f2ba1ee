/* control_release.c -- the command `release`: inputs leave quarantine and are run again.
 *
 * decide.c does the work; `drop` shares it.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/controls.h"
#include "flow/decide.h"

void control_release(kernel *k, question *q) {
  (void)k;
  decide(q, true);
}
