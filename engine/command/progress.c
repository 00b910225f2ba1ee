/* progress.c -- see progress.h.
 *
 * SPDX-License-Identifier: MIT */
#include "command/progress.h"

#include "base/clock.h"
#include "format/duration.h"
#include "wire/op.h"

enum { LINE_LIMIT = 64 * 1024 };

void progress_clear(progress *p) {
  if (p->shown) fputs("\r\033[K", p->screen.out);
  p->shown = false;
}

static void add_done(buffer *b, int64_t done, int64_t total) {
  int64_t share = done < 0 ? 0 : done >= total ? 100 : done * 100 / total;
  buffer_add_format(b, "%lld of %lld (%lld %%) · ", (long long)done, (long long)total,
                    (long long)share);
}

/* "12 of 50 · 1,204 rows · 13 requests · 4.2 s", the done part first: it is what is cut last. */
static void show(progress *p) {
  if (!p->screen.width) return;
  buffer line, cut;
  char took[32];
  buffer_init(&line, LINE_LIMIT);
  buffer_init(&cut, LINE_LIMIT);
  if (p->total > 0) add_done(&line, p->done, p->total);
  if (p->started > 1)
    buffer_add_format(&line, "%lld of %lld runs · ", (long long)p->ended, (long long)p->started);
  screen_count(&line, p->rows + p->rows_now, "row");
  buffer_add_text(&line, " · ");
  screen_count(&line, p->requests + p->requests_now, "request");
  duration_write((clock_monotonic_ms() - p->began) / 1000 * 1000, took);
  buffer_add_format(&line, " · %s", p->began ? took : "");
  screen_fit(&cut, buffer_text(&line), line.size, p->screen.width - 1, false);
  fprintf(p->screen.out, "\r\033[K%s", buffer_text(&cut));
  fflush(p->screen.out);
  p->shown = true;
  buffer_free(&line);
  buffer_free(&cut);
}

static void print_log(const screen *s, const value *event) {
  const value *message = value_get(event, "message");
  const char *level = value_get_text(event, "level", "info");
  buffer b;
  if (!message || message->kind != VALUE_TEXT) return;
  buffer_init(&b, 16 * 1024 * 1024);
  screen_lines(&b, message->text.bytes, message->text.size, 6);
  fprintf(s->out, "%-5s %s\n", level, buffer_text(&b));
  buffer_free(&b);
}

static bool is_ours(const progress *p, int64_t run) {
  for (size_t i = 0; i < p->run_count; i++)
    if (p->runs[i] == run) return true;
  return false;
}

static void note_run(progress *p, const value *event) {
  int64_t id = value_get_integer(event, "id", 0);
  if (!is_ours(p, id)) {
    if (p->run_count < sizeof p->runs / sizeof *p->runs)
      p->runs[p->run_count++] = id;
    else
      p->runs[p->started % 256] = id; /* the oldest have long ended */
    p->started++;
  }
  if (!value_get(event, "job_state")) return;
  p->ended++;
  p->rows_now = p->requests_now = 0; /* until the next tick: they are counted below */
  p->rows += value_get_integer(event, "rows", 0);
  p->requests += value_get_integer(event, "requests", 0);
}

void progress_event(void *arg, int op, const value *event) {
  progress *p = arg;
  bool ours = is_ours(p, value_get_integer(event, "run", -1));
  if (!p->began) p->began = clock_monotonic_ms();
  if (op == OP_RUN)
    note_run(p, event);
  else if (op == OP_LOG && ours) {
    progress_clear(p);
    print_log(&p->screen, event);
  } else if (op == OP_PROGRESS && value_get(event, "rows_now")) {
    p->rows_now = value_get_integer(event, "rows_now", 0);
    p->requests_now = value_get_integer(event, "requests_now", 0);
  } else if (op == OP_PROGRESS && ours) {
    p->done = value_get_integer(event, "done", 0);
    p->total = value_get_integer(event, "total", 0);
  }
  show(p);
}
