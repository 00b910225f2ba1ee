// SQL written for people who chose columns instead of typing it. Names are quoted, values too; the
// engine runs it read-only whatever it says.
//
// SPDX-License-Identifier: MIT
export const quoted = (name: string) =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replace(/"/g, '""')}"`;
const literal = (value: string) =>
  /^-?\d+(\.\d+)?$/.test(value) ? value : `'${value.replace(/'/g, "''")}'`;

function whereOf(wheres: [string, string][]): string {
  if (!wheres.length) return "";
  const parts = wheres.map(([column, value]) => `${quoted(column)} = ${literal(value)}`);
  return `\nwhere ${parts.join("\n  and ")}`;
}

function orderOf(order: string): string {
  if (!order) return "";
  return order.startsWith("-")
    ? `\norder by ${quoted(order.slice(1))} desc`
    : `\norder by ${quoted(order)}`;
}

export function selectRows(
  table: string,
  wheres: [string, string][],
  order: string,
  limit: number,
): string {
  return `select * from ${quoted(table)}${whereOf(wheres)}${orderOf(order)}\nlimit ${limit}`;
}

export type Grouping = { by: string; then: string; measure: string; of: string };
export const MEASURES = ["count", "sum", "avg", "min", "max"];

export function selectGroups(table: string, g: Grouping): string {
  const measure = g.measure === "count" || !g.of ? "count(*)" : `${g.measure}(${quoted(g.of)})`;
  const keys = [g.by, g.then].filter(Boolean).map(quoted);
  const list = keys.join(", ");
  const lines = [
    `select ${list}, ${measure} as value`,
    `from ${quoted(table)}`,
    `group by ${list}`,
    `order by ${list}`,
    "limit 10000",
  ];
  return lines.join("\n");
}
