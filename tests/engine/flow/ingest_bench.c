/* ingest_bench.c -- events a second into the store, without HTTP: answered means on disk.
 *
 *   ingest_bench [FOLDER [REQUESTS [AT_ONCE [EVENTS [random]]]]]
 *
 * FOLDER lies on the disk to measure, and should be empty; without one it is made, and goes afterwards.
 * Requests are NDJSON of EVENTS (1000) events with 300 bytes each, checked against a schema;
 * AT_ONCE (4) are under way at any time. Ids rise, or lie anywhere (random). The time ends when
 * the last one is answered and bundled.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/input_kernel.h"

#include "base/clock.h"
#include "base/file.h"

static const char declarations[] = "[{\"noun\":\"pipeline\",\"name\":\"hooks\",\"file\":"
                                   "\"pipelines/test.lua\",\"line\":1,\"trigger\":\"ingest\","
                                   "\"retry\":5,\"ingest\":{\"id\":\"id\",\"type\":\"kind\","
                                   "\"window_ms\":86400000,\"batch\":1000,\"wait_ms\":1000,"
                                   "\"schema\":[\"schemas/{type}/event.schema.json\"]}}]";
static const char schema_text[] =
    "{\"type\":\"object\",\"required\":[\"id\",\"kind\",\"user\",\"amount\"],\"properties\":{"
    "\"id\":{\"type\":\"string\"},"
    "\"kind\":{\"enum\":[\"sale\"]},\"user\":{\"type\":\"object\",\"required\":[\"name\"],"
    "\"properties\":{\"name\":"
    "{\"type\":\"string\",\"minLength\":1}}},\"amount\":{\"type\":\"number\",\"minimum\":0}}}";

typedef struct bench {
  input_kernel *k;
  size_t events, left, under_way, accepted;
  uint64_t next, spread;
} bench;

typedef struct asked {
  bench *b;
  char *body;
} asked;

enum { EACH = 300 };

static char *make_body(bench *b, size_t *size) {
  char *body = memory_alloc(b->events * (EACH + 1) + 1), *at = body;
  for (size_t i = 0; i < b->events; i++) {
    uint64_t n = b->next++;
    int head = sprintf(at,
                       "{\"id\":\"%016llx-%llu\",\"kind\":\"sale\",\"user\":{\"name\":\"user "
                       "%llu\",\"team\":null},"
                       "\"amount\":%llu.25,\"items\":[1,2,3],\"note\":\"",
                       (unsigned long long)(n * b->spread), (unsigned long long)n,
                       (unsigned long long)(n % 977), (unsigned long long)(n % 10007));
    memset(at + head, 'x', (size_t)(EACH - head - 2));
    memcpy(at + EACH - 2, "\"}\n", 3);
    at += EACH + 1;
  }
  *size = (size_t)(at - body);
  return body;
}

static void ask_more(bench *b);

static void on_answer(void *arg, const value *answer, const dts_error *e) {
  asked *q = arg;
  bench *b = q->b;
  if (e) {
    fprintf(stderr, "%s\n", e->message);
    exit(1);
  }
  b->accepted += (size_t)value_get_integer(answer, "accepted", 0);
  b->under_way--;
  free(q->body);
  free(q);
  ask_more(b);
}

static void ask_more(bench *b) {
  if (!b->left) return;
  asked *q = memory_alloc(sizeof *q);
  ingest_request request = {.pipeline = "hooks"};
  q->b = b;
  request.body = q->body = make_body(b, &request.size);
  b->left--;
  b->under_way++;
  ingest_take(b->k->kernel.ingest, &request, on_answer, q);
}

int main(int count, char **arguments) {
  char scratch[] = "/tmp/dts-ingest-XXXXXX";
  const char *folder = count > 1 ? arguments[1] : mkdtemp(scratch);
  size_t requests = count > 2 ? (size_t)atol(arguments[2]) : 500,
         at_once = count > 3 ? (size_t)atol(arguments[3]) : 4;
  char url[4096];
  snprintf(url, sizeof url, "sqlite:%s/ingest-bench.db", folder);
  input_kernel *k = input_open(declarations, url);
  input_file(k, "schemas/sale/event.schema.json", schema_text);
  bench b = {.k = k, .events = count > 4 ? (size_t)atol(arguments[4]) : 1000, .left = requests};
  b.spread = count > 5 ? 11400714819323198485u : 1;
  b.next = (uint64_t)clock_now_ms() << 20; /* other ids each time */
  int64_t start = clock_monotonic_ms();
  for (size_t i = 0; i < at_once; i++) ask_more(&b);
  while (b.under_way) loop_turn(k->kernel.loop, 1000);
  double s = (double)(clock_monotonic_ms() - start) / 1000;
  input_settle(k);
  printf("%zu events in %zu requests, %zu at once: %.2f s, %.0f events/s; %lld jobs, %lld rows\n",
         b.accepted, requests, at_once, s, (double)b.accepted / s,
         (long long)help_count(k->kernel.store, "select count(*) from dts_job"),
         (long long)help_count(k->kernel.store, "select count(*) from dts_event"));
  input_close(k);
  if (folder == scratch) file_remove_folder(scratch);
  return 0;
}
