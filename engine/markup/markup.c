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

/* ── Reading ── */

/* Namespaces off: elements and attributes keep their local names. */
static void strip_namespaces(xmlNode *top) {
  for (xmlNode *n = top; n;) {
    if (n->type == XML_ELEMENT_NODE) {
      n->ns = NULL;
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

static int fail_read(xmlParserCtxt *c, markup_kind kind, bool entity, dts_error *e) {
  const char *what = kind == MARKUP_XML ? "XML" : "HTML";
  if (entity) return error_fail(e, "MARKUP", "a document that declares entities is not read");
  const xmlError *last = xmlCtxtGetLastError(c);
  if (!last || last->code == XML_ERR_NO_MEMORY)
    return error_fail(e, "MARKUP", "the text is too large to be read as %s, or empty", what);
  int size = (int)strcspn(last->message ? last->message : "", "\r\n");
  return error_fail(e, "MARKUP", "not %s: line %d: %.*s", what, last->line, size,
                    last->message ? last->message : "");
}

static xmlDoc *read_document(xmlParserCtxt *c, const char *bytes, int size, markup_kind kind) {
  int quiet = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
  if (kind == MARKUP_XML)
    return xmlCtxtReadMemory(c, bytes, size, NULL, "UTF-8", quiet | XML_PARSE_NOCDATA);
  return htmlCtxtReadMemory(c, bytes, size, NULL, "UTF-8",
                            HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                                HTML_PARSE_RECOVER);
}

markup *markup_read(const char *bytes, size_t size, markup_kind kind, dts_error *e) {
  bool entity = false;
  if (size > INT_MAX) return error_fail(e, "MARKUP", "a document may have 2 GB"), NULL;
  while (kind == MARKUP_XML && size && strchr(" \t\r\n", *bytes)) bytes++, size--;
  xmlParserCtxt *c = kind == MARKUP_XML ? xmlNewParserCtxt() : htmlNewParserCtxt();
  if (!c) return error_fail(e, "MARKUP", "no memory to read a document"), NULL;
  c->_private = &entity;
  if (c->sax) c->sax->entityDecl = refuse_entity;
  xmlDoc *doc = read_document(c, bytes, (int)size, kind);
  if (!doc || entity || (kind == MARKUP_XML && !c->wellFormed)) {
    fail_read(c, kind, entity, e);
    if (doc) xmlFreeDoc(doc);
    xmlFreeParserCtxt(c);
    return NULL;
  }
  xmlFreeParserCtxt(c);
  strip_namespaces(xmlDocGetRootElement(doc));
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

static bool is_xpath(const char *s) {
  return s[0] == '/' || s[0] == '(' || s[0] == '@' || strncmp(s, "./", 2) == 0 ||
         strncmp(s, "..", 2) == 0 || strstr(s, "::") || strstr(s, "//");
}

typedef struct complaint {
  char text[200];
} complaint;

static void take_complaint(void *arg, xmlErrorPtr error) {
  complaint *c = arg;
  snprintf(c->text, sizeof c->text, "%.*s",
           (int)strcspn(error->message ? error->message : "", "\r\n"),
           error->message ? error->message : "");
}

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
  complaint said = {""};
  const markup_node **list = NULL;
  xmlXPathContext *c = xmlXPathNewContext(m->doc);
  if (!c) return error_fail(e, "SELECTOR", "no memory to select"), NULL;
  c->error = take_complaint;
  c->userData = &said;
  c->node = (xmlNode *)(uintptr_t)node_of(from);
  xmlXPathObject *found = xmlXPathEvalExpression((const xmlChar *)xpath, c);
  if (!found)
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
  int bad = is_xpath(selector) ? buffer_add_text(&xpath, selector)
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

bool markup_is_element(const markup_node *node) { return node_of(node)->type == XML_ELEMENT_NODE; }

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

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static void add_collapsed(buffer *out, const char *text) {
  size_t start = out->size;
  for (; *text; text++) {
    if (!is_space(*text))
      buffer_add_char(out, *text);
    else if (out->size > start && out->data[out->size - 1] != ' ')
      buffer_add_char(out, ' ');
  }
  if (out->size > start && out->data[out->size - 1] == ' ') out->size--;
}

void markup_text(const markup *m, const markup_node *node, buffer *out) {
  xmlChar *content = xmlNodeGetContent(node_of(node));
  if (!content) return;
  const char *text = (const char *)content, *end = text + strlen(text);
  while (is_space(*text)) text++;
  while (end > text && is_space(end[-1])) end--;
  if (m->kind == MARKUP_HTML)
    add_collapsed(out, text);
  else
    buffer_add(out, text, (size_t)(end - text));
  xmlFree(content);
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
