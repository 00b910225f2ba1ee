// The system fuel where it is hard: a killed engine in the middle of a span, a date that never comes, a source that asks
// to wait; and what the prices say together, beside the same figures computed here.
// SPDX-License-Identifier: MIT
import { test } from "node:test";
import assert from "node:assert/strict";
import { data, faults, inProject, take } from "./fuel.mjs";
import { skip, until } from "./project.mjs";

const QUOTES = "pipelines/fuel/quotes.lua";
const bank = (from, to) => JSON.parse(data("currency/bcb-sgs-shape-1-dados-2020-2023.json"))
  .map((d) => [d.data.split("/").reverse().join("-"), Number(d.valor)]).filter(([date]) => date >= from && date <= to);
const within = (from, to) => [['since = "2020-06-04"', `since = "${from}", to = "${to}"`], ['refresh = "7d"', 'refresh = "0d"'],
  [', ["RATE#SELIC"] = { code = 11 }', ""]];
const spans = (requests) => requests.map((r) => `${r.query.dataInicial}-${r.query.dataFinal}`);

test("killed in the middle of a span: whole batches of 25 stay, and after the next start nothing is missing", { skip, timeout: 60000 }, () => {
  const put = 'ctx:put("quotes", bcb.series(span.with.code, span.from, span.to), { info_type = span.key, source = "bcb.sgs" })';
  const slowly = `for _, row in ipairs(bcb.series(span.with.code, span.from, span.to)) do
      local n = 0
      for _ = 1, 1000000 do n = n + 1 end
      ctx:put("quotes", row, { info_type = span.key, source = "bcb.sgs" })
    end`;
  return inProject({ [QUOTES]: [...within("2020-06-04", "2023-12-29"), [put, slowly]] }, async (p) => {
    const count = async (engine) => (await (engine ?? p).rows("select count(*) as n from quotes"))[0].n;
    let engine = await p.serve();
    assert.equal((await engine.post("/api/v1/runs", { pipeline: "currency" })).status, 202);
    await until("two batches", async () => (await count(engine)) >= 50);
    await engine.kill();
    const left = await count();
    assert.ok(left >= 50 && left < 897, `${left} rows`);
    assert.equal(left % 25, 0, `${left} rows`);
    assert.deepEqual(spans(await take()), ["04/06/2020-29/12/2023"]);
    engine = await p.serve();
    await until("the rest", async () => (await count(engine)) === 897, 40000);
    const stored = await engine.rows("select date, value from quotes order by date");
    assert.deepEqual(stored.map((r) => [r.date, r.value]), bank("2020-06-04", "2023-12-29"));
    await until("its end", async () => (await engine.rows("select state from dts_jobs where state in ('leased', 'queued', 'waiting')")).length === 0);
    await take();
    assert.equal((await p.dts("run", "currency")).status, 0);
    assert.deepEqual(await take(), []);
  });
});

test("a date that never comes is asked for six times, then lies in quarantine; released, it is asked for again", { skip, timeout: 60000 }, () =>
  inProject({ [QUOTES]: within("2023-12-01", "2023-12-08") }, async (p) => {
    await faults([{ match: "sgs.1/", never: ["2023-12-05"] }]);
    const gap = async () => (await p.rows("select state, attempts, retry_count from dts_gaps where date = '2023-12-05'"))[0];
    for (let i = 1; i <= 6; i += 1) {
      const run = await p.dts("run", "currency");
      assert.equal(run.status, 0, run.err);
      assert.deepEqual(spans(await take()), [i === 1 ? "01/12/2023-08/12/2023" : "05/12/2023-05/12/2023"], `attempt ${i}`);
      assert.deepEqual(await gap(), { state: i < 6 ? "retrying" : "quarantined", attempts: i, retry_count: i });
    }
    await p.dts("run", "currency");
    assert.deepEqual(await take(), []);
    const [aside] = await p.rows("select id, pipeline, input, name, retry_count from dts_quarantine");
    assert.deepEqual({ ...aside, id: "" }, { id: "", pipeline: "currency", input: "date", name: "CURRENCY#USD 2023-12-05", retry_count: 6 });
    assert.equal((await p.rows("select count(*) as n from quotes"))[0].n, 5);

    await faults([]);
    const released = await p.dts("quarantine", "release", aside.id);
    assert.equal(released.status, 0, released.err);
    const opened = await gap();
    assert.deepEqual([opened.retry_count, opened.state === "quarantined"], [0, false]);
    assert.equal((await p.dts("run", "currency")).status, 0);
    assert.deepEqual(spans(await take()), ["05/12/2023-05/12/2023"]);
    assert.deepEqual((await p.rows("select date, value from quotes order by date")).map((r) => [r.date, r.value]), bank("2023-12-01", "2023-12-08"));
    assert.equal((await p.rows("select count(*) as n from dts_quarantine"))[0].n, 0);
  }));

