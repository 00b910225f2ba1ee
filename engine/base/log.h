/* log.h -- the engine's own log: one line for each message, on standard error.
 *
 *   2026-03-10T13:00:00.123Z warn worker 4211 ended by signal 9
 *
 * A line goes out in one write, so threads and processes never mix theirs; control characters in a
 * message become spaces and a message is cut at about 4,000 bytes. What scripts log is not this: it
 * belongs to the run. Secrets must never be passed in. The level is the one variable, an atomic.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_BASE_LOG_H
#define DTS_BASE_LOG_H

typedef enum log_level { LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR, LOG_LEVEL_OFF } log_level;

void log_set_level(log_level least); /* info at the start */

void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
