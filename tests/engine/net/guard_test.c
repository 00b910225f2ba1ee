/* guard_test.c -- which addresses are public, and which names open the others.
 *
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "net/guard.h"
#include "net/loop.h"

static const struct {
  const char *address, *what;
} cases[] = {
    {"8.8.8.8", NULL},
    {"1.1.1.1", NULL},
    {"140.82.121.6", NULL},
    {"0.0.0.0", "this network"},
    {"0.1.2.3", "this network"},
    {"9.255.255.255", NULL},
    {"10.0.0.0", "private"},
    {"10.255.255.255", "private"},
    {"11.0.0.0", NULL},
    {"100.63.255.255", NULL},
    {"100.64.0.0", "carrier-grade NAT"},
    {"100.127.255.255", "carrier-grade NAT"},
    {"100.128.0.0", NULL},
    {"126.255.255.255", NULL},
    {"127.0.0.1", "loopback"},
    {"127.255.255.254", "loopback"},
    {"128.0.0.0", NULL},
    {"169.253.255.255", NULL},
    {"169.254.169.254", "metadata service"},
    {"169.254.169.253", "link-local"},
    {"100.100.100.200", "metadata service"},
    {"168.63.129.16", "metadata service"},
    {"168.63.129.17", NULL},
    {"169.255.0.0", NULL},
    {"172.15.255.255", NULL},
    {"172.16.0.1", "private"},
    {"172.31.255.255", "private"},
    {"172.32.0.0", NULL},
    {"192.0.0.8", "reserved"},
    {"192.0.1.1", NULL},
    {"192.0.2.1", "documentation"},
    {"192.88.99.1", "6to4 relay"},
    {"192.168.0.1", "private"},
    {"192.169.0.1", NULL},
    {"198.17.255.255", NULL},
    {"198.18.0.1", "benchmarking"},
    {"198.19.255.255", "benchmarking"},
    {"198.20.0.0", NULL},
    {"198.51.100.7", "documentation"},
    {"203.0.113.7", "documentation"},
    {"223.255.255.255", NULL},
    {"224.0.0.1", "multicast"},
    {"239.255.255.250", "multicast"},
    {"240.0.0.1", "reserved"},
    {"255.255.255.255", "reserved"},
    {"::", "reserved"},
    {"::1", "loopback"},
    {"::2", "reserved"},
    {"::7f00:1", "reserved"},         /* IPv4-compatible 127.0.0.1 */
    {"::ffff:127.0.0.1", "loopback"}, /* mapped */
    {"::ffff:10.1.2.3", "private"},
    {"::ffff:169.254.169.254", "metadata service"},
    {"64:ff9b::169.254.169.254", "metadata service"},
    {"fd00:ec2::254", "metadata service"},
    {"fd20:ce::254", "metadata service"},
    {"fd00:ec2::253", "unique local"},
    {"::ffff:8.8.8.8", NULL},
    {"::ffff:0:127.0.0.1", "reserved"}, /* SIIT */
    {"64:ff9b::127.0.0.1", "loopback"}, /* NAT64 */
    {"64:ff9b::192.168.1.1", "private"},
    {"64:ff9b::8.8.8.8", NULL},
    {"64:ff9b:1::1", "reserved"}, /* local NAT64 */
    {"100::1", "reserved"},       /* discard */
    {"2001::1", "protocol assignment (Teredo, ORCHID)"},
    {"2001:20::1", "protocol assignment (Teredo, ORCHID)"},
    {"2001:1ff:ffff::", "protocol assignment (Teredo, ORCHID)"},
    {"2001:200::1", NULL},
    {"2001:db8::1", "documentation"},
    {"2002:7f00:1::1", "6to4"},
    {"2002:808:808::1", "6to4"},
    {"2001:4860:4860::8888", NULL},
    {"2606:4700:4700::1111", NULL},
    {"2a00:1450:4001:80b::200e", NULL},
    {"3fff::1", "documentation"},
    {"3fff:1000::1", NULL},
    {"4000::1", "reserved"},
    {"5f00::1", "reserved"},
    {"2a00:1:2:3::10.0.0.5", "private"}, /* a network's own NAT64 */
    {"2a00:1:2:3::169.254.169.254", "metadata service"},
    {"2a00:1:2:3::127.0.0.1", "loopback"},
    {"2a00:1:2:3::104.16.132.229", NULL},
    {"2a00:1:2:3::5", NULL},
    {"2a00:1:2:3:1::10.0.0.5", NULL},
    {"2a00:1:2:3:0:5efe:192.168.0.1", "private"}, /* ISATAP */
    {"2a00:1:2:3:200:5efe:127.0.0.1", "loopback"},
    {"2a00:1:2:3:0:5efe:8.8.8.8", NULL},
    {"fc00::1", "unique local"},
    {"fd12:3456:789a::1", "unique local"},
    {"fe80::1", "link-local"},
    {"febf::1", "link-local"},
    {"fec0::1", "site-local"},
    {"ff02::1", "multicast"},
    {"ffff::1", "multicast"},
};

