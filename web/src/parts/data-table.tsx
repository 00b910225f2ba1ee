// A result table: dense, numbers on the right under their heads, wide ones scrolling in their own
// frame. Long ones show their first rows and more on demand.
//
// SPDX-License-Identifier: MIT
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { number, words } from "../format";
import type { Cell, Column, Table } from "../types";
import { cellView, decimalsOf, isNumeric } from "./cell";
import { Mark } from "./mark";

const PART = 200;
const SHORT = 20; // letters that a cell keeps on one line
const WORDY = 28; // letters from which a column needs room
export type Render = (value: Cell, row: Cell[]) => ComponentChildren;
const STATES: Record<string, Render> = {
  state: (value) => (value === null ? "" : <Mark state={String(value)} />),
};
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

// How much room a column of text needs, by its longest value.
function roomOf(rows: Cell[][], at: number, column: Column): string {
  if (column.type !== "text") return column.type;
  let most = 0;
  for (const row of rows) most = Math.max(most, String(row[at] ?? "").length);
  return most <= SHORT ? "text short" : most >= WORDY ? "text wordy" : "text";
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
  part?: number; // rows shown at first
  engine?: boolean; // a table of the engine's own, whose `state` is a state of a run
  lead?: { head: ComponentChildren; cell: (row: Cell[]) => ComponentChildren };
}) {
  const { table, lead } = props;
  const [shown, setShown] = useState(props.part ?? PART);
  const places = props.columns
    ? props.columns.map((name) => table.columns.findIndex((c) => c.name === name))
    : table.columns.map((_, i) => i);
  const used = places.filter((i) => i >= 0);
  const digits = new Map(used.map((i) => [i, decimalsOf(table.rows.map((row) => row[i]))]));
  const rooms = new Map(used.map((i) => [i, roomOf(table.rows, i, table.columns[i])]));
  const label = (c: Column) => props.heads?.[c.name] ?? (props.plain ? c.name : words(c.name));
  return (
    <div
      class={`table-frame ${props.plain ? "fit" : ""}`}
      role="region"
      aria-label={props.label}
      tabIndex={0}
      style={props.max ? { maxHeight: props.max } : undefined}
    >
      <table class={props.engine ? "cards" : undefined}>
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
                const own = props.render?.[column.name] ?? (props.engine && STATES[column.name]);
                return (
                  <td
                    key={i}
                    class={`${isNumeric(column) ? "right" : ""} ${rooms.get(i)} ${i === used[0] || column.name === "error" ? "whole" : ""}`}
                    data-label={props.engine && i !== used[0] ? label(column) : undefined}
                  >
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
          {table.rows.length - shown <= PART * 5
            ? `Show all ${number(table.rows.length)} rows`
            : `Show more of ${number(table.rows.length)} rows`}
        </button>
      )}
    </div>
  );
}
