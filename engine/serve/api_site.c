/* api_site.c -- the project as a whole, and sessions.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "serve/access.h"

static value page_of(api_call *c, const value *d) {
  value page = value_map();
  const char *name = value_get_text(d, "name", "");
  value_set(c->memory, &page, "name", value_text(name));
  value_set(c->memory, &page, "title", value_text(value_get_text(d, "title", name)));
  value_set(c->memory, &page, "summary", value_text(value_get_text(d, "summary", "")));
  value_set(c->memory, &page, "public", value_boolean(value_get_boolean(d, "public", false)));
  return page;
}

static value pages(api_call *c) {
  value list = value_list();
  const value *all = &c->set->dashboards;
  for (size_t i = 0; i < all->list.count; i++) {
    const value *d = &all->list.items[i];
    bool seen = value_get_boolean(d, "public", false) || (c->who.scopes & KEY_READ);
    if (seen) value_add(c->memory, &list, page_of(c, d));
  }
  return list;
}

static value faults(api_call *c) {
  value list = value_list(), all = kernel_faults(c->kernel, c->memory);
  bool seen = c->who.scopes & KEY_READ;
  for (size_t i = 0; seen && i < all.list.count; i++) {
    value *f = &all.list.items[i];
    const value *since = value_get(f, "since_ms");
    value_set(c->memory, f, "since", call_stamp_or_null(c, since));
    value_add(c->memory, &list, *f);
  }
  return list;
}

static const char *project_name(const api_call *c) {
  const char *root = kernel_root(c->kernel), *slash = strrchr(root, '/');
  return value_get_text(kernel_config(c->kernel), "name", slash && slash[1] ? slash + 1 : root);
}

static int site(api_call *c, dts_error *e) {
  value v = value_map();
  (void)e;
  value_set(c->memory, &v, "name", value_text(project_name(c)));
  value_set(c->memory, &v, "version", value_text(DTS_VERSION));
  value_set(c->memory, &v, "timezone", value_text(c->set->timezone));
  value_set(c->memory, &v, "now", value_text(call_stamp(c, c->now)));
  value_set(c->memory, &v, "scopes", key_scopes_list(c->who.scopes, c->memory));
  value_set(c->memory, &v, "faults", faults(c));
  value_set(c->memory, &v, "pages", pages(c));
  http_reply_json(c->rp, &v);
  return 0;
}

static int session_begin(api_call *c, dts_error *e) {
  value body, none = value_map();
  if (http_json(c->rq, &body, e) < 0) return -1;
  const char *key = value_get_text(&body, "key", "");
  const char *text = access_begin(server_access(c->server), c->store, key, c->rq, c->memory, e);
  if (!text) return -1;
  http_set(c->rp, "Set-Cookie", text);
  http_reply_json(c->rp, &none);
  return 0;
}

static int session_end(api_call *c, dts_error *e) {
  (void)e;
  http_set(c->rp, "Set-Cookie", access_end(server_access(c->server), c->rq, c->memory));
  c->rp->status = 204;
  return 0;
}

const api_route api_site[] = {{"GET", "/api/v1/site", 0, site},
                              {"POST", "/api/v1/session", 0, session_begin},
                              {"DELETE", "/api/v1/session", 0, session_end},
                              {0}};
