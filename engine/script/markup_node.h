/* markup_node.h -- documents and nodes as Lua has them; for lib_markup.c and rows_markup.c.
 *
 * A node is a userdata that keeps its document alive as user value 1.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_MARKUP_NODE_H
#define DTS_SCRIPT_MARKUP_NODE_H

#include <lua.h>

#include "markup/markup.h"

typedef struct document {
  markup *m;
  char origin[160]; /* for messages: "GET https://..." */
} document;

typedef struct node {
  document *document;
  const markup_node *at;
} node;

node *markup_check_node(lua_State *L);
/* Pushes a node of the document whose userdata lies at index. */
void markup_push_node(lua_State *L, int document_at, const markup_node *at);
void markup_push_text(lua_State *L, const document *d, const markup_node *at);
void markup_set_attribute(void *arg, const char *name, const char *text); /* of the table on top */
/* The nodes that a selector finds, in a userdata that it pushes. Raises SELECTOR. */
const markup_node **markup_push_list(lua_State *L, node *n, const char *selector, size_t *count);

int markup_records(lua_State *L); /* node:records(at?, header?) */

#endif
