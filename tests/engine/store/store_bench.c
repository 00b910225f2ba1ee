/* store_bench.c -- durable rows a second: 32 writers sharing commits, against a commit a row.
 *
 *   store_bench [FOLDER [SECONDS]]     FOLDER lies on the disk to measure; default: the present one
 *
 * Every row is a work of its own and counts when its answer is there. Also: keyed upserts in one
 * large work, and the cost of a small read.
 *
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "format/json.h"
#include "store/store.h"

enum { MOST = 32, BULK = 200000, READS = 100000 };

typedef struct bench {
  store *s;
  table *t;
  int64_t until;
  _Atomic int64_t rows;
  _Atomic int next;
} bench;

typedef struct task {
  bench *b;
  int64_t id;
} task;

static int put_one(store_conn *c, const table *t, int64_t id, dts_error *e) {
  char key[24];
  snprintf(key, sizeof key, "key-%08lld", (long long)(id * 7919 % 100000007));
  const value row[] = {value_text(key), value_text("2026-01-01"), value_real(1.5),
                       value_integer(id), value_text("R$ / l")};
  return store_put(c, t, row, e);
}

static int put_work(store_conn *c, void *arg, dts_error *e) {
  const task *k = arg;
  return put_one(c, k->b->t, k->id, e);
}

static void *write_rows(void *arg) {
  bench *b = arg;
  task k = {b, (int64_t)atomic_fetch_add(&b->next, 1) * 10000000};
  for (; clock_monotonic_ms() < b->until; k.id++)
    if (store_write(b->s, put_work, &k, NULL) == 0) atomic_fetch_add(&b->rows, 1);
  return NULL;
}

static double durable(bench *b, int writers, int64_t ms) {
  pthread_t threads[MOST];
  int64_t start = clock_monotonic_ms();
  atomic_store(&b->rows, 0);
  b->until = start + ms;
  for (int i = 0; i < writers; i++) pthread_create(&threads[i], NULL, write_rows, b);
  for (int i = 0; i < writers; i++) pthread_join(threads[i], NULL);
  return (double)atomic_load(&b->rows) * 1000 / (double)(clock_monotonic_ms() - start);
}

static int ensure(store_conn *c, void *arg, dts_error *e) { return store_table_ensure(c, arg, e); }

static int put_many(store_conn *c, void *arg, dts_error *e) {
  const task *k = arg;
  for (int64_t i = 0; i < BULK; i++)
    if (put_one(c, k->b->t, 900000000 + i, e) < 0) return -1;
  return 0;
}

static int read_one(store_conn *c, void *arg, dts_error *e) {
  value v;
  (void)arg;
  return store_get(c, "select n from quotes where k = 'key-00000000' and d = '2026-01-01'", NULL, 0,
                   NULL, &v, e);
}

static void must(int result, const dts_error *e) {
  if (result == 0) return;
  fprintf(stderr, "store_bench: %s\n", e->message);
  exit(1);
}

static void measure(bench *b, int64_t ms) {
  dts_error e = {0};
  task k = {b, 0};
  durable(b, 4, 300); /* warm */
  for (int round = 0; round < 3; round++) {
    double one = durable(b, 1, ms), many = durable(b, MOST, ms);
    printf("durable rows/s: %8.0f with a commit per row, %8.0f with %d writers (%.1f times)\n", one,
           many, MOST, many / one);
  }
  int64_t start = clock_monotonic_ms();
  must(store_write(b->s, put_many, &k, &e), &e);
  int64_t took = clock_monotonic_ms() - start;
  printf("keyed upserts, scattered, one work of %d: %.0f rows/s\n", BULK,
         BULK * 1000.0 / (double)took);
  start = clock_monotonic_ms();
  for (int i = 0; i < READS; i++) must(store_read(b->s, read_one, NULL, &e), &e);
  took = clock_monotonic_ms() - start;
  printf("small reads, each its own transaction: %.0f /s\n", READS * 1000.0 / (double)took);
}

int main(int count, char **arguments) {
  static const char declaration[] =
      "{\"name\":\"quotes\",\"key\":[\"k\",\"d\"],\"columns\":[{\"name\":\"k\",\"type\":\"text\"},"
      "{\"name\":\"d\",\"type\":\"date\"},{\"name\":\"x\",\"type\":\"real\"},"
      "{\"name\":\"n\",\"type\":\"integer\"},{\"name\":\"u\",\"type\":\"text\"}]}";
  static const char *const parts[] = {"", "-wal", "-shm", ".lock"};
  char url[400], path[420];
  arena a = {0};
  dts_error e = {0};
  value v;
  snprintf(url, sizeof url, "sqlite:%.300s/store-bench-%ld.db", count > 1 ? arguments[1] : ".",
           (long)getpid());
  bench b = {.s = store_open(url, NULL, &e)};
  must(b.s ? 0 : -1, &e);
  must(json_read(&a, declaration, sizeof declaration - 1, &v, &e), &e);
  b.t = table_read(&a, &v, &e);
  must(b.t ? store_write(b.s, ensure, b.t, &e) : -1, &e);
  measure(&b, count > 2 ? 1000 * atoll(arguments[2]) : 1500);
  store_close(b.s);
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    snprintf(path, sizeof path, "%s%s", url + 7, parts[i]);
    unlink(path);
  }
  arena_free(&a);
  return 0;
}
