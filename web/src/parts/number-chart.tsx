// One number, large, with its change and a small line of where it came from.
//
// SPDX-License-Identifier: MIT
import { number, percent } from "../format";
import { columnAt } from "../table";
import type { Chart, ChartTable } from "../types";

function Spark({ values }: { values: number[] }) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const at = (v: number, i: number) =>
    `${((i / (values.length - 1)) * 96).toFixed(1)} ${(22 - ((v - low) / (high - low || 1)) * 20).toFixed(1)}`;
  return (
    <svg class="spark" viewBox="-1 0 98 24" width="98" height="24" aria-hidden="true">
      <path d={`M${values.map(at).join("L")}`} />
    </svg>
  );
}

export function NumberChart({ chart, table }: { chart: Chart; table: ChartTable }) {
  const column = Math.max(0, columnAt(table, chart.y));
  const values = table.rows.map((row) => Number(row[column])).filter(Number.isFinite);
  const last = values.at(-1);
  const before = chart.x ? values.at(-2) : undefined;
  if (last === undefined) return <p class="big none">–</p>;
  const change = before ? (last - before) / Math.abs(before) : null;
  return (
    <div class="number-chart">
      <p class="big">
        {number(last)}
        {chart.unit && <small>{chart.unit}</small>}
      </p>
      <p class="change">
        {change === null ? "\u00a0" : <>{percent(change)} since the one before</>}
      </p>
      {chart.x && values.length > 2 && <Spark values={values.slice(-60)} />}
    </div>
  );
}
