/* schema_set.c -- documents, their identifiers, and references to them.
 *
 * Identifiers count only where a schema stands: the walk follows the keywords that hold schemas and
 * looks into nothing else, so that an $id inside an enum or an unknown keyword names nothing.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "format/json.h"
#include "format/schema_parts.h"

const value *schema_get(const value *map, const char *key) {
  if (!map || map->kind != VALUE_MAP) return NULL;
  for (size_t i = map->map.count; i-- > 0;)
    if (value_is(&map->map.pairs[i].key, key)) return &map->map.pairs[i].item;
  return NULL;
}

static const char *get_text(const value *map, const char *key) {
  const value *v = schema_get(map, key);
  return v && v->kind == VALUE_TEXT ? v->text.bytes : NULL;
}

schema_set *schema_set_open(void) { return memory_alloc(sizeof(schema_set)); }

void schema_set_close(schema_set *set) {
  if (!set) return;
  arena_free(&set->memory);
  free(set);
}

static const named *find(const schema_set *set, const char *uri, const char *anchor) {
  for (const named *n = set->names; n; n = n->next) {
    bool same = !n->anchor == !anchor && (!anchor || strcmp(n->anchor, anchor) == 0);
    if (same && strcmp(n->uri, uri) == 0) return n;
  }
  return NULL;
}

resource *schema_find_root(const schema_set *set, const value *root) {
  for (resource *r = set->resources; r; r = r->next)
    if (r->root == root) return r;
  return NULL;
}

static int add_name(schema_set *set, named name, dts_error *e) {
  const named *known = find(set, name.uri, name.anchor);
  if (known && known->at == name.at && known->dynamic == name.dynamic) return 0;
  if (known && known->at != name.at)
    return error_fail(e, "SCHEMA", "two schemas are called %s%s%s", name.uri,
                      name.anchor ? "#" : "", name.anchor ? name.anchor : "");
  named *kept = arena_alloc(&set->memory, sizeof name);
  *kept = name;
  kept->next = set->names;
  set->names = kept;
  return 0;
}

static resource *add_resource(schema_set *set, const char *base, const value *root,
                              const char *otherwise) {
  resource *r = arena_alloc(&set->memory, sizeof *r);
  const char *dialect = get_text(root, "$schema");
  *r = (resource){base, root, dialect ? dialect : otherwise, set->resources};
  set->resources = r;
  return r;
}

static bool is_draft7(const resource *r) { return r->dialect && strstr(r->dialect, "draft-07"); }

/* The schema's own $id starts a resource; draft 07 has anchors there too, and ignores what stands
 * beside a $ref. */
static int scan_id(schema_set *set, const value *at, resource **where, dts_error *e) {
  const char *id = get_text(at, "$id");
  const char *dialect = get_text(at, "$schema");
  resource probe = {.dialect = dialect ? dialect : (*where)->dialect};
  bool draft7 = is_draft7(&probe);
  if (!id || (draft7 && schema_get(at, "$ref"))) return 0;
  char *fragment, *full = schema_uri_resolve(&set->memory, (*where)->base, id);
  char *base = schema_uri_cut(&set->memory, full, &fragment);
  if (fragment && *fragment && !draft7)
    return error_fail(e, "SCHEMA", "$id %s has a fragment: use $anchor for it", id);
  if (fragment && *fragment) return add_name(set, (named){base, fragment, at, *where, false, 0}, e);
  if ((*where)->root == at)
    (*where)->base = base;
  else
    *where = add_resource(set, base, at, (*where)->dialect);
  return add_name(set, (named){base, NULL, at, *where, false, 0}, e);
}

static int scan_anchors(schema_set *set, const value *at, resource *where, dts_error *e) {
  const char *anchor = get_text(at, "$anchor"), *bound = get_text(at, "$dynamicAnchor");
  if (is_draft7(where)) return 0;
  named name = {where->base, anchor, at, where, false, NULL};
  if (anchor && add_name(set, name, e) < 0) return -1;
  name.anchor = bound;
  name.dynamic = true;
  return bound ? add_name(set, name, e) : 0;
}

static int scan(schema_set *set, const value *at, resource *where, dts_error *e);

static int scan_items(schema_set *set, const value *v, resource *where, dts_error *e) {
  for (size_t i = 0; v->kind == VALUE_LIST && i < v->list.count; i++)
    if (scan(set, &v->list.items[i], where, e) < 0) return -1;
  for (size_t i = 0; v->kind == VALUE_MAP && i < v->map.count; i++)
    if (scan(set, &v->map.pairs[i].item, where, e) < 0) return -1;
  return 0;
}

