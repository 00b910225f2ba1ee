/* options.c -- see options.h.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"

enum { OPTIONS = 32 };

static const command_option common[] = {{"json", NULL, "print JSON, for programs"},
                                        {"color", "WHEN", "auto (the default), always or never"},
                                        {"help", NULL, "print this help"}};
enum { COMMON = sizeof common / sizeof *common };

static size_t own_count(const command *c) {
  size_t count = 0;
  while (c->options && c->options[count].name) count++;
  return count;
}

static const command_option *option_at(const command *c, size_t i) {
  size_t own = own_count(c);
  if (i < own) return &c->options[i];
  return i - own < COMMON ? &common[i - own] : NULL;
}

static int fail_unknown(const command *c, const char *typed, const char *name, dts_error *e) {
  const char *names[OPTIONS + COMMON + 1] = {0};
  const command_option *o;
  for (size_t i = 0; i < OPTIONS && (o = option_at(c, i)); i++) names[i] = o->name;
  const char *nearest = error_nearest(name, names);
  error_fail(e, "USAGE", "'dts %s' has no option '%s'", c->name, typed);
  if (!nearest) return error_hint(e, "`dts help %s` lists its options", c->name);
  return error_hint(e, "did you mean '%s%s'?", nearest[1] ? "--" : "-", nearest);
}

static const command_option *find(const command *c, const char *name, size_t size) {
  const command_option *o;
  for (size_t i = 0; (o = option_at(c, i)); i++)
    if (strlen(o->name) == size && memcmp(o->name, name, size) == 0) return o;
  return NULL;
}

/* One option at arguments[i]; gives how many arguments it took, or -1. */
static int read_option(const command *c, int count, char **arguments, int i, given *out,
                       dts_error *e) {
  const char *typed = arguments[i], *name = typed + (typed[1] == '-' ? 2 : 1);
  size_t size = strcspn(name, "=");
  bool is_short = typed[1] != '-';
  const command_option *o = is_short == (size == 1) ? find(c, name, size) : NULL;
  if (!o && strcmp(typed, "-h") == 0) o = find(c, "help", 4);
  if (!o) return fail_unknown(c, typed, name, e);
  given_option *g = &out->options[out->option_count++];
  *g = (given_option){o->name, ""};
  out->json = out->json || strcmp(o->name, "json") == 0;
  out->help = out->help || strcmp(o->name, "help") == 0;
  if (!o->argument) {
    if (!name[size]) return 1;
    return error_fail(e, "USAGE", "'%.*s' takes no value", (int)(name + size - typed), typed);
  }
  if (name[size]) return g->text = name + size + 1, 1;
  if (i + 1 == count)
    return error_fail(e, "USAGE", "'%s' needs a value: %s %s", typed, typed, o->argument);
  return g->text = arguments[i + 1], 2;
}

static int check_words(const command *c, given *out, dts_error *e) {
  if (out->help) return 0;
  if (out->word_count < c->least)
    error_fail(e, "USAGE", "'dts %s' needs %s", c->name, c->words);
  else if (out->word_count > c->most)
    error_fail(e, "USAGE", "'%s' is one word too many for 'dts %s%s%s'", out->words[c->most],
               c->name, c->words[0] ? " " : "", c->words);
  else
    return 0;
  return error_hint(e, "`dts help %s` shows how it is used", c->name);
}

int options_read(const command *c, int count, char **arguments, arena *a, given *out,
                 dts_error *e) {
  bool only_words = false;
  *out = (given){.command = c};
  out->words = arena_alloc(a, ((size_t)count + 1) * sizeof *out->words);
  out->options = arena_alloc(a, ((size_t)count + 1) * sizeof *out->options);
  for (int i = 0; i < count;) {
    const char *typed = arguments[i];
    bool is_option = !only_words && typed[0] == '-' && typed[1];
    int took = 1;
    if (is_option && strcmp(typed, "--") == 0)
      only_words = true;
    else if (!is_option)
      out->words[out->word_count++] = typed;
    else if ((took = read_option(c, count, arguments, i, out, e)) < 0)
      return -1;
    i += took;
  }
  static const char *const when[] = {"auto", "always", "never", NULL};
  if (given_one_of(out, "color", when, e) < 0) return -1;
  return check_words(c, out, e);
}

