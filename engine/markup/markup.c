/* markup.c -- see markup.h.
 *
 * SPDX-License-Identifier: MIT */
#include "markup/markup.h"

#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct markup {
  xmlDoc *doc;
  markup_kind kind;
};

static const xmlNode *node_of(const markup_node *n) { return (const xmlNode *)(const void *)n; }
static const markup_node *as_node(const xmlNode *n) { return (const markup_node *)(const void *)n; }

/* ── Memory ── */

/* libxml2 goes on where it has no memory for a node or a text, and what it gives then is not whole. It
 * tells this thread's handler each time, so that is what has to be asked. */
static void note_memory(void *arg, xmlErrorPtr error) {
  bool *failed = arg;
  if (error && error->code == XML_ERR_NO_MEMORY) *failed = true;
}

static int fail_memory(dts_error *e) {
  error_fail(e, "LIMIT_MEMORY", "the document is too large for the memory of the run");
  return error_hint(e,
                    "a document takes about twenty times its size: limits = { memory = \"1GB\" } "
                    "allows more; CSV and JSON are read in pieces");
}

/* ── Reading ── */

/* A prefix that nobody declared is a part of the name to the parser, and none to us. */
static void strip_prefix(xmlNode *n) {
  const char *colon = strchr((const char *)n->name, ':');
  if (!colon || !colon[1]) return;
  char *local = memory_text(colon + 1);
  xmlNodeSetName(n, (const xmlChar *)local);
  free(local);
}

/* Namespaces off: elements and attributes keep their local names. */
static void strip_namespaces(xmlNode *top, bool prefixes) {
  for (xmlNode *n = top; n;) {
    if (n->type == XML_ELEMENT_NODE) {
      n->ns = NULL;
      if (prefixes) strip_prefix(n);
      for (xmlAttr *a = n->properties; a; a = a->next) a->ns = NULL;
    }
    if (n->type == XML_ELEMENT_NODE && n->children) {
      n = n->children;
      continue;
    }
    while (n && n != top && !n->next) n = n->parent;
    if (!n || n == top) return;
    n = n->next;
  }
}

/* A document with entities of its own could unfold without end: it is not read further. */
static void refuse_entity(void *context, const xmlChar *name, int type, const xmlChar *public_id,
                          const xmlChar *system_id, xmlChar *content) {
  xmlParserCtxt *c = context;
  (void)name, (void)type, (void)public_id, (void)system_id, (void)content;
  *(bool *)c->_private = true;
  xmlStopParser(c);
}

/* A page where XML was expected: most likely the source's error page, or the wrong address. */
static void hint_html(const char *bytes, size_t size, dts_error *e) {
  char start[256];
  snprintf(start, sizeof start, "%.*s", (int)(size < 255 ? size : 255), bytes);
  if (strcasestr(start, "<!doctype html") || strcasestr(start, "<html"))
    error_hint(e, "it is a page of HTML: is the address right, does it want a key? dts reads it as "
                  "HTML by res:html() or rows { format = \"html\" }");
}

static int fail_read(xmlParserCtxt *c, markup_kind kind, bool entity, dts_error *e) {
  const char *what = kind == MARKUP_XML ? "XML" : "HTML";
  if (entity) return error_fail(e, "MARKUP", "a document that declares entities is not read");
  const xmlError *last = xmlCtxtGetLastError(c);
  if (!last || last->code == XML_ERR_NO_MEMORY)
    return error_fail(e, "MARKUP", "the text is too large to be read as %s", what);
  if (last->message && strcasestr(last->message, "huge"))
    return error_fail(e, "MARKUP", "not %s that is read: line %d: more than %s", what, last->line,
                      strstr(last->message, "depth") ? "256 elements deep" : "10 MB in one text");
  int size = (int)strcspn(last->message ? last->message : "", "\r\n");
  return error_fail(e, "MARKUP", "not %s: line %d: %.*s", what, last->line, size,
                    last->message ? last->message : "");
}

/* libxml2 takes a NUL for the end. */
static int refuse_nul(const char *bytes, const char *nul, dts_error *e) {
  int line = 1;
  for (; bytes < nul; bytes++) line += *bytes == '\n';
  return error_fail(e, "MARKUP", "not XML: line %d: a NUL byte", line);
}

