/* pack_fuzz.c -- libFuzzer's way into unpack.c: what can be read can be packed and read again.
 * clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iengine tests/engine/wire/pack_fuzz.c
 *   engine/wire/{pack,unpack}.c engine/format/value.c engine/base/{arena,buffer,error}.c
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "wire/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int packed_again(arena *a, const value *v) {
  buffer b;
  value again;
  buffer_init(&b, (size_t)1 << 26);
  pack_value(&b, v);
  unpack u = {b.data, b.data + b.size};
  int bad = unpack_value(&u, a, &again, NULL) < 0 || u.at != u.end;
  buffer_free(&b);
  return bad;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  arena a = {0};
  value v;
  dts_error e;
  unpack u = {(const char *)data, (const char *)data + size}, s = u;
  int read = unpack_value(&u, &a, &v, &e);
  if (read != unpack_skip(&s, &e)) abort();
  if (read == 0 && (u.at != s.at || packed_again(&a, &v))) abort();
  unpack_error(read == 0 ? &v : NULL, &e);
  arena_free(&a);
  return 0;
}