/* ---- help ---- */

static size_t shown_size(const command_option *o) {
  return strlen(o->name) + (o->name[1] ? 2 : 1) + (o->argument ? strlen(o->argument) + 1 : 0);
}

void options_help(const command *c, buffer *out) {
  const command_option *o;
  size_t widest = 0;
  for (size_t i = 0; (o = option_at(c, i)); i++)
    if (shown_size(o) > widest) widest = shown_size(o);
  buffer_add_format(out, "Usage: dts %s%s%s [OPTIONS]\n\n%s\n", c->name, c->words[0] ? " " : "",
                    c->words, c->summary);
  if (c->details) buffer_add_format(out, "\n%s\n", c->details);
  buffer_add_text(out, "\nOptions:\n");
  for (size_t i = 0; (o = option_at(c, i)); i++)
    buffer_add_format(out, "  %s%s%s%s%*s  %s\n", o->name[1] ? "--" : "-", o->name,
                      o->argument ? " " : "", o->argument ? o->argument : "",
                      (int)(widest - shown_size(o)), "", o->help);
}

/* ---- what was given ---- */

const char *given_word(const given *g, size_t i) { return i < g->word_count ? g->words[i] : NULL; }

const char *given_each(const given *g, const char *name, size_t *at) {
  while (*at < g->option_count) {
    const given_option *o = &g->options[(*at)++];
    if (strcmp(o->name, name) == 0) return o->text;
  }
  return NULL;
}

bool given_has(const given *g, const char *name) {
  size_t at = 0;
  return given_each(g, name, &at) != NULL;
}

const char *given_text(const given *g, const char *name, const char *otherwise) {
  size_t at = 0;
  const char *text;
  while ((text = given_each(g, name, &at))) otherwise = text;
  return otherwise;
}

int given_integer(const given *g, const char *name, int64_t otherwise, int64_t *out, dts_error *e) {
  const char *text = given_text(g, name, NULL);
  char *end;
  *out = otherwise;
  if (!text) return 0;
  errno = 0;
  *out = strtoll(text, &end, 10);
  if (*text && !*end && !errno && *out > 0) return 0;
  return error_fail(e, "USAGE", "%s%s: a whole number above 0 expected, got \"%s\"",
                    name[1] ? "--" : "-", name, text);
}

int given_choice(const given *g, size_t i, const char *const *names, dts_error *e) {
  const char *word = given_word(g, i), *nearest;
  for (int n = 0; names[n]; n++)
    if (word && strcmp(names[n], word) == 0) return n;
  nearest = word ? error_nearest(word, names) : NULL;
  error_fail(e, "USAGE", "'dts %s' has nothing called '%s'", g->command->name, word ? word : "");
  if (nearest) return error_hint(e, "did you mean 'dts %s %s'?", g->command->name, nearest);
  return error_hint(e, "one of: %s", g->command->words);
}

int given_one_of(const given *g, const char *name, const char *const *names, dts_error *e) {
  const char *text = given_text(g, name, NULL), *nearest;
  buffer b;
  for (size_t n = 0; text && names[n]; n++)
    if (strcmp(names[n], text) == 0) return 0;
  if (!text) return 0;
  nearest = error_nearest(text, names);
  error_fail(e, "USAGE", "--%s: there is no '%s'", name, text);
  if (nearest) return error_hint(e, "did you mean '%s'?", nearest);
  buffer_init(&b, 4096);
  for (size_t n = 0; names[n]; n++) buffer_add_format(&b, "%s%s", n ? ", " : "", names[n]);
  error_hint(e, "one of: %s", buffer_text(&b));
  buffer_free(&b);
  return -1;
}

int given_params(const given *g, arena *a, value *params, dts_error *e) {
  const char *text;
  *params = value_map();
  for (size_t at = 0; (text = given_each(g, "param", &at));) {
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
      return error_fail(e, "USAGE", "--param: NAME=VALUE expected, got \"%s\"", text);
    value_set(a, params, arena_copy(a, text, (size_t)(equals - text)), value_text(equals + 1));
  }
  return 0;
}
