/* random.c -- getrandom(2), and numbers and ids made from it.
 *
 * SPDX-License-Identifier: MIT */
#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void random_bytes(void *out, size_t size) {
  for (unsigned char *at = out; size > 0;) {
    ssize_t n = getrandom(at, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      fprintf(stderr, "dts: the kernel gives no random bytes: %s\n", strerror(errno));
      abort();
    }
    at += n;
    size -= (size_t)n;
  }
}

uint64_t random_u64(void) {
  uint64_t n;
  random_bytes(&n, sizeof n);
  return n;
}

double random_unit(void) { return (double)(random_u64() >> 11) * 0x1p-53; }

/* RFC 9562, section 6.2, method 3: the 12 bits behind the milliseconds are a fraction of them. */
void random_uuid(char out[37]) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  uint64_t ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
  unsigned fraction = (unsigned)((uint64_t)(t.tv_nsec % 1000000) * 4096 / 1000000);
  uint64_t low = (random_u64() & 0x3fffffffffffffff) | 0x8000000000000000;
  snprintf(out, 37, "%08x-%04x-7%03x-%04x-%012llx", (unsigned)(ms >> 16 & 0xffffffff),
           (unsigned)(ms & 0xffff), fraction & 0xfff, (unsigned)(low >> 48),
           (unsigned long long)(low & 0xffffffffffff));
}
