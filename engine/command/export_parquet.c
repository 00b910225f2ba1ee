/* export_parquet.c -- rows as a Parquet file, packed with zstd.
 *
 * One idea: format/parquet.h writes it; here each column gets its type and whether it may be null,
 * which only a table's own declaration can rule out: views and roll-ups promise nothing.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "command/export_parts.h"
#include "pack/pack.h"
#include "wire/op.h"

static int write_bytes(void *arg, const void *bytes, size_t size, dts_error *e) {
  return export_write(arg, bytes, size, e);
}

static int pack(buffer *out, const void *bytes, size_t size, dts_error *e) {
  return pack_zstd(out, bytes, size, 0, e);
}

/* "any" is left when each value was null: a column of texts without one. */
static parquet_type type_of(const char *word) {
  static const char *const words[] = {"text", "integer",   "real", "boolean",
                                      "date", "timestamp", "json"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (strcmp(words[i], word) == 0) return (parquet_type)i;
  return PARQUET_TEXT;
}

static bool is_required(const exporting *x, const char *name) {
  const value *columns = value_get_list(x->entry, "columns");
  if (!value_is(value_get(x->entry, "kind"), "table")) return false;
  for (size_t i = 0; i < columns->list.count; i++)
    if (value_is(value_get(&columns->list.items[i], "name"), name))
      return value_get_boolean(&columns->list.items[i], "not_null", false);
  return false;
}

static int refuse_twice(const parquet_column *columns, size_t count, dts_error *e) {
  for (size_t i = 1; i < count; i++)
    for (size_t j = 0; j < i; j++)
      if (strcmp(columns[i].name, columns[j].name) == 0) {
        error_fail(e, "USAGE", "column '%s' is asked for twice", columns[i].name);
        return error_hint(e, "a column of a Parquet file is found by its name: name it once");
      }
  return 0;
}

static int begin(exporting *x, dts_error *e) {
  size_t count = x->columns.list.count;
  parquet_column *columns = arena_alloc(&x->memory, (count + 1) * sizeof *columns);
  for (size_t i = 0; i < count; i++) {
    const value *column = &x->columns.list.items[i];
    const char *name = value_get_text(column, "name", "");
    columns[i] = (parquet_column){name, type_of(value_get_text(column, "type", "any")),
                                  is_required(x, name)};
  }
  if (refuse_twice(columns, count, e) < 0) return -1;
  x->parquet = parquet_open(&(parquet_options){.columns = columns,
                                               .count = count,
                                               .created_by = "dts version " DTS_VERSION,
                                               .sink = write_bytes,
                                               .sink_arg = x,
                                               .pack = pack});
  return 0;
}

static int add(exporting *x, const value *row, dts_error *e) {
  return parquet_add(x->parquet, row, e);
}

static int end(exporting *x, dts_error *e) { return parquet_end(x->parquet, e); }

const export_form export_parquet = {
    .name = "parquet", .typed = true, .binary = true, .begin = begin, .row = add, .end = end};
