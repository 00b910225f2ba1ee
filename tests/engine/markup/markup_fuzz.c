/* markup_fuzz.c -- any bytes as a document and as a selector: read, selected from, taken apart, or refused.
 *
 * The first byte says whether it is XML, the second how long the selector behind it is. What is found is
 * read to the last text; a grid has as many cells as it says.
 *
 * SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "markup/markup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_grid(const markup *m, const markup_node *node, bool unnamed) {
  arena a = {0};
  markup_grid g;
  dts_error e;
  if (markup_grid_read(m, node, unnamed, &a, &g, &e) == 0)
    for (size_t y = 0; y < g.rows; y++)
      for (size_t x = 0; x < g.columns; x++)
        if ((g.cells[y][x] && strlen(g.cells[y][x]) > 1 << 20) || !g.names[x][0]) abort();
  arena_free(&a);
}

static void take_apart(const markup *m, const markup_node *node) {
  buffer text;
  buffer_init(&text, SIZE_MAX / 2);
  markup_text(m, node, &text);
  if (!text_is_utf8(buffer_text(&text), text.size, NULL)) abort();
  buffer_free(&text);
  for (const markup_node *c = markup_child(node); c; c = markup_next(c))
    if (!markup_name(c)[0] || markup_line(c) < 0) abort();
  read_grid(m, node, false);
  read_grid(m, node, true);
}

static void select_all(markup *m, const char *selector) {
  size_t count;
  dts_error e;
  const markup_node **list = markup_select(m, markup_root(m), selector, &count, &e);
  for (size_t i = 0; list && i < count; i++) take_apart(m, list[i]);
  free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  dts_error e;
  char selector[32] = "";
  if (size < 2) return 0;
  size_t length = data[1] % sizeof selector, skip = 2 + (length < size - 2 ? length : size - 2);
  memcpy(selector, data + 2, skip - 2);
  if (!text_is_utf8((const char *)data + skip, size - skip, NULL)) return 0;
  markup *m = markup_read((const char *)data + skip, size - skip,
                          data[0] & 1 ? MARKUP_XML : MARKUP_HTML, &e);
  if (!m) return 0;
  select_all(m, selector);
  select_all(m, "*");
  markup_free(m);
  return 0;
}
