/* intake_folder.c -- files that are closed or moved whole into the folders of the patterns.
 *
 * inotify tells of what comes while the engine runs; a look at the folders, at the start and
 * after each reload, finds what came before: those files must have kept size and time for a
 * second. A file whose content was taken and whose inode has not changed since is passed over.
 * One is taken at a time; all reading happens on a pool thread. Links are not followed, and
 * nothing here is moved or deleted.
 *
 * SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "flow/inputs/intake_arrival.h"
#include "flow/inputs/intake_parts.h"
#include "flow/kernel/parts.h"

enum { SETTLE_MS = 1000, LATER_MS = 5000, FOLDERS = 256 };
#define EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR)

typedef struct folder {
  char *path; /* relative */
  int wd;
} folder;

struct folder_watch {
  intake *intake;
  int fd;
  folder folders[FOLDERS];
  size_t count;
  arrival *waiting;           /* in the order of their coming */
  loop_timer *settle, *later; /* later: one could not be kept */
  uint64_t listening;
  bool looking, look_again, taking;
  intake_said said;
};

static void take_next(folder_watch *w);

/* ---- arrivals ---- */

static void place(char out[PATH_MAX], const folder_watch *w, const arrival *a) {
  arrival_path(out, kernel_root(w->intake->kernel), a);
}

static void add(folder_watch *w, arrival *a) { arrival_add(&w->waiting, a); }

/* Whether some pipeline wants it; one that two want, or nobody who was told of it, is logged. */
static bool is_wanted(folder_watch *w, const arrival *a, bool came) {
  dts_error e = {0};
  if (intake_match(kernel_current(w->intake->kernel), a->folder, a->name, &e)) return true;
  bool told = strcmp(e.code, "AMBIGUOUS") == 0 || (came && !intake_is_passing(a->name));
  if (told && arrival_is_news(&w->said, a, e.message))
    log_warn("%s%s%s stays where it is: %s%s%s", a->folder, *a->folder ? "/" : "", a->name,
             e.message, e.hint[0] ? "; " : "", e.hint);
  return false;
}

/* ---- a look at the folders, on a pool thread ---- */

typedef struct look {
  folder_watch *watch;
  char *folders[FOLDERS];
  size_t count;
  arrival *found, **end;
} look;

/* Whether this very file was taken before: known by name and size, and untouched since. */
static int is_known(store_conn *c, void *arg, dts_error *e) {
  arrival *a = arg;
  value known,
      params[] = {value_text(a->name), value_integer(a->size), value_integer(a->inode_changed)};
  if (store_get(c, "select count(*) from dts_file where name = ?1 and size = ?2 and at >= ?3",
                params, 3, NULL, &known, e) < 0)
    return -1;
  a->whole = known.integer > 0;
  return 0;
}

static void look_at(look *l, const char *of, const char *name) {
  char path[PATH_MAX];
  struct stat s;
  arrival *a = arrival_new(of, name);
  place(path, l->watch, a);
  bool there = lstat(path, &s) == 0 && S_ISREG(s.st_mode);
  if (there) arrival_note(a, &s);
  if (there) store_read(kernel_store(l->watch->intake->kernel), is_known, a, NULL);
  if (!there || a->whole) return arrival_free(a);
  *l->end = a;
  l->end = &a->next;
}

static void look_work(void *arg) {
  look *l = arg;
  for (size_t i = 0; i < l->count; i++) {
    char path[PATH_MAX];
    struct dirent **names;
    snprintf(path, sizeof path, "%s/%s", kernel_root(l->watch->intake->kernel), l->folders[i]);
    int count = scandir(path, &names, NULL, alphasort);
    for (int k = 0; k < count; k++) {
      if (names[k]->d_name[0] != '.') look_at(l, l->folders[i], names[k]->d_name);
      free(names[k]);
    }
    if (count >= 0) free(names);
  }
}

static void look_everywhere(folder_watch *w);

static void look_then(void *arg) {
  look *l = arg;
  folder_watch *w = l->watch;
  for (arrival *a = l->found, *next; a; a = next) {
    next = a->next;
    a->next = NULL;
    if (is_wanted(w, a, false))
      add(w, a);
    else
      arrival_free(a);
  }
  for (size_t i = 0; i < l->count; i++) free(l->folders[i]);
  free(l);
  w->looking = false;
  if (w->look_again) look_everywhere(w);
  take_next(w);
}

