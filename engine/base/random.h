/* random.h -- random bytes from the kernel, fit for keys and for jitter alike.
 *
 * There is no state and no seed: every call asks getrandom(2). A kernel that cannot answer ends the
 * process, since what is made from these bytes must never be guessable.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_BASE_RANDOM_H
#define DTS_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *out, size_t size);
uint64_t random_u64(void);
double random_unit(void); /* in [0, 1), 53 random bits */

/* UUID version 7 (RFC 9562, section 5.7), lower case: ids made later sort later, down to a quarter
 * of a microsecond; 62 bits are random. */
void random_uuid(char out[37]);

#endif
