// From the model to what ECharts draws: few lines, direct labels where they fit, holes left open,
// tooltips that read as a sentence and are built as text.
//
// SPDX-License-Identifier: MIT
import { compact, number, words } from "../format";
import { moment, tick } from "./axis";
import { dateLabels } from "./dates";
import { alongOf, heatScale, heatSeries, placeOf } from "./heat";
import { nameWidth } from "./labels";
import { labelled, type Model, type Point, type Series } from "./model";
import { withUnit } from "./summary";
import type { Theme } from "./theme";

export type Look = {
  theme: Theme;
  width: number;
  slot: (name: string) => number;
  hidden: Set<string>;
};
export type Option = Record<string, unknown>;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const MANY = 2000; // points past which single ones are no longer marked

export const colourOf = (look: Look, name: string) =>
  look.theme.series[Math.max(0, look.slot(name)) % 8];
const dashed = (look: Look, name: string) => look.slot(name) >= 8;

const DIRECT = 460; // pixels from which lines are named at their ends, as charts.css says too

export const isNamedAtEnds = (model: Model, width: number) => labelled(model) && width >= DIRECT;

const labelWidth = (model: Model) => 8 + nameWidth(model.series.map((s) => s.name));

function sentence(at: string, lines: [string, string, string][]): HTMLElement {
  const box = document.createElement("div");
  box.className = "tip";
  const head = box.appendChild(document.createElement("p"));
  head.textContent = at;
  for (const [colour, name, value] of lines.slice(0, 12)) {
    const row = box.appendChild(document.createElement("p"));
    const dot = row.appendChild(document.createElement("i"));
    dot.style.background = colour;
    dot.hidden = !colour;
    row.append(name);
    row.appendChild(document.createElement("b")).textContent = value;
  }
  if (lines.length > 12) box.append(`and ${lines.length - 12} more`);
  return box;
}

type Hit = { color: string; seriesName: string; value: Point; axisValue?: number | string };

function ofPoint(model: Model, { seriesName, value }: Hit): HTMLElement {
  const x = model.axis === "time" ? moment(value[0] as number, model.isMoment) : number(+value[0]);
  const rows: [string, string, string][] = [
    ["", `${words(model.xName)} `, x],
    ["", `${words(model.yName)} `, withUnit(value[1], model.unit)],
  ];
  if (value[2] !== undefined) rows.push(["", `${words(model.sizeName)} `, number(value[2])]);
  return sentence(seriesName, rows);
}

// A lying bar has its value first.
function upright(hit: Hit): Hit {
  const [x, y] = hit.value as unknown as [unknown, unknown];
  return typeof y === "string" && typeof x === "number" ? { ...hit, value: [y, x] } : hit;
}

function tooltip(model: Model, look: Look): Option {
  const { theme } = look;
  const byAxis = model.kind !== "scatter" && model.kind !== "heatmap";
  const place = (x: unknown) =>
    model.axis === "time" ? moment(x as number, model.isMoment) : placeOf(model, String(x));
  return {
    trigger: byAxis ? "axis" : "item",
    confine: true,
    backgroundColor: theme.ground,
    borderColor: theme.line,
    padding: [8, 12],
    textStyle: { color: theme.ink, fontSize: 12, fontFamily: FONT },
    extraCssText: "box-shadow:none",
    axisPointer: {
      type: model.kind === "bar" ? "shadow" : "line",
      lineStyle: { color: theme.soft, width: 1 },
      shadowStyle: { color: theme.line, opacity: 0.4 },
      label: { show: false },
    },
    formatter: (hits: Hit | Hit[]) => {
      const list = [hits].flat().map(upright);
      if (model.kind === "heatmap") {
        const [x, y, v] = list[0].value as unknown as [number, number, number];
        return sentence(`${model.rows[y]}, ${placeOf(model, model.categories[x])}`, [
          ["", "", withUnit(v, model.unit)],
        ]);
      }
      if (model.kind === "scatter") return ofPoint(model, list[0]);
      const rows = list
        .filter((h) => h.value[1] !== null)
        .sort((a, b) => (b.value[1] as number) - (a.value[1] as number))
        .map((h): [string, string, string] => [
          h.color,
          model.named ? `${h.seriesName} was ` : "",
          withUnit(h.value[1], model.unit),
        ]);
      return sentence(place(list[0].value[0]), rows);
    },
  };
}

