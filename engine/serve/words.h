/* words.h -- when a pipeline runs, as a sentence: "every day at 06:00 São Paulo".
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_WORDS_H
#define DTS_SERVE_WORDS_H

#include "serve/call.h"

const char *words_trigger(const pipeline *p, arena *a);
/* As written: "0 6 * * *", "every 15m"; or NULL. */
const char *words_schedule(const pipeline *p, arena *a);

#endif
