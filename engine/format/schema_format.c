/* schema_format.c -- `format` as draft 07 asserts it.
 *
 * Each format is a row: words for the analyst, a pattern after the grammar of its RFC, and a
 * function where a grammar does not suffice (days of a month, leap seconds). Separators and
 * offsets of times follow what validators accept in practice: T, t or a space; +01:00, +0100 or
 * +01.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "format/schema_parts.h"

#define HEX "[0-9A-Fa-f]"
#define PCT "%" HEX HEX
/* Every % must begin an escape; that said once, the rest are plain classes, which PCRE2 runs
 * through much faster than through alternatives. */
#define ESCAPES "(?![^%]*(?:" PCT "[^%]*)*%(?!" HEX HEX "))"
#define PCHAR   "[A-Za-z0-9\\-._~!$&'()*+,;=:@%]"
#define REST                                                                                       \
  "(?:\\?[A-Za-z0-9\\-._~!$&'()*+,;=:@%\\/?]*)?(?:#[A-Za-z0-9\\-._~!$&'()*+,;=:@%\\/?]*)?$"
#define USER "(?:[A-Za-z0-9\\-._~!$&'()*+,;=:%]*@)?"
#define HOST                                                                                       \
  "(?:\\[" HEX "*:[0-9A-Fa-f:.]+\\]|\\[v[0-9A-Fa-f]+\\.[^\\]\\s]+\\]|"                             \
  "[A-Za-z0-9\\-._~!$&'()*+,;=%]*)"
#define NETPATH "\\/\\/" USER HOST "(?::\\d*)?(?:\\/" PCHAR "*)*"
#define ROOTED  "\\/(?:" PCHAR "+(?:\\/" PCHAR "*)*)?"
#define SCHEME  "[A-Za-z][A-Za-z0-9+\\-.]*:"
#define URI     SCHEME "(?:" NETPATH "|" ROOTED "|" PCHAR "+(?:\\/" PCHAR "*)*|)" REST
#define SEGMENT "[A-Za-z0-9\\-._~!$&'()*+,;=@%]" /* no colon: not taken for a scheme */
#define URI_REF                                                                                    \
  "^" ESCAPES "(?:" URI "|(?:" NETPATH "|" ROOTED "|" SEGMENT "+(?:\\/" PCHAR "*)*|)" REST ")"
#define VARNAME "(?:\\w|" PCT ")+(?:\\.(?:\\w|" PCT ")+)*(?::[1-9]\\d{0,3}|\\*)?"
#define LITERAL "[^\\x00-\\x20\"'<>\\\\^`{|}]*"
#define LABEL   "[A-Za-z0-9](?:[A-Za-z0-9\\-]{0,61}[A-Za-z0-9])?"
#define ATOM    "[A-Za-z0-9!#$%&'*+\\/=?^_`{|}~\\-]+"
#define POINTER "(?:\\/(?:[^~\\/]|~0|~1)*)*$"

typedef bool fits(const char *text, size_t size);
struct format_check {
  const char *name, *words, *pattern;
  fits *fits;
};

static int digits(const char *at, int count) {
  int n = 0;
  for (int i = 0; i < count; i++) {
    if (at[i] < '0' || at[i] > '9') return -1;
    n = n * 10 + (at[i] - '0');
  }
  return n;
}

static bool is_date(const char *text, size_t size) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (size != 10 || text[4] != '-' || text[7] != '-') return false;
  int year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1) return false;
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return day <= days[month - 1] + (month == 2 && leap);
}

/* Z, or an offset in minutes. False: neither. */
static bool read_offset(const char *at, size_t size, int *minutes) {
  *minutes = 0;
  if (size == 1 && (*at == 'Z' || *at == 'z')) return true;
  if (size != 3 && size != 5 && size != 6) return false;
  if ((*at != '+' && *at != '-') || (size == 6 && at[3] != ':')) return false;
  int hours = digits(at + 1, 2), rest = size == 3 ? 0 : digits(at + size - 2, 2);
  if (hours < 0 || hours > 23 || rest < 0 || rest > 59) return false;
  *minutes = (hours * 60 + rest) * (*at == '-' ? -1 : 1);
  return true;
}

