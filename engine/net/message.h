/* message.h -- the text of an e-mail, RFC 5322.
 *
 * Pure: addresses, subject and text in, the bytes that SMTP carries out. Headers are US-ASCII (RFC
 * 2047 where they are not), the text is UTF-8 in quoted-printable (RFC 2045 section 6.7), lines end
 * in CR LF. Nothing that a header holds may carry a line end: that is refused, not repaired.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_NET_MESSAGE_H
#define DTS_NET_MESSAGE_H

#include "net/mail.h"

/* Appends the message. `date_ms` is wall time, `id` unique: the Message-ID is ID@dts. 0, or -1
 * MAIL. */
int message_write(const mail *m, int64_t date_ms, const char *id, buffer *out, dts_error *e);

/* The bare address of "Name <a@b>" or "a@b" into `out`: 0, or -1 MAIL. */
int message_address(const value *v, char *out, size_t size, dts_error *e);

#endif
