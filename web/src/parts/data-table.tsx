// A result table: dense, numbers on the right under their heads, wide ones scrolling in their own
// frame. Long ones show their first rows and more on demand.
//
// SPDX-License-Identifier: MIT
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { number, words } from "../format";
import type { Cell, Column, Table } from "../types";
import { cellView, decimalsOf, isNumeric } from "./cell";

const PART = 200;
export type Render = (value: Cell, row: Cell[]) => ComponentChildren;
export type Sort = { order: string; onOrder: (order: string) => void };

function Head({ column, sort, label }: { column: Column; sort?: Sort; label: string }) {
  const side = isNumeric(column) ? "right" : undefined;
  if (!sort) return <th class={side}>{label}</th>;
  const up = sort.order === column.name;
  const down = sort.order === `-${column.name}`;
  const next = down ? column.name : up ? "" : `-${column.name}`;
  return (
    <th class={side} aria-sort={up ? "ascending" : down ? "descending" : "none"}>
      <button type="button" class="sort" onClick={() => sort.onOrder(next)}>
        {label}
        <span aria-hidden="true">{up ? "↑" : down ? "↓" : ""}</span>
      </button>
    </th>
  );
}

export function DataTable(props: {
  table: Table;
  label: string;
  columns?: string[]; // which, in which order; all of them unless given
  render?: Record<string, Render>;
  heads?: Record<string, string>;
  plain?: boolean; // heads as the columns are named
  sort?: Sort;
  max?: number; // height in pixels, past which the table scrolls
  lead?: { head: ComponentChildren; cell: (row: Cell[]) => ComponentChildren };
}) {
  const { table, lead } = props;
  const [shown, setShown] = useState(PART);
  const places = props.columns
    ? props.columns.map((name) => table.columns.findIndex((c) => c.name === name))
    : table.columns.map((_, i) => i);
  const used = places.filter((i) => i >= 0);
  const digits = new Map(used.map((i) => [i, decimalsOf(table.rows.map((row) => row[i]))]));
  const label = (c: Column) => props.heads?.[c.name] ?? (props.plain ? c.name : words(c.name));
  return (
    <div
      class={`table-frame ${props.plain ? "fit" : ""}`}
      role="region"
      aria-label={props.label}
      tabIndex={0}
      style={props.max ? { maxHeight: props.max } : undefined}
    >
      <table>
        <thead>
          <tr>
            {lead && <th class="lead">{lead.head}</th>}
            {used.map((i) => (
              <Head
                key={i}
                column={table.columns[i]}
                sort={props.sort}
                label={label(table.columns[i])}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.slice(0, shown).map((row, at) => (
            <tr key={at}>
              {lead && <td class="lead">{lead.cell(row)}</td>}
              {used.map((i) => {
                const column = table.columns[i];
                const own = props.render?.[column.name];
                return (
                  <td key={i} class={`${isNumeric(column) ? "right" : ""} ${column.type}`}>
                    {own ? own(row[i], row) : cellView(row[i], column, digits.get(i))}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {table.rows.length > shown && (
        <button type="button" class="quiet more" onClick={() => setShown(shown + PART * 5)}>
          Show more of {number(table.rows.length)} rows
        </button>
      )}
    </div>
  );
}
