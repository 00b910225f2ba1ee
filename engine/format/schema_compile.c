/* schema_compile.c -- from documents to nodes; the table of keywords.
 *
 * Nodes wait in a list until their keywords are made, so that references may go in circles and as
 * deep as they like. Keywords are made in the order of the table: what looks at the results of
 * others stands last. Words of other drafts that would assert something are refused by name; words
 * that nobody knows are annotations, as the specification has it.
 *
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "format/json.h"
#include "format/schema_parts.h"

enum { BOTH, OLD, NEW }; /* drafts */
enum { CORE, APPLICATOR, VALIDATION, UNEVALUATED, FORMAT };

typedef struct keyword {
  const char *name;
  unsigned char draft, vocabulary;
  holds holds;
  check_make *make;
  check_run *run;
  bool group; /* neighbours with the same run are one check, made by the first that is there */
} keyword;

static const keyword keywords[] = {
    {"$ref", BOTH, CORE, HOLDS_NONE, schema_make_ref, schema_run_ref, false},
    {"$dynamicRef", NEW, CORE, HOLDS_NONE, schema_make_dynamic_ref, schema_run_dynamic_ref, false},
    {"$defs", BOTH, CORE, HOLDS_MAP, NULL, NULL, false},
    {"definitions", BOTH, CORE, HOLDS_MAP, NULL, NULL, false},
    {"type", BOTH, VALIDATION, HOLDS_NONE, schema_make_type, schema_run_type, false},
    {"const", BOTH, VALIDATION, HOLDS_NONE, schema_make_const, schema_run_const, false},
    {"enum", BOTH, VALIDATION, HOLDS_NONE, schema_make_enum, schema_run_enum, false},
    {"multipleOf", BOTH, VALIDATION, HOLDS_NONE, schema_make_divisor, schema_run_divisor, false},
    {"minimum", BOTH, VALIDATION, HOLDS_NONE, schema_make_number, schema_run_number, false},
    {"maximum", BOTH, VALIDATION, HOLDS_NONE, schema_make_number, schema_run_number, false},
    {"exclusiveMinimum", BOTH, VALIDATION, HOLDS_NONE, schema_make_number, schema_run_number,
     false},
    {"exclusiveMaximum", BOTH, VALIDATION, HOLDS_NONE, schema_make_number, schema_run_number,
     false},
    {"minLength", BOTH, VALIDATION, HOLDS_NONE, schema_make_count, schema_run_length, false},
    {"maxLength", BOTH, VALIDATION, HOLDS_NONE, schema_make_count, schema_run_length, false},
    {"pattern", BOTH, VALIDATION, HOLDS_NONE, schema_make_pattern, schema_run_pattern, false},
    {"format", BOTH, FORMAT, HOLDS_NONE, schema_make_format, schema_run_format, false},
    {"required", BOTH, VALIDATION, HOLDS_NONE, schema_make_required, schema_run_required, false},
    {"minProperties", BOTH, VALIDATION, HOLDS_NONE, schema_make_count, schema_run_properties,
     false},
    {"maxProperties", BOTH, VALIDATION, HOLDS_NONE, schema_make_count, schema_run_properties,
     false},
    {"properties", BOTH, APPLICATOR, HOLDS_MAP, schema_make_object, schema_run_object, true},
    {"patternProperties", BOTH, APPLICATOR, HOLDS_MAP, schema_make_object, schema_run_object, true},
    {"additionalProperties", BOTH, APPLICATOR, HOLDS_SCHEMA, schema_make_object, schema_run_object,
     true},
    {"propertyNames", BOTH, APPLICATOR, HOLDS_SCHEMA, schema_make_names, schema_run_names, false},
    {"dependencies", OLD, APPLICATOR, HOLDS_MAP, schema_make_dependent, schema_run_dependent,
     false},
    {"dependentRequired", NEW, VALIDATION, HOLDS_NONE, schema_make_dependent, schema_run_dependent,
     false},
    {"dependentSchemas", NEW, APPLICATOR, HOLDS_MAP, schema_make_dependent, schema_run_dependent,
     false},
    {"minItems", BOTH, VALIDATION, HOLDS_NONE, schema_make_count, schema_run_item_count, false},
    {"maxItems", BOTH, VALIDATION, HOLDS_NONE, schema_make_count, schema_run_item_count, false},
    {"prefixItems", NEW, APPLICATOR, HOLDS_LIST, schema_make_items, schema_run_items, true},
    {"items", BOTH, APPLICATOR, HOLDS_EITHER, schema_make_items, schema_run_items, true},
    {"additionalItems", OLD, APPLICATOR, HOLDS_SCHEMA, schema_make_none, NULL, false},
    {"contains", BOTH, APPLICATOR, HOLDS_SCHEMA, schema_make_contains, schema_run_contains, false},
    {"minContains", NEW, VALIDATION, HOLDS_NONE, schema_make_none, NULL, false},
    {"maxContains", NEW, VALIDATION, HOLDS_NONE, schema_make_none, NULL, false},
    {"uniqueItems", BOTH, VALIDATION, HOLDS_NONE, schema_make_unique, schema_run_unique, false},
    {"allOf", BOTH, APPLICATOR, HOLDS_LIST, schema_make_list, schema_run_all, false},
    {"anyOf", BOTH, APPLICATOR, HOLDS_LIST, schema_make_list, schema_run_any, false},
    {"oneOf", BOTH, APPLICATOR, HOLDS_LIST, schema_make_list, schema_run_one, false},
    {"not", BOTH, APPLICATOR, HOLDS_SCHEMA, schema_make_not, schema_run_not, false},
    {"if", BOTH, APPLICATOR, HOLDS_SCHEMA, schema_make_if, schema_run_if, false},
    {"then", BOTH, APPLICATOR, HOLDS_SCHEMA, schema_make_none, NULL, false},
    {"else", BOTH, APPLICATOR, HOLDS_SCHEMA, schema_make_none, NULL, false},
    {"contentSchema", NEW, CORE, HOLDS_SCHEMA, NULL, NULL, false},
    {"unevaluatedProperties", NEW, UNEVALUATED, HOLDS_SCHEMA, schema_make_unevaluated,
     schema_run_unevaluated_properties, false},
    {"unevaluatedItems", NEW, UNEVALUATED, HOLDS_SCHEMA, schema_make_unevaluated,
     schema_run_unevaluated_items, false},
};
enum { KEYWORDS = sizeof keywords / sizeof *keywords };

