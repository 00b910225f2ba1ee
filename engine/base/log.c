/* log.c -- puts a line together on the stack and writes it in one go.
 *
 * SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 4096 }; /* PIPE_BUF: one write of this size is never split */

static const char *const NAMES[] = {"info", "warn", "error"};
static atomic_int least_level = LOG_LEVEL_INFO;

void log_set_level(log_level least) { atomic_store(&least_level, (int)least); }

static size_t write_head(char *line, log_level level) {
  struct timespec now;
  struct tm utc;
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &utc);
  size_t n = strftime(line, 32, "%Y-%m-%dT%H:%M:%S", &utc);
  n += (size_t)snprintf(line + n, 32, ".%03dZ %s ", (int)(now.tv_nsec / 1000000), NAMES[level]);
  return n;
}

/* Control characters of the message become spaces, so that one message is one line. */
static void write_line(log_level level, const char *format, va_list arguments) {
  if ((int)level < atomic_load(&least_level)) return;
  int kept = errno;
  char line[LINE_SIZE];
  size_t head = write_head(line, level);
  vsnprintf(line + head, sizeof line - head, format, arguments);
  size_t size = head + strlen(line + head);
  for (size_t i = head; i < size; i++)
    if ((unsigned char)line[i] < ' ' || line[i] == 0x7f) line[i] = ' ';
  line[size++] = '\n'; /* in the place of the NUL */
  ssize_t ignored = write(STDERR_FILENO, line, size);
  (void)ignored; /* a log that cannot be written has nobody left to tell */
  errno = kept;
}

void log_info(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_line(LOG_LEVEL_INFO, format, arguments);
  va_end(arguments);
}

void log_warn(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_line(LOG_LEVEL_WARN, format, arguments);
  va_end(arguments);
}

void log_error(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_line(LOG_LEVEL_ERROR, format, arguments);
  va_end(arguments);
}
