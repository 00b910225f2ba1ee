/* version.c -- dts version: which version of dts this program is.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "command/command.h"
#include "command/screen.h"
#include "wire/op.h"

static int run(const given *g, dts_error *e) {
  arena a = {0};
  value v = value_map();
  (void)e;
  value_set(&a, &v, "version", value_text(DTS_VERSION));
  value_set(&a, &v, "wire", value_integer(WIRE_VERSION));
  if (g->json)
    screen_json(stdout, &v);
  else
    printf("dts %s\n", DTS_VERSION);
  arena_free(&a);
  return EXIT_FINE;
}

COMMAND(version) = {
    .name = "version", .words = "", .summary = "Print the version of this program.", .run = run};
