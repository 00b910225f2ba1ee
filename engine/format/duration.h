/* duration.h -- lengths of time as analysts write them and as people read them.
 *
 * Written "500ms" "2s" "15m" "6h" "30d" "1w" or several, largest first: "1h30m". A day is 24 hours
 * here, a week seven of them; a length never has a sign or a fraction.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FORMAT_DURATION_H
#define DTS_FORMAT_DURATION_H

#include <stddef.h>
#include <stdint.h>

int duration_read(const char *text, size_t size, int64_t *ms); /* 0, or -1 and nothing changed */

/* For people, the two largest units: "350 ms" "4.2 s" "1 m 12 s" "3 h 12 m" "2 d 5 h". */
void duration_write(int64_t ms, char out[32]);

#endif
