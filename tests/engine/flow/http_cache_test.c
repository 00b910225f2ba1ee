/* http_cache_test.c -- replies that runs share: what cannot be kept is asked for again.
 *
 * SPDX-License-Identifier: MIT */
#include "store/help.h"

#include <sys/mman.h>

#include "flow/calls/http_cache.h"

static void count(void *arg) { ++*(int *)arg; }

static void a_body_that_has_gone_is_asked_for_again(void **state) {
  (void)state;
  http_cache *c = http_cache_open();
  http_cached out;
  int woken = 0, fd = memfd_create("body", MFD_CLOEXEC);
  assert_int_equal(write(fd, "long", 4), 4);
  http_cached reply = {.status = 200, .headers = value_map(), .body_fd = fd, .body_size = 4};
  assert_int_equal(http_cache_find(c, "a", 1, &out, count, &woken), HTTP_CACHE_UNKNOWN);
  assert_int_equal(http_cache_find(c, "a", 1, &out, count, &woken), HTTP_CACHE_UNDER_WAY);
  http_cache_put(c, "a", &reply, 100);
  assert_int_equal(woken, 1);
  assert_int_equal(http_cache_find(c, "a", 1, &out, count, &woken), HTTP_CACHE_FRESH);
  assert_int_equal(out.body_size, 4);
  close(fd); /* as when no descriptor is left: it cannot be opened anew */
  assert_int_equal(http_cache_find(c, "b", 1, &out, count, &woken), HTTP_CACHE_UNKNOWN);
  assert_int_equal(http_cache_find(c, "b", 1, &out, count, &woken), HTTP_CACHE_UNDER_WAY);
  http_cache_put(c, "b", &reply, 100);
  assert_int_equal(woken, 2);
  assert_int_equal(http_cache_find(c, "b", 1, &out, count, &woken), HTTP_CACHE_UNKNOWN);
  http_cache_fail(c, "b");
  http_cache_close(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_body_that_has_gone_is_asked_for_again)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
