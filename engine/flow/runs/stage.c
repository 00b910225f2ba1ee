/* stage.c -- see stage.h. stage_index.c looks at what comes, stage_sort.c orders it, stage_apply.c writes it.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/runs/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flow/runs/stage_verbs.h"
#include "wire/pack.h"

#include "flow/runs/stage_parts.h"

enum { ROOM_IN_MEMORY = 16 * 1024 * 1024 };

stage *stage_open(const registry *set, store *disk) {
  stage *s = memory_alloc(sizeof *s);
  *s = (stage){.set = set, .disk = disk, .fd = -1};
  buffer_init(&s->bytes, STAGE_MEMORY + FRAME_BYTES + STAGE_HEAD);
  return s;
}

void stage_clear(stage *s) {
  stage_index_free(s);
  if (s->fd >= 0) close(s->fd);
  s->fd = -1;
  s->in_file = s->rows = 0;
  buffer_clear(&s->bytes);
}

void stage_free(stage *s) {
  if (!s) return;
  stage_clear(s);
  buffer_free(&s->bytes);
  free(s);
}

stage *stage_take(stage *s) {
  stage *taken = stage_open(s->set, s->disk), empty = *taken;
  *taken = *s;
  *s = empty;
  return taken;
}

size_t stage_rows(const stage *s) { return s->rows; }

size_t stage_replaced(const stage *s, const char **first) {
  *first = s->first_replaced;
  return s->replaced;
}

/* ---- the log ---- */

static int fail_disk(const stage *s, const char *doing, dts_error *e) {
  int number = errno;
  bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
  error_fail(e, full ? "DISK_FULL" : "LIMIT_STAGE",
             "a run's rows could not be %s a temporary file beside the store (%llu MB so far): %s",
             doing, (unsigned long long)((s->in_file + s->bytes.size) >> 20), strerror(number));
  if (e) e->retryable = full;
  return error_hint(e, "free some space, or call ctx:checkpoint() now and then");
}

int stage_spill(stage *s, dts_error *e) {
  if (s->fd < 0 && (s->fd = store_scratch(s->disk, e)) < 0) return -1;
  for (size_t done = 0; done < s->bytes.size;) {
    ssize_t n = write(s->fd, s->bytes.data + done, s->bytes.size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_disk(s, "kept in", e);
    done += (size_t)n;
  }
  s->in_file += s->bytes.size;
  buffer_clear(&s->bytes);
  return 0;
}

int stage_add(stage *s, wire_op op, const char *payload, size_t size, dts_error *e) {
  char head[STAGE_HEAD] = {(char)op};
  uint32_t length = (uint32_t)size;
  uint64_t place = s->in_file + s->bytes.size + STAGE_HEAD;
  memcpy(head + 1, &length, sizeof length);
  int rc = op == OP_ROWS ? stage_index_rows(s, payload, size, place, e)
                         : stage_index_verb(s, payload, size, place, e);
  if (rc < 0) return -1;
  buffer_add(&s->bytes, head, STAGE_HEAD);
  if (buffer_add(&s->bytes, payload, size) < 0)
    return error_fail(e, "LIMIT_STAGE", "a run's rows do not fit into memory");
  return s->bytes.size > STAGE_MEMORY ? stage_spill(s, e) : 0;
}

int stage_add_value(stage *s, const value *effect, dts_error *e) {
  buffer b;
  buffer_init(&b, FRAME_BYTES);
  pack_value(&b, effect);
  int rc = b.failed ? error_fail(e, "LIMIT_SIZE", "an effect is larger than a frame may be")
                    : stage_add(s, OP_STAGE, b.data, b.size, e);
  buffer_free(&b);
  return rc;
}

/* ---- room ---- */

/* The disk's blocks are taken now: a page that finds none later would end the process (SIGBUS). */
static int map_room(stage_room *r, size_t size, store *disk, dts_error *e) {
  int fd = r->fd ? r->fd : store_scratch(disk, e);
  if (fd < 0) return -1;
  int failed = posix_fallocate(fd, 0, (off_t)size);
  void *at = failed ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) {
    if (!r->fd) close(fd);
    error_fail(e, failed ? "DISK_FULL" : "LIMIT_STAGE",
               "no room to sort a run's rows beside the store: %s",
               strerror(failed ? failed : errno));
    return error_hint(e, "free some space, or call ctx:checkpoint() now and then");
  }
  if (!r->fd && r->at) memcpy(at, r->at, r->size);
  if (r->fd)
    munmap(r->at, r->size);
  else
    free(r->at);
  *r = (stage_room){at, size, fd};
  return 0;
}

int stage_room_grow(stage_room *r, size_t size, store *disk, dts_error *e) {
  if (size > ROOM_IN_MEMORY) return map_room(r, size, disk, e);
  r->at = memory_grow(r->at, size);
  r->size = size;
  return 0;
}

void stage_room_free(stage_room *r) {
  if (r->fd)
    munmap(r->at, r->size), close(r->fd);
  else
    free(r->at);
  *r = (stage_room){0};
}
