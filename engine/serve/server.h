/* server.h -- the engine's web side: API, project's routes, dashboard, metrics, event streams.
 *
 * One idea: reads are answered from the store on the thread of the request; everything that changes
 * anything is a command for the kernel. server_close is called on the loop's thread, after
 * loop_run: it turns the loop until the requests under way are answered.
 *
 * Ownership: the server borrows the kernel and the table of files, and must be closed before them.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_SERVER_H
#define DTS_SERVE_SERVER_H

#include "base/embed.h"
#include "flow/kernel/kernel.h"

typedef struct server server;

typedef struct server_options {
  const char *listen;    /* "127.0.0.1:8080"; port 0: any; NULL: dts.lua's `listen`, or that */
  const embed_file *web; /* the dashboard's files, gzipped ("index.html.gz"); NULL: none */
  int64_t upload_limit;  /* bytes of an upload; 0: 1 GB */
} server_options;

server *server_open(kernel *k, const server_options *options, dts_error *e);
int server_port(const server *s);
const char *server_host(const server *s); /* as listened on: "127.0.0.1" */
/* A random key with every scope that lasts as long as this server: http://HOST:PORT/#key=KEY */
const char *server_session_key(const server *s);
void server_close(server *s); /* NULL is fine */

#endif