const axisName = (name: string, theme: Theme, nameLocation: string, nameGap: number) => ({
  name,
  nameLocation,
  nameGap,
  nameTextStyle: { color: theme.soft, fontSize: 12, fontFamily: FONT, align: "center" },
});

function categoryLabels(model: Model, width: number): Option {
  const { turned } = alongOf(model, width);
  return { width: 120, overflow: "truncate", ...turned, hideOverlap: turned.interval !== 0 };
}

function xAxis(model: Model, look: Look): Option {
  const { theme } = look;
  return {
    type: model.axis === "number" ? "value" : model.axis,
    data: model.axis === "category" ? model.categories : undefined,
    scale: true,
    boundaryGap: model.axis === "category",
    axisLine: { show: model.kind !== "heatmap", lineStyle: { color: theme.line } },
    axisTick: { show: false },
    splitLine: { show: model.kind === "scatter", lineStyle: { color: theme.line } },
    splitNumber: look.width < 420 ? 3 : 6,
    ...(model.kind === "scatter" ? axisName(words(model.xName), theme, "middle", 28) : {}),
    axisLabel: {
      color: theme.soft,
      fontSize: 12,
      fontFamily: FONT,
      hideOverlap: true,
      formatter: model.axis === "time" ? tick : model.axis === "number" ? compact : undefined,
      ...dateLabels(model, look.width),
      ...(model.axis === "category"
        ? {
            formatter: (name: string) => placeOf(model, name),
            ...categoryLabels(model, look.width),
          }
        : {}),
    },
  };
}

function yAxis(model: Model, look: Look): Option {
  const { theme } = look;
  const label = { color: theme.soft, fontSize: 12, fontFamily: FONT };
  if (model.kind === "heatmap") {
    return {
      type: "category",
      data: model.rows,
      inverse: true,
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { ...label, width: 140, overflow: "truncate", interval: 0 },
    };
  }
  return {
    type: "value",
    ...(model.kind === "scatter" ? axisName(words(model.yName), theme, "end", 12) : {}),
    scale: model.kind === "line" || model.kind === "scatter",
    splitNumber: 4,
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: theme.line } },
    axisLabel: { ...label, formatter: compact },
  };
}

// A point between two holes has no line to show it: it is drawn as a dot.
function alone(points: Point[]): unknown[] {
  const empty = (p?: Point) => !p || p[1] === null;
  return points.map((p, i) =>
    p[1] !== null && empty(points[i - 1]) && empty(points[i + 1])
      ? { value: p, symbol: "circle", symbolSize: 5 }
      : p,
  );
}

function lineSeries(one: Series, model: Model, look: Look): Option {
  const colour = colourOf(look, one.name);
  const many = one.points.length > MANY;
  return {
    type: "line",
    name: one.name,
    data: many ? one.points : alone(one.points),
    symbol: "none",
    showSymbol: !many,
    connectNulls: false,
    sampling: many ? "lttb" : undefined,
    stack: model.kind === "area" && model.series.length > 1 ? "all" : undefined,
    areaStyle:
      model.kind === "area"
        ? { color: colour, opacity: model.series.length > 1 ? 0.55 : 0.16 }
        : undefined,
    lineStyle: {
      width: 1.75,
      color: colour,
      type: model.series.length > 8 && dashed(look, one.name) ? "dashed" : "solid",
    },
    itemStyle: { color: colour },
    endLabel: isNamedAtEnds(model, look.width)
      ? {
          show: true,
          formatter: "{a}",
          color: colour,
          fontSize: 12,
          fontFamily: FONT,
          distance: 6,
          verticalAlign: "top", // with which draw.ts moves it
          width: labelWidth(model),
          overflow: "truncate",
        }
      : undefined,
    emphasis: { disabled: true },
  };
}

