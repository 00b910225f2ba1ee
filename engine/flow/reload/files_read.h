/* files_read.h -- the project's files for scripts: modules, and data below a few named folders.
 *
 * Paths are relative, without "..", and follow no link out of the project: a script cannot reach what
 * the project does not bring.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_FILES_READ_H
#define DTS_FLOW_FILES_READ_H

#include "base/embed.h"
#include "flow/reload/registry.h"

/* "connectors.bcb" -> connectors/bcb.lua of the project, else the shipped one. MODULE names what was looked for. */
int files_read_module(const char *root, const embed_file *shipped, const char *name, arena *a,
                      module *out, dts_error *e);
/* A file below schemas/, data/ or specs/. */
int files_read_data(const char *root, const char *path, arena *a, const char **text, dts_error *e);
/* Any file of the project, as text. */
int files_read(const char *root, const char *path, arena *a, const char **text, dts_error *e);

#endif
