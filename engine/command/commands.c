/* commands.c -- see command.h: the commands that the linker has collected.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "command/command.h"

enum { COMMANDS = 64 };

extern const command *const __start_dts_commands[], *const __stop_dts_commands[];

size_t command_count(void) { return (size_t)(__stop_dts_commands - __start_dts_commands); }

static int by_name(const void *a, const void *b) {
  const command *const *first = a, *const *second = b;
  return strcmp((*first)->name, (*second)->name);
}

const command *command_at(size_t i) {
  const command *sorted[COMMANDS];
  size_t count = command_count();
  if (i >= count || count > COMMANDS) return NULL;
  memcpy(sorted, __start_dts_commands, count * sizeof *sorted);
  qsort(sorted, count, sizeof *sorted, by_name);
  return sorted[i];
}

const command *command_find(const char *name, dts_error *e) {
  const char *names[COMMANDS + 1] = {0};
  for (size_t i = 0; i < command_count() && i < COMMANDS; i++) {
    if (strcmp(__start_dts_commands[i]->name, name) == 0) return __start_dts_commands[i];
    names[i] = __start_dts_commands[i]->name;
  }
  const char *nearest = error_nearest(name, names);
  error_fail(e, "USAGE", "there is no command '%s'", name);
  if (nearest)
    error_hint(e, "did you mean 'dts %s'?", nearest);
  else
    error_hint(e, "`dts help` lists the commands");
  return NULL;
}
