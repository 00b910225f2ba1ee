/* call.h -- what a function of the API gets, and the table that it stands in.
 *
 * One idea: api_GROUP.c ends in a table of method, address, scope and function; router.c finds a
 * call's row and checks the scope before the function runs. A function fills in the reply and
 * returns 0, or returns -1 with an error, which becomes the reply.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_CALL_H
#define DTS_SERVE_CALL_H

#include "flow/kernel/keys.h"
#include "serve/cache.h"
#include "serve/http.h"
#include "serve/presign.h"
#include "serve/result.h"
#include "serve/server.h"
#include "serve/stream.h"

typedef struct who { /* the caller; name NULL: nobody that is known */
  const char *name;
  unsigned scopes;
  bool by_cookie;
} who;

typedef struct api_call {
  server *server;
  kernel *kernel;
  store *store;
  registry *set; /* held while the call lasts */
  http_request *rq;
  http_reply *rp;
  arena *memory;
  who who;
  int64_t now;         /* the engine's clock */
  const char *args[4]; /* of the address, in order */
} api_call;

typedef int api_fn(api_call *c, dts_error *e);
typedef struct api_route { /* a table ends with a row of NULLs */
  const char *method, *path;
  unsigned scope; /* KEY_READ, KEY_WRITE, KEY_ADMIN; 0: the function itself looks */
  api_fn *fn;
} api_route;

/* ---- what functions use; server.c, call.c ---- */

typedef struct access access_keys;
access_keys *server_access(server *s);
cache *server_cache(server *s);
stream_hub *server_hub(server *s);
const unsigned char *server_secret(const server *s);
int64_t server_upload_limit(const server *s);
int64_t server_started(const server *s);   /* ms UTC */
const char *server_spool(const server *s); /* folder for uploads under way */
bool server_is_closing(const server *s);
typedef struct server_counts { /* since the start, for /metrics */
  uint64_t requests[6];        /* by hundreds of the status; [0] streams */
  int active;
} server_counts;
server_counts server_count(server *s);

const char *call_param(const api_call *c, const char *name); /* NULL when absent or empty */
int64_t call_integer(const api_call *c, const char *name, int64_t otherwise, int64_t most);
value call_headers(const api_call *c); /* by their names in lower case; no key, no cookie */
int call_need(const api_call *c, unsigned scope, dts_error *e); /* 401 or 403 */
int call_not_found(dts_error *e, const char *what, const char *name);
int call_ask(api_call *c, const value *command, value *answer, dts_error *e); /* kernel_ask */
/* One SELECT with named parameters, answered as docs/api.md's result table or, with ?format=csv,
 * as a file. `types` as in result.h. */
int call_table(api_call *c, const char *sql, const value *params, const char *const *types,
               const char *file, dts_error *e);
void call_csv_headers(api_call *c, const char *file);
const char *call_stamp(const api_call *c, int64_t ms); /* RFC 3339 */
value call_stamp_or_null(const api_call *c, const value *ms);
bool call_is_mutation(const api_call *c);

/* ---- every group of the API ---- */

extern const api_route api_site[], api_pages[], api_overview[], api_runs[], api_gaps[],
    api_quarantine[], api_files[], api_ingest[], api_events[], api_tables[], api_sql[],
    api_schedule[], api_routes[], api_alerts[], api_keys[], api_stream[], api_settings[],
    api_health[];

int router_serve(api_call *c, dts_error *e); /* 0, -1, or 1: not the API's */
int routes_serve(api_call *c, dts_error *e); /* the project's routes; 1: none matches */
int assets_serve(api_call *c, dts_error *e); /* the dashboard; 1: nothing there */

#endif
