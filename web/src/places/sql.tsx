// One SELECT over everything, read-only. The text stands in the address once it has run.
//
// SPDX-License-Identifier: MIT
import { useRef, useState } from "preact/hooks";
import { type ApiError, asApiError, post } from "../api";
import { count, duration } from "../format";
import { DataTable } from "../parts/data-table";
import { Place } from "../parts/place";
import { Empty, Failed, Loading } from "../parts/states";
import { setQuery, useAddress } from "../router";
import { saveCsv } from "../table";
import type { SqlTable } from "../types";

const FIRST =
  "select pipeline, state, count(*) as runs\nfrom dts_runs\ngroup by pipeline, state\norder by pipeline";
type Answer = { table?: SqlTable; error?: ApiError; ms: number };

function Result({ of }: { of: Answer }) {
  if (of.error) return <Failed error={of.error} />;
  const table = of.table!;
  return (
    <>
      <p class="result-note" role="status">
        {count(table.rows.length, "row")} in {duration(of.ms)}
        {table.truncated && "; only the first were fetched"}
        {table.rows.length > 0 && (
          <button type="button" class="link" onClick={() => saveCsv("query", table)}>
            Download CSV
          </button>
        )}
      </p>
      {table.rows.length ? (
        <DataTable table={table} label="Result" plain />
      ) : (
        <Empty title="The query returned no rows" />
      )}
    </>
  );
}

export function SqlPlace() {
  const { query } = useAddress();
  const [text, setText] = useState(query.get("q") ?? FIRST);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [busy, setBusy] = useState(false);
  const turn = useRef(0);
  const run = async (event?: Event) => {
    event?.preventDefault();
    const mine = ++turn.current;
    const start = performance.now();
    const settle = (part: Partial<Answer>) => {
      if (mine !== turn.current) return;
      setAnswer({ ms: performance.now() - start, ...part });
      setBusy(false);
    };
    setBusy(true);
    setQuery({ q: text });
    try {
      settle({
        table: await post<SqlTable>("/api/v1/sql?bigint=string", { sql: text, params: {} }),
      });
    } catch (fault) {
      settle({ error: asApiError(fault) });
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void run(event);
  };
  return (
    <Place
      title="SQL"
      summary={
        <>
          One SELECT, read-only, ten seconds, ten thousand rows.{" "}
          <a href="/tables">Tables and columns</a>
        </>
      }
    >
      <form class="sql" onSubmit={run}>
        <label class="field">
          Query
          <textarea
            rows={8}
            spellcheck={false}
            value={text}
            onInput={(e) => setText(e.currentTarget.value)}
            onKeyDown={onKeyDown}
          />
        </label>
        <p class="form-foot">
          <button type="submit" class="primary" disabled={busy || !text.trim()}>
            Run
          </button>
          <span class="none">Ctrl + Enter</span>
        </p>
      </form>
      {busy && !answer ? (
        <Loading rows={6} />
      ) : (
        answer && (
          <div class={busy ? "pending" : ""}>
            <Result of={answer} />
          </div>
        )
      )}
    </Place>
  );
}
