/* schemas.c -- see schemas.h. Files are read when the folder's fingerprint (paths, sizes, times of
 * change) moved, and compiled when first asked for. Links are not followed.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/inputs/schemas.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "format/json.h"

enum { DEPTH = 8, FILES = 4096, FILE_BYTES = 4 * 1024 * 1024 };

typedef struct entry {
  const char *path, *uri; /* uri: what schema_compile knows it by */
  schema *compiled;       /* NULL: not asked for yet */
  dts_error fault;        /* code "": none */
} entry;

struct schemas_set {
  atomic_int refs;
  pthread_mutex_t lock; /* of compiling */
  arena memory;
  schema_set *documents;
  entry *entries; /* sorted by path */
  size_t count, faults;
  uint64_t fingerprint;
};

struct schemas {
  pthread_mutex_t lock;
  char *root;
  int64_t look_ms, looked;
  uint64_t fingerprint; /* of the last look; the set in force may be older */
  schemas_set *set;
};

/* ---- the folder ---- */

typedef struct found {
  arena *memory;
  const char *root;
  const char **paths;
  size_t count;
  uint64_t fingerprint;
} found;

static void mix(found *f, const void *bytes, size_t size) { /* FNV-1a */
  const unsigned char *b = bytes;
  for (size_t i = 0; i < size; i++) f->fingerprint = (f->fingerprint ^ b[i]) * 1099511628211u;
}

static void add_file(found *f, const char *path, const struct stat *s) {
  size_t size = strlen(path);
  if (size < 5 || strcmp(path + size - 5, ".json") != 0 || f->count == FILES) return;
  int64_t facts[] = {(int64_t)s->st_ino, (int64_t)s->st_size, (int64_t)s->st_mtim.tv_sec,
                     (int64_t)s->st_mtim.tv_nsec};
  mix(f, path, size + 1);
  mix(f, facts, sizeof facts);
  f->paths[f->count++] = path;
}

static void look(found *f, const char *folder, int depth) {
  struct dirent **names;
  int count = scandir(arena_format(f->memory, "%s/%s", f->root, folder), &names, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    struct stat s;
    const char *path = arena_format(f->memory, "%s/%s", folder, names[i]->d_name);
    bool there = names[i]->d_name[0] != '.' &&
                 lstat(arena_format(f->memory, "%s/%s", f->root, path), &s) == 0;
    if (there && S_ISDIR(s.st_mode) && depth < DEPTH) look(f, path, depth + 1);
    if (there && S_ISREG(s.st_mode)) add_file(f, path, &s);
    free(names[i]);
  }
  if (count >= 0) free(names);
}

static found look_at(arena *a, const char *root) {
  found f = {a, root, arena_alloc(a, FILES * sizeof(char *)), 0, 14695981039346656037u};
  look(&f, "schemas", 0);
  return f;
}

/* ---- a new set ---- */

/* A relative $id ("star$created") is a name of its own, to which references are relative: then
 * the path is no name beside it. */
static const char *name_of(const value *document, const char *path, bool *by_id) {
  const char *id = document->kind == VALUE_MAP ? value_get_text(document, "$id", NULL) : NULL;
  *by_id = id && !strstr(id, "://") && strncmp(id, "urn:", 4) != 0;
  return *by_id ? id : path + strlen("schemas/");
}

static int read_document(schemas_set *set, const char *root, entry *x, dts_error *e) {
  arena a = {0};
  value document;
  buffer b;
  bool by_id;
  buffer_init(&b, FILE_BYTES);
  int rc = file_read(arena_format(&a, "%s/%s", root, x->path), FILE_BYTES, &b, e);
  if (rc == 0) rc = json_read(&a, b.data, b.size, &document, e);
  if (rc == 0) {
    x->uri = arena_text(&set->memory, name_of(&document, x->path, &by_id));
    rc = schema_add(set->documents, by_id ? NULL : x->uri, &document, e);
  }
  buffer_free(&b);
  arena_free(&a);
  return rc;
}

