/* alone.h -- a run without a server: what it takes on of earlier ones, and when all of it is over.
 *
 * One idea: whoever waits before the screen waits for what can run now, and for retries; not for what its
 * source has put off, nor for what lies behind that. The next run of the same pipeline takes that on, once it
 * is due. Inside a read or a write.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_ALONE_H
#define DTS_FLOW_ALONE_H

#include "flow/reload/registry.h"
#include "store/store.h"

/* Firings before `first` with due jobs that were put off, of these pipelines and those that follow them, or
 * that were enqueued by runs of one of these: a JSON list of ids, in `a`. */
int alone_takes(store_conn *c, const registry *set, const char *const *names, size_t count,
                int64_t first, int64_t now, arena *a, const char **firings, dts_error *e);
/* Whether a job of firings from `first` on, or of those in the list, is still to be waited for. */
int alone_goes_on(store_conn *c, int64_t first, const char *firings, bool *goes_on, dts_error *e);

#endif
