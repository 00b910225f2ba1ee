/* chart.h -- a dashboard's charts and filters: which apply to which, and the rows that they make.
 *
 * One idea: a filter is bound where the chart's SQL names it, put in where `from` or the SQL says
 * {name}, and otherwise narrows each chart whose rows have that column.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_CHART_H
#define DTS_SERVE_CHART_H

#include "serve/select.h"

/* The choices in force, {name: text}: what the query gives, or the first. PARAM for none of them. */
int chart_choices(api_call *c, const value *page, value *choices, dts_error *e);
/* Opens the selection on the chart's base (`from` or SQL). */
int chart_base(api_call *c, const value *chart, const value *choices, selection *x, dts_error *e);
bool chart_takes(const value *chart, const selection *x, const char *filter);
/* All conditions, then the statement; reads it. *is_volatile when it asks for the time. */
int chart_read(api_call *c, const value *page, const value *chart, result *r, bool *is_volatile,
               dts_error *e);

#endif
