// The filters of a page. Their values stand in the address; the engine gives the choices.
//
// SPDX-License-Identifier: MIT
import { useState } from "preact/hooks";
import { words } from "../format";
import { setQuery, useAddress } from "../router";
import type { Filter } from "../types";

const FEW = 5; // choices that still fit side by side
const SEARCHED = 8; // choices past which a field to search them helps
const DAY = 86_400_000;

export const isMulti = (filter: Filter) => filter.multi ?? filter.default === null;

function Segments({ filter, value }: { filter: Filter; value: string }) {
  return (
    <fieldset class="segments">
      <legend>{words(filter.name)}</legend>
      <div>
        {filter.choices!.map((choice) => (
          <label key={String(choice)}>
            <input
              type="radio"
              name={filter.name}
              checked={String(choice) === value}
              onChange={() => setQuery({ [filter.name]: String(choice) })}
            />
            <span>{String(choice)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function One({ filter, value }: { filter: Filter; value: string }) {
  return (
    <label class="field">
      {words(filter.name)}
      <select
        value={value}
        onChange={(e) => setQuery({ [filter.name]: e.currentTarget.value || null })}
      >
        {filter.default === null && <option value="">All</option>}
        {(filter.choices ?? []).map((c) => (
          <option key={String(c)} value={String(c)}>
            {String(c)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Many({ filter, values }: { filter: Filter; values: string[] }) {
  const [search, setSearch] = useState("");
  const all = (filter.choices ?? []).map(String);
  const found = all.filter((c) => c.toLowerCase().includes(search.toLowerCase())).slice(0, 200);
  const toggle = (choice: string) =>
    setQuery({
      [filter.name]: values.includes(choice)
        ? values.filter((v) => v !== choice)
        : [...values, choice],
    });
  const label =
    values.length === 0
      ? "All"
      : values.length === 1
        ? values[0]
        : `${values.length} of ${all.length}`;
  const close = (event: FocusEvent & { currentTarget: HTMLDetailsElement }) => {
    if (!event.currentTarget.contains(event.relatedTarget as Node))
      event.currentTarget.open = false;
  };
  const onKeyDown = (event: KeyboardEvent & { currentTarget: HTMLDetailsElement }) => {
    if (event.key !== "Escape") return;
    event.currentTarget.open = false;
    event.currentTarget.querySelector("summary")!.focus();
  };
  return (
    <div class="field">
      <span>{words(filter.name)}</span>
      <details class="many" onFocusOut={close} onKeyDown={onKeyDown}>
        <summary aria-label={`${words(filter.name)}: ${label}`}>{label}</summary>
        <div class="many-list" tabIndex={-1}>
          {all.length > SEARCHED && (
            <input
              type="search"
              placeholder="Search"
              aria-label={`Search ${filter.name}`}
              value={search}
              onInput={(e) => setSearch(e.currentTarget.value)}
            />
          )}
          <ul>
            {found.map((choice) => (
              <li key={choice}>
                <label>
                  <input
                    type="checkbox"
                    checked={values.includes(choice)}
                    onChange={() => toggle(choice)}
                  />
                  {choice}
                </label>
              </li>
            ))}
          </ul>
          {values.length > 0 && (
            <button type="button" class="link" onClick={() => setQuery({ [filter.name]: null })}>
              All
            </button>
          )}
        </div>
      </details>
    </div>
  );
}

const RANGES: [string, number][] = [
  ["30 d", 30],
  ["90 d", 90],
  ["1 y", 365],
  ["All", 0],
];

function Range({ filter }: { filter: Filter }) {
  const { query } = useAddress();
  const names = { from: `${filter.name}.from`, to: `${filter.name}.to` };
  const from = query.get(names.from) ?? "";
  const back = (days: number) =>
    days ? new Date(Date.now() - days * DAY).toISOString().slice(0, 10) : null;
  return (
    <fieldset class="range">
      <legend>{words(filter.name)}</legend>
      {(["from", "to"] as const).map((side) => (
        <input
          key={side}
          type="date"
          aria-label={`${words(filter.name)} ${side}`}
          value={query.get(names[side]) ?? ""}
          onChange={(e) => setQuery({ [names[side]]: e.currentTarget.value || null })}
        />
      ))}
      <div class="presets">
        {RANGES.map(([word, days]) => (
          <button
            key={word}
            type="button"
            class="quiet"
            aria-pressed={(back(days) ?? "") === from && !query.get(names.to)}
            onClick={() => setQuery({ [names.from]: back(days), [names.to]: null })}
          >
            {word}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

function Switch({ filter, value }: { filter: Filter; value: string }) {
  const on = value === "true";
  return (
    <label class="switch">
      <input
        type="checkbox"
        role="switch"
        checked={on}
        aria-checked={on}
        onChange={() => setQuery({ [filter.name]: on ? null : "true" })}
      />
      <i aria-hidden="true" />
      {words(filter.name)}
    </label>
  );
}

function Control({ filter }: { filter: Filter }) {
  const { query } = useAddress();
  const values = query.getAll(filter.name);
  const value = values[0] ?? (filter.default === null ? "" : String(filter.default));
  if (filter.type === "date") return <Range filter={filter} />;
  if (filter.type === "boolean") return <Switch filter={filter} value={value} />;
  if (isMulti(filter)) return <Many filter={filter} values={values} />;
  const short = (filter.choices ?? []).length <= FEW && (filter.choices ?? []).join("").length < 40;
  return short && filter.default !== null ? (
    <Segments filter={filter} value={value} />
  ) : (
    <One filter={filter} value={value} />
  );
}

// What a chart is asked with: of the address, the filters that apply to it.
export function queryFor(filters: Filter[], names: string[] | undefined, query: URLSearchParams) {
  const found: Record<string, string[]> = {};
  for (const filter of filters) {
    if (names && !names.includes(filter.name)) continue;
    const keys =
      filter.type === "date" ? [`${filter.name}.from`, `${filter.name}.to`] : [filter.name];
    for (const key of keys) {
      const values = query.getAll(key);
      if (values.length) found[key] = values;
    }
  }
  return found;
}

// The filters that are set and do not apply to a chart.
export function beyond(filters: Filter[], names: string[] | undefined, query: URLSearchParams) {
  const set = filters.filter((f) => Object.keys(queryFor([f], undefined, query)).length > 0);
  return set.map((f) => f.name).filter((name) => names && !names.includes(name));
}

export function Filters({ filters }: { filters: Filter[] }) {
  if (!filters.length) return null;
  return (
    <div class="filters" role="group" aria-label="Filters">
      {filters.map((filter) => (
        <Control key={filter.name} filter={filter} />
      ))}
    </div>
  );
}
