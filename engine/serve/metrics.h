/* metrics.h -- OpenMetrics text: families with type and help, samples, labels escaped.
 *
 * The rules (OpenMetrics 1.0): one TYPE for a family, before its samples, a family's samples
 * together, counters end in _total, no line behind `# EOF`.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_METRICS_H
#define DTS_SERVE_METRICS_H

#include "base/buffer.h"

#include <stdint.h>

typedef enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_INFO } metric_type;

void metrics_family(buffer *b, const char *name, metric_type type, const char *help);
/* Labels are NAME, TEXT pairs up to a NULL name. */
void metrics_sample(buffer *b, const char *name, metric_type type, double number,
                    const char *const *labels);
void metrics_end(buffer *b);

#endif
