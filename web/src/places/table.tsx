// One table: its columns and their meaning, its rows with filter and sort, or groups of them with
// a chart; and the SQL behind what is shown.
//
// SPDX-License-Identifier: MIT
import { useState } from "preact/hooks";
import { address } from "../api";
import { number } from "../format";
import { Grouped } from "../parts/grouped";
import { DataTable } from "../parts/data-table";
import { Wanted } from "../parts/pick";
import { Place, Section } from "../parts/place";
import { Empty, Shown } from "../parts/states";
import { useResource } from "../resource";
import { setQuery, useAddress } from "../router";
import { quoted, selectRows } from "../sql";
import type { TableInfo, TablePage } from "../types";

const LIMIT = 100;

function Columns({ of }: { of: TableInfo }) {
  return (
    <details class="columns">
      <summary>{of.columns.length} columns and their meaning</summary>
      <dl>
        {of.columns.map((c) => (
          <div key={c.name}>
            <dt>
              <code>{c.name}</code>{" "}
              <span class="none">
                {c.type}
                {c.key && ", key"}
              </span>
            </dt>
            <dd>{c.doc}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function AddFilter({ of }: { of: TableInfo }) {
  const [column, setColumn] = useState(of.columns[0]?.name ?? "");
  const [value, setValue] = useState("");
  const add = (event: Event) => {
    event.preventDefault();
    setQuery({ [`where.${column}`]: value, offset: null });
    setValue("");
  };
  return (
    <form class="add-filter" onSubmit={add}>
      <label class="field">
        Where
        <select value={column} onChange={(e) => setColumn(e.currentTarget.value)}>
          {of.columns.map((c) => (
            <option key={c.name}>{c.name}</option>
          ))}
        </select>
      </label>
      <label class="field">
        is
        <input
          type="text"
          required
          value={value}
          onInput={(e) => setValue(e.currentTarget.value)}
        />
      </label>
      <button type="submit" class="quiet">
        Filter
      </button>
    </form>
  );
}

function Pager({ offset, total }: { offset: number; total: number }) {
  const last = Math.min(total, offset + LIMIT);
  return (
    <p class="pager">
      <button
        type="button"
        class="quiet"
        disabled={offset === 0}
        onClick={() => setQuery({ offset: String(Math.max(0, offset - LIMIT)) })}
      >
        Back
      </button>
      <span>
        {number(total ? offset + 1 : 0)}–{number(last)} of {number(total)}
      </span>
      <button
        type="button"
        class="quiet"
        disabled={last >= total}
        onClick={() => setQuery({ offset: String(offset + LIMIT) })}
      >
        Next
      </button>
    </p>
  );
}

function Rows({ of }: { of: TableInfo }) {
  const { query } = useAddress();
  const wheres = [...query].filter(([name]) => name.startsWith("where."));
  const order = query.get("order") ?? "";
  const offset = Number(query.get("offset")) || 0;
  const asked = { ...Object.fromEntries(wheres), order };
  const path = `/api/v1/tables/${encodeURIComponent(of.name)}`;
  const rows = useResource<TablePage>(
    address(path, { ...asked, limit: LIMIT, offset, bigint: "string" }),
    (event) => event.kind === "change" && event.tables.includes(of.name),
  );
  const sql = selectRows(
    of.name,
    wheres.map(([n, v]) => [n.slice(6), v]),
    order,
    LIMIT,
  );
  return (
    <>
      <div class="filters">
        <AddFilter of={of} />
        {wheres.map(([name, value]) => (
          <Wanted key={name} name={name} label={name.slice(6)} value={value} />
        ))}
        <a
          class="button quiet"
          href={address(path, { ...asked, format: "csv" })}
          download={`${of.name}.csv`}
        >
          Download CSV
        </a>
      </div>
      <Shown of={rows} rows={12}>
        {(table) =>
          table.rows.length ? (
            <>
              <DataTable
                table={table}
                label={`Rows of ${of.name}`}
                engine={of.name.startsWith("dts_")}
                plain
                sort={{ order, onOrder: (next) => setQuery({ order: next || null, offset: null }) }}
              />
              <Pager offset={offset} total={table.total} />
            </>
          ) : wheres.length ? (
            <Empty title="No row matches" />
          ) : (
            <Empty title="This table is empty" type={`ctx:put(${JSON.stringify(of.name)}, rows)`}>
              A pipeline fills it with:
            </Empty>
          )
        }
      </Shown>
      <SqlBehind sql={sql} />
    </>
  );
}

export function SqlBehind({ sql }: { sql: string }) {
  return (
    <Section title="The SQL behind it">
      <pre class="typed" tabIndex={0}>
        <code>{sql}</code>
      </pre>
      <p>
        <a href={address("/sql", { q: sql })}>Open in SQL</a>
      </p>
    </Section>
  );
}

export function TablePlace({ name }: { name: string }) {
  const { query } = useAddress();
  const tables = useResource<TableInfo[]>("/api/v1/tables");
  const of = tables.data?.find((t) => t.name === name);
  const grouped = query.get("view") === "group";
  return (
    <Place title={name} summary={of?.doc ?? undefined}>
      <Shown of={tables} rows={10}>
        {() =>
          !of ? (
            <Empty title={`There is no table ${quoted(name)}`}>
              <a href="/tables">All tables</a>
            </Empty>
          ) : (
            <>
              <Columns of={of} />
              <div class="tabs" role="group" aria-label="View">
                <button
                  type="button"
                  aria-pressed={!grouped}
                  onClick={() => setQuery({ view: null })}
                >
                  Rows
                </button>
                <button
                  type="button"
                  aria-pressed={grouped}
                  onClick={() => setQuery({ view: "group" })}
                >
                  Group and chart
                </button>
              </div>
              {grouped ? <Grouped of={of} /> : <Rows of={of} />}
            </>
          )
        }
      </Shown>
    </Place>
  );
}
