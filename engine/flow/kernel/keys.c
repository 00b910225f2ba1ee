/* keys.c -- see keys.h. A key is looked up by its hash, so what is compared is no secret.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel/keys.h"

#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "crypto/crypto.h"
#include "format/date.h"

static const struct {
  const char *word;
  unsigned bit;
} scopes_known[] = {{"read", KEY_READ}, {"write", KEY_WRITE}, {"admin", KEY_ADMIN}};

enum { SCOPES = sizeof scopes_known / sizeof *scopes_known };

void key_make(char text[KEY_TEXT]) {
  unsigned char bytes[32];
  buffer b;
  random_bytes(bytes, sizeof bytes);
  buffer_init(&b, KEY_TEXT);
  crypto_base64url(&b, bytes, sizeof bytes);
  snprintf(text, KEY_TEXT, "dts_%s", buffer_text(&b));
  buffer_free(&b);
}

void key_hash(const char *text, char hash[KEY_HASH]) {
  crypto_sha256_hex(text, strlen(text), hash);
}

/* ---- scopes ---- */

static int add_scope(const char *word, size_t size, unsigned *scopes, dts_error *e) {
  for (size_t i = 0; i < SCOPES; i++)
    if (strlen(scopes_known[i].word) == size && memcmp(word, scopes_known[i].word, size) == 0)
      return *scopes |= scopes_known[i].bit, 0;
  error_fail(e, "SCOPE", "there is no scope '%.*s'", (int)(size < 40 ? size : 40), word);
  return error_hint(e, "scopes are read, write and admin");
}

static int read_words(const char *text, size_t size, unsigned *scopes, dts_error *e) {
  const char *end = text + size;
  while (text < end) {
    size_t n = 0;
    while (text + n < end && text[n] != ',' && text[n] != ' ') n++;
    if (n && add_scope(text, n, scopes, e) < 0) return -1;
    text += n + (text + n < end);
  }
  return 0;
}

int key_scopes_read(const value *words, unsigned *scopes, dts_error *e) {
  *scopes = 0;
  if (words && words->kind == VALUE_TEXT) {
    if (read_words(words->text.bytes, words->text.size, scopes, e) < 0) return -1;
  } else if (words && words->kind == VALUE_LIST) {
    for (size_t i = 0; i < words->list.count; i++) {
      const value *w = &words->list.items[i];
      bool is_text = w->kind == VALUE_TEXT;
      if (add_scope(is_text ? w->text.bytes : "?", is_text ? w->text.size : 1, scopes, e) < 0)
        return -1;
    }
  }
  if (*scopes) return 0;
  error_fail(e, "SCOPE", "a key needs at least one scope");
  return error_hint(e, "scopes are read, write and admin");
}

value key_scopes_list(unsigned scopes, arena *a) {
  value list = value_list();
  for (size_t i = 0; i < SCOPES; i++)
    if (scopes & scopes_known[i].bit) value_add(a, &list, value_text(scopes_known[i].word));
  return list;
}

static value scopes_text(unsigned scopes, arena *a) {
  char *text = arena_alloc(a, 32);
  for (size_t i = 0; i < SCOPES; i++)
    if (scopes & scopes_known[i].bit) {
      if (*text) strcat(text, ",");
      strcat(text, scopes_known[i].word);
    }
  return value_text(text);
}

/* ---- rows ---- */

static int check_name(const char *name, dts_error *e) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  size_t size = name ? strlen(name) : 0;
  if (size && size < KEY_NAME && strspn(name, letters) == size) return 0;
  error_fail(e, "KEY_NAME", "'%.70s' is no name for a key", name ? name : "");
  return error_hint(e, "use letters, digits, '.', '_' and '-', at most %d", KEY_NAME - 1);
}

int keys_add(store_conn *c, void *arg, dts_error *e) {
  key_added *k = arg;
  char hash[KEY_HASH];
  arena a = {0};
  if (check_name(k->name, e) < 0) return -1;
  key_make(k->text);
  key_hash(k->text, hash);
  value params[] = {value_text(k->name), value_text(hash), scopes_text(k->scopes, &a),
                    value_integer(k->now)};
  int rc = store_exec(c,
                      "insert into dts_key (name, hash, scopes, created) values (?1, ?2, ?3, ?4) "
                      "on conflict do nothing",
                      params, 4, e);
  arena_free(&a);
  if (rc < 0 || store_changes(c)) return rc;
  error_fail(e, "CONFLICT", "there is a key named '%s' already", k->name);
  return error_hint(e, "revoke it first, or choose another name");
}

static int add_row(void *arg, const store_header *header, const value *row, dts_error *e) {
  key_listed *l = arg;
  value key = value_map(), words = row[1];
  unsigned scopes = 0;
  (void)header;
  if (key_scopes_read(&words, &scopes, e) < 0) return -1;
  value_set(l->memory, &key, "name", value_copy(l->memory, &row[0]));
  value_set(l->memory, &key, "scopes", key_scopes_list(scopes, l->memory));
  value_set(l->memory, &key, "created", timestamp_value(l->memory, row[2].integer));
  value_set(l->memory, &key, "used",
            row[3].kind == VALUE_INTEGER ? timestamp_value(l->memory, row[3].integer)
                                         : value_null());
  value_add(l->memory, &l->keys, key);
  return 0;
}

int keys_list(store_conn *c, void *arg, dts_error *e) {
  key_listed *l = arg;
  l->keys = value_list();
  return store_select(c,
                      "select name, scopes, created, used from dts_key left join dts_key_use using "
                      "(name) order by name",
                      NULL, 0, add_row, l, e);
}

int keys_revoke(store_conn *c, void *arg, dts_error *e) {
  const key_revoked *k = arg;
  value name = value_text(k->name);
  if (store_exec(c, "delete from dts_key where name = ?1", &name, 1, e) < 0) return -1;
  if (store_changes(c))
    return store_exec(c, "delete from dts_key_use where name = ?1", &name, 1, e);
  error_fail(e, "KEY", "there is no key named '%.70s'", k->name);
  return error_hint(e, "`dts key list` names them");
}

int keys_use(store_conn *c, void *arg, dts_error *e) {
  const key_used *k = arg;
  value params[] = {value_text(k->name), value_integer(k->now)};
  return store_exec(c,
                    "insert into dts_key_use (name, used) select name, ?2 from dts_key where name "
                    "= ?1 on conflict (name) do update set used = excluded.used",
                    params, 2, e);
}

static int found_row(void *arg, const store_header *header, const value *row, dts_error *e) {
  key_found *k = arg;
  (void)header;
  value words = row[1];
  if (key_scopes_read(&words, &k->scopes, e) < 0) return -1;
  snprintf(k->name, sizeof k->name, "%.*s", (int)row[0].text.size, row[0].text.bytes);
  k->used = row[2].kind == VALUE_INTEGER ? row[2].integer : 0;
  k->found = true;
  return 0;
}

int keys_find(store_conn *c, void *arg, dts_error *e) {
  key_found *k = arg;
  value hash = value_text(k->hash);
  k->found = false;
  return store_select(c,
                      "select name, scopes, used from dts_key left join dts_key_use using (name) "
                      "where hash = ?1",
                      &hash, 1, found_row, k, e);
}
