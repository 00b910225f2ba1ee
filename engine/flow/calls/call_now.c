/* call_now.c -- OP_NOW, OP_RANDOM and OP_ZONE: time, chance and the system's time zones, which only the
 * engine has.
 *
 * SPDX-License-Identifier: MIT */

#include "base/random.h"
#include "flow/calls/calls.h"
#include "flow/kernel/parts.h"
#include "flow/kernel/zones.h"
#include "format/date.h"

void call_now(call *c) {
  run *r = c->run;
  int64_t now = loop_now(kernel_loop(r->kernel));
  char *today = arena_alloc(&c->memory, 11);
  value v = value_map();
  date_write(zone_date(r->pipeline->zone, now), today);
  value_set(&c->memory, &v, "ms", value_integer(now));
  value_set(&c->memory, &v, "today", value_text(today));
  value_set(&c->memory, &v, "offset_ms",
            value_integer(1000 * (int64_t)zone_offset(r->pipeline->zone, now)));
  call_answer(c, v);
}

void call_random(call *c) {
  char *uuid = arena_alloc(&c->memory, 37);
  value v = value_map();
  random_uuid(uuid);
  value_set(&c->memory, &v, "uuid", value_text(uuid));
  value_set(&c->memory, &v, "number", value_real(kernel_chance(c->run->kernel)));
  call_answer(c, v);
}

void call_zone(call *c) {
  dts_error e;
  value v;
  if (zones_answer(&c->args, &c->memory, &v, &e) < 0) return call_fail(c, &e);
  call_answer(c, v);
}
