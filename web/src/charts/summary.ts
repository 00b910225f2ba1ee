// A chart in a sentence, for whoever cannot see it.
//
// SPDX-License-Identifier: MIT
import { count, number } from "../format";
import { moment } from "./axis";
import type { Model, Point } from "./model";

const KINDS: Record<string, string> = {
  line: "Line chart",
  area: "Area chart",
  bar: "Bar chart",
  scatter: "Scatter plot",
  heatmap: "Heatmap",
};

function place(model: Model, point: Point): string {
  return model.axis === "time" ? moment(point[0] as number, model.isMoment) : String(point[0]);
}

export function withUnit(value: number | null, unit: string): string {
  if (value === null) return "no value";
  if (!unit) return number(value);
  return `${number(value)} ${unit}`;
}

export function summaryOf(model: Model): string {
  const all = model.series.flatMap((s) => s.points.map((p) => ({ name: s.name, p })));
  const known = all.filter(({ p }) => p[1] !== null);
  const kind = KINDS[model.kind] ?? "Chart";
  if (!known.length) return `${kind} without points.`;
  const at = (best: (a: number, b: number) => boolean) =>
    known.reduce((a, b) => (best(b.p[1]!, a.p[1]!) ? b : a));
  const tell = ({ name, p }: { name: string; p: Point }) =>
    `${withUnit(p[1], model.unit)} (${model.series.length > 1 ? `${name}, ` : ""}${place(model, p)})`;
  const parts = [
    `${kind} of ${count(model.series.length, "series", "series")}, ${count(known.length, "point")}`,
  ];
  if (model.axis === "time") {
    const xs = known.map(({ p }) => p[0] as number);
    const [from, to] = [xs.reduce((a, b) => Math.min(a, b)), xs.reduce((a, b) => Math.max(a, b))];
    parts.push(`from ${moment(from, model.isMoment)} to ${moment(to, model.isMoment)}`);
  }
  parts.push(`highest ${tell(at((a, b) => a > b))}, lowest ${tell(at((a, b) => a < b))}`);
  if (model.holes.length) {
    const [first] = model.holes;
    parts.push(
      `${count(model.holes.length, "gap")} in the data, the first after ${moment(first.from, model.isMoment)}`,
    );
  }
  return `${parts.join("; ")}.`;
}