test("429 with Retry-After: nothing is asked before that time", { skip }, () =>
  inProject({ [QUOTES]: within("2023-12-01", "2023-12-08") }, async (p) => {
    await faults([{ match: "sgs.1/", status: 429, retry_after: 2, times: 1 }]);
    const run = await p.dts("run", "currency");
    assert.equal(run.status, 0, run.err);
    const [first, second, ...more] = await take();
    assert.deepEqual([first.status, second.status, more.length], [429, 200, 0]);
    const waited = Date.parse(second.at) - Date.parse(first.at);
    assert.ok(waited >= 2000, `${waited} ms`);
    assert.equal((await p.rows("select count(*) as n from quotes"))[0].n, 6);
    assert.equal((await p.rows("select count(*) as n from dts_gaps where retry_count > 0"))[0].n, 0);
  }));

test("Stooq is a second opinion: the file's own days, and it agrees with Yahoo", { skip }, () =>
  inProject({ "pipelines/fuel/stocks.lua": [['since = "2023-01-03"', 'since = "2023-02-27", to = "2023-03-17"'],
    ['since = "2023-03-03"', 'since = "2023-03-03", to = "2023-03-17"'], ['refresh = "5d"', 'refresh = "0d"']] }, async (p) => {
    for (const name of ["stooq", "stocks"]) {
      const run = await p.dts("run", name);
      assert.equal(run.status, 0, `${name}: ${run.err}`);
    }
    const asked = await take();
    assert.deepEqual(asked.filter((r) => r.source === "stooq").map((r) => `${r.query.d1}-${r.query.d2}`), ["20230227-20230317"]);
    const file = data("stocks/stooq/xom_us_d.csv").trim().split("\r\n").slice(1).map((l) => l.split(","))
      .filter(([date]) => date >= "2023-02-27" && date <= "2023-03-17").map((l) => [l[0], Number(l[4]), Number(l[5])]);
    const stored = await p.rows("select date, value, volume from quotes where info_type = 'STOOQ#XOM' order by date");
    assert.deepEqual(stored.map((r) => [r.date, r.value, r.volume]), file);
    assert.equal(file.length, 15);
    const [both] = await p.rows(`select count(*) as n, max(abs(a.value - b.value)) as most from quotes a join quotes b on b.date = a.date
      where a.info_type = 'STOCK#XOM' and b.info_type = 'STOOQ#XOM'`);
    assert.equal(both.n, 11);
    assert.ok(both.most < 0.01, `${both.most}`);
  }));

// Weeks from Monday, the last close of each, and its change in percent on the week before.
function moves(name) {
  const lines = data(`stocks/yahoo/${name}.csv`).trim().split("\n").map((l) => l.split(","));
  const close = lines[0].indexOf("Close");
  const weeks = new Map();
  for (const line of lines.slice(1)) {
    const day = new Date(line[0]);
    const monday = new Date(day - ((day.getUTCDay() + 6) % 7) * 86400000).toISOString().slice(0, 10);
    weeks.set(monday, Number(line[close]));
  }
  const list = [...weeks].sort();
  return new Map(list.slice(1).map(([week, value], i) => [week, (100 * (value - list[i][1])) / list[i][1]]));
}

function correlation(pairs) {
  const mean = (i) => pairs.reduce((sum, x) => sum + x[i], 0) / pairs.length;
  const [a, b] = [mean(0), mean(1)];
  const sum = (fn) => pairs.reduce((total, x) => total + fn(x[0] - a, x[1] - b), 0);
  return sum((x, y) => x * y) / Math.sqrt(sum((x) => x * x) * sum((x, y) => y * y));
}

