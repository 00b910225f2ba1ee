/* config.h -- dts.lua as the engine goes by it: the environment and a test's settings laid over.
 *
 * One idea: an edit is in force at once for whatever is looked up when it is needed; what is opened at the start
 * (store, objects, listen, workers, trust) stays as it is until the next, and that is said.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_CONFIG_H
#define DTS_FLOW_CONFIG_H

#include "flow/kernel/kernel.h"
#include "flow/reload/load.h"

const char *config_text(kernel *k, arena *a); /* of the file; "": there is none */
/* `then` may be called before this returns. */
void config_load(kernel *k, load_config_then *then, void *arg);
/* An edited one comes into force; true when scripts must be loaded again under it. */
bool config_apply(kernel *k, const value *config);

#endif