/* Assertions of drafts and dialects that are not spoken here. */
static const char *const foreign[] = {"$recursiveRef", "extends",  "disallow",
                                      "divisibleBy",   "nullable", NULL};

holds schema_keyword_holds(const char *name, size_t size) {
  for (size_t i = 0; i < KEYWORDS; i++)
    if (strlen(keywords[i].name) == size && memcmp(keywords[i].name, name, size) == 0)
      return keywords[i].holds;
  return HOLDS_NONE;
}

int schema_make_none(compiler *c, const value *setting, check *k) {
  (void)c, (void)setting;
  k->run = NULL;
  return 0;
}

int schema_refuse(compiler *c, const check *k, const char *expected) {
  char shown[80];
  const char *base = *c->now->where->base ? c->now->where->base : "(without a name)";
  return error_fail(c->error, "SCHEMA", "schema %s: '%s' must be %s, not %s", base, k->keyword,
                    expected, json_shorten(shown, sizeof shown, k->setting));
}

int schema_read_count(compiler *c, const check *k, const value *setting, uint64_t *out) {
  bool whole = setting->kind == VALUE_REAL && setting->real >= 0 && setting->real < 1e15 &&
               setting->real == floor(setting->real);
  if (whole) return *out = (uint64_t)setting->real, 0;
  if (setting->kind != VALUE_INTEGER || setting->integer < 0)
    return schema_refuse(c, k, "a whole number from 0");
  return *out = (uint64_t)setting->integer, 0;
}

