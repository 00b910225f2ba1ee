// Is everything well? Four numbers, then a row for each pipeline; what needs a person stands first.
//
// SPDX-License-Identifier: MIT
import { count, duration, number, zoneName } from "../format";
import { Mark, Shape } from "../parts/mark";
import { Place } from "../parts/place";
import { Empty, Shown } from "../parts/states";
import { Strip } from "../parts/strip";
import { Time, useTick } from "../parts/time";
import { onAnyRun, useResource } from "../resource";
import { useSite } from "../site";
import type { Fault, Overview, Pipeline, Stale } from "../types";

const FIRST_SCRIPT = `dts new my-project
cd my-project && dts serve`;

function Figure(props: { label: string; value: string; tone?: string; to: string; note?: string }) {
  return (
    <a class="figure" href={props.to}>
      <span class="figure-label">{props.label}</span>
      <span class="figure-value">
        {props.value}
        {props.tone && (
          <span class={`tone-${props.tone}`}>
            <Shape state={props.tone} />
          </span>
        )}
      </span>
      <span class="figure-note">{props.note ?? "\u00a0"}</span>
    </a>
  );
}

function Figures({ of }: { of: Overview }) {
  const share = of.runs_today ? of.failed_today / of.runs_today : 0;
  return (
    <div class="figures">
      <Figure
        label="Runs today"
        value={number(of.runs_today)}
        to="/runs"
        note={count(of.pipelines.length, "pipeline")}
      />
      <Figure
        label="Failed today"
        value={number(of.failed_today)}
        to="/runs?state=failed"
        tone={of.failed_today ? "failed" : "done"}
        note={of.failed_today ? `${(share * 100).toFixed(1)} % of runs` : "all well"}
      />
      <Figure
        label="Open gaps"
        value={number(of.open_gaps)}
        to="/gaps"
        tone={of.open_gaps ? "missing" : "done"}
        note={of.open_gaps ? "dates still missing" : "every date is there"}
      />
      <Figure
        label="Oldest waiting job"
        to="/runs?state=queued"
        value={of.oldest_waiting_ms === null ? "none" : duration(of.oldest_waiting_ms)}
        note={of.oldest_waiting_ms === null ? "the queue is empty" : "in the queue"}
      />
    </div>
  );
}

function FaultNote({ fault }: { fault: Fault }) {
  return (
    <div class="fault tone-failed" role="alert">
      <Shape state="failed" />
      <div>
        <p class="fault-where">
          {fault.file}:{fault.line} failed to load
          {fault.since && (
            <>
              {" "}
              · <Time at={fault.since} ago />
            </>
          )}
        </p>
        <p class="fault-text">{fault.message}</p>
        {fault.hint && <p class="fault-hint">{fault.hint}</p>}
        <p class="fault-hint">
          {fault.in_service === null
            ? "It was never loaded."
            : "The last good version stays in service."}
        </p>
      </div>
    </div>
  );
}

function StaleNote({ stale }: { stale: Stale }) {
  return (
    <div class="fault tone-failed" role="alert">
      <Shape state="failed" />
      <div>
        <p class="fault-where">
          {stale.noun === "rollup" ? "Roll-up" : "View"} {stale.name} could not be brought up to date
        </p>
        <p class="fault-text">{stale.error}</p>
        <p class="fault-hint">It keeps its old rows.</p>
      </div>
    </div>
  );
}

function Due({ word, at }: { word: string; at: string }) {
  const wait = Date.parse(at) - useTick();
  const minutes = Math.max(60_000, Math.floor(wait / 60_000) * 60_000);
  return (
    <>
      {" · "}
      {wait < 0 ? `${word} due now` : `${word} in ${duration(minutes)}`}
    </>
  );
}

function Trigger({ of }: { of: Pipeline }) {
  return (
    <>
      {of.trigger}
      {of.next && <Due word="next" at={of.next} />}
      {of.recheck && <Due word="recheck" at={of.recheck} />}
    </>
  );
}

function Amount(props: { value: number; label: string; to?: string; state?: string }) {
  const body = props.value ? number(props.value) : <span class="none">0</span>;
  const marked = props.value > 0 && props.state;
  return (
    <td class="right" data-label={props.label}>
      {marked ? (
        <a class={`amount tone-${props.state}`} href={props.to}>
          <Shape state={props.state!} />
          {body}
        </a>
      ) : (
        body
      )}
    </td>
  );
}

function Row({ of }: { of: Pipeline }) {
  const query = `?pipeline=${encodeURIComponent(of.name)}`;
  const last = of.runs.at(-1);
  return (
    <tr>
      <th scope="row">
        <a href={`/runs${query}`}>{of.name}</a>
        <span class="sub">
          <Trigger of={of} />
        </span>
        {of.fault && (
          <span class="sub tone-failed">
            <Shape state="failed" /> {of.fault.file}:{of.fault.line} {of.fault.message}
          </span>
        )}
      </th>
      <td data-label="Last run">
        {last ? <Mark state={last.state} /> : <span class="none">no runs yet</span>}
      </td>
      <td class="strip-cell" data-label="Last 30 runs">
        <Strip runs={of.runs} />
      </td>
      <Amount value={of.rows_today} label="Rows today" />
      <Amount value={of.gaps} label="Gaps" to={`/gaps${query}`} state="missing" />
      <Amount
        value={of.quarantined}
        label="Quarantined"
        to={`/quarantine${query}`}
        state="quarantined"
      />
    </tr>
  );
}

// Pipelines that need a person come first: a fault, then a failed last run, then the rest by name.
function byNeed(a: Pipeline, b: Pipeline): number {
  const need = (p: Pipeline) => (p.fault ? 0 : p.runs.at(-1)?.state === "failed" ? 1 : 2);
  return need(a) - need(b) || a.name.localeCompare(b.name);
}

function Pipelines({ list }: { list: Pipeline[] }) {
  return (
    <div class="table-frame" role="region" aria-label="Pipelines" tabIndex={0}>
      <table class="pipelines">
        <thead>
          <tr>
            <th>Pipeline</th>
            <th>Last run</th>
            <th>Last 30 runs</th>
            <th class="right">Rows today</th>
            <th class="right">Gaps</th>
            <th class="right">Quarantined</th>
          </tr>
        </thead>
        <tbody>
          {[...list].sort(byNeed).map((p) => (
            <Row key={p.name} of={p} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function OverviewPlace() {
  const site = useSite();
  const overview = useResource<Overview>("/api/v1/overview", onAnyRun);
  return (
    <Place title="Overview" summary={`Times are those of ${zoneName(site.timezone)}.`}>
      {site.faults.map((fault) => (
        <FaultNote key={fault.file} fault={fault} />
      ))}
      <Shown of={overview} rows={8}>
        {(data) => (
          <>
            {(data.stale ?? []).map((one) => (
              <StaleNote key={`${one.noun} ${one.name}`} stale={one} />
            ))}
            <Figures of={data} />
            {data.pipelines.length ? (
              <Pipelines list={data.pipelines} />
            ) : (
              <Empty title="No pipelines yet" type={FIRST_SCRIPT}>
                A project is a folder whose pipelines/*.lua declare what to run. This makes one that
                works:
              </Empty>
            )}
          </>
        )}
      </Shown>
    </Place>
  );
}