static int scan(schema_set *set, const value *at, resource *where, dts_error *e) {
  if (at->kind != VALUE_MAP) return 0;
  if (scan_id(set, at, &where, e) < 0 || scan_anchors(set, at, where, e) < 0) return -1;
  for (size_t i = 0; i < at->map.count; i++) {
    const value_pair *pair = &at->map.pairs[i];
    holds h = schema_keyword_holds(pair->key.text.bytes, pair->key.text.size);
    bool list = h == HOLDS_LIST || (h == HOLDS_EITHER && pair->item.kind == VALUE_LIST);
    int status = 0;
    if (list || h == HOLDS_MAP)
      status = scan_items(set, &pair->item, where, e);
    else if (h != HOLDS_NONE)
      status = scan(set, &pair->item, where, e);
    if (status < 0) return -1;
  }
  return 0;
}

static int add_owned(schema_set *set, const char *uri, const value *root, dts_error *e) {
  char *fragment, *base = schema_uri_cut(&set->memory, uri, &fragment);
  resource *where = add_resource(set, base, root, NULL);
  if (*base && add_name(set, (named){base, NULL, root, where, false, NULL}, e) < 0) return -1;
  return scan(set, root, where, e);
}

int schema_add(schema_set *set, const char *uri, const value *document, dts_error *e) {
  char shown[80];
  if (document->kind != VALUE_MAP && document->kind != VALUE_BOOLEAN)
    return error_fail(e, "SCHEMA", "a schema is a map, true or false, not %s",
                      json_shorten(shown, sizeof shown, document));
  if (!uri && !get_text(document, "$id"))
    return error_fail(e, "SCHEMA", "a schema needs a name: an $id, or the name of its file");
  value *root = arena_alloc(&set->memory, sizeof *root);
  *root = value_copy(&set->memory, document);
  resource *resources = set->resources;
  named *names = set->names;
  if (add_owned(set, uri ? uri : "", root, e) == 0) return 0;
  set->resources = resources; /* what the refused document had added is forgotten */
  set->names = names;
  return -1;
}

/* The meta-schemas are there when somebody refers to them. */
const named *schema_find_name(schema_set *set, const char *uri, const char *anchor) {
  const named *found = find(set, uri, anchor);
  const char *text = found || find(set, uri, NULL) ? NULL : schema_meta_text(uri);
  value document;
  if (!text) return found;
  if (json_read(&set->memory, text, strlen(text), &document, NULL) < 0) return NULL;
  if (schema_add(set, uri, &document, NULL) < 0) return NULL;
  return find(set, uri, anchor);
}

/* One step of a JSON pointer (RFC 6901); `token` is undone in place. */
static const value *step(const value *at, char *token) {
  char *to = token;
  for (const char *from = token; *from; from++) {
    bool escape = *from == '~' && (from[1] == '0' || from[1] == '1');
    *to++ = !escape ? *from : from[1] == '0' ? '~' : '/';
    if (escape) from++;
  }
  *to = '\0';
  if (at->kind == VALUE_MAP) return schema_get(at, token);
  bool number = *token && strspn(token, "0123456789") == strlen(token) && strlen(token) < 10;
  size_t index = number ? (size_t)atol(token) : 0;
  if (at->kind != VALUE_LIST || !number || index >= at->list.count) return NULL;
  return &at->list.items[index];
}

static const value *follow(schema_set *set, const named *from, char *pointer, resource **where) {
  const value *at = from->at;
  for (char *token = pointer; token && at;) {
    char *next = strchr(++token, '/');
    if (next) *next = '\0';
    at = step(at, token);
    resource *inner = at ? schema_find_root(set, at) : NULL;
    if (inner) *where = inner;
    token = next;
  }
  return at;
}

int schema_resolve(schema_set *set, const char *base, const char *reference, const value **at,
                   resource **where, dts_error *e) {
  char *fragment, *full = schema_uri_resolve(&set->memory, base, reference);
  char *uri = schema_uri_cut(&set->memory, full, &fragment);
  bool anchor = fragment && *fragment && *fragment != '/';
  const named *found = schema_find_name(set, uri, anchor ? fragment : NULL);
  if (!found && !find(set, uri, NULL)) {
    error_fail(e, "SCHEMA", "there is no schema %s", uri);
    return error_hint(e, "referred to as %s: add the document first", reference);
  }
  *where = found ? found->where : NULL;
  *at = found ? found->at : NULL;
  if (found && fragment && *fragment == '/') *at = follow(set, found, fragment, where);
  if (*at) return 0;
  return error_fail(e, "SCHEMA", "schema %s has nothing at %s", uri, strchr(full, '#'));
}
