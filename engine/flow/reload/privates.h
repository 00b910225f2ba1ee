/* privates.h -- which tables are private, remembered in the store: a table that was once declared so stays so
 * while no set in force declares it at all (its script does not load, or is gone).
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_PRIVATES_H
#define DTS_FLOW_PRIVATES_H

#include "flow/reload/registry.h"
#include "store/store.h"

/* Inside work, for a set not yet in force: writes the marks of its own tables, and tells it of those that the
 * store remembers and it does not declare (registry_remember). */
int privates_ensure(store_conn *c, registry *set, dts_error *e);

#endif
