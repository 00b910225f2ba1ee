/* schema_object.c -- keywords about maps.
 *
 * properties, patternProperties and additionalProperties look at each other and are one check: each
 * pair of the value is looked up once, among names sorted by length and bytes.
 *
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "format/schema_parts.h"

static int order_names(const value *a, const value *b) {
  if (a->text.size != b->text.size) return a->text.size < b->text.size ? -1 : 1;
  return a->text.size ? memcmp(a->text.bytes, b->text.bytes, a->text.size) : 0;
}

static int order_parts(const void *a, const void *b) {
  return order_names(((const part *)a)->name, ((const part *)b)->name);
}

static const part *find_part(const check *k, const value *name) {
  part wanted = {.name = name};
  return k->count ? bsearch(&wanted, k->parts, k->count, sizeof wanted, order_parts) : NULL;
}

static const value *find_pair(const value *map, const value *name) {
  for (size_t i = map->map.count; i-- > 0;)
    if (order_names(&map->map.pairs[i].key, name) == 0) return &map->map.pairs[i].item;
  return NULL;
}

/* A map of schemas as parts; a sub-schema may also be a list of names (dependencies). */
static part *make_parts(compiler *c, const check *k, const value *map, bool lists) {
  if (map->kind != VALUE_MAP) return schema_refuse(c, k, "a map of schemas"), NULL;
  part *parts = arena_alloc(&c->made->memory, (map->map.count + 1) * sizeof *parts);
  for (size_t i = 0; i < map->map.count; i++) {
    const value *item = &map->map.pairs[i].item;
    parts[i].name = &map->map.pairs[i].key;
    if (lists && item->kind == VALUE_LIST) continue;
    parts[i].node = schema_sub(c, item);
    if (!parts[i].node) return schema_refuse(c, k, "a map of schemas"), NULL;
  }
  return parts;
}

static int make_patterns(compiler *c, check *k, const value *map) {
  check own = {.keyword = "patternProperties", .setting = map};
  k->patterns = make_parts(c, &own, map, false);
  if (!k->patterns) return -1;
  k->pattern_count = map->map.count;
  for (size_t i = 0; i < k->pattern_count; i++) {
    k->patterns[i].pattern = schema_pattern(c, k->patterns[i].name);
    if (!k->patterns[i].pattern) return -1;
  }
  return 0;
}

int schema_make_object(compiler *c, const value *setting, check *k) {
  (void)setting;
  const value *names = schema_get(c->now->source, "properties");
  const value *patterns = schema_get(c->now->source, "patternProperties");
  const value *others = schema_get(c->now->source, "additionalProperties");
  if (names && !(k->parts = make_parts(c, k, names, false))) return -1;
  k->count = names ? names->map.count : 0;
  if (k->count) qsort(k->parts, k->count, sizeof *k->parts, order_parts);
  if (patterns && make_patterns(c, k, patterns) < 0) return -1;
  check own = {.keyword = "additionalProperties", .setting = others};
  if (others && !(k->node = schema_sub(c, others))) return schema_refuse(c, &own, "a schema");
  return 0;
}

static bool run_pair(run *r, const check *k, const value_pair *pair, size_t i, bool *known) {
  const part *found = find_part(k, &pair->key);
  *known = found != NULL;
  if (found && !schema_run_item(r, found->node, &pair->item, &pair->key, i)) return false;
  for (size_t p = 0; p < k->pattern_count; p++) {
    const value *name = &pair->key;
    const regex *pattern = k->patterns[p].pattern;
    if (regex_match(pattern, name->text.bytes, name->text.size, NULL) != 1) continue;
    *known = true;
    if (!schema_run_item(r, k->patterns[p].node, &pair->item, name, i)) return false;
  }
  if (*known || !k->node) return true;
  *known = true;
  char shown[TEXT_SHORT];
  if (k->node->never)
    return schema_fault_add(r, &pair->item, "expected no property %s here",
                            text_shorten(shown, pair->key.text.bytes, pair->key.text.size));
  return schema_run_item(r, k->node, &pair->item, &pair->key, i);
}

