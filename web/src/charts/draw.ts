// The only user of ECharts, loaded when the first chart is drawn. It puts a model on a canvas,
// follows the size of its frame and the visitor's light or dark, and zooms by drag and by key.
//
// SPDX-License-Identifier: MIT
import { BarChart, HeatmapChart, LineChart, ScatterChart } from "echarts/charts";
import {
  DataZoomInsideComponent,
  GridComponent,
  TooltipComponent,
  VisualMapContinuousComponent,
} from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { dragToZoom } from "./drag";
import { dateLabels } from "./dates";
import { heightOf } from "./heat";
import { apart } from "./labels";
import type { Model } from "./model";
import { isNamedAtEnds, type Look, optionsOf } from "./options";

use([
  LineChart,
  BarChart,
  ScatterChart,
  HeatmapChart,
  GridComponent,
  TooltipComponent,
  DataZoomInsideComponent,
  VisualMapContinuousComponent,
  CanvasRenderer,
]);

export type Drawing = {
  show: (model: Model, look: Omit<Look, "width">, height: number) => void;
  png: (ground: string) => string;
  zoom: (action: "in" | "out" | "left" | "right" | "all") => void;
  end: () => void;
};

type Zoom = { start?: number; end?: number; startValue?: number; endValue?: number };

function nextZoom(action: string, { start = 0, end = 100 }: Zoom): [number, number] {
  const width = end - start;
  const within = (from: number, size: number): [number, number] => {
    const at = Math.min(Math.max(0, from), 100 - size);
    return [at, at + size];
  };
  if (action === "in") return within(start + width / 4, Math.max(1, width / 2));
  if (action === "out") return within(start - width / 2, Math.min(100, width * 2));
  if (action === "left") return within(start - width / 4, width);
  if (action === "right") return within(start + width / 4, width);
  return [0, 100];
}

const LINE = 15; // pixels that a name takes
const HALF = 6; // from its top to its middle

type Chart = ReturnType<typeof init>;

// The names at the ends of lines are moved apart, by the space above them: it may be negative.
function partNames(chart: Chart, model: Model, hidden: Set<string>, until: number) {
  const shown = model.series.filter((s) => !hidden.has(s.name));
  const lasts = shown.map((s) => s.points.filter((p) => p[1] !== null && +p[0] <= until).at(-1));
  const named = shown.filter((_, i) => lasts[i]);
  const wanted = lasts
    .filter((p) => p !== undefined)
    .map((p) => chart.convertToPixel({ yAxisIndex: 0 }, p[1]!));
  const found = apart(wanted, LINE, 6, chart.getHeight() - 6);
  const series = named.map(({ name }, i) => {
    const above = Math.round(found[i] - wanted[i]) - HALF;
    return { name, type: "line", endLabel: { padding: [above, 0, 0, 0] } };
  });
  if (series.length) chart.setOption({ series });
}

export function draw(frame: HTMLElement, onZoom: (zoomed: boolean) => void): Drawing {
  const chart = init(frame, undefined, { renderer: "canvas" });
  let zoomable = false;
  let last: (() => void) | null = null;
  let width = frame.clientWidth;
  let part = () => {};
  const current = () => ((chart.getOption()?.dataZoom as Zoom[] | undefined)?.[0] ?? {}) as Zoom;
  chart.on("datazoom", () => {
    const { start = 0, end = 100 } = current();
    onZoom(start > 0.01 || end < 99.99);
    part();
  });
  const observer = new ResizeObserver(() => {
    chart.resize();
    if (Math.abs(frame.clientWidth - width) < 1) return;
    width = frame.clientWidth;
    last?.();
  });
  observer.observe(frame);
  const undrag = dragToZoom(frame, (from, to) => {
    if (!zoomable) return;
    const [startValue, endValue] = [from, to].map((x) =>
      chart.convertFromPixel({ xAxisIndex: 0 }, x),
    );
    chart.dispatchAction({ type: "dataZoom", startValue, endValue });
  });
  return {
    show: (model, look, height) => {
      last = () => {
        const { start = 0, end = 100 } = current();
        frame.style.height = `${heightOf(model, width, height)}px`;
        chart.resize();
        chart.setOption(optionsOf(model, { ...look, width }), { notMerge: true });
        if (start > 0 || end < 100) chart.dispatchAction({ type: "dataZoom", start, end });
        zoomable = model.axis !== "category";
        part = () => {
          const { startValue, endValue } = current();
          const axisLabel = dateLabels(model, width, startValue, endValue);
          if (axisLabel) chart.setOption({ xAxis: { axisLabel } });
          if (!isNamedAtEnds(model, width)) return;
          partNames(chart, model, look.hidden, current().endValue ?? Infinity);
        };
        part();
      };
      last();
    },
    png: (ground) => chart.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: ground }),
    zoom: (action) => {
      const [start, end] = nextZoom(action, current());
      chart.dispatchAction({ type: "dataZoom", start, end });
    },
    end: () => {
      observer.disconnect();
      undrag();
      chart.dispose();
    },
  };
}