// The least squares' slope of b on a.
function slope(pairs) {
  const mean = (i) => pairs.reduce((sum, x) => sum + x[i], 0) / pairs.length;
  const [a, b] = [mean(0), mean(1)];
  const sum = (fn) => pairs.reduce((total, x) => total + fn(x[0] - a, x[1] - b), 0);
  return sum((x, y) => x * y) / sum((x) => x * x);
}

const plus = (day, days) => new Date(Date.parse(day) + days * 86400000).toISOString().slice(0, 10);

// Percent from week to week, where the week before is there: "2004-05-17" (its Monday) → 1.2.
function returns(weeks) {
  return new Map([...weeks].filter(([week]) => weeks.has(plus(week, -7)))
    .map(([week, value]) => [week, 100 * (value / weeks.get(plus(week, -7)) - 1)]));
}

function csvRows(name) {
  const [head, ...lines] = data(name).trim().split("\n").map((line) => line.split(","));
  return lines.map((line) => Object.fromEntries(head.map((column, i) => [column, line[i]])));
}

test("seven years of gasoline after oil and the dollar: correlation with lags and pass-through, as computed here", { skip, timeout: 60000 }, () =>
  inProject({}, async (p) => {
    const costs = { Oil_mean: "OIL", Dollar_mean: "CURRENCY#USD" };
    const weekly = csvRows("fuel/weekly-economic-2004-2011.csv");
    const survey = csvRows("fuel/anp-weekly-gasoline-by-state-2004-2011.csv").filter((r) => Number(r.Mean_Price) > 0);
    await p.write("data/costs.csv", "info_type,date,value\n" + weekly.flatMap((r) => Object.entries(costs)
      .map(([column, name]) => `${name},${r.Date},${r[column]}`)).join("\n"));
    await p.write("data/pumped.csv", "state,date,price\n" + survey.map((r) => `${r.State},${r.Analysis_Date},${r.Mean_Price}`).join("\n"));
    await p.write("pipelines/fuel/past.lua", `local dts = require "dts"
      dts.table { name = "costs", key = { "info_type", "date" }, columns = { "info_type text", "date date", "value real" }, rows = "data/costs.csv" }
      dts.table { name = "pumped", key = { "state", "date" }, columns = { "state text", "date date", "price real" }, rows = "data/pumped.csv" }
      dts.pipeline { name = "past", allow = { tables = { "quotes", "pump" } }, run = function(ctx)
        for r in dts.query("costs"):rows() do ctx:put("quotes", r, { source = "file" }) end
        for r in dts.query("pumped"):rows() do ctx:put("pump", r, { station = r.state, product = "GASOLINA", region = "BR" }) end
      end }`);
    const run = await p.dts("run", "past");
    assert.equal(run.status, 0, run.err);

    const monday = (sunday) => plus(sunday, -6);
    const pump = new Map();
    for (const r of survey) pump.set(monday(r.Analysis_Date), [...(pump.get(monday(r.Analysis_Date)) ?? []), Number(r.Mean_Price)]);
    const fuel = returns(new Map([...pump].map(([week, prices]) => [week, prices.reduce((a, b) => a + b) / prices.length])));
    const stored = await p.rows("select * from pass_through where fuel = 'GASOLINA'");
    assert.equal(stored.length, 10);
    for (const [column, name] of Object.entries(costs)) {
      const cost = returns(new Map(weekly.map((r) => [monday(r.Date), Number(r[column])])));
      for (const lag of [0, 1, 2, 4, 8]) {
        const pairs = [...cost].filter(([week]) => fuel.has(plus(week, 7 * lag))).map(([week, value]) => [value, fuel.get(plus(week, 7 * lag))]);
        const got = stored.find((r) => r.cost === name && r.lag === lag);
        assert.equal(got.weeks, pairs.length, `${name} ${lag}`);
        assert.ok(Math.abs(got.r - correlation(pairs)) < 1e-9, `${name} ${lag}: ${got.r} beside ${correlation(pairs)}`);
        assert.ok(Math.abs(got.passed_on - slope(pairs)) < 1e-9, `${name} ${lag}: ${got.passed_on} beside ${slope(pairs)}`);
      }
    }
    const [same] = await p.rows("select weeks, r, slope from relations where one = 'OIL' and other = 'FUEL#GASOLINA'");
    const now = stored.find((r) => r.cost === "OIL" && r.lag === 0);
    assert.deepEqual(same, { weeks: now.weeks, r: now.r, slope: now.passed_on });
  }));

