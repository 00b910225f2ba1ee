/* lib_digest.c -- Lua: local digest = require "dts.digest"   digest.sha256(text or body) -> 64 hex digits
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>

#include "base/sha256.h"
#include "script/body.h"
#include "script/libs.h"

static void add_body(lua_State *L, sha256 *h, body *b) {
  char piece[16 * 1024];
  size_t before = b->at;
  body_rewind(b);
  for (size_t got; (got = body_read(L, b, piece, sizeof piece)) > 0;) sha256_add(h, piece, got);
  b->at = before;
}

static int digest_sha256(lua_State *L) {
  static const char digits[] = "0123456789abcdef";
  unsigned char out[SHA256_SIZE];
  char hex[2 * SHA256_SIZE];
  size_t size;
  sha256 h;
  sha256_open(&h);
  body *b = body_test(L, 1);
  if (b) {
    add_body(L, &h, b);
  } else {
    const char *text = luaL_checklstring(L, 1, &size);
    sha256_add(&h, text, size);
  }
  sha256_finish(&h, out);
  for (int i = 0; i < SHA256_SIZE; i++) {
    hex[2 * i] = digits[out[i] >> 4];
    hex[2 * i + 1] = digits[out[i] & 15];
  }
  lua_pushlstring(L, hex, sizeof hex);
  return 1;
}

int luaopen_dts_digest(lua_State *L) {
  static const luaL_Reg functions[] = {{"sha256", digest_sha256}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
