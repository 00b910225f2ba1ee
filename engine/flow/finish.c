/* finish.c -- see finish.h. Each kind of input has its own part in the final write.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/finish.h"

#include <string.h>

#include "flow/finish_input.h"
#include "flow/gaps.h"

static int drop_steps(store_conn *c, const job *j, dts_error *e) { /* they served their job */
  value params[] = {value_integer(j->id)};
  return store_exec(c, "update dts_step set result = null where job = ?1", params, 1, e);
}

int finish_inside(store_conn *c, run *r, const job *j, run_ending how, const char *error_json,
                  int64_t now, dts_error *e) {
  bool over = !job_is_open(j->state.status);
  bool is_span = strcmp(j->kind, "span") == 0 && r->pipeline->gaps;
  if (over && is_span && gaps_ended(c, r->pipeline, j->id, how == RUN_DONE, r->permanent, error_json, now, e) < 0)
    return -1;
  if (finish_input(c, r, j, how, error_json, now, e) < 0) return -1;
  return job_is_over(j->state.status) ? drop_steps(c, j, e) : 0;
}
