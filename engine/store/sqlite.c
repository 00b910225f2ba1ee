/* sqlite.c -- connections: how each one is opened and what it may do.
 *
 * One connection writes and checkpoints, all others read: Debian's SQLite 3.40 has the WAL-reset
 * defect, which needs two that checkpoint. A reader is opened read-only and is `query_only` too.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/clock.h"
#include "store/conn.h"

enum { PROGRESS_OPS = 1000, SQL_LIMIT = 1 << 20, VALUE_LIMIT = 80 << 20, PATTERN_LIMIT = 1000 };

static const char *const writer_pragmas =
    "pragma journal_mode=wal; pragma synchronous=full; pragma cache_size=-65536;"
    "pragma wal_autocheckpoint=10000; pragma journal_size_limit=67108864;"
    "pragma foreign_keys=on; pragma busy_timeout=5000;";
static const char *const reader_pragmas =
    "pragma query_only=on; pragma cache_size=-8000; pragma wal_autocheckpoint=0;"
    "pragma foreign_keys=on; pragma busy_timeout=5000;";
/* json_each is connected now, since connecting asks the authorizer about sqlite_master. */
static const char *const ready =
    "pragma temp_store=memory; select 1 from json_each('1'), json_tree('1')";

static int expired(void *arg) {
  store_conn *c = arg;
  return c->deadline && clock_monotonic_ms() >= c->deadline;
}

static int configure(store_conn *c) {
  int rc = sqlite3_extended_result_codes(c->db, 1);
  sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_db_config(c->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
  sqlite3_db_config(c->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
  sqlite3_db_config(c->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
  if (!c->writes) sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  sqlite3_limit(c->db, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(c->db, SQLITE_LIMIT_SQL_LENGTH, SQL_LIMIT);
  sqlite3_limit(c->db, SQLITE_LIMIT_LENGTH, VALUE_LIMIT);
  sqlite3_limit(c->db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, PATTERN_LIMIT);
  if (!rc) rc = sqlite3_exec(c->db, c->writes ? writer_pragmas : reader_pragmas, NULL, NULL, NULL);
  if (!rc && c->store->memory) rc = sqlite3_exec(c->db, "pragma synchronous=off", NULL, NULL, NULL);
  if (!rc) rc = sqlite3_exec(c->db, ready, NULL, NULL, NULL);
  if (!rc) rc = functions_register(c->db);
  if (!rc) rc = aggregates_register(c->db);
  if (!rc) rc = periods_register(c->db);
  if (!rc) rc = dates_register(c);
  if (!rc) rc = texts_register(c);
  if (!rc && c->writes) rc = bulk_register(c->db);
  sqlite3_progress_handler(c->db, PROGRESS_OPS, expired, c);
  sqlite3_set_authorizer(c->db, guard_authorize, c);
  return rc;
}

store_conn *conn_open(store *s, bool writes, dts_error *e) {
  store_conn *c = memory_alloc(sizeof *c);
  c->store = s;
  c->writes = writes;
  int flags = (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;
  int rc = sqlite3_open_v2(s->path, &c->db, flags, NULL);
  if (!rc) rc = configure(c);
  if (!rc) return c;
  conn_fail(c, "", e);
  conn_close(c);
  return NULL;
}

void conn_close(store_conn *c) {
  if (!c) return;
  statement_drop_all(c);
  sqlite3_finalize(c->type_of);
  sqlite3_close(c->db);
  dates_close(c->calendar);
  texts_close(c->printer);
  free(c->touched);
  free(c);
}

int conn_run(store_conn *c, const char *sql, dts_error *e) {
  statement *s = statement_take(c, sql, false, e);
  if (!s) return -1;
  int rc = sqlite3_step(s->stmt);
  int result = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : conn_fail(c, sql, e);
  statement_give(c, s);
  return result;
}

/* The cookie moves with each change of the schema and is part of the snapshot, so a statement that
 * was prepared under the same cookie still means the same; one of a transaction undone since may
 * come again, hence `undone`. SQLite prepares from the schema it remembers and looks at the file's
 * only when it runs a statement: one that reads is run, so that it looks before it prepares. */
int conn_read_schema(store_conn *c, dts_error *e) {
  static const char sql[] = "pragma schema_version", look[] = "select 1 from sqlite_schema limit 1";
  int64_t before = c->schema;
  statement *s = statement_take(c, sql, false, e);
  if (!s) return -1;
  int rc = sqlite3_step(s->stmt);
  if (rc == SQLITE_ROW) c->schema = sqlite3_column_int64(s->stmt, 0) + (c->undone << 32);
  int result = rc == SQLITE_ROW ? 0 : conn_fail(c, sql, e);
  statement_give(c, s);
  return result < 0 || c->schema == before ? result : conn_run(c, look, e);
}

int conn_begin(store_conn *c, const char *begin, dts_error *e) {
  if (conn_run(c, begin, e) < 0) return -1;
  if (conn_read_schema(c, e) == 0) return 0;
  conn_run(c, "rollback", NULL);
  return -1;
}
