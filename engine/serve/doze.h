/* doze.h -- the threads of CivetWeb sleep until there is something to do.
 *
 * One idea: its threads wait by poll alone, two seconds at most and then once more, so as to see
 * that they shall stop. Ours may as well be told by a descriptor; then nobody wakes for nothing,
 * and stopping takes no two seconds. doze.c says how poll is ours.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_DOZE_H
#define DTS_SERVE_DOZE_H

#include <stdbool.h>

/* From now on a wait of this thread by poll ends, as if its time were over, once `stop` can be
 * read. endless: nothing else ends it but what it waits for, whatever its time is. */
void doze_until(int stop, bool endless);

#endif
