/* schema_parts.h -- what the schema_*.c files share.
 *
 * A set holds documents; each place with an $id of its own is a resource. Compiling turns every
 * schema that can be reached into a node: a list of checks, one for each keyword (or group of
 * keywords that look at each other). Keywords live beside their kind: schema_value.c,
 * schema_object.c, schema_list.c, schema_logic.c; the table that names them is in
 * schema_compile.c. A make function fills in a check, a run function applies it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FORMAT_SCHEMA_PARTS_H
#define DTS_FORMAT_SCHEMA_PARTS_H

#include "base/arena.h"
#include "format/schema.h"
#include "regex/regex.h"

/* Documents and names (schema_set.c). */
typedef struct resource resource;
struct resource {
  const char *base; /* absolute as far as can be, without fragment */
  const value *root;
  const char *dialect; /* its $schema, or that of what it lies in; NULL: none */
  resource *next;
};

/* A base, or base#anchor. */
typedef struct named {
  const char *uri, *anchor; /* anchor: the part behind #, NULL for a whole resource */
  const value *at;
  resource *where;
  bool dynamic;
  struct named *next;
} named;

struct schema_set {
  arena memory;
  resource *resources;
  named *names;
};

const named *schema_find_name(schema_set *set, const char *uri, const char *anchor);
resource *schema_find_root(const schema_set *set, const value *root);
/* `reference` against `base`: the place and its resource. 0, or -1 (code SCHEMA). */
int schema_resolve(schema_set *set, const char *base, const char *reference, const value **at,
                   resource **where, dts_error *e);
const char *schema_meta_text(const char *uri); /* a built-in meta-schema, or NULL (schema_meta.c) */
const value *schema_get(const value *map, const char *key); /* the pair's item, null too */

/* URIs (schema_uri.c): RFC 3986, section 5.2. Results live in the arena. */
char *schema_uri_resolve(arena *a, const char *base, const char *reference);
char *schema_uri_cut(arena *a, const char *uri, char **fragment); /* fragment: decoded, or NULL */

/* What holds schemas where: for finding identifiers. */
typedef enum holds { HOLDS_NONE, HOLDS_SCHEMA, HOLDS_LIST, HOLDS_MAP, HOLDS_EITHER } holds;
holds schema_keyword_holds(const char *name, size_t size);

/* Compiled form. */
typedef struct node node;
typedef struct check check;
typedef struct run run;

/* Which pairs or items of one value have been evaluated, for the unevaluated* keywords. NULL where
 * nobody asks. */
typedef struct seen {
  unsigned char *marks;
  size_t count;
} seen;

typedef bool check_run(run *r, const check *k, const value *v, seen *s);

typedef struct part {
  const value *name;    /* of a property; NULL for an item */
  const regex *pattern; /* of a pattern property */
  node *node;
} part;

typedef struct format_check format_check;

struct check {
  check_run *run;
  check *next;
  const char *keyword;
  const value *setting;
  node *node, *then, *otherwise;
  part *parts, *patterns;
  size_t count, pattern_count;
  uint64_t least, most;
  const regex *pattern;
  const format_check *format;
  const char *anchor;
};

struct node {
  const value *source;
  resource *where;
  check *checks;
  bool never, unevaluated;
  node *next, *next_pending;
};

typedef struct kept_pattern {
  regex *made;
  const char *text;
  struct kept_pattern *next;
} kept_pattern;

typedef struct dynamic { /* a $dynamicAnchor, as a node */
  const resource *where;
  const char *anchor;
  node *node;
  struct dynamic *next;
} dynamic;

enum { NODE_SLOTS = 1024 };
struct schema {
  arena memory;
  node *root, *slots[NODE_SLOTS]; /* by address of the source */
  kept_pattern *patterns;
  dynamic *dynamics;
};

typedef struct spoken_dialect {
  bool draft7, applicator, validation, unevaluated, formats;
} spoken_dialect;

typedef struct compiler {
  schema_set *set;
  schema *made;
  node *pending;
  const node *now;
  spoken_dialect dialect;
  dts_error *error;
} compiler;

typedef int check_make(compiler *c, const value *setting, check *k);

/* For make functions (schema_compile.c). */
node *schema_node(compiler *c, const value *source, resource *where);
node *schema_sub(compiler *c,
                 const value *source); /* inside the node at hand; NULL: not a schema */
const regex *schema_pattern(compiler *c, const value *text); /* NULL: refused */
int schema_refuse(compiler *c, const check *k, const char *expected);
int schema_read_count(compiler *c, const check *k, const value *setting, uint64_t *out);

/* For run functions (schema_check.c). */
bool schema_run(run *r, const node *n, const value *v, seen *s);
bool schema_run_quiet(run *r, const node *n, const value *v, seen *s); /* marks only if it fits */
bool schema_run_item(run *r, const node *n, const value *v, const value *key, size_t index);
bool schema_fault_add(run *r, const value *v, const char *expected, ...)
    __attribute__((format(printf, 3, 4))); /* always false */
const node *schema_run_dynamic(const run *r, const char *anchor);

/* Formats (schema_format.c). */
const format_check *schema_format_find(const char *name);
bool schema_format_fits(const format_check *f, const regex *pattern, const char *text, size_t size);
const char *schema_format_pattern(const format_check *f); /* NULL: none */
const char *schema_format_words(const format_check *f);   /* "a date such as 2024-01-31" */

check_make schema_make_none, schema_make_type, schema_make_enum, schema_make_const,
    schema_make_number, schema_make_divisor, schema_make_count, schema_make_pattern,
    schema_make_format, schema_make_required, schema_make_object, schema_make_names,
    schema_make_dependent, schema_make_unevaluated, schema_make_items, schema_make_contains,
    schema_make_unique, schema_make_ref, schema_make_dynamic_ref, schema_make_list, schema_make_not,
    schema_make_if;
check_run schema_run_type, schema_run_enum, schema_run_const, schema_run_number, schema_run_divisor,
    schema_run_length, schema_run_pattern, schema_run_format, schema_run_required,
    schema_run_object, schema_run_properties, schema_run_names, schema_run_dependent,
    schema_run_unevaluated_properties, schema_run_items, schema_run_item_count, schema_run_contains,
    schema_run_unique, schema_run_unevaluated_items, schema_run_ref, schema_run_dynamic_ref,
    schema_run_all, schema_run_any, schema_run_one, schema_run_not, schema_run_if;

#endif
