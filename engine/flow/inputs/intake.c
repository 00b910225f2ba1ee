/* intake.c -- see intake.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/inputs/intake.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "flow/inputs/intake_parts.h"
#include "flow/jobs/jobs.h"
#include "flow/kernel/parts.h"
#include "format/date.h"
#include "format/json.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
enum { NAME_BYTES = 255, FOLDER_BYTES = 1024 };

/* Names that copying programs give while they are at it. */
bool intake_is_passing(const char *name) {
  static const char *const endings[] = {".tmp", ".part", ".filepart", ".crdownload", "~"};
  size_t size = strlen(name);
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    size_t end = strlen(endings[i]);
    if (size > end && strcmp(name + size - end, endings[i]) == 0) return true;
  }
  return false;
}

/* ---- who wants it ---- */

int intake_folder_of(const char *pattern, char *out, size_t room) {
  const char *slash = strrchr(pattern, '/');
  size_t size = slash ? (size_t)(slash - pattern) : 0;
  if (size >= room || pattern[0] == '/') return -1;
  memcpy(out, pattern, size);
  out[size] = '\0';
  return strpbrk(out, "*?[\\") || strstr(out, "..") ? -1 : 0;
}

static bool is_wanted(const char *pattern, const char *folder, const char *name) {
  char of[FOLDER_BYTES];
  const char *slash = strrchr(pattern, '/');
  if (fnmatch(slash ? slash + 1 : pattern, name, FNM_NOESCAPE) != 0) return false;
  return !folder || (intake_folder_of(pattern, of, sizeof of) == 0 && strcmp(of, folder) == 0);
}

static bool wants(const pipeline *p, const char *folder, const char *name) {
  const value *patterns = p->trigger == TRIGGER_FILES ? value_get(p->declared, "files") : NULL;
  for (size_t i = 0; patterns && i < patterns->list.count; i++)
    if (is_wanted(patterns->list.items[i].text.bytes, folder, name)) return true;
  return false;
}

static int check_name(const char *name, dts_error *e) {
  size_t size = strlen(name);
  char shown[TEXT_SHORT];
  bool ok = size > 0 && size <= NAME_BYTES && name[0] != '.' && !strchr(name, '/') &&
            text_is_utf8(name, size, NULL);
  for (size_t i = 0; ok && i < size; i++) ok = (unsigned char)name[i] >= 0x20 && name[i] != 0x7f;
  if (ok) return 0;
  error_fail(e, "FILE_NAME", "%s is no name for a file here", text_shorten(shown, name, size));
  if (e) e->status = 422;
  return error_hint(
      e, "a name has at most 255 bytes, no slash, no control characters, no dot in front");
}

static int refuse(const registry *set, const char *name, dts_error *e) {
  buffer b;
  buffer_init(&b, 480);
  for (size_t i = 0; i < set->pipeline_count; i++) {
    const pipeline *p = &set->pipelines[i];
    const value *patterns = p->trigger == TRIGGER_FILES ? value_get(p->declared, "files") : NULL;
    for (size_t k = 0; patterns && k < patterns->list.count; k++)
      buffer_add_format(&b, "%s%s (%s)", b.size ? ", " : "", patterns->list.items[k].text.bytes,
                        p->name);
  }
  error_fail(e, "NO_PIPELINE", "no pipeline wants a file named '%s'", name);
  error_hint(e, b.size ? "the patterns are: %s" : "no pipeline declares files = \"...\"%s",
             b.size ? buffer_text(&b) : "");
  buffer_free(&b);
  if (e) e->status = 409;
  return -1;
}

const pipeline *intake_match(const registry *set, const char *folder, const char *name,
                             dts_error *e) {
  const pipeline *found = NULL;
  if (check_name(name, e) < 0) return NULL;
  for (size_t i = 0; i < set->pipeline_count; i++) {
    const pipeline *p = &set->pipelines[i];
    if (!wants(p, folder, name)) continue;
    if (found) {
      error_fail(e, "AMBIGUOUS", "'%s' is wanted by two pipelines, '%s' and '%s'", name,
                 found->name, p->name);
      error_hint(e, "make one of the two patterns narrower");
      if (e) e->status = 409;
      return NULL;
    }
    found = p;
  }
  if (!found) refuse(set, name, e);
  return found;
}

/* ---- the write ---- */

typedef struct taking {
  intake *intake;
  arena memory;
  const char *pipeline, *group, *day, *input;
  intake_file file;
  int limit;
  int64_t now;
  intake_taken taken;
  intake_then *then;
  void *arg;
} taking;

