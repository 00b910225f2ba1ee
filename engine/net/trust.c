/* trust.c -- authorities of the project's own, beside the system's: checked when they are named.
 *
 * curl reads the texts only at the first handshake, and says little then; so what cannot be a
 * certificate is refused here. Whether it is a sound one, OpenSSL decides below curl.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "net/agenda.h"

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END   "-----END CERTIFICATE-----"

int fetch_trust(fetch *f, const char *pem, size_t size, dts_error *e) {
  const char *begin = memmem(pem, size, BEGIN, strlen(BEGIN));
  if (!begin || !memmem(begin, size - (size_t)(begin - pem), END, strlen(END))) {
    error_fail(e, "TRUST", "there is no certificate in it: expected PEM, " BEGIN " ...");
    return error_hint(e, "a DER file is turned into PEM by: openssl x509 -inform der -in FILE");
  }
  if (memmem(pem, size, "PRIVATE KEY-----", 16))
    return error_fail(e, "TRUST", "it holds a private key; only certificates belong there");
  if (buffer_add(&f->trust, pem, size) < 0 || buffer_add_char(&f->trust, '\n') < 0)
    return error_fail(e, "TRUST", "more than 4 MB of certificates");
  return 0;
}
