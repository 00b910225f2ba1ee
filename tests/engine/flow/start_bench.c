/* start_bench.c -- from the request for a worker to the first line of its script: fork, cage, the script's
 * text over the socket, Lua, and the line's frame back in the engine. The goal is a millisecond.
 *
 * SPDX-License-Identifier: MIT */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "flow/kernel/nursery.h"
#include "format/value.h"
#include "wire/pack.h"

enum { RUNS = 300, WARMING = 20 };

static const char script[] = "local dts = require 'dts'\n"
                             "dts.pipeline { name = 'p', run = function() dts.log('here') end }\n";

typedef struct world {
  loop *loop;
  worker *worker;
  double began, first; /* ms */
  bool over;
} world;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void on_frame(void *arg, const frame *in) {
  world *w = arg;
  if (in->op == OP_LOG && w->first == 0) w->first = now() - w->began;
  if (in->op == OP_FAILED) fprintf(stderr, "the run failed: %.200s\n", in->payload), exit(1);
}

static void on_ended(void *arg, const worker_end *end) {
  world *w = arg;
  (void)end;
  w->worker = NULL;
  w->over = true;
}

static void send_start(worker *w) {
  arena a = {0};
  buffer b;
  value v = value_map(), limits = value_map(), ctx = value_map();
  value_set(&a, &limits, "memory", value_integer(256 << 20));
  value_set(&a, &limits, "cpu_ms", value_integer(60000));
  value_set(&a, &v, "mode", value_text("run"));
  value_set(&a, &v, "file", value_text("pipelines/p.lua"));
  value_set(&a, &v, "source", value_text(script));
  value_set(&a, &v, "timezone", value_text("UTC"));
  value_set(&a, &v, "limits", limits);
  value_set(&a, &v, "tables", value_map());
  value_set(&a, &v, "writes", value_list());
  value_set(&a, &v, "pipeline", value_text("p"));
  value_set(&a, &v, "kind", value_text("params"));
  value_set(&a, &v, "ctx", ctx);
  buffer_init(&b, FRAME_LIMIT);
  pack_value(&b, &v);
  worker_send(w, 0, OP_START, &b, -1);
  buffer_free(&b);
  arena_free(&a);
}

static double one_run(world *w, nursery *n) {
  dts_error e;
  worker_limits limits = {.cpu_ms = 60000, .memory = 256 << 20};
  worker_owner owner = {on_frame, on_ended, w};
  w->first = 0;
  w->over = false;
  w->began = now();
  w->worker = nursery_fork(n, &limits, &owner, &e);
  if (!w->worker) fprintf(stderr, "%s\n", e.message), exit(1);
  send_start(w->worker);
  while (!w->over) loop_turn(w->loop, -1);
  return w->first;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(void) {
  static double took[RUNS];
  char self[4096] = "", worker_path[4200];
  dts_error e;
  if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return 1;
  snprintf(worker_path, sizeof worker_path, "%s/../dts-worker", dirname(self));
  world w = {.loop = loop_open(false, 0)};
  nursery *n = nursery_open(w.loop, worker_path, &e);
  if (!n) return fprintf(stderr, "%s\n", e.message), 1;
  for (int i = 0; i < WARMING; i++) one_run(&w, n);
  for (int i = 0; i < RUNS; i++) took[i] = one_run(&w, n);
  qsort(took, RUNS, sizeof *took, by_size);
  printf("%s a worker, from the request to the script's first line: %.2f ms (%.2f-%.2f), goal 1\n",
         took[RUNS / 2] < 1 ? "reached" : "MISSED ", took[RUNS / 2], took[0],
         took[RUNS * 95 / 100]);
  nursery_close(n);
  loop_close(w.loop);
  return took[RUNS / 2] < 1 ? 0 : 1;
}