static int find_row(void *arg, const store_header *header, const value *row, dts_error *e) {
  taking *t = arg;
  (void)header, (void)e;
  t->taken.id = row[0].integer;
  t->taken.name = arena_copy(&t->memory, row[3].text.bytes, row[3].text.size);
  t->taken.job = row[1].kind == VALUE_INTEGER ? row[1].integer : 0;
  if (row[2].kind == VALUE_TEXT)
    t->taken.pipeline = arena_copy(&t->memory, row[2].text.bytes, row[2].text.size);
  return 0;
}

/* A content counts once for each pipeline, whatever the file's name; and so does one that a person
 * replaced by a corrected one (dts_replaced). */
static int find(store_conn *c, taking *t, dts_error *e) {
  value params[] = {value_text(t->file.name), value_text(t->file.object), value_text(t->pipeline)};
  t->taken = (intake_taken){.pipeline = t->pipeline, .name = t->file.name};
  return store_select(
      c,
      "select id, job, pipeline, name from dts_file where (pipeline = ?3 or name = ?1) and (sha256 "
      "= ?2 or id in (select file from dts_replaced where sha256 = ?2)) order by (name = ?1) desc, "
      "id limit 1",
      params, COUNT(params), find_row, t, e);
}

static int insert_job(store_conn *c, taking *t, dts_error *e) {
  bool fresh;
  firing f = {.pipeline = t->pipeline, .trigger = "files", .day = t->day};
  if (jobs_fire(c, &f, t->now, e) < 0) return -1;
  job_new n = {.firing = f.id,
               .pipeline = t->pipeline,
               .trigger = "files",
               .kind = "file",
               .name = t->file.name,
               .group = t->group,
               .input = t->input,
               .limit = t->limit};
  return jobs_insert(c, &n, t->now, &t->taken.job, &fresh, e);
}

static int take_work(store_conn *c, void *arg, dts_error *e) {
  taking *t = arg;
  if (find(c, t, e) < 0) return -1;
  if (t->taken.id) return 0;
  if (insert_job(c, t, e) < 0) return -1;
  value params[] = {value_text(t->file.name),    value_integer(t->file.size),
                    value_text(t->file.object),  value_text(t->pipeline),
                    value_integer(t->taken.job), value_integer(t->now)};
  if (store_exec(c,
                 "insert into dts_file (name, size, sha256, pipeline, job, at) values (?1, ?2, ?3, "
                 "?4, ?5, ?6)",
                 params, COUNT(params), e) < 0)
    return -1;
  t->taken.id = store_last_id(c);
  t->taken.fresh = true;
  store_touch(c, "dts_file");
  return 0;
}

static void take_then(void *arg, int result, const dts_error *e) {
  taking *t = arg;
  t->intake->under_way--;
  t->then(t->arg, result < 0 ? NULL : &t->taken, result < 0 ? e : NULL);
  arena_free(&t->memory);
  free(t);
}

static const char *input_of(arena *a, const intake_file *f) {
  value v = value_map();
  buffer b;
  buffer_init(&b, 4096);
  value_set(a, &v, "name", value_text(f->name));
  value_set(a, &v, "size", value_integer(f->size));
  value_set(a, &v, "sha256", value_text(f->object));
  value_set(a, &v, "object", value_text(f->object));
  json_write(&b, &v);
  const char *text = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return text;
}

void intake_take(intake *k, const char *folder, const intake_file *f, intake_then *then,
                 void *arg) {
  dts_error e;
  const pipeline *p = intake_match(kernel_current(k->kernel), folder, f->name, &e);
  if (!p) return then(arg, NULL, &e);
  taking *t = memory_alloc(sizeof *t);
  *t = (taking){
      .intake = k, .limit = p->retry, .now = kernel_now(k->kernel), .then = then, .arg = arg};
  arena *a = &t->memory;
  char *day = arena_alloc(a, 11);
  date_write(zone_date(p->zone, t->now), day);
  t->file = (intake_file){arena_text(a, f->name), arena_text(a, f->object), f->size};
  t->pipeline = arena_text(a, p->name);
  t->group = arena_text(a, value_get_text(p->declared, "group", NULL));
  t->day = day;
  t->input = input_of(a, &t->file);
  k->under_way++;
  kernel_write(k->kernel, take_work, take_then, t);
}

/* ---- opening and closing ---- */

intake *intake_open(kernel *k) {
  intake *t = memory_alloc(sizeof *t);
  t->kernel = k;
  return t;
}

void intake_start(intake *t) {
  if (!t->watch) t->watch = folder_watch_open(t);
}

void intake_stop(intake *t) { t->stopping = true; }

void intake_close(intake *t) {
  if (!t) return;
  folder_watch_close(t->watch);
  free(t);
}

bool intake_idle(const intake *t) {
  return t->under_way == 0 && (!t->watch || folder_watch_idle(t->watch));
}
