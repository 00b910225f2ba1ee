/* fuzz_main.c -- a plain driver for NAME_fuzz.c where the compiler brings no libFuzzer.
 *
 *   fuzz-FOLDER-NAME_fuzz [SECONDS [SEED]] [FILES…]     20 s, and a seed from the clock, unless said
 *
 * Inputs are bytes by chance, and the last input or a FILE with a few bytes set, cut out or doubled.
 * The seed is printed: the same seed and files give the same inputs. The sanitizers end the program
 * at a fault, so coming to the end is the verdict. Random numbers are xorshift64* (Vigna, 2016).
 *
 * SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LARGEST = 4096, MOST_FILES = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct input {
  size_t size;
  uint8_t data[LARGEST];
} input;

static uint64_t draw(uint64_t *state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * UINT64_C(2685821657736338717);
}

static size_t below(uint64_t *state, size_t n) { return n ? (size_t)(draw(state) % n) : 0; }

static void make_anew(input *in, uint64_t *state) {
  in->size = below(state, 128);
  for (size_t i = 0; i < in->size; i++) in->data[i] = (uint8_t)draw(state);
}

static void cut_out(input *in, size_t at, size_t n) {
  if (at + n > in->size) n = in->size - at;
  memmove(in->data + at, in->data + at + n, in->size - at - n);
  in->size -= n;
}

static void double_part(input *in, size_t at, size_t n) {
  if (at + n > in->size || in->size + n > LARGEST) return;
  memmove(in->data + at + n, in->data + at, in->size - at);
  in->size += n;
}

static void damage(input *in, uint64_t *state) {
  for (size_t times = 1 + below(state, 4); times && in->size; times--) {
    size_t at = below(state, in->size), n = 1 + below(state, 8);
    switch (below(state, 4)) {
    case 0: cut_out(in, at, n); break;
    case 1: double_part(in, at, n); break;
    case 2: in->data[at] ^= (uint8_t)(1u << below(state, 8)); break;
    default: in->data[at] = (uint8_t)draw(state); break;
    }
  }
}

static int read_input(const char *name, input *in) {
  FILE *f = fopen(name, "rb");
  if (!f) return fprintf(stderr, "%s cannot be opened\n", name), -1;
  in->size = fread(in->data, 1, LARGEST, f);
  fclose(f);
  return 0;
}

static uint64_t run_until(time_t end, uint64_t seed, input *files, size_t count) {
  uint64_t runs = 0;
  input *now = calloc(1, sizeof *now);
  if (!now) return 0;
  for (; time(NULL) < end || runs < 1000; runs++) {
    if (count && runs % 8 == 0) *now = files[below(&seed, count)];
    if (runs % 8 == 1 || now->size == 0) make_anew(now, &seed);
    damage(now, &seed);
    LLVMFuzzerTestOneInput(now->data, now->size);
  }
  free(now);
  return runs;
}

int main(int count, char **arguments) {
  long seconds = count > 1 ? strtol(arguments[1], NULL, 10) : 20;
  uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 10) : (uint64_t)time(NULL);
  size_t files = 0;
  if (seconds < 0 || seconds > 86400) return fprintf(stderr, "seconds: 0 to 86400 expected\n"), 2;
  input *given = calloc(MOST_FILES, sizeof *given);
  if (!given) return 1;
  for (int i = 3; i < count && files < MOST_FILES; i++, files++)
    if (read_input(arguments[i], &given[files]) < 0) return free(given), 2;
  printf("seed %llu\n", (unsigned long long)seed);
  uint64_t runs = run_until(time(NULL) + seconds, seed | 1, given, files);
  printf("%llu inputs, no fault\n", (unsigned long long)runs);
  free(given);
  return 0;
}
