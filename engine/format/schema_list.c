/* schema_list.c -- keywords about lists.
 *
 * prefixItems and items (2020-12), items and additionalItems (draft 07) say the same two things:
 * what the first items are, one by one, and what the rest are. contains reads its two limits
 * itself.
 *
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "format/schema_parts.h"

int schema_make_items(compiler *c, const value *setting, check *k) {
  (void)setting;
  const value *source = c->now->source;
  const value *items = schema_get(source, "items"), *first = schema_get(source, "prefixItems");
  const value *rest = items;
  check own = {.keyword = "items", .setting = items};
  bool listed = items && items->kind == VALUE_LIST;
  if (listed && !c->dialect.draft7)
    return schema_refuse(c, &own, "a schema in 2020-12 (prefixItems takes a list)");
  if (listed) first = items, rest = schema_get(source, "additionalItems");
  k->setting = first;
  if (first && first->kind == VALUE_LIST && !first->list.count) first = NULL;
  if (first && schema_make_list(c, first, k) < 0) return -1;
  own.setting = rest;
  if (rest && !(k->node = schema_sub(c, rest))) return schema_refuse(c, &own, "a schema");
  return 0;
}

bool schema_run_items(run *r, const check *k, const value *v, seen *s) {
  if (v->kind != VALUE_LIST) return true;
  for (size_t i = 0; i < v->list.count; i++) {
    const node *n = i < k->count ? k->parts[i].node : k->node;
    if (!n) break;
    if (!schema_run_item(r, n, &v->list.items[i], NULL, i)) return false;
    if (s) s->marks[i] = 1;
  }
  return true;
}

bool schema_run_item_count(run *r, const check *k, const value *v, seen *s) {
  (void)s;
  if (v->kind != VALUE_LIST) return true;
  if (v->list.count < k->least)
    return schema_fault_add(r, v, "expected at least %" PRIu64 " items", k->least);
  return v->list.count <= k->most ||
         schema_fault_add(r, v, "expected at most %" PRIu64 " items", k->most);
}

int schema_make_contains(compiler *c, const value *setting, check *k) {
  bool limits = !c->dialect.draft7 && c->dialect.validation;
  const value *least = limits ? schema_get(c->now->source, "minContains") : NULL;
  const value *most = limits ? schema_get(c->now->source, "maxContains") : NULL;
  check own = {.keyword = "minContains", .setting = least};
  k->least = 1;
  k->most = UINT64_MAX;
  if (least && schema_read_count(c, &own, least, &k->least) < 0) return -1;
  own = (check){.keyword = "maxContains", .setting = most};
  if (most && schema_read_count(c, &own, most, &k->most) < 0) return -1;
  return schema_make_not(c, setting, k);
}

bool schema_run_contains(run *r, const check *k, const value *v, seen *s) {
  uint64_t found = 0;
  if (v->kind != VALUE_LIST) return true;
  for (size_t i = 0; i < v->list.count; i++) {
    if (!schema_run_quiet(r, k->node, &v->list.items[i], NULL)) continue;
    if (s) s->marks[i] = 1;
    found++;
  }
  if (found < k->least)
    return schema_fault_add(r, v, "expected at least %" PRIu64 " items of the form in 'contains'",
                            k->least);
  return found <= k->most ||
         schema_fault_add(r, v, "expected at most %" PRIu64 " items of the form in 'contains'",
                          k->most);
}

int schema_make_unique(compiler *c, const value *setting, check *k) {
  if (setting->kind != VALUE_BOOLEAN) return schema_refuse(c, k, "true or false");
  if (!setting->boolean) k->run = NULL;
  return 0;
}

bool schema_run_unique(run *r, const check *k, const value *v, seen *s) {
  (void)k, (void)s;
  if (v->kind != VALUE_LIST) return true;
  for (size_t i = 1; i < v->list.count; i++)
    for (size_t j = 0; j < i; j++)
      if (value_equal(&v->list.items[i], &v->list.items[j]))
        return schema_fault_add(r, &v->list.items[i],
                                "expected items that differ; %zu and %zu do not", j, i);
  return true;
}

bool schema_run_unevaluated_items(run *r, const check *k, const value *v, seen *s) {
  if (v->kind != VALUE_LIST) return true;
  for (size_t i = 0; i < v->list.count; i++) {
    if (s->marks[i]) continue;
    if (!schema_run_item(r, k->node, &v->list.items[i], NULL, i)) return false;
    s->marks[i] = 1;
  }
  return true;
}
