/* fresh.h -- when what a chart reads last changed.
 *
 * One idea: a commit to one of its tables that this server saw; before the first one, the last run
 * that wrote rows of a pipeline which may write one of them. Roll-ups and kept views count as the
 * tables that they are made from.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_FRESH_H
#define DTS_SERVE_FRESH_H

#include "serve/call.h"

/* Of the tables read: a time as text, or null when nothing ever wrote them. */
value fresh_at(api_call *c, const value *tables);

#endif
