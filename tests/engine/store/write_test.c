/* write_test.c -- one fsync for many, each undone alone, nothing acknowledged is lost.
 *
 * The crash test ends a child process with SIGKILL twenty times and counts what it was told: every
 * acknowledged row is there, and no half of a work ever is.
 *
 * SPDX-License-Identifier: MIT */
#include "store/help.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { WRITERS = 32, EACH = 20, ROUNDS = 20 };

typedef struct work {
  store *s;
  int64_t id;
  bool fail;
} work;

/* Two rows, so that half a work can be told from a whole one. */
static int insert_pair(store_conn *c, void *arg, dts_error *e) {
  const work *w = arg;
  const value params[] = {value_integer(w->id)};
  if (store_exec(c, "insert into a(id) values(?1)", params, 1, e) < 0) return -1;
  if (store_exec(c, "insert into b(id) values(?1)", params, 1, e) < 0) return -1;
  store_touch(c, "a");
  return w->fail ? error_fail(e, "TEST", "work %lld was told to fail", (long long)w->id) : 0;
}

static void make_tables(store *s) {
  help_exec(s, "create table if not exists a(id integer primary key) strict");
  help_exec(s, "create table if not exists b(id integer primary key) strict");
}

static int64_t count_of(store *s, int64_t id) {
  char sql[120];
  snprintf(
      sql, sizeof sql,
      "select (select count(*) from a where id = %lld) + (select count(*) from b where id = %lld)",
      (long long)id, (long long)id);
  return help_count(s, sql);
}

static void *write_many(void *arg) {
  work *first = arg;
  for (int i = 0; i < EACH; i++) {
    dts_error e = {0};
    char expected[60];
    work w = {first->s, first->id + i, i % 5 == 3};
    int result = store_write(w.s, insert_pair, &w, &e);
    snprintf(expected, sizeof expected, "work %lld was told to fail", (long long)w.id);
    assert_int_equal(result, w.fail ? -1 : 0);
    if (w.fail) assert_string_equal(e.message, expected);
    assert_int_equal(count_of(w.s, w.id), w.fail ? 0 : 2); /* the answer follows the commit */
  }
  return NULL;
}

