/* project_parts.h -- the files of a project and the set made of them, for project*.c alone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_PROJECT_PARTS_H
#define DTS_FLOW_PROJECT_PARTS_H

#include <pthread.h>

#include "flow/reload/project.h"
#include "flow/reload/watch.h"

typedef struct entry { /* one script's file */
  char *file;
  script *good;  /* in force; NULL: never loaded well */
  script *fresh; /* of the reload under way */
  bool seen;     /* by the scan under way */
  bool stale;    /* the same: to be loaded */
  bool faulty;
  dts_error fault;
  int64_t fault_since;
} entry;

typedef struct waiting {
  struct waiting *next;
  project_then *then;
  void *arg;
} waiting;

struct project {
  kernel *kernel;
  char *only;
  entry *entries;
  size_t count;
  size_t loading; /* loads under way */
  bool busy, again;
  bool sure;        /* files that are gone are gone: they were looked for twice, or a person asks */
  bool all_stale;   /* what scripts are loaded under changed */
  loop_timer *gone; /* the second look */
  char *config_text; /* dts.lua as last read */
  bool config_faulty;
  dts_error config_fault;
  int64_t config_fault_since;
  waiting *waiting; /* for the reload under way */
  waiting *next;    /* for the one after it */
  registry *set, *fresh;
  watch *watch;
  pthread_mutex_t lock; /* set, entries and faults, for other threads */
};

/* project_files.c: which files there are, and which of them changed. */
entry *project_entry(project *p, const char *file); /* made when new; NULL: too many */
/* True: one that is only gone is left in place, and to be looked for again. */
bool project_find(project *p);

/* project_set.c: the set of what was loaded, without the changes that keep it from holding together. */
registry *project_make_set(project *p); /* NULL, and told: nothing holds */
void project_blame(project *p, entry *e, const dts_error *error);
/* Gives up the change that the store, or its SQL, refuses; false: there is none to give up. */
bool project_give_up(project *p, const dts_error *error);

#endif
