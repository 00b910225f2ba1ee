// The system markets: six files of three formats become one star whose parts fit together, and a page with filters.
// SPDX-License-Identifier: MIT
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { start } from "../servers/start.mjs";
import { project, skip, until } from "./project.mjs";

const data = (name) => readFileSync(join(process.env.TEST_DATA, "multi", name), "utf8");
let sources;
let p;
let engine;
before(async () => {
  if (skip) return;
  sources = await start("sources");
  p = project({ vega: sources.url });
  engine = await p.serve();
  const run = await p.dts("run", "markets");
  assert.equal(run.status, 0, run.err);
});
after(async () => {
  await p?.remove();
  await sources?.stop();
});

test("each fact has its series, place and date, and each of those its facts", { skip }, async () => {
  const loose = `select count(*) as n from fact_value f left join dim_series s on s.series = f.series
    left join dim_place l on l.place = f.place left join dim_date d on d.date = f.date
    where s.series is null or l.place is null or d.date is null`;
  assert.deepEqual(await engine.rows(loose), [{ n: 0 }]);
  for (const part of ["series", "place", "date"]) {
    const unused = await engine.rows(`select count(*) as n from dim_${part} where ${part} not in (select ${part} from fact_value)`);
    assert.deepEqual(unused, [{ n: 0 }], part);
  }
  const parents = await engine.rows("select count(*) as n from dim_place where parent is not null and parent <> 'WORLD' and parent not in (select place from dim_place)");
  assert.deepEqual(parents, [{ n: 0 }]);
});

test("values are those of the files", { skip }, async () => {
  const [head, ...lines] = data("stocks.csv").trim().split(/\r?\n/).map((l) => l.split(","));
  assert.deepEqual(head, ["symbol", "date", "price"]);
  const stored = await engine.rows("select series, sum(value) as total, count(*) as n from fact_value where series like 'STOCK#%' group by series");
  for (const { series, total, n } of stored) {
    const own = lines.filter(([symbol]) => `STOCK#${symbol}` === series).map(([, , price]) => Number(price));
    assert.equal(n, own.length);
    assert.ok(Math.abs(total - own.reduce((a, b) => a + b, 0)) < 1e-6, series);
  }
  assert.equal(stored.length, 5);
  const brazil = JSON.parse(data("gapminder.json")).filter((r) => r.country === "Brazil");
  const lives = await engine.rows("select date, value from fact_value where series = 'LIFE' and place = 'Brazil' order by date");
  assert.deepEqual(lives.map((r) => [Number(r.date.slice(0, 4)), r.value]), brazil.map((r) => [r.year, r.life_expect]));
});

test("films follow by themselves; what cannot be one is noted with its reason", { skip }, async () => {
  await until("the films", async () => (await engine.rows("select state from dts_runs where pipeline = 'films'"))[0]?.state === "done");
  const films = JSON.parse(data("movies.json"));
  const titled = films.filter((f) => f.Title !== null);
  const today = new Date().toISOString().slice(0, 10);
  const day = (f) => new Date(`${f["Release Date"]} UTC`).toISOString().slice(0, 10);
  const good = new Set(titled.filter((f) => day(f) <= today).map((f) => `${f.Title}|${day(f)}`));
  const [{ n }] = await engine.rows("select count(*) as n from films");
  assert.equal(n, good.size);
  const notes = await p.rows("select reason, row from dts_note order by seq");
  assert.equal(notes.length, films.length - titled.filter((f) => day(f) <= today).length);
  assert.ok(notes.some((note) => note.reason === "a film without a title"));
});

test("the page's filters change what its charts show", { skip }, async () => {
  const page = await (await fetch(`${engine.url}/api/v1/pages/markets`)).json();
  const kind = page.filters.find((f) => f.name === "kind");
  assert.ok(kind.choices.includes("prices") && kind.choices.includes("jobs"), JSON.stringify(kind));
  const [wide] = page.charts.filter((c) => c.wide);
  const shown = async (query) => engine.chart("markets", wide.title, query);
  const titles = (rows) => new Set(rows.map((r) => r.title));
  const all = await shown("");
  const jobs = await shown("?kind=jobs");
  assert.equal(titles(jobs).size, 3);
  assert.ok(titles(all).size > 3);
  const two = [...titles(all)].slice(0, 2);
  assert.deepEqual(titles(await shown(`?${two.map((x) => `title=${encodeURIComponent(x)}`).join("&")}`)), new Set(two));
  const late = await shown("?date.from=2009-01-01");
  assert.ok(late.length > 0 && late.length < all.length);
  assert.ok(late.every((r) => r.date >= "2009-01-01"));
  const year = await engine.chart("markets", "Life and fertility", "?year=2005");
  const countries = new Set(JSON.parse(data("gapminder.json")).map((r) => r.country));
  assert.equal(year.length, countries.size);
  assert.equal((await shown("?kind=nothing")).length, 0);
});
