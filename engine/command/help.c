/* help.c -- dts help [COMMAND|CODE]
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "command/codes.h"
#include "command/command.h"
#include "command/screen.h"

static void print_commands(void) {
  size_t widest = 0;
  for (size_t i = 0; i < command_count(); i++)
    if (strlen(command_at(i)->name) > widest) widest = strlen(command_at(i)->name);
  puts("dts runs pipelines that are written in Lua: https and files in, tables, API and charts "
       "out.\n");
  for (size_t i = 0; i < command_count(); i++)
    printf("  dts %-*s  %s\n", (int)widest, command_at(i)->name, command_at(i)->summary);
  puts("\n`dts help COMMAND` tells more; `dts help CODE` explains an error, such as HTTP_LATER.");
}

static value code_value(arena *a, const code_help *c) {
  value v = value_map();
  value_set(a, &v, "code", value_text(c->code));
  value_set(a, &v, "meaning", value_text(c->meaning));
  value_set(a, &v, "what_to_do", value_text(c->remedy));
  return v;
}

static int print_code(const given *g, const code_help *c) {
  arena a = {0};
  value v = code_value(&a, c);
  if (g->json)
    screen_json(stdout, &v);
  else
    printf("%s: %s\n\nWhat to do: %s\n", c->code, c->meaning, c->remedy);
  arena_free(&a);
  return EXIT_FINE;
}

static int print_command(const command *c) {
  buffer b;
  buffer_init(&b, 64 * 1024);
  options_help(c, &b);
  fputs(buffer_text(&b), stdout);
  buffer_free(&b);
  return EXIT_FINE;
}

static int print_codes(const given *g) {
  arena a = {0};
  value list = value_list();
  for (size_t i = 0; codes_at(i); i++) value_add(&a, &list, code_value(&a, codes_at(i)));
  for (size_t i = 0; !g->json && codes_at(i); i++)
    printf("%-16s %s\n", codes_at(i)->code, codes_at(i)->meaning);
  if (g->json) screen_json(stdout, &list);
  arena_free(&a);
  return EXIT_FINE;
}

/* A code is typed as it stands in an error, or in small letters. */
static const code_help *find_code(const char *word) {
  char capitals[64];
  size_t i = 0;
  for (; word[i] && i < sizeof capitals - 1; i++)
    capitals[i] = word[i] >= 'a' && word[i] <= 'z' ? (char)(word[i] - 'a' + 'A') : word[i];
  capitals[i] = 0;
  return codes_find(capitals);
}

static int run(const given *g, dts_error *e) {
  const char *word = given_word(g, 0);
  if (!word && !g->json) return print_commands(), EXIT_FINE;
  if (!word || strcmp(word, "codes") == 0) return print_codes(g);
  bool is_code = word[0] >= 'A' && word[0] <= 'Z';
  const code_help *code = find_code(word);
  const command *c = is_code ? NULL : command_find(word, e);
  if (c) return print_command(c);
  if (code) return print_code(g, code);
  return is_code ? codes_unknown(word, e) : -1;
}

COMMAND(help) = {
    .name = "help",
    .words = "[COMMAND|CODE]",
    .summary = "Explain a command or an error's code; `dts help codes` lists the codes.",
    .most = 1,
    .run = run};
