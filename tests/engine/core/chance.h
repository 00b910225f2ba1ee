/* chance.h -- repeatable chance for tests: xorshift64*, the state is the seed (not 0).
 *
 * SPDX-License-Identifier: MIT */
#ifndef TEST_CORE_CHANCE_H
#define TEST_CORE_CHANCE_H

#include <stdint.h>

static inline uint64_t chance_next(uint64_t *seed) {
  *seed ^= *seed >> 12;
  *seed ^= *seed << 25;
  *seed ^= *seed >> 27;
  return *seed * UINT64_C(2685821657736338717);
}

static inline int chance_below(uint64_t *seed, int n) {
  return (int)((chance_next(seed) >> 33) % (uint64_t)n);
}

static inline double chance_unit(uint64_t *seed) {
  return (double)(chance_next(seed) >> 11) / 9007199254740992.0;
}

#endif
