/* limit_test.c -- scripts that do not want to end: each is stopped, and the engine learns by what.
 *
 * SPDX-License-Identifier: MIT */
#include "script/fake_engine.h"

#include <sys/resource.h>
#include <sys/syscall.h>

#include "script/cage.h"

enum { MEGABYTE = 1024 * 1024 };

static void run_within(void **state, talk *t, int64_t memory, int64_t cpu_ms, const char *source) {
  talk_open(*state, t, memory, cpu_ms);
  talk_start(t, source, (start_options){.memory = memory, .cpu_ms = cpu_ms});
  talk_listen(t);
  talk_wait(t);
}

/* ── Stopped at the line ── */

static void stops_at(void **state, const char *source, const char *where) {
  talk t;
  run_within(state, &t, 64 * MEGABYTE, 200, source);
  failed(&t, "LIMIT_CPU", where, "the script used more than its 0.2 s of processor time");
  assert_string_equal(value_get_text(&t.end, "limit", ""), "LIMIT_CPU");
  talk_close(&t);
}

static void an_endless_loop(void **state) {
  stops_at(state, "return function()\n\n  while true do end\nend", "pipelines/x.lua:3");
}
static void an_endless_load(void **state) {
  stops_at(state, "\nrepeat until false", "pipelines/x.lua:2");
}
static void in_a_coroutine(void **state) {
  stops_at(state,
           "return function()\n  local co = coroutine.wrap(function()\n"
           "    coroutine.yield()\n    for i = 1, math.huge do end\n  end)\n  co()\n  co()\nend",
           "pipelines/x.lua:4");
}
static void in_a_task(void **state) {
  stops_at(
      state,
      "return function(k)\n  k.tasks({ 1, 2 }, 2, function()\n    while true do end\n  end)\nend",
      "pipelines/x.lua:3");
}
static void in_a_closed_coroutine(void **state) {
  stops_at(state,
           "return function()\n  local co = coroutine.create(function()\n"
           "    local c <close> = setmetatable({}, { __close = function()\n"
           "      while true do end\n    end })\n    coroutine.yield()\n  end)\n"
           "  coroutine.resume(co)\n  coroutine.close(co)\nend",
           "pipelines/x.lua:4");
}

static void pcall_does_not_swallow_it(void **state) {
  stops_at(
      state,
      "return function()\n  while true do\n    pcall(function() while true do end end)\n  end\nend",
      "pipelines/x.lua:3");
  stops_at(state,
           "return function()\n  local co = coroutine.create(function() while true do end end)\n"
           "  coroutine.resume(co)\n  while true do end\nend",
           "pipelines/x.lua:2");
  stops_at(state,
           "return function()\n  while true do\n    xpcall(function()\n      repeat until false\n"
           "    end, function() return 1 end)\n  end\nend",
           "pipelines/x.lua:4");
}

/* ── Memory ── */

static void needs_too_much(void **state, const char *source, const char *where) {
  talk t;
  run_within(state, &t, 16 * MEGABYTE, 5000, source);
  failed(&t, "LIMIT_MEMORY", where, "the script needs more than its 16 MB of memory");
  assert_string_equal(value_get_text(&t.end, "limit", ""), "LIMIT_MEMORY");
  talk_close(&t);
}

static void memory_is_bounded(void **state) {
  needs_too_much(state, "return function()\n  local s = ('x'):rep(1e9)\nend", "pipelines/x.lua:2");
  needs_too_much(
      state, "return function()\n  local t = {}\n  for i = 1, 1e9 do\n    t[i] = { i }\n  end\nend",
      "pipelines/x.lua:4");
  needs_too_much(state,
                 "return function()\n  local t = {}\n  table.move({}, 1, 10, 2)\n"
                 "  for i = 1, 1e9 do t[#t + 1] = i .. 'x' end\nend",
                 "pipelines/x.lua:4");
}

static void a_storm_of_coroutines(void **state) {
  needs_too_much(state,
                 "return function()\n  local t = {}\n  while true do\n"
                 "    t[#t + 1] = coroutine.wrap(function() coroutine.yield() end)\n    t[#t]()\n"
                 "  end\nend",
                 "pipelines/x.lua:4");
}

