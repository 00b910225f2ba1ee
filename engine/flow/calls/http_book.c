/* http_book.c -- see http_book.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/calls/http_book.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "flow/kernel/parts.h"
#include "format/json.h"

typedef struct page { /* rows that are written together */
  struct http_book *book;
  arena memory;
  value rows; /* list of lists, in the order of the columns */
} page;

typedef enum blank { BLANK_UNKNOWN, BLANK, NOT_BLANK } blank;

typedef struct chapter { /* what is known of one source */
  struct chapter *next;
  char *source;
  blank blank;
} chapter;

struct http_book {
  kernel *kernel;
  http_known *asked, **last; /* not yet under way */
  http_known *reading;       /* under way: the pool's */
  chapter *chapters;         /* as many as there are sources */
  pthread_mutex_t turning;   /* guards `open`, which the writer's thread takes away */
  page *open;
};

http_book *http_book_open(kernel *k) {
  http_book *b = memory_alloc(sizeof *b);
  *b = (http_book){.kernel = k};
  b->last = &b->asked;
  pthread_mutex_init(&b->turning, NULL);
  return b;
}

void http_book_close(http_book *b) {
  if (!b) return;
  for (chapter *c; (c = b->chapters); free(c)) {
    b->chapters = c->next;
    free(c->source);
  }
  pthread_mutex_destroy(&b->turning);
  free(b);
}

/* ---- what is known of a source ---- */

static chapter *find_chapter(http_book *b, const char *name) {
  chapter *c = b->chapters;
  while (c && strcmp(c->source, name) != 0) c = c->next;
  if (c) return c;
  c = memory_alloc(sizeof *c);
  *c = (chapter){.next = b->chapters, .source = memory_text(name)};
  return b->chapters = c;
}

void http_book_expect(http_book *b, const char *name) { find_chapter(b, name)->blank = NOT_BLANK; }

/* Only this engine writes validators, and says so before; so what was found blank stays so. */
static void learn(http_book *b, const http_known *q) {
  chapter *c = find_chapter(b, q->source);
  if (q->rc == 0 && c->blank == BLANK_UNKNOWN) c->blank = q->any ? NOT_BLANK : BLANK;
}

/* ---- what is known of an address ---- */

static int read_any(void *arg, const store_header *header, const value *row, dts_error *e) {
  (void)header, (void)row, (void)e;
  ((http_known *)arg)->any = true;
  return 0;
}

static int read_known(void *arg, const store_header *header, const value *row, dts_error *e) {
  http_known *q = arg;
  arena *a = q->memory;
  value headers;
  (void)header, (void)e;
  q->found = value_map();
  value_set(a, &q->found, "etag", value_copy(a, &row[0]));
  value_set(a, &q->found, "modified", value_copy(a, &row[1]));
  value_set(a, &q->found, "object", value_copy(a, &row[2]));
  value_set(a, &q->found, "status", row[3]);
  if (row[4].kind == VALUE_TEXT &&
      json_read(a, row[4].text.bytes, row[4].text.size, &headers, NULL) == 0)
    value_set(a, &q->found, "headers", headers);
  return 0;
}

static int select_known(store_conn *c, void *arg, dts_error *e) {
  http_book *b = arg;
  for (http_known *q = b->reading; q; q = q->next) {
    value params[] = {value_text(q->source), value_text(q->url)};
    if (store_select(c,
                     "select etag, modified, object, status, headers from dts_validator where "
                     "source = ?1 and url = ?2",
                     params, 2, read_known, q, e) < 0)
      return -1;
    q->any = q->found.kind == VALUE_MAP;
    if (!q->any && store_select(c, "select 1 from dts_validator where source = ?1 limit 1", params,
                                1, read_any, q, e) < 0)
      return -1;
  }
  return 0;
}

static void known_work(void *arg) {
  http_book *b = arg;
  dts_error e = {0};
  int rc = store_read(kernel_store(b->kernel), select_known, b, &e);
  for (http_known *q = b->reading; q; q = q->next) {
    q->rc = rc;
    if (rc < 0) q->error = e;
    const char *object = value_get_text(&q->found, "object", NULL);
    if (object && !objects_has(kernel_objects(b->kernel), object)) q->found = value_null();
  }
}

static void read_next(http_book *b);

static void known_then(void *arg) {
  http_book *b = arg;
  http_known *answered = b->reading;
  b->reading = NULL;
  read_next(b);
  for (http_known *q = answered, *next; q; q = next) {
    next = q->next; /* the question goes with its asker */
    learn(b, q);
    q->then(q->arg);
  }
}

static void read_next(http_book *b) {
  if (b->reading || !b->asked) return;
  b->reading = b->asked;
  b->asked = NULL;
  b->last = &b->asked;
  loop_defer(kernel_loop(b->kernel), known_work, known_then, b);
}

void http_book_find(http_book *b, http_known *question) {
  question->found = value_null();
  question->next = NULL;
  question->any = false;
  if (find_chapter(b, question->source)->blank == BLANK) return question->then(question->arg);
  *b->last = question;
  b->last = &question->next;
  read_next(b);
}

/* ---- rows ---- */

static void take(page *p) {
  pthread_mutex_lock(&p->book->turning);
  if (p->book->open == p) p->book->open = NULL;
  pthread_mutex_unlock(&p->book->turning);
}

static int write_page(store_conn *c, void *arg, dts_error *e) {
  page *p = arg;
  take(p);
  for (size_t i = 0; i < p->rows.list.count; i++)
    if (store_exec(c,
                   "insert into dts_request (run, seq, at, method, url, status, ms, tries) values "
                   "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                   p->rows.list.items[i].list.items, 8, e) < 0)
      return -1;
  return 0;
}

static void page_written(void *arg, int result, const dts_error *e) {
  page *p = arg;
  (void)result, (void)e;
  take(p); /* a write that was never begun */
  arena_free(&p->memory);
  free(p);
}

static page *new_page(http_book *b) {
  page *p = memory_alloc(sizeof *p);
  *p = (page){.book = b, .rows = value_list()};
  return p;
}

static void add_row(page *p, const http_row *row) {
  arena *a = &p->memory;
  value line = value_list();
  value all[] = {value_integer(row->run),
                 value_integer(row->seq),
                 value_integer(row->at),
                 value_text(arena_text(a, row->method)),
                 value_text(arena_text(a, row->url)),
                 value_integer(row->status),
                 value_integer(row->ms),
                 value_integer(row->tries)};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) value_add(a, &line, all[i]);
  value_add(a, &p->rows, line);
}

void http_book_add(http_book *b, const http_row *row) {
  page *fresh = NULL;
  pthread_mutex_lock(&b->turning);
  if (!b->open) b->open = fresh = new_page(b);
  add_row(b->open, row);
  pthread_mutex_unlock(&b->turning);
  if (fresh) kernel_write(b->kernel, write_page, page_written, fresh);
}
