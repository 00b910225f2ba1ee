/* tar_test.c -- the file that dts backup writes is one that tar reads, bit for bit.
 *
 * SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "command/tar.h"

static char folder[64], path[128];

static const char *below(const char *name) {
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static int make_folder(void **state) {
  (void)state;
  strcpy(folder, "/tmp/dts-tar-XXXXXX");
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  return system(command);
}

static void is_read_by_tar(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 511, 512, 513, 300000};
  char command[300], name[32];
  char *bytes = malloc(300000);
  memset(bytes, 'x', 300000);
  FILE *out = fopen(below("all.tar"), "wb");
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    int64_t size;
    snprintf(name, sizeof name, "in%zu", i);
    assert_int_equal(0, file_write_atomic(below(name), bytes, sizes[i], 0600, NULL));
    assert_int_equal(0, tar_add(out, name, below(name), &size, NULL));
    assert_int_equal(sizes[i], size);
  }
  assert_int_equal(0, tar_end(out, NULL));
  fclose(out);
  free(bytes);
  snprintf(command, sizeof command,
           "cd %s && mkdir out && tar -xf all.tar -C out && "
           "for i in 0 1 2 3 4 5; do cmp in$i out/in$i || exit 1; done",
           folder);
  assert_int_equal(0, system(command));
}

/* Past 8 GB eleven octal digits do not suffice: the head alone is read, of a file with a hole. */
static void says_large_sizes(void **state) {
  (void)state;
  char head[512];
  dts_error e;
  int64_t size = (int64_t)9 << 30;
  int fd = open(below("hole"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  assert_int_equal(0, ftruncate(fd, size));
  close(fd);
  FILE *out = fmemopen(head, sizeof head, "wb"); /* full after the first block, which is wanted */
  setvbuf(out, NULL, _IONBF, 0);
  assert_int_equal(-1, tar_add(out, "hole", below("hole"), NULL, &e));
  assert_int_equal(0x80, (unsigned char)head[124]);
  int64_t said = 0;
  for (int i = 125; i < 136; i++) said = said << 8 | (unsigned char)head[i];
  assert_int_equal(size, said);
  fclose(out);
}

static void refuses(void **state) {
  (void)state;
  dts_error e;
  char name[128];
  FILE *out = fopen(below("none.tar"), "wb");
  memset(name, 'n', 120);
  name[120] = 0;
  assert_int_equal(-1, tar_add(out, name, below("in0"), NULL, &e));
  assert_string_equal("BACKUP", e.code);
  assert_int_equal(-1, tar_add(out, "gone", below("gone"), NULL, &e));
  assert_string_equal("FILE_MISSING", e.code);
  assert_int_equal(0, ftell(out));
  fclose(out);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(is_read_by_tar),
                                     cmocka_unit_test(says_large_sizes), cmocka_unit_test(refuses)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
