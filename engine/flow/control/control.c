/* control.c -- commands: finding them, asking for them from this thread or another, answering them.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/control/control.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "flow/control/controls.h"
#include "flow/kernel/parts.h"

static const struct {
  const char *name;
  control_fn *fn;
} rows[] = {
    {"run", control_run},           {"enqueue", control_enqueue},
    {"ingest", control_ingest},     {"file", control_file},
    {"release", control_release},   {"drop", control_drop},
    {"plan", control_plan},         {"next", control_next},
    {"check", control_check},       {"request", control_request},
    {"status", control_status},     {"reload", control_reload},
    {"cancel", control_cancel},     {"key_add", control_key_add},
    {"key_list", control_key_list}, {"key_revoke", control_key_revoke},
    {"sql", control_sql},           {"place", control_place},
    {"backfill", control_backfill}, {"catalog", control_catalog},
    {"explain", control_explain},
};
enum { ROWS = sizeof rows / sizeof *rows };

static control_fn *find(const char *name, dts_error *e) {
  const char *names[ROWS + 1] = {NULL};
  for (size_t i = 0; i < ROWS; i++) {
    names[i] = rows[i].name;
    if (strcmp(rows[i].name, name) == 0) return rows[i].fn;
  }
  const char *nearest = error_nearest(name, names);
  error_fail(e, "COMMAND", "there is no command '%s'", name);
  if (nearest) error_hint(e, "did you mean '%s'?", nearest);
  return NULL;
}

static void free_question(question *q) {
  arena_free(&q->memory);
  free(q);
}

void question_answer(question *q, value answer) {
  if (q->answer) q->answer(q->arg, &answer, NULL);
  free_question(q);
}

void question_fail(question *q, const dts_error *e) {
  if (q->answer) q->answer(q->arg, NULL, e);
  free_question(q);
}

void kernel_command(kernel *k, const value *command, kernel_event *event, kernel_answer *answer,
                    void *arg) {
  question *q = memory_alloc(sizeof *q);
  dts_error e;
  *q = (question){.kernel = k, .event = event, .answer = answer, .arg = arg};
  q->command = value_copy(&q->memory, command);
  control_fn *fn = find(value_get_text(&q->command, "name", ""), &e);
  if (fn)
    fn(k, q);
  else
    question_fail(q, &e);
}

/* ---- from another thread ---- */

typedef struct asking {
  kernel *kernel;
  const value *command;
  arena *memory;
  value *answer;
  dts_error *error;
  int result;
  bool done;
  pthread_mutex_t lock;
  pthread_cond_t answered;
} asking;

static void on_answer(void *arg, const value *answer, const dts_error *e) {
  asking *q = arg;
  pthread_mutex_lock(&q->lock);
  q->result = e ? -1 : 0;
  if (e && q->error) *q->error = *e;
  if (!e) *q->answer = value_copy(q->memory, answer);
  q->done = true;
  pthread_cond_signal(&q->answered);
  pthread_mutex_unlock(&q->lock);
}

static void ask(void *arg) {
  asking *q = arg;
  kernel_command(q->kernel, q->command, NULL, on_answer, q);
}

int kernel_ask(kernel *k, const value *command, arena *a, value *answer, dts_error *e) {
  asking q = {.kernel = k, .command = command, .memory = a, .answer = answer, .error = e};
  pthread_mutex_init(&q.lock, NULL);
  pthread_cond_init(&q.answered, NULL);
  loop_post(kernel_loop(k), ask, &q);
  pthread_mutex_lock(&q.lock);
  while (!q.done) pthread_cond_wait(&q.answered, &q.lock);
  pthread_mutex_unlock(&q.lock);
  pthread_cond_destroy(&q.answered);
  pthread_mutex_destroy(&q.lock);
  return q.result;
}
