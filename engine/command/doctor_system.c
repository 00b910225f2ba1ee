/* doctor_system.c -- the machine's clock and time zones, and the address to listen on.
 *
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/doctor.h"
#include "flow/control/socket.h"
#include "format/zone.h"

#define EARLIEST ((int64_t)1735689600000) /* 2025-01-01 */
#define LATEST   ((int64_t)4102444800000) /* 2100-01-01 */

static void check_clock(doctor *d) {
  int64_t now = clock_now_ms();
  if (now >= EARLIEST && now < LATEST)
    return doctor_say(d, PASS, "clock", "shows a time that can be", NULL);
  doctor_say(d, FAIL, "clock", "shows a year that cannot be", "set the machine's clock");
}

static void check_zones(doctor *d) {
  dts_error e;
  const char *names[] = {"America/Sao_Paulo", "Europe/Berlin",
                         value_get_text(&d->place, "timezone", "UTC")};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    zone *z = zone_open(names[i], &e);
    if (!z)
      return doctor_say(d, FAIL, "zones", e.message, "install the system's time zones: tzdata");
    zone_close(z);
  }
  doctor_say(d, PASS, "zones", "the system's time zones are there", NULL);
}

/* ---- the address ---- */

/* A numeric HOST:PORT; names are left to `dts serve`. */
static bool read_address(const char *text, struct sockaddr_in *out) {
  char host[64];
  const char *colon = strrchr(text, ':');
  size_t size = colon ? (size_t)(colon - text) : 0;
  if (!size || size >= sizeof host) return false;
  memcpy(host, text, size);
  host[size] = 0;
  if (strcmp(host, "localhost") == 0) strcpy(host, "127.0.0.1");
  *out = (struct sockaddr_in){.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10))};
  return inet_pton(AF_INET, host, &out->sin_addr) == 1;
}

static int try_address(const struct sockaddr_in *at, bool connecting) {
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct timeval wait = {.tv_sec = 2};
  if (fd < 0) return errno;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  const struct sockaddr *address = (const struct sockaddr *)at;
  int rc = connecting ? connect(fd, address, sizeof *at) : bind(fd, address, sizeof *at);
  int fault = rc < 0 ? errno : 0;
  close(fd);
  return fault;
}

static void check_listen(doctor *d) {
  arena *a = &d->memory;
  dts_error e;
  struct sockaddr_in at;
  socket_client *c = socket_connect(d->root, &e);
  const char *served = c ? arena_text(a, socket_listen(c)) : NULL,
             *text = served ? served : value_get_text(&d->place, "listen", "127.0.0.1:8080");
  socket_leave(c);
  if (strncmp(text, "http://", 7) == 0) text += 7;
  if (!read_address(text, &at)) return;
  int fault = try_address(&at, served != NULL);
  if (!fault && served)
    return doctor_say(d, PASS, "listen", arena_format(a, "the engine answers on %s", text), NULL);
  if (!fault) return doctor_say(d, PASS, "listen", arena_format(a, "%s is free", text), NULL);
  doctor_say(d, served ? FAIL : WARN, "listen", arena_format(a, "%s: %s", text, strerror(fault)),
             served ? "the engine runs and does not answer: see its log"
                    : "another program is there; `listen` in dts.lua names another address");
}

void doctor_system(doctor *d) {
  check_clock(d);
  check_zones(d);
  check_listen(d);
}
