/* slim.c -- see slim.h. An idle `dts serve` is held to 16 MB resident (VmRSS of the engine's process).
 *
 * Starting touches much that idling does not: OpenSSL's tables, the linker's symbols, SQLite's parser.
 * Unwritable parts of programs and libraries are copies of files; dropped, they are read again from the
 * page cache when used. Parts that may be written, relocated ones among them, are never touched.
 *
 * SPDX-License-Identifier: MIT */
#include "command/slim.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { POOLS = 1, STEP = 1024 * 1024 };

void slim_begin(void) {
  mallopt(M_ARENA_MAX, POOLS);
  mallopt(M_TOP_PAD, STEP);
}

#ifndef DTS_SANITIZED
static int drop(struct dl_phdr_info *info, size_t size, void *arg) {
  (void)size, (void)arg;
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || (part->p_flags & PF_W)) continue;
    uintptr_t from = (info->dlpi_addr + part->p_vaddr + page - 1) & ~(page - 1);
    uintptr_t to = (info->dlpi_addr + part->p_vaddr + part->p_memsz) & ~(page - 1);
    if (to > from) madvise((void *)from, to - from, MADV_DONTNEED);
  }
  return 0;
}
#endif

void slim_down(void) {
  malloc_trim(0);
#ifndef DTS_SANITIZED
  dl_iterate_phdr(drop, NULL);
#endif
}