static void groups_commits(void **state) {
  (void)state;
  char *folder = help_folder();
  store *s = help_open(folder);
  pthread_t threads[WRITERS];
  work firsts[WRITERS];
  make_tables(s);
  uint64_t before = store_version(s, "a");
  for (int i = 0; i < WRITERS; i++) {
    firsts[i] = (work){s, i * 1000, false};
    assert_int_equal(pthread_create(&threads[i], NULL, write_many, &firsts[i]), 0);
  }
  for (int i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
  assert_int_equal(help_count(s, "select count(*) from a"), WRITERS * EACH * 4 / 5);
  assert_int_equal(help_count(s, "select count(*) from b"), WRITERS * EACH * 4 / 5);
  uint64_t moved = store_version(s, "a") - before;
  assert_true(moved > 0 && moved < WRITERS * EACH * 4 / 5); /* fewer commits than works */
  store_close(s);
  help_remove(folder);
}

/* ---- a batch made for certain: the writer is held while works are queued ---- */

typedef struct gate {
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  bool open;
} gate;

static int wait_at(store_conn *c, void *arg, dts_error *e) {
  gate *g = arg;
  (void)c, (void)e;
  pthread_mutex_lock(&g->mutex);
  while (!g->open) pthread_cond_wait(&g->wake, &g->mutex);
  pthread_mutex_unlock(&g->mutex);
  return 0;
}

static void open_gate(gate *g) {
  pthread_mutex_lock(&g->mutex);
  g->open = true;
  pthread_cond_signal(&g->wake);
  pthread_mutex_unlock(&g->mutex);
}

static void note(void *arg, int result, const dts_error *e) {
  (void)e;
  atomic_fetch_add((_Atomic int *)arg, result == 0 ? 1 : 100);
}

typedef struct noted {
  work w;
  _Atomic int *sum;
} noted;

static int insert_noted(store_conn *c, void *arg, dts_error *e) {
  return insert_pair(c, &((noted *)arg)->w, e);
}
static void note_noted(void *arg, int result, const dts_error *e) {
  note(((noted *)arg)->sum, result, e);
}

static int make_and_fail(store_conn *c, void *arg, dts_error *e) {
  (void)arg;
  if (store_exec(c, "create table gone(a, b)", NULL, 0, e) < 0) return -1;
  if (store_exec(c, "insert into gone values(1, 2)", NULL, 0, e) < 0) return -1;
  value v;
  if (store_get(c, "select * from gone", NULL, 0, NULL, &v, e) < 0) return -1;
  return error_fail(e, "TEST", "and now undone");
}

static int make_again(store_conn *c, void *arg, dts_error *e) {
  (void)arg;
  value v;
  if (store_exec(c, "create table gone(b)", NULL, 0, e) < 0) return -1;
  if (store_exec(c, "insert into gone values(7)", NULL, 0, e) < 0) return -1;
  return store_get(c, "select * from gone", NULL, 0, NULL, &v, e) < 0 || v.integer != 7 ? -1 : 0;
}

static void undoes_one_alone(void **state) {
  (void)state;
  store *s = help_memory();
  gate g = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
  _Atomic int gates = 0, sum = 0, schemas = 0;
  noted works[5];
  make_tables(s);
  store_submit(s, wait_at, NULL, &g);
  for (int i = 0; i < 5; i++) {
    works[i] = (noted){{s, i, i == 2}, &sum};
    store_submit(s, insert_noted, note_noted, &works[i]);
  }
  works[4].w.id = 3; /* the same key: refused by the database, not by the work */
  store_submit(s, make_and_fail, note, &schemas);
  store_submit(s, make_again, note, &schemas);
  assert_int_equal(atomic_load(&sum) + atomic_load(&gates), 0);
  open_gate(&g);
  store_close(s); /* finishes what is queued */
  assert_int_equal(atomic_load(&sum), 203);
  assert_int_equal(atomic_load(&schemas), 101);
}

static int commit_inside(store_conn *c, void *arg, dts_error *e) {
  (void)arg;
  if (store_exec(c, "insert into a(id) values(99)", NULL, 0, e) < 0) return -1;
  return store_exec(c, "rollback", NULL, 0, e);
}

static void survives_a_lost_transaction(void **state) {
  (void)state;
  store *s = help_memory();
  gate g = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
  _Atomic int sum = 0, lost = 0;
  dts_error e = {0};
  make_tables(s);
  noted before = {{s, 1, false}, &sum}, after = {{s, 2, false}, &sum};
  store_submit(s, wait_at, NULL, &g);
  store_submit(s, insert_noted, note_noted, &before);
  store_submit(s, commit_inside, note, &lost);
  store_submit(s, insert_noted, note_noted, &after);
  open_gate(&g);
  work last = {s, 3, false};
  assert_int_equal(store_write(s, insert_pair, &last, &e), 0);
  assert_int_equal(atomic_load(&lost), 100);
  /* what was in the lost transaction is refused, not silently gone; the rest goes on */
  assert_int_equal(count_of(s, 1) == 0 ? 101 : 2, atomic_load(&sum));
  assert_int_equal(count_of(s, 2), 2);
  assert_int_equal(help_count(s, "select count(*) from a where id = 99"), 0);
  store_close(s);
}

/* ---- what was prepared under a schema that is gone ---- */

static int one_column(void *arg, const store_header *header, const value *row, dts_error *e) {
  (void)row, (void)e;
  *(size_t *)arg = header->count;
  return 0;
}

static int make_odd(store_conn *c, void *arg, dts_error *e) {
  size_t *count = arg;
  const char *make = *count == 1 ? "create table odd(a)" : "create table odd(a, b)";
  const char *fill = *count == 1 ? "insert into odd values(1)" : "insert into odd values(1, 2)";
  *count = 0;
  if (store_exec(c, make, NULL, 0, e) < 0 || store_exec(c, fill, NULL, 0, e) < 0) return -1;
  return store_select(c, "select * from odd", NULL, 0, one_column, count, e);
}

static void forgets_a_lost_schema(void **state) {
  (void)state;
  store *s = help_memory();
  gate g = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
  size_t one = 1, two = 2;
  dts_error e = {0};
  make_tables(s);
  store_submit(s, wait_at, NULL, &g);
  store_submit(s, make_odd, NULL, &one);
  store_submit(s, commit_inside, NULL, NULL);
  open_gate(&g);
  assert_int_equal(store_write(s, make_odd, &two, &e), 0);
  assert_int_equal(one, 1);
  assert_int_equal(two, 2);
  store_close(s);
}

static int write_inside(store_conn *c, void *arg, dts_error *e) {
  work w = {arg, 5, false};
  (void)c;
  return store_write(arg, insert_pair, &w, e);
}

static void does_not_wait_for_itself(void **state) {
  (void)state;
  dts_error e = {0};
  store *s = help_memory();
  assert_int_equal(store_write(s, write_inside, s, &e), -1);
  assert_string_equal(e.message, "store_write on the writer's own thread would wait for itself");
  store_close(s);
}

/* ---- readers ---- */

static int read_twice(store_conn *c, void *arg, dts_error *e) {
  value first, second, sum;
  work w = {arg, 70, false};
  if (store_get(c, "select count(*) from a", NULL, 0, NULL, &first, e) < 0) return -1;
  if (store_write(arg, insert_pair, &w, e) < 0) return -1;
  if (store_get(c, "select count(*) from a", NULL, 0, NULL, &second, e) < 0) return -1;
  if (store_get(c, "select count(*) from b", NULL, 0, NULL, &sum, e) < 0) return -1;
  assert_int_equal(first.integer, second.integer);
  assert_int_equal(first.integer, sum.integer);
  return 0;
}

static int write_through_reader(store_conn *c, void *arg, dts_error *e) {
  return store_exec(c, arg, NULL, 0, e);
}

static void readers_see_one_moment(void **state) {
  (void)state;
  char *folder = help_folder();
  dts_error e = {0};
  for (int kind = 0; kind < 2; kind++) {
    store *s = kind ? help_memory() : help_open(folder);
    make_tables(s);
    assert_int_equal(store_read(s, read_twice, s, &e), 0);
    assert_int_equal(help_count(s, "select count(*) from a"), 1);
    assert_int_equal(store_read(s, write_through_reader, "insert into a(id) values(1)", &e), -1);
    assert_string_equal(e.code, "READ_ONLY");
    assert_int_equal(store_read(s, write_through_reader, "create table q(a)", &e), -1);
    assert_int_equal(help_count(s, "select count(*) from a"), 1);
    store_close(s);
  }
  help_remove(folder);
}

static _Atomic bool stop_reading;

static int compare_counts(store_conn *c, void *arg, dts_error *e) {
  value a, b;
  (void)arg;
  if (store_get(c, "select count(*) from a", NULL, 0, NULL, &a, e) < 0) return -1;
  if (store_get(c, "select count(*) from b", NULL, 0, NULL, &b, e) < 0) return -1;
  return a.integer == b.integer ? 0 : error_fail(e, "TEST", "half a work is visible");
}

static void *keep_comparing(void *arg) {
  intptr_t faults = 0;
  while (!atomic_load(&stop_reading)) faults += store_read(arg, compare_counts, NULL, NULL) < 0;
  return (void *)faults;
}

static void readers_never_see_half(void **state) {
  (void)state;
  store *s = help_memory();
  pthread_t readers[6];
  void *faults;
  make_tables(s);
  atomic_store(&stop_reading, false);
  for (int i = 0; i < 6; i++) pthread_create(&readers[i], NULL, keep_comparing, s);
  for (int i = 0; i < 300; i++) {
    work w = {s, i, i % 3 == 0};
    store_write(s, insert_pair, &w, NULL);
  }
  atomic_store(&stop_reading, true);
  for (int i = 0; i < 6; i++) {
    pthread_join(readers[i], &faults);
    assert_null(faults);
  }
  assert_int_equal(help_count(s, "select count(*) from b"), 200);
  store_close(s);
}

/* ---- the crash ---- */

typedef struct child {
  store *s;
  int pipe;
  int64_t first;
} child;

static void *acknowledge(void *arg) {
  const child *c = arg;
  for (int64_t id = c->first;; id += 4) {
    work w = {c->s, id, id % 7 == 0};
    int result = store_write(c->s, insert_pair, &w, NULL);
    if (result == 0 && write(c->pipe, &id, sizeof id) != sizeof id) _exit(1);
  }
  return NULL;
}

static void run_child(const char *folder, int pipe, int64_t first) {
  store *s = help_open(folder);
  pthread_t threads[4];
  child all[4];
  make_tables(s);
  for (int i = 0; i < 4; i++) {
    all[i] = (child){s, pipe, first + i};
    pthread_create(&threads[i], NULL, acknowledge, &all[i]);
  }
  for (;;) pause();
}

static size_t crash_once(const char *folder, int round, int64_t *acknowledged, size_t room) {
  int ends[2];
  size_t count = 0;
  assert_int_equal(pipe(ends), 0);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    close(ends[0]);
    run_child(folder, ends[1], (int64_t)round * 1000000 + 1);
  }
  close(ends[1]);
  size_t until = (size_t)(20 + 37 * round % 200); /* a different moment each time */
  while (count < room && read(ends[0], &acknowledged[count], 8) == 8)
    if (++count == until) kill(pid, SIGKILL);
  assert_true(count < room);
  close(ends[0]);
  waitpid(pid, NULL, 0);
  return count;
}

