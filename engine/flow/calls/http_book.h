/* http_book.h -- what requests find in the store and leave there: validators to ask with, and one row
 * for each request, for the waterfall.
 *
 * One idea: a thousand requests at once are a few reads and a few writes, without a timer: what is
 * asked for while a read is under way goes into the next one together, and so do rows until the
 * writer takes them. Rows are written in the order in which they came, before anything that is
 * written later. On the loop's thread alone. Each question is its asker's until it is answered.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_HTTP_BOOK_H
#define DTS_FLOW_HTTP_BOOK_H

#include "base/arena.h"
#include "base/error.h"
#include "format/value.h"

typedef struct kernel kernel;
typedef struct http_book http_book;
http_book *http_book_open(kernel *k);
void http_book_close(http_book *b); /* when the kernel is at rest */

typedef struct http_known {
  const char *source, *url; /* as http_request_known_as says */
  arena *memory;
  void (*then)(void *arg);
  void *arg;
  int rc; /* -1 and the error */
  dts_error error;
  value
      found; /* {etag, modified, object, status, headers}, or null: nothing, or its body is gone */
  bool any;  /* its source is remembered for something */
  struct http_known *next;
} http_known;

/* `then` comes at once when nothing is remembered of the source at all, later otherwise. */
void http_book_find(http_book *b, http_known *question);
/* A run is about to have something of this source remembered. */
void http_book_expect(http_book *b, const char *name);

typedef struct http_row {
  int64_t run, seq, at, ms, tries;
  int status;
  const char *method, *url; /* copied */
} http_row;

void http_book_add(http_book *b, const http_row *row);

#endif
