/* writer.c -- the one thread that writes: whatever is queued shares a transaction and its fsync.
 *
 * There is no timer: while one commit is on its way to the disk the queue grows by itself, and the
 * next commit takes all of it (54 K durable rows/s with 32 writers here, against 13 K with a window
 * of 2 ms). A work that fails is undone alone, by its savepoint; a work that is alone needs none,
 * which spares a large one the savepoint's journal. Answers follow the commit, never precede it.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "store/conn.h"

enum { BATCH = 8192, IDLE_MS = 500 };

typedef struct job job;
struct job {
  job *next;
  store_work *work;
  store_done *done;
  void *arg;
  dts_error *error; /* allocated when it failed */
};

struct writer {
  store *store;
  store_conn *conn;
  pthread_t thread;
  pthread_mutex_t mutex; /* guards the queue and `closing` */
  pthread_cond_t wake;
  job *first, **last;
  bool closing;
};

/* ---- one batch ---- */

static void fail(job *j, const dts_error *e) {
  if (!j->error) j->error = memory_alloc(sizeof *j->error);
  *j->error = *e;
}

static void fail_all(job *from, const job *end, const dts_error *e) {
  for (; from != end; from = from->next)
    if (!from->error) fail(from, e);
}

/* A change of the schema that was undone leaves statements behind that were prepared under it. */
static void forget_schema(store_conn *c) {
  if (!c->changed_schema) return;
  c->undone++;
  statement_drop_all(c);
  conn_read_schema(c, NULL);
}

static void undo(store_conn *c, bool alone, size_t touched) {
  bool open = !sqlite3_get_autocommit(c->db);
  c->touched_count = touched;
  if (open && alone) conn_run(c, "rollback", NULL);
  if (open && !alone) {
    conn_run(c, "rollback to work", NULL);
    conn_run(c, "release work", NULL);
  }
  forget_schema(c);
}

static void run_job(store_conn *c, job *j, bool alone) {
  dts_error e = {0};
  size_t touched = c->touched_count;
  bool changed = c->changed_schema;
  c->work++;
  c->changed_schema = false;
  int result = alone ? 0 : conn_run(c, "savepoint work", &e);
  if (result == 0) result = j->work(c, j->arg, &e);
  if (result == 0 && sqlite3_get_autocommit(c->db))
    result = error_fail(&e, "STORE", "the transaction ended inside a work");
  if (result == 0 && !alone) result = conn_run(c, "release work", &e);
  if (result < 0) {
    fail(j, &e);
    undo(c, alone, touched);
    c->changed_schema = false;
  }
  c->changed_schema |= changed;
}

/* Runs works into the open transaction; gives where it stopped: NULL, or behind a work with which
 * SQLite gave up the whole transaction (a full disk); then all before it are undone as well. */
static job *run_jobs(store_conn *c, job *first) {
  bool alone = !first->next;
  for (job *j = first; j; j = j->next) {
    run_job(c, j, alone);
    if (!sqlite3_get_autocommit(c->db)) continue;
    if (j->error) {
      dts_error e = *j->error;
      fail_all(first, j->next, &e);
    }
    c->touched_count = 0;
    return j->next;
  }
  return NULL;
}

static void commit(store_conn *c, job *first, const job *end) {
  dts_error e = {0};
  if (sqlite3_get_autocommit(c->db)) return forget_schema(c); /* already undone, as a whole */
  if (conn_run(c, "commit", &e) == 0) return;
  conn_run(c, "rollback", NULL);
  forget_schema(c);
  c->touched_count = 0;
  fail_all(first, end, &e);
}

static void answer(job *first, const job *end) {
  for (job *next; first != end; first = next) {
    static const dts_error none;
    next = first->next;
    if (first->done)
      first->done(first->arg, first->error ? -1 : 0, first->error ? first->error : &none);
    free(first->error);
    free(first);
  }
}

static void run_batch(writer *w, job *first) {
  store_conn *c = w->conn;
  dts_error e = {0};
  while (first) {
    job *end = NULL;
    c->changed_schema = false;
    if (conn_begin(c, "begin immediate", &e) < 0)
      fail_all(first, NULL, &e);
    else
      end = run_jobs(c, first), commit(c, first, end);
    if (c->changed_schema) versions_load(w->store->versions, c, NULL);
    versions_move(w->store->versions, c);
    answer(first, end);
    first = end;
  }
}

/* ---- the thread ---- */