static void look_everywhere(folder_watch *w) {
  w->look_again = w->looking;
  if (w->looking) return;
  look *l = memory_alloc(sizeof *l);
  *l = (look){.watch = w, .count = w->count};
  l->end = &l->found;
  for (size_t i = 0; i < w->count; i++) l->folders[i] = memory_text(w->folders[i].path);
  w->looking = true;
  loop_defer(kernel_loop(w->intake->kernel), look_work, look_then, l);
}

/* ---- taking one ---- */

typedef enum outcome { GOT, CHANGED, GONE, FAILED } outcome;

typedef struct taking {
  folder_watch *watch;
  arrival *arrival;
  char object[65];
  outcome outcome;
  dts_error error;
} taking;

static outcome read_file(taking *t, int fd) {
  struct stat before, after;
  arrival *a = t->arrival;
  int64_t size;
  if (fstat(fd, &before) < 0 || !S_ISREG(before.st_mode)) return GONE;
  bool still = a->whole || arrival_is_same(a, &before);
  arrival_note(a, &before);
  if (!still) return CHANGED;
  if (objects_put_file(kernel_objects(t->watch->intake->kernel), fd, t->object, &size, &t->error) <
      0)
    return FAILED;
  if (fstat(fd, &after) < 0 || !arrival_is_same(a, &after) || size != a->size) return CHANGED;
  return GOT;
}

static void take_work(void *arg) {
  taking *t = arg;
  char path[PATH_MAX];
  place(path, t->watch, t->arrival);
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  t->outcome = fd < 0 ? GONE : read_file(t, fd);
  if (fd >= 0) close(fd);
}

static void finish(taking *t) {
  folder_watch *w = t->watch;
  arrival_free(t->arrival);
  free(t);
  w->taking = false;
  take_next(w);
}

static void on_later(void *arg) {
  ((folder_watch *)arg)->later = NULL;
  look_everywhere(arg);
}

/* What lies in the folders is looked at again: a disk that is full has room some day. */
static void try_later(folder_watch *w) {
  if (!w->later) w->later = loop_after(kernel_loop(w->intake->kernel), LATER_MS, on_later, w);
}

static void taken(void *arg, const intake_taken *f, const dts_error *e) {
  taking *t = arg;
  if (e) {
    log_warn("%s/%s was not taken: %s", t->arrival->folder, t->arrival->name, e->message);
    if (e->retryable || strcmp(e->code, "DISK_FULL") == 0) try_later(t->watch);
  } else if (f->fresh)
    log_info("%s/%s was taken for '%s'", t->arrival->folder, t->arrival->name, f->pipeline);
  else if (strcmp(f->name, t->arrival->name) != 0 &&
           arrival_is_news(&t->watch->said, t->arrival, f->name))
    log_info("%s/%s is not taken: it has the content of %s, which was", t->arrival->folder,
             t->arrival->name, f->name);
  finish(t);
}

static void take_then(void *arg) {
  taking *t = arg;
  folder_watch *w = t->watch;
  arrival *a = t->arrival;
  intake_file f = {a->name, t->object, a->size};
  if (t->outcome == GOT) return intake_take(w->intake, a->folder, &f, taken, t);
  if (t->outcome == FAILED) {
    log_error("%s/%s could not be kept: %s", a->folder, a->name, t->error.message);
    try_later(w);
  }
  if (t->outcome == CHANGED) { /* somebody still writes: look at it again in a second */
    arrival *later = arrival_new(a->folder, a->name);
    later->size = a->size, later->changed = a->changed;
    add(w, later);
  }
  finish(t);
}

static void take(folder_watch *w, arrival **at) {
  taking *t = memory_alloc(sizeof *t);
  *t = (taking){.watch = w, .arrival = *at};
  *at = t->arrival->next;
  t->arrival->next = NULL;
  w->taking = true;
  loop_defer(kernel_loop(w->intake->kernel), take_work, take_then, t);
}

static void on_settled(void *arg) {
  folder_watch *w = arg;
  w->settle = NULL;
  for (arrival *a = w->waiting; a; a = a->next) a->ready = true;
  take_next(w);
}

static void take_next(folder_watch *w) {
  arrival **at = &w->waiting;
  if (w->taking || !w->waiting || w->intake->stopping) return;
  while (*at && !(*at)->whole && !(*at)->ready) at = &(*at)->next;
  if (*at) return take(w, at);
  if (!w->settle) w->settle = loop_after(kernel_loop(w->intake->kernel), SETTLE_MS, on_settled, w);
}

/* ---- what the system tells ---- */

