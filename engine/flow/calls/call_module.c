/* call_module.c -- OP_MODULE and OP_FILE: sources and data files for a run. A run keeps the modules
 * that its script was loaded with; one it did not need then comes from the folder.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "flow/calls/calls.h"
#include "flow/reload/files_read.h"
#include "flow/kernel/parts.h"

static void answer_source(call *c, const char *file, const char *text) {
  value v = value_map();
  value_set(&c->memory, &v, "file", value_text(file));
  value_set(&c->memory, &v, "source", value_text(text));
  call_answer(c, v);
}

void call_module(call *c) {
  const script *s = c->run->pipeline->script;
  const char *name = value_get_text(&c->args, "name", "");
  for (size_t i = 0; i < s->module_count; i++)
    if (strcmp(s->modules[i].name, name) == 0)
      return answer_source(c, s->modules[i].file, s->modules[i].source);
  module found;
  dts_error e;
  if (kernel_find_module(c->run->kernel, name, &c->memory, &found, &e) < 0) return call_fail(c, &e);
  answer_source(c, found.file, found.source);
}

void call_file(call *c) { /* as it was when the script was loaded */
  const script *s = c->run->pipeline->script;
  const char *path = value_get_text(&c->args, "path", ""), *text;
  dts_error e;
  for (size_t i = 0; i < s->module_count; i++)
    if (strcmp(s->modules[i].name, path) == 0) return answer_source(c, path, s->modules[i].source);
  if (files_read_data(kernel_root(c->run->kernel), path, &c->memory, &text, &e) < 0)
    return call_fail(c, &e);
  answer_source(c, path, text);
}
