/* place.h -- where things are: the project around a folder, the worker beside the program.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_PLACE_H
#define DTS_COMMAND_PLACE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"

/* The nearest folder from `from` upward with dts.lua or pipelines/, absolute; NULL: PROJECT. */
const char *place_project(const char *from, arena *a, dts_error *e);
/* A script's project: as above; without one the file's own folder and that file alone: then *only
 * is set. *file is the script's path below the folder that is returned. NULL: FILE_MISSING. */
const char *place_script(const char *path, arena *a, const char **file, bool *only, dts_error *e);
const char *place_worker(arena *a); /* dts-worker beside this program */

#endif
