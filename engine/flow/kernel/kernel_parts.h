/* kernel_parts.h -- the kernel's own structure, for kernel*.c and control*.c alone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_KERNEL_PARTS_H
#define DTS_FLOW_KERNEL_PARTS_H

#include <pthread.h>

#include "flow/alerts/alerts.h"
#include "flow/inputs/ingest.h"
#include "flow/inputs/intake.h"
#include "flow/kernel/parts.h"
#include "flow/reload/project.h"
#include "flow/kernel/orphans.h"
#include "flow/kernel/retention.h"
#include "flow/rollups/rollups.h"
#include "flow/jobs/scheduler.h"
#include "flow/rollups/views.h"
#include "flow/runs/warm.h"

typedef struct listener {
  struct listener *next;
  uint64_t id;
  kernel_event *event;
  void *arg;
} listener;

struct kernel {
  kernel_options options;
  arena memory;
  const char *root;
  _Atomic(const value *) config;
  loop *loop;
  store *store;
  objects *objects;
  nursery *nursery;
  fetch *fetch;
  http_cache *http_cache;
  http_book *http_book;
  loop_timer *fetch_timer;
  project *project;
  runner *runner;
  scheduler *scheduler;
  rollups *rollups;
  views *views;
  alerts *alerts;
  ingest *ingest;
  intake *intake;
  warm *warm;
  struct running *running; /* `run` commands under way: control_run.c */
  retention *retention;
  orphans *orphans;
  kernel_network *network;
  void *network_arg;
  kernel_recorder *recorder;
  void *recorder_arg;
  size_t writes; /* whose `then` has not run yet */
  int64_t opened_wall, opened_steady;
  bool opening;
  dts_error open_error;
  pthread_mutex_t listening; /* recursive: a listener may stop listening */
  listener *listeners;
  uint64_t listener_ids;
};

/* The store's watcher: tables have changed. On the writer's thread. */
void kernel_changed(void *kernel, const char *const *tables, size_t count);

#endif
