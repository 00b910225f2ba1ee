/* assets.h -- the dashboard's files, from the table that was compiled in.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_ASSETS_H
#define DTS_SERVE_ASSETS_H

#include "serve/call.h"

const embed_file *server_web(const server *s); /* NULL: none */

#endif