bool schema_run_object(run *r, const check *k, const value *v, seen *s) {
  if (v->kind != VALUE_MAP) return true;
  for (size_t i = 0; i < v->map.count; i++) {
    bool known;
    if (!run_pair(r, k, &v->map.pairs[i], i, &known)) return false;
    if (known && s) s->marks[i] = 1;
  }
  return true;
}

static bool is_name_list(const value *v) {
  for (size_t i = 0; v->kind == VALUE_LIST && i < v->list.count; i++)
    if (v->list.items[i].kind != VALUE_TEXT) return false;
  return v->kind == VALUE_LIST;
}

int schema_make_required(compiler *c, const value *setting, check *k) {
  return is_name_list(setting) ? 0 : schema_refuse(c, k, "a list of names");
}

static bool has_all(run *r, const value *names, const value *v, const value *because) {
  char shown[TEXT_SHORT], other[TEXT_SHORT];
  for (size_t i = 0; i < names->list.count; i++) {
    const value *name = &names->list.items[i];
    if (find_pair(v, name)) continue;
    text_shorten(shown, name->text.bytes, name->text.size);
    if (!because) return schema_fault_add(r, v, "expected a property %s", shown);
    text_shorten(other, because->text.bytes, because->text.size);
    return schema_fault_add(r, v, "expected a property %s beside %s", shown, other);
  }
  return true;
}

bool schema_run_required(run *r, const check *k, const value *v, seen *s) {
  (void)s;
  return v->kind != VALUE_MAP || has_all(r, k->setting, v, NULL);
}

bool schema_run_properties(run *r, const check *k, const value *v, seen *s) {
  (void)s;
  if (v->kind != VALUE_MAP) return true;
  if (v->map.count < k->least)
    return schema_fault_add(r, v, "expected at least %" PRIu64 " properties", k->least);
  return v->map.count <= k->most ||
         schema_fault_add(r, v, "expected at most %" PRIu64 " properties", k->most);
}

int schema_make_names(compiler *c, const value *setting, check *k) {
  return schema_make_not(c, setting, k);
}

bool schema_run_names(run *r, const check *k, const value *v, seen *s) {
  (void)s;
  if (v->kind != VALUE_MAP) return true;
  for (size_t i = 0; i < v->map.count; i++)
    if (!schema_run_item(r, k->node, &v->map.pairs[i].key, &v->map.pairs[i].key, i)) return false;
  return true;
}

int schema_make_dependent(compiler *c, const value *setting, check *k) {
  bool only_lists = strcmp(k->keyword, "dependentRequired") == 0;
  bool lists = only_lists || strcmp(k->keyword, "dependencies") == 0;
  for (size_t i = 0; setting->kind == VALUE_MAP && i < setting->map.count; i++) {
    const value *item = &setting->map.pairs[i].item;
    bool wrong = item->kind == VALUE_LIST ? !lists || !is_name_list(item) : only_lists;
    if (wrong) return schema_refuse(c, k, lists ? "a map of lists of names" : "a map of schemas");
  }
  k->parts = make_parts(c, k, setting, lists);
  k->count = k->parts ? setting->map.count : 0;
  return k->parts ? 0 : -1;
}

bool schema_run_dependent(run *r, const check *k, const value *v, seen *s) {
  if (v->kind != VALUE_MAP) return true;
  for (size_t i = 0; i < k->count; i++) {
    const part *p = &k->parts[i];
    if (!find_pair(v, p->name)) continue;
    bool fits = p->node ? schema_run(r, p->node, v, s)
                        : has_all(r, &k->setting->map.pairs[i].item, v, p->name);
    if (!fits) return false;
  }
  return true;
}

int schema_make_unevaluated(compiler *c, const value *setting, check *k) {
  return schema_make_not(c, setting, k);
}

bool schema_run_unevaluated_properties(run *r, const check *k, const value *v, seen *s) {
  if (v->kind != VALUE_MAP) return true;
  for (size_t i = 0; i < v->map.count; i++) {
    const value_pair *pair = &v->map.pairs[i];
    if (s->marks[i]) continue;
    if (!schema_run_item(r, k->node, &pair->item, &pair->key, i)) return false;
    s->marks[i] = 1;
  }
  return true;
}