static xmlDoc *parse(xmlParserCtxt *c, const char *bytes, int size, markup_kind kind) {
  int quiet = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_BIG_LINES |
              XML_PARSE_COMPACT;
  if (kind == MARKUP_XML)
    return xmlCtxtReadMemory(c, bytes, size, NULL, "UTF-8", quiet | XML_PARSE_NOCDATA);
  return htmlCtxtReadMemory(c, bytes, size, NULL, "UTF-8",
                            HTML_PARSE_COMPACT | HTML_PARSE_NONET | HTML_PARSE_NOERROR |
                                HTML_PARSE_NOWARNING | HTML_PARSE_RECOVER);
}

static xmlDoc *read_document(xmlParserCtxt *c, const char *bytes, int size, markup_kind kind,
                             bool *short_of_memory) {
  *short_of_memory = false;
  xmlSetStructuredErrorFunc(short_of_memory, note_memory);
  xmlDoc *doc = parse(c, bytes, size, kind);
  xmlSetStructuredErrorFunc(NULL, NULL);
  return doc;
}

markup *markup_read(const char *bytes, size_t size, markup_kind kind, dts_error *e) {
  bool entity = false, poor;
  if (size > INT_MAX) return error_fail(e, "MARKUP", "a document may have 2 GB"), NULL;
  while (kind == MARKUP_XML && size && *bytes && strchr(" \t\r\n", *bytes)) bytes++, size--;
  if (!size) return error_fail(e, "MARKUP", "there is nothing to read: the body is empty"), NULL;
  const char *nul = kind == MARKUP_XML ? memchr(bytes, 0, size) : NULL;
  if (nul) return refuse_nul(bytes, nul, e), NULL;
  xmlParserCtxt *c = kind == MARKUP_XML ? xmlNewParserCtxt() : htmlNewParserCtxt();
  if (!c) return error_fail(e, "MARKUP", "no memory to read a document"), NULL;
  c->_private = &entity;
  if (c->sax) c->sax->entityDecl = refuse_entity;
  xmlDoc *doc = read_document(c, bytes, (int)size, kind, &poor);
  if (!doc || entity || poor || (kind == MARKUP_XML && !c->wellFormed)) {
    if (poor)
      fail_memory(e);
    else
      fail_read(c, kind, entity, e);
    if (kind == MARKUP_XML && !entity && !poor) hint_html(bytes, size, e);
    if (doc) xmlFreeDoc(doc);
    xmlFreeParserCtxt(c);
    return NULL;
  }
  xmlFreeParserCtxt(c);
  strip_namespaces(xmlDocGetRootElement(doc), kind == MARKUP_XML);
  markup *m = memory_alloc(sizeof *m);
  *m = (markup){doc, kind};
  return m;
}

void markup_free(markup *m) {
  if (!m) return;
  xmlFreeDoc(m->doc);
  free(m);
}

const markup_node *markup_root(const markup *m) { return as_node((const xmlNode *)m->doc); }
markup_kind markup_kind_of(const markup *m) { return m->kind; }

/* ── Selecting ── */

/* What no CSS selector has: paths, axes, text() and other functions, td[2]. */
static bool is_xpath(const char *s) {
  if (*s == '/' || *s == '(' || *s == '@' || strcmp(s, ".") == 0) return true;
  char mark = 0;
  for (const char *at = s; *at; at++) {
    if (mark || *at == '"' || *at == '\'') {
      mark = mark ? (*at == mark ? 0 : mark) : *at;
      continue;
    }
    if (*at == '/' || strncmp(at, "::", 2) == 0 || strncmp(at, "()", 2) == 0) return true;
    if (*at == '@' || (*at == '[' && at[1] >= '0' && at[1] <= '9')) return true;
  }
  return false;
}

static size_t name_length(const char *at) {
  size_t n = 0;
  while ((at[n] >= 'a' && at[n] <= 'z') || (at[n] >= 'A' && at[n] <= 'Z') || at[n] == '_' ||
         (unsigned char)at[n] >= 0x80 ||
         (n && ((at[n] >= '0' && at[n] <= '9') || at[n] == '-' || at[n] == '.')))
    n++;
  return n;
}

/* The XPath without prefixes of names ("g:Cube" is "Cube"): the document has none left. */
static int add_without_prefixes(buffer *out, const char *at) {
  char mark = 0;
  while (*at) {
    size_t size = mark ? 0 : name_length(at);
    bool prefix = size && at[size] == ':' && (at[size + 1] == '*' || name_length(at + size + 1));
    if (!prefix) buffer_add(out, at, size ? size : 1);
    if (!size && (*at == '"' || *at == '\'') && (!mark || mark == *at)) mark = mark ? 0 : *at;
    at += prefix ? size + 1 : size ? size : 1;
  }
  return out->failed ? -1 : 0;
}

