/* url_suite_test.c -- what is checked is what curl connects to: addresses of the WHATWG suite and worse
 * are read by url.h, then sent by curl, and both must mean the same host and port.
 *
 * TEST_DATA holds suites/url; without it the worse ones are all there is.
 *
 * SPDX-License-Identifier: MIT */
#include "net/server.h"

#include <curl/curl.h>
#include <dirent.h>

#include "format/json.h"
#include "net/url.h"

static server origin;

static bool answer_fine(const asked *a) { return reply(a, 200, "", ""); }

static size_t ignore(char *bytes, size_t one, size_t size, void *arg) {
  (void)bytes, (void)one, (void)arg;
  return size;
}

/* Sends it to the origin, wherever it leads, and reads the Host that was asked for. */
static bool host_asked(const char *url, char *name, size_t room) {
  char to[80];
  snprintf(to, sizeof to, "::%s", origin.name);
  struct curl_slist *list = curl_slist_append(NULL, to);
  CURL *easy = curl_easy_init();
  origin.last[0] = 0;
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_CONNECT_TO, list);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, 5L);
  CURLcode code = curl_easy_perform(easy);
  curl_easy_cleanup(easy);
  curl_slist_free_all(list);
  const char *at = strstr(origin.last, "\r\nHost: ");
  if (code != CURLE_OK || !at) return false;
  snprintf(name, room, "%.*s", (int)strcspn(at + 8, "\r"), at + 8);
  return true;
}

/* A last dot and letters' case say nothing; the port stands where it is not the scheme's own. */
static void plain_host(char *name) {
  char *colon = strrchr(name, ':'), *bracket = strrchr(name, ']');
  if (colon && (!bracket || colon > bracket) && !strcmp(colon, ":80")) *colon = 0;
  if (colon && (bracket && colon < bracket)) colon = NULL;
  if (colon && colon > name && colon[-1] == '.') memmove(colon - 1, colon, strlen(colon) + 1);
  size_t n = strlen(name);
  if (n > 1 && name[n - 1] == '.') name[n - 1] = 0;
  for (char *c = name; *c; c++)
    if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
}

/* 1 compared, 0 refused by url.h or not plain http. */
static int compare(const char *input) {
  buffer url;
  char mine[300], asked_for[600];
  dts_error e;
  int compared = 0;
  buffer_init(&url, 1 << 20);
  bool http = url_join(input, "", NULL, &url, &e) == 0 && !strncmp(buffer_text(&url), "http:", 5);
  if (http && url_host(buffer_text(&url), mine, sizeof mine, &e) == 0) {
    if (!host_asked(buffer_text(&url), asked_for, sizeof asked_for))
      snprintf(asked_for, sizeof asked_for, "%s", mine); /* it went nowhere */
    plain_host(asked_for);
    if (strcmp(mine, asked_for) != 0)
      fail_msg("\"%s\": checked as %s, asked for %s", input, mine, asked_for);
    compared = 1;
  }
  buffer_free(&url);
  return compared;
}

static void test_worse_addresses(void **state) {
  (void)state;
  static const char *const worse[] = {"http://127.0.0.1:80@evil.example/",
                                      "http://evil.example\\@127.0.0.1/",
                                      "http://a@b@c/",
                                      "http://a:b@c:81@d:82/",
                                      "http://127.0.0.1#@evil.example/",
                                      "http://127.0.0.1?@evil.example/",
                                      "http://0x7f.1/",
                                      "http://2130706433/",
                                      "http://0177.0.0.01/",
                                      "http://127.1/",
                                      "http://1/",
                                      "http://%31%32%37.0.0.1/",
                                      "http://127.0.0.1%2f@evil.example/",
                                      "http://evil%2eexample/",
                                      "http://a%00b/",
                                      "http://a%0d%0ab/",
                                      "http://a%20b/",
                                      "http://[::ffff:7f00:1]/",
                                      "http://[0:0::1]:81/",
                                      "http://[::1%25lo]/",
                                      "http://xn--e1afmkfd.example/",
                                      "http://\xd0\xbf\xd1\x80.example/",
                                      "http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/",
                                      "http://a.\xe3\x80\x82"
                                      "b/",
                                      "http:///a/",
                                      "http:/a/",
                                      "http:////a/",
                                      "HTTP://A.B:0080/",
                                      "http://a:00081/",
                                      "http://a:65536/",
                                      "http://a:/",
                                      "http://a.:81/",
                                      "http://4294967295/",
                                      "http://256.0.0.1/",
                                      "http://1.2.3.4.5/",
                                      "http://0x/",
                                      "http://08.1.1.1/"};
  for (size_t i = 0; i < sizeof worse / sizeof *worse; i++) compare(worse[i]);
  assert_int_equal(compare("http://a.example:81/x"), 1);
}

static void read_suite(const char *path, int *seen, int *compared) {
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  static char text[1 << 21];
  size_t size = fread(text, 1, sizeof text, file);
  fclose(file);
  arena a = {0};
  value all;
  if (json_read(&a, text, size, &all, NULL) < 0) all = value_list(); /* lone surrogates */
  for (size_t i = 0; all.kind == VALUE_LIST && i < all.list.count; i++) {
    const char *input = value_get_text(&all.list.items[i], "input", NULL);
    if (!input || strlen(input) > 10000) continue;
    (*seen)++;
    *compared += compare(input);
  }
  arena_free(&a);
}

static void test_the_suite(void **state) {
  (void)state;
  const char *data = getenv("TEST_DATA") ? getenv("TEST_DATA") : TEST_DATA;
  char path[1024];
  int seen = 0, compared = 0;
  snprintf(path, sizeof path, "%s/suites/url", data);
  DIR *folder = opendir(path);
  if (!folder) {
    print_message("skipped: no suites/url in TEST_DATA\n");
    skip();
  }
  for (struct dirent *d; (d = readdir(folder));) {
    if (strncmp(d->d_name, "urltestdata", 11) != 0) continue;
    snprintf(path, sizeof path, "%s/suites/url/%.200s", data, d->d_name);
    read_suite(path, &seen, &compared);
  }
  closedir(folder);
  print_message("%d addresses, %d of them plain http and compared\n", seen, compared);
  assert_true(compared > 50);
}

static int open_origin(void **state) {
  (void)state;
  server_open(&origin, answer_fine);
  return 0;
}

static int close_origin(void **state) {
  (void)state;
  server_close(&origin);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_worse_addresses, open_origin, close_origin),
      cmocka_unit_test_setup_teardown(test_the_suite, open_origin, close_origin),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