node *schema_node(compiler *c, const value *source, resource *where) {
  node **slot = &c->made->slots[(uintptr_t)source / sizeof(value) % NODE_SLOTS];
  for (node *n = *slot; n; n = n->next)
    if (n->source == source) return n;
  node *n = arena_alloc(&c->made->memory, sizeof *n);
  resource *own = schema_get(source, "$id") ? schema_find_root(c->set, source) : NULL;
  *n = (node){.source = source, .where = own ? own : where, .next = *slot};
  n->next_pending = c->pending;
  c->pending = *slot = n;
  return n;
}

node *schema_sub(compiler *c, const value *source) {
  if (source->kind != VALUE_MAP && source->kind != VALUE_BOOLEAN) return NULL;
  return schema_node(c, source, c->now->where);
}

const regex *schema_pattern(compiler *c, const value *text) {
  schema *s = c->made;
  for (kept_pattern *p = s->patterns; p; p = p->next)
    if (value_is(text, p->text)) return p->made;
  regex *made = regex_compile(text->text.bytes, text->text.size, c->error);
  if (!made) return NULL;
  kept_pattern *p = arena_alloc(&s->memory, sizeof *p);
  *p = (kept_pattern){made, arena_copy(&s->memory, text->text.bytes, text->text.size), s->patterns};
  s->patterns = p;
  return made;
}

/* Vocabularies of a meta-schema other than the two known ones (2020-12 core, section 8.1.2). */
static int read_vocabularies(compiler *c, const value *list) {
  static const char stem[] = "https://json-schema.org/draft/2020-12/vocab/";
  spoken_dialect *d = &c->dialect;
  *d = (spoken_dialect){0};
  for (size_t i = 0; i < list->map.count; i++) {
    const char *uri = list->map.pairs[i].key.text.bytes;
    const value *needed = &list->map.pairs[i].item;
    const char *name = strncmp(uri, stem, sizeof stem - 1) == 0 ? uri + sizeof stem - 1 : "";
    d->applicator |= strcmp(name, "applicator") == 0;
    d->validation |= strcmp(name, "validation") == 0;
    d->unevaluated |= strcmp(name, "unevaluated") == 0;
    d->formats |= strcmp(name, "format-assertion") == 0;
    if (!*name && needed->kind == VALUE_BOOLEAN && needed->boolean)
      return error_fail(c->error, "SCHEMA", "the vocabulary %s is required and not known", uri);
  }
  return 0;
}

static int read_dialect(compiler *c, const resource *where) {
  char *fragment;
  const char *uri = where->dialect;
  c->dialect = (spoken_dialect){false, true, true, true, false};
  if (!uri) return 0;
  uri = schema_uri_cut(&c->set->memory, uri, &fragment);
  if (strcmp(uri, "https://json-schema.org/draft/2020-12/schema") == 0) return 0;
  if (strstr(uri, "://json-schema.org/draft-07/schema")) {
    c->dialect = (spoken_dialect){true, true, true, false, true};
    return 0;
  }
  const named *meta = schema_find_name(c->set, uri, NULL);
  const value *list = meta ? schema_get(meta->at, "$vocabulary") : NULL;
  if (list && list->kind == VALUE_MAP) return read_vocabularies(c, list);
  error_fail(c->error, "SCHEMA", "schema %s: $schema %s is not known", where->base, uri);
  return error_hint(c->error, "use https://json-schema.org/draft/2020-12/schema, or draft-07");
}

static bool spoken(const spoken_dialect *d, const keyword *k) {
  if (k->draft == OLD && !d->draft7) return false;
  switch (k->vocabulary) {
  case APPLICATOR: return d->applicator;
  case VALIDATION: return d->validation;
  case UNEVALUATED: return d->unevaluated;
  case FORMAT: return d->formats;
  default: return true;
  }
}

static int refuse_foreign(compiler *c, const char *name) {
  const char *base = c->now->where->base;
  error_fail(c->error, "SCHEMA", "schema %s: '%s' is not a keyword of %s", base, name,
             c->dialect.draft7 ? "draft 07" : "2020-12");
  if (strcmp(name, "nullable") == 0) return error_hint(c->error, "add \"null\" to 'type'");
  return error_hint(c->error, "say it in the words of that draft, or name another in $schema");
}

