// A heatmap: a cell for each pair of names, its figure in it where it can be read. A scale with
// numbers below and above nought has nought in its middle.
//
// SPDX-License-Identifier: MIT
import { compact, fixed, number } from "../format";
import { moment } from "./axis";
import { along, depthOf } from "./labels";
import type { Model } from "./model";
import type { Look, Option } from "./options";

export const placeOf = (model: Model, category: string) =>
  model.isDay ? moment(Date.parse(category), false) : category;

// Room that the other axis leaves to the categories, at 7 pixels a letter of its names.
export function alongOf(model: Model, width: number) {
  const names = model.categories.map((name) => placeOf(model, name));
  const left = model.rows.length ? Math.max(...model.rows.map((r) => r.length)) * 7 : 40;
  return { names, turned: along(names, width - Math.min(140, left) - 24) };
}

const ROW = 17; // pixels for a row of a heatmap, so that it can be named

// The height of a chart: a heatmap has as many rows as it has.
export function heightOf(model: Model, width: number, usual: number): number {
  if (model.kind !== "heatmap") return usual;
  const { names, turned } = alongOf(model, width);
  return Math.max(usual, Math.round(model.rows.length * ROW + 48 + depthOf(names, turned)));
}

export function heatSeries(model: Model, look: Look): Option {
  const data = model.series.flatMap((s, y) =>
    s.points
      .filter((p) => p[1] !== null)
      .map((p) => [model.categories.indexOf(p[0] as string), y, p[1]]),
  );
  const digits = digitsOf(model);
  return {
    type: "heatmap",
    data: cellsFit(model, look.width) ? data.map((d) => withFigure(d, model, look, digits)) : data,
    label: { show: cellsFit(model, look.width), fontSize: 11, },
    itemStyle: { borderColor: look.theme.ground, borderWidth: 1 },
  };
}

const CELL = 34; // pixels in which a figure can be read

function cellsFit(model: Model, width: number): boolean {
  const names = Math.min(140, Math.max(...model.rows.map((r) => r.length)) * 7);
  return (width - names - 16) / model.categories.length >= CELL;
}

// A cell with its figure, dark on light or light on dark as the scale has it there.
function withFigure(value: unknown[], model: Model, look: Look, digits: number): Option {
  const { min, max, diverges } = rangeOf(model);
  const v = value[2] as number;
  const strength = diverges ? Math.abs(v) / max : (v - min) / (max - min || 1);
  const color = strength > 0.55 ? look.theme.ground : look.theme.ink;
  return { value, label: { color, formatter: () => figure(v, max, digits) } };
}

// As many decimals in each cell as tell the scale's figures apart: none for whole numbers.
function digitsOf(model: Model): number {
  const values = model.series.flatMap((s) => s.points.map((p) => Number(p[1])));
  return values.every(Number.isInteger) ? 0 : 2;
}

function figure(v: number, most: number, digits: number): string {
  if (Math.abs(v) >= 10_000) return compact(v);
  if (most < 0.1) return number(Number(v.toPrecision(2)));
  return fixed(Number(v.toFixed(digits)) || 0, digits);
}

// From the least to the most; from -n to n where both are there, so that nought is in the middle.
function rangeOf(model: Model): { min: number; max: number; diverges: boolean } {
  const values = model.series.flatMap((s) => s.points.map((p) => p[1])).filter((v) => v !== null);
  const [min, max] = values.reduce(
    ([a, b], v) => [Math.min(a, v), Math.max(b, v)],
    [Infinity, -Infinity],
  );
  const most = Math.max(-min, max);
  const diverges = min < 0 && max > 0;
  return diverges ? { min: -most, max: most, diverges } : { min, max, diverges };
}

export function heatScale(model: Model, look: Look): Option {
  const { min, max, diverges } = rangeOf(model);
  return {
    min,
    max,
    calculable: false,
    orient: "horizontal",
    right: 0,
    top: 0,
    itemWidth: 10,
    itemHeight: 96,
    text: [figure(max, max, digitsOf(model)), figure(min, max, digitsOf(model))],
    textStyle: { color: look.theme.soft, fontSize: 12 },
    inRange: { color: diverges ? look.theme.diverge : look.theme.ramp },
  };
}

