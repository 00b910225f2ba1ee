/* backup.c -- see backup.h. SQLite's backup API: pages are copied as they are, so that no function
 * of ours is needed to understand the schema. The source's own read transaction is open from before
 * the first step until after the last, so that all of them see one snapshot.
 *
 * SPDX-License-Identifier: MIT */
#include "store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_MS = 5000, PAGES = 4096 };

static int fail(sqlite3 *db, int rc, const char *verb, const char *path, dts_error *e) {
  const char *code = rc == SQLITE_FULL ? "DISK_FULL" : "BACKUP";
  error_fail(e, code, "%s %.300s: %s", verb, path, db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
  if (rc == SQLITE_FULL) error_hint(e, "make room, or name a file on another disk");
  return -1;
}

static int sync_file(const char *path, dts_error *e) {
  int fd = open(path, O_RDWR | O_CLOEXEC), rc = fd < 0 ? -1 : fsync(fd);
  if (rc < 0) error_fail(e, "BACKUP", "cannot sync %.300s: %s", path, strerror(errno));
  if (fd >= 0) close(fd);
  return rc;
}

static int copy(sqlite3 *from, sqlite3 *to, const char *path, bool (*stop)(void), dts_error *e) {
  static const char snapshot[] = "begin; select 1 from sqlite_schema limit 1";
  int rc = sqlite3_exec(from, snapshot, NULL, NULL, NULL);
  if (rc != SQLITE_OK) return fail(from, rc, "cannot read for", path, e);
  sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
  if (!b) return fail(to, sqlite3_errcode(to), "cannot write", path, e);
  bool stopped = false;
  do {
    rc = sqlite3_backup_step(b, PAGES);
    stopped = rc == SQLITE_OK && stop && stop();
  } while (rc == SQLITE_OK && !stopped);
  rc = sqlite3_backup_finish(b);
  if (stopped) return error_fail(e, "INTERRUPTED", "interrupted");
  return rc == SQLITE_OK ? 0 : fail(NULL, rc, "cannot write", path, e);
}

static int make_file(const char *path, dts_error *e) {
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return error_fail(e, "BACKUP", "cannot make %.300s: %s", path, strerror(errno));
  close(fd);
  return 0;
}

int store_backup(const char *path, const char *to, bool (*stop)(void), dts_error *e) {
  sqlite3 *from = NULL, *into = NULL;
  if (make_file(to, e) < 0) return -1;
  int rc = sqlite3_open_v2(path, &from, SQLITE_OPEN_READONLY, NULL);
  int result = rc == SQLITE_OK ? 0 : fail(from, rc, "cannot read", path, e);
  if (result == 0) {
    sqlite3_busy_timeout(from, BUSY_MS);
    rc = sqlite3_open_v2(to, &into, SQLITE_OPEN_READWRITE, NULL);
    result =
        rc == SQLITE_OK ? copy(from, into, to, stop, e) : fail(into, rc, "cannot write", to, e);
  }
  sqlite3_close(into);
  sqlite3_close(from);
  if (result == 0) result = sync_file(to, e);
  if (result < 0) unlink(to);
  return result;
}

int store_verify(const char *path, bool thorough, dts_error *e) {
  sqlite3 *db = NULL;
  sqlite3_stmt *s = NULL;
  const char *sql = thorough ? "pragma integrity_check(1)" : "pragma quick_check(1)";
  int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), result = 0;
  if (rc == SQLITE_OK) sqlite3_busy_timeout(db, BUSY_MS);
  if (rc == SQLITE_OK) rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_step(s);
  const char *said = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
  if (!said || strcmp(said, "ok") != 0)
    result =
        error_fail(e, "STORE_BROKEN", "%.300s: %.500s", path, said ? said : sqlite3_errmsg(db));
  if (result < 0) error_hint(e, "keep the file as it is, and restore the last backup");
  sqlite3_finalize(s);
  sqlite3_close(db);
  return result;
}
