/* recording.h -- a run's exchanges with its sources, kept in a file that people read and compare.
 *
 * One idea: what the script saw is kept (after redirects and tries), in the order in which it asked, as
 * indented JSON: request, reply, body in lines. No secret of the project stands in it in any spelling
 * (conceal.h), nor a header that carries credentials. Bodies past 256 KB go to files beside it. The
 * fields are described in docs/scripting.md; replay.h reads them.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_RECORDING_H
#define DTS_FLOW_RECORDING_H

#include "flow/kernel/kernel.h"
#include "flow/trial/conceal.h"

typedef struct recording recording;

/* From now on the kernel's exchanges are kept. Both texts must outlive it. */
recording *recording_open(kernel *k, const char *path, const char *target);
/* Writes the file, whatever came of the run; `count` exchanges. Frees it. 0, or -1. */
int recording_close(recording *r, size_t *count, dts_error *e);

/* Every secret that the project or the environment has: DTS_SECRET_NAME, secrets/NAME. */
conceal *recording_secrets(const char *root);

#endif
