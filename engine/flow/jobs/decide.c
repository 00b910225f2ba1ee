/* decide.c -- see decide.h. Ids are looked for, and a corrected input is kept, on a pool thread.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/jobs/decide.h"

#include <stdlib.h>
#include <string.h>

#include "flow/kernel/parts.h"
#include "flow/jobs/quarantine.h"

typedef struct deciding {
  question *question;
  registry *set; /* held */
  value ids;
  quarantine_act act;
  char object[65];
  bool named; /* by ids; else by a condition, and what has left quarantine since is not meant */
  int64_t count;
  int rc;
  dts_error error;
} deciding;

static void finish(deciding *d, const dts_error *e) {
  question *q = d->question;
  dts_error copy = e ? *e : (dts_error){0};
  value v = value_map();
  value_set(&q->memory, &v, "count", value_integer(d->count));
  registry_release(d->set);
  free(d);
  if (copy.code[0])
    question_fail(q, &copy);
  else
    question_answer(q, v);
}

static int apply_work(store_conn *c, void *arg, dts_error *e) {
  deciding *d = arg;
  d->count = 0; /* the group may be tried again */
  for (size_t i = 0; i < d->ids.list.count; i++) {
    const value *id = &d->ids.list.items[i];
    const char *text = id->kind == VALUE_TEXT ? id->text.bytes : "";
    dts_error refused;
    if (quarantine_apply(c, text, &d->act, &refused) == 0) {
      d->count++;
    } else if (d->named || strcmp(refused.code, "REFUSED") != 0) {
      *e = refused;
      return -1;
    }
  }
  return 0;
}

static void apply_then(void *arg, int result, const dts_error *e) {
  finish(arg, result < 0 ? e : NULL);
}

static int find_work(store_conn *c, void *arg, dts_error *e) {
  deciding *d = arg;
  return quarantine_find(c, &d->question->command, &d->question->memory, &d->ids, e);
}

static int keep_correction(deciding *d, dts_error *e) {
  if (!d->act.with) return 0;
  if (d->ids.list.count != 1) {
    error_fail(e, "QUARANTINE", "a corrected input belongs to one input, and %zu are meant",
               d->ids.list.count);
    e->status = 422;
    return -1;
  }
  d->act.object = d->object;
  return objects_put(kernel_objects(d->question->kernel), d->act.with, d->act.with_size, d->object,
                     e);
}

static void find(void *arg) { /* a pool thread */
  deciding *d = arg;
  d->rc = store_read(kernel_store(d->question->kernel), find_work, d, &d->error);
  if (d->rc == 0) d->rc = keep_correction(d, &d->error);
}

static void found(void *arg) {
  deciding *d = arg;
  if (d->rc < 0) return finish(d, &d->error);
  kernel_write(d->question->kernel, apply_work, apply_then, d);
}

static bool lacks_reason(const quarantine_act *act) {
  return !act->reason || !act->reason[strspn(act->reason, " ")];
}

void decide(question *q, bool release) {
  kernel *k = q->kernel;
  const value *with = release ? value_get(&q->command, "with") : NULL;
  deciding *d = memory_alloc(sizeof *d);
  *d = (deciding){.question = q, .set = kernel_registry(k), .ids = value_list()};
  d->named = value_get(&q->command, "ids") || with;
  d->act = (quarantine_act){.release = release,
                            .reason = value_get_text(&q->command, "reason", NULL),
                            .by = value_get_text(&q->command, "by", NULL),
                            .now = kernel_now(k),
                            .set = d->set};
  if (with && with->kind == VALUE_TEXT)
    d->act.with = with->text.bytes, d->act.with_size = with->text.size;
  if (release || !lacks_reason(&d->act)) return loop_defer(kernel_loop(k), find, found, d);
  error_fail(&d->error, "REASON", "an input is dropped with a reason, and none was given");
  error_hint(&d->error, "say why: what is dropped is never run again");
  d->error.status = 422;
  finish(d, &d->error);
}
