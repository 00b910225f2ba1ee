/* nursery.h -- the process that forks workers: small, single-threaded, with Lua already loaded.
 *
 * It reads OP_FORK from one socket, answers with {pid} and a pidfd, reports each end with
 * OP_EXITED, and when the socket closes it kills its children and is done. Children die with it
 * (PR_SET_PDEATHSIG).
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_NURSERY_H
#define DTS_SCRIPT_NURSERY_H

int nursery_run(int socket); /* the exit status, of the nursery and, in a child, of the worker */

#endif
