/* store.c -- opening and closing; the pool of readers.
 *
 * A throw-away store ("sqlite::memory:") is an ordinary one whose files lost their names as soon as
 * all its connections were open, so tests meet the same WAL, snapshots and threads as production,
 * and nothing is left behind however the process ends.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "store/conn.h"

enum { READERS = 4 };

static const char columns_table[] =
    "create table if not exists dts_columns(table_name text not null, name text not null,"
    " type text not null, position integer not null, doc text not null, check_sql text,"
    " not_null integer not null default 0,"
    " primary key(table_name, name)) strict, without rowid";

/* ---- files ---- */

static int make_memory(store *s, dts_error *e) {
  const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");
  char path[512];
  snprintf(path, sizeof path - 16, "%s/dts-XXXXXX", base && strlen(base) < 400 ? base : "/tmp");
  if (!mkdtemp(path))
    return error_fail(e, "STORE_OPEN", "cannot make %s: %s", path, strerror(errno));
  s->memory = true;
  s->folder = memory_text(path);
  strcat(path, "/memory.db");
  s->path = memory_text(path);
  return 0;
}

static void unlink_memory(store *s) {
  static const char *const parts[] = {"", "-wal", "-shm"};
  char path[600];
  for (size_t i = 0; s->folder && i < sizeof parts / sizeof parts[0]; i++) {
    snprintf(path, sizeof path, "%s%s", s->path, parts[i]);
    unlink(path);
  }
  if (s->folder) rmdir(s->folder);
  free(s->folder);
  s->folder = NULL;
}

static int make_folder(const char *path, dts_error *e) {
  char *folder = memory_text(path), *slash = strrchr(folder, '/');
  int result = 0;
  if (slash && slash != folder) {
    *slash = '\0';
    result = file_make_folder(folder, 0700, e);
  }
  free(folder);
  return result;
}

static off_t size_of(const char *path, const char *suffix) {
  char whole[4200];
  struct stat s;
  snprintf(whole, sizeof whole, "%s%s", path, suffix);
  return stat(whole, &s) == 0 ? s.st_size : -1;
}

/* SQLite would begin anew on an empty file, and throw away the log of one that is gone. */
static int refuse_lost(const char *path, dts_error *e) {
  off_t size = size_of(path, ""), log = size_of(path, "-wal");
  if (size > 0 || (size < 0 && log <= 0)) return 0;
  error_fail(e, "STORE_CORRUPT", "%s is %s", path,
             size < 0 ? "gone, but its log (-wal) is there" : "empty, as no store is");
  return error_hint(
      e,
      "restore the last backup (dts backup); or, to begin a new store, remove what is "
      "left of %s*",
      path);
}

/* SQLite gives its -wal and -shm the mode of the database, so that is made here, with 0600. */
static int make_file(const char *path, bool *made, dts_error *e) {
  if (refuse_lost(path, e) < 0) return -1;
  *made = !file_exists(path);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return error_fail(e, "STORE_OPEN", "cannot open %s: %s", path, strerror(errno));
  close(fd);
  return 0;
}

static int read_url(store *s, const char *url, dts_error *e) {
  if (strncmp(url, "postgres://", 11) == 0 || strncmp(url, "postgresql://", 13) == 0) {
    error_fail(e, "STORE_URL", "a PostgreSQL store is not available in this version");
    return error_hint(e, "store = \"sqlite:var/dts.db\" in dts.lua");
  }
  if (strncmp(url, "sqlite:", 7) != 0 || !url[7]) {
    error_fail(e, "STORE_URL", "store \"%s\": sqlite:PATH expected", url);
    return error_hint(e, "store = \"sqlite:var/dts.db\" in dts.lua");
  }
  if (strcmp(url + 7, ":memory:") == 0)
    return s->read_only ? error_fail(e, "STORE_URL", "a store in memory cannot be read-only")
                        : make_memory(s, e);
  s->path = memory_text(url + 7);
  return 0;
}

/* A store in memory has lost its folder: its scratch lies where temporary files do. */
int store_scratch(store *s, dts_error *e) {
  const char *temporary = getenv("TMPDIR"), *slash = strrchr(s->path, '/');
  char folder[4096], name[4112];
  if (s->memory)
    snprintf(folder, sizeof folder, "%s", temporary && *temporary ? temporary : "/tmp");
  else
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - s->path) : 1,
             slash ? s->path : ".");
  int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  snprintf(name, sizeof name, "%s/scratch-XXXXXX", folder); /* a file system without O_TMPFILE */
  fd = mkostemp(name, O_CLOEXEC);
  if (fd >= 0) return unlink(name), fd;
  return error_fail(e, "STORE_OPEN", "cannot make a file in %s: %s", folder, strerror(errno));
}

/* ---- readers ---- */

static store_conn *conn_take(store *s, dts_error *e) {
  store_conn *c = NULL;
  pthread_mutex_lock(&s->mutex);
  while (s->memory && !s->idle_count) pthread_cond_wait(&s->given, &s->mutex);
  if (s->idle_count) c = s->idle[--s->idle_count];
  s->out_count++;
  pthread_mutex_unlock(&s->mutex);
  if (!c) c = conn_open(s, false, e);
  if (c) return c;
  pthread_mutex_lock(&s->mutex);
  s->out_count--;
  pthread_cond_broadcast(&s->given);
  pthread_mutex_unlock(&s->mutex);
  return NULL;
}

