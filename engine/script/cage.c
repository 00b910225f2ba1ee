/* cage.c -- see cage.h. The system calls are those that glibc's malloc and stdio-less code, Lua,
 * zstd and libxml2's parser make; PCRE2 is refused executable memory with an error and goes without
 * its JIT.
 *
 * SPDX-License-Identifier: MIT */
#include "script/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "script/limit.h"

enum { MEGABYTE = 1024 * 1024, PARSERS = 64 * MEGABYTE, DESCRIPTORS = 256 };

/* ── The filter ── */

static const int allowed[] = {
    SCMP_SYS(read),         SCMP_SYS(write),          SCMP_SYS(readv),
    SCMP_SYS(writev),       SCMP_SYS(pread64),        SCMP_SYS(lseek),
    SCMP_SYS(sendmsg),      SCMP_SYS(recvmsg),        SCMP_SYS(close),
    SCMP_SYS(fstat),        SCMP_SYS(tgkill),         SCMP_SYS(munmap),
    SCMP_SYS(mremap),       SCMP_SYS(madvise),        SCMP_SYS(brk),
    SCMP_SYS(futex),        SCMP_SYS(clock_gettime),  SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday), SCMP_SYS(time),           SCMP_SYS(getrandom),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),  SCMP_SYS(setitimer),      SCMP_SYS(getrusage),
    SCMP_SYS(getpid),       SCMP_SYS(gettid),         SCMP_SYS(restart_syscall),
    SCMP_SYS(sched_yield),  SCMP_SYS(exit),           SCMP_SYS(exit_group),
    SCMP_SYS(sysinfo), /* glibc's qsort asks it before it sorts more than a kilobyte */
};

/* Memory that is not executable; asking for the other kind is an error, not the end. */
static int allow_memory(scmp_filter_ctx f, int call) {
  struct scmp_arg_cmp plain = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
  struct scmp_arg_cmp executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC);
  int bad = seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1, plain);
  return bad ? bad : seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), call, 1, executable);
}

/* Of itself alone: limits. */
static int allow_self(scmp_filter_ctx f) {
  return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_EQ, 0));
}

static int build(scmp_filter_ctx f) {
  int bad = 0;
  for (size_t i = 0; !bad && i < sizeof allowed / sizeof *allowed; i++)
    bad = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
  if (!bad) bad = allow_memory(f, SCMP_SYS(mmap));
  if (!bad) bad = allow_memory(f, SCMP_SYS(mprotect));
  return bad ? bad : allow_self(f);
}

/* Before the rest: signals to itself alone, which abort() and the CPU limit need. The pid is the
 * child's, and put in there. */
enum { OWN_PID = 3 };
static const struct sock_filter signals_at_home[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 0, 3),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])), /* its lower half */
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

/* What the kernel takes, made once: libseccomp would make it anew in each child. */
static int compile(scmp_filter_ctx f, cage *c) {
  int fd = memfd_create("filter", MFD_CLOEXEC), bad = fd < 0 ? -errno : seccomp_export_bpf(f, fd);
  off_t size = bad ? 0 : lseek(fd, 0, SEEK_END);
  struct sock_filter *steps = malloc(sizeof signals_at_home + (size_t)size);
  if (!bad &&
      (!steps || pread(fd, (char *)steps + sizeof signals_at_home, (size_t)size, 0) != size))
    bad = -ENOMEM;
  if (fd >= 0) close(fd);
  if (bad) return free(steps), bad;
  memcpy(steps, signals_at_home, sizeof signals_at_home);
  c->filter = steps;
  c->steps = (sizeof signals_at_home + (size_t)size) / sizeof *steps;
  return 0;
}

