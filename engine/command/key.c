/* key.c -- dts key add|list|revoke: who may ask the web API.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "command/command.h"
#include "command/engine.h"
#include "command/screen.h"

static int need_name(const given *g, dts_error *e) {
  if (g->word_count == 2) return 0;
  return error_fail(e, "USAGE", "one name expected: dts key %s NAME", given_word(g, 0));
}

static int add(engine *n, const given *g, dts_error *e) {
  arena a = {0};
  value order = engine_command(&a, "key_add"), answer;
  value_set(&a, &order, "key_name", value_text(given_word(g, 1)));
  value_set(&a, &order, "scopes", value_text(given_text(g, "scope", "read")));
  int rc = need_name(g, e);
  if (rc == 0) rc = engine_ask(n, &order, NULL, NULL, &a, &answer, e);
  if (rc == 0 && g->json)
    screen_json(stdout, &answer);
  else if (rc == 0)
    printf("%s\nkeep it now: it is not shown again. Send it as  Authorization: Bearer KEY\n",
           value_get_text(&answer, "key", ""));
  arena_free(&a);
  return rc;
}

static value joined(arena *a, const value *words) {
  buffer b;
  buffer_init(&b, 1024);
  for (size_t i = 0; words && words->kind == VALUE_LIST && i < words->list.count; i++)
    buffer_add_format(&b, "%s%s", i ? "," : "", words->list.items[i].text.bytes);
  value v = value_text(arena_text(a, buffer_text(&b)));
  buffer_free(&b);
  return v;
}

static void print_keys(arena *a, const value *keys) {
  screen s = screen_of(stdout);
  value result = value_map(), columns = value_list(), rows = value_list();
  value_add(a, &columns, value_text("name"));
  value_add(a, &columns, value_text("scopes"));
  value_add(a, &columns, value_text("created"));
  value_add(a, &columns, value_text("last used"));
  for (size_t i = 0; i < keys->list.count; i++) {
    const value *k = &keys->list.items[i], *created = value_get(k, "created");
    value row = value_list();
    char time[32] = "";
    if (created && created->kind == VALUE_INTEGER) screen_time(created->integer, NULL, time);
    value_add(a, &row, value_text(value_get_text(k, "name", "")));
    value_add(a, &row, joined(a, value_get(k, "scopes")));
    value_add(a, &row,
              created && created->kind == VALUE_TEXT ? *created : value_text(arena_text(a, time)));
    value_add(a, &row, value_text(value_get_text(k, "used", "never")));
    value_add(a, &rows, row);
  }
  value_set(a, &result, "columns", columns);
  value_set(a, &result, "rows", rows);
  if (keys->list.count)
    screen_table(&s, &result, NULL);
  else
    puts("there is no key; `dts key add NAME --scope read` makes one");
}

static int list(engine *n, const given *g, dts_error *e) {
  static const value none = {.kind = VALUE_LIST};
  arena a = {0};
  value order = engine_command(&a, "key_list"), answer;
  int rc = engine_ask(n, &order, NULL, NULL, &a, &answer, e);
  const value *keys = rc == 0 ? value_get(&answer, "keys") : NULL;
  if (rc == 0 && g->json)
    screen_json(stdout, keys ? keys : &none);
  else if (rc == 0)
    print_keys(&a, keys ? keys : &none);
  arena_free(&a);
  return rc;
}

static int revoke(engine *n, const given *g, dts_error *e) {
  arena a = {0};
  value order = engine_command(&a, "key_revoke"), answer;
  value_set(&a, &order, "key_name", value_text(given_word(g, 1)));
  int rc = need_name(g, e);
  if (rc == 0) rc = engine_ask(n, &order, NULL, NULL, &a, &answer, e);
  if (rc == 0 && g->json)
    screen_json(stdout, &answer);
  else if (rc == 0)
    printf("key '%s' is revoked\n", given_word(g, 1));
  arena_free(&a);
  return rc;
}

static const char *const verbs[] = {"add", "list", "revoke", NULL};
static engine_verb *const functions[] = {add, list, revoke};

static int run(const given *g, dts_error *e) {
  int verb = given_choice(g, 0, verbs, e);
  return verb < 0 ? -1 : engine_do(functions[verb], g, e);
}

static const command_option options[] = {
    {"scope", "LIST", "add: read, write, admin, with commas (read)"}, {0}};

COMMAND(key) = {.name = "key",
                .words = "add|list|revoke [NAME]",
                .summary = "Make, list and revoke keys of the web API.",
                .least = 1,
                .most = 2,
                .options = options,
                .run = run};