// Bars whose names would not fit below them lie down, the first on top.
function isLying(model: Model, width: number): boolean {
  if (model.kind !== "bar" || model.axis !== "category" || model.categories.length > 16)
    return false;
  return (
    Math.max(...model.categories.map((c) => c.length)) * 7 > (width - 60) / model.categories.length
  );
}

function lyingAxis(model: Model, look: Look): Option {
  const axis = xAxis(model, look);
  const label = axis.axisLabel as Option;
  return { ...axis, inverse: true, axisLabel: { ...label, interval: 0, rotate: 0 } };
}

const BESIDE = 6; // bars that stand side by side, at most; more are stacked

// Bars of things that are series elsewhere on the page have their colours.
function barSeries(one: Series, model: Model, look: Look): Option {
  const stack = model.series.length > (model.axis === "time" ? 1 : BESIDE);
  const own =
    model.series.length === 1 &&
    model.categories.length > 0 &&
    model.categories.every((name) => look.slot(name) >= 0);
  const lying = isLying(model, look.width);
  const data = one.points.map(([x, y]) => ({
    value: lying ? [y, x] : [x, y],
    itemStyle: own ? { color: colourOf(look, x as string) } : undefined,
  }));
  return {
    type: "bar",
    name: one.name,
    data,
    itemStyle: { color: colourOf(look, one.name) },
    stack: stack ? "all" : undefined,
    barMaxWidth: 36,
    barCategoryGap: "28%",
    large: one.points.length > MANY,
  };
}

function scatterSeries(one: Series, model: Model, look: Look): Option {
  const most = Math.max(1, ...model.series.flatMap((s) => s.points.map((p) => p[2] ?? 0)));
  return {
    type: "scatter",
    name: one.name,
    data: one.points,
    large: one.points.length > MANY,
    symbolSize: (p: Point) => (p[2] === undefined ? 7 : 4 + 16 * Math.sqrt(p[2] / most)),
    itemStyle: { color: colourOf(look, one.name), opacity: 0.6 },
  };
}

function seriesOf(model: Model, look: Look): Option[] {
  if (model.kind === "heatmap") return [heatSeries(model, look)];
  const draw =
    model.kind === "bar" ? barSeries : model.kind === "scatter" ? scatterSeries : lineSeries;
  return model.series.filter((s) => !look.hidden.has(s.name)).map((one) => draw(one, model, look));
}

const ZOOM: Option = {
  type: "inside",
  zoomOnMouseWheel: "ctrl",
  moveOnMouseWheel: false,
  moveOnMouseMove: "shift",
  preventDefaultMouseMove: false,
  filterMode: "none",
};

export function optionsOf(model: Model, look: Look): Option {
  const heat = model.kind === "heatmap";
  const lying = isLying(model, look.width);
  return {
    useUTC: true,
    animation: false,
    aria: { enabled: false }, // the figure has its own sentence and table
    textStyle: { fontFamily: FONT },
    grid: {
      left: 4,
      right: isNamedAtEnds(model, look.width) ? labelWidth(model) + 12 : 12,
      top: heat ? 32 : model.kind === "scatter" ? 32 : 12,
      bottom: model.kind === "scatter" ? 24 : 4,
      containLabel: true,
    },
    tooltip: tooltip(model, look),
    dataZoom: model.axis === "category" ? [] : [ZOOM],
    visualMap: heat ? heatScale(model, look) : undefined,
    ...(lying
      ? { xAxis: yAxis(model, look), yAxis: lyingAxis(model, look) }
      : { xAxis: xAxis(model, look), yAxis: yAxis(model, look) }),
    series: seriesOf(model, look),
  };
}
