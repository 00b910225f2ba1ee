/* stage_verbs.h -- applies one staged effect that is not a put (stage.c's other half).
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_STAGE_VERBS_H
#define DTS_FLOW_STAGE_VERBS_H

#include "flow/runs/stage.h"
#include "wire/frame.h"

enum { FRAME_BYTES = FRAME_LIMIT };

int stage_verb_apply(store_conn *c, const stage_context *context, const value *effect,
                     dts_error *e);

#endif
