/* emit.c -- dts emit NAME FILE: hands a file of events to an ingest pipeline.
 *
 * One idea: the file is cut where one event ends and the next begins, so that a file of any size
 * goes in by bodies that the engine takes; a refusal keeps its line in the file (of a JSON array,
 * its place).
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "command/engine.h"
#include "command/screen.h"
#include "command/sheet.h"
#include "format/json.h"

enum { FILE_LIMIT = 1024 * 1024 * 1024, CHUNK = 4 * 1024 * 1024, BLOCK = 1024 * 1024 };

typedef struct emitting {
  engine *engine;
  const given *given;
  arena *memory;
  int64_t accepted, duplicates, line; /* line: of the first event of the next body, from 0 */
  value refused, headers;
} emitting;

/* ---- one body ---- */

static int send_body(emitting *x, const char *bytes, size_t size, int64_t lines, dts_error *e) {
  arena *a = x->memory;
  value order = engine_command(a, "ingest"), answer;
  value_set(a, &order, "pipeline", value_text(given_word(x->given, 0)));
  value_set(a, &order, "body", value_bytes(bytes, size));
  value_set(a, &order, "headers", x->headers);
  if (given_has(x->given, "type"))
    value_set(a, &order, "type", value_text(given_text(x->given, "type", "")));
  if (engine_ask(x->engine, &order, NULL, NULL, a, &answer, e) < 0) return -1;
  x->accepted += value_get_integer(&answer, "accepted", 0);
  x->duplicates += value_get_integer(&answer, "duplicates", 0);
  const value *refused = value_get(&answer, "refused");
  for (size_t i = 0; refused && i < refused->list.count; i++) {
    value one = refused->list.items[i];
    value_set(a, &one, "line", value_integer(value_get_integer(&one, "line", 0) + x->line));
    value_add(a, &x->refused, one);
  }
  x->line += lines;
  return 0;
}

/* Lines, as many as fit into one body; a line that is larger goes alone, and is judged there. */
static int send_lines(emitting *x, const char *at, const char *end, dts_error *e) {
  while (at < end) {
    const char *stop = at;
    int64_t lines = 0;
    while (stop < end) {
      const char *newline = memchr(stop, '\n', (size_t)(end - stop));
      const char *next = newline ? newline + 1 : end;
      if (lines && next - at > CHUNK) break;
      stop = next;
      lines++;
    }
    if (send_body(x, at, (size_t)(stop - at), lines, e) < 0) return -1;
    at = stop;
  }
  return 0;
}

/* ---- a JSON array ---- */

static int send_array(emitting *x, const char *bytes, size_t size, dts_error *e) {
  json_reader r;
  buffer body;
  int64_t count = 0;
  int rc = 0;
  json_open(&r, bytes, size);
  buffer_init(&body, FILE_LIMIT);
  json_token t = json_next(&r); /* the array's own bracket */
  while (rc == 0 && (t = json_next(&r)) != JSON_LIST_END && t != JSON_ERROR) {
    const char *start = r.token;
    size_t depth = r.depth - (t == JSON_LIST || t == JSON_MAP);
    while (t != JSON_ERROR && r.depth > depth) t = json_next(&r);
    if (t == JSON_ERROR) break;
    buffer_add_char(&body, count++ ? ',' : '[');
    buffer_add(&body, start, (size_t)(r.at - start));
    if (body.size < CHUNK) continue;
    buffer_add_char(&body, ']');
    rc = send_body(x, buffer_text(&body), body.size, count, e);
    buffer_clear(&body);
    count = 0;
  }
  if (rc == 0 && t == JSON_ERROR) rc = json_fail(&r, e);
  if (rc == 0 && count) buffer_add_char(&body, ']');
  if (rc == 0 && count) rc = send_body(x, buffer_text(&body), body.size, count, e);
  json_close(&r);
  buffer_free(&body);
  return rc;
}

/* An array is read to its end before anything is sent: one that is broken sends nothing. */
static int check_array(const char *bytes, size_t size, dts_error *e) {
  json_reader r;
  json_token t;
  json_open(&r, bytes, size);
  while ((t = json_next(&r)) != JSON_END && t != JSON_ERROR) continue;
  int rc = t == JSON_ERROR ? json_fail(&r, e) : 0;
  json_close(&r);
  if (rc < 0) error_hint(e, "nothing was sent; write one event a line to have each judged alone");
  return rc;
}

static bool is_document(const char *bytes, size_t size) {
  json_reader r;
  json_token t;
  json_open(&r, bytes, size);
  while ((t = json_next(&r)) != JSON_END && t != JSON_ERROR) continue;
  json_close(&r);
  return t == JSON_END;
}

