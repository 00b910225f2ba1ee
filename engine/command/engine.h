/* engine.h -- the engine that a command speaks to: the one that runs in the project, or this
 * process.
 *
 * One idea: a command does not care which. engine_open reaches for var/dts.sock; when nobody
 * answers there it opens the kernel itself, without serving. Ctrl-C and SIGTERM end a wait with
 * code INTERRUPTED; engine_close then hands back what ran in this process.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_ENGINE_H
#define DTS_COMMAND_ENGINE_H

#include "flow/kernel/kernel.h"

typedef struct engine engine;

/* `file`: only this script, relative to root, or NULL. Texts must outlive the engine. */
engine *engine_open(const char *root, const char *file, dts_error *e);
/* Never another process; `now_ms` (0: the present) is where the clock begins. */
engine *engine_open_alone(const char *root, const char *file, int64_t now_ms, bool replaying,
                          dts_error *e);
/* The same with any options; worker and shipped connectors are filled in. */
engine *engine_open_with(const kernel_options *options, dts_error *e);
/* Reaches the running engine, or opens one whose store is thrown away: to ask for `place`. */
engine *engine_peek(const char *root, dts_error *e);
/* The project around the working folder. */
engine *engine_here(arena *a, dts_error *e);
/* One verb of a command that has several, with that engine. */
struct given;
typedef int engine_verb(engine *g, const struct given *words, dts_error *e);
int engine_do(engine_verb *verb, const struct given *words, dts_error *e);
void engine_close(engine *g); /* NULL is fine */

bool engine_is_remote(const engine *g); /* another process: `dts serve` */
kernel *engine_kernel(engine *g);       /* of this process; NULL when it is remote */
const char *engine_root(const engine *g);
/* The answer lives in `a`; events come while it waits (event may be NULL). */
int engine_ask(engine *g, const value *command, kernel_event *event, void *arg, arena *a,
               value *answer, dts_error *e);
/* {"name": name}, to be filled in further. */
value engine_command(arena *a, const char *name);
/* SQL of this program's own or of a user; the answer is {columns, types, rows, timezone}. */
int engine_sql(engine *g, const char *sql, const value *params, int64_t limit_rows, arena *a,
               value *answer, dts_error *e);

/* Before any thread exists: SIGINT, SIGTERM and SIGHUP come by descriptor from now on. */
int engine_signals(void);
/* After engine_close they stay blocked: has one come? For work that goes on without an engine. */
bool engine_stop_asked(void);
int engine_fail_stopped(dts_error *e); /* INTERRUPTED. Always -1. */
void engine_signals_free(void);        /* from now on one ends the process */

#endif
