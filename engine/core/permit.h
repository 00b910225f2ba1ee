/* permit.h -- which hosts one pipeline may reach, and how a refusal reads.
 *
 * Lists of names in, yes or an error for the analyst out. A host pattern is a name
 * ("api.github.com"), a name with a port ("127.0.0.1:9001", "[::1]:9001") or one leading wildcard
 * for whole labels ("*.example.org", which is not example.org itself). Without a port it means 80
 * and 443. A wildcard never names an address, so it never opens a private one. Addresses are
 * resolved and guarded elsewhere; here are only names.
 * All lists end with NULL and are borrowed; a NULL list is empty.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_CORE_PERMIT_H
#define DTS_CORE_PERMIT_H

#include <stdbool.h>

#include "base/error.h"
#include "format/value.h"

typedef struct permit {
  const char *who;            /* "pipeline 'fuel'", as errors name it */
  const char *const *hosts;   /* its sources' hosts and allow.hosts */
  const char *const *ceiling; /* dts.lua's allow.hosts; NULL: no ceiling */
} permit;

/* A list of texts as it was declared, or NULL: 0, or -1 and PERMIT_PATTERN. */
int permit_patterns_check(const value *list, dts_error *err);
bool permit_host_match(const char *pattern, const char *host, int port);

/* 0, or -1 and HOST_REFUSED. `host` without brackets; port as it will be connected to. */
int permit_host(const permit *p, const char *host, int port, dts_error *err);
/* Its own lists name exactly this host, not by wildcard: only then may it be a private address. */
bool permit_host_is_named(const permit *p, const char *host, int port);

#endif
