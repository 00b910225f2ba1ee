/* texts.c -- SQLite's functions of texts, held to a time that grows with what they are given: instr
 * replace trim ltrim rtrim printf format.
 *
 * A query is stopped between two steps, never inside of a function, and SQLite's own take hours for
 * instr of two long texts and for printf('%.2000000000c', 'x'). Here a search takes one pass, and
 * widths and sets of characters have a limit; printf itself is left to SQLite's, on an empty
 * connection that is opened when first asked for. Results are the same as SQLite's.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/conn.h"

enum { MOST_WIDTH = 10 * 1000 * 1000, MOST_SET = 1000, MOST_ARGUMENTS = 32 };

static const char *text_of(sqlite3_value *v, size_t *size) {
  const char *text = (const char *)sqlite3_value_text(v);
  *size = text ? (size_t)sqlite3_value_bytes(v) : 0;
  return text ? text : "";
}

static int64_t count_characters(const char *text, size_t size) {
  int64_t n = 0;
  for (size_t i = 0; i < size; i++) n += (text[i] & 0xc0) != 0x80;
  return n;
}

/* ── instr and replace ── */

static void instr(sqlite3_context *x, int count, sqlite3_value **values) {
  size_t size, wanted;
  if (functions_any_null(count, values)) return;
  bool bytes =
      sqlite3_value_type(values[0]) == SQLITE_BLOB && sqlite3_value_type(values[1]) == SQLITE_BLOB;
  const char *text = bytes ? sqlite3_value_blob(values[0]) : text_of(values[0], &size);
  const char *word = bytes ? sqlite3_value_blob(values[1]) : text_of(values[1], &wanted);
  if (bytes) size = (size_t)sqlite3_value_bytes(values[0]);
  if (bytes) wanted = (size_t)sqlite3_value_bytes(values[1]);
  const char *at = !wanted ? text : size ? memmem(text, size, word, wanted) : NULL;
  if (!wanted) return sqlite3_result_int(x, 1);
  if (!at) return sqlite3_result_int(x, 0);
  size_t before = (size_t)(at - text);
  sqlite3_result_int64(x, 1 + (bytes ? (int64_t)before : count_characters(text, before)));
}

static void replace(sqlite3_context *x, int count, sqlite3_value **values) {
  size_t size, old_size, new_size;
  if (functions_any_null(count, values)) return;
  const char *text = text_of(values[0], &size), *old = text_of(values[1], &old_size);
  const char *with = text_of(values[2], &new_size), *end = text + size;
  if (!old_size) return sqlite3_result_value(x, values[0]);
  size_t most = (size_t)sqlite3_limit(sqlite3_context_db_handle(x), SQLITE_LIMIT_LENGTH, -1);
  buffer b;
  buffer_init(&b, most);
  for (const char *at; (at = memmem(text, (size_t)(end - text), old, old_size)) != NULL;
       text = at + old_size) {
    buffer_add(&b, text, (size_t)(at - text));
    buffer_add(&b, with, new_size);
  }
  buffer_add(&b, text, (size_t)(end - text));
  if (b.failed)
    sqlite3_result_error_toobig(x);
  else
    sqlite3_result_text64(x, buffer_text(&b), b.size, SQLITE_TRANSIENT, SQLITE_UTF8);
  buffer_free(&b);
}

/* ── trim ── */

static size_t character_size(const char *at, const char *end) {
  size_t n = 1;
  while (at + n < end && (at[n] & 0xc0) == 0x80) n++;
  return n;
}

static bool is_one_of(const char *at, size_t size, const char *set, const char *end) {
  for (size_t n; set < end; set += n) {
    n = character_size(set, end);
    if (n == size && memcmp(set, at, n) == 0) return true;
  }
  return false;
}

static const char *last_character(const char *from, const char *end) {
  const char *at = end - 1;
  while (at > from && (*at & 0xc0) == 0x80) at--;
  return at;
}

