/* frame_test.c -- frames over a socket pair: both kinds of ends, descriptors, and what is refused.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/frame.h"

typedef struct ends {
  int a, b;
  buffer room;
} ends;

static int open_ends(void **state) {
  int pair[2];
  ends *s = calloc(1, sizeof *s);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return -1;
  s->a = pair[0], s->b = pair[1];
  buffer_init(&s->room, FRAME_LIMIT);
  *state = s;
  return 0;
}

static int close_ends(void **state) {
  ends *s = *state;
  if (s->a >= 0) close(s->a);
  if (s->b >= 0) close(s->b);
  buffer_free(&s->room);
  free(s);
  return 0;
}

static int file_of(const char *text) {
  int fd = memfd_create("test", MFD_CLOEXEC);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  return fd;
}

static void holds(int fd, const char *text) {
  char bytes[64] = "";
  assert_true(fd >= 0);
  assert_int_equal(pread(fd, bytes, sizeof bytes - 1, 0), strlen(text));
  assert_string_equal(bytes, text);
  close(fd);
}

static int open_count(void) {
  int count = 0;
  for (int fd = 0; fd < 256; fd++) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

static void text_frame(buffer *b, const char *text) {
  buffer_init(b, FRAME_LIMIT);
  buffer_add_text(b, text);
}

static void whole_frames(void **state) {
  ends *s = *state;
  buffer b;
  frame in;
  dts_error e;
  text_frame(&b, "hello");
  assert_int_equal(frame_send(s->a, 7, 52, &b, -1, &e), 0);
  assert_int_equal(frame_send(s->a, 0x80000001u, 255, NULL, -1, &e), 0);
  assert_int_equal(frame_receive(s->b, &s->room, &in, &e), 1);
  assert_int_equal(in.call, 7);
  assert_int_equal(in.op, 52);
  assert_int_equal(in.fd, -1);
  assert_int_equal(in.size, 5);
  assert_memory_equal(in.payload, "hello", 5);
  assert_int_equal(frame_receive(s->b, &s->room, &in, &e), 1);
  assert_true(in.call == 0x80000001u);
  assert_int_equal(in.size, 0);
  close(s->a), s->a = -1;
  assert_int_equal(frame_receive(s->b, &s->room, &in, &e), 0);
  buffer_free(&b);
}

static void descriptors_ride(void **state) {
  ends *s = *state;
  buffer b;
  frame in;
  dts_error e;
  int before = open_count(), one = file_of("one"), two = file_of("two");
  text_frame(&b, "x");
  frame_send(s->a, 1, 1, &b, one, &e);
  frame_send(s->a, 2, 1, &b, -1, &e);
  frame_send(s->a, 3, 1, NULL, two, &e);
  close(one), close(two);
  assert_int_equal(frame_receive(s->b, &s->room, &in, &e), 1);
  holds(in.fd, "one");
  assert_int_equal(frame_receive(s->b, &s->room, &in, &e), 1);
  assert_int_equal(in.fd, -1);
  assert_int_equal(frame_receive(s->b, &s->room, &in, &e), 1);
  holds(in.fd, "two");
  assert_int_equal(open_count(), before);
  buffer_free(&b);
}

static void breaks(void **state, const char *bytes, size_t size, const char *message) {
  ends *s = *state;
  frame in;
  dts_error e = {0};
  assert_int_equal(write(s->a, bytes, size), size);
  close(s->a), s->a = -1;
  assert_int_equal(frame_receive(s->b, &s->room, &in, &e), -1);
  assert_string_equal(e.code, "WIRE");
  assert_string_equal(e.message, message);
  assert_int_equal(in.fd, -1);
}

static void cut_head(void **state) {
  breaks(state, "\x01\0\0", 3, "the connection broke inside a frame");
}
static void cut_payload(void **state) {
  breaks(state, "\x05\0\0\0\0\0\0\0\x01\0\0\0ab", 14, "the connection broke inside a frame");
}
static void too_large(void **state) {
  breaks(state, "\x01\0\0\x04\0\0\0\0\x01\0\0\0", 12, "what came is not a frame");
}
static void promised_descriptor(void **state) {
  breaks(state, "\0\0\0\0\0\0\0\0\x01\x01\0\0", 12, "what came is not a frame");
}
static void unknown_flag(void **state) {
  breaks(state, "\0\0\0\0\0\0\0\0\x01\x02\0\0", 12, "what came is not a frame");
}

static void nobody_there(void **state) {
  ends *s = *state;
  dts_error e;
  close(s->b), s->b = -1;
  assert_int_equal(frame_send(s->a, 1, 1, NULL, -1, &e), -1);
  assert_string_equal(e.code, "WIRE");
}

/* ── The non-blocking end ── */

