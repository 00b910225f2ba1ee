/* replies.h -- replies of routes and charts, kept while the tables that they came from stand still.
 *
 * One idea: the versions of all tables are read before any work is done; what the work then turns
 * out to have read picks its own from them. What read something without a version is not kept.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_REPLIES_H
#define DTS_SERVE_REPLIES_H

#include "serve/call.h"

typedef struct versions_seen { /* every table and view of the set, before the work */
  value names;
  uint64_t *versions;
} versions_seen;

versions_seen replies_begin(api_call *c);
/* The kept reply, filled in; `tables` (may be NULL) gets what it was made from. */
bool replies_find(api_call *c, const char *key, value *tables);
/* Keeps c->rp under the tables read. until 0: no end of its own. Nothing happens where it cannot
 * be. */
void replies_keep(api_call *c, const char *key, const versions_seen *seen, const value *tables,
                  int64_t until);
void replies_etag(api_call *c); /* from the body */

#endif