static void trim(sqlite3_context *x, int count, sqlite3_value **values) {
  const char *sides = sqlite3_user_data(x), *set = " ";
  size_t size, set_size = 1;
  if (functions_any_null(count, values)) return;
  const char *from = text_of(values[0], &size), *end = from + size;
  if (count > 1) set = text_of(values[1], &set_size);
  if (set_size > MOST_SET)
    return sqlite3_result_error(x, "trim: at most 1000 bytes of characters to take away", -1);
  for (size_t n; strchr(sides, 'l') && from < end; from += n) {
    n = character_size(from, end);
    if (!is_one_of(from, n, set, set + set_size)) break;
  }
  while (strchr(sides, 'r') && from < end) {
    const char *last = last_character(from, end);
    if (!is_one_of(last, (size_t)(end - last), set, set + set_size)) break;
    end = last;
  }
  sqlite3_result_text64(x, from, (uint64_t)(end - from), SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* ── printf ── */

struct printer {
  sqlite3 *db;
  sqlite3_stmt *statements[MOST_ARGUMENTS + 1]; /* by the number of arguments */
};

/* A width or a precision, which may be an argument. */
static int64_t read_width(const char **at, int *argument, int count, sqlite3_value **values) {
  int64_t n = 0;
  if (**at == '*') {
    int64_t given = *argument < count ? sqlite3_value_int64(values[(*argument)++]) : 0;
    return ++*at, given > MOST_WIDTH || given < -MOST_WIDTH ? MOST_WIDTH + 1 : llabs(given);
  }
  for (; **at >= '0' && **at <= '9'; ++*at)
    if (n <= MOST_WIDTH) n = n * 10 + (**at - '0');
  return n;
}

/* The sum of all widths that a format asks for: flags, width, precision, length, conversion. */
static int64_t widths(int count, sqlite3_value **values) {
  int argument = 1;
  int64_t sum = 0;
  size_t ignored;
  for (const char *at = text_of(values[0], &ignored); (at = strchr(at, '%')) != NULL;) {
    at += 1 + strspn(at + 1, "-+ #!0,");
    sum += read_width(&at, &argument, count, values);
    if (*at == '.') at++, sum += read_width(&at, &argument, count, values);
    at += strspn(at, "l");
    if (sum > MOST_WIDTH || !*at) break;
    argument += *at != '%' && *at != 'n';
    at++;
  }
  return sum;
}

static sqlite3_stmt *statement_for(printer *p, int count) {
  char sql[16 + 2 * MOST_ARGUMENTS] = "select printf(?";
  if (count < 1 || count > MOST_ARGUMENTS) return NULL;
  if (!p->db)
    sqlite3_open_v2(":memory:", &p->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (p->statements[count]) return p->statements[count];
  for (int i = 1; i < count; i++) strcat(sql, ",?");
  sqlite3_prepare_v3(p->db, strcat(sql, ")"), -1, SQLITE_PREPARE_PERSISTENT, &p->statements[count],
                     NULL);
  return p->statements[count];
}

static void print(sqlite3_context *x, int count, sqlite3_value **values) {
  printer *p = sqlite3_user_data(x);
  if (count && sqlite3_value_type(values[0]) == SQLITE_NULL) return;
  if (count && widths(count, values) > MOST_WIDTH)
    return sqlite3_result_error(x, "printf: widths of at most 10000000 characters expected", -1);
  sqlite3_stmt *s = statement_for(p, count);
  if (!s) return sqlite3_result_error(x, "printf: a format and at most 31 values expected", -1);
  for (int i = 0; i < count; i++) sqlite3_bind_value(s, i + 1, values[i]);
  if (sqlite3_step(s) == SQLITE_ROW)
    sqlite3_result_value(x, sqlite3_column_value(s, 0));
  else
    sqlite3_result_error(x, sqlite3_errmsg(p->db), -1);
  sqlite3_reset(s);
  sqlite3_clear_bindings(s);
}

int texts_register(store_conn *c) {
  static const struct {
    const char *name;
    int count;
    void (*call)(sqlite3_context *, int, sqlite3_value **);
    const char *sides;
  } all[] = {{"instr", 2, instr, ""},    {"replace", 3, replace, ""}, {"trim", 1, trim, "lr"},
             {"trim", 2, trim, "lr"},    {"ltrim", 1, trim, "l"},     {"ltrim", 2, trim, "l"},
             {"rtrim", 1, trim, "r"},    {"rtrim", 2, trim, "r"},     {"printf", -1, print, NULL},
             {"format", -1, print, NULL}};
  int rc = SQLITE_OK, flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  printer *p = c->printer = memory_alloc(sizeof *p);
  for (size_t i = 0; !rc && i < sizeof all / sizeof *all; i++)
    rc = sqlite3_create_function(c->db, all[i].name, all[i].count, flags,
                                 all[i].sides ? (void *)(uintptr_t)all[i].sides : p, all[i].call,
                                 NULL, NULL);
  return rc;
}

void texts_close(printer *p) {
  if (!p) return;
  for (int n = 0; n <= MOST_ARGUMENTS; n++) sqlite3_finalize(p->statements[n]);
  sqlite3_close(p->db);
  free(p);
}
