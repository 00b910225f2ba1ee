/* embed.h -- files that are compiled into the program.
 *
 * The build makes one table for each set, ended by a row of NULLs (cmake/embed.cmake). Bytes are
 * read-only and followed by a NUL that `end` does not count.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_BASE_EMBED_H
#define DTS_BASE_EMBED_H

typedef struct embed_file {
  const char *name; /* path below the set's root: "dts/table.lua", "index.html.gz" */
  const char *bytes, *end;
} embed_file;

extern const embed_file embed_lua[];        /* engine/lua, in dts-worker */
extern const embed_file embed_web[];        /* web/dist, in dts */
extern const embed_file embed_connectors[]; /* connectors/, in dts */
extern const embed_file
    embed_template[]; /* engine/command/template, in dts: what `dts new` makes */

#endif
