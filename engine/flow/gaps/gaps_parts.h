/* gaps_parts.h -- shared by gaps.c, gaps_write.c and registry_pipeline.c alone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_GAPS_PARTS_H
#define DTS_FLOW_GAPS_PARTS_H

#include "format/value.h"

const char *gaps_label(arena *a, const value *given); /* a key for people: its text, or its JSON */

#endif
