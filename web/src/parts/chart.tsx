// A chart of a page with all that belongs to it: title, unit, legend, the drawing or its table,
// source and freshness, downloads.
//
// SPDX-License-Identifier: MIT
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { address } from "../api";
import { zoneClock } from "../charts/axis";
import type { Drawing } from "../charts/draw";
import { labelled, type Model, modelOf } from "../charts/model";
import { type Palette, readTheme } from "../charts/theme";
import { words } from "../format";
import { type Resource, useResource } from "../resource";
import { useSite } from "../site";
import { save } from "../table";
import type { Chart, ChartTable } from "../types";
import { Canvas, useRedraw } from "./canvas";
import { DataTable } from "./data-table";
import { NumberChart } from "./number-chart";
import { Failed, Loading, Stale } from "./states";
import { Time } from "./time";

const HEIGHT = 280;
const ROWS = 10; // of a table on a page, until more are asked for
const LEGEND = 12; // names in a legend, until more are asked for
const DRAWN = ["line", "area", "bar", "scatter", "heatmap"];

function Legend(props: {
  model: Model;
  palette: Palette;
  hidden: Set<string>;
  toggle: (name: string) => void;
}) {
  useRedraw(props.palette);
  const [all, setAll] = useState(false);
  if (!props.model.named || props.model.kind === "heatmap") return null;
  return (
    <ul class={`legend ${labelled(props.model) ? "direct" : ""}`} aria-label="Series">
      {props.model.series.slice(0, all ? undefined : LEGEND).map(({ name }) => {
        const slot = props.palette.slot(name);
        return (
          <li key={name}>
            <button
              type="button"
              aria-pressed={!props.hidden.has(name)}
              onClick={() => props.toggle(name)}
            >
              <i
                class={slot >= 8 ? "dashed" : undefined}
                style={{ background: `var(--series-${(Math.max(0, slot) % 8) + 1})` }}
              />
              {name}
            </button>
          </li>
        );
      })}
      {!all && props.model.series.length > LEGEND && (
        <li>
          <button type="button" class="link" onClick={() => setAll(true)}>
            and {props.model.series.length - LEGEND} more
          </button>
        </li>
      )}
    </ul>
  );
}

export function Drawn(props: {
  chart: Chart;
  table: ChartTable;
  palette: Palette;
  place: number;
  drawing: { current: Drawing | null };
  height?: number;
}) {
  const { timezone } = useSite();
  const [hidden, setHidden] = useState(new Set<string>());
  const model = useMemo(
    () => modelOf(props.chart, props.table, zoneClock(timezone)),
    [props.chart, props.table, timezone],
  );
  useEffect(
    () =>
      props.palette.report(
        props.place,
        model.series.map((s) => s.name),
      ),
    [model],
  );
  const toggle = (name: string) => {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    setHidden(next);
  };
  return (
    <div class="drawn">
      <Legend model={model} palette={props.palette} hidden={hidden} toggle={toggle} />
      <Canvas
        model={model}
        palette={props.palette}
        hidden={hidden}
        height={props.height ?? HEIGHT}
        drawing={props.drawing}
      />
    </div>
  );
}

function Body(props: {
  chart: Chart;
  place: number;
  of: Resource<ChartTable>;
  palette: Palette;
  asTable: boolean;
  filtered: boolean;
  drawing: { current: Drawing | null };
}) {
  const { chart, of } = props;
  const drawn = DRAWN.includes(chart.kind);
  if (!of.data) {
    const height = chart.kind === "number" ? 92 : HEIGHT;
    return of.error ? <Failed error={of.error} retry={of.reload} /> : <Loading height={height} />;
  }
  const label = chart.title || "Chart";
  if (!of.data.rows.length) {
    return (
      <div class="no-rows" style={drawn ? { height: HEIGHT } : undefined}>
        <p>{props.filtered ? "No rows under these filters." : "No rows yet."}</p>
      </div>
    );
  }
  if (chart.kind === "number") return <NumberChart chart={chart} table={of.data} />;
  if (!drawn || props.asTable) {
    return (
      <DataTable
        table={of.data}
        label={`${label}, as a table`}
        columns={chart.kind === "table" ? chart.columns : undefined}
        max={drawn ? HEIGHT + 32 : undefined}
        part={drawn ? undefined : ROWS}
      />
    );
  }
  return (
    <Drawn
      chart={chart}
      table={of.data}
      palette={props.palette}
      place={props.place}
      drawing={props.drawing}
    />
  );
}

