/* socket.h -- the control socket var/dts.sock: how a command reaches the engine that holds the
 * project.
 *
 * One idea: a command over the socket is the command of kernel.h, no more and no less. The first
 * frame each way is OP_HELLO; then OP_COMMAND is answered by OP_REPLY or OP_ERROR, after any
 * OP_LOG, OP_PROGRESS and OP_RUN of the same call. Whoever may open the file (mode 0600) may ask
 * anything. One that leaves does not end what it asked for.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_SOCKET_H
#define DTS_FLOW_SOCKET_H

#include "flow/kernel/kernel.h"

/* The engine's side, on the kernel's loop. `listen`: where the web API is, for OP_HELLO, or NULL.
 * A file that a dead engine left is replaced: the kernel holds the project's lock. */
typedef struct control_socket control_socket;
control_socket *socket_open(kernel *k, const char *listen, dts_error *e);
void socket_close(control_socket *s); /* before kernel_close; NULL is fine */

/* The asking side: blocks. */
typedef struct socket_client socket_client;
/* NULL with code ENGINE_NONE when no engine runs there; VERSION when it is of another kind. */
socket_client *socket_connect(const char *root, dts_error *e);
void socket_leave(socket_client *c);               /* NULL is fine */
const char *socket_listen(const socket_client *c); /* of the engine's web API, or NULL */
int socket_descriptor(const socket_client *c);
/* Asking has two halves, since who asks may wait for other things as well. Take reads one frame. 1:
 * an event was told; 0: the answer is there; -1: an error. */
int socket_send(socket_client *c, const value *command, dts_error *e);
int socket_take(socket_client *c, kernel_event *event, void *arg, arena *a, value *answer,
                dts_error *e);

#endif
