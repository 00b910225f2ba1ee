/* load.h -- loads one script in a caged worker: a run that only reports what it declares.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_LOAD_H
#define DTS_FLOW_LOAD_H

#include "flow/kernel/kernel.h"

/* `then` gets the script (to release) or NULL and an error, on the loop's thread. */
typedef void load_then(void *arg, script *loaded, const dts_error *e);
void load_script(kernel *k, const char *file, load_then *then, void *arg);
/* dts.lua: `config` lives during the call; NULL and an error on failure. */
typedef void load_config_then(void *arg, const value *config, const dts_error *e);
void load_config(kernel *k, const char *file, load_config_then *then, void *arg);

#endif
