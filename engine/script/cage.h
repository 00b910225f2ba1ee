/* cage.h -- what a worker may ask of the operating system: next to nothing.
 *
 * A cage is made once, in the nursery (cage_open), and entered by each child (cage_enter). Inside,
 * a process reads and writes the descriptors it has, gets memory that is not executable, looks at
 * the clock and ends; any other system call kills it (SIGSYS). Beneath Lua's own memory cap lies
 * RLIMIT_AS, and beneath the CPU hook RLIMIT_CPU, whose SIGXCPU kills. In sanitized builds
 * RLIMIT_AS is off (shadow memory) and standard error stays open for their reports.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_CAGE_H
#define DTS_SCRIPT_CAGE_H

#include "base/error.h"
#include "script/script.h"

typedef struct cage {
  void *filter;     /* of system calls, as the kernel takes it */
  size_t steps;     /* in it */
  int null_fd;      /* /dev/null */
  size_t base_size; /* the nursery's address space */
} cage;

int cage_open(cage *c, dts_error *e);
void cage_close(cage *c);

/* In the child, for good: descriptors (the socket becomes CAGE_SOCKET), limits, system calls.
 * `memory` in bytes and `cpu_ms` as OP_FORK has them, 0: none. 0 or -1. */
enum { CAGE_SOCKET = 3 };
int cage_enter(const cage *c, int socket, int64_t memory, int64_t cpu_ms, dts_error *e);

/* A further spell of CPU time for this process, which has used some already (a route's request):
 * limit_cpu, and the system's limit a second or two behind it. 0: none. */
void cage_cpu(script *s, int64_t ms);
int64_t cage_cpu_used(void); /* by this process so far, ms */

#endif
