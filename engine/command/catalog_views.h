/* catalog_views.h -- the engine's own views, for `dts catalog dts_runs`.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_CATALOG_VIEWS_H
#define DTS_COMMAND_CATALOG_VIEWS_H

#include "command/engine.h"

/* {name, kind "view", doc, columns [{name, doc}]}, in `a`; -1: TABLE, with the views' names. */
int catalog_view(engine *n, const char *name, arena *a, value *out, dts_error *e);

#endif
