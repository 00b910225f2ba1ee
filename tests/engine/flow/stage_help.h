/* stage_help.h -- for tests of flow/runs/stage.h: a stage over a fresh store with the declared tables.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TEST_FLOW_STAGE_HELP_H
#define TEST_FLOW_STAGE_HELP_H

#include "flow/flow_help.h"

#include "flow/runs/stage.h"
#include "wire/frame.h"
#include "wire/pack.h"

typedef struct fixture {
  registry *set;
  store *store;
  stage *stage;
} fixture;

static inline int stage_setup(void **state, const char *declared) {
  fixture *f = memory_alloc(sizeof *f);
  *f = (fixture){.set = help_good_set(declared), .store = help_store()};
  f->stage = stage_open(f->set, f->store);
  help_tables(f->store, f->set);
  *state = f;
  return 0;
}

static inline int teardown(void **state) {
  fixture *f = *state;
  stage_free(f->stage);
  store_close(f->store);
  registry_release(f->set);
  free(f);
  return 0;
}

static inline int apply_work(store_conn *c, void *arg, dts_error *e) {
  fixture *f = arg;
  stage_context x = {f->set, &f->set->pipelines[0], 1, 1, 1773147600000, "2026-03-10"};
  return stage_apply(f->stage, c, &x, e);
}

#endif
