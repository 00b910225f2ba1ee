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
import { LabelLayout } from "echarts/features";
import { CanvasRenderer } from "echarts/renderers";
import { dragToZoom } from "./drag";
import type { Model } from "./model";
import { type Look, optionsOf } from "./options";

use([
  LineChart,
  BarChart,
  ScatterChart,
  HeatmapChart,
  GridComponent,
  TooltipComponent,
  DataZoomInsideComponent,
  VisualMapContinuousComponent,
  LabelLayout,
  CanvasRenderer,
]);

export type Drawing = {
  show: (model: Model, look: Omit<Look, "width">) => void;
  png: (ground: string) => string;
  zoom: (action: "in" | "out" | "left" | "right" | "all") => void;
  end: () => void;
};

type Zoom = { start?: number; end?: number };

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

export function draw(frame: HTMLElement, onZoom: (zoomed: boolean) => void): Drawing {
  const chart = init(frame, undefined, { renderer: "canvas" });
  let zoomable = false;
  let last: (() => void) | null = null;
  let width = frame.clientWidth;
  const current = () => ((chart.getOption()?.dataZoom as Zoom[] | undefined)?.[0] ?? {}) as Zoom;
  chart.on("datazoom", () => {
    const { start = 0, end = 100 } = current();
    onZoom(start > 0.01 || end < 99.99);
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
    show: (model, look) => {
      last = () => {
        const { start = 0, end = 100 } = current();
        chart.setOption(optionsOf(model, { ...look, width }), { notMerge: true });
        if (start > 0 || end < 100) chart.dispatchAction({ type: "dataZoom", start, end });
        zoomable = model.axis !== "category";
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