/* Second 60 only where a leap second can be: 23:59:60 in UTC. */
static bool is_clock(const char *text, size_t size, bool zone) {
  int offset = 0;
  if (size < 8 || text[2] != ':' || text[5] != ':') return false;
  int hour = digits(text, 2), minute = digits(text + 3, 2), second = digits(text + 6, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return false;
  size_t at = 8;
  if (at < size && text[at] == '.') {
    size_t fraction = ++at;
    while (at < size && text[at] >= '0' && text[at] <= '9') at++;
    if (at == fraction) return false;
  }
  bool given = at < size;
  if (given ? !read_offset(text + at, size - at, &offset) : zone) return false;
  return second < 60 || (hour * 60 + minute - offset + 2880) % 1440 == 1439;
}

static bool is_time(const char *text, size_t size) { return is_clock(text, size, true); }

static bool is_local_time(const char *text, size_t size) { return is_clock(text, size, false); }

static bool has_separator(const char *text, size_t size) {
  return size > 11 && (text[10] == 'T' || text[10] == 't' || text[10] == ' ');
}

static bool is_date_time(const char *text, size_t size) {
  return has_separator(text, size) && is_date(text, 10) && is_time(text + 11, size - 11);
}

static bool is_local_date_time(const char *text, size_t size) {
  return has_separator(text, size) && is_date(text, 10) && is_local_time(text + 11, size - 11);
}

static bool is_ipv4(const char *text, size_t size) {
  int parts = 0;
  for (size_t at = 0; parts < 4; at++, parts++) {
    int n = 0;
    size_t start = at;
    while (at < size && at - start < 3 && text[at] >= '0' && text[at] <= '9')
      n = n * 10 + (text[at++] - '0');
    if (at == start || n > 255 || (at - start > 1 && text[start] == '0')) return false;
    if (parts == 3) return at == size;
    if (at == size || text[at] != '.') return false;
  }
  return false;
}

static bool is_hex(char c) { return c && strchr("0123456789abcdefABCDEF", c); }

/* RFC 4291, section 2.2: eight groups, one run of them as ::, the last two perhaps as IPv4. */
static bool is_ipv6(const char *text, size_t size) {
  int groups = 0;
  bool gap = false;
  size_t at = 0;
  if (size >= 2 && memcmp(text, "::", 2) == 0) gap = true, at = 2;
  while (at < size) {
    size_t span = 0;
    while (at + span < size && is_hex(text[at + span])) span++;
    if (at + span < size && text[at + span] == '.')
      return is_ipv4(text + at, size - at) && (gap ? groups < 6 : groups == 6);
    if (span < 1 || span > 4) return false;
    groups++;
    at += span;
    if (at == size) break;
    if (text[at++] != ':' || at == size) return false;
    if (text[at] != ':') continue;
    if (gap) return false;
    gap = true;
    at++;
  }
  return gap ? groups < 8 : groups == 8;
}

static bool is_hostname(const char *text, size_t size) {
  (void)text;
  return size <= 253;
}

static bool is_regex(const char *text, size_t size) {
  regex *r = regex_compile(text, size, NULL);
  regex_free(r);
  return r != NULL;
}

static const format_check formats[] = {
    {"date-time", "a date and time with zone, such as 2024-01-31T12:00:00Z", NULL, is_date_time},
    {"date", "a date such as 2024-01-31", NULL, is_date},
    {"time", "a time with zone, such as 12:00:00Z", NULL, is_time},
    {"iso-time", "a time such as 12:00:00", NULL, is_local_time},
    {"iso-date-time", "a date and time such as 2024-01-31T12:00:00", NULL, is_local_date_time},
    {"duration", "a duration such as P1DT12H",
     "^P(?!$)(?:(?:\\d+Y)?(?:\\d+M)?(?:\\d+D)?(?:T(?=\\d)(?:\\d+H)?(?:\\d+M)?(?:\\d+S)?)?|\\d+W)$",
     NULL},
    {"email", "an e-mail address", "^" ATOM "(?:\\." ATOM ")*@(?:" LABEL "\\.)+" LABEL "$", NULL},
    {"hostname", "a host name", "^(?:" LABEL "\\.)*" LABEL "\\.?$", is_hostname},
    {"ipv4", "an IPv4 address such as 192.0.2.1", NULL, is_ipv4},
    {"ipv6", "an IPv6 address such as 2001:db8::1", NULL, is_ipv6},
    {"uri", "a URI such as https://example.com/a", "^" ESCAPES URI, NULL},
    {"url", "a URL such as https://example.com/a", "^" ESCAPES "(?:https?|ftp):" NETPATH REST,
     NULL},
    {"uri-reference", "a URI or a part of one", URI_REF, NULL},
    {"uri-template", "a URI template such as /users/{id}",
     "^" ESCAPES LITERAL "(?:\\{[+#.\\/;?&=,!@|]?" VARNAME "(?:," VARNAME ")*\\}" LITERAL ")*$",
     NULL},
    {"uuid", "a UUID", "^(?:urn:uuid:)?" HEX "{8}-" HEX "{4}-" HEX "{4}-" HEX "{4}-" HEX "{12}$",
     NULL},
    {"regex", "a regular expression", NULL, is_regex},
    {"json-pointer", "a JSON pointer such as /a/0", "^" POINTER, NULL},
    {"json-pointer-uri-fragment", "a JSON pointer such as #/a/0", "^#" POINTER, NULL},
    {"relative-json-pointer", "a relative JSON pointer such as 1/a",
     "^(?:0|[1-9]\\d*)(?:#|(?:\\/(?:[^~\\/]|~0|~1)*)*)$", NULL},
    {"password", "a text", NULL, NULL},
    {"binary", "a text", NULL, NULL},
};

const format_check *schema_format_find(const char *name) {
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (strcmp(formats[i].name, name) == 0) return &formats[i];
  return NULL;
}

const char *schema_format_pattern(const format_check *f) { return f->pattern; }

const char *schema_format_words(const format_check *f) { return f->words; }

bool schema_format_fits(const format_check *f, const regex *pattern, const char *text,
                        size_t size) {
  if (f->fits && !f->fits(text, size)) return false;
  return !pattern || regex_match(pattern, text, size, NULL) == 1;
}
