/* faults.h -- scripts that do not load, told where they make another answer misleading.
 *
 * One idea: what a faulty script declares is not known, so a name that is not there may stand in
 * it. A script whose text has the name between quotes hides it: its fault is the error. Any other
 * fault is a note on stderr.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_FAULTS_H
#define DTS_COMMAND_FAULTS_H

#include "command/command.h"
#include "command/engine.h"

typedef struct faults_target {
  const char *root;
  const char *name; /* looked for in the scripts; NULL: it is known, or there is none */
  const char *file; /* below root: each of its faults is the error; NULL: none */
} faults_target;

/* The list {file, where, code, message, hint}: -1 when one is the error; the others are noted. */
int faults_tell(const value *faults, const faults_target *t, dts_error *e);
/* As engine_ask. A pipeline or table `name` that is not there, or without a name an empty list, may
 * be a faulty script's doing. */
int faults_ask(engine *n, const value *order, const char *name, arena *a, value *answer,
               dts_error *e);
/* Asks the engine `name` of the pipeline that was typed, and prints the answer, with --json as it is. */
typedef void faults_print(arena *a, const value *answer);
int faults_show(const given *g, const char *name, faults_print *print, dts_error *e);

#endif
