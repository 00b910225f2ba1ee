// Result tables: finding a column, reading rows as objects, writing CSV that no spreadsheet takes
// for a formula.
//
// SPDX-License-Identifier: MIT
import type { Cell, Table } from "./types";

// The place of a column that a chart names; "avg(price)" is found as such or as price.
export function columnAt(table: Table, name: string | undefined): number {
  if (!name) return -1;
  const exact = table.columns.findIndex((c) => c.name === name);
  if (exact >= 0) return exact;
  const inner = /^\w+\((?:distinct )?([\w.]+)\)$/.exec(name)?.[1];
  return inner ? table.columns.findIndex((c) => c.name === inner) : -1;
}

export function objects<T>(table: Table): T[] {
  return table.rows.map(
    (row) => Object.fromEntries(table.columns.map((c, i) => [c.name, row[i]])) as T,
  );
}

export function valueOf(table: Table, row: Cell[], name: string): Cell {
  return row[table.columns.findIndex((c) => c.name === name)];
}

// Whether a column says anything: it is there and above nought in some row.
export function hasAny(table: Table, name: string): boolean {
  return table.rows.some((row) => Number(valueOf(table, row, name) ?? 0) > 0);
}

function csvCell(value: Cell): string {
  if (value === null || value === undefined) return "";
  let text = typeof value === "object" ? JSON.stringify(value) : String(value);
  const isNumber = typeof value === "number" || /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text);
  if (!isNumber && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

export function csv(table: Table): string {
  const lines = [
    table.columns.map((c) => csvCell(c.name)),
    ...table.rows.map((r) => r.map(csvCell)),
  ];
  return lines.map((line) => line.join(",") + "\r\n").join("");
}

export function save(name: string, content: Blob | string) {
  const url = typeof content === "string" ? content : URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  if (typeof content !== "string") setTimeout(() => URL.revokeObjectURL(url), 1000);
}

export function saveCsv(name: string, table: Table) {
  save(`${name}.csv`, new Blob([csv(table)], { type: "text/csv;charset=utf-8" }));
}