static const folder *folder_of(const folder_watch *w, int wd) {
  for (size_t i = 0; i < w->count; i++)
    if (w->folders[i].wd == wd) return &w->folders[i];
  return NULL;
}

static void arrived(folder_watch *w, const folder *of, const char *name) {
  char path[PATH_MAX];
  struct stat s;
  if (name[0] == '.') return;
  arrival *a = arrival_new(of->path, name);
  place(path, w, a);
  if (lstat(path, &s) == 0) arrival_note(a, &s);
  if (!is_wanted(w, a, true)) return arrival_free(a);
  a->whole = true;
  add(w, a);
}

static void on_events(void *arg, int fd, bool readable, bool writable) {
  folder_watch *w = arg;
  _Alignas(struct inotify_event) char events[16 * 1024];
  (void)readable, (void)writable;
  ssize_t size = read(fd, events, sizeof events);
  for (ssize_t at = 0; at < size;) {
    const struct inotify_event *event = (const void *)(events + at);
    const folder *of = folder_of(w, event->wd);
    if (event->mask & IN_Q_OVERFLOW) look_everywhere(w);
    bool came = event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO) && !(event->mask & IN_ISDIR);
    if (of && event->len && came) arrived(w, of, event->name);
    at += (ssize_t)(sizeof *event + event->len);
  }
  take_next(w);
}

/* ---- which folders ---- */

static void add_folder(folder_watch *w, const char *of) {
  char path[PATH_MAX];
  dts_error e;
  for (size_t i = 0; i < w->count; i++)
    if (strcmp(w->folders[i].path, of) == 0) return;
  snprintf(path, sizeof path, "%s/%s", kernel_root(w->intake->kernel), of);
  if (w->count == FOLDERS)
    return log_warn("%s is not watched: at most %d folders are", of, FOLDERS);
  if (file_make_folder(path, 0755, &e) < 0) return log_warn("%s is not watched: %s", of, e.message);
  int wd = inotify_add_watch(w->fd, path, EVENTS);
  if (wd < 0) return log_warn("%s is not watched: the system has no watches left", of);
  w->folders[w->count++] = (folder){memory_text(of), wd};
}

static void forget_folders(folder_watch *w) {
  for (; w->count; w->count--) {
    inotify_rm_watch(w->fd, w->folders[w->count - 1].wd);
    free(w->folders[w->count - 1].path);
  }
}

static void add_patterns(folder_watch *w, const pipeline *p) {
  const value *patterns = value_get(p->declared, "files");
  for (size_t i = 0; patterns && i < patterns->list.count; i++) {
    char of[1024];
    const char *pattern = patterns->list.items[i].text.bytes;
    if (intake_folder_of(pattern, of, sizeof of) == 0)
      add_folder(w, of);
    else
      log_warn("'%s' of pipeline '%s' names no folder of the project: uploads alone are taken",
               pattern, p->name);
  }
}

/* Watches before it looks: what comes between the two is seen twice, never missed. */
static void refresh(folder_watch *w) {
  const registry *set = kernel_current(w->intake->kernel);
  forget_folders(w);
  for (size_t i = 0; set && i < set->pipeline_count; i++)
    if (set->pipelines[i].trigger == TRIGGER_FILES) add_patterns(w, &set->pipelines[i]);
  look_everywhere(w);
}

static void on_kernel(void *arg, int op, const value *event) {
  if (op == 0 && strcmp(value_get_text(event, "name", ""), "reload") == 0) refresh(arg);
}

folder_watch *folder_watch_open(intake *t) {
  int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) log_warn("files are not watched for: the system has no watches left");
  if (fd < 0) return NULL;
  folder_watch *w = memory_alloc(sizeof *w);
  *w = (folder_watch){.intake = t, .fd = fd};
  loop_watch(kernel_loop(t->kernel), fd, true, false, on_events, w);
  w->listening = kernel_listen(t->kernel, on_kernel, w);
  refresh(w);
  return w;
}

void folder_watch_close(folder_watch *w) {
  if (!w) return;
  kernel_unlisten(w->intake->kernel, w->listening);
  loop_watch(kernel_loop(w->intake->kernel), w->fd, false, false, NULL, NULL);
  loop_cancel(kernel_loop(w->intake->kernel), w->settle);
  loop_cancel(kernel_loop(w->intake->kernel), w->later);
  forget_folders(w);
  close(w->fd);
  for (arrival *a = w->waiting, *next; a; a = next) {
    next = a->next;
    arrival_free(a);
  }
  free(w);
}

bool folder_watch_idle(const folder_watch *w) { return !w->waiting && !w->taking && !w->looking; }
