// Every figure that an independent engine has of the real files (oracle-duckdb.json), out of roll-ups that were filled by
// runs over those very files.
// SPDX-License-Identifier: MIT
import { test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { skip } from "./project.mjs";
import { DTS } from "../program.mjs";

const SCRIPT = `
local dts = require "dts"
dts.table { name = "pump", columns = { "file text", "state text", "product text", "date date", "price real" } }
dts.rollup { name = "pumped", from = "pump", time = "date", by = { "file", "state", "product" }, every = { "day", "year" },
  measures = { "count(*) as n", "min(price) as mn", "max(price) as mx", "avg(price) as av", "sum(price) as total" } }
dts.rollup { name = "products", from = "pump", time = "date", by = { "file", "product" }, every = { "year" },
  measures = { "count(*) as n", "min(price) as mn", "max(price) as mx", "avg(price) as av" } }
dts.rollup { name = "days", from = "pumped_day", time = "period", by = { "file" }, every = { "day" }, measures = { "sum(n) as n" } }
dts.pipeline { name = "pump", files = "incoming/anp-*.csv", run = function(ctx, file)
  ctx:put("pump", file:rows { into = "pump", columns = { state = "Estado - Sigla", product = "Produto", date = "Data da Coleta",
    price = "Valor de Venda" }, delimiter = ";", decimal = ",", dates = "%d/%m/%Y" }, { file = file.name })
end }

dts.table { name = "shares", key = { "file", "date" }, columns = { "file text", "date date", "open real", "high real", "low real", "close real", "volume integer" } }
dts.rollup { name = "months", from = "shares", time = "date", by = { "file" }, every = { "month" },
  measures = { "count(*) as n", "first(open) as o", "max(high) as h", "min(low) as l", "last(close) as c", "sum(close) as closes", "sum(volume) as vol",
    "min(date) as first_d", "max(date) as last_d" } }
dts.view { name = "whole", keep = true, sql = "select file, sum(n) as n_rows, min(first_d) as first_d, max(last_d) as last_d, min(l) as lo, max(h) as hi, sum(closes) / sum(n) as avg_close, sum(vol) as vol from months_month group by file" }
dts.pipeline { name = "shares", files = "incoming/stock-*.csv", run = function(ctx, file)
  ctx:put("shares", file:rows { into = "shares", columns = { date = "Date", open = "Open", high = "High", low = "Low", close = "Close", volume = "Volume" } }, { file = file.name })
end }

dts.table { name = "ranking", key = { "repo", "date" }, columns = { "repo text", "date date", "stars integer" } }
dts.rollup { name = "weekly", from = "ranking", time = "date", by = { "repo" }, every = { "week" },
  measures = { "max(stars) as mx", "min(stars) as mn", "count(distinct date) as n_days" } }
dts.pipeline { name = "ranking", files = "incoming/data-repos-*.csv", run = function(ctx, file)
  for row in file:rows() do ctx:put("ranking", { repo = row.repo, date = row.date, stars = math.tointeger(tonumber(row.stars)) }) end
end }

dts.table { name = "flights", columns = { "at timestamp", "origin text", "delay integer", "distance integer" } }
dts.rollup { name = "origins", from = "flights", time = "at", by = { "origin" }, every = { "year" },
  measures = { "count(*) as n", "avg(delay) as avg_delay", "max(distance) as maxd" } }
dts.rollup { name = "hours", from = "flights", time = "at", by = {}, every = { "hour" }, measures = { "count(*) as n" } }
dts.pipeline { name = "flights", files = "incoming/flights-*.json", run = function(ctx, file)
  for row in file:rows() do
    local day, clock = row.date:match("^(.-) (.*)$")
    ctx:put("flights", { at = day:gsub("/", "-") .. "T" .. clock .. ":00.000Z", origin = row.origin, delay = row.delay, distance = row.distance })
  end
end }
`;

test("counts, bounds and means by product, state, month, week, origin and hour", { skip, timeout: 120000 }, () => {
  const oracle = JSON.parse(readFileSync(join(process.env.TEST_DATA, "oracle-duckdb.json"), "utf8"));
  const folder = mkdtempSync(join(tmpdir(), "dts-oracle-"));
  const dts = (...args) => execFileSync(DTS, args, { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 });
  const rows = (sql) => JSON.parse(dts("sql", "--json", sql));
  const load = (pipeline, file, name) => {
    const copy = join(folder, name);
    writeFileSync(copy, readFileSync(join(process.env.TEST_DATA, file)));
    dts("run", pipeline, "--file", copy);
    return name;
  };
  let compared = 0;
  // Means are rounded to six places there; counts and bounds are equal.
  const same = (got, want, what) => {
    assert.ok(got, `${JSON.stringify(what)} is missing`);
    for (const [name, value] of Object.entries(want)) {
      if (typeof got[name] === "string") assert.equal(got[name], value, `${name} of ${JSON.stringify(what)}`);
      else if (!/^av/.test(name)) assert.equal(got[name], Number(value), `${name} of ${JSON.stringify(what)}`);
      else assert.ok(Math.abs(got[name] - Number(value)) <= 5.1e-7, `${name} of ${JSON.stringify(what)}: ${got[name]}, not ${value}`);
      compared++;
    }
  };
  const all = (got, want, ...keys) => {
    const name = (row) => keys.map((key) => row[key]).join("|");
    const found = new Map(got.map((row) => [name(row), row]));
    for (const row of want) same(found.get(name(row)), row, row);
  };
  try {
    mkdirSync(join(folder, "pipelines"));
    writeFileSync(join(folder, "pipelines/all.lua"), SCRIPT);
    for (const want of oracle.fuel) {
      const file = load("pump", want.file, want.file.replace("fuel/", ""));
      same(rows(`select count(*) as rows from pump where file = '${file}'`)[0], { rows: want.rows }, want.file);
      all(rows(`select product as p, n, mn, mx, av from products_year where file = '${file}'`), want.by_product, "p");
      const states = rows(`select state as uf, product as p, n, av from pumped_year where file = '${file}'`);
      all(states, want.by_state, "uf", "p");
      assert.equal(states.length, want.by_state.length);
      all(rows(`select period as d, n from days_day where file = '${file}'`), want.by_date, "d");
    }
    for (const { monthly, file, ...want } of oracle.stocks) {
      const name = load("shares", file, `stock-${file.split("/").at(-1)}`);
      same(rows(`select * from whole where file = '${name}'`)[0], want, file);
      const months = rows(`select substr(period, 1, 7) as m, n, o, h, l, c from months_month where file = '${name}'`);
      all(months, monthly, "m");
      assert.equal(months.length, monthly.length);
    }
    for (const want of oracle.ranking) {
      load("ranking", want.file, want.file.split("/").at(-1));
      const weeks = rows("select period as wk, repo, mx, mn, n_days from weekly_week");
      all(weeks, want.weekly, "wk", "repo");
      assert.equal(weeks.length, want.weekly.length);
    }
    const flights = oracle.flights[0] ?? oracle.flights;
    load("flights", flights.file, flights.file.split("/").at(-1));
    all(rows("select origin, n, avg_delay, maxd from origins_year"), flights.by_origin, "origin");
    all(rows("select replace(substr(period, 1, 10), '-', '/') || ' ' || substr(period, 12, 2) as h, n from hours_hour"), flights.by_hour, "h");
    process.stdout.write(`# ${compared} figures compared\n`);
    assert.ok(compared > 2000);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
