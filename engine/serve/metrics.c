/* metrics.c -- see metrics.h.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/metrics.h"

#include "format/json.h"

static const char *suffix(metric_type type) {
  return type == METRIC_COUNTER ? "_total" : type == METRIC_INFO ? "_info" : "";
}

static void add_escaped(buffer *b, const char *text) {
  for (; *text; text++) {
    if (*text == '\n')
      buffer_add_text(b, "\\n");
    else if (*text == '"' || *text == '\\')
      buffer_add_char(b, '\\'), buffer_add_char(b, *text);
    else
      buffer_add_char(b, *text);
  }
}

void metrics_family(buffer *b, const char *name, metric_type type, const char *help) {
  static const char *const words[] = {"gauge", "counter", "info"};
  buffer_add_format(b, "# TYPE %s %s\n# HELP %s ", name, words[type], name);
  add_escaped(b, help);
  buffer_add_char(b, '\n');
}

static void add_labels(buffer *b, const char *const *labels) {
  for (size_t i = 0; labels && labels[i]; i += 2) {
    buffer_add_text(b, i ? "," : "{");
    buffer_add_text(b, labels[i]);
    buffer_add_text(b, "=\"");
    add_escaped(b, labels[i + 1]);
    buffer_add_char(b, '"');
  }
  if (labels && labels[0]) buffer_add_char(b, '}');
}

void metrics_sample(buffer *b, const char *name, metric_type type, double number,
                    const char *const *labels) {
  buffer_add_text(b, name);
  buffer_add_text(b, suffix(type));
  add_labels(b, labels);
  buffer_add_char(b, ' ');
  json_write_real(b, number);
  buffer_add_char(b, '\n');
}

void metrics_end(buffer *b) { buffer_add_text(b, "# EOF\n"); }
