/* schema_meta.c -- the meta-schemas of the two drafts, for schemas that refer to them.
 *
 * Only what asserts: each says which kinds of value its keywords take, as the tables of the drafts
 * have it (JSON Schema Core and Validation, 2020-12 and draft 07), without titles and defaults.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "format/schema_parts.h"

#define META(name, body)                                                                           \
  "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"https://"               \
  "json-schema.org/draft/2020-12/" name "\",\"$dynamicAnchor\":\"meta\",\"type\":[\"object\","     \
  "\"boolean\"]," body "}"
#define SELF      "{\"$dynamicRef\":\"#meta\"}"
#define SELF_MAP  "{\"type\":\"object\",\"additionalProperties\":" SELF "}"
#define SELF_LIST "{\"type\":\"array\",\"minItems\":1,\"items\":" SELF "}"
#define COUNT     "{\"type\":\"integer\",\"minimum\":0}"
#define NUMBER    "{\"type\":\"number\"}"
#define TEXT      "{\"type\":\"string\"}"
#define BOOLEAN   "{\"type\":\"boolean\"}"
#define NAMES     "{\"type\":\"array\",\"items\":" TEXT ",\"uniqueItems\":true}"
#define POSITIVE  "{\"type\":\"number\",\"exclusiveMinimum\":0}"
#define TYPES                                                                                      \
  "{\"enum\":[\"array\",\"boolean\",\"integer\",\"null\",\"number\",\"object\",\"string\"]}"
#define TYPE                                                                                       \
  "{\"anyOf\":[" TYPES ",{\"type\":\"array\",\"items\":" TYPES                                     \
  ",\"minItems\":1,\"uniqueItems\":true}]}"
#define ANCHOR    "{\"type\":\"string\",\"pattern\":\"^[A-Za-z_][-A-Za-z0-9._]*$\"}"
#define REFERENCE "{\"type\":\"string\",\"format\":\"uri-reference\"}"
#define LIMITS                                                                                     \
  "\"multipleOf\":" POSITIVE ",\"maximum\":" NUMBER ",\"exclusiveMaximum\":" NUMBER                \
  ",\"minimum\":" NUMBER ",\"exclusiveMinimum\":" NUMBER ",\"maxLength\":" COUNT                   \
  ",\"minLength\":" COUNT                                                                          \
  ",\"pattern\":{\"type\":\"string\",\"format\":\"regex\"},\"maxItems\":" COUNT                    \
  ",\"minItems\":" COUNT ",\"uniqueItems\":" BOOLEAN ",\"maxProperties\":" COUNT                   \
  ",\"minProperties\":" COUNT ",\"required\":" NAMES                                               \
  ",\"enum\":{\"type\":\"array\"},\"type\":" TYPE
#define WORDS                                                                                      \
  "\"title\":" TEXT ",\"description\":" TEXT ",\"readOnly\":" BOOLEAN ",\"writeOnly\":" BOOLEAN    \
  ",\"examples\":{\"type\":\"array\"}"

static const struct {
  const char *uri, *text;
} documents[] = {
    {"https://json-schema.org/draft/2020-12/schema",
     META("schema", "\"allOf\":[{\"$ref\":\"meta/core\"},{\"$ref\":\"meta/applicator\"},{\"$ref\":"
                    "\"meta/unevaluated\"},{\"$ref\":\"meta/validation\"},{\"$ref\":"
                    "\"meta/meta-data\"},{\"$ref\":\"meta/format-annotation\"},{\"$ref\":"
                    "\"meta/content\"}],\"properties\":{\"definitions\":" SELF_MAP "}")},
    {"https://json-schema.org/draft/2020-12/meta/core",
     META(
         "meta/core",
         "\"properties\":{\"$id\":{\"type\":\"string\",\"pattern\":\"^[^#]*#?$\"},\"$schema\":" TEXT
         ",\"$ref\":" REFERENCE ",\"$anchor\":" ANCHOR ",\"$dynamicRef\":" REFERENCE
         ",\"$dynamicAnchor\":" ANCHOR ",\"$vocabulary\":{\"type\":\"object\","
         "\"additionalProperties\":" BOOLEAN "},\"$comment\":" TEXT ",\"$defs\":" SELF_MAP "}")},
    {"https://json-schema.org/draft/2020-12/meta/applicator",
     META("meta/applicator",
          "\"properties\":{\"prefixItems\":" SELF_LIST ",\"items\":" SELF ",\"contains\":" SELF
          ",\"additionalProperties\":" SELF ",\"properties\":" SELF_MAP
          ",\"patternProperties\":" SELF_MAP ",\"dependentSchemas\":" SELF_MAP
          ",\"propertyNames\":" SELF ",\"if\":" SELF ",\"then\":" SELF ",\"else\":" SELF
          ",\"allOf\":" SELF_LIST ",\"anyOf\":" SELF_LIST ",\"oneOf\":" SELF_LIST ",\"not\":" SELF
          "}")},
    {"https://json-schema.org/draft/2020-12/meta/unevaluated",
     META("meta/unevaluated",
          "\"properties\":{\"unevaluatedItems\":" SELF ",\"unevaluatedProperties\":" SELF "}")},
    {"https://json-schema.org/draft/2020-12/meta/validation",
     META("meta/validation",
          "\"properties\":{" LIMITS ",\"const\":true,\"maxContains\":" COUNT
          ",\"minContains\":" COUNT
          ",\"dependentRequired\":{\"type\":\"object\",\"additionalProperties\":" NAMES "}}")},
    {"https://json-schema.org/draft/2020-12/meta/meta-data",
     META("meta/meta-data", "\"properties\":{" WORDS ",\"deprecated\":" BOOLEAN "}")},
    {"https://json-schema.org/draft/2020-12/meta/format-annotation",
     META("meta/format-annotation", "\"properties\":{\"format\":" TEXT "}")},
    {"https://json-schema.org/draft/2020-12/meta/content",
     META("meta/content", "\"properties\":{\"contentEncoding\":" TEXT ",\"contentMediaType\":" TEXT
                          ",\"contentSchema\":" SELF "}")},
#undef SELF
#undef SELF_MAP
#undef SELF_LIST
#define SELF      "{\"$ref\":\"#\"}"
#define SELF_MAP  "{\"type\":\"object\",\"additionalProperties\":" SELF "}"
#define SELF_LIST "{\"type\":\"array\",\"minItems\":1,\"items\":" SELF "}"
    {"http://json-schema.org/draft-07/schema",
     "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$id\":\"http://json-schema.org/"
     "draft-07/schema#\",\"type\":[\"object\",\"boolean\"],\"properties\":{\"$id\":" REFERENCE
     ",\"$schema\":" TEXT ",\"$ref\":" REFERENCE ",\"$comment\":" TEXT "," WORDS "," LIMITS
     ",\"const\":true,\"additionalItems\":" SELF ",\"items\":{\"anyOf\":[" SELF "," SELF_LIST
     "]},\"contains\":" SELF ",\"additionalProperties\":" SELF ",\"definitions\":" SELF_MAP
     ",\"properties\":" SELF_MAP ",\"patternProperties\":" SELF_MAP
     ",\"dependencies\":{\"type\":\"object\",\"additionalProperties\":{\"anyOf\":[" SELF "," NAMES
     "]}},\"propertyNames\":" SELF ",\"format\":" TEXT ",\"contentMediaType\":" TEXT
     ",\"contentEncoding\":" TEXT ",\"if\":" SELF ",\"then\":" SELF ",\"else\":" SELF
     ",\"allOf\":" SELF_LIST ",\"anyOf\":" SELF_LIST ",\"oneOf\":" SELF_LIST ",\"not\":" SELF "}}"},
};

const char *schema_meta_text(const char *uri) {
  for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
    if (strcmp(documents[i].uri, uri) == 0) return documents[i].text;
  return NULL;
}
