/* agenda.h -- what fetch has under way: tasks, and the curl multi handle that runs them on the
 * loop.
 *
 * One idea: whatever is asked for, a request or a mail, is a task in one list, and is either
 * waiting (for a time, or for something to change), running in curl, or ended and not yet told. All
 * moves happen in agenda_advance, outside curl's callbacks and never inside a caller's fetch_start;
 * so no task is lost and none holds another up. Private to engine/net. A task is owned by the
 * agenda from agenda_add until its kind's `release`.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_NET_AGENDA_H
#define DTS_NET_AGENDA_H

#include <curl/curl.h>

#include "net/fetch.h"
#include "net/sockets.h"

#define AGENDA_NEVER INT64_MAX

enum { AGENDA_SPARE = 64 };

typedef struct task task;
typedef struct host host;

typedef struct task_kind {
  void (*begin)(fetch *f, task *t); /* its time has come: task_run, task_end, or task_wait */
  void (*ended)(fetch *f, task *t, CURLcode code); /* its run is over: the same three */
  void (*deliver)(fetch *f, task *t);              /* tells whoever asked; may call fetch_* */
  void (*release)(fetch *f, task *t);              /* frees it */
} task_kind;

typedef enum task_state { TASK_WAITING, TASK_RUNNING, TASK_ENDED } task_state;
typedef enum task_reach { REACH_PUBLIC, REACH_LOCAL, REACH_ANY, REACH_LOOPBACK } task_reach;

struct task { /* the first member of what a kind keeps */
  uint64_t id;
  task *next, *previous;
  const task_kind *kind;
  task_state state;
  /* waiting: not before; AGENDA_NEVER: when something has ended. running: the deadline */
  int64_t due;
  CURL *easy;      /* running */
  fetch *fetch;    /* running: whose it is */
  dts_error error; /* ended: code[0] is 0 when all is well */
  task_reach reach;
  int64_t connect_ms, stall_ms; /* 0: 10 s to connect; never given up for being slow */
  char refused[96];             /* what the guard refused in this run, or empty */
  bool connected;               /* some address passed the guard */
  char detail[CURL_ERROR_SIZE];
};

typedef struct task_list {
  task *first, *last;
} task_list;

struct fetch {
  fetch_loop loop;
  CURLM *multi;     /* NULL until the first run */
  int64_t curl_due; /* when curl wants to be called */
  int64_t woken;    /* when the loop was asked to tick at the latest; AGENDA_NEVER: it was not */
  buffer trust;     /* certificates of the project's own authorities, PEM */
  sockets sockets;
  CURL *spare[AGENDA_SPARE]; /* handles that have served, without options */
  int spare_count;
  task_list tasks, ended;
  uint64_t last_id;
  host *hosts;
  bool inside, changed; /* in agenda_advance · something ended: look at all that wait */
};

uint64_t agenda_add(fetch *f, task *t, const task_kind *kind);
void agenda_advance(fetch *f);
int64_t agenda_now(const fetch *f);

void task_wait(task *t, int64_t until);
CURL *task_easy(fetch *f); /* a fresh or spare handle for task_run; NULL without memory */
/* Hands t->easy, with the guard and the common options set, to curl. */
void task_run(fetch *f, task *t, CURL *easy, int64_t deadline);
void task_end(fetch *f, task *t); /* t->error says how */

#endif
