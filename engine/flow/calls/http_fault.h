/* http_fault.h -- what a run is told of a reply whose status is an error: who answered what, with the
 * first words of the answer where it is text. Words that hold a secret of the request are left out.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_HTTP_FAULT_H
#define DTS_FLOW_HTTP_FAULT_H

#include "flow/calls/http_request.h"

/* `body` is the descriptor of a large body, or -1: then it is in the reply. */
void http_fault_status(const http_request *q, const fetch_reply *reply, int body, dts_error *e);

#endif
