/* socket_path.h -- the address of var/dts.sock, by way of its folder's descriptor: a path of any
 * length fits into the 108 bytes of an address.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_SOCKET_PATH_H
#define DTS_FLOW_SOCKET_PATH_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"

#define SOCKET_NAME "dts.sock"

typedef struct socket_path {
  int folder; /* of var/, opened as a path only */
  struct sockaddr_un address;
} socket_path;

int socket_path_open(const char *root, socket_path *out, dts_error *e); /* ENGINE_NONE: no var/ */
void socket_path_close(socket_path *at);

#endif
