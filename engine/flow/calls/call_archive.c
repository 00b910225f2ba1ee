/* call_archive.c -- OP_ARCHIVED and OP_OBJECT: raw snapshots that were kept, by source and date.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flow/calls/calls.h"
#include "flow/kernel/parts.h"
#include "format/json.h"

typedef struct finding {
  call *call;
  value answer;
  int fd, rc;
  dts_error error;
} finding;

static int add_entry(void *arg, const store_header *header, const value *row, dts_error *e) {
  finding *f = arg;
  arena *a = &f->call->memory;
  value entry = value_map(), meta;
  static const char *const names[] = {"id", "date", "at_ms", "size", "type"};
  (void)header, (void)e;
  for (size_t i = 0; i < 5; i++) value_set(a, &entry, names[i], value_copy(a, &row[i]));
  if (row[5].kind == VALUE_TEXT &&
      json_read(a, row[5].text.bytes, row[5].text.size, &meta, NULL) == 0)
    value_set(a, &entry, "meta", meta);
  value_add(a, &f->answer, entry);
  return 0;
}

static int read_entries(store_conn *c, void *arg, dts_error *e) {
  finding *f = arg;
  const value *args = &f->call->args;
  f->answer = value_list();
  value params[] = {value_text(value_get_text(args, "source", "")),
                    value_text(value_get_text(args, "from", "0000-01-01")),
                    value_text(value_get_text(args, "to", "9999-12-31"))};
  return store_select(
      c,
      "select id, day, at, size, type, meta from dts_archive where source = ?1 and day "
      "between ?2 and ?3 order by day, id",
      params, 3, add_entry, f, e);
}

static int read_object(store_conn *c, void *arg, dts_error *e) {
  finding *f = arg;
  value params[] = {value_integer(value_get_integer(&f->call->args, "id", -1))};
  return store_get(c, "select object from dts_archive where id = ?1", params, 1, &f->call->memory,
                   &f->answer, e);
}

static void list_work(void *arg) {
  finding *f = arg;
  f->rc = store_read(kernel_store(f->call->run->kernel), read_entries, f, &f->error);
}

static void object_work(void *arg) {
  finding *f = arg;
  kernel *k = f->call->run->kernel;
  int64_t size;
  f->rc = store_read(kernel_store(k), read_object, f, &f->error);
  if (f->rc == 0 && f->answer.kind != VALUE_TEXT)
    f->rc = error_fail(&f->error, "ARCHIVE", "there is no archived body of that id");
  if (f->rc == 0)
    f->rc = objects_get(kernel_objects(k), f->answer.text.bytes, &f->fd, &size, &f->error);
  f->answer = value_map();
  if (f->rc == 0) value_set(&f->call->memory, &f->answer, "size", value_integer(size));
}

static void found(void *arg) {
  finding *f = arg;
  if (f->rc < 0)
    call_fail(f->call, &f->error);
  else
    call_answer_fd(f->call, f->answer, f->fd);
  free(f);
}

static void find(call *c, loop_fn *work) {
  finding *f = memory_alloc(sizeof *f);
  *f = (finding){.call = c, .fd = -1};
  loop_defer(kernel_loop(c->run->kernel), work, found, f);
}

void call_archived(call *c) { find(c, list_work); }

void call_object(call *c) { find(c, object_work); }
