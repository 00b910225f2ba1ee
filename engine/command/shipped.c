/* shipped.c -- see shipped.h.
 *
 * SPDX-License-Identifier: MIT */
#include "command/shipped.h"

const embed_file *shipped_connectors(void) { return embed_connectors; }
const embed_file *shipped_web(void) { return embed_web; }
const embed_file *shipped_template(void) { return embed_template; }
