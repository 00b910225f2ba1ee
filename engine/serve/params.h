/* params.h -- a route's parameters from text: types checked, defaults put in, choices held to.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_PARAMS_H
#define DTS_SERVE_PARAMS_H

#include "serve/address.h"
#include "format/value.h"

/* `declared` is a list of PARAMs (wire/declarations.md), `path` what the address's template bound.
 * *out is {name: value}; absent ones are null. PARAM, status 422, names the field and why. What the
 * route does not declare is refused as well, but for `bigint` and `format`. */
int params_read(const value *declared, const address *at, const pair *path, size_t path_count,
                arena *a, value *out, dts_error *e);

/* What parameters and filters share: the refusal of a text (PARAM, 422), and a JSON number read from one,
 * an integer where `whole`, else real. */
int params_refuse(const char *name, const char *expected, const char *text, dts_error *e);
bool params_read_number(const char *text, bool whole, value *out);

#endif
