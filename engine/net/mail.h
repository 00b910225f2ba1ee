/* mail.h -- sends one e-mail over SMTP, on fetch's loop and under its rules.
 *
 * The message is built as RFC 5322 text (UTF-8, quoted-printable, no header injection: line ends in
 * a header are refused). Address of the server: "smtp://user@host:port", "smtps://..."; the
 * password is a secret handed over apart. TLS is required on anything but loopback.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_NET_MAIL_H
#define DTS_NET_MAIL_H

#include "net/fetch.h"

typedef struct mail {
  const char *server, *password; /* password may be NULL */
  const char *from, *subject, *text;
  const value *to; /* list of addresses */
} mail;

typedef void mail_done(void *arg, const dts_error *e); /* e->code[0] == 0 when it was accepted */
uint64_t mail_send(fetch *f, const mail *m, mail_done *done, void *arg);

#endif
