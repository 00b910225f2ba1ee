/* markup.h -- HTML and XML documents: read from UTF-8, selected from, taken apart.
 *
 * A document comes from bytes in memory and nothing else: no network, no external files, no entities of
 * its own making (a document that declares one is refused). Namespaces are taken off, in the document
 * and in selectors, so that names are plain. Nodes belong to their document; lists are the caller's (free()).
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_MARKUP_MARKUP_H
#define DTS_MARKUP_MARKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

typedef struct markup markup;
typedef struct markup_node markup_node; /* an element, attribute, text, or the document */
typedef enum markup_kind { MARKUP_XML, MARKUP_HTML } markup_kind;

markup *markup_read(const char *bytes, size_t size, markup_kind kind, dts_error *e); /* MARKUP */
void markup_free(markup *m);                     /* NULL is fine */
const markup_node *markup_root(const markup *m); /* the document */
markup_kind markup_kind_of(const markup *m);

/* The nodes that an XPath or a CSS selector finds below `from`, in document order, as a list that ends
 * with NULL. NULL: not understood, or no nodes are what it gives (code SELECTOR). */
const markup_node **markup_select(markup *m, const markup_node *from, const char *selector,
                                  size_t *count, dts_error *e);

const char *markup_name(const markup_node *node);         /* "" for a text */
const markup_node *markup_child(const markup_node *node); /* the first element inside, or NULL */
const markup_node *markup_next(const markup_node *node);  /* the next element beside, or NULL */
long markup_line(const markup_node *node);                /* where it begins; 0: not known */
/* All text inside, ends trimmed; in HTML as a browser would show it (markup_text.c). */
void markup_text(const markup *m, const markup_node *node, buffer *out);
/* Calls back for each attribute. */
typedef void markup_attribute(void *arg, const char *name, const char *text);
void markup_attributes(const markup_node *node, markup_attribute *each, void *arg);

/* An HTML table as a grid, spans filled in: names of its columns, then rows of as many texts (NULL where
 * there is no cell); empty rows are left out. `unnamed`: no row gives names but those marked as headings,
 * and theirs are not wanted. All in the arena. -1: no table, or too many cells (code MARKUP). */
typedef struct markup_grid {
  size_t columns, rows;
  const char **names;
  const char ***cells;       /* [row][column] */
  const markup_node **nodes; /* each row's <tr> */
} markup_grid;
int markup_grid_read(const markup *m, const markup_node *table, bool unnamed, arena *a,
                     markup_grid *out, dts_error *e);

/* A CSS selector as XPath. 0, or -1 with what is not understood (code SELECTOR). */
int markup_css(const char *selector, bool lower, buffer *out, dts_error *e);

#endif
