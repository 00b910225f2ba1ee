/* new.c -- dts new NAME: a small project that works: table, pipeline, route, chart, and a spec
 * that passes offline.
 *
 * The files are those of engine/command/template, compiled in; NAME stands for the project's name,
 * and "gitignore" and "luarc.json" get their dots here.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "command/command.h"
#include "command/screen.h"
#include "command/shipped.h"

static int check_name(const char *name, dts_error *e) {
  size_t size = strlen(name);
  bool good = size > 0 && size <= 64 && name[0] != '-' && name[0] != '.';
  for (const char *c = name; *c; c++)
    good = good && ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                    (*c >= '0' && *c <= '9') || *c == '-' || *c == '_' || *c == '.');
  if (good) return 0;
  error_fail(e, "USAGE", "a project cannot be called \"%s\"", name);
  return error_hint(e, "use letters, digits, - and _");
}

/* The text with each word NAME replaced. */
static void fill_in(buffer *out, const embed_file *file, const char *name) {
  const char *at = file->bytes, *found;
  while (at < file->end && (found = memmem(at, (size_t)(file->end - at), "NAME", 4))) {
    buffer_add(out, at, (size_t)(found - at));
    buffer_add_text(out, name);
    at = found + 4;
  }
  buffer_add(out, at, (size_t)(file->end - at));
}

static const char *name_of(const embed_file *file, arena *a) {
  bool hidden = strcmp(file->name, "gitignore") == 0 || strcmp(file->name, "luarc.json") == 0 ||
                strncmp(file->name, "editor/", 7) == 0;
  return arena_format(a, "%s%s", hidden ? "." : "", file->name);
}

static int write_one(const char *folder, const char *name, const embed_file *file, const char *path,
                     dts_error *e) {
  arena a = {0};
  buffer text;
  const char *target = arena_format(&a, "%s/%s", folder, path);
  char *parent = arena_text(&a, target);
  *strrchr(parent, '/') = 0;
  buffer_init(&text, 1 << 20);
  if (strcmp(file->name, "dts.lua") == 0)
    fill_in(&text, file, name);
  else
    buffer_add(&text, file->bytes, (size_t)(file->end - file->bytes));
  int rc = file_make_folder(parent, 0777, e);
  if (rc == 0) rc = file_write_atomic(target, text.data, text.size, 0644, e);
  buffer_free(&text);
  arena_free(&a);
  return rc;
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  const char *folder = given_word(g, 0), *slash = strrchr(folder, '/'),
             *name = slash ? slash + 1 : folder;
  value files = value_list(), answer = value_map();
  int rc = check_name(name, e);
  if (rc == 0 && mkdir(folder, 0777) < 0) {
    rc = error_fail(e, "FILE", "the folder '%s' cannot be made: %s", folder, strerror(errno));
    error_hint(e,
               "give a name that is not taken; `dts new` never writes into a folder that is there");
  }
  for (const embed_file *f = shipped_template(); rc == 0 && f->name; f++) {
    const char *path = name_of(f, &a);
    rc = write_one(folder, name, f, path, e);
    value_add(&a, &files, value_text(path));
    if (rc == 0 && !g->json) printf("  %s/%s\n", folder, path);
  }
  value_set(&a, &answer, "folder", value_text(folder));
  value_set(&a, &answer, "files", files);
  if (rc == 0 && g->json)
    screen_json(stdout, &answer);
  else if (rc == 0)
    printf("\nnext:  cd %s && dts test && dts serve\n"
           "then:  dts run rates, which asks www.ecb.europa.eu for today's rates\n",
           folder);
  arena_free(&a);
  return rc;
}

COMMAND(new) = {
    .name = "new",
    .words = "NAME",
    .summary = "Make a small project that works: table, pipeline, route, chart and spec.",
    .least = 1,
    .most = 1,
    .run = run};
