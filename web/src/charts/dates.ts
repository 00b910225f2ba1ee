// Labels of a time axis whose points stand for days, weeks or months: each at the date of a point,
// never between two. Series that run on (readings of each hour or day) keep round dates instead.
//
// SPDX-License-Identifier: MIT
import { date, dayMonth, hourMinute, monthName } from "../format";
import { thinned } from "./labels";
import type { Model } from "./model";

const DAY = 86_400_000;
const ROOM = 68; // pixels for "28 Sept" and what keeps it apart
const YEAR_ROOM = 104; // for "28 Sept 2026", where most labels have another year than the one before
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120]; // between labels, so that years are met

const at = (ms: number) => new Date(ms);

function momentsOf(model: Model): number[] {
  const known = model.series.flatMap((s) => s.points.filter((p) => p[1] !== null));
  return [...new Set(known.map((p) => p[0] as number))].sort((a, b) => a - b);
}

// Bars each stand for their own date; so do points a week or more apart.
function areApart(model: Model, xs: number[]): boolean {
  if (model.kind === "bar") return true;
  const steps = xs.slice(1).map((x, i) => x - xs[i]);
  steps.sort((a, b) => a - b);
  return steps.length > 0 && steps[Math.floor(steps.length / 2)] >= 6 * DAY;
}

const isMonthly = (xs: number[]) =>
  xs.every((x) => x % DAY === 0 && at(x).getUTCDate() === 1) && xs.length > 1;

function chosen(xs: number[], width: number): number[] {
  const year = (x: number) => at(x).getUTCFullYear();
  const wide = xs.length > 0 && year(xs.at(-1)!) - year(xs[0]) > 1;
  if (!isMonthly(xs)) return thinned(xs, width, wide ? YEAR_ROOM : ROOM);
  const fit = Math.max(1, Math.floor(width / ROOM));
  const months = (x: number) => at(x).getUTCFullYear() * 12 + at(x).getUTCMonth();
  const those = (n: number) => xs.filter((x) => months(x) % n === 0);
  const n = MONTHS.find((each) => those(each).length <= fit) ?? MONTHS.at(-1)!;
  return those(n).length ? those(n) : thinned(xs, width, ROOM);
}

// As short as the label before allows: the year where it turns, and first where there are several, the day where hours go on.
function textOf(ms: number, before: number | undefined, monthly: boolean, years: boolean): string {
  const year = at(ms).getUTCFullYear();
  const turns = before === undefined ? years : at(before).getUTCFullYear() !== year;
  if (monthly && turns && before !== undefined && at(ms).getUTCMonth() === 0) return String(year);
  if (monthly) return turns ? `${monthName(ms)} ${year}` : monthName(ms);
  if (ms % DAY === 0) return turns ? date(ms) : dayMonth(ms);
  const sameDay = before !== undefined && Math.floor(before / DAY) === Math.floor(ms / DAY);
  return sameDay ? hourMinute(ms) : `${hourMinute(ms)}\n${dayMonth(ms)}`;
}

// What the drawing library is told of the labels between `from` and `to`; nothing where it may
// choose round dates itself.
export function dateLabels(model: Model, width: number, from = -Infinity, to = Infinity) {
  if (model.axis !== "time" || model.kind === "scatter") return undefined;
  const xs = momentsOf(model);
  if (!areApart(model, xs)) return undefined;
  const shown = xs.filter((x) => x >= from && x <= to);
  const monthly = isMonthly(shown);
  const customValues = chosen(shown, width - 60);
  const years = monthly || at(shown[0]).getUTCFullYear() !== at(shown.at(-1)!).getUTCFullYear();
  const texts = new Map(
    customValues.map((x, i) => [x, textOf(x, customValues[i - 1], monthly, years)]),
  );
  return { customValues, lineHeight: 15, formatter: (ms: number) => texts.get(ms) ?? "" };
}
