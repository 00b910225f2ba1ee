/* api_routes.c -- the project's routes as a list, and as OpenAPI 3.1.
 *
 * SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "serve/call.h"

static bool is_seen(const api_call *c, const route *r) {
  return r->is_public || (c->who.scopes & KEY_READ);
}

static value param_of(api_call *c, const value *p) {
  static const char *const fields[] = {"name", "type", "required", "default", "choices", "doc"};
  value v = value_map();
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    const value *item = value_get(p, fields[i]);
    if (item) value_set(c->memory, &v, fields[i], *item);
  }
  if (!value_get(&v, "required")) value_set(c->memory, &v, "required", value_boolean(false));
  return v;
}

static int routes(api_call *c, dts_error *e) {
  value list = value_list();
  (void)e;
  for (size_t i = 0; i < c->set->route_count; i++) {
    const route *r = &c->set->routes[i];
    const value *params = value_get(r->declared, "params");
    value v = value_map(), all = value_list();
    if (!is_seen(c, r)) continue;
    for (size_t k = 0; params && k < params->list.count; k++)
      value_add(c->memory, &all, param_of(c, &params->list.items[k]));
    value_set(c->memory, &v, "method", value_text(r->method));
    value_set(c->memory, &v, "path", value_text(r->path));
    value_set(c->memory, &v, "summary", value_text(value_get_text(r->declared, "summary", NULL)));
    value_set(c->memory, &v, "public", value_boolean(r->is_public));
    value_set(c->memory, &v, "params", all);
    value_add(c->memory, &list, v);
  }
  http_reply_json(c->rp, &list);
  return 0;
}

/* ---- OpenAPI ---- */

static value schema_of(api_call *c, const value *p) {
  value v = value_map();
  const char *type = value_get_text(p, "type", "text");
  bool plain = strcmp(type, "integer") == 0 || strcmp(type, "boolean") == 0;
  value_set(c->memory, &v, "type",
            value_text(plain                       ? type
                       : strcmp(type, "real") == 0 ? "number"
                                                   : "string"));
  if (strcmp(type, "date") == 0) value_set(c->memory, &v, "format", value_text("date"));
  if (strcmp(type, "timestamp") == 0) value_set(c->memory, &v, "format", value_text("date-time"));
  if (value_get(p, "choices")) value_set(c->memory, &v, "enum", *value_get(p, "choices"));
  if (value_get(p, "default")) value_set(c->memory, &v, "default", *value_get(p, "default"));
  return v;
}

static value openapi_param(api_call *c, const route *r, const value *p) {
  value v = value_map();
  const char *name = value_get_text(p, "name", ""), *doc = value_get_text(p, "doc", NULL);
  bool in_path = strstr(r->path, arena_format(c->memory, "{%s}", name)) ||
                 strstr(r->path, arena_format(c->memory, "{%s...}", name));
  value_set(c->memory, &v, "name", value_text(name));
  value_set(c->memory, &v, "in", value_text(in_path ? "path" : "query"));
  value_set(c->memory, &v, "required",
            value_boolean(in_path || value_get_boolean(p, "required", false)));
  if (doc) value_set(c->memory, &v, "description", value_text(doc));
  value_set(c->memory, &v, "schema", schema_of(c, p));
  return v;
}

static value map1(arena *a, const char *key, value item) {
  value v = value_map();
  value_set(a, &v, key, item);
  return v;
}

static value responses(api_call *c, const route *r) {
  arena *a = c->memory;
  value v = value_map(),
        fine = map1(a, "description", value_text("The rows, or what the handler answers"));
  value_set(a, &v, "200", fine);
  value_set(a, &v, "422",
            map1(a, "description", value_text("A parameter is wrong: which, and why")));
  if (!r->is_public)
    value_set(a, &v, "401", map1(a, "description", value_text("A key with scope read is needed")));
  return v;
}

static value operation(api_call *c, const route *r) {
  arena *a = c->memory;
  value v = value_map(), params = value_list(), security = value_list(), none = value_list();
  const value *declared = value_get(r->declared, "params");
  for (size_t i = 0; declared && i < declared->list.count; i++)
    value_add(a, &params, openapi_param(c, r, &declared->list.items[i]));
  value_add(a, &security, map1(a, "key", none));
  value_set(a, &v, "operationId", value_text(r->name));
  value_set(a, &v, "summary", value_text(value_get_text(r->declared, "summary", r->name)));
  value_set(a, &v, "parameters", params);
  value_set(a, &v, "security", r->is_public ? none : security);
  value_set(a, &v, "responses", responses(c, r));
  return v;
}

/* {path...} is the rest of the address, which OpenAPI can only say as a plain parameter. */
static const char *openapi_path(api_call *c, const char *path) {
  char *out = arena_text(c->memory, path), *dots = strstr(out, "...}");
  if (dots) memmove(dots, dots + 3, strlen(dots + 3) + 1);
  return out;
}

static value *path_item(api_call *c, value *paths, const char *path) {
  for (size_t i = 0; i < paths->map.count; i++)
    if (value_is(&paths->map.pairs[i].key, path)) return &paths->map.pairs[i].item;
  value_set(c->memory, paths, path, value_map());
  return &paths->map.pairs[paths->map.count - 1].item;
}

static value paths_of(api_call *c) {
  value paths = value_map();
  for (size_t i = 0; i < c->set->route_count; i++) {
    const route *r = &c->set->routes[i];
    if (!is_seen(c, r)) continue;
    char *method = arena_text(c->memory, r->method);
    for (char *p = method; *p; p++) *p = (char)tolower((unsigned char)*p);
    value_set(c->memory, path_item(c, &paths, openapi_path(c, r->path)), method, operation(c, r));
  }
  return paths;
}

static int openapi(api_call *c, dts_error *e) {
  arena *a = c->memory;
  value v = value_map(), info = value_map(), scheme = value_map();
  (void)e;
  value_set(a, &info, "title", value_text(value_get_text(kernel_config(c->kernel), "name", "dts")));
  value_set(a, &info, "version", value_text(DTS_VERSION));
  value_set(a, &scheme, "type", value_text("http"));
  value_set(a, &scheme, "scheme", value_text("bearer"));
  value_set(a, &v, "openapi", value_text("3.1.0"));
  value_set(a, &v, "info", info);
  value_set(a, &v, "paths", paths_of(c));
  value_set(a, &v, "components", map1(a, "securitySchemes", map1(a, "key", scheme)));
  http_reply_json(c->rp, &v);
  return 0;
}

const api_route api_routes[] = {
    {"GET", "/api/v1/routes", 0, routes}, {"GET", "/api/v1/openapi.json", 0, openapi}, {0}};
