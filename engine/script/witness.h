/* witness.h -- which line a worker was at when it was ended from outside.
 *
 * The nursery shares one page with each child and with no other. A signal that will end the child
 * (a crash, the CPU limit of code that does not come back to Lua) or that announces its end
 * (SIGUSR1, before the engine's SIGKILL at the time limit) first writes "FILE:LINE" there; the
 * nursery reads it once the child is gone. What the page says is a child's word: shown, never
 * trusted.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_WITNESS_H
#define DTS_SCRIPT_WITNESS_H

#include "script/script.h"

enum { WITNESS_SIZE = 4096, WITNESS_TEXT = 256 };

char *witness_open(void);      /* before the fork; NULL: goes without */
void witness_hide(char *page); /* after it: children to come do not have this page */
void witness_read(const char *page, char out[WITNESS_TEXT]); /* printable text, or "" */
bool witness_starved(const char *page); /* it gave up where there was no memory left to have */
void witness_close(char *page);         /* NULL is fine */

void witness_stand(script *s, char *page); /* in the child, before the cage; once in a process */
void witness_note(void);                   /* from a signal's handler: the line, now */

#endif
