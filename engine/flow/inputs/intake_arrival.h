/* intake_arrival.h -- a file that lies in a folder of the patterns, and what was said of it.
 *
 * One idea: what the log says of a file is said once for the file as it lies there; a reload, which
 * looks at all of them again, repeats nothing.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_INTAKE_ARRIVAL_H
#define DTS_FLOW_INTAKE_ARRIVAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

typedef struct arrival {
  struct arrival *next;
  char *folder, *name;
  bool whole; /* told by the system, */
  bool ready; /* or has been known for a second: size and time must be the same when it is read */
  int64_t size, changed, inode_changed;
} arrival;

arrival *arrival_new(const char *folder, const char *name);
void arrival_free(arrival *a);
void arrival_add(arrival **list, arrival *a); /* at its end, and once: `a` is the list's then */
void arrival_note(arrival *a, const struct stat *s);
bool arrival_is_same(const arrival *a, const struct stat *s);
void arrival_path(char out[PATH_MAX], const char *root, const arrival *a);

enum { INTAKE_SAID = 1024 }; /* of so many files; of the oldest it may be said again */

typedef struct intake_said { /* zeroes at first */
  uint64_t marks[INTAKE_SAID];
  size_t count;
} intake_said;

/* Whether `what` is news of this file as it lies there; it is none from then on. */
bool arrival_is_news(intake_said *s, const arrival *a, const char *what);

#endif