static void caught_memory_still_fails(void **state) {
  needs_too_much(state, "return function()\n  pcall(string.rep, 'x', 1e9)\n  print('went on')\nend",
                 "pipelines/x.lua:2");
  needs_too_much(
      state,
      "return function()\n  local co = coroutine.create(function()\n    local s = ('x'):rep(1e9)\n"
      "  end)\n  coroutine.resume(co)\n  print('went on')\nend",
      "pipelines/x.lua:3");
  needs_too_much(
      state,
      "return function(k)\n  k.tasks({ 1 }, 1, function()\n    return ('x'):rep(1e9)\n  end)\nend",
      "pipelines/x.lua:3");
}

static void garbage_is_not_need(void **state) {
  talk t;
  run_within(state, &t, 16 * MEGABYTE, 10000,
             "return function()\n  for i = 1, 300 do local s = ('x'):rep(1e6) .. i end\nend");
  done(&t);
  assert_in_range(value_get_integer(&t.end, "peak", 0), MEGABYTE, 16 * MEGABYTE);
  talk_close(&t);
}

static void a_large_body_is_no_text(void **state) {
  talk t;
  int fd = memfd_create("body", MFD_CLOEXEC);
  assert_int_equal(ftruncate(fd, 100 * MEGABYTE), 0);
  talk_open(*state, &t, 16 * MEGABYTE, 5000);
  talk_start(&t, "return function(k, start)\n  local s = start.body:text()\nend",
             (start_options){.memory = 16 * MEGABYTE, .fd = fd});
  close(fd);
  talk_listen(&t);
  talk_wait(&t);
  failed(&t, "LIMIT_SIZE", "pipelines/x.lua:2",
         "a body of 100 MB is too large to be one text within 16 MB of memory: read it with "
         ":rows, :lines or :read");
  talk_close(&t);
}

/* ── Killed: nothing comes back to Lua, the system's limit ends it ── */

/* Within a second of processor time after the limit, and its line is known all the same. */
static void is_killed(void **state, int signal, const char *source) {
  talk t;
  run_within(state, &t, 64 * MEGABYTE, 100, source);
  assert_int_equal(t.end_op, 0);
  assert_int_equal(t.signal, signal);
  assert_string_equal(t.where, "pipelines/x.lua:2");
  assert_true(t.cpu_ms < 1100);
  talk_close(&t);
}

static void a_backtracking_pattern(void **state) {
  is_killed(state, SIGXCPU,
            "return function()\n  return ('a'):rep(100000):find(('.-'):rep(20) .. 'b')\nend");
}
static void an_endless_move(void **state) {
  is_killed(state, SIGXCPU, "return function()\n  table.move({}, 1, 1e12, 2)\nend");
}
static void an_endless_handler(void **state) {
  is_killed(state, SIGXCPU,
            "return function()\n  xpcall(function() while true do end end, function() while true "
            "do end end)\nend");
}

static void an_endless_empty_rep(void **state) {
  talk t;
  run_within(state, &t, 64 * MEGABYTE, 100, "return function()\n  return #(''):rep(1e15)\nend");
  assert_true(t.signal == SIGXCPU || t.end_op == OP_DONE); /* a later Lua sees that it is empty */
  talk_close(&t);
}

/* ── The cage, as seen by C code that has gone wrong ── */

static void goes_wrong(engine *e, int kind, int *status, int *signal);

static void a_crash_is_reported(void **state) {
  int status, number;
  goes_wrong(*state, 0, &status, &number);
  assert_int_equal(number, SIGSEGV);
}

