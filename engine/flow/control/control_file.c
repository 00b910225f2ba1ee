/* control_file.c -- the command `file`: an upload that is whole (intake.h).
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "flow/control/controls.h"
#include "flow/kernel/kernel_parts.h"

static void taken(void *arg, const intake_taken *t, const dts_error *e) {
  question *q = arg;
  value v = value_map();
  if (e) return question_fail(q, e);
  value_set(&q->memory, &v, "id", value_integer(t->id));
  value_set(&q->memory, &v, "job", value_integer(t->job));
  value_set(&q->memory, &v, "pipeline", value_text(t->pipeline));
  value_set(&q->memory, &v, "fresh", value_boolean(t->fresh));
  question_answer(q, v);
}

/* An object's name goes into a path: 64 hex digits and nothing else. */
static bool is_object(const char *name) {
  return strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64;
}

void control_file(kernel *k, question *q) {
  dts_error e;
  intake_file f = {.name = value_get_text(&q->command, "file", ""),
                   .object = value_get_text(&q->command, "object", ""),
                   .size = value_get_integer(&q->command, "size", 0)};
  if (is_object(f.object) && objects_has(k->objects, f.object))
    return intake_take(k->intake, NULL, &f, taken, q);
  error_fail(&e, "OBJECT", "the bytes of '%s' are not among the objects", f.name);
  question_fail(q, &e);
}
