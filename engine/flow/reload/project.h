/* project.h -- the scripts of a project: found, loaded, checked against each other, in force as one set.
 *
 * One idea: what is in force changes only whole. A reload loads the scripts whose text changed; of one
 * that fails, the last good version stays, and a fault says so until the next good edit.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_PROJECT_H
#define DTS_FLOW_PROJECT_H

#include "flow/kernel/kernel.h"

typedef struct project project;

project *project_open(kernel *k, const char *only_file); /* NULL: all below pipelines/ */
void project_close(project *p);
/* Loads what changed; `then` is called on the loop's thread when the new set is in force (or is not). One
 * at a time: a second call while one is under way is answered after it looked again. */
typedef void project_then(void *arg);
void project_reload(project *p, project_then *then, void *arg);
bool project_busy(const project *p);
void project_watch(project *p); /* reloads by itself when a file is saved */

registry *project_set(project *p); /* held; any thread; never NULL once a reload has ended */
const registry *project_current(const project *p);
value project_faults(project *p, arena *a); /* any thread */

#endif
