/* zone.h -- the time zones of the IANA database, read from the system's TZif files.
 *
 * A local time may exist once, twice (clocks went back) or not at all (clocks went forward); every
 * function here says which it means. A zone belongs to whoever opened it, until zone_close(); it
 * never changes after zone_open(), so threads share it without a lock. Local times are given in
 * milliseconds as if they were UTC: 1970-01-01 00:00 on the wall is 0. (RFC 9636)
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FORMAT_ZONE_H
#define DTS_FORMAT_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

typedef struct zone zone;

/* "America/Sao_Paulo"; "UTC" needs no file. NULL: ZONE, with the nearest name as a hint. */
zone *zone_open(const char *name, dts_error *e);
void zone_close(zone *z); /* NULL is fine */
/* For a process that cannot open files: the bytes of a zone's file (none for UTC), and a zone of them. */
int zone_bytes(const char *name, buffer *out, dts_error *e);
zone *zone_read(const char *name, const char *bytes, size_t size, dts_error *e);
const char *zone_name(const zone *z);

int zone_offset(const zone *z, int64_t utc_ms);          /* seconds to add to UTC */
int64_t zone_local(const zone *z, int64_t utc_ms);       /* the wall's time */
int32_t zone_date(const zone *z, int64_t utc_ms);        /* the wall's date */
int64_t zone_next_change(const zone *z, int64_t utc_ms); /* first later instant with another offset,
                                                             INT64_MAX when there is none */
/* Instants with this local time, earliest first: 0 (missing), 1, or 2 (repeated) of them. */
int zone_resolve(const zone *z, int64_t local_ms, int64_t out[2]);
/* The one instant to use: the first of a repeated time, for a missing one the end of the gap. */
int64_t zone_instant(const zone *z, int64_t local_ms);

#endif
