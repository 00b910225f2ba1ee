/* api_keys.c -- keys: their names, a new one (its text is shown this once), taking one back.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/call.h"

static int list(api_call *c, dts_error *e) {
  key_listed l = {.memory = c->memory};
  if (store_read(c->store, keys_list, &l, e) < 0) return -1;
  http_reply_json(c->rp, &l.keys);
  return 0;
}

static int add(api_call *c, dts_error *e) {
  value body, v = value_map();
  key_added k = {.now = c->now};
  if (http_json(c->rq, &body, e) < 0) return -1;
  k.name = value_get_text(&body, "name", "");
  if (key_scopes_read(value_get(&body, "scopes"), &k.scopes, e) < 0) return -1;
  if (store_write(c->store, keys_add, &k, e) < 0) return -1;
  value_set(c->memory, &v, "name", value_text(k.name));
  value_set(c->memory, &v, "scopes", key_scopes_list(k.scopes, c->memory));
  value_set(c->memory, &v, "key", value_text(k.text));
  c->rp->status = 201;
  http_reply_json(c->rp, &v);
  return 0;
}

static int revoke(api_call *c, dts_error *e) {
  key_revoked k = {c->args[0]};
  if (store_write(c->store, keys_revoke, &k, e) < 0) return -1;
  c->rp->status = 204;
  return 0;
}

const api_route api_keys[] = {{"GET", "/api/v1/keys", KEY_ADMIN, list},
                              {"POST", "/api/v1/keys", KEY_ADMIN, add},
                              {"DELETE", "/api/v1/keys/{name}", KEY_ADMIN, revoke},
                              {0}};
