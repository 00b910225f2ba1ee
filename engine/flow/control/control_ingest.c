/* control_ingest.c -- the command `ingest`: events of one request (ingest.h).
 *
 * SPDX-License-Identifier: MIT */
#include "flow/control/controls.h"
#include "flow/kernel/kernel_parts.h"

static void taken(void *arg, const value *answer, const dts_error *e) {
  question *q = arg;
  if (e)
    question_fail(q, e);
  else
    question_answer(q, value_copy(&q->memory, answer));
}

void control_ingest(kernel *k, question *q) {
  const value *body = value_get(&q->command, "body");
  bool is_text = body && body->kind == VALUE_TEXT;
  ingest_request request = {.pipeline = value_get_text(&q->command, "pipeline", ""),
                            .type = value_get_text(&q->command, "type", NULL),
                            .body = is_text ? body->text.bytes : "",
                            .size = is_text ? body->text.size : 0,
                            .headers = value_get(&q->command, "headers")};
  ingest_take(k->ingest, &request, taken, q);
}