/* A keyword that asserts something in the other draft would be ignored without a word. */
static int check_drafts(compiler *c, const value *source) {
  for (const char *const *f = foreign; *f; f++)
    if (schema_get(source, *f)) return refuse_foreign(c, *f);
  for (size_t i = 0; i < KEYWORDS; i++) {
    const keyword *k = &keywords[i];
    bool wrong = k->make && (c->dialect.draft7 ? k->draft == NEW : k->draft == OLD);
    if (wrong && schema_get(source, k->name)) return refuse_foreign(c, k->name);
  }
  return 0;
}

static check *make_check(compiler *c, const keyword *row, const value *setting) {
  check *k = arena_alloc(&c->made->memory, sizeof *k);
  k->run = row->run;
  k->keyword = row->name;
  k->setting = setting;
  return row->make(c, setting, k) < 0 ? NULL : k;
}

static int make_checks(compiler *c, node *n) {
  check **last = &n->checks;
  check_run *group = NULL; /* of the check made last, if more keywords belong to it */
  bool alone = c->dialect.draft7 && schema_get(n->source, "$ref");
  for (size_t i = 0; i < (alone ? 1 : KEYWORDS); i++) {
    const keyword *row = &keywords[i];
    const value *setting =
        row->make && spoken(&c->dialect, row) ? schema_get(n->source, row->name) : NULL;
    if (!setting || (row->group && group == row->run)) continue;
    check *made = make_check(c, row, setting);
    if (!made) return -1;
    if (row->group) group = row->run;
    n->unevaluated |= row->vocabulary == UNEVALUATED;
    if (!made->run) continue;
    *last = made;
    last = &made->next;
  }
  return 0;
}

static int make_node(compiler *c, node *n) {
  const value *source = n->source;
  c->now = n;
  if (source->kind == VALUE_BOOLEAN) return n->never = !source->boolean, 0;
  check k = {.keyword = "schema", .setting = source};
  if (source->kind != VALUE_MAP) return schema_refuse(c, &k, "a map, true or false");
  if (read_dialect(c, n->where) < 0 || check_drafts(c, source) < 0) return -1;
  return make_checks(c, n);
}

/* $dynamicRef may lead to any resource that is entered, so their dynamic anchors are made too. */
static void add_dynamics(compiler *c, const resource *where) {
  for (const named *n = c->set->names; n; n = n->next) {
    if (!n->dynamic || n->where != where) continue;
    dynamic *d = arena_alloc(&c->made->memory, sizeof *d);
    *d = (dynamic){where, n->anchor, schema_node(c, n->at, n->where), c->made->dynamics};
    c->made->dynamics = d;
  }
}

typedef struct visited {
  const resource *where;
  struct visited *next;
} visited;

static void visit(compiler *c, visited **all, const resource *where) {
  for (const visited *v = *all; v; v = v->next)
    if (v->where == where) return;
  visited *v = arena_alloc(&c->made->memory, sizeof *v);
  *v = (visited){where, *all};
  *all = v;
  add_dynamics(c, where);
}

static int make_all(compiler *c) {
  visited *all = NULL;
  while (c->pending) {
    node *n = c->pending;
    c->pending = n->next_pending;
    if (make_node(c, n) < 0) return -1;
    visit(c, &all, n->where);
  }
  return 0;
}

schema *schema_compile(schema_set *set, const char *uri, dts_error *e) {
  const value *at;
  resource *where;
  if (schema_resolve(set, "", uri, &at, &where, e) < 0) return NULL;
  compiler c = {.set = set, .made = memory_alloc(sizeof(schema)), .error = e};
  c.made->root = schema_node(&c, at, where);
  if (make_all(&c) == 0) return c.made;
  schema_free(c.made);
  return NULL;
}

void schema_free(schema *s) {
  if (!s) return;
  for (kept_pattern *p = s->patterns; p; p = p->next) regex_free(p->made);
  arena_free(&s->memory);
  free(s);
}