static int load(const cage *c) {
  struct sock_filter *steps = c->filter;
  struct sock_fprog program = {(unsigned short)c->steps, steps};
  steps[OWN_PID].k = (unsigned)getpid();
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* The address space of this process, in bytes. */
static size_t read_size(void) {
  unsigned long pages = 0;
  FILE *f = fopen("/proc/self/statm", "re");
  if (!f) return 0;
  if (fscanf(f, "%lu", &pages) != 1) pages = 0;
  fclose(f);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

int cage_open(cage *c, dts_error *e) {
  *c = (cage){.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC)};
  if (c->null_fd < 0) return error_fail(e, "CAGE", "/dev/null: %s", strerror(errno));
  scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
  int bad = f ? build(f) : -ENOMEM;
  if (!bad) bad = compile(f, c);
  if (f) seccomp_release(f);
  if (!bad) {
    c->base_size = read_size();
    return 0;
  }
  cage_close(c);
  return error_fail(e, "CAGE", "the system-call filter cannot be made: %s", strerror(-bad));
}

void cage_close(cage *c) {
  free(c->filter);
  if (c->null_fd >= 0) close(c->null_fd);
  *c = (cage){.null_fd = -1};
}

/* ── Limits ── */

static void set_limit(int what, rlim_t soft, rlim_t hard) {
  setrlimit((__rlimit_resource_t)what, &(struct rlimit){soft, hard});
}

/* SIGXCPU kills at the soft limit: the first whole second that lies a second past Lua's own
 * limit. */
static rlim_t cpu_seconds(int64_t ms) { return (rlim_t)((ms + 999) / 1000 + 1); }

/* The hard limit is for all runs that the process may take one after another (loop.c); the soft one,
 * which kills as well, is set anew for each. */
static void set_limits(const cage *c, int64_t memory, int64_t cpu_ms) {
  set_limit(RLIMIT_CORE, 0, 0);
  set_limit(RLIMIT_NOFILE, DESCRIPTORS, DESCRIPTORS);
  if (cpu_ms > 0) set_limit(RLIMIT_CPU, cpu_seconds(cpu_ms), cpu_seconds(2 * cpu_ms) + 3);
#ifndef DTS_SANITIZED
  rlim_t space = c->base_size + (rlim_t)memory + PARSERS;
  if (memory > 0) set_limit(RLIMIT_AS, space, space);
#else
  (void)c, (void)memory;
#endif
}

int64_t cage_cpu_used(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
         (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

void cage_cpu(script *s, int64_t ms) {
  limit_cpu(s, ms);
  if (ms <= 0) return;
  struct rlimit now;
  getrlimit(RLIMIT_CPU, &now);
  int64_t so_far = cage_cpu_used() / 1000 * 1000 + 2000;
  rlim_t soft = cpu_seconds(so_far + ms);
  if (now.rlim_max == RLIM_INFINITY || soft < now.rlim_max)
    set_limit(RLIMIT_CPU, soft, now.rlim_max);
}

/* ── Entering ── */

static int move_descriptors(const cage *c, int socket) {
  int last_standard = 2;
#ifdef DTS_SANITIZED
  last_standard = 1;
#endif
  for (int fd = 0; fd <= last_standard; fd++)
    if (dup2(c->null_fd, fd) < 0) return -1;
  if (socket != CAGE_SOCKET && dup2(socket, CAGE_SOCKET) < 0) return -1;
  return close_range(CAGE_SOCKET + 1, ~0U, 0);
}

int cage_enter(const cage *c, int socket, int64_t memory, int64_t cpu_ms, dts_error *e) {
  clearenv();
  signal(SIGXCPU, SIG_DFL);
  if (move_descriptors(c, socket) < 0)
    return error_fail(e, "CAGE", "descriptors: %s", strerror(errno));
  set_limits(c, memory, cpu_ms);
  prctl(PR_SET_DUMPABLE, 0);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return error_fail(e, "CAGE", "no_new_privs: %s", strerror(errno));
  if (load(c) < 0) return error_fail(e, "CAGE", "the system-call filter: %s", strerror(errno));
  return 0;
}
