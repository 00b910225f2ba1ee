/* value.h -- a tree of plain data: what JSON, the wire and the store have in common.
 *
 * A value borrows: its text, items and pairs live in the arena (or the bytes) that it was made from,
 * and nothing in it is freed alone. Null means "absent"; text is counted, need not end with a NUL
 * unless it was made by a function of this header, and is UTF-8 wherever it came from outside.
 * Maps keep their order; of two pairs with one key the later wins (value_get looks from the end).
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FORMAT_VALUE_H
#define DTS_FORMAT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef enum value_kind {
  VALUE_NULL,
  VALUE_BOOLEAN,
  VALUE_INTEGER,
  VALUE_REAL,
  VALUE_TEXT,
  VALUE_LIST,
  VALUE_MAP
} value_kind;

typedef struct value value;
typedef struct value_pair value_pair;

struct value {
  value_kind kind;
  union {
    bool boolean;
    int64_t integer;
    double real;
    struct {
      const char *bytes;
      size_t size;
    } text;
    struct {
      value *items;
      size_t count;
    } list;
    struct {
      value_pair *pairs;
      size_t count;
    } map;
  };
};

struct value_pair {
  value key; /* always text */
  value item;
};

/* Making. Text is borrowed by value_text and value_bytes, copied by value_copy. */
value value_null(void);
value value_boolean(bool b);
value value_integer(int64_t n);
value value_real(double x);
value value_text(const char *text); /* NULL gives null */
value value_bytes(const char *bytes, size_t size);
value value_copy(arena *a, const value *v); /* deep */

/* Growing a list or a map in an arena; start from value_list() or value_map(). */
value value_list(void);
value value_map(void);
void value_add(arena *a, value *list, value item);
/* Puts a pair, or gives the one with that key another item. The key is borrowed. For maps of a few dozen pairs:
 * it looks at each. */
void value_set(arena *a, value *map, const char *key, value item);

/* Reading. A missing key, or a value of another kind, gives the default. */
const value *value_get(const value *map, const char *key); /* NULL when absent or null */
/* The text needs its NUL. */
const char *value_get_text(const value *map, const char *key, const char *otherwise);
int64_t value_get_integer(const value *map, const char *key, int64_t otherwise);
const value *value_get_list(const value *map, const char *key); /* an empty one by default */
bool value_get_boolean(const value *map, const char *key, bool otherwise);
bool value_is(const value *v, const char *text);     /* a text equal to this one */
bool value_has(const value *list, const char *text); /* one of its items is; false of no list */
bool value_equal(const value *a, const value *b);    /* 1 equals 1.0; maps without order */
const char *value_kind_name(const value *v);         /* "null", "boolean", "integer" ... */

#endif
