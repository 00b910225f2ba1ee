/* control_value.h -- small parts of answers that several commands give. For control_*.c alone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_CONTROL_VALUE_H
#define DTS_FLOW_CONTROL_VALUE_H

#include "flow/reload/registry.h"
#include "flow/kernel/kernel.h"

/* Adds {name, optional, present, file} of each {secret:NAME} in the texts of `v`, once a name. */
void control_secrets(kernel *k, arena *a, const value *v, const char *file, value *list);
/* Adds {where, message, hint} of each needed secret that is absent. */
void control_secret_notes(kernel *k, const registry *set, arena *a, value *notes);

#endif
