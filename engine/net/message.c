/* message.c -- see message.h.
 *
 * SPDX-License-Identifier: MIT */
#include "net/message.h"

#include <stdio.h>
#include <string.h>

#include "format/date.h"

static bool has_control(const char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    if ((unsigned char)bytes[i] < ' ' || bytes[i] == 0x7f) return true;
  return false;
}

static bool is_ascii(const char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    if ((unsigned char)bytes[i] >= 0x80) return false;
  return true;
}

/* local@domain of what SMTP takes without quoting or extensions */
static bool is_address(const char *a, size_t size) {
  const char *at = memchr(a, '@', size);
  if (!at || at == a || at + 1 == a + size || size > 254) return false;
  if (memchr(at + 1, '@', (size_t)(a + size - at - 1))) return false;
  for (size_t i = 0; i < size; i++)
    if ((unsigned char)a[i] <= ' ' || (unsigned char)a[i] >= 0x7f || strchr("<>()[]\\,;:\"", a[i]))
      return false;
  return true;
}

int message_address(const value *v, char *out, size_t size, dts_error *e) {
  const char *from = v->kind == VALUE_TEXT ? v->text.bytes : "";
  size_t n = v->kind == VALUE_TEXT ? v->text.size : 0;
  bool clean = !has_control(from, n);
  const char *open = n ? memchr(from, '<', n) : NULL;
  if (open && from[n - 1] == '>') {
    n = (size_t)(from + n - open) - 2;
    from = open + 1;
  }
  if (clean && is_address(from, n) && n < size) {
    snprintf(out, size, "%.*s", (int)n, from);
    return 0;
  }
  return error_fail(e, "MAIL", "'%.*s' is no e-mail address; expected name@example.org",
                    clean && n < 80 ? (int)n : 0, from);
}

/* One encoded word carries at most 75 characters (RFC 2047 section 2), and whole UTF-8 characters:
 * 39 bytes make 52 of base64. */
static size_t word_size(const char *bytes, size_t size) {
  size_t n = size < 39 ? size : 39;
  while (n < size && n > 1 && ((unsigned char)bytes[n] & 0xc0) == 0x80) n--;
  return n;
}

static void add_base64(buffer *out, const char *bytes, size_t size) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < size; i += 3) {
    unsigned bits = 0;
    for (size_t j = 0; j < 3; j++)
      bits = bits << 8 | (i + j < size ? (unsigned char)bytes[i + j] : 0);
    for (size_t j = 0; j < 4; j++)
      buffer_add_char(out, i + j > size ? '=' : digits[bits >> (18 - 6 * j) & 63]);
  }
}

static void add_words(buffer *out, const char *bytes, size_t size) {
  if (is_ascii(bytes, size) && size <= 900 && !strstr(bytes, "=?")) {
    buffer_add(out, bytes, size);
    return;
  }
  for (size_t n; size; bytes += n, size -= n) {
    n = word_size(bytes, size);
    buffer_add_text(out, "=?UTF-8?B?");
    add_base64(out, bytes, n);
    buffer_add_text(out, n < size ? "?=\r\n " : "?=");
  }
}

/* RFC 2045 section 6.7: lines of at most 76 characters, no blank at their end. */
static void add_text(buffer *out, const char *text) {
  size_t column = 0;
  for (const char *p = text; *p; p++) {
    unsigned char c = (unsigned char)*p;
    if (c == '\r' && p[1] == '\n') continue;
    if (c == '\n') {
      buffer_add_text(out, "\r\n");
      column = 0;
      continue;
    }
    bool last = !p[1] || p[1] == '\n' || (p[1] == '\r' && p[2] == '\n');
    bool plain = (c > ' ' && c < 0x7f && c != '=' && !(c == '.' && !column)) ||
                 ((c == ' ' || c == '\t') && !last);
    size_t wide = plain ? 1 : 3;
    if (column + wide > 75) {
      buffer_add_text(out, "=\r\n");
      column = 0;
      plain = plain && c != '.';
      wide = plain ? 1 : 3;
    }
    if (plain)
      buffer_add_char(out, (char)c);
    else
      buffer_add_format(out, "=%02X", c);
    column += wide;
  }
  buffer_add_text(out, "\r\n");
}

static int add_header(buffer *out, const char *name, const char *text, dts_error *e) {
  if (!text || has_control(text, strlen(text)))
    return error_fail(e, "MAIL", "%s of the e-mail %s", name,
                      text ? "has a line end or control character in it" : "is missing");
  buffer_add_format(out, "%s: ", name);
  add_words(out, text, strlen(text));
  buffer_add_text(out, "\r\n");
  return 0;
}

/* A display name would need quoting rules of its own; headers carry bare addresses. */
static int add_addresses(buffer *out, const mail *m, dts_error *e) {
  char address[256];
  value from = value_text(m->from);
  if (message_address(&from, address, sizeof address, e) < 0) return -1;
  buffer_add_format(out, "From: %s\r\nTo: ", address);
  if (!m->to || m->to->kind != VALUE_LIST || !m->to->list.count)
    return error_fail(e, "MAIL", "an e-mail needs at least one address to go to");
  for (size_t i = 0; i < m->to->list.count; i++) {
    if (message_address(&m->to->list.items[i], address, sizeof address, e) < 0) return -1;
    buffer_add_format(out, "%s%s", i ? ",\r\n " : "", address);
  }
  buffer_add_text(out, "\r\n");
  return 0;
}

int message_write(const mail *m, int64_t date_ms, const char *id, buffer *out, dts_error *e) {
  char date[30];
  http_date_write(date_ms, date);
  buffer_add_format(out, "Date: %.25s +0000\r\n", date); /* "Sun, 06 Nov 1994 08:49:37" */
  buffer_add_format(out, "Message-ID: <%s@dts>\r\n", id);
  if (add_addresses(out, m, e) < 0 || add_header(out, "Subject", m->subject, e) < 0) return -1;
  buffer_add_text(out, "MIME-Version: 1.0\r\n"
                       "Content-Type: text/plain; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: quoted-printable\r\n"
                       "Auto-Submitted: auto-generated\r\n\r\n");
  add_text(out, m->text ? m->text : "");
  return out->failed ? error_fail(e, "MAIL", "the e-mail is larger than 1 MB") : 0;
}
