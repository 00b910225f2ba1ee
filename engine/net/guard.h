/* guard.h -- may an address be connected to? (against server-side request forgery)
 *
 * One idea: names say nothing, so the decision is on the resolved address, at the moment the socket
 * is opened and again when a kept connection is used. Only addresses that the public internet
 * routes pass (IANA special-purpose registries, RFC 6890 and successors); IPv4 inside IPv6 is
 * unwrapped first. Pure: no I/O, nothing owned.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_NET_GUARD_H
#define DTS_NET_GUARD_H

#include <stdbool.h>
#include <sys/socket.h>

#include "format/value.h"

/* NULL for a public address, otherwise what it is: "loopback", "private" ... */
const char *guard_special(const struct sockaddr *address);
/* The same of a numeric text, as curl reports a peer ("10.0.0.1", "fe80::1%eth0"). */
const char *guard_special_text(const char *address);

/* Is it named in `allow`, a list of "host:port" or "host" (80 and 443)? Never by wildcard. */
bool guard_named(const value *allow, const char *host, int port);

/* How far a name that is allowed reaches: an address reaches itself, whatever it is; a name reaches
 * local networks at most, never link-local addresses or a cloud's metadata service. */
bool guard_is_address(const char *host);
bool guard_is_local(const char *special);
/* A name that no public server answers for: localhost, one without a dot, one below .internal ... */
bool guard_is_local_name(const char *host);

#endif
