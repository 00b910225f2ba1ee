/* run.h -- one run: a leased job, its worker, what it has staged, the calls it waits for.
 *
 * One idea: a run lives on the loop's thread and ends once, by one write that holds its staged effects,
 * its job's step, its attempt and its firing. A call of its worker is answered once, now or later; a
 * call that outlives its run is answered into the void. call_OP.c holds one operation each.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_RUN_H
#define DTS_FLOW_RUN_H

#include "flow/jobs/jobs.h"
#include "flow/kernel/kernel.h"
#include "flow/kernel/nursery.h"
#include "flow/runs/stage.h"

typedef struct run_step { /* an open ctx:step */
  struct run_step *next;
  char *name;
  stage *stage;
  int64_t started;
  int attempts, retry;
} run_step;

typedef struct run_wait run_wait; /* call_wait.c */
typedef struct log_line log_line; /* run.c */

typedef struct run_logs { /* lines that wait to be written */
  log_line *first, *last;
  size_t waiting;
  int writing;  /* writes under way */
  bool holding; /* the worker is paused until the next of them is done */
} run_logs;

typedef struct run {
  struct run *next;
  kernel *kernel;
  registry *set; /* held */
  const pipeline *pipeline;
  arena memory; /* of the job, below */
  job job;
  value input; /* decoded */
  int64_t id, started, window_from, fire_time;
  int64_t began;   /* as loop_elapsed: not moved by a clock that is told the time */
  const char *day; /* ctx.date */
  const char *traceback;
  worker *worker; /* NULL once it is gone */
  stage *stage;
  run_step *steps;
  run_wait *waits; /* calls to be answered after a while */
  size_t asked;    /* bytes of its questions under way, which the engine holds */
  size_t rows, requests, log_bytes, log_seq, request_seq; /* rows: committed */
  size_t replaced; /* of these rows, by later ones; the first of them in words */
  const char *first_replaced;
  run_logs logs;
  int refs;              /* the runner's own, and one for each call or write under way */
  bool ending;           /* the final write is under way, or done */
  bool committing;       /* an earlier one is */
  bool alone;            /* the worker waits for it */
  bool archiving;        /* bytes are on their way to the objects: its end must not overtake them */
  struct run_held *held; /* what the worker asked meanwhile: it waits for the commit, */
  bool gone;             /* as does its end */
  worker_end gone_how;
  bool handed_back; /* the engine stops: the job goes back to the queue */
  bool ready;       /* leased ahead: waits for a place, and has no worker yet */
  bool ended;       /* the final write is on disk */
  bool cancelled;
  dts_error fault; /* what the engine itself holds against the run; code "" for nothing */
  bool permanent;  /* ctx:fail(reason, { retry = false }) */
  bool slept;      /* ctx:sleep: comes back at sleep_until */
  int64_t sleep_until;
  bool
      put_off; /* no fault of its own, but run by hand: it has failed, and its dates count no try */
} run;

typedef struct call { /* a question of the worker */
  run *run;           /* held */
  uint32_t id;
  wire_op op;
  arena memory;
  value args;
  size_t size;
  int fd; /* that rode along, or -1; owned */
} call;

/* Answers it, now or later, by one of the four below; they free the call. */
typedef void call_fn(call *c);
void call_answer(call *c, value answer);
void call_answer_fd(call *c, value answer, int fd); /* takes fd */
void call_fail(call *c, const dts_error *e);
void call_drop(call *c); /* no answer: the run has ended or will not go on */
call_fn *call_find(wire_op op);

void run_hold(run *r);
void run_release(run *r);
void run_log(run *r, const char *level, const char *message, size_t size);
void run_write_log(run *r); /* what waits, now: before the run's last write */
void run_listen(run *r);   /* to its worker, or not now: there are several reasons to let it wait */
void run_hold_log(run *r); /* after a line of the worker's: pauses it when too many wait */
/* Ends the run with an error of the engine's own making: a limit, a permission. Its worker is killed. */
void run_fault(run *r, const dts_error *e);
/* Of a step under way, or the run's own; NULL: no such step. */
stage *run_stage(run *r, const char *step);

/* Commits what `staged` holds together with `extra` (may be NULL; runs inside the same transaction), under
 * the lease's epoch. `then` is called on the loop with the outcome; a fenced run is faulted before. */
void run_count(run *r, const stage *written); /* rows that are in the store now */
typedef int run_extra(store_conn *c, run *r, void *arg, dts_error *e);
typedef void run_then(run *r, void *arg, const dts_error *e);
void run_commit(run *r, stage *staged, run_extra *extra, run_then *then, void *arg);
/* The same while the worker goes on making rows: whatever else it sends is held until the commit is on
 * disk, so nothing that it can see or do comes before. */
void run_commit_beside(run *r, stage *staged, run_extra *extra, run_then *then, void *arg);
bool run_holds(run *r, const frame *in); /* the frame was held, and comes again */

#endif
