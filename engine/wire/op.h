/* op.h -- the operations: the system calls of a run, and what the engine tells its processes.
 *
 * Arguments and answers are maps; `?` marks what may be absent, `…_ms` durations and `_at` instants in
 * milliseconds (UTC). A question (call > 0) is answered by OP_REPLY with its answer or by OP_ERROR with an
 * error's map; the rest is one-way (call 0). The engine checks every call against the pipeline's
 * permissions, whatever the worker has checked before.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_WIRE_OP_H
#define DTS_WIRE_OP_H

enum { WIRE_VERSION = 1 };

typedef enum wire_op {
  OP_REPLY = 1,
  OP_ERROR = 2,

  /* engine -> nursery */
  OP_FORK = 10, /* + the run's socket. {memory (bytes), cpu_ms} -> {pid} + a pidfd */
  /* nursery -> engine */
  OP_EXITED =
      11, /* {pid, where ("FILE:LINE" or ""), status? , signal?, cpu_ms, peak (bytes)}; follows every
             OP_FORK's reply */

  /* engine -> worker */
  OP_START =
      20, /* {mode "load" "config" "run" "serve", file, source, limits {memory, cpu_ms, time_ms},
      project (name), timezone, tables {name: declaration}?, writes [table names]?,
      batch? (puts are sent every so many rows), again? (the worker may offer itself), pipeline?,
      kind? "params" "span" "file" "batch",
      input?, ctx {run, attempt, date?, window {from_ms?, to_ms}, state?, pipeline, trigger}?}
      input by kind: params: a map · span: {key, from, to, dates, with} · file: {name, size, sha256} and the
      file's descriptor rides along · batch: {events [{id, type?, time?, json (the event's text)}]}.
      load, config, run: ends with OP_DONE or OP_FAILED. serve: evaluates, OP_DONE {}, then waits for
      OP_REQUESTs until the socket closes. */
  OP_REQUEST = 21, /* {route (its name), req {params {}, method, headers {}, body, key?}, cpu_ms}
      -> {status?, headers?, then one of: json (text, encoded), text, query (a QUERY's arguments), none};
         volatile (used now, uuid or headers), keyed (read req.key) */

  /* worker -> engine: endings (one-way) */
  OP_DONE = 30,   /* load: {declarations [..]}; config: {config {..}}; run: {peak (bytes),
      stays (it waits for another OP_START, in a state as new)} */
  OP_FAILED = 31, /* an error's map, with traceback?, permanent? (ctx:fail{retry=false}), limit?;
      an OP_DONE's place */

  /* worker -> engine: one-way */
  OP_ROWS =
      40, /* {table, step?, rows [[values in the table's column order] ..]}: put, whole rows */
  OP_STAGE = 41,    /* {verb, step?, ..}: update {table, row} · delete {table, where} ·
      reject {row, reason, line?} · enqueue {pipeline, params, key?, delay_ms?, group?} ·
      archive {source, body? or the descriptor, meta?, type?} */
  OP_LOG = 42,      /* {level "debug" "info" "warn" "error", message} */
  OP_PROGRESS = 43, /* {done, total?} */

  /* worker -> engine: questions */
  OP_MODULE = 50, /* {name} -> {file, source} ; code MODULE names the files that were looked for */
  OP_FILE = 51,   /* {path} a file of the project, below schemas/, data/ or specs/ -> {source} */
  OP_HTTP =
      52, /* {source? (name), method, path? or url?, query {}?, headers {}?, body?, accept [..]?,
      timeout_ms?, cache_ms?, archive?, meta?, idempotency? (true or a key)}
      -> {status, url, headers {}, type, size, unchanged, body? or the descriptor}. A status of 400 or more
      that is not in accept is the error HTTP_STATUS (status set), made by the engine. */
  OP_QUERY =
      53, /* {table, where?, order?, limit?, columns?} or {sql, params?}; page {size, after?}?
      -> {columns [names], rows [[..]..], next?} : `next` goes into `after`; order is "-date" or a list */
  OP_LOOKUP =
      54, /* {table, key (a value, or a list in key order, or a map)} -> a row's map, or null */
  OP_STEP =
      55, /* {name, retry? (further tries), timeout_ms?} -> {done true, result} or {done false} */
  OP_STEP_END = 56,  /* {name, result} -> {}: the result and the rows staged under it are on disk */
  OP_STEP_FAIL = 57, /* {name, error {}} -> {again}: the wait, if any, lies before the answer */
  OP_CHECKPOINT = 58, /* {state?} -> {} once all staged so far is on disk */
  OP_ARCHIVED = 59,   /* {source, from?, to? (dates)} -> [{id, date, at, size, type, meta?} ..] */
  OP_OBJECT = 60,     /* {id} -> {size} + a descriptor */
  OP_SLEEP = 61, /* {name, ms} -> {} when it is over; the run may be ended and repeated meanwhile */
  OP_NOW = 62,   /* {} -> {ms, today (date in the project's zone), offset_ms} */
  OP_ZONE = 65,  /* {name} -> {bytes}: a time zone's TZif file; none for UTC */
  OP_RANDOM = 63,  /* {} -> {uuid, number (0 <= x < 1)} */
  OP_ENQUEUE = 64, /* routes only, at once: {pipeline, params, key?, delay_ms?, group?} -> {id} */

  /* command -> engine, over var/dts.sock or in process (flow/control/control.h); answers may be preceded by
   * OP_LOG, OP_PROGRESS and OP_RUN of the same call */
  OP_HELLO = 80,   /* {version} -> {version, pid, listen?} : the first frame on the socket */
  OP_COMMAND = 81, /* {name, ..} -> what flow/control_NAME.c says */
  OP_RUN = 82,     /* one-way: {id, pipeline, state} a run of the asked command began or ended */

  /* spec worker (dts-worker --spec) -> engine: a throw-away kernel. Unanswered questions of the kernel
   * come back as OP_ASK while one of these is under way. */
  OP_TEST_OPEN = 90, /* {file? , now?, gaps {pipeline: {overrides}}?, config {}?} -> {test} */
  OP_TEST =
      91, /* {test, verb, ..}: rows {table, rows [{..}] or csv} · run {pipeline, params?, input?} ->
      {state, rows, error?} · advance {ms} · sql {sql, params?} -> {columns, rows} · spans {key} -> ["from/to"] ·
      emit {pipeline, events} · drop {name, body} · request {method, path, headers?, body?} -> {status, ..} ·
      close */
  OP_ASK =
      92 /* engine -> spec worker: {test, what "http", source, request {method, url, path, query, headers, body}}
      -> {status?, headers?, body? or json?} or an error */
} wire_op;

#endif
