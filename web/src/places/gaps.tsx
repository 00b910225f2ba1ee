// Dates of series: a year at a glance for each key, and what was tried for a date.
//
// SPDX-License-Identifier: MIT
import { useEffect, useState } from "preact/hooks";
import { address, asApiError, post } from "../api";
import { count, date, number } from "../format";
import { Mark } from "../parts/mark";
import { PipelinePlace } from "../parts/pipeline-place";
import { Empty, Loading, Shown } from "../parts/states";
import { Time } from "../parts/time";
import { LETTERS, openByYear, YearOf, yearsOf } from "../parts/year";
import { useResource } from "../resource";
import { setQuery, useAddress } from "../router";
import { objects } from "../table";
import type { Gaps, SqlTable } from "../types";

const GAPS_SCRIPT = `gaps = { table = "quotes", calendar = "weekdays", since = "2024-01-02",
         keys = { "USD", "EUR" } }`;
const ASKED = `select date, state, attempts, retry_count, error, at from dts_gaps
where pipeline = :pipeline and key = :key and date = :date`;
type Tried = {
  state: string;
  attempts: number;
  retry_count: number;
  error: string | null;
  at: string | null;
};

function Key() {
  return (
    <ul class="state-key" aria-label="Key to the squares">
      {Object.entries(LETTERS).map(([letter, word]) => (
        <li key={letter}>
          <svg viewBox="0 0 13 13" width="13" height="13" aria-hidden="true">
            <path class={`day-${letter === "-" ? "none" : letter}`} d="M1 1h11v11h-11z" />
            {letter === "q" && <path class="day-sign" d="M4 4l5 5m0-5-5 5" />}
            {letter === "r" && <path class="day-sign" d="M6.5 3.5v3.2l2.2 1.6" />}
          </svg>
          {word}
        </li>
      ))}
    </ul>
  );
}

function Day(props: { pipeline: string; of: string; day: string; close: () => void }) {
  const [tried, setTried] = useState<Tried | null | undefined>();
  const [fault, setFault] = useState("");
  useEffect(() => {
    const params = { pipeline: props.pipeline, key: props.of, date: props.day };
    setTried(undefined);
    post<SqlTable>("/api/v1/sql", { sql: ASKED, params }).then(
      (table) => setTried(objects<Tried>(table)[0] ?? null),
      (error) => setFault(asApiError(error).message),
    );
  }, [props.pipeline, props.of, props.day]);
  return (
    <aside class="detail" aria-label={`${props.of}, ${props.day}`}>
      <p class="detail-head">
        <b>{props.of}</b> {date(props.day)}
        <button type="button" class="link" onClick={props.close}>
          Close
        </button>
      </p>
      {fault && <p class="field-fault">{fault}</p>}
      {tried === undefined && !fault && <Loading rows={2} />}
      {tried === null && (
        <p>No attempt is on record: the date was there from the start, or was never tried.</p>
      )}
      {tried && (
        <dl class="facts">
          <div>
            <dt>State</dt>
            <dd>
              <Mark state={tried.state} />
            </dd>
          </div>
          <div>
            <dt>Attempts</dt>
            <dd>
              {tried.attempts}, {count(tried.retry_count, "failed retry", "failed retries")}
            </dd>
          </div>
          <div>
            <dt>Last</dt>
            <dd>
              <Time at={tried.at} />
            </dd>
          </div>
          {tried.error && (
            <div class="long">
              <dt>Error</dt>
              <dd>{tried.error}</dd>
            </div>
          )}
        </dl>
      )}
    </aside>
  );
}

function Years({ pipeline, gaps }: { pipeline: string; gaps: Gaps }) {
  const { query } = useAddress();
  const years = yearsOf(gaps.keys);
  const open = openByYear(gaps.keys);
  const year = Number(query.get("year")) || years[0];
  const [key, day] = [query.get("key"), query.get("date")];
  return (
    <>
      <div class="filters">
        <fieldset class="segments">
          <legend>Year</legend>
          <div>
            {years.slice(0, 12).map((y) => (
              <label key={y}>
                <input
                  type="radio"
                  name="year"
                  checked={y === year}
                  onChange={() => setQuery({ year: String(y) })}
                />
                <span>
                  {y}
                  {open.get(y) ? <small> {number(open.get(y)!)} open</small> : null}
                </span>
              </label>
            ))}
          </div>
        </fieldset>
        <Key />
      </div>
      {key && day && (
        <Day
          pipeline={pipeline}
          of={key}
          day={day}
          close={() => setQuery({ key: null, date: null })}
        />
      )}
      {gaps.keys.map((one) => (
        <YearOf
          key={one.key}
          of={one}
          year={year}
          onDay={(d) => setQuery({ key: one.key, date: d })}
        />
      ))}
    </>
  );
}

function OnePipeline({ pipeline }: { pipeline: string }) {
  const gaps = useResource<Gaps>(address("/api/v1/gaps", { pipeline }), (e) => e.kind !== "reload");
  return (
    <Shown of={gaps} rows={8}>
      {(data) =>
        data.keys.length ? (
          <Years pipeline={pipeline} gaps={data} />
        ) : (
          <Empty title="This pipeline has no keys yet" type={`dts plan ${pipeline}`}>
            See what it would fetch:
          </Empty>
        )
      }
    </Shown>
  );
}

export function GapsPlace() {
  return (
    <PipelinePlace
      kind="gaps"
      title="Gaps"
      summary={() => "Each expected date of each series: there, missing, or being tried again."}
      drop={["key", "date", "year"]}
      none={
        <Empty title="No pipeline follows a series yet" type={GAPS_SCRIPT}>
          A pipeline that declares gaps asks only for the dates that are missing:
        </Empty>
      }
    >
      {(pipeline) => <OnePipeline key={pipeline} pipeline={pipeline} />}
    </PipelinePlace>
  );
}
