/* slim.h -- gives back the memory that only the start needed.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_SLIM_H
#define DTS_COMMAND_SLIM_H

void slim_begin(void); /* before any thread: threads share two pools of malloc */
void slim_down(void);  /* when a service stands */

#endif