test("what moves together, and the page by region, fuel and movement", { skip, timeout: 90000 }, () => {
  const edits = {
    [QUOTES]: within("2023-03-03", "2023-12-29"),
    "pipelines/fuel/stocks.lua": [['since = "2023-03-03"', 'since = "2023-03-03", to = "2024-03-01"'], ['refresh = "5d"', 'refresh = "0d"'],
      ['      ["STOCK#PETR3"] = { symbol = "PETR3.SA", calendar = "B3" },\n', ""], ['      ["STOCK#UGPA3"] = { symbol = "UGPA3.SA", calendar = "B3" },\n', ""]],
    "pipelines/fuel/pump.lua": [['since = "2023-01-02"', 'since = "2023-12-04", to = "2023-12-25"'], ['refresh = "14d"', 'refresh = "0d"']],
  };
  return inProject(edits, async (p) => {
    const engine = await p.serve();
    for (const name of ["currency", "stocks", "pump"]) {
      const run = await p.dts("run", name);
      assert.equal(run.status, 0, `${name}: ${run.err}`);
    }
    const found = (list, one, other) => list.find((r) => r.one === one && r.other === other);
    const list = await until("the relations of both shares", async () => {
      const rows = await (await fetch(`${engine.url}/api/relations`)).json();
      return found(rows, "STOCK#XOM", "STOCK#CVX")?.weeks >= 51 && found(rows, "STOCK#XOM", "CURRENCY#USD") && rows;
    });
    for (const r of list) assert.ok(r.r >= -1 && r.r <= 1 && r.weeks >= 8 && Number.isFinite(r.slope), JSON.stringify(r));
    const [xom, cvx] = [moves("XOM"), moves("CVX")];
    const want = correlation([...xom].map(([week, percent]) => [percent, cvx.get(week)]));
    const got = found(list, "STOCK#XOM", "STOCK#CVX");
    assert.equal(got.weeks, xom.size);
    assert.ok(Math.abs(got.r - want) < 1e-9, `${got.r} beside ${want}`);
    assert.ok(want > 0.5 && Math.abs(found(list, "STOCK#CVX", "STOCK#XOM").r - want) < 1e-9);

    await until("the moves", async () => (await engine.rows("select count(*) as n from fuel_moves"))[0].n > 0);
    const page = await (await fetch(`${engine.url}/api/v1/pages/fuel`)).json();
    const filters = page.filters.map((f) => f.name);
    for (const name of ["region", "product", "movement"]) assert.ok(filters.includes(name), name);
    const sum = async (sql) => (await engine.rows(sql)).map((r) => Object.values(r).join(" ")).sort();
    const shown = (rows, ...names) => rows.map((r) => names.map((n) => r[n]).join(" ")).sort();

    const byMovement = (c) => c.kind === "bar" && c.by === "movement";
    const counted = await engine.chart("fuel", byMovement);
    assert.deepEqual(shown(counted, "period", "movement", Object.keys(counted[0]).find((k) => !["period", "movement"].includes(k))),
      await sum("select period, movement, count(*) as n from fuel_moves group by period, movement"));
    const up = await engine.chart("fuel", byMovement, "?movement=up");
    assert.deepEqual([...new Set(up.map((r) => r.movement))], ["up"]);

    const byRegion = (c) => c.kind === "bar" && c.x === "region";
    const regions = async (query) => [...new Set((await engine.chart("fuel", byRegion, query)).map((r) => r.region))].sort();
    assert.deepEqual(await regions(""), (await sum("select distinct region from fuel_week where product <> 'GLP'")));
    assert.deepEqual(await regions("?region=N&region=CO"), ["CO", "N"]);
    assert.deepEqual(await regions("?product=NOTHING"), []);

    const byFuel = (c) => c.kind === "line" && c.by === "product";
    const diesel = await engine.chart("fuel", byFuel, "?product=DIESEL");
    assert.deepEqual([...new Set(diesel.map((r) => r.product))], ["DIESEL"]);
    assert.deepEqual(shown(diesel, "period"), await sum("select distinct period from fuel_week where product = 'DIESEL'"));
    for (let i = 0; i < page.charts.length; i += 1) {
      const reply = await fetch(`${engine.url}/api/v1/pages/fuel/charts/${i}`);
      assert.equal(reply.status, 200, page.charts[i].title);
    }
  });
});
