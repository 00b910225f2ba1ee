/* ending_why.c -- see ending_why.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/runs/ending_why.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "format/duration.h"

static bool listed(const char *code, const char *const *codes) {
  for (; *codes; codes++)
    if (strcmp(code, *codes) == 0) return true;
  return false;
}

/* A reply of 4xx means the same the next time, but for 408, 425 and 429; so does a refusal, and what is wrong in
 * a file, whose bytes never change. */
bool why_is_permanent(const run *r, const dts_error *e) {
  static const char *const always[] = {"SCHEMA",        "HTTP_TOO_LARGE", "HTTP_BLOCKED",
                                       "TABLE_REFUSED", "HOST_REFUSED",   NULL};
  static const char *const of_files[] = {"ROWS", "CSV",    "JSON",       "XML",      "HTML",
                                         "TEXT", "COLUMN", "CONSTRAINT", "ENCODING", NULL};
  if (r->permanent || listed(e->code, always)) return true;
  if (strcmp(r->job.kind, "file") == 0 && listed(e->code, of_files)) return true;
  bool client = strcmp(e->code, "HTTP_STATUS") == 0 && e->status >= 400 && e->status < 500;
  return client && e->status != 408 && e->status != 425 && e->status != 429;
}

bool why_is_ours(const dts_error *e) {
  static const char *const codes[] = {"DISK_FULL", "STORE_IO", "STORE_BUSY", NULL};
  return listed(e->code, codes);
}

static void describe_loss(const worker_end *how, dts_error *e) {
  if (how->signal)
    error_fail(e, "WORKER_LOST", "the run's process ended by signal %d (%s) without a result",
               how->signal, strsignal(how->signal));
  else
    error_fail(e, "WORKER_LOST", "the run's process ended with status %d without a result",
               how->status);
  if (how->signal == SIGABRT || (!how->signal && how->status == 255))
    error_hint(e,
               "a library found no more memory, most likely: read in pieces, or raise limits = { "
               "memory = \"...\" }");
  e->status = how->signal;
}

void why_it_ended(const run *r, const worker_end *how, dts_error *e) {
  const pipeline *p = r->pipeline;
  char limit[32];
  if (how->timed_out) {
    duration_write(p->time_ms, limit);
    error_fail(e, "LIMIT_TIME", "the run took longer than its %s", limit);
    error_hint(e, "make it do less at a time, or raise limits = { time = \"...\" }");
    e->retryable = true;
  } else if (how->signal == SIGXCPU || (how->signal == SIGKILL && how->cpu_ms >= p->cpu_ms)) {
    duration_write(p->cpu_ms, limit);
    error_fail(e, "LIMIT_CPU", "the script used more than its %s of processor time", limit);
    error_hint(e, "look for an endless loop, or raise limits = { cpu = \"...\" }");
  } else if (how->starved && how->status == 255) { /* a library that calls exit, such as cjson */
    error_fail(e, "LIMIT_MEMORY", "the script needs more than its %lld MB of memory",
               (long long)(p->memory >> 20));
    error_hint(e, "read in pieces instead of whole, or raise limits = { memory = \"...\" }");
  } else {
    describe_loss(how, e);
  }
  snprintf(e->where, sizeof e->where, "%s", how->where[0] ? how->where : p->file);
}
