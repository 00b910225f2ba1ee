// From a result table to what is drawn: series of points, with a hole wherever the data has one.
// Pure: it knows nothing of the screen or of the drawing library.
//
// SPDX-License-Identifier: MIT
import { webTime, type ZoneClock } from "./axis";
import { NAME_ROOM, nameWidth } from "./labels";
import { columnAt } from "../table";
import type { Chart, ChartTable } from "../types";

export type Axis = "time" | "number" | "category";
export type Point = [x: number | string, y: number | null, extra?: number];
export type Series = { name: string; points: Point[] };
export type Hole = { series: string; from: number; to: number };
export type Model = {
  kind: Chart["kind"];
  axis: Axis;
  isMoment: boolean; // x has a time of day
  isDay: boolean; // x is a date
  sizeName: string;
  xName: string;
  yName: string;
  unit: string;
  named: boolean; // the series have names of their own, from a column
  series: Series[];
  categories: string[];
  rows: string[]; // of a heatmap
  holes: Hole[];
  points: number;
};

const toNumber = (value: unknown): number | null => {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "string" && value.trim() !== "" && Number.isFinite(+value)) return +value;
  return typeof value === "boolean" ? Number(value) : null;
};

function axisOf(type: string | undefined, kind: string): Axis {
  if (kind === "heatmap") return "category";
  if (type === "date" || type === "timestamp") return "time";
  return (type === "integer" || type === "real") && kind !== "bar" ? "number" : "category";
}

// The longest step that still counts as the next point: 1.5 times the 95th percentile of all
// steps, so that weekends of a weekday series are no holes, and an absent fortnight is one.
function longestStep(xs: number[]): number {
  if (xs.length < 5) return Infinity;
  const steps = xs
    .slice(1)
    .map((x, i) => x - xs[i])
    .sort((a, b) => a - b);
  return 1.5 * steps[Math.min(steps.length - 1, Math.floor(steps.length * 0.95))];
}

function withHoles(series: Series, holes: Hole[]): Series {
  const xs = series.points.map((p) => p[0] as number);
  const longest = longestStep(xs);
  const points: Point[] = [];
  series.points.forEach((point, i) => {
    const before = xs[i - 1];
    if (i > 0 && xs[i] - before > longest) {
      holes.push({ series: series.name, from: before, to: xs[i] });
      points.push([before + longest / 1.5, null]);
    }
    points.push(point);
  });
  return { name: series.name, points };
}

const NAMED = 8; // lines that are named at their ends, at most
const EDGE = 0.04; // of the axis, within which lines end together

function endTogether(series: Series[]): boolean {
  const ends = series.map((s) => s.points.at(-1)?.[0] as number);
  const last = Math.max(...ends);
  const first = Math.min(...series.map((s) => s.points[0]?.[0] as number));
  return ends.every((end) => last - end <= (last - first) * EDGE);
}

// Lines that can be named at their ends: few enough, on a measured axis, each reaching its end, and
// with names that fit whole. A line alone has its name above.
export function labelled(model: Model): boolean {
  const lines = model.kind === "line" && model.axis !== "category";
  if (!lines || !model.named || model.series.length < 2 || model.series.length > NAMED)
    return false;
  return nameWidth(model.series.map((s) => s.name)) <= NAME_ROOM && endTogether(model.series);
}

// An area needs a width: of one or two moments there are bars.
function kindOf(chart: Chart, axis: Axis, series: Series[]): Chart["kind"] {
  if (chart.kind !== "area" || axis !== "time") return chart.kind;
  const moments = new Set(series.flatMap((s) => s.points.map((p) => p[0])));
  return moments.size < 3 ? "bar" : "area";
}

// What stands beside itself, as in a table of correlations, is in one order both ways.
function rowsOf(series: Series[], categories: Set<string>): string[] {
  const names = series.map((s) => s.name);
  const same = names.length === categories.size && names.every((n) => categories.has(n));
  return same ? [...categories].sort() : names;
}

export function modelOf(chart: Chart, table: ChartTable, clock: ZoneClock): Model {
  const at = {
    x: columnAt(table, chart.x),
    y: columnAt(table, chart.kind === "heatmap" ? chart.value : chart.y),
    by: columnAt(table, chart.kind === "heatmap" ? chart.y : chart.by),
    size: columnAt(table, chart.size),
  };
  const type = table.columns[at.x]?.type;
  const axis = axisOf(type, chart.kind);
  const groups = new Map<string, Point[]>();
  const categories = new Set<string>();
  const only = chart.title || chart.y || "value";
  for (const row of table.rows) {
    const raw = row[at.x];
    const x =
      axis === "time"
        ? webTime(String(raw), clock)
        : axis === "number"
          ? toNumber(raw)
          : String(raw ?? "–");
    if (x === null || Number.isNaN(x)) continue;
    if (axis === "category") categories.add(x as string);
    const name = at.by >= 0 ? String(row[at.by] ?? "–") : only;
    const point: Point = [x, toNumber(row[at.y])];
    if (at.size >= 0) point.push(toNumber(row[at.size]) ?? 0);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name)!.push(point);
  }
  const holes: Hole[] = [];
  let series = [...groups].map(([name, points]): Series => ({ name, points }));
  if (axis !== "category" && chart.kind !== "scatter") {
    for (const one of series) one.points.sort((a, b) => (a[0] as number) - (b[0] as number));
  }
  if (axis === "time" && (chart.kind === "line" || chart.kind === "area")) {
    series = series.map((one) => withHoles(one, holes));
  }
  const rows = chart.kind === "heatmap" ? rowsOf(series, categories) : [];
  const square = rows.length > 0 && rows.every((name) => categories.has(name));
  if (rows.length) series.sort((a, b) => rows.indexOf(a.name) - rows.indexOf(b.name));
  return {
    kind: kindOf(chart, axis, series),
    axis,
    isMoment: type === "timestamp",
    isDay: type === "date",
    series,
    holes,
    xName: chart.x ?? "",
    yName: (chart.kind === "heatmap" ? chart.value : chart.y) ?? "",
    unit: chart.unit ?? "",
    named: at.by >= 0,
    sizeName: chart.size ?? "",
    categories: square ? rows : [...categories],
    rows,
    points: series.reduce((n, one) => n + one.points.filter((p) => p[1] !== null).length, 0),
  };
}
