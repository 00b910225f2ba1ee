/* slim.h -- how dts takes memory from the system, and gives back what a start or some work needed.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_SLIM_H
#define DTS_COMMAND_SLIM_H

void slim_begin(void); /* before any thread: they share one pool of malloc, which grows by steps */
void slim_down(void);  /* when a service stands, and whenever it rests */

#endif
