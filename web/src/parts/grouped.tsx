// Groups of a table's rows with a chart, chosen without code.
//
// SPDX-License-Identifier: MIT
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type ApiError, asApiError, post } from "../api";
import type { Drawing } from "../charts/draw";
import { Palette } from "../charts/theme";
import { SqlBehind } from "../places/table";
import { setQuery, useAddress } from "../router";
import { type Grouping, MEASURES, selectGroups } from "../sql";
import type { Chart, ChartTable, SqlTable, TableInfo } from "../types";
import { isNumeric } from "./cell";
import { Drawn } from "./chart";
import { DataTable } from "./data-table";
import { Empty, Failed, Loading } from "./states";

function Select(props: {
  name: string;
  label: string;
  value: string;
  choices: string[];
  none?: string;
}) {
  return (
    <label class="field">
      {props.label}
      <select
        value={props.value}
        onChange={(e) => setQuery({ [props.name]: e.currentTarget.value || null })}
      >
        {props.none && <option value="">{props.none}</option>}
        {props.choices.map((c) => (
          <option key={c}>{c}</option>
        ))}
      </select>
    </label>
  );
}

export function useSql(sql: string | null): { table?: SqlTable; error?: ApiError } {
  const [state, set] = useState<{ sql?: string; table?: SqlTable; error?: ApiError }>({});
  useEffect(() => {
    if (!sql) return;
    let gone = false;
    post<SqlTable>("/api/v1/sql?bigint=string", { sql, params: {} }).then(
      (table) => gone || set({ sql, table }),
      (fault) => gone || set({ sql, error: asApiError(fault) }),
    );
    return () => void (gone = true);
  }, [sql]);
  return state.sql === sql ? state : {};
}

export function Grouped({ of }: { of: TableInfo }) {
  const { query } = useAddress();
  const names = of.columns.map((c) => c.name);
  const numeric = of.columns.filter(isNumeric).map((c) => c.name);
  const day = of.columns.find((c) => c.type === "date" || c.type === "timestamp")?.name;
  const choice: Grouping = {
    by: query.get("by") ?? day ?? names[0],
    then: query.get("then") ?? "",
    measure: query.get("measure") ?? (numeric.length ? "avg" : "count"),
    of: query.get("of") ?? numeric[0] ?? "",
  };
  const type = of.columns.find((c) => c.name === choice.by)?.type;
  const overTime = type === "date" || type === "timestamp";
  const sql = selectGroups(of.name, choice);
  const { table, error } = useSql(sql);
  return (
    <>
      <div class="filters">
        <Select name="by" label="Group by" value={choice.by} choices={names} />
        <Select
          name="then"
          label="and by"
          value={choice.then}
          choices={names.filter((n) => n !== choice.by)}
          none="nothing else"
        />
        <Select name="measure" label="Measure" value={choice.measure} choices={MEASURES} />
        {choice.measure !== "count" && (
          <Select name="of" label="of" value={choice.of} choices={numeric} />
        )}
      </div>
      {error ? (
        <Failed error={error} />
      ) : !table ? (
        <Loading height={320} />
      ) : !table.rows.length ? (
        <Empty title="This table is empty" />
      ) : (
        <Result table={table} choice={choice} kind={overTime ? "line" : "bar"} />
      )}
      <SqlBehind sql={sql} />
    </>
  );
}

function Result(props: { table: SqlTable; choice: Grouping; kind: "line" | "bar" }) {
  const palette = useMemo(() => new Palette(), [props.table]);
  const drawing = useRef<Drawing | null>(null);
  const { by, then, measure, of } = props.choice;
  const title = measure === "count" ? "count" : `${measure} of ${of}`;
  const chart: Chart = useMemo(
    () => ({ kind: props.kind, title, x: by, y: "value", by: then || undefined }),
    [props.table, props.kind],
  );
  const table: ChartTable = useMemo(
    () => ({ ...props.table, fresh: null, source: [] }),
    [props.table],
  );
  return (
    <>
      <Drawn
        chart={chart}
        table={table}
        palette={palette}
        place={0}
        drawing={drawing}
        height={320}
      />
      <DataTable table={props.table} label={title} heads={{ value: title }} plain max={360} />
    </>
  );
}
