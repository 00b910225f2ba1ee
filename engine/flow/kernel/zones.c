/* zones.c -- see zones.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel/zones.h"

#include "format/zone.h"

int zones_answer(const value *args, arena *a, value *out, dts_error *e) {
  buffer b;
  buffer_init(&b, (size_t)1 << 20);
  int bad = zone_bytes(value_get_text(args, "name", ""), &b, e);
  *out = value_map();
  value_set(a, out, "bytes", value_bytes(arena_copy(a, buffer_text(&b), b.size), b.size));
  buffer_free(&b);
  return bad;
}
