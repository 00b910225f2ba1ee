/* body.h -- the bytes of a reply, a file or a snapshot, as Lua holds them.
 *
 * Either a text that Lua owns, or a sealed descriptor that the body owns and only reads: as a
 * stream, from its own position, so that a file larger than the run's memory can be parsed. Or what
 * another body holds packed (body_packed.c). Closed and collected bodies read as empty.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_BODY_H
#define DTS_SCRIPT_BODY_H

#include <lua.h>
#include <stddef.h>
#include <stdbool.h>

typedef struct packed packed;

typedef struct body {
  packed *packed;    /* NULL: as it is */
  int fd;            /* -1: inline */
  const char *bytes; /* inline: the text, kept alive by the userdata; NULL with a descriptor */
  size_t size;
  size_t at; /* how much has been read */
} body;

body *body_push_text(lua_State *L, int index); /* pushes a body of the text at index */
body *body_push_fd(lua_State *L, int fd);      /* pushes a body that owns the descriptor */
body *body_check(lua_State *L, int index);     /* raises when it is none */
body *body_test(lua_State *L, int index);      /* NULL when it is none */

size_t body_read(lua_State *L, body *b, void *out, size_t size); /* 0 at the end; raises FILE */
void body_rewind(body *b);

#endif