static int blame(const entry *x, const dts_error *cause, dts_error *e) {
  error_fail(e, "SCHEMA", "%s cannot be used: %.800s", x->path, cause->message);
  if (!e) return -1;
  e->status = 503;
  e->retryable = true;
  return error_hint(e, "correct the schema; nothing was taken, so the sender may try again");
}

static void add_entry(schemas_set *set, const char *root, const char *path) {
  entry *x = &set->entries[set->count++];
  dts_error cause = {0};
  x->path = arena_text(&set->memory, path);
  if (read_document(set, root, x, &cause) == 0) return;
  blame(x, &cause, &x->fault);
  set->faults++;
}

static int by_path(const void *a, const void *b) {
  return strcmp(((const entry *)a)->path, ((const entry *)b)->path);
}

static schemas_set *make_set(const char *root, const found *f) {
  schemas_set *set = memory_alloc(sizeof *set);
  *set = (schemas_set){.documents = schema_set_open(), .fingerprint = f->fingerprint};
  atomic_init(&set->refs, 1);
  pthread_mutex_init(&set->lock, NULL);
  set->entries = arena_alloc(&set->memory, f->count * sizeof *set->entries);
  for (size_t i = 0; i < f->count; i++) add_entry(set, root, f->paths[i]);
  if (set->count) qsort(set->entries, set->count, sizeof *set->entries, by_path);
  return set;
}

static void tell_faults(const schemas_set *set, bool kept) {
  for (size_t i = 0; i < set->count; i++)
    if (set->entries[i].fault.code[0])
      log_warn("%s%s", set->entries[i].fault.message,
               kept ? "; the schemas as they were stay in force" : "");
}

static void refresh(schemas *s) {
  arena a = {0};
  found f = look_at(&a, s->root);
  if (!s->set || f.fingerprint != s->fingerprint) {
    schemas_set *fresh = make_set(s->root, &f);
    bool kept = fresh->faults && s->set;
    tell_faults(fresh, kept);
    schemas_give(kept ? fresh : s->set);
    if (!kept) s->set = fresh;
  }
  s->fingerprint = f.fingerprint;
  arena_free(&a);
}

/* ---- for others ---- */

schemas *schemas_open(const char *root, int64_t look_ms) {
  schemas *s = memory_alloc(sizeof *s);
  *s = (schemas){.root = memory_text(root), .look_ms = look_ms};
  pthread_mutex_init(&s->lock, NULL);
  return s;
}

void schemas_close(schemas *s) {
  if (!s) return;
  schemas_give(s->set);
  pthread_mutex_destroy(&s->lock);
  free(s->root);
  free(s);
}

schemas_set *schemas_take(schemas *s) {
  pthread_mutex_lock(&s->lock);
  int64_t now = clock_monotonic_ms();
  if (!s->set || now - s->looked >= s->look_ms) {
    refresh(s);
    s->looked = now;
  }
  schemas_set *set = s->set;
  atomic_fetch_add(&set->refs, 1);
  pthread_mutex_unlock(&s->lock);
  return set;
}

void schemas_give(schemas_set *set) {
  if (!set || atomic_fetch_sub(&set->refs, 1) > 1) return;
  for (size_t i = 0; i < set->count; i++) schema_free(set->entries[i].compiled);
  schema_set_close(set->documents);
  pthread_mutex_destroy(&set->lock);
  arena_free(&set->memory);
  free(set);
}

static void compile(schemas_set *set, entry *x) {
  dts_error cause = {0};
  pthread_mutex_lock(&set->lock);
  if (!x->compiled && !x->fault.code[0]) {
    schema *made = schema_compile(set->documents, x->uri, &cause);
    if (!made) blame(x, &cause, &x->fault);
    x->compiled = made;
  }
  pthread_mutex_unlock(&set->lock);
}

int schemas_find(schemas_set *set, const char *path, const schema **out, dts_error *e) {
  entry key = {.path = path};
  entry *x = set->count ? bsearch(&key, set->entries, set->count, sizeof key, by_path) : NULL;
  if (!x) return 0;
  compile(set, x);
  *out = x->compiled;
  if (x->compiled) return 1;
  if (e) *e = x->fault;
  return -1;
}