static const int forbidden[] = {SYS_open,
                                SYS_openat,
                                SYS_openat2,
                                SYS_creat,
                                SYS_stat,
                                SYS_newfstatat,
                                SYS_access,
                                SYS_readlink,
                                SYS_getdents64,
                                SYS_mkdir,
                                SYS_unlink,
                                SYS_rename,
                                SYS_chmod,
                                SYS_symlink,
                                SYS_link,
                                SYS_chdir,
                                SYS_chroot,
                                SYS_mount,
                                SYS_socket,
                                SYS_socketpair,
                                SYS_connect,
                                SYS_bind,
                                SYS_listen,
                                SYS_accept4,
                                SYS_sendto,
                                SYS_fork,
                                SYS_vfork,
                                SYS_clone,
                                SYS_clone3,
                                SYS_execve,
                                SYS_execveat,
                                SYS_kill,
                                SYS_tkill,
                                SYS_rt_sigqueueinfo,
                                SYS_pidfd_open,
                                SYS_pidfd_send_signal,
                                SYS_ptrace,
                                SYS_process_vm_readv,
                                SYS_process_vm_writev,
                                SYS_memfd_create,
                                SYS_shmget,
                                SYS_pipe2,
                                SYS_eventfd2,
                                SYS_timerfd_create,
                                SYS_epoll_create1,
                                SYS_inotify_init1,
                                SYS_io_uring_setup,
                                SYS_bpf,
                                SYS_perf_event_open,
                                SYS_userfaultfd,
                                SYS_keyctl,
                                SYS_unshare,
                                SYS_setns,
                                SYS_prctl,
                                SYS_seccomp,
                                SYS_ioctl,
                                SYS_fcntl,
                                SYS_dup,
                                SYS_setuid,
                                SYS_personality,
                                SYS_sched_setaffinity,
                                SYS_setpriority,
                                SYS_reboot};

static void system_calls_kill(void **state) {
  for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
    int status, number;
    goes_wrong(*state, -forbidden[i], &status, &number);
    if (number != SIGSYS)
      print_error("system call %d: signal %d, status %d\n", forbidden[i], number, status);
    assert_int_equal(number, SIGSYS);
  }
}

static void signals_go_to_itself_alone(void **state) {
  int status, number;
  goes_wrong(*state, 1, &status, &number);
  assert_int_equal(number, SIGSYS); /* its parent was not hit */
  goes_wrong(*state, 2, &status, &number);
  assert_int_equal(number, SIGABRT);
}

static void executable_memory_is_refused(void **state) {
  int status, number;
  goes_wrong(*state, 8, &status, &number);
  assert_int_equal(status, 42);
}

static void nothing_is_left_open(void **state) {
  int status, number;
  goes_wrong(*state, 9, &status, &number);
  assert_int_equal(status, 42);
}

static pid_t getppid_before;

/* The raw calls of a worker whose memory an attacker owns. A negative kind is a system call. */
static int misbehave(int kind) {
  volatile uintptr_t nowhere = 8;
  switch (kind) {
  case 0:
    signal(SIGSEGV, SIG_DFL);
    *(volatile int *)nowhere = 1;
    break;
  case 1: syscall(SYS_tgkill, getppid_before, getppid_before, SIGABRT); break;
  case 2: signal(SIGABRT, SIG_DFL), abort();
  case 8: {
    void *p =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED && errno == EACCES ? 42 : 1;
  }
  case 9: {
    char byte = 0;
    for (int fd = CAGE_SOCKET + 1; fd < 200; fd++)
      if (read(fd, &byte, 0) == 0 || errno != EBADF) return 1;
    return read(0, &byte, 1) == 0 && environ == NULL ? 42 : 2;
  }
  case 10: {
    struct rlimit space;
    syscall(SYS_prlimit64, 0, RLIMIT_AS, NULL, &space);
    return space.rlim_cur == space.rlim_max && space.rlim_max < 1024UL * MEGABYTE ? 42 : 1;
  }
  default: syscall(-kind, 0, 0, 0, 0, 0, 0); break;
  }
  return 0;
}

static void goes_wrong(engine *e, int kind, int *status, int *signal_number) {
  (void)e;
  int pair[2], ended;
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  getppid_before = getpid();
  pid_t pid = fork();
  if (pid == 0) {
    cage c;
    dts_error err;
    int64_t memory = kind == 10 ? 64 * MEGABYTE : 0;
    if (cage_open(&c, &err) < 0 || cage_enter(&c, pair[1], memory, 1000, &err) < 0) _exit(99);
    _exit(misbehave(kind));
  }
  close(pair[0]), close(pair[1]);
  assert_int_equal(waitpid(pid, &ended, 0), pid);
  *status = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
  *signal_number = WIFSIGNALED(ended) ? WTERMSIG(ended) : 0;
}

