/* project_files.c -- the scripts below pipelines/: which there are, and which of them changed (project_parts.h).
 *
 * A script is stale when any text that it was made of differs from what is on disk now: its own, its modules',
 * its data files'. Nothing is remembered of times or sizes of files.
 *
 * SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "flow/kernel/parts.h"
#include "flow/reload/files_read.h"
#include "flow/reload/project_parts.h"

enum { DEPTH = 6, FILES = 4096 };

entry *project_entry(project *p, const char *file) {
  for (size_t i = 0; i < p->count; i++)
    if (strcmp(p->entries[i].file, file) == 0) return &p->entries[i];
  if (p->count == FILES) return NULL;
  pthread_mutex_lock(&p->lock);
  p->entries = memory_grow(p->entries, (p->count + 1) * sizeof *p->entries);
  p->entries[p->count++] = (entry){.file = memory_text(file)};
  pthread_mutex_unlock(&p->lock);
  return &p->entries[p->count - 1];
}

static bool ends_in_lua(const char *name) {
  size_t size = strlen(name);
  return size > 4 && strcmp(name + size - 4, ".lua") == 0 && name[0] != '.';
}

static void scan(project *p, const char *folder, int depth) {
  char path[4096], below[2048];
  snprintf(path, sizeof path, "%s/%s", kernel_root(p->kernel), folder);
  struct dirent **names;
  int count = scandir(path, &names, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    const char *name = names[i]->d_name;
    struct stat s;
    snprintf(below, sizeof below, "%s/%s", folder, name);
    snprintf(path, sizeof path, "%s/%s", kernel_root(p->kernel), below);
    bool is_there = name[0] != '.' && stat(path, &s) == 0;
    if (is_there && S_ISDIR(s.st_mode) && depth < DEPTH) scan(p, below, depth + 1);
    bool is_script = is_there && S_ISREG(s.st_mode) && ends_in_lua(name);
    entry *e = is_script ? project_entry(p, below) : NULL;
    if (e) e->seen = true;
    if (is_script && !e)
      log_error("%s is not loaded: a project has %d scripts at most", below, FILES);
    free(names[i]);
  }
  if (count >= 0) free(names);
}

static void find_files(project *p) {
  for (size_t i = 0; i < p->count; i++) p->entries[i].seen = false;
  if (p->only)
    project_entry(p, p->only)->seen = true;
  else
    scan(p, "pipelines", 0);
}

/* A module's text, or a data file's; none is no text that was ever loaded. */
static const char *source_now(project *p, const char *name, arena *a) {
  module now;
  bool data = strchr(name, '/') != NULL;
  int rc = data ? files_read_data(kernel_root(p->kernel), name, a, &now.source, NULL)
                : kernel_find_module(p->kernel, name, a, &now, NULL);
  return rc == 0 ? now.source : "\001";
}

/* Has any text that the script was made of changed? */
static bool is_stale(project *p, const script *s) {
  arena a = {0};
  const char *text;
  bool same = files_read(kernel_root(p->kernel), s->file, &a, &text, NULL) == 0 &&
              strcmp(text, s->source) == 0;
  for (size_t i = 0; same && i < s->module_count; i++) {
    same = strcmp(source_now(p, s->modules[i].name, &a), s->modules[i].source) == 0;
  }
  arena_free(&a);
  return !same;
}

/* A file that is gone may be on its way: editors and copying programs take one away before they put the new
 * one there. Alone, it is looked for once more before its absence counts. */
static bool wait_for_gone(project *p) {
  bool gone = false, other = false;
  for (size_t i = 0; i < p->count; i++) {
    const entry *e = &p->entries[i];
    gone = gone || (e->good && !e->seen);
    other = other || e->stale;
  }
  if (!gone || other || p->sure) return false;
  for (size_t i = 0; i < p->count; i++)
    if (p->entries[i].good) p->entries[i].seen = true;
  return true;
}

bool project_find(project *p) {
  find_files(p);
  for (size_t i = 0; i < p->count; i++) {
    entry *e = &p->entries[i];
    e->stale = e->seen && (!e->good || e->faulty || p->all_stale || is_stale(p, e->good));
  }
  p->all_stale = false;
  return wait_for_gone(p);
}
