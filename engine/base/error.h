/* error.h -- the one error value, from the bottom of the engine to the analyst.
 *
 * A function that can fail takes a `dts_error *` last, returns -1 (or NULL) on failure and has then
 * filled the error in and changed nothing else. The error may be NULL when nobody will read it.
 * Errors are plain values: copy them by assignment, nothing in them is to be freed.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_BASE_ERROR_H
#define DTS_BASE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

typedef struct dts_error {
  char code[32];          /* stable and greppable: HTTP_LATER, SCRIPT, LIMIT_TIME ... */
  char message[1024];     /* what happened, with the value and what was expected */
  char hint[512];         /* what to do about it; may be empty */
  char where[256];        /* FILE:LINE of the analyst's own code, or empty */
  bool retryable;         /* the same attempt may succeed later */
  int64_t retry_after_ms; /* the other side's wish, 0 when it had none */
  int status;             /* HTTP status that fits, 0 when none does */
} dts_error;

/* Fills in code and message, clears the rest. Always returns -1, so `return error_fail(...)`. */
int error_fail(dts_error *e, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a hint to an error already filled in. Always returns -1. */
int error_hint(dts_error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The nearest of `names` (NULL-terminated) to a misspelt `word`, or NULL when none is near:
 * Damerau-Levenshtein distance of at most a third of the word's length, at least 1. */
const char *error_nearest(const char *word, const char *const *names);

#endif
