/* requests_peer.c -- the least that a thousand requests can cost with libcurl: a multi handle, no
 * checks, nothing kept. Compiled by requests.bench.mjs, which asks the same server by both.
 *
 *   requests_peer URL COUNT AT_ONCE      prints the seconds from the first request to the last reply
 *
 * SPDX-License-Identifier: MIT */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct asking {
  CURLM *multi;
  const char *url;
  int begun, ended, count;
} asking;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t ignore(char *bytes, size_t one, size_t size, void *arg) {
  (void)bytes, (void)one, (void)arg;
  return size;
}

static void ask(asking *a, CURL *easy) {
  char url[256];
  snprintf(url, sizeof url, "%s/%d", a->url, ++a->begun);
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
  curl_multi_add_handle(a->multi, easy);
}

/* What has ended asks for the next, or is done. */
static void collect(asking *a) {
  int left;
  for (CURLMsg *m; (m = curl_multi_info_read(a->multi, &left));) {
    CURL *easy = m->easy_handle;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (m->data.result != CURLE_OK || status != 200) exit(1);
    curl_multi_remove_handle(a->multi, easy);
    a->ended++;
    if (a->begun < a->count)
      ask(a, easy);
    else
      curl_easy_cleanup(easy);
  }
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  curl_global_init(CURL_GLOBAL_DEFAULT);
  asking a = {.multi = curl_multi_init(), .url = argv[1], .count = atoi(argv[2])};
  curl_multi_setopt(a.multi, CURLMOPT_MAXCONNECTS, 256L);
  double began = now();
  for (int i = atoi(argv[3]); i > 0; i--) ask(&a, curl_easy_init());
  while (a.ended < a.count) {
    int running;
    curl_multi_perform(a.multi, &running);
    collect(&a);
    if (a.ended < a.count) curl_multi_poll(a.multi, NULL, 0, 1000, NULL);
  }
  printf("%.6f\n", now() - began);
  curl_multi_cleanup(a.multi);
  return 0;
}
