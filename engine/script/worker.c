/* worker.c -- dts-worker: the nursery, or with --spec the specs' runner. Started by dts, not by
 * hand.
 *
 * SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "script/nursery.h"
#include "script/spec.h"

enum { SOCKET = 3 };

static bool has_socket(void) {
  struct stat info;
  return fstat(SOCKET, &info) == 0 && S_ISSOCK(info.st_mode);
}

int main(int count, char **arguments) {
  if (count > 1 && strcmp(arguments[1], "--spec") == 0) return spec_run(count - 2, arguments + 2);
  if (count == 1 && has_socket()) return nursery_run(SOCKET);
  fputs("dts-worker is started by dts; see `dts help`\n", stderr);
  return 2;
}
