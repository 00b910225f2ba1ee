/* stream.h -- what happens in the engine, passed on to those who listen by server-sent events.
 *
 * One idea: the loop's thread formats an event once and puts it into each listener's short queue;
 * the listener's own thread writes it out. A listener that falls 1,000 events behind is cut off
 * (its page asks again), and past a quarter of the threads no stream is begun.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_STREAM_H
#define DTS_SERVE_STREAM_H

#include "flow/kernel/kernel.h"

#define STREAM_BEAT ":\n\n" /* a comment: whoever reads events passes over it */

typedef struct stream_hub stream_hub;
typedef struct stream stream;

stream_hub *stream_hub_open(kernel *k, int most);
void stream_hub_stop(stream_hub *h);  /* every stream ends */
void stream_hub_close(stream_hub *h); /* no stream is left */
int stream_hub_count(stream_hub *h);
/* When this table last changed while this server ran, ms UTC; 0: not seen. */
int64_t stream_hub_changed(stream_hub *h, const char *name);

/* run 0: change, run and reload events; otherwise that run's log lines. NULL: too many, BUSY. */
stream *stream_open(stream_hub *h, int64_t run, dts_error *e);
/* The next event's bytes, as they go out, to be freed; NULL after `timeout_ms` without one. *over
 * is set when the stream has ended. */
char *stream_next(stream *s, int timeout_ms, bool *over);
void stream_close(stream *s);

#endif
