/* chunks.c -- see chunks.h.
 *
 * SPDX-License-Identifier: MIT */
#include "script/chunks.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/embed.h"

enum { NAME = 64, MOST_BYTES = 1024 * 1024 };

typedef struct chunk {
  char name[NAME], file[NAME + 1]; /* "dts.table", "@dts/table.lua" */
  buffer bytes;
} chunk;

struct chunks {
  size_t count;
  chunk *list;
};

/* "dts/init.lua" is module dts, "dts/table.lua" is dts.table. */
static void name_module(chunk *c, const char *file) {
  size_t size = strlen(file);
  if (size > 4 && strcmp(file + size - 4, ".lua") == 0) size -= 4;
  if (size > 5 && strncmp(file + size - 5, "/init", 5) == 0) size -= 5;
  snprintf(c->name, sizeof c->name, "%.*s", (int)size, file);
  for (char *at = c->name; *at; at++)
    if (*at == '/') *at = '.';
  snprintf(c->file, sizeof c->file, "@%s", file);
}

static int keep(lua_State *L, const void *bytes, size_t size, void *data) {
  (void)L;
  return buffer_add(data, bytes, size);
}

static int compile(lua_State *L, chunk *c, const embed_file *f) {
  name_module(c, f->name);
  buffer_init(&c->bytes, MOST_BYTES);
  if (luaL_loadbufferx(L, f->bytes, (size_t)(f->end - f->bytes), c->file, "t")) return -1;
  int bad = lua_dump(L, keep, &c->bytes, 0);
  lua_pop(L, 1);
  return bad ? -1 : 0;
}

chunks *chunks_open(lua_State *L) {
  chunks *c = memory_alloc(sizeof *c);
  *c = (chunks){0};
  for (const embed_file *f = embed_lua; f->name; f++) {
    c->list = memory_grow(c->list, (c->count + 1) * sizeof *c->list);
    if (compile(L, &c->list[c->count++], f) < 0) return chunks_close(c), NULL;
  }
  return c;
}

void chunks_close(chunks *c) {
  if (!c) return;
  for (size_t i = 0; i < c->count; i++) buffer_free(&c->list[i].bytes);
  free(c->list);
  free(c);
}

bool chunks_push(lua_State *L, const chunks *c, const char *name) {
  for (size_t i = 0; i < c->count; i++) {
    const chunk *one = &c->list[i];
    if (strcmp(one->name, name) != 0) continue;
    if (luaL_loadbufferx(L, one->bytes.data, one->bytes.size, one->file, "b")) lua_error(L);
    return true;
  }
  return false;
}
