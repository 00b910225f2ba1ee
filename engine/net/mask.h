/* mask.h -- a source may answer with what it was sent; a secret is not handed on.
 *
 * One idea: wherever a secret stands in headers or bytes, in any spelling (spelled.h), there are as
 * many asterisks instead, so no length changes. Texts under six bytes are left alone: they would be
 * found everywhere. Private to engine/net; nothing is owned.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_NET_MASK_H
#define DTS_NET_MASK_H

#include "base/arena.h"
#include "format/value.h"

bool mask_needed(const value *secrets); /* a list of texts, or NULL */
void mask_bytes(char *bytes, size_t size, const value *secrets);
void mask_text(char *text, const value *secrets); /* in any case: a host's name is in lower case */
void mask_headers(arena *a, value *headers, const value *secrets);

#endif
