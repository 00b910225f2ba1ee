/* markup_text.c -- a node's text: in XML as it is written, in HTML as a browser would show it.
 *
 * Shown means: runs of white space (no-break spaces too) are one space, <br> and blocks set words apart,
 * scripts, styles and hidden elements say nothing, and characters without width are dropped. Whoever
 * asks for a <script> or <pre> itself gets its text as it stands.
 *
 * SPDX-License-Identifier: MIT */
#include <libxml/HTMLparser.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "markup/markup.h"

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

/* In the order of strcmp, for bsearch. */
static const char *const BLOCKS[] = {
    "address", "article", "aside",  "blockquote", "body",    "br",       "caption",    "dd",
    "details", "dialog",  "div",    "dl",         "dt",      "fieldset", "figcaption", "figure",
    "footer",  "form",    "h1",     "h2",         "h3",      "h4",       "h5",         "h6",
    "header",  "hr",      "legend", "li",         "main",    "nav",      "ol",         "optgroup",
    "option",  "p",       "pre",    "section",    "summary", "table",    "tbody",      "td",
    "tfoot",   "th",      "thead",  "title",      "tr",      "ul"};
static const char *const SILENT[] = {"head", "noscript", "script", "style", "template"};
static const char *const PLAIN[] = {"pre", "script", "style", "textarea", "xmp"};

static int compare(const void *word, const void *at) { return strcmp(word, *(char *const *)at); }

#define IS_ONE_OF(n, list)                                                                         \
  ((n)->name && bsearch((n)->name, list, sizeof(list) / sizeof *(list), sizeof *(list), compare))

/* display:none, however it is spaced; or the attribute `hidden`. */
static bool is_hidden(const xmlNode *n) {
  if (IS_ONE_OF(n, SILENT)) return true;
  for (const xmlAttr *a = n->properties; a; a = a->next) {
    if (strcmp((const char *)a->name, "hidden") == 0) return true;
    if (strcmp((const char *)a->name, "style") != 0 || !a->children || !a->children->content)
      continue;
    const char *at = strcasestr((const char *)a->children->content, "display");
    if (!at) continue;
    at += strlen("display");
    at += strspn(at, " \t");
    if (*at == ':' && strncasecmp(at + 1 + strspn(at + 1, " \t"), "none", 4) == 0) return true;
  }
  return false;
}

typedef struct writer {
  buffer *out;
  size_t start;
  bool plain; /* as it is written */
  bool gap;   /* white space, or the edge of a block, since the last word */
} writer;

/* The bytes of a blank at `t`; 0 when it is none. No-break spaces are C2 A0 and E2 80 AF. */
static size_t blank_size(const char *t) {
  if (is_space(*t)) return 1;
  if (strncmp(t, "\xc2\xa0", 2) == 0) return 2;
  return strncmp(t, "\xe2\x80\xaf", 3) == 0 ? 3 : 0;
}

/* Soft hyphen, zero width space, byte order mark. */
static size_t widthless_size(const char *t) {
  if (strncmp(t, "\xc2\xad", 2) == 0) return 2;
  return strncmp(t, "\xe2\x80\x8b", 3) == 0 || strncmp(t, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static void add_text(writer *w, const char *text) {
  if (w->plain) {
    buffer_add_text(w->out, text);
    return;
  }
  for (size_t size; *text; text += size) {
    if ((size = blank_size(text)) > 0) {
      w->gap = true;
      continue;
    }
    if ((size = widthless_size(text)) > 0) continue;
    if (w->gap && w->out->size > w->start) buffer_add_char(w->out, ' ');
    w->gap = false;
    size = 1;
    buffer_add_char(w->out, *text);
  }
}

/* &nbsp; of a document whose DTD is elsewhere: HTML's names are known, others stay as written. */
static void add_entity(writer *w, const xmlNode *n) {
  char text[64];
  const htmlEntityDesc *known = htmlEntityLookup(n->name);
  if (known)
    text[text_utf8_put(known->value, text)] = '\0';
  else
    snprintf(text, sizeof text, "&%s;", (const char *)n->name);
  add_text(w, text);
}

static bool enter(writer *w, const xmlNode *n) {
  if (n->type == XML_ENTITY_REF_NODE) return add_entity(w, n), false;
  if (n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE) {
    if (n->content) add_text(w, (const char *)n->content);
    return false;
  }
  if (n->type != XML_ELEMENT_NODE || w->plain) return n->type == XML_ELEMENT_NODE;
  if (is_hidden(n)) return false;
  if (IS_ONE_OF(n, BLOCKS)) w->gap = true;
  return true;
}

static void leave(writer *w, const xmlNode *n) {
  if (!w->plain && IS_ONE_OF(n, BLOCKS)) w->gap = true;
}

/* Without recursion: a document may be as deep as it likes. */
static void walk(writer *w, const xmlNode *top) {
  const xmlNode *n = top->children;
  while (n) {
    if (enter(w, n) && n->children) {
      n = n->children;
      continue;
    }
    while (!n->next) {
      n = n->parent;
      if (!n || n == top) return;
      leave(w, n);
    }
    n = n->next;
  }
}

static void trim(writer *w) {
  char *text = w->out->data + w->start;
  size_t size = w->out->size - w->start, before = 0;
  while (size && is_space(text[size - 1])) size--;
  while (before < size && is_space(text[before])) before++;
  if (before) memmove(text, text + before, size - before);
  w->out->size = w->start + size - before;
}

void markup_text(const markup *m, const markup_node *node, buffer *out) {
  const xmlNode *n = (const xmlNode *)(const void *)node;
  bool element = n->type == XML_ELEMENT_NODE;
  writer w = {out, out->size, markup_kind_of(m) == MARKUP_XML, false};
  if (element && IS_ONE_OF(n, PLAIN)) w.plain = true;
  if (n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE)
    enter(&w, n);
  else
    walk(&w, n);
  if (w.plain && out->size > w.start) trim(&w);
}