static void rest(writer *w) {
  int rc = sqlite3_wal_checkpoint_v2(w->conn->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  if (rc != SQLITE_OK && rc != SQLITE_BUSY)
    log_warn("checkpoint of %s: %s", w->store->path, sqlite3_errmsg(w->conn->db));
  sqlite3_db_release_memory(w->conn->db); /* the system's cache has the pages too */
}

static bool wait_idle(writer *w) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += IDLE_MS * 1000000L;
  until.tv_sec += until.tv_nsec / 1000000000L;
  until.tv_nsec %= 1000000000L;
  while (!w->first && !w->closing)
    if (pthread_cond_timedwait(&w->wake, &w->mutex, &until) == ETIMEDOUT) return !w->first;
  return false;
}

static job *take(writer *w) {
  job *first = w->first, *j = first;
  for (int i = 1; i < BATCH && j->next; i++) j = j->next;
  w->first = j->next;
  if (!w->first) w->last = &w->first;
  j->next = NULL;
  return first;
}

static void *run(void *arg) {
  writer *w = arg;
  bool dirty = false;
  pthread_mutex_lock(&w->mutex);
  for (;;) {
    bool idle = dirty && !w->first && wait_idle(w);
    while (!idle && !w->first && !w->closing) pthread_cond_wait(&w->wake, &w->mutex);
    if (!w->first && w->closing) break;
    job *batch = idle ? NULL : take(w);
    pthread_mutex_unlock(&w->mutex);
    if (idle) rest(w);
    run_batch(w, batch);
    dirty = !idle;
    pthread_mutex_lock(&w->mutex);
  }
  pthread_mutex_unlock(&w->mutex);
  return NULL;
}

writer *writer_open(store *s, store_conn *c) {
  writer *w = memory_alloc(sizeof *w);
  pthread_condattr_t monotonic;
  w->store = s;
  w->conn = c;
  w->last = &w->first;
  pthread_mutex_init(&w->mutex, NULL);
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&w->wake, &monotonic);
  pthread_condattr_destroy(&monotonic);
  if (pthread_create(&w->thread, NULL, run, w) == 0) return w;
  free(w);
  return NULL;
}

void writer_close(writer *w) {
  if (!w) return;
  pthread_mutex_lock(&w->mutex);
  w->closing = true;
  pthread_cond_signal(&w->wake);
  pthread_mutex_unlock(&w->mutex);
  pthread_join(w->thread, NULL);
  pthread_cond_destroy(&w->wake);
  pthread_mutex_destroy(&w->mutex);
  conn_close(w->conn);
  free(w);
}

/* ---- asking it ---- */

static bool enqueue(writer *w, store_work *work, store_done *done, void *arg) {
  job *j = memory_alloc(sizeof *j);
  *j = (job){.work = work, .done = done, .arg = arg};
  pthread_mutex_lock(&w->mutex);
  bool open = !w->closing;
  if (open) {
    *w->last = j;
    w->last = &j->next;
    pthread_cond_signal(&w->wake);
  }
  pthread_mutex_unlock(&w->mutex);
  if (!open) free(j);
  return open;
}

void store_submit(store *s, store_work *work, store_done *done, void *arg) {
  dts_error e = {0};
  if (s->writer && enqueue(s->writer, work, done, arg)) return;
  if (s->writer)
    error_fail(&e, "STORE_CLOSED", "%s is being closed", s->path);
  else
    error_fail(&e, "READ_ONLY", "%s was opened to be read only", s->path);
  if (done) done(arg, -1, &e);
}

typedef struct waiter {
  store_work *work;
  void *arg;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  bool answered;
  int result;
  dts_error error;
} waiter;

static int run_waited(store_conn *c, void *arg, dts_error *e) {
  waiter *w = arg;
  return w->work(c, w->arg, e);
}

static void wake(void *arg, int result, const dts_error *e) {
  waiter *w = arg;
  pthread_mutex_lock(&w->mutex);
  w->result = result;
  w->error = *e;
  w->answered = true;
  pthread_cond_signal(&w->wake);
  pthread_mutex_unlock(&w->mutex);
}

int store_write(store *s, store_work *work, void *arg, dts_error *e) {
  if (s->writer && pthread_equal(pthread_self(), s->writer->thread))
    return error_fail(e, "STORE", "store_write on the writer's own thread would wait for itself");
  waiter w = {.work = work, .arg = arg};
  pthread_mutex_init(&w.mutex, NULL);
  pthread_cond_init(&w.wake, NULL);
  store_submit(s, run_waited, wake, &w);
  pthread_mutex_lock(&w.mutex);
  while (!w.answered) pthread_cond_wait(&w.wake, &w.mutex);
  pthread_mutex_unlock(&w.mutex);
  pthread_cond_destroy(&w.wake);
  pthread_mutex_destroy(&w.mutex);
  if (w.result < 0 && e) *e = w.error;
  return w.result;
}
