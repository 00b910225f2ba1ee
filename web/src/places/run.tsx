// One run: its state and figures, why it failed, where the time went, and the log while it is
// written.
//
// SPDX-License-Identifier: MIT
import { duration, number } from "../format";
import { AttemptList } from "../parts/attempts";
import { ErrorView } from "../parts/error-view";
import { Log } from "../parts/log";
import { Mark, toneOf } from "../parts/mark";
import { Place, Section } from "../parts/place";
import { RunNow } from "../parts/run-now";
import { Shown } from "../parts/states";
import { Time, useTick } from "../parts/time";
import { Waterfall } from "../parts/waterfall";
import { useResource } from "../resource";
import type { Attempt, Run } from "../types";

function Took({ run }: { run: Run }) {
  const now = useTick();
  if (!run.started) return <>not started</>;
  return <>{duration((run.ended ? Date.parse(run.ended) : now) - Date.parse(run.started))}</>;
}

// The job that this run was an attempt at: its other runs, and when it is tried again.
function JobFact({ run }: { run: Run }) {
  return (
    <div>
      <dt>Job</dt>
      <dd>
        <a href={`/runs?job=${run.job}`}>{run.job}</a>
        {run.job_state && run.job_state !== run.state && (
          <>
            {" "}
            <Mark state={run.job_state} />
          </>
        )}
        {run.next_try && (
          <span class="sub">
            next try <Time at={run.next_try} seconds />
          </span>
        )}
      </dd>
    </div>
  );
}

function Facts({ run }: { run: Run }) {
  return (
    <dl class="facts">
      <div>
        <dt>State</dt>
        <dd>
          <Mark state={run.state} />
        </dd>
      </div>
      <div>
        <dt>Pipeline</dt>
        <dd>
          <a href={`/runs?pipeline=${encodeURIComponent(run.pipeline)}`}>{run.pipeline}</a>
        </dd>
      </div>
      {run.job != null && <JobFact run={run} />}
      <div>
        <dt>Trigger</dt>
        <dd>{run.trigger}</dd>
      </div>
      <div>
        <dt>Started</dt>
        <dd>
          <Time at={run.started} seconds />
        </dd>
      </div>
      <div>
        <dt>Duration</dt>
        <dd>
          <Took run={run} />
        </dd>
      </div>
      <div>
        <dt>Rows written</dt>
        <dd>{run.rows === null ? "–" : number(run.rows)}</dd>
      </div>
      {run.rejected ? (
        <div>
          <dt>Rows set aside</dt>
          <dd>{number(run.rejected)}</dd>
        </div>
      ) : null}
      <div>
        <dt>Version</dt>
        <dd>
          <code>{run.version?.slice(0, 12) ?? "–"}</code>
        </dd>
      </div>
    </dl>
  );
}

const tried = (a: Attempt) => ({
  at: a.ended ?? a.started ?? null,
  run: a.id ?? null,
  outcome: a.outcome ?? "open",
  http: a.http,
  rows: a.rows,
  error: a.error ?? null,
});

export function RunPlace({ id }: { id: string }) {
  const path = `/api/v1/runs/${encodeURIComponent(id)}`;
  const run = useResource<Run>(path, (event) => event.kind === "run" && String(event.id) === id);
  const data = run.data;
  const running = data !== undefined && ["running", "waiting"].includes(toneOf(data.state));
  return (
    <Place
      title={data ? `${data.pipeline}, run ${id}` : `Run ${id}`}
      actions={data && !running ? <RunNow pipeline={data.pipeline} /> : null}
    >
      <Shown of={run} rows={6}>
        {(shown) => (
          <>
            <Facts run={shown} />
            {shown.error && <ErrorView error={shown.error} />}
            {shown.steps.length + shown.requests.length > 0 && (
              <Section title="Where the time went">
                <Waterfall run={shown} />
              </Section>
            )}
            {shown.attempts.length > 1 && (
              <Section title="Attempts">
                <AttemptList list={shown.attempts.map(tried)} here={id} />
              </Section>
            )}
            <Section title="Log">
              <Log path={`${path}/log`} live={running} />
            </Section>
          </>
        )}
      </Shown>
    </Place>
  );
}
