/* witness.c -- see witness.h. The handlers only read Lua's state. They may find it half changed and
 * crash in turn: the process was ending anyway.
 *
 * SPDX-License-Identifier: MIT */
#include "script/witness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "script/fault.h"

enum { STACK = 64 * 1024 };

char *witness_open(void) {
  char *page = mmap(NULL, WITNESS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? NULL : page;
}

void witness_hide(char *page) {
  if (page) madvise(page, WITNESS_SIZE, MADV_DONTFORK);
}

void witness_close(char *page) {
  if (page) munmap(page, WITNESS_SIZE);
}

void witness_read(const char *page, char out[WITNESS_TEXT]) {
  out[0] = '\0';
  if (!page) return;
  memcpy(out, page, WITNESS_TEXT - 1);
  out[WITNESS_TEXT - 1] = '\0';
  for (char *c = out; *c; c++)
    if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?';
}

bool witness_starved(const char *page) { return page && page[WITNESS_TEXT]; }

/* A signal's handler has no argument of ours. */
static script *volatile watched;
static char *volatile paper;

void witness_note(void) {
  if (!watched || !paper) return;
  char where[WITNESS_TEXT];
  fault_where(watched->now->L, where);
  memcpy(paper, where, sizeof where);
}

/* A library that gives up says so to nobody (its standard error is closed). A buffer that doubles is refused when
 * a third of the space is in use: what it asked for is not to be had now either. */
static void note_exit(void) {
  size_t piece = watched ? watched->memory_limit : 0;
  void *got = piece ? mmap(NULL, piece, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : NULL;
  if (got == MAP_FAILED && paper) paper[WITNESS_TEXT] = 1;
  witness_note();
}

static void note_here(lua_State *L, lua_Debug *event) {
  (void)event;
  lua_sethook(L, NULL, 0, 0);
  witness_note();
}

/* In the midst of Lua's own loop the line is the last one that Lua kept; a hook knows better. */
static void on_notice(int number) {
  (void)number;
  witness_note();
  if (watched) lua_sethook(watched->now->L, note_here, LUA_MASKCOUNT, 1);
}

#ifndef DTS_SANITIZED
static void on_crash(int number) {
  witness_note();
  raise(number); /* the default action now; a fault would come back by itself, a kill would not */
}
#endif

static void handle(int number, void (*handler)(int), int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  sigaction(number, &action, NULL);
}

/* Crashes are the sanitizer's to report where there is one. */
void witness_stand(script *s, char *page) {
  watched = s;
  paper = page;
  atexit(note_exit); /* a library that gives up calls exit; we never do */
  handle(SIGUSR1, on_notice, SA_RESTART | SA_ONSTACK);
#ifndef DTS_SANITIZED
  static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  stack_t stack = {.ss_sp = malloc(STACK), .ss_size = STACK};
  if (!stack.ss_sp || sigaltstack(&stack, NULL) < 0) return;
  for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
    handle(crashes[i], on_crash, (int)(SA_RESETHAND | SA_NODEFER | SA_ONSTACK));
#endif
}
