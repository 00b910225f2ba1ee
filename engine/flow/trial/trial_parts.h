/* trial_parts.h -- for trial*.c alone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_TRIAL_PARTS_H
#define DTS_FLOW_TRIAL_PARTS_H

#include "flow/trial/replay.h"
#include "flow/trial/trial.h"
#include "wire/frame.h"
#include "wire/op.h"

typedef struct trial trial;
typedef struct trial_asked trial_asked; /* a command of a spec */

typedef struct trials { /* one spec worker */
  const trial_options *options;
  int socket;
  uint32_t calls;
  int64_t ids;
  trial *trials;
} trials;

struct trial {
  trial *next;
  trials *owner;
  int64_t id;
  kernel *kernel;
  value laid_over; /* in `memory` */
  arena memory;
  char folder[256]; /* of its objects */
  void *server;
  char address[64], key[128];
  trial_asked *asked;
  replay *replay;  /* or NULL */
  dts_error fault; /* what the spec itself lacks: the verb under way fails with it */
  bool asking;     /* a function of the spec runs: only reads may be asked */
};

trial *trial_open(trials *all, const value *args, dts_error *e);
void trial_close(trial *t);  /* takes it out of its owner's list */
void trial_settle(trial *t); /* turns the loop until nothing goes on */

/* A kernel_network that asks the spec's functions, then the recording. */
void trial_network(void *arg, const value *request, const char *source_name, fetch_done *done,
                   void *done_arg);
int trial_send(trials *all, uint32_t number, wire_op op, const value *v, dts_error *e);

/* One OP_TEST; the answer lives in `a`. */
int trial_verb(trial *t, const value *args, arena *a, value *answer, dts_error *e);
void trial_forget(trial *t); /* of its commands, once the kernel is closed */
int trial_request(trial *t, const value *args, arena *a, value *answer, dts_error *e);
int trial_rows(trial *t, const value *args, arena *a, value *answer, dts_error *e);
/* Reads and answers frames until the reply to `number` is there (0: until the worker closes). 1:
 * the reply, unpacked into `a`; 0: closed; -1: an error, also one that was the reply. */
int trial_pump(trials *all, uint32_t number, arena *a, value *reply, dts_error *e);

#endif
