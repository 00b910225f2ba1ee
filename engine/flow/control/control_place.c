/* control_place.c -- the command `place`: where the project's data lies, as dts.lua in force says.
 *
 *   place {} -> {root, store (path), objects (folder), timezone, workers, secrets [{name, optional,
 *                present, file}], hosts?}
 *
 * Of a secret only its name and whether it is there are told.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "flow/control/control_value.h"
#include "flow/control/controls.h"
#include "flow/kernel/parts.h"

/* ---- secrets ---- */

/* Asked of the machine, not of kernel_secret: a virtual kernel has an answer to every name. */
static bool is_there(kernel *k, const char *name) {
  arena a = {0};
  struct stat s;
  bool there = getenv(arena_format(&a, "DTS_SECRET_%s", name)) != NULL;
  if (!there && !strchr(name, '/'))
    there = stat(arena_format(&a, "%s/secrets/%s", kernel_root(k), name), &s) == 0 &&
            !(s.st_mode & 077);
  arena_free(&a);
  return there;
}

static void add_secret(kernel *k, arena *a, value *list, const char *name, bool optional,
                       const char *file) {
  for (size_t i = 0; i < list->list.count; i++)
    if (value_is(value_get(&list->list.items[i], "name"), name)) return;
  value v = value_map();
  value_set(a, &v, "name", value_text(name));
  value_set(a, &v, "optional", value_boolean(optional));
  value_set(a, &v, "present", value_boolean(is_there(k, name)));
  value_set(a, &v, "file", value_text(arena_text(a, file)));
  value_add(a, list, v);
}

/* {secret:NAME} and {secret?:NAME} in one text. */
static void scan_text(kernel *k, arena *a, const char *text, const char *file, value *list) {
  for (const char *at = text; (at = strstr(at, "{secret"));) {
    at += strlen("{secret");
    bool optional = *at == '?';
    at += optional;
    size_t size = *at == ':' ? strcspn(at + 1, "}") : 0;
    if (size && at[1 + size] == '}')
      add_secret(k, a, list, arena_copy(a, at + 1, size), optional, file);
  }
}

void control_secrets(kernel *k, arena *a, const value *v, const char *file, value *list) {
  if (v->kind == VALUE_TEXT)
    scan_text(k, a, arena_copy(a, v->text.bytes, v->text.size), file, list);
  for (size_t i = 0; v->kind == VALUE_LIST && i < v->list.count; i++)
    control_secrets(k, a, &v->list.items[i], file, list);
  for (size_t i = 0; v->kind == VALUE_MAP && i < v->map.count; i++)
    control_secrets(k, a, &v->map.pairs[i].item, file, list);
}

static value all_secrets(kernel *k, const registry *set, arena *a) {
  value list = value_list();
  control_secrets(k, a, kernel_config(k), "dts.lua", &list);
  for (size_t i = 0; i < set->script_count; i++) {
    const value *all = &set->scripts[i]->declarations;
    control_secrets(k, a, all, set->scripts[i]->file, &list);
    for (size_t n = 0; n < all->list.count; n++) {
      const value *signature = value_get(value_get(&all->list.items[n], "ingest"), "signature");
      const char *name = value_get_text(signature, "secret", NULL);
      if (name) add_secret(k, a, &list, arena_text(a, name), false, set->scripts[i]->file);
    }
  }
  return list;
}

void control_secret_notes(kernel *k, const registry *set, arena *a, value *notes) {
  value all = all_secrets(k, set, a);
  for (size_t i = 0; i < all.list.count; i++) {
    const value *s = &all.list.items[i];
    const char *name = value_get_text(s, "name", "?");
    if (value_get_boolean(s, "optional", false) || value_get_boolean(s, "present", true)) continue;
    value v = value_map();
    value_set(a, &v, "where", value_text(value_get_text(s, "file", "?")));
    value_set(a, &v, "message",
              value_text(arena_format(a, "secret %s is asked for and absent", name)));
    value_set(a, &v, "hint",
              value_text(
                  arena_format(a, "set DTS_SECRET_%s or write secrets/%s (mode 600)", name, name)));
    value_add(a, notes, v);
  }
}

/* ---- paths ---- */

static const char *path_of(kernel *k, arena *a, const char *field, const char *scheme,
                           const char *otherwise) {
  const char *url = value_get_text(kernel_config(k), field, otherwise);
  size_t size = strlen(scheme);
  if (strncmp(url, scheme, size) != 0) return NULL;
  if (url[size] == '/') return arena_text(a, url + size);
  return arena_format(a, "%s/%s", kernel_root(k), url + size);
}

void control_place(kernel *k, question *q) {
  arena *a = &q->memory;
  registry *set = kernel_registry(k);
  value v = value_map();
  value_set(a, &v, "root", value_text(kernel_root(k)));
  value_set(a, &v, "store", value_text(path_of(k, a, "store", "sqlite:", "sqlite:var/dts.db")));
  value_set(a, &v, "objects", value_text(path_of(k, a, "objects", "file:", "file:var/objects")));
  value_set(a, &v, "listen", value_text(value_get_text(kernel_config(k), "listen", NULL)));
  value_set(a, &v, "timezone", value_text(arena_text(a, set->timezone)));
  value_set(a, &v, "secrets", all_secrets(k, set, a));
  registry_release(set);
  question_answer(q, v);
}
