/* loop.h -- the engine's one event loop: descriptors, timers, work for other threads.
 *
 * One idea: everything in flow runs on the thread that calls loop_run; other threads reach it by
 * loop_post alone. Two clocks: `elapsed` timers (monotonic: limits, leases) and `clock` timers (wall
 * time: schedules). A virtual loop's wall clock stands still until loop_advance moves it; that is how a
 * test lets thirty days pass in milliseconds.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_LOOP_H
#define DTS_FLOW_LOOP_H

#include <stdbool.h>
#include <stdint.h>

typedef struct loop loop;
typedef struct loop_timer loop_timer;
typedef void loop_fn(void *arg);
typedef void loop_io(void *arg, int fd, bool readable, bool writable);

/* now_ms: the wall clock's first reading; 0, on a real loop: the system's. A real one goes on from there. */
loop *loop_open(bool is_virtual, int64_t now_ms);
void loop_close(loop *l); /* waits for deferred work; drops timers */

int64_t loop_now(const loop *l);     /* wall clock, ms UTC; any thread */
int64_t loop_elapsed(const loop *l); /* monotonic ms; any thread */

/* Calls `ready` while the descriptor is readable / writable; both false forgets it. */
void loop_watch(loop *l, int fd, bool read, bool write, loop_io *ready, void *arg);

/* Runs once, then the timer is gone. loop_cancel(NULL) is fine; never cancel one that has run. */
loop_timer *loop_after(loop *l, int64_t ms, loop_fn *fn, void *arg);  /* monotonic */
loop_timer *loop_at(loop *l, int64_t now_ms, loop_fn *fn, void *arg); /* wall clock */
void loop_cancel(loop *l, loop_timer *t);

void loop_post(loop *l, loop_fn *fn, void *arg); /* any thread: runs fn on the loop, in order */
/* `work` on a pool thread, then `then` on the loop. For what blocks: files, reads of the store. */
void loop_defer(loop *l, loop_fn *work, loop_fn *then, void *arg);

void loop_run(loop *l);                      /* until loop_stop */
void loop_stop(loop *l);                     /* any thread, or a signal's handler */
void loop_turn(loop *l, int64_t timeout_ms); /* one round: waits at most that long */
bool loop_busy(const loop *l);               /* deferred work or posts under way */
/* Virtual clocks only: moves to the next timer, if it is due by `until`, and runs it; else to `until`.
 * True when a timer ran. */
bool loop_advance(loop *l, int64_t until_ms);
void loop_skip(loop *l, int64_t ms); /* virtual clocks only: later, and no timer has run yet */

#endif