static const char *special(const char *text) {
  struct sockaddr_in four = {.sin_family = AF_INET};
  struct sockaddr_in6 six = {.sin6_family = AF_INET6};
  if (inet_pton(AF_INET, text, &four.sin_addr) == 1) return guard_special((void *)&four);
  assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
  return guard_special((void *)&six);
}

static void same(const char *address, const char *got, const char *wanted) {
  if (strcmp(got ? got : "public", wanted ? wanted : "public") != 0)
    fail_msg("%s: %s, not %s", address, got ? got : "public", wanted ? wanted : "public");
}

static void test_addresses(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    same(cases[i].address, special(cases[i].address), cases[i].what);
    same(cases[i].address, guard_special_text(cases[i].address), cases[i].what);
  }
}

static void test_what_is_no_internet_address_is_refused(void **state) {
  (void)state;
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  same("unix", guard_special((void *)&un), "not an internet address");
  same("text", guard_special_text("localhost"), "not an internet address");
  same("zone", guard_special_text("fe80::1%eth0"), "link-local");
}

static void test_what_only_a_local_network_answers_for(void **state) {
  (void)state;
  const char *const local[] = {"localhost",     "a.localhost",  "db",         "nas.lan",
                               "printer.local", "API.Internal", "x.home.arpa"};
  const char *const not_local[] = {
      "example.org", "localhost.example.org", "internal.example.org", "::1", "127.0.0.1",
      ".internal",   "notlocal.xlocal"};
  for (size_t i = 0; i < sizeof local / sizeof *local; i++)
    assert_true(guard_is_local_name(local[i]));
  for (size_t i = 0; i < sizeof not_local / sizeof *not_local; i++)
    assert_false(guard_is_local_name(not_local[i]));
  assert_true(guard_is_address("::1") && guard_is_address("10.0.0.1"));
  assert_false(guard_is_address("localhost") || guard_is_address("10.0.0.1.example.org"));
  assert_true(guard_is_local("loopback") && guard_is_local("private"));
  assert_false(guard_is_local("metadata service") || guard_is_local("link-local"));
}

static void test_names_open_exactly_what_they_name(void **state) {
  (void)state;
  arena a = {0};
  value list = value_list();
  value_add(&a, &list, value_text("127.0.0.1:9001"));
  value_add(&a, &list, value_text("intranet.example"));
  value_add(&a, &list, value_text("*.wild.example"));
  value_add(&a, &list, value_text("[::1]:9002"));
  value_add(&a, &list, value_integer(7));
  assert_true(guard_named(&list, "127.0.0.1", 9001));
  assert_false(guard_named(&list, "127.0.0.1", 9002));
  assert_false(guard_named(&list, "127.0.0.2", 9001));
  assert_true(guard_named(&list, "intranet.example", 80));
  assert_true(guard_named(&list, "intranet.example", 443));
  assert_false(guard_named(&list, "intranet.example", 8080));
  assert_false(guard_named(&list, "x.wild.example", 80));
  assert_true(guard_named(&list, "::1", 9002));
  assert_false(guard_named(NULL, "127.0.0.1", 9001));
  arena_free(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_addresses),
      cmocka_unit_test(test_what_is_no_internet_address_is_refused),
      cmocka_unit_test(test_what_only_a_local_network_answers_for),
      cmocka_unit_test(test_names_open_exactly_what_they_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
