/* schema.h -- creates the engine's own tables (dts_...) in a store; safe to repeat.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_SCHEMA_H
#define DTS_FLOW_SCHEMA_H

#include "store/store.h"

int schema_create(store *s, dts_error *e);

#endif
