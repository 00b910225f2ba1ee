/* schema_logic.c -- keywords that apply other schemas to the same value, and references.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "format/schema_parts.h"

int schema_make_ref(compiler *c, const value *setting, check *k) {
  const value *at;
  resource *where;
  if (setting->kind != VALUE_TEXT) return schema_refuse(c, k, "a reference");
  const char *base = c->now->where->base;
  if (schema_resolve(c->set, base, setting->text.bytes, &at, &where, c->error) < 0) return -1;
  k->node = schema_node(c, at, where);
  return 0;
}

bool schema_run_ref(run *r, const check *k, const value *v, seen *s) {
  return schema_run(r, k->node, v, s);
}

/* Dynamic only if the reference itself leads to a $dynamicAnchor of that name. */
int schema_make_dynamic_ref(compiler *c, const value *setting, check *k) {
  if (schema_make_ref(c, setting, k) < 0) return -1;
  const char *fragment = strchr(setting->text.bytes, '#');
  const value *anchor = schema_get(k->node->source, "$dynamicAnchor");
  if (fragment && value_is(anchor, fragment + 1)) k->anchor = fragment + 1;
  return 0;
}

bool schema_run_dynamic_ref(run *r, const check *k, const value *v, seen *s) {
  const node *found = k->anchor ? schema_run_dynamic(r, k->anchor) : NULL;
  return schema_run(r, found ? found : k->node, v, s);
}

int schema_make_list(compiler *c, const value *setting, check *k) {
  if (setting->kind != VALUE_LIST || !setting->list.count)
    return schema_refuse(c, k, "a list of schemas");
  k->count = setting->list.count;
  k->parts = arena_alloc(&c->made->memory, k->count * sizeof *k->parts);
  for (size_t i = 0; i < k->count; i++) {
    k->parts[i].node = schema_sub(c, &setting->list.items[i]);
    if (!k->parts[i].node) return schema_refuse(c, k, "a list of schemas");
  }
  return 0;
}

bool schema_run_all(run *r, const check *k, const value *v, seen *s) {
  for (size_t i = 0; i < k->count; i++)
    if (!schema_run(r, k->parts[i].node, v, s)) return false;
  return true;
}

/* All are run when somebody asks for marks, else until the outcome is known. */
bool schema_run_any(run *r, const check *k, const value *v, seen *s) {
  bool any = false;
  if (k->count == 1) return schema_run(r, k->parts[0].node, v, s);
  for (size_t i = 0; i < k->count && (s || !any); i++)
    any |= schema_run_quiet(r, k->parts[i].node, v, s);
  return any ||
         schema_fault_add(r, v, "expected one of %zu forms (anyOf), none of which fits", k->count);
}

bool schema_run_one(run *r, const check *k, const value *v, seen *s) {
  size_t fits = 0;
  if (k->count == 1) return schema_run(r, k->parts[0].node, v, s);
  for (size_t i = 0; i < k->count && fits < 2; i++)
    fits += schema_run_quiet(r, k->parts[i].node, v, s);
  if (fits == 1) return true;
  return schema_fault_add(r, v, "expected exactly one of %zu forms (oneOf), %s", k->count,
                          fits ? "but more than one fits" : "none of which fits");
}

int schema_make_not(compiler *c, const value *setting, check *k) {
  k->node = schema_sub(c, setting);
  return k->node ? 0 : schema_refuse(c, k, "a schema");
}

bool schema_run_not(run *r, const check *k, const value *v, seen *s) {
  (void)s;
  if (!schema_run_quiet(r, k->node, v, NULL)) return true;
  return schema_fault_add(r, v, "expected anything but this form (not)");
}

static int make_branch(compiler *c, const check *k, const char *keyword, node **out) {
  const value *setting = schema_get(c->now->source, keyword);
  check branch = {.keyword = keyword, .setting = setting};
  (void)k;
  if (!setting) return 0;
  *out = schema_sub(c, setting);
  return *out ? 0 : schema_refuse(c, &branch, "a schema");
}

int schema_make_if(compiler *c, const value *setting, check *k) {
  if (schema_make_not(c, setting, k) < 0) return -1;
  return make_branch(c, k, "then", &k->then) < 0 ? -1 : make_branch(c, k, "else", &k->otherwise);
}

bool schema_run_if(run *r, const check *k, const value *v, seen *s) {
  const node *branch = schema_run_quiet(r, k->node, v, s) ? k->then : k->otherwise;
  return !branch || schema_run(r, branch, v, s);
}
