/* conceal.h -- takes secrets out of bytes, in whatever spelling they stand there.
 *
 * One idea: each secret is looked for at every byte, and each of its bytes may be written in any of the
 * ways in which requests and replies write bytes: as it is, percent-encoded (once or twice), escaped in
 * JSON or HTML; also the whole as hexadecimal digits, or inside of a base64 text (Basic credentials).
 * What is found becomes {secret:NAME}. A secret of fewer than four bytes is taken for one only where it
 * is a word of its own. Pure: no files, no clock.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_CONCEAL_H
#define DTS_FLOW_CONCEAL_H

#include "base/arena.h"
#include "base/buffer.h"
#include "format/value.h"

typedef struct conceal conceal;

conceal *conceal_open(void);
void conceal_close(conceal *c);                                     /* NULL is fine */
void conceal_add(conceal *c, const char *name, const char *secret); /* copied; "" is none */

/* Adds the bytes to `out` without secrets; true when one was found. */
bool conceal_bytes(const conceal *c, const char *bytes, size_t size, buffer *out);
void conceal_tokens(buffer *b); /* "access_token": "..." and kin in a JSON text become {hidden} */
const char *conceal_text(const conceal *c, const char *text, arena *a); /* NULL gives NULL */
/* An address: besides, the values of parameters such as api_key become {hidden}. */
const char *conceal_url(const conceal *c, const char *url, arena *a);
/* A map of headers without those that carry credentials. */
value conceal_headers(const conceal *c, const value *headers, arena *a);

#endif