typedef struct complaint {
  char text[200];
  bool memory;
} complaint;

static void take_complaint(void *arg, xmlErrorPtr error) {
  complaint *c = arg;
  if (error->code == XML_ERR_NO_MEMORY || error->code == XML_XPATH_MEMORY_ERROR) c->memory = true;
  snprintf(c->text, sizeof c->text, "%.*s",
           (int)strcspn(error->message ? error->message : "", "\r\n"),
           error->message ? error->message : "");
}

/* libxml2 would print what else it has to say. */
static void say_nothing(void *arg, const char *format, ...) { (void)arg, (void)format; }

static const markup_node **copy_nodes(const xmlNodeSet *set, size_t *count) {
  size_t n = set ? (size_t)set->nodeNr : 0;
  const markup_node **list = memory_alloc((n + 1) * sizeof *list);
  for (size_t i = 0; i < n; i++) list[i] = as_node(set->nodeTab[i]);
  list[n] = NULL;
  *count = n;
  return list;
}

static const markup_node **evaluate(markup *m, const markup_node *from, const char *xpath,
                                    size_t *count, dts_error *e) {
  complaint said = {"", false};
  bool poor = false;
  const markup_node **list = NULL;
  xmlXPathContext *c = xmlXPathNewContext(m->doc);
  if (!c) return error_fail(e, "SELECTOR", "no memory to select"), NULL;
  c->error = take_complaint;
  c->userData = &said;
  c->node = (xmlNode *)(uintptr_t)node_of(from);
  xmlSetStructuredErrorFunc(&poor, note_memory);
  xmlSetGenericErrorFunc(NULL, say_nothing);
  xmlXPathObject *found = xmlXPathEvalExpression((const xmlChar *)xpath, c);
  xmlSetGenericErrorFunc(NULL, NULL);
  xmlSetStructuredErrorFunc(NULL, NULL);
  if (poor || said.memory)
    fail_memory(e);
  else if (!found)
    error_fail(e, "SELECTOR", "'%s' is not an XPath%s%s", xpath, said.text[0] ? ": " : "",
               said.text);
  else if (found->type != XPATH_NODESET)
    error_fail(e, "SELECTOR", "'%s' gives no nodes but a value", xpath);
  else
    list = copy_nodes(found->nodesetval, count);
  if (found) xmlXPathFreeObject(found);
  xmlXPathFreeContext(c);
  return list;
}

const markup_node **markup_select(markup *m, const markup_node *from, const char *selector,
                                  size_t *count, dts_error *e) {
  buffer xpath;
  const markup_node **list = NULL;
  while (*selector == ' ' || *selector == '\n' || *selector == '\t') selector++;
  buffer_init(&xpath, 64 * 1024);
  int bad = is_xpath(selector) ? add_without_prefixes(&xpath, selector)
                               : markup_css(selector, m->kind == MARKUP_HTML, &xpath, e);
  if (bad == 0) list = evaluate(m, from, buffer_text(&xpath), count, e);
  buffer_free(&xpath);
  return list;
}

/* ── Taking apart ── */

const char *markup_name(const markup_node *node) {
  const xmlNode *n = node_of(node);
  bool named = n->type == XML_ELEMENT_NODE || n->type == XML_ATTRIBUTE_NODE;
  return named && n->name ? (const char *)n->name : "";
}

static const markup_node *first_element(const xmlNode *n) {
  while (n && n->type != XML_ELEMENT_NODE) n = n->next;
  return n ? as_node(n) : NULL;
}

const markup_node *markup_child(const markup_node *node) {
  return first_element(node_of(node)->children);
}
const markup_node *markup_next(const markup_node *node) {
  return first_element(node_of(node)->next);
}

/* The parser of HTML counts to 65535 and no further. */
long markup_line(const markup_node *node) {
  const xmlNode *n = node_of(node);
  long line = xmlGetLineNo((xmlNode *)(uintptr_t)n);
  bool html = n->doc && n->doc->type == XML_HTML_DOCUMENT_NODE;
  return line < 0 || (html && line >= 65535) ? 0 : line;
}

void markup_attributes(const markup_node *node, markup_attribute *each, void *arg) {
  const xmlNode *n = node_of(node);
  if (n->type != XML_ELEMENT_NODE) return;
  for (xmlAttr *a = n->properties; a; a = a->next) {
    xmlChar *text = xmlNodeListGetString(n->doc, a->children, 1);
    each(arg, (const char *)a->name, text ? (const char *)text : "");
    xmlFree(text);
  }
}