static void the_address_space_is_bounded(void **state) {
#ifdef DTS_SANITIZED
  (void)state;
  skip(); /* shadow memory takes all of it */
#else
  int status, number;
  goes_wrong(*state, 10, &status, &number);
  assert_int_equal(status, 42);
#endif
}

/* ── What is ended from outside tells where it was ── */

static void ended_by(void **state, const char *source, int first, int second) {
  talk t;
  talk_open(*state, &t, 0, 0);
  talk_start(&t, source, (start_options){0});
  usleep(200 * 1000);
  kill(t.pid, first);
  usleep(50 * 1000);
  if (second) kill(t.pid, second);
  talk_wait(&t);
  assert_string_equal(t.where, "pipelines/x.lua:2");
  assert_int_equal(t.signal, second ? second : first);
  talk_close(&t);
}

static void a_notice_is_noted(void **state) {
  ended_by(state, "return function()\n  while true do end\nend", SIGUSR1, SIGKILL);
}

static void a_crash_is_noted(void **state) {
#ifdef DTS_SANITIZED
  (void)state;
  skip(); /* the sanitizer reports it */
#else
  static const char in_c[] = "return function()\n  table.move({}, 1, 1e12, 2)\nend";
  ended_by(state, in_c, SIGSEGV, 0);
  ended_by(state, in_c, SIGABRT, 0);
#endif
}

/* ── The nursery ── */

static void a_killed_run_is_reported(void **state) {
  talk t;
  talk_open(*state, &t, 0, 0);
  kill(t.pid, SIGKILL);
  talk_wait(&t);
  assert_int_equal(t.signal, SIGKILL);
  talk_close(&t);
}

static void children_end_with_the_nursery(void **state) {
  talk t;
  void *other = NULL;
  char byte;
  (void)state;
  assert_int_equal(engine_open(&other), 0);
  talk_open(other, &t, 0, 0);
  talk_start(&t, "return function() while true do end end", (start_options){0});
  assert_int_equal(engine_close(&other), 0);
  assert_true(read(t.socket, &byte, 1) <= 0); /* its end is closed: it is gone */
  assert_int_equal(kill(t.pid, 0), -1);
  talk_close(&t);
}

static void a_fork_takes_how_long(void **state) {
  struct timespec start, end;
  enum { TIMES = 100 };
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (int i = 0; i < TIMES; i++) {
    talk t;
    talk_run(state, &t, NULL, "return function() end");
    assert_int_equal(t.end_op, OP_DONE);
    talk_close(&t);
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  double ms =
      (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6;
  print_message("fork, cage, start, run, end: %.2f ms each\n", ms / TIMES);
}

#define TEST(name) cmocka_unit_test(name)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(an_endless_loop),
      TEST(an_endless_load),
      TEST(in_a_coroutine),
      TEST(in_a_task),
      TEST(in_a_closed_coroutine),
      TEST(pcall_does_not_swallow_it),
      TEST(memory_is_bounded),
      TEST(a_storm_of_coroutines),
      TEST(caught_memory_still_fails),
      TEST(garbage_is_not_need),
      TEST(a_large_body_is_no_text),
      TEST(a_backtracking_pattern),
      TEST(an_endless_move),
      TEST(an_endless_handler),
      TEST(an_endless_empty_rep),
      TEST(a_crash_is_reported),
      TEST(system_calls_kill),
      TEST(signals_go_to_itself_alone),
      TEST(the_address_space_is_bounded),
      TEST(a_notice_is_noted),
      TEST(a_crash_is_noted),
      TEST(executable_memory_is_refused),
      TEST(nothing_is_left_open),
      TEST(a_killed_run_is_reported),
      TEST(children_end_with_the_nursery),
      TEST(a_fork_takes_how_long),
  };
  return cmocka_run_group_tests(tests, engine_open, engine_close);
}
