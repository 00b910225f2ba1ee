/* watch.c -- see watch.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/watch.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"

enum { SETTLE_MS = 50, LONGEST_MS = 250, DEPTH = 8 };
/* IN_ATTRIB: a file that could not be read can be, now. */
#define EVENTS                                                                                     \
  (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB | IN_ONLYDIR)

struct watch {
  loop *loop;
  int fd, root_id;
  bool warned;
  int64_t first; /* event that was not told yet; 0: all were */
  char *root;
  const char *const *folders;
  loop_timer *settle;
  loop_fn *saved;
  void *arg;
};

static int add_one(watch *w, const char *path) {
  int id = inotify_add_watch(w->fd, path, EVENTS);
  if (id >= 0 || (errno != ENOSPC && errno != ENOMEM) || w->warned) return id;
  log_warn("saved files below %s are not noticed: the system has no watches left "
           "(sysctl fs.inotify.max_user_watches); `kill -HUP` has the scripts read again",
           path);
  w->warned = true;
  return id;
}

static void add_below(watch *w, const char *path, int depth) {
  if (add_one(w, path) < 0 || depth == DEPTH) return;
  DIR *folder = opendir(path);
  for (struct dirent *d; folder && (d = readdir(folder));) {
    char below[4096];
    struct stat s;
    if (d->d_name[0] == '.') continue;
    int size = snprintf(below, sizeof below, "%s/%s", path, d->d_name);
    if (size < 0 || (size_t)size >= sizeof below) continue;
    if (stat(below, &s) == 0 && S_ISDIR(s.st_mode)) add_below(w, below, depth + 1);
  }
  if (folder) closedir(folder);
}

static void add_all(watch *w) { /* adding one twice is harmless */
  char path[4096];
  w->root_id = add_one(w, w->root);
  for (size_t i = 0; w->folders[i]; i++) {
    snprintf(path, sizeof path, "%s/%s", w->root, w->folders[i]);
    add_below(w, path, 0);
  }
}

static void on_settled(void *arg) {
  watch *w = arg;
  w->settle = NULL;
  w->first = 0;
  add_all(w); /* folders that came to be */
  w->saved(w->arg);
}

/* The engine's own folder, and what editors hide: swap files, locks. "..data" is no such file: a link of that
 * name is what mounted configurations are exchanged by. Without a name: events were lost, or a folder is meant. */
static bool is_own(const watch *w, const struct inotify_event *event) {
  if (!event->len) return false;
  if (event->wd == w->root_id && strcmp(event->name, "var") == 0) return true;
  return event->name[0] == '.' && event->name[1] != '.';
}

/* Told when it has been quiet for SETTLE_MS, or at last after LONGEST_MS of events. */
static void settle_later(watch *w) {
  int64_t now = loop_elapsed(w->loop);
  if (!w->first) w->first = now;
  int64_t left = w->first + LONGEST_MS - now;
  loop_cancel(w->loop, w->settle);
  w->settle = loop_after(w->loop, left < SETTLE_MS ? left : SETTLE_MS, on_settled, w);
}

static void on_event(void *arg, int fd, bool readable, bool writable) {
  watch *w = arg;
  _Alignas(struct inotify_event) char events[8192];
  ssize_t size = read(fd, events, sizeof events);
  (void)readable, (void)writable;
  bool told = false;
  for (ssize_t at = 0; at < size;) {
    const struct inotify_event *event = (const void *)(events + at);
    told = told || !is_own(w, event);
    at += (ssize_t)(sizeof *event + event->len);
  }
  if (told) settle_later(w);
}

watch *watch_open(loop *l, const char *root, const char *const *folders, loop_fn *saved,
                  void *arg) {
  int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) {
    log_warn("saved files are not noticed: the system has no watches left");
    return NULL;
  }
  watch *w = memory_alloc(sizeof *w);
  *w = (watch){.loop = l,
               .fd = fd,
               .root = memory_text(root),
               .folders = folders,
               .saved = saved,
               .arg = arg};
  add_all(w);
  loop_watch(l, fd, true, false, on_event, w);
  return w;
}

void watch_close(watch *w) {
  if (!w) return;
  loop_watch(w->loop, w->fd, false, false, NULL, NULL);
  loop_cancel(w->loop, w->settle);
  close(w->fd);
  free(w->root);
  free(w);
}