static int send_all(emitting *x, const char *bytes, size_t size, dts_error *e) {
  size_t skip = size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
  skip += strspn(bytes + skip, " \t\r\n");
  if (skip == size) return error_fail(e, "BODY", "'%s' holds no event", given_word(x->given, 1));
  if (bytes[skip] == '[') {
    if (check_array(bytes, size, e) < 0) return -1;
    return send_array(x, bytes, size, e);
  }
  if (memchr(bytes + skip, '\n', size - skip) && is_document(bytes, size))
    return send_body(x, bytes, size, 1, e); /* one event on several lines */
  return send_lines(x, bytes, bytes + size, e);
}

/* ---- the command ---- */

static int read_input(const char *path, buffer *out, dts_error *e) {
  FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
  if (!in && errno == ENOENT) return error_fail(e, "FILE_MISSING", "there is no file '%s'", path);
  if (!in) return error_fail(e, "FILE", "cannot read %s: %s", path, strerror(errno));
  size_t got = 1;
  while (got && buffer_reserve(out, BLOCK) == 0) {
    got = fread(out->data + out->size, 1, BLOCK, in);
    out->size += got;
  }
  int rc = 0;
  if (ferror(in)) rc = error_fail(e, "FILE", "cannot read %s: %s", path, strerror(errno));
  if (out->failed)
    rc = error_fail(e, "LIMIT_SIZE", "'%s' is larger than 1 GB: emit it in parts", path);
  if (in != stdin) fclose(in);
  return rc;
}

static int read_headers(emitting *x, dts_error *e) {
  const char *text;
  x->headers = value_map();
  for (size_t at = 0; (text = given_each(x->given, "header", &at));) {
    const char *colon = strchr(text, ':');
    if (!colon || colon == text)
      return error_fail(e, "USAGE", "--header: \"NAME: VALUE\" expected, got \"%s\"", text);
    value_set(x->memory, &x->headers, arena_copy(x->memory, text, (size_t)(colon - text)),
              value_text(colon + 1 + strspn(colon + 1, " ")));
  }
  return 0;
}

static void print(const emitting *x) {
  static const char *const names[] = {"line", "path", "message", NULL};
  value sheet = sheet_open(x->memory, names);
  for (size_t i = 0; i < x->refused.list.count; i++)
    sheet_add_map(x->memory, &sheet, &x->refused.list.items[i]);
  if (x->refused.list.count) sheet_print(stderr, &sheet, NULL, NULL);
  buffer b;
  buffer_init(&b, 4096);
  screen_count(&b, x->accepted, "event");
  buffer_add_text(&b, " accepted, ");
  screen_count(&b, x->duplicates, "duplicate");
  buffer_add_format(&b, ", %zu refused", x->refused.list.count);
  if (x->accepted && !engine_is_remote(x->engine))
    buffer_add_text(&b, "; they run under dts serve");
  printf("%s\n", buffer_text(&b));
  buffer_free(&b);
}

static void print_json(const emitting *x) {
  value v = value_map();
  value_set(x->memory, &v, "accepted", value_integer(x->accepted));
  value_set(x->memory, &v, "duplicates", value_integer(x->duplicates));
  value_set(x->memory, &v, "refused", x->refused);
  screen_json(stdout, &v);
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  buffer file;
  emitting x = {.given = g, .memory = &a, .refused = value_list()};
  buffer_init(&file, FILE_LIMIT);
  int rc = read_headers(&x, e);
  if (rc == 0) rc = read_input(given_word(g, 1), &file, e);
  if (rc == 0) rc = (x.engine = engine_here(&a, e)) ? 0 : -1;
  if (rc == 0) rc = send_all(&x, buffer_text(&file), file.size, e);
  bool told = rc == 0 || x.accepted || x.refused.list.count;
  if (told && g->json && rc == 0)
    print_json(&x);
  else if (told && !g->json)
    print(&x);
  engine_close(x.engine);
  buffer_free(&file);
  int status = rc < 0 ? -1 : x.refused.list.count ? EXIT_FAILED : EXIT_FINE;
  arena_free(&a);
  return status;
}

static const command_option options[] = {
    {"header", "\"NAME: VALUE\"", "a header, where the pipeline reads its id or type; repeatable"},
    {"type", "TYPE", "the events' type, in place of the declared one"},
    {0}};

COMMAND(emit) = {
    .name = "emit",
    .words = "NAME FILE",
    .summary = "Hand a file of events (JSON, or NDJSON; - for standard input) to a pipeline.",
    .details = "The events are checked and kept as if they had been posted. A refused event is "
               "listed with its\nline and path, and the status is then 1; the others are taken.",
    .least = 2,
    .most = 2,
    .options = options,
    .run = run};
