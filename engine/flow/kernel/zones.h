/* zones.h -- OP_ZONE: a time zone's file for a caged worker, whoever asks.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_KERNEL_ZONES_H
#define DTS_FLOW_KERNEL_ZONES_H

#include "base/arena.h"
#include "base/error.h"
#include "format/value.h"

/* {name} -> {bytes}, in the arena. -1: there is no such zone (code ZONE). */
int zones_answer(const value *args, arena *a, value *out, dts_error *e);

#endif
