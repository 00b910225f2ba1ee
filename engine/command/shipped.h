/* shipped.h -- what is compiled into the program. Only main.c's side links it; tests have none of
 * it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_SHIPPED_H
#define DTS_COMMAND_SHIPPED_H

#include "base/embed.h"

const embed_file *shipped_connectors(void);
const embed_file *shipped_web(void);
const embed_file *shipped_template(void); /* of `dts new` */

#endif
