// Ingested events: the rate, what was refused and why, the last ones.
//
// SPDX-License-Identifier: MIT
import { useMemo, useRef } from "preact/hooks";
import { address } from "../api";
import type { Drawing } from "../charts/draw";
import { Palette } from "../charts/theme";
import { number } from "../format";
import { Drawn } from "../parts/chart";
import { DataTable } from "../parts/data-table";
import { PipelinePlace } from "../parts/pipeline-place";
import { Section } from "../parts/place";
import { Empty, Shown } from "../parts/states";
import { useResource } from "../resource";
import type { Chart, ChartTable, Events } from "../types";

const CHART: Chart = {
  kind: "area",
  title: "Events a minute",
  x: "minute",
  y: "events",
  unit: "events",
};

function Rate({ rate }: { rate: Events["rate"] }) {
  const palette = useMemo(() => new Palette(), []);
  const drawing = useRef<Drawing | null>(null);
  const table = useMemo<ChartTable>(
    () => ({
      columns: [
        { name: "minute", type: "timestamp" },
        { name: "events", type: "integer" },
      ],
      rows: rate,
      fresh: null,
      source: [],
    }),
    [rate],
  );
  if (!rate.length) return <p class="none">No events in the last hours.</p>;
  return (
    <Drawn chart={CHART} table={table} palette={palette} place={0} drawing={drawing} height={200} />
  );
}

function OnePipeline({ pipeline }: { pipeline: string }) {
  const events = useResource<Events>(
    address("/api/v1/events", { pipeline }),
    (e) => e.kind === "change",
  );
  return (
    <Shown of={events} rows={8}>
      {({ rate, refused, last }) => (
        <>
          <Section
            title="Events a minute"
            note={`${number(rate.reduce((n, [, k]) => n + k, 0))} shown`}
          >
            <Rate rate={rate} />
          </Section>
          <Section title="Refused" note={refused.rows.length ? undefined : "none"}>
            {refused.rows.length > 0 && (
              <DataTable table={refused} label="Refused events" max={320} />
            )}
          </Section>
          <Section title="Last events">
            {last.rows.length ? (
              <DataTable table={last} label="Last events" max={440} />
            ) : (
              <Empty title="Nothing has come in yet" type={`dts emit ${pipeline} event.json`}>
                Send one:
              </Empty>
            )}
          </Section>
        </>
      )}
    </Shown>
  );
}

const INGEST = `ingest = { id = "id", schema = "schemas/event.schema.json" }`;

export function EventsPlace() {
  return (
    <PipelinePlace
      kind="ingest"
      title="Events"
      summary={(pipeline) =>
        pipeline && (
          <>
            Sent to <code>POST /api/v1/ingest/{pipeline}</code>
          </>
        )
      }
      none={
        <Empty title="No pipeline takes events yet" type={INGEST}>
          A pipeline takes them when it declares:
        </Empty>
      }
    >
      {(pipeline) => <OnePipeline key={pipeline} pipeline={pipeline} />}
    </PipelinePlace>
  );
}
