/* limit.c -- see limit.h.
 *
 * SPDX-License-Identifier: MIT */
#include "script/limit.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>

#include "script/fault.h"
#include "script/witness.h"

/* At the limit and at each tick after it the hook is armed. Code that does not come back to Lua is
 * noted in between, and ended before a second is over. */
enum { REPORT_ROOM = 1024 * 1024, REARM_US = 50000, TICKS_NOTED = 10, TICKS_ENDED = 17 };

void limit_memory(script *s, int64_t bytes) { s->memory_limit = bytes > 0 ? (size_t)bytes : 0; }

/* ── CPU ── */

/* A signal handler has no argument of ours: the one script whose limit runs in this process. */
static script *volatile limited;

static void keep_cpu(script *s) {
  error_fail(&s->limit, "LIMIT_CPU",
             "the script used more than its %" PRId64 ".%" PRId64 " s of processor time",
             s->cpu_ms / 1000, s->cpu_ms % 1000 / 100);
  error_hint(&s->limit, "look for a loop that does not end, or raise limits.cpu");
}

static void stop_here(lua_State *L, lua_Debug *event) {
  (void)event;
  script *s = script_of(L);
  if (!s->limit.code[0]) {
    keep_cpu(s);
    fault_where(L, s->limit.where);
  }
  fault_raise(L, &s->limit);
}

void limit_arm(lua_State *L) {
  if (script_of(L)->limit.code[0]) lua_sethook(L, stop_here, LUA_MASKCOUNT, 1);
}

static void on_timer(int number) {
  (void)number;
  script *s = limited;
  if (!s) return;
  lua_sethook(s->now->L, stop_here, LUA_MASKCOUNT, 1);
  if (++s->ticks == TICKS_NOTED) witness_note();
  if (s->ticks == TICKS_ENDED) raise(SIGXCPU);
}

void limit_cpu(script *s, int64_t ms) {
  limited = ms > 0 ? s : NULL;
  s->cpu_ms = ms;
  s->ticks = 0;
  struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
  sigaction(SIGPROF, &action, NULL);
  struct itimerval timer = {0};
  if (ms > 0) {
    timer.it_value = (struct timeval){ms / 1000, ms % 1000 * 1000};
    timer.it_interval.tv_usec = REARM_US;
  }
  setitimer(ITIMER_PROF, &timer, NULL);
}

/* ── Caught ── */

static void keep_memory(script *s) {
  error_fail(&s->limit, "LIMIT_MEMORY", "the script needs more than its %zu MB of memory",
             s->memory_limit / (1024 * 1024));
  error_hint(&s->limit,
             "read in pieces (rows, lines, pages) instead of whole, or raise limits.memory");
  snprintf(s->limit.where, sizeof s->limit.where, "%s", s->refused_at);
  s->memory_limit += REPORT_ROOM;
}

bool limit_caught(lua_State *L, int status) {
  script *s = script_of(L);
  if (status == LUA_ERRMEM && !s->limit.code[0]) keep_memory(s);
  if (s->limit.code[0]) {
    lua_pop(L, 1);
    fault_push(L, &s->limit);
    limit_arm(L);
    return true;
  }
  return fault_is_final(L, -1);
}
