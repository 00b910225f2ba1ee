// The history of runs, by pipeline and state.
//
// SPDX-License-Identifier: MIT
import { address } from "../api";
import { duration } from "../format";
import { DataTable, type Render } from "../parts/data-table";
import { Pick, PickPipeline } from "../parts/pick";
import { Place } from "../parts/place";
import { RunNow } from "../parts/run-now";
import { Empty, Shown } from "../parts/states";
import { onAnyRun, useResource } from "../resource";
import { setQuery, useAddress } from "../router";
import { hasAny, valueOf } from "../table";
import type { Table } from "../types";

const STATES = ["queued", "waiting", "leased", "done", "failed", "quarantined", "cancelled"];
const LIMIT = 200;

// Adds the column that people look for and the engine does not send: how long it took.
function withDuration(table: Table): Table {
  const took = (row: unknown[]) => {
    const [from, to] = ["started", "ended"].map((n) => Date.parse(String(valueOf(table, row, n))));
    return Number.isNaN(to - from) ? null : to - from;
  };
  return {
    columns: [...table.columns, { name: "took", type: "integer" }],
    rows: table.rows.map((row) => [...row, took(row)]),
  };
}

const RENDER: Record<string, Render> = {
  id: (id) => <a href={`/runs/${id}`}>{String(id)}</a>,
  took: (ms) => (ms === null ? <span class="none">–</span> : duration(ms as number)),
  error: (text) =>
    text ? (
      <span class="clip" title={String(text)}>
        {String(text)}
      </span>
    ) : null,
  version: (text) => <code>{String(text ?? "").slice(0, 8)}</code>,
};

export function RunsPlace() {
  const { query } = useAddress();
  const job = query.get("job");
  const asked = { pipeline: query.get("pipeline"), state: query.get("state"), job, limit: LIMIT };
  const runs = useResource<Table>(address("/api/v1/runs", asked), onAnyRun);
  return (
    <Place title="Runs" summary="Newest first." actions={<RunNow pipeline={asked.pipeline} />}>
      <div class="filters">
        <PickPipeline />
        <Pick name="state" label="State" all="All states" choices={STATES} />
        {job && (
          <button type="button" class="chip" onClick={() => setQuery({ job: null })}>
            Job {job}: show all
          </button>
        )}
        <a
          class="button quiet"
          href={address("/api/v1/runs", { ...asked, format: "csv" })}
          download="runs.csv"
        >
          Download CSV
        </a>
      </div>
      <Shown of={runs} rows={12}>
        {(table) =>
          table.rows.length ? (
            <DataTable
              table={withDuration(table)}
              label="Runs"
                engine
              columns={[
                "id",
                "pipeline",
                "state",
                "started",
                "took",
                "rows",
                ...(hasAny(table, "rejected") ? ["rejected"] : []),
                "trigger",
                "version",
                "error",
              ]}
              heads={{ id: "Run", rejected: "Set aside" }}
              render={RENDER}
            />
          ) : (
            <Empty
              title="No runs match"
              type={asked.pipeline ? `dts run ${asked.pipeline}` : "dts run NAME"}
            >
              Nothing has run under this choice yet. Start one here, or type:
            </Empty>
          )
        }
      </Shown>
    </Place>
  );
}