static void keeps_what_was_acknowledged(void **state) {
  (void)state;
  enum { ROOM = 20000 };
  char *folder = help_folder();
  int64_t *acknowledged = malloc(ROOM * sizeof *acknowledged);
  size_t total = 0;
  for (int round = 0; round < ROUNDS; round++) {
    size_t count = crash_once(folder, round, acknowledged, ROOM);
    store *s = help_open(folder);
    for (size_t i = 0; i < count; i++) assert_int_equal(count_of(s, acknowledged[i]), 2);
    total += count;
    assert_int_equal(help_count(s, "select count(*) from a where id not in (select id from b)"), 0);
    assert_int_equal(help_count(s, "select count(*) from b where id not in (select id from a)"), 0);
    assert_int_equal(help_count(s, "select count(*) from a where id % 7 = 0"), 0);
    assert_true(help_count(s, "select count(*) from a") >= (int64_t)total);
    store_close(s);
  }
  printf("%zu rows acknowledged before %d kills, all there\n", total, ROUNDS);
  free(acknowledged);
  help_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_what_was_acknowledged),
      cmocka_unit_test(groups_commits),
      cmocka_unit_test(undoes_one_alone),
      cmocka_unit_test(survives_a_lost_transaction),
      cmocka_unit_test(forgets_a_lost_schema),
      cmocka_unit_test(does_not_wait_for_itself),
      cmocka_unit_test(readers_see_one_moment),
      cmocka_unit_test(readers_never_see_half),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
