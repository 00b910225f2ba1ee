/* conceal_test.c -- secrets are found in every spelling that requests and replies use, and nothing else is.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/flow_help.h"

#include "crypto/crypto.h"
#include "flow/trial/conceal.h"

static const char SECRET[] = "p4ss w\"rd/&+%41";

typedef struct setting {
  conceal *secrets;
  arena memory;
} setting;

static const char *said(setting *s, const char *text) {
  return conceal_text(s->secrets, text, &s->memory);
}

static void open_setting(setting *s) {
  *s = (setting){.secrets = conceal_open()};
  conceal_add(s->secrets, "KEY", SECRET);
  conceal_add(s->secrets, "PIN", "42");
  conceal_add(s->secrets, "LONG", "p4ss w\"rd/&+%41-and-more");
  conceal_add(s->secrets, "NONE", "");
}

static void close_setting(setting *s) {
  conceal_close(s->secrets);
  arena_free(&s->memory);
}

static void every_spelling_is_found(void **state) {
  (void)state;
  setting s;
  open_setting(&s);
  static const char *const spellings[] = {
      SECRET,
      "p4ss%20w%22rd%2F%26%2B%2541",
      "p4ss+w%22rd%2f%26%2b%2541",
      "p4ss%2520w%2522rd%252F%2526%252B%252541",
      "p4ss w\\\"rd/&+%41",
      "p4ss w\\\"rd\\/\\u0026+%41",
      "p4ss w&quot;rd/&amp;+%41",
      "p4ss w&#34;rd/&#x26;+%41",
      "%704ss%20w%22rd/%26+%41",
  };
  size_t count = sizeof spellings / sizeof *spellings;
  for (size_t i = 0; i < count; i++)
    assert_string_equal(said(&s, arena_format(&s.memory, "x=%s;y", spellings[i])),
                        "x={secret:KEY};y");
  assert_string_equal(said(&s, "p4ss w\"rd/&+%41-and-more!"), "{secret:LONG}!");
  close_setting(&s);
}

static void hex_and_base64_are_found(void **state) {
  (void)state;
  setting s;
  open_setting(&s);
  char hex[64];
  crypto_hex(SECRET, strlen(SECRET), hex);
  assert_string_equal(said(&s, hex), "{secret:KEY}");
  for (size_t before = 0; before < 6; before++) { /* user:secret, at each of the alignments */
    buffer plain, text, url;
    buffer_init(&plain, 100), buffer_init(&text, 200), buffer_init(&url, 200);
    buffer_add(&plain, "user:", before < 5 ? before : 5);
    buffer_add_text(&plain, SECRET);
    buffer_add_text(&plain, before == 5 ? ":tail" : "");
    crypto_base64(&text, plain.data, plain.size);
    crypto_base64url(&url, plain.data, plain.size);
    assert_string_equal(said(&s, arena_format(&s.memory, "Basic %s,", buffer_text(&text))),
                        "Basic {secret:KEY},");
    assert_string_equal(said(&s, arena_format(&s.memory, "%s\n", buffer_text(&url))),
                        "{secret:KEY}\n");
    buffer_free(&plain), buffer_free(&text), buffer_free(&url);
  }
  close_setting(&s);
}

static void other_texts_stay(void **state) {
  (void)state;
  setting s;
  open_setting(&s);
  static const char *const texts[] = {"",     "p4ss w\"rd/&+%4", "1421 and a42b",   "100%", "a\\",
                                      "&amp", "%zz%4",           "{\"a\":[1,2.50]}"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    assert_string_equal(said(&s, texts[i]), texts[i]);
  assert_string_equal(said(&s, "pin=42&x"), "pin={secret:PIN}&x");
  close_setting(&s);
}

static void addresses_and_headers_lose_credentials(void **state) {
  (void)state;
  setting s;
  open_setting(&s);
  assert_string_equal(
      conceal_url(s.secrets, "https://u:p@h/a?page=2&api_key=zz&Sig=1#f", &s.memory),
      "https://{hidden}@h/a?page=2&api_key={hidden}&Sig={hidden}");
  value headers = value_map();
  value_set(&s.memory, &headers, "Authorization", value_text("Basic xyz"));
  value_set(&s.memory, &headers, "set-cookie", value_text("sid=1"));
  value_set(&s.memory, &headers, "link", value_text("<https://h/a?api_key=zz>; rel=\"next\""));
  value_set(&s.memory, &headers, "etag", value_text("\"v1\""));
  value out = conceal_headers(s.secrets, &headers, &s.memory);
  assert_int_equal(out.map.count, 2);
  assert_string_equal(value_get_text(&out, "link", ""),
                      "<https://h/a?api_key={hidden}>; rel=\"next\"");
  assert_string_equal(value_get_text(&out, "etag", ""), "\"v1\"");
  close_setting(&s);
}

static void tokens_of_a_reply_are_hidden(void **state) {
  (void)state;
  buffer b;
  buffer_init(&b, 1000);
  buffer_add_text(
      &b, "{\"access_token\" : \"a\\\"b\",\"n\":1,\"id_token\":null,\"refresh_token\":\"r\"}");
  conceal_tokens(&b);
  assert_string_equal(buffer_text(&b), "{\"access_token\" : \"{hidden}\",\"n\":1,\"id_token\":null,"
                                       "\"refresh_token\":\"{hidden}\"}");
  buffer_clear(&b);
  buffer_add_text(&b, "\"access_token\":\"cut off");
  conceal_tokens(&b);
  assert_string_equal(buffer_text(&b), "\"access_token\":\"cut off");
  buffer_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_spelling_is_found),
      cmocka_unit_test(hex_and_base64_are_found),
      cmocka_unit_test(other_texts_stay),
      cmocka_unit_test(addresses_and_headers_lose_credentials),
      cmocka_unit_test(tokens_of_a_reply_are_hidden),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
