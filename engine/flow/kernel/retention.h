/* retention.h -- forgets what is older than it may be: rows of tables with `keep`, and the engine's own
 * history as dts.lua's `retention` says (runs 90d, logs 30d unless said).
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_RETENTION_H
#define DTS_FLOW_RETENTION_H

#include "flow/kernel/kernel.h"

typedef struct retention retention;

retention *retention_open(kernel *k);
void retention_start(retention *r); /* once soon, then every six hours */
void retention_close(retention *r); /* NULL is fine */

/* The column that `keep` goes by: the key's only date or timestamp, else the table's only one; NULL when
 * that is not one column, with an error that says so. */
const table_column *retention_column(const table *t, dts_error *e);
/* One round, inside a write: at most 10,000 rows of each table. *more when there is more to forget. */
int retention_forget(store_conn *c, const registry *set, const value *config, int64_t now,
                     bool *more, dts_error *e);

#endif
