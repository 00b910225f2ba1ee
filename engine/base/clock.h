/* clock.h -- what time it is, in milliseconds.
 *
 * Wall time (UTC, since 1970) is for what people read and what is stored; it may jump. Monotonic
 * time is for waiting and measuring; it never goes back and means nothing outside this boot.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_BASE_CLOCK_H
#define DTS_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_now_ms(void);       /* wall clock, UTC */
int64_t clock_monotonic_ms(void); /* CLOCK_MONOTONIC */

#endif
