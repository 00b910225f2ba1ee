/* spec_test.c -- dts-worker --spec: busted runs inside, and an engine on the socket may ask back.
 *
 * SPDX-License-Identifier: MIT */
#include "script/fake_engine.h"

#include "base/file.h"
#include "script/spec.h"

static const char spec[] =
    "local kernel = require 'dts.kernel'\n"
    "describe('the runner', function()\n"
    "  it('has files and libraries', function()\n"
    "    assert.truthy(io.open('dts_spec_test.lua')) assert.truthy(os.time())\n"
    "  end)\n"
    "  it('asks the engine, and answers it meanwhile', function()\n"
    "    kernel.answer_with(function(q) return { doubled = 2 * q.n, now = kernel.call('now').n } "
    "end)\n"
    "    local answer = kernel.call('test', { verb = 'run' })\n"
    "    assert.same({ { a = 1 } }, answer.rows)\n"
    "    assert.equal('done', answer.state)\n"
    "  end)\n"
    "end)\n";
static const char failing[] = "it('fails', function() assert.equal(1, 2) end)\n";

/* Runs the worker's own entry in a child, in a folder of its own, with `socket` as descriptor 3. */
static pid_t start_spec(const char *text, int socket, char folder[64]) {
  dts_error e;
  char path[96];
  snprintf(folder, 64, "/tmp/dts-spec-XXXXXX");
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/dts_spec_test.lua", folder);
  assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, &e), 0);
  pid_t pid = fork();
  if (pid != 0) return pid;
  static char file[] = "dts_spec_test.lua", quiet[] = "--output=TAP";
  char *arguments[] = {quiet, file, NULL};
  if (chdir(folder) < 0 || dup2(socket, 3) < 0) _exit(90);
  if (!freopen("output", "w", stdout)) _exit(91);
  _exit(spec_run(2, arguments));
}

static int end_spec(pid_t pid, const char *folder, char *output, size_t size) {
  char path[96];
  int status;
  buffer b;
  buffer_init(&b, 1 << 20);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  snprintf(path, sizeof path, "%s/output", folder);
  file_read(path, 1 << 20, &b, NULL);
  snprintf(output, size, "%s", buffer_text(&b));
  buffer_free(&b);
  unlink(path);
  snprintf(path, sizeof path, "%s/dts_spec_test.lua", folder);
  unlink(path);
  rmdir(folder);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void answer_test(talk *t, uint32_t call) {
  buffer *b = &t->out;
  buffer_clear(b);
  pack_map(b, 3);
  put_words(b, "state", "done");
  pack_text(b, "columns", 7);
  pack_list(b, 1);
  pack_text(b, "a", 1);
  pack_text(b, "rows", 4);
  pack_list(b, 1);
  pack_list(b, 1);
  pack_integer(b, 1);
  talk_reply(t, call, -1);
}

/* OP_TEST is answered after the spec has answered an OP_ASK of ours, and we an OP_NOW of its. */
static int64_t serve_spec(talk *t) {
  frame in;
  value v;
  uint32_t test_call = 0;
  int64_t doubled = 0;
  while (frame_receive(t->socket, &t->room, &in, NULL) == 1) {
    read_map(&t->arena, &in, &v);
    if (in.op == OP_TEST) {
      test_call = in.call;
      buffer_clear(&t->out);
      pack_map(&t->out, 1);
      put_number(&t->out, "n", 21);
      frame_send(t->socket, 77, OP_ASK, &t->out, -1, NULL);
    } else if (in.op == OP_NOW) {
      buffer_clear(&t->out);
      pack_map(&t->out, 1);
      put_number(&t->out, "n", 5);
      talk_reply(t, in.call, -1);
    } else if (in.op == OP_REPLY && in.call == 77) {
      doubled = value_get_integer(&v, "doubled", 0) + value_get_integer(&v, "now", 0);
      answer_test(t, test_call);
    }
  }
  return doubled;
}

static void busted_runs_inside(void **state) {
  (void)state;
  if (access("/usr/share/lua/5.4/busted/runner.lua", R_OK) < 0) {
    print_message("skipped: lua-busted is not installed\n");
    skip();
  }
  int pair[2];
  char folder[64], output[4096];
  talk t = {0};
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  buffer_init(&t.room, FRAME_LIMIT);
  buffer_init(&t.out, FRAME_LIMIT);
  pid_t pid = start_spec(spec, pair[1], folder);
  close(pair[1]);
  t.socket = pair[0];
  int64_t doubled = serve_spec(&t);
  int status = end_spec(pid, folder, output, sizeof output);
  if (status) print_error("%s\n", output);
  assert_int_equal(status, 0);
  assert_non_null(strstr(output, "ok 2"));
  assert_int_equal(doubled, 47);
  talk_close(&t);
}

static void a_failing_spec_fails(void **state) {
  (void)state;
  if (access("/usr/share/lua/5.4/busted/runner.lua", R_OK) < 0) skip();
  int pair[2];
  char folder[64], output[4096];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  pid_t pid = start_spec(failing, pair[1], folder);
  close(pair[0]), close(pair[1]);
  assert_int_equal(end_spec(pid, folder, output, sizeof output), 1);
  assert_non_null(strstr(output, "not ok 1"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(busted_runs_inside),
      cmocka_unit_test(a_failing_spec_fails),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
