/* watch.h -- tells when something below the project's folders was saved.
 *
 * inotify, folder by folder; what happens with less than 50 ms between is told once, after 250 ms at
 * the latest. It does not say what changed: who
 * is told looks for himself.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_WATCH_H
#define DTS_FLOW_WATCH_H

#include "flow/kernel/loop.h"

typedef struct watch watch;

/* `folders` (NULL-terminated) are below root and are watched with all below them, also when they come to
 * be later; root itself is watched for its files. NULL when the system has no watches left. */
watch *watch_open(loop *l, const char *root, const char *const *folders, loop_fn *saved, void *arg);
void watch_close(watch *w); /* NULL is fine */

#endif