function Foot(props: {
  of: Resource<ChartTable>;
  csv: string;
  file: string;
  drawn: boolean;
  asTable: boolean;
  onTable: () => void;
  onPng: () => void;
}) {
  const { of, drawn } = props;
  return (
    <figcaption class="chart-foot">
      <span class="source-note">
        {of.data ? (
          <>
            {of.data.source.join(", ") || "no table"}
            {of.data.fresh && (
              <>
                {" "}
                · <Time at={of.data.fresh} ago />
              </>
            )}
          </>
        ) : (
          "\u00a0"
        )}
      </span>
      <span class="chart-tools">
        {drawn && (
          <button type="button" class="link" aria-pressed={props.asTable} onClick={props.onTable}>
            {props.asTable ? "Chart" : "Table"}
          </button>
        )}
        {props.csv && (
          <a href={props.csv} download={`${props.file}.csv`}>
            CSV
          </a>
        )}
        {drawn && !props.asTable && (
          <button type="button" class="link" onClick={props.onPng}>
            PNG
          </button>
        )}
      </span>
    </figcaption>
  );
}

export function ChartFigure(props: {
  page: string;
  chart: Chart;
  place: number;
  palette: Palette;
  query: Record<string, string[]>;
  beyond: string[]; // filters that are set and do not reach it
}) {
  const { chart } = props;
  const [asTable, setAsTable] = useState(false);
  const drawing = useRef<Drawing | null>(null);
  const path = `/api/v1/pages/${encodeURIComponent(props.page)}/charts/${props.place}`;
  const of = useResource<ChartTable>(
    chart.kind === "text" ? null : address(path, { ...props.query, bigint: "string" }),
    (event, data) =>
      event.kind === "reload" ||
      (event.kind === "change" &&
        (data?.source ?? event.tables).some((t) => event.tables.includes(t))),
  );
  if (chart.kind === "text") return <TextChart chart={chart} />;
  const drawn = DRAWN.includes(chart.kind);
  const title = chart.title || words(chart.y ?? chart.kind);
  const file = `${props.page}-${title}`.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");
  const onPng = () =>
    drawing.current && save(`${file}.png`, drawing.current.png(readTheme().ground));
  return (
    <figure
      class={`chart kind-${chart.kind} ${chart.wide ? "wide" : ""} ${of.pending ? "pending" : ""}`}
      aria-label={title}
      aria-busy={of.pending}
    >
      <div class="chart-head">
        <h2>{title}</h2>
        {chart.unit && chart.kind !== "number" && <span class="unit">{chart.unit}</span>}
        {props.beyond.length > 0 && (
          <span class="unit">not filtered by {props.beyond.map(words).join(", ").toLowerCase()}</span>
        )}
      </div>
      <Stale of={of} />
      <Body
        chart={chart}
        place={props.place}
        of={of}
        palette={props.palette}
        asTable={asTable}
        filtered={Object.keys(props.query).length > 0}
        drawing={drawing}
      />
      <Foot
        of={of}
        drawn={drawn}
        asTable={asTable}
        onTable={() => setAsTable(!asTable)}
        onPng={onPng}
        csv={chart.kind === "number" ? "" : address(path, { ...props.query, format: "csv" })}
        file={file}
      />
    </figure>
  );
}

function TextChart({ chart }: { chart: Chart }) {
  return (
    <section class={`chart kind-text ${chart.wide ? "wide" : ""}`}>
      {chart.title && <h2>{chart.title}</h2>}
      {(chart.text ?? "").split(/\n\s*\n/).map((paragraph, i) => (
        <p key={i}>{paragraph}</p>
      ))}
    </section>
  );
}
