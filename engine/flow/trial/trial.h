/* trial.h -- the engine's side of `dts test`: throw-away kernels for a worker that runs specs.
 *
 * One idea: a test is another kernel that answers the same calls: its store is in memory, its
 * clock stands until it is moved, its network asks the spec's own functions (OP_ASK), its secrets
 * all say "spec". The spec's worker waits while its question is carried out, so one thread and
 * blocking frames are enough. Every question is answered when the kernel has come to rest.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_TRIAL_H
#define DTS_FLOW_TRIAL_H

#include "flow/kernel/kernel.h"

/* How a request to the project's own API is answered: serve does that, which flow does not know.
 * Opened at the first request of a kernel; the address is "http://127.0.0.1:PORT". */
typedef struct trial_server {
  void *(*open)(kernel *k, char address[64], char key[128], dts_error *e);
  void (*close)(void *server);
} trial_server;

typedef struct trial_options {
  const char *root, *worker;
  const embed_file *shipped;
  const trial_server *server; /* or NULL: t:request is refused */
} trial_options;

/* Answers the spec worker until it closes its end. 0, or -1. */
int trial_serve(int socket, const trial_options *options, dts_error *e);

#endif
