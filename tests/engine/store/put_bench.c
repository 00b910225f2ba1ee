/* put_bench.c -- the peer of rows through ctx:put: a prepared statement in a loop, and nothing else.
 *
 *   put_bench FILE ROWS EVERY rising|scattered     EVERY 0: one transaction
 *
 * Writes the rows of put.bench.mjs to the schema that dts makes for them, with the same pragmas and
 * the same commits, and prints the rows a second. Without arguments it has nothing to compare.
 *
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { SCATTER = 7919, MODULUS = 100000007 };

static void must(sqlite3 *db, int rc) {
  if (rc == SQLITE_OK || rc == SQLITE_DONE) return;
  fprintf(stderr, "put_bench: %s\n", sqlite3_errmsg(db));
  exit(1);
}

static void run(sqlite3 *db, const char *sql) { must(db, sqlite3_exec(db, sql, 0, 0, 0)); }

static void put(sqlite3 *db, sqlite3_stmt *s, int64_t i, bool scattered) {
  char key[32];
  int64_t n = scattered ? i * SCATTER % MODULUS : i;
  int size = snprintf(key, sizeof key, "key-%08" PRId64, n);
  sqlite3_bind_text(s, 1, key, size, SQLITE_STATIC);
  sqlite3_bind_text(s, 2, "2026-01-01", 10, SQLITE_STATIC);
  sqlite3_bind_double(s, 3, (double)i * 0.25);
  sqlite3_bind_int64(s, 4, i);
  sqlite3_bind_text(s, 5, "R$ / l", 6, SQLITE_STATIC);
  must(db, sqlite3_step(s));
  sqlite3_reset(s);
}

static void put_all(sqlite3 *db, int64_t rows, int64_t every, bool scattered) {
  sqlite3_stmt *s;
  must(db, sqlite3_prepare_v2(db,
                              "insert into quotes(k, d, x, n, u) values(?1, ?2, ?3, ?4, ?5)"
                              " on conflict(k, d) do update set x = excluded.x, n = excluded.n,"
                              " u = excluded.u",
                              -1, &s, NULL));
  run(db, "begin immediate");
  for (int64_t i = 1; i <= rows; i++) {
    put(db, s, i, scattered);
    if (every && i % every == 0 && i < rows) run(db, "commit"), run(db, "begin immediate");
  }
  run(db, "commit");
  sqlite3_finalize(s);
}

int main(int count, char **arguments) {
  static const char schema[] =
      "create table quotes(k text, d text, x real, n integer, u text, primary key(k, d))"
      " strict, without rowid";
  if (count < 5) return puts("put_bench: see tests/bench/put.bench.mjs"), 0;
  sqlite3 *db;
  if (sqlite3_open(arguments[1], &db) != SQLITE_OK) return perror(arguments[1]), 1;
  run(db, "pragma journal_mode=wal; pragma synchronous=full; pragma cache_size=-65536;"
          "pragma wal_autocheckpoint=10000");
  run(db, schema);
  int64_t rows = atoll(arguments[2]), start = clock_monotonic_ms();
  put_all(db, rows, atoll(arguments[3]), strcmp(arguments[4], "scattered") == 0);
  printf("%.0f\n", (double)rows * 1000 / (double)(clock_monotonic_ms() - start));
  sqlite3_close(db);
  return 0;
}
