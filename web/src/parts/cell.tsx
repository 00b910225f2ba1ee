// One value of a result table. Whatever was ingested is text: an address becomes a link only when
// it parses as http or https, and nothing ever becomes markup.
//
// SPDX-License-Identifier: MIT
import type { ComponentChildren } from "preact";
import { date, fixed, number } from "../format";
import type { Cell, Column } from "../types";
import { Time } from "./time";

const PLAIN = /(^|_)(id|year|code|zip|port|line)$/i; // whole numbers that are names, not amounts
const LONG = 240; // letters past which a cell is folded
const CUT = 80;
export const isNumeric = (column: Column) => column.type === "integer" || column.type === "real";

export function webAddress(text: string): string | null {
  if (!/^https?:\/\//i.test(text)) return null;
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

// What binary fractions add far behind the point is no part of a value: 888.0400000000001.
const exact = (value: number) => Number(value.toPrecision(12));

// Decimals that a column of reals needs, four at most, so that its points stand in one line.
export function decimalsOf(values: Cell[]): number {
  let most = 0;
  for (const value of values) {
    if (typeof value !== "number" || Number.isInteger(value)) continue;
    most = Math.max(most, (String(Math.abs(exact(value))).split(".")[1] ?? "").length);
  }
  return Math.min(most, 4);
}

export function numberText(value: Cell, column: Column, decimals?: number): string {
  if (typeof value === "string" && /^-?\d+$/.test(value)) return number(BigInt(value));
  if (typeof value !== "number") return String(value);
  if (column.type === "integer" && PLAIN.test(column.name)) return String(value);
  return column.type === "real" && decimals !== undefined ? fixed(value, decimals) : number(value);
}

export function cellText(value: Cell, column: Column, decimals?: number): string {
  if (value === null || value === undefined) return "";
  if (isNumeric(column)) return numberText(value, column, decimals);
  if (column.type === "date") return date(String(value));
  if (column.type === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return String(exact(value));
  return typeof value === "string" ? value : JSON.stringify(value);
}

// A payload in a cell: its beginning, and the rest on demand.
function Long({ text }: { text: string }) {
  return (
    <details class="long-cell">
      <summary>{text.slice(0, CUT).replace(/\s+/g, " ")}…</summary>
      <pre>{text}</pre>
    </details>
  );
}

export function cellView(value: Cell, column: Column, decimals?: number): ComponentChildren {
  if (value === null || value === undefined) return <span class="none">–</span>;
  if (column.type === "timestamp") return <Time at={String(value)} />;
  const text = cellText(value, column, decimals);
  if (text.length > LONG) return <Long text={text} />;
  const href = column.type === "text" ? webAddress(text) : null;
  if (!href) return text;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {text}
    </a>
  );
}
