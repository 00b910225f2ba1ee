/* permit.c -- matching of host patterns, and the refusals' texts.
 *
 * The idea: a pattern and a host are compared as lower-case labels, never as a substring, and the
 * refusal names what is listed and the nearest of it. It must not resolve names.
 *
 * SPDX-License-Identifier: MIT */
#include "core/permit.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef struct pattern {
  char host[256]; /* without brackets, wildcard and last dot */
  int port;       /* 0: 80 and 443 */
  bool wildcard;
} pattern;

static int port_read(const char *text) {
  int port = 0;
  size_t digits = strspn(text, "0123456789");
  if (digits < 1 || digits > 5 || text[digits] || text[0] == '0') return -1;
  for (size_t i = 0; i < digits; i++) port = port * 10 + (text[i] - '0');
  return port <= 65535 ? port : -1;
}

/* [::1]:9001, ::1, 127.0.0.1:9001, name: splits off a port where one can stand. */
static int pattern_split(const char *text, pattern *out) {
  const char *end = strchr(text, ':'), *port = end;
  if (text[0] == '[') {
    end = strchr(++text, ']');
    if (!end || (end[1] && end[1] != ':')) return -1;
    port = end[1] ? end + 1 : NULL;
  } else if (end && strchr(end + 1, ':')) {
    end = port = NULL; /* a bare IPv6 address */
  }
  size_t size = end ? (size_t)(end - text) : strlen(text);
  if (size == 0 || size >= sizeof out->host) return -1;
  memcpy(out->host, text, size);
  out->host[size] = 0;
  out->port = port ? port_read(port + 1) : 0;
  return out->port < 0 ? -1 : 0;
}

static bool is_address(const char *host) {
  const char *label = strrchr(host, '.');
  label = label ? label + 1 : host;
  return strchr(host, ':') || (*label && label[strspn(label, "0123456789")] == 0) ||
         strncasecmp(label, "0x", 2) == 0;
}

static bool are_labels(const char *host) {
  size_t size = strlen(host), start = 0;
  if (strchr(host, ':')) return host[strspn(host, "0123456789abcdefABCDEF:.")] == 0;
  for (size_t i = 0; i <= size; i++) {
    if (host[i] == '.' || host[i] == 0) {
      if (i == start || i - start > 63) return false;
      start = i + 1;
    } else if (!isalnum((unsigned char)host[i]) && host[i] != '-' && host[i] != '_') {
      return false;
    }
  }
  return true;
}

static void drop_last_dot(char *host) {
  size_t size = strlen(host);
  if (size > 1 && host[size - 1] == '.') host[size - 1] = 0;
}

static int pattern_read(const char *text, pattern *out) {
  out->wildcard = strncmp(text, "*.", 2) == 0;
  if (pattern_split(out->wildcard ? text + 2 : text, out) != 0) return -1;
  drop_last_dot(out->host);
  if (!are_labels(out->host)) return -1;
  return out->wildcard && is_address(out->host) ? -1 : 0;
}

static int pattern_check(const char *given, dts_error *err) {
  pattern p;
  if (pattern_read(given, &p) == 0) return 0;
  error_fail(err, "PERMIT_PATTERN", "host '%.80s': expected a host name, with a port if need be",
             given);
  if (strstr(given, "://") || strchr(given, '/')) {
    return error_hint(err, "leave out the scheme and the path: only the host is named here");
  }
  if (strchr(given, '*')) {
    return error_hint(err, "a wildcard stands for whole labels at the front: \"*.example.org\"");
  }
  return error_hint(err, "examples: \"api.github.com\", \"127.0.0.1:9001\", \"*.example.org\"");
}

int permit_patterns_check(const value *list, dts_error *err) {
  for (size_t i = 0; list && list->kind == VALUE_LIST && i < list->list.count; i++)
    if (pattern_check(list->list.items[i].text.bytes, err) < 0) return -1;
  return 0;
}

static bool port_matches(int wanted, int port) {
  return wanted ? wanted == port : port == 80 || port == 443;
}

/* A wildcard's last label is no number, so what ends in it is no address. */
static bool name_matches(const pattern *p, const char *host) {
  size_t size = strlen(host), tail = strlen(p->host);
  if (!p->wildcard) return strcasecmp(p->host, host) == 0;
  if (size <= tail + 1) return false;
  return host[size - tail - 1] == '.' && strcasecmp(host + size - tail, p->host) == 0;
}

static bool matches(const pattern *p, const char *host, int port) {
  char name[256];
  int size = snprintf(name, sizeof name, "%s", host);
  if (size <= 0 || (size_t)size >= sizeof name) return false;
  drop_last_dot(name);
  return are_labels(name) && name_matches(p, name) && port_matches(p->port, port);
}

bool permit_host_match(const char *text, const char *host, int port) {
  pattern p;
  return pattern_read(text, &p) == 0 && matches(&p, host, port);
}

static bool host_in(const char *const *list, const char *host, int port) {
  for (; list && *list; list++) {
    if (permit_host_match(*list, host, port)) return true;
  }
  return false;
}

bool permit_host_is_named(const permit *p, const char *host, int port) {
  for (const char *const *at = p->hosts; at && *at; at++) {
    if (strncmp(*at, "*.", 2) != 0 && permit_host_match(*at, host, port)) return true;
  }
  return false;
}

static const char *nearest(const char *word, const char *const *list) {
  return list ? error_nearest(word, list) : NULL;
}

/* "api.github.com", "127.0.0.1:9001", "[::1]:9001": as one would write it in allow.hosts. */
static const char *host_written(const char *host, int port, char *room, size_t size) {
  bool bare = port == 80 || port == 443, brackets = strchr(host, ':') && !bare;
  const char *open = brackets ? "[" : "", *close = brackets ? "]" : "";
  if (bare) {
    snprintf(room, size, "%.120s", host);
  } else {
    snprintf(room, size, "%s%.120s%s:%d", open, host, close, port);
  }
  return room;
}

int permit_host(const permit *p, const char *host, int port, dts_error *err) {
  char name[160];
  host_written(host, port, name, sizeof name);
  if (!host_in(p->hosts, host, port)) {
    const char *near = nearest(name, p->hosts);
    error_fail(err, "HOST_REFUSED",
               "%s may not reach %s: none of its sources and allow.hosts is it", p->who, name);
    if (near) return error_hint(err, "did you mean '%s'?", near);
    return error_hint(err, "declare a dts.source for it, or allow = { hosts = { \"%s\" } }", name);
  }
  if (p->ceiling && !host_in(p->ceiling, host, port)) {
    error_fail(err, "HOST_REFUSED", "%s may not reach %s: allow.hosts in dts.lua does not name it",
               p->who, name);
    return error_hint(err, "no script exceeds that list; add \"%s\" to it", name);
  }
  return 0;
}
