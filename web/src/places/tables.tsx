// The catalogue: every table, view and roll-up, with its meaning.
//
// SPDX-License-Identifier: MIT
import { count, number } from "../format";
import { Place } from "../parts/place";
import { Empty, Shown } from "../parts/states";
import { useResource } from "../resource";
import { setQuery, useAddress } from "../router";
import type { TableInfo } from "../types";

const DECLARED = `dts.table { name = "rates", key = { "currency", "date" },
  columns = { "currency text", "date date", "rate real -- units for one euro" } }`;

function Catalogue({ list }: { list: TableInfo[] }) {
  return (
    <div class="table-frame" role="region" aria-label="Tables" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>Table</th>
            <th>Kind</th>
            <th class="right">Rows</th>
            <th>Columns</th>
          </tr>
        </thead>
        <tbody>
          {list.map((t) => (
            <tr key={t.name}>
              <th scope="row">
                <a href={`/tables/${encodeURIComponent(t.name)}`}>{t.name}</a>
                {t.doc && <span class="sub">{t.doc}</span>}
              </th>
              <td>{t.kind}</td>
              <td class="right">{t.rows === null ? "–" : number(t.rows)}</td>
              <td class="wrap">{t.columns.map((c) => c.name).join(", ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function TablesPlace() {
  const { query } = useAddress();
  const tables = useResource<TableInfo[]>("/api/v1/tables", (event) => event.kind !== "run");
  const search = (query.get("search") ?? "").toLowerCase();
  const matches = (t: TableInfo) =>
    [t.name, t.doc ?? "", ...t.columns.map((c) => c.name)].some((s) =>
      s.toLowerCase().includes(search),
    );
  return (
    <Place
      title="Tables"
      summary={
        tables.data && `${count(tables.data.length, "table")}, views and roll-ups among them.`
      }
    >
      <Shown of={tables} rows={8}>
        {(list) =>
          list.length ? (
            <>
              <div class="filters">
                <label class="field">
                  Search
                  <input
                    type="search"
                    value={search}
                    placeholder="a table or a column"
                    onInput={(e) => setQuery({ search: e.currentTarget.value || null })}
                  />
                </label>
              </div>
              <Catalogue list={list.filter(matches)} />
            </>
          ) : (
            <Empty title="No tables yet" type={DECLARED}>
              A script declares one:
            </Empty>
          )
        }
      </Shown>
    </Place>
  );
}
