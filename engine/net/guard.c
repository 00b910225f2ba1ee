/* guard.c -- see guard.h. Two tables of prefixes, the first that fits says what the address is.
 *
 * SPDX-License-Identifier: MIT */
#include "net/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/permit.h"

typedef struct prefix {
  uint8_t bytes[16];
  int bits;
  const char *what;
} prefix;

/* https://www.iana.org/assignments/iana-ipv4-special-registry */
static const prefix four[] = {
    {{0}, 8, "this network"},
    {{10}, 8, "private"},
    {{100, 100, 100, 200}, 32, "metadata service"},
    {{100, 64}, 10, "carrier-grade NAT"},
    {{127}, 8, "loopback"},
    {{168, 63, 129, 16}, 32, "metadata service"},
    {{169, 254, 169, 254}, 32, "metadata service"},
    {{169, 254}, 16, "link-local"},
    {{172, 16}, 12, "private"},
    {{192, 0, 0}, 24, "reserved"},
    {{192, 0, 2}, 24, "documentation"},
    {{192, 88, 99}, 24, "6to4 relay"},
    {{192, 168}, 16, "private"},
    {{198, 18}, 15, "benchmarking"},
    {{198, 51, 100}, 24, "documentation"},
    {{203, 0, 113}, 24, "documentation"},
    {{224}, 4, "multicast"},
    {{240}, 4, "reserved"},
};

/* https://www.iana.org/assignments/iana-ipv6-special-registry, after unwrapping */
static const prefix six[] = {
    {{0xfd, 0, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54}, 128, "metadata service"},
    {{0xfd, 0x20, 0, 0xce, [14] = 0x02, [15] = 0x54}, 128, "metadata service"},
    {{0xfc}, 7, "unique local"},
    {{0xfe, 0x80}, 10, "link-local"},
    {{0xfe, 0xc0}, 10, "site-local"},
    {{0xff}, 8, "multicast"},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "documentation"},
    {{0x20, 0x01, 0x00}, 23, "protocol assignment (Teredo, ORCHID)"},
    {{0x20, 0x02}, 16, "6to4"},
    {{0x3f, 0xff, 0x00}, 20, "documentation"},
};

static bool prefix_fits(const prefix *p, const uint8_t *address) {
  int whole = p->bits / 8, rest = p->bits % 8;
  if (memcmp(p->bytes, address, (size_t)whole) != 0) return false;
  return !rest || (p->bytes[whole] >> (8 - rest)) == (address[whole] >> (8 - rest));
}

static const char *special_four(const uint8_t address[4]) {
  for (size_t i = 0; i < sizeof four / sizeof *four; i++)
    if (prefix_fits(&four[i], address)) return four[i].what;
  return NULL;
}

static bool starts(const uint8_t *address, const char *bytes, size_t size) {
  return memcmp(address, bytes, size) == 0;
}

/* An address of the inside at the end of a public one: where a network translates (NAT64 under a prefix of its
 * own, RFC 6052 section 2.2, with 96 bits) or tunnels (ISATAP, RFC 5214 section 6.1), that is what is reached. */
static const char *special_end(const uint8_t a[16]) {
  bool translated = starts(a + 8, "\0\0\0\0", 4);
  bool tunnelled = (a[8] & 0xfd) == 0 && starts(a + 9, "\0\x5e\xfe", 3);
  const char *what = translated || tunnelled ? special_four(a + 12) : NULL;
  bool inside = what && (guard_is_local(what) || !strcmp(what, "link-local") ||
                         !strcmp(what, "metadata service"));
  return inside ? what : NULL;
}

static const char *special_six(const uint8_t a[16]) {
  static const uint8_t one[16] = {[15] = 1};
  if (!memcmp(a, one, 16)) return "loopback";
  if (starts(a, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12)) return special_four(a + 12);     /* mapped */
  if (starts(a, "\x00\x64\xff\x9b\0\0\0\0\0\0\0\0", 12)) return special_four(a + 12); /* NAT64 */
  for (size_t i = 0; i < sizeof six / sizeof *six; i++)
    if (prefix_fits(&six[i], a)) return six[i].what;
  return (a[0] & 0xe0) == 0x20 ? special_end(a)
                               : "reserved"; /* 2000::/3 is all that is given out */
}

const char *guard_special(const struct sockaddr *address) {
  if (address->sa_family == AF_INET) {
    struct sockaddr_in in;
    memcpy(&in, address, sizeof in);
    return special_four((const uint8_t *)&in.sin_addr);
  }
  if (address->sa_family == AF_INET6) {
    struct sockaddr_in6 in;
    memcpy(&in, address, sizeof in);
    return special_six((const uint8_t *)&in.sin6_addr);
  }
  return "not an internet address";
}

const char *guard_special_text(const char *address) {
  char text[64];
  uint8_t bytes[16];
  snprintf(text, sizeof text, "%.*s", (int)strcspn(address, "%"), address);
  if (inet_pton(AF_INET, text, bytes) == 1) return special_four(bytes);
  if (inet_pton(AF_INET6, text, bytes) == 1) return special_six(bytes);
  return "not an internet address";
}

bool guard_named(const value *allow, const char *host, int port) {
  if (!allow || allow->kind != VALUE_LIST) return false;
  for (size_t i = 0; i < allow->list.count; i++) {
    const value *item = &allow->list.items[i];
    char pattern[300];
    if (item->kind != VALUE_TEXT || item->text.size >= sizeof pattern) continue;
    snprintf(pattern, sizeof pattern, "%.*s", (int)item->text.size, item->text.bytes);
    if (pattern[0] != '*' && permit_host_match(pattern, host, port)) return true;
  }
  return false;
}

bool guard_is_address(const char *host) {
  uint8_t bytes[16];
  return strchr(host, ':') || inet_pton(AF_INET, host, bytes) == 1;
}

bool guard_is_local(const char *special) {
  static const char *const local[] = {"loopback", "private", "unique local", "carrier-grade NAT"};
  for (size_t i = 0; i < sizeof local / sizeof *local; i++)
    if (!strcmp(local[i], special)) return true;
  return false;
}

/* RFC 6761, RFC 6762, RFC 8375, and ICANN's .internal; the others are in use and never delegated. */
bool guard_is_local_name(const char *host) {
  static const char *const ends[] = {".localhost", ".local", ".internal", ".home.arpa", ".test",
                                     ".lan",       ".home",  ".corp",     ".intranet",  ".private"};
  size_t size = strlen(host);
  if (!strchr(host, '.') && !strchr(host, ':')) return true;
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    size_t tail = strlen(ends[i]);
    if (size > tail && !strcasecmp(host + size - tail, ends[i])) return true;
  }
  return false;
}
