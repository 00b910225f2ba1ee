/* zone_file.h -- what a zone is made of; for zone.c and the reader of its files, nobody else.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FORMAT_ZONE_FILE_H
#define DTS_FORMAT_ZONE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Mm.w.d, Jn or n of a POSIX TZ string, and the seconds after midnight (which may be negative). */
typedef struct zone_rule_date {
  char kind; /* 'M', 'J', or '0' for n */
  int month, week, day, time;
} zone_rule_date;

typedef struct zone_rule {
  bool present, has_summer;
  int standard, summer; /* seconds to add to UTC */
  zone_rule_date start, end;
} zone_rule;

struct zone {
  char name[64];
  int first;       /* the offset before the first change */
  size_t count;    /* changes, in order of their seconds of UTC */
  int64_t *at;     /* owned */
  int32_t *offset; /* owned: from this change on */
  zone_rule rule;  /* after the last change */
};

/* A POSIX TZ string that need not end with a NUL: 0, or -1. */
int zone_rule_read(const char *text, size_t size, zone_rule *out);

/* The bytes of a TZif file, version 2 or later, into an empty zone: 0, or -1 with a reason. */
int zone_file_read(const char *bytes, size_t size, struct zone *out, const char **why);

/* Fills in ZONE for a name that no file has, with the nearest name that one has. Always NULL. */
struct zone *zone_unknown(const char *name, dts_error *e);

#endif