static void byte_by_byte(void **state) {
  ends *s = *state;
  static const char bytes[] = "\x03\0\0\0\x09\0\0\0\x28\0\0\0abc";
  frame in;
  dts_error e;
  frame_link *l = frame_link_open(s->b);
  s->b = -1;
  for (size_t i = 0; i < sizeof bytes - 1; i++) {
    assert_int_equal(frame_link_read(l, &in, &e), 2);
    assert_int_equal(write(s->a, bytes + i, 1), 1);
  }
  assert_int_equal(frame_link_read(l, &in, &e), 1);
  assert_int_equal(in.call, 9);
  assert_memory_equal(in.payload, "abc", 4); /* and a NUL */
  close(s->a), s->a = -1;
  assert_int_equal(frame_link_read(l, &in, &e), 0);
  frame_link_close(l);
}

static void *read_all(void *data) {
  ends *s = data;
  frame in;
  dts_error e;
  intptr_t frames = 0, wrong = 0;
  while (frame_receive(s->b, &s->room, &in, &e) == 1) {
    wrong += in.call != (uint32_t)++frames || in.size != (size_t)(in.call * 977 % 50000);
    for (size_t i = 0; i < in.size; i++) wrong += in.payload[i] != (char)in.call;
    wrong += (in.fd >= 0) != (in.call % 50 == 0);
    if (in.fd >= 0) {
      char mark = 0;
      wrong += pread(in.fd, &mark, 1, 0) != 1 || mark != (char)('a' + in.call / 50 % 20);
      close(in.fd);
    }
  }
  return (void *)(wrong ? -1 : frames);
}

/* A thousand frames of all sizes, some with a descriptor, through a link whose socket fills up. */
static void many_frames(void **state) {
  ends *s = *state;
  pthread_t reader;
  void *result;
  int before = open_count();
  frame_link *l = frame_link_open(dup(s->a));
  pthread_create(&reader, NULL, read_all, s);
  for (uint32_t call = 1; call <= 1000; call++) {
    buffer b;
    buffer_init(&b, FRAME_LIMIT);
    for (size_t i = 0; i < call * 977 % 50000; i++) buffer_add_char(&b, (char)call);
    char mark[2] = {(char)('a' + call / 50 % 20)};
    int fd = call % 50 ? -1 : file_of(mark);
    assert_int_equal(frame_link_queue(l, call, 1, &b, fd), 0);
    if (fd >= 0) close(fd);
    assert_int_equal(frame_link_write(l), 0);
    buffer_free(&b);
  }
  while (frame_link_pending(l)) assert_int_equal(frame_link_write(l), 0);
  frame_link_close(l);
  shutdown(s->a, SHUT_WR);
  pthread_join(reader, &result);
  assert_int_equal((intptr_t)result, 1000);
  assert_int_equal(open_count(), before);
}

static void unsent_descriptors_close(void **state) {
  ends *s = *state;
  int before = open_count(), fd = file_of("x");
  frame_link *l = frame_link_open(dup(s->a));
  assert_int_equal(frame_link_queue(l, 1, 1, NULL, fd), 0);
  close(fd);
  assert_int_equal(frame_link_pending(l), FRAME_HEAD);
  frame_link_close(l);
  assert_int_equal(open_count(), before);
}

static void broken_link_stays_broken(void **state) {
  ends *s = *state;
  frame in;
  dts_error e;
  frame_link *l = frame_link_open(s->b);
  s->b = -1;
  assert_int_equal(write(s->a, "\xff\xff\xff\xff\0\0\0\0\0\0\0\0", 12), 12);
  assert_int_equal(frame_link_read(l, &in, &e), -1);
  assert_string_equal(e.message, "what came is not a frame");
  assert_int_equal(frame_link_read(l, &in, &e), -1);
  assert_int_equal(frame_link_queue(l, 1, 1, NULL, -1), -1);
  frame_link_close(l);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_ends, close_ends)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(whole_frames),
      TEST(descriptors_ride),
      TEST(cut_head),
      TEST(cut_payload),
      TEST(too_large),
      TEST(promised_descriptor),
      TEST(unknown_flag),
      TEST(nobody_there),
      TEST(byte_by_byte),
      TEST(many_frames),
      TEST(unsent_descriptors_close),
      TEST(broken_link_stays_broken),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
