/* control_key.c -- the commands of API keys.
 *
 *   key_add    {key_name, scopes [..] or "read,write"} -> {name, scopes, key}   the key is shown this once
 *   key_list   {} -> {keys [{name, scopes, created}]}
 *   key_revoke {key_name} -> {}
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "flow/control/controls.h"
#include "flow/kernel/keys.h"
#include "flow/kernel/parts.h"

typedef struct adding {
  question *question;
  key_added key;
} adding;

static int add_work(store_conn *c, void *arg, dts_error *e) {
  return keys_add(c, &((adding *)arg)->key, e);
}

static void add_then(void *arg, int result, const dts_error *e) {
  adding *n = arg;
  question *q = n->question;
  arena *a = &q->memory;
  value v = value_map();
  value_set(a, &v, "name", value_text(n->key.name));
  value_set(a, &v, "scopes", key_scopes_list(n->key.scopes, a));
  value_set(a, &v, "key", value_text(arena_text(a, n->key.text)));
  free(n);
  if (result < 0)
    question_fail(q, e);
  else
    question_answer(q, v);
}

void control_key_add(kernel *k, question *q) {
  static const value none = {.kind = VALUE_NULL};
  dts_error e;
  unsigned scopes;
  const value *words = value_get(&q->command, "scopes");
  if (key_scopes_read(words ? words : &none, &scopes, &e) < 0) return question_fail(q, &e);
  adding *n = memory_alloc(sizeof *n);
  *n = (adding){q,
                {.name = value_get_text(&q->command, "key_name", ""),
                 .scopes = scopes,
                 .now = kernel_now(k)}};
  kernel_write(k, add_work, add_then, n);
}

/* ---- list ---- */

typedef struct listing {
  question *question;
  key_listed keys;
  int rc;
  dts_error error;
} listing;

static void list_read(void *arg) {
  listing *l = arg;
  l->rc = store_read(kernel_store(l->question->kernel), keys_list, &l->keys, &l->error);
}

static void list_then(void *arg) {
  listing *l = arg;
  question *q = l->question;
  value v = value_map();
  value_set(&q->memory, &v, "keys", l->keys.keys);
  if (l->rc < 0)
    question_fail(q, &l->error);
  else
    question_answer(q, v);
  free(l);
}

void control_key_list(kernel *k, question *q) {
  listing *l = memory_alloc(sizeof *l);
  *l = (listing){.question = q, .keys = {.memory = &q->memory, .keys = value_list()}};
  loop_defer(kernel_loop(k), list_read, list_then, l);
}

/* ---- revoke ---- */

typedef struct revoking {
  question *question;
  key_revoked key;
} revoking;

static int revoke_work(store_conn *c, void *arg, dts_error *e) {
  return keys_revoke(c, &((revoking *)arg)->key, e);
}

static void revoke_then(void *arg, int result, const dts_error *e) {
  revoking *n = arg;
  question *q = n->question;
  free(n);
  if (result < 0)
    question_fail(q, e);
  else
    question_answer(q, value_map());
}

void control_key_revoke(kernel *k, question *q) {
  revoking *n = memory_alloc(sizeof *n);
  *n = (revoking){q, {value_get_text(&q->command, "key_name", "")}};
  kernel_write(k, revoke_work, revoke_then, n);
}
