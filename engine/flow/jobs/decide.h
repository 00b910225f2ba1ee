/* decide.h -- what the commands `release` and `drop` share: which inputs, then one write for all
 * of them.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_DECIDE_H
#define DTS_FLOW_DECIDE_H

#include "flow/control/control.h"

/* {ids [..]} or {pipeline?, where?}, {reason?, with?} -> {count}. Answers the question. */
void decide(question *q, bool release);

#endif
