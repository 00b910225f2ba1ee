/* registry_parts.h -- what the files that build a set share; for registry*.c alone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_REGISTRY_PARTS_H
#define DTS_FLOW_REGISTRY_PARTS_H

#include "flow/reload/registry.h"

enum { BUILDING_NOUNS = 8 }; /* table source pipeline rollup view dashboard route alert */

typedef struct building {
  registry *set;
  arena *memory;
  const value *config;
  value nouns[BUILDING_NOUNS]; /* declarations by noun */
} building;

int registry_add_table(building *b, const value *declaration, const value *blame, dts_error *e);
script *registry_script_of(building *b,
                           const value *declared);      /* that declares it, or requires it */
int registry_read_rollups(building *b, dts_error *e);   /* their tables; registry_rollup.c */
int registry_read_pipelines(building *b, dts_error *e); /* registry_pipeline.c */
void registry_free_pipeline(pipeline *p);

#endif
