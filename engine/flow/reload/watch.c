/* watch.c -- see watch.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/watch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"

enum { SETTLE_MS = 50, DEPTH = 8 };
#define EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ONLYDIR)

struct watch {
  loop *loop;
  int fd;
  char *root;
  const char *const *folders;
  loop_timer *settle;
  loop_fn *saved;
  void *arg;
};

static void add_below(watch *w, const char *path, int depth) {
  if (inotify_add_watch(w->fd, path, EVENTS) < 0 || depth == DEPTH) return;
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
  inotify_add_watch(w->fd, w->root, EVENTS);
  for (size_t i = 0; w->folders[i]; i++) {
    snprintf(path, sizeof path, "%s/%s", w->root, w->folders[i]);
    add_below(w, path, 0);
  }
}

static void on_settled(void *arg) {
  watch *w = arg;
  w->settle = NULL;
  add_all(w); /* folders that came to be */
  w->saved(w->arg);
}

static void on_event(void *arg, int fd, bool readable, bool writable) {
  watch *w = arg;
  char events[8192];
  ssize_t size = read(fd, events, sizeof events);
  (void)readable, (void)writable;
  bool told = false;
  for (ssize_t at = 0; at < size;) {
    const struct inotify_event *event = (const void *)(events + at);
    bool own = event->len && (strcmp(event->name, "var") == 0 || event->name[0] == '.');
    told = told || !own;
    at += (ssize_t)(sizeof *event + event->len);
  }
  if (!told) return;
  loop_cancel(w->loop, w->settle);
  w->settle = loop_after(w->loop, SETTLE_MS, on_settled, w);
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
