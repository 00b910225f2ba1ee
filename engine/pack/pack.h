/* pack.h -- zstd and gzip, whole runs of bytes at once.
 *
 * Unpacking never trusts the sizes that packed bytes claim: output grows step by step and stops at
 * the limit, so a small bomb stays small. Results are added to the caller's buffer, whose own limit
 * counts too; on failure the buffer is as before. Nothing else is owned.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_PACK_PACK_H
#define DTS_PACK_PACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

typedef enum pack_kind { PACK_NONE, PACK_GZIP, PACK_ZSTD } pack_kind;

/* By the first bytes: 1f 8b (RFC 1952), 28 b5 2f fd (RFC 8878). */
pack_kind pack_guess(const void *bytes, size_t size);

/* 0, or -1 with code PACK, or LIMIT_SIZE past the limit. level 0 is the library's default. Several
 * frames or gzip members one behind the other are read as one; anything else behind is refused. */
int pack_zstd(buffer *out, const void *bytes, size_t size, int level, dts_error *e);
int pack_unzstd(buffer *out, const void *bytes, size_t size, size_t limit, dts_error *e);
int pack_gzip(buffer *out, const void *bytes, size_t size, int level, dts_error *e);
int pack_gunzip(buffer *out, const void *bytes, size_t size, size_t limit, dts_error *e);

#endif
