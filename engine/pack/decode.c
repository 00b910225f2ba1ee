/* decode.c -- see decode.h. A chain of stages, the coding that was applied last in front; each
 * hands what it makes to the next, the last one to the caller.
 *
 * SPDX-License-Identifier: MIT */
#include "pack/decode.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pack/coding.h"

enum { STEP = 32 * 1024, SLACK = 64 * 1024 };

typedef struct stage {
  const coding *kind;
  void *state;
  size_t fed; /* bytes, so far */
  uint8_t out[STEP];
} stage;

struct decode {
  decode_put *put;
  void *arg;
  size_t limit, made;
  stage *stages[DECODE_CODINGS];
  int count;
};

static int refuse_coding(dts_error *e, const char *codings) {
  error_fail(e, "CODING",
             "content-encoding '%.60s': expected at most %d of gzip, deflate, br, zstd", codings,
             DECODE_CODINGS);
  return error_hint(e, "ask for it plain: headers = { [\"Accept-Encoding\"] = \"identity\" }");
}

static int add_stage(decode *d, const coding *kind) {
  stage *s = calloc(1, sizeof *s);
  if (s) s->state = kind->open();
  if (!s || !s->state) {
    free(s);
    return -1;
  }
  s->kind = kind;
  memmove(d->stages + 1, d->stages, (size_t)d->count * sizeof *d->stages);
  d->stages[0] = s;
  d->count++;
  return 0;
}

/* One name of the list; an empty one counts for nothing: RFC 9110 section 5.6.1. */
static int read_coding(decode *d, const char *name, size_t size, const char *all, dts_error *e) {
  while (size && (*name == ' ' || *name == '\t')) name++, size--;
  while (size && (name[size - 1] == ' ' || name[size - 1] == '\t')) size--;
  if (!size || (size == 8 && !strncasecmp(name, "identity", size))) return 0;
  const coding *kind = coding_find(name, size);
  if (!kind || d->count == DECODE_CODINGS) return refuse_coding(e, all);
  return add_stage(d, kind) < 0 ? error_fail(e, "PACK", "no memory for %s", kind->names[0]) : 0;
}

decode *decode_open(const char *codings, size_t limit, decode_put *put, void *arg, dts_error *e) {
  decode *d = calloc(1, sizeof *d);
  if (!d) return error_fail(e, "PACK", "no memory to decode '%.60s'", codings), NULL;
  *d = (decode){.put = put, .arg = arg, .limit = limit};
  for (const char *at = codings;; at++) {
    size_t size = strcspn(at, ",");
    if (read_coding(d, at, size, codings, e) < 0) {
      decode_free(d);
      return NULL;
    }
    at += size;
    if (!*at) return d;
  }
}

void decode_free(decode *d) {
  for (int i = 0; d && i < d->count; i++) {
    d->stages[i]->kind->close(d->stages[i]->state);
    free(d->stages[i]);
  }
  free(d);
}

static int past_limit(const decode *d, dts_error *e) {
  return error_fail(e, "LIMIT_SIZE", "the decoded data is larger than the limit of %zu bytes",
                    d->limit);
}

static int feed(decode *d, int at, const uint8_t *bytes, size_t size, dts_error *e);

/* What a stage has made, or what came as it is when there is none. */
static int hand_on(decode *d, int next, const uint8_t *bytes, size_t size, dts_error *e) {
  if (next < d->count) return size ? feed(d, next, bytes, size, e) : 0;
  if (size > d->limit - d->made) return past_limit(d, e);
  d->made += size;
  int status = size ? d->put(d->arg, bytes, size) : 0;
  return status < 0 ? error_fail(e, "CANCELLED", "decoding was stopped") : 0;
}

/* More than the limit and an eighth cannot be needed to say what fits into the limit. */
static bool too_much(const decode *d, const stage *s, size_t size) {
  size_t most = d->limit > SIZE_MAX / 2 ? SIZE_MAX : d->limit + d->limit / 8 + SLACK;
  return size > most - (s->fed < most ? s->fed : most);
}

/* A step that neither takes nor makes anything may still have moved inside, but not twice. */
static const char *step(stage *s, coding_io *io, int *idle) {
  size_t before = io->left;
  const char *fault = s->kind->step(s->state, io);
  *idle = io->made || io->left < before ? 0 : *idle + 1;
  return !fault && io->left && *idle > 1 ? "it does not go on" : fault;
}

static int feed(decode *d, int at, const uint8_t *bytes, size_t size, dts_error *e) {
  stage *s = d->stages[at];
  if (too_much(d, s, size)) return past_limit(d, e);
  s->fed += size;
  coding_io io = {.in = bytes, .left = size, .out = s->out, .room = STEP};
  int idle = 0;
  do {
    const char *fault = step(s, &io, &idle);
    if (fault)
      return error_fail(e, "PACK", "not %s, or damaged near byte %zu: %s", s->kind->names[0],
                        s->fed - io.left, fault);
    if (hand_on(d, at + 1, s->out, io.made, e) < 0) return -1;
  } while (io.left || io.made == STEP);
  return 0;
}

int decode_feed(decode *d, const void *bytes, size_t size, dts_error *e) {
  return hand_on(d, 0, bytes, size, e);
}

int decode_end(const decode *d, dts_error *e) {
  for (int i = 0; i < d->count; i++) {
    const stage *s = d->stages[i];
    if (s->fed && !s->kind->whole(s->state))
      return error_fail(e, "PACK", "the %s data ends too early (%zu bytes)", s->kind->names[0],
                        s->fed);
  }
  return 0;
}
