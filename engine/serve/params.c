/* params.c -- see params.h.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/params.h"

#include <string.h>

#include "base/text.h"
#include "format/date.h"
#include "format/json.h"

int params_refuse(const char *name, const char *expected, const char *text, dts_error *e) {
  char shown[TEXT_SHORT];
  error_fail(e, "PARAM", "%s: %s expected, got %s", name, expected,
             text_shorten(shown, text, strlen(text)));
  if (e) e->status = 422;
  return -1;
}

bool params_read_number(const char *text, bool whole, value *out) {
  json_reader r;
  json_open(&r, text, strlen(text));
  json_token t = json_next(&r);
  *out = t == JSON_INTEGER ? value_integer(r.integer) : value_real(r.real);
  bool fine = (t == JSON_INTEGER || (t == JSON_REAL && !whole)) && json_next(&r) == JSON_END;
  json_close(&r);
  if (fine && !whole && out->kind == VALUE_INTEGER) *out = value_real((double)out->integer);
  return fine;
}

static int read_choice(const value *p, const char *name, const char *text, value *out,
                       dts_error *e) {
  const value *choices = value_get(p, "choices");
  char list[256] = "one of";
  for (size_t i = 0; choices && i < choices->list.count; i++) {
    const value *choice = &choices->list.items[i];
    if (value_is(choice, text)) return *out = *choice, 0;
    size_t used = strlen(list);
    if (choice->kind == VALUE_TEXT && used + choice->text.size + 2 < sizeof list) {
      list[used] = ' ';
      memcpy(list + used + 1, choice->text.bytes, choice->text.size + 1);
    }
  }
  return params_refuse(name, list, text, e);
}

static int read_one(const value *p, const char *name, const char *text, arena *a, value *out,
                    dts_error *e) {
  const char *type = value_get_text(p, "type", "text");
  int32_t date;
  int64_t ms;
  *out = value_text(text);
  if (strcmp(type, "choice") == 0) return read_choice(p, name, text, out, e);
  if (strcmp(type, "integer") == 0)
    return params_read_number(text, true, out) ? 0 : params_refuse(name, "an integer", text, e);
  if (strcmp(type, "real") == 0)
    return params_read_number(text, false, out) ? 0 : params_refuse(name, "a number", text, e);
  if (strcmp(type, "date") == 0)
    return date_read(text, strlen(text), &date) == 0
               ? 0
               : params_refuse(name, "a date (YYYY-MM-DD)", text, e);
  if (strcmp(type, "boolean") == 0) {
    *out = value_boolean(strcmp(text, "true") == 0);
    return out->boolean || strcmp(text, "false") == 0
               ? 0
               : params_refuse(name, "true or false", text, e);
  }
  if (strcmp(type, "timestamp") == 0) {
    if (timestamp_read(text, strlen(text), &ms) < 0)
      return params_refuse(name, "a timestamp (RFC 3339)", text, e);
    *out = timestamp_value(a, ms);
  }
  if (strcmp(type, "json") == 0 && json_read(a, text, strlen(text), out, NULL) < 0)
    return params_refuse(name, "JSON", text, e);
  return 0;
}

static const char *find_path(const pair *path, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(path[i].name, name) == 0) return path[i].text;
  return NULL;
}

static const value *find_declared(const value *declared, const char *name) {
  for (size_t i = 0; declared && i < declared->list.count; i++)
    if (strcmp(value_get_text(&declared->list.items[i], "name", ""), name) == 0)
      return &declared->list.items[i];
  return NULL;
}

static int check_known(const value *declared, const address *at, arena *a, dts_error *e) {
  for (size_t i = 0; i < at->pair_count; i++) {
    const char *name = at->pairs[i].name;
    if (strcmp(name, "bigint") == 0 || strcmp(name, "format") == 0 || find_declared(declared, name))
      continue;
    size_t count = declared ? declared->list.count : 0;
    const char **names = arena_alloc(a, (count + 1) * sizeof *names);
    for (size_t k = 0; k < count; k++)
      names[k] = value_get_text(&declared->list.items[k], "name", "");
    const char *near = error_nearest(name, names);
    error_fail(e, "PARAM", "%.80s: this route has no such parameter", name);
    if (near) error_hint(e, "did you mean '%s'?", near);
    if (e) e->status = 422;
    return -1;
  }
  return 0;
}

static int read_declared(const value *p, const address *at, const pair *path, size_t path_count,
                         arena *a, value *out, dts_error *e) {
  const char *name = value_get_text(p, "name", ""), *text = find_path(path, path_count, name);
  const value *otherwise = value_get(p, "default"), *choices = value_get(p, "choices");
  value v = otherwise ? *otherwise : value_null();
  if (!text) text = address_query(at, name);
  if (text && !*text) text = NULL; /* "?from=" is a field left empty */
  if (text && read_one(p, name, text, a, &v, e) < 0) return -1;
  if (!text && !otherwise && value_get_boolean(p, "required", false)) {
    error_fail(e, "PARAM", "%s: this parameter is required", name);
    if (e) e->status = 422;
    return -1;
  }
  if (!text && !otherwise && choices && choices->list.count) v = choices->list.items[0];
  value_set(a, out, name, v);
  return 0;
}

int params_read(const value *declared, const address *at, const pair *path, size_t path_count,
                arena *a, value *out, dts_error *e) {
  *out = value_map();
  if (check_known(declared, at, a, e) < 0) return -1;
  for (size_t i = 0; i < path_count; i++)
    if (!find_declared(declared, path[i].name))
      value_set(a, out, path[i].name, value_text(path[i].text));
  for (size_t i = 0; declared && i < declared->list.count; i++)
    if (read_declared(&declared->list.items[i], at, path, path_count, a, out, e) < 0) return -1;
  return 0;
}