static void conn_give(store *s, store_conn *c) {
  pthread_mutex_lock(&s->mutex);
  if (s->idle_count < s->kept) s->idle[s->idle_count++] = c, c = NULL;
  s->out_count--;
  pthread_cond_broadcast(&s->given);
  pthread_mutex_unlock(&s->mutex);
  conn_close(c);
}

void store_slim(store *s) {
  pthread_mutex_lock(&s->mutex);
  for (size_t i = 0; i < s->idle_count; i++) sqlite3_db_release_memory(s->idle[i]->db);
  pthread_mutex_unlock(&s->mutex);
}

static int read_once(store_conn *c, store_work *work, void *arg, dts_error *e) {
  if (conn_begin(c, "begin", e) < 0) return -1;
  int result = work(c, arg, e);
  conn_run(c, result == 0 ? "commit" : "rollback", NULL);
  return result;
}

int store_read(store *s, store_work *work, void *arg, dts_error *e) {
  store_conn *c = conn_take(s, e);
  if (!c) return -1;
  int result = read_once(c, work, arg, e);
  conn_give(s, c);
  return result;
}

/* ---- opening ---- */

/* A store made before not_null was kept. */
static int add_not_null(store_conn *c, dts_error *e) {
  value has = value_null();
  if (store_get(c, "select 1 from pragma_table_info('dts_columns') where name = 'not_null'", NULL,
                0, NULL, &has, e) < 0)
    return -1;
  return has.kind != VALUE_NULL
             ? 0
             : conn_run(c, "alter table dts_columns add column not_null integer not null default 0",
                        e);
}

static int open_writer(store *s, dts_error *e) {
  store_conn *c = conn_open(s, true, e);
  if (!c) return -1;
  bool ready = conn_run(c, columns_table, e) == 0 && add_not_null(c, e) == 0 &&
               conn_read_schema(c, e) == 0 && versions_load(s->versions, c, e) == 0;
  if (ready) s->writer = writer_open(s, c);
  if (s->writer) return 0;
  conn_close(c);
  return ready ? error_fail(e, "STORE", "cannot start the writer's thread") : -1;
}

static int no_work(store_conn *c, void *arg, dts_error *e) {
  (void)arg;
  value v;
  return store_get(c, "select count(*) from dts_columns", NULL, 0, NULL, &v, e);
}

/* All connections of a throw-away store touch its WAL before the files lose their names. */
static int open_readers(store *s, dts_error *e) {
  size_t wanted = s->memory ? s->kept : s->read_only ? 1 : 0;
  for (size_t i = 0; i < wanted; i++) {
    store_conn *c = conn_open(s, false, e);
    if (!c) return -1;
    s->idle[s->idle_count++] = c;
    if (read_once(c, no_work, NULL, e) < 0) return -1;
  }
  return 0;
}

static int open_all(store *s, const char *url, dts_error *e) {
  if (read_url(s, url, e) < 0) return -1;
  if (s->read_only && !file_exists(s->path))
    return error_fail(e, "STORE_OPEN", "there is no store %s yet", s->path);
  if (!s->read_only) {
    if (make_folder(s->path, e) < 0) return -1;
    if (!s->memory && (s->lock = lock_take(s->path, e)) < 0) return -1;
    bool made = false;
    if (make_file(s->path, &made, e) < 0) return -1;
    if (!s->memory && (s->file_lock = lock_file(s->path, e)) < 0) return -1;
    if (open_writer(s, e) < 0) {
      if (made && !s->memory) unlink(s->path); /* empty: it would pass for a lost one */
      return -1;
    }
  }
  return open_readers(s, e);
}

static uint64_t seed_of(const store_options *o) {
  int64_t now = o->now ? o->now(o->now_arg) : clock_now_ms();
  return now > 0 ? (uint64_t)now * 1000 : 1;
}

store *store_open(const char *url, const store_options *options, dts_error *e) {
  signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error like a full disk */
  store_options o = options ? *options : (store_options){0};
  store *s = memory_alloc(sizeof *s);
  s->read_only = o.read_only;
  s->lock = s->file_lock = -1;
  s->kept = o.readers > 0 ? (size_t)o.readers : READERS;
  s->idle = memory_alloc(s->kept * sizeof *s->idle);
  s->versions = versions_open(seed_of(&o));
  pthread_mutex_init(&s->mutex, NULL);
  pthread_cond_init(&s->given, NULL);
  int result = open_all(s, url, e);
  unlink_memory(s);
  if (result == 0) return s;
  store_close(s);
  return NULL;
}

void store_close(store *s) {
  if (!s) return;
  pthread_mutex_lock(&s->mutex);
  while (s->out_count) pthread_cond_wait(&s->given, &s->mutex);
  pthread_mutex_unlock(&s->mutex);
  while (s->idle_count) conn_close(s->idle[--s->idle_count]);
  writer_close(s->writer); /* the last connection: its closing checkpoints and removes the WAL */
  lock_release(s->file_lock);
  lock_release(s->lock);
  versions_close(s->versions);
  pthread_cond_destroy(&s->given);
  pthread_mutex_destroy(&s->mutex);
  free(s->idle);
  free(s->path);
  free(s);
}
