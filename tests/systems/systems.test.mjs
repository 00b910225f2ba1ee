// The systems as wholes, through the program: from the sources over real HTTP into the store. What is expected comes
// from the served files themselves, or from an independent engine's figures over them (oracle-duckdb.json).
// SPDX-License-Identifier: MIT
import { test } from "node:test";
import assert from "node:assert/strict";
import { start } from "../servers/start.mjs";
import { data, faults, inProject, take } from "./fuel.mjs";
import { project, skip } from "./project.mjs";

const currency = { "pipelines/fuel/quotes.lua": [
  ['since = "2020-06-04"', 'since = "2023-11-01", to = "2023-12-29"'], ['refresh = "7d"', 'refresh = "0d"']] };

const asked = (requests) => requests.map((r) => `${r.query.dataInicial}-${r.query.dataFinal}`).sort();

test("currency: one request for each series, the bank's own days, and none the second time", { skip }, () =>
  inProject(currency, async (p) => {
    const first = await p.dts("run", "currency");
    assert.equal(first.status, 0, first.err);
    assert.deepEqual(asked(await take()), ["01/11/2023-29/12/2023", "01/11/2023-29/12/2023"]);
    const bank = JSON.parse(data("currency/bcb-sgs-shape-1-dados-2020-2023.json"))
      .map((d) => [d.data.split("/").reverse().join("-"), Number(d.valor)]).filter(([date]) => date >= "2023-11-01");
    const stored = await p.rows("select date, value from quotes where info_type = 'CURRENCY#USD' order by date");
    assert.deepEqual(stored.map((r) => [r.date, r.value]), bank);
    assert.equal((await p.dts("run", "currency")).status, 0);
    assert.deepEqual(await take(), []);
  }));

test("currency: holes are asked for alone, a weekend does not part them", { skip }, () =>
  inProject(currency, async (p) => {
    await faults([{ match: "sgs.1/", never: ["2023-11-10", "2023-11-13", "2023-12-05"] }]);
    await p.dts("run", "currency");
    await take();
    await faults([]);
    assert.equal((await p.dts("run", "currency")).status, 0);
    assert.deepEqual(asked(await take()), ["05/12/2023-05/12/2023", "10/11/2023-13/11/2023"]);
  }));

test("currency: a source that asks to wait is waited for", { skip }, () =>
  inProject(currency, async (p) => {
    await faults([{ match: "sgs.11/", status: 429, retry_after: 1, times: 1 }, { match: "sgs.1/", status: 500, times: 1 }]);
    const run = await p.dts("run", "currency");
    assert.equal(run.status, 0, run.err);
    assert.deepEqual((await take()).map((r) => r.status).sort(), [200, 200, 429, 500]);
  }));

test("shares: Yahoo's days, and São Paulo's unfinished row repaired", { skip }, () => {
  const stocks = [['since = "2023-03-03"', 'since = "2023-03-03", to = "2024-03-01"'], ['refresh = "5d"', 'refresh = "0d"'],
    ['symbol = "PETR3.SA", calendar = "B3"', 'symbol = "PETR3.SA", calendar = "B3", since = "2020-06-01", to = "2020-07-07"'],
    ['      ["STOCK#UGPA3"] = { symbol = "UGPA3.SA", calendar = "B3" },\n', ""]];
  return inProject({ "pipelines/fuel/stocks.lua": stocks }, async (p) => {
    await faults([{ match: "PETR3", vintage: 1, times: 1 }]);
    await p.dts("run", "stocks");
    const open = () => p.rows("select open from quotes where info_type = 'STOCK#PETR3' and date = '2020-07-07'");
    assert.deepEqual(await open(), [{ open: 0 }]);
    const [xom] = JSON.parse(data("oracle-duckdb.json")).stocks;
    const [sum] = await p.rows("select count(*) as n, min(low) as lo, max(high) as hi, avg(value) as mean from quotes where info_type = 'STOCK#XOM'");
    assert.deepEqual([sum.n, sum.lo, sum.hi], [Number(xom.n_rows), xom.lo, xom.hi]);
    assert.ok(Math.abs(sum.mean - xom.avg_close) < 1e-5);
    assert.equal((await p.dts("run", "stocks")).status, 0);
    assert.ok((await open())[0].open > 22);
  });
});

test("the pump: surveyed prices, and means by state as the oracle has them", { skip }, () => {
  const pump = [['since = "2023-01-02"', 'since = "2023-12-04", to = "2023-12-25"'], ['refresh = "14d"', 'refresh = "0d"']];
  return inProject({ "pipelines/fuel/pump.lua": pump }, async (p) => {
    const run = await p.dts("run", "pump");
    assert.equal(run.status, 0, run.err);
    const stored = await p.rows("select product, state, count(*) as n, avg(price) as av from pump group by product, state");
    const found = new Map(stored.map((r) => [`${r.product} ${r.state}`, r]));
    const expected = JSON.parse(data("oracle-duckdb.json")).fuel.flatMap((file) => file.by_state);
    assert.equal(found.size, expected.length);
    for (const want of expected) {
      const got = found.get(`${want.p} ${want.uf}`);
      assert.equal(got.n, Number(want.n), `${want.p} ${want.uf}`);
      assert.ok(Math.abs(got.av - want.av) < 1e-5, `${want.p} ${want.uf}`);
    }
  });
});

test("euro and PTAX: the same dollar from two sources", { skip }, () => {
  const edits = [['since = "2020-06-04", lag = "1d",\n    keys = { ["PTAX#USD"]', 'since = "2023-12-01", to = "2023-12-29",\n    keys = { ["PTAX#USD"]'],
    ['since = "2020-06-04", lag = "1d", refresh = "3d"', 'since = "2023-12-01", to = "2023-12-29"']];
  return inProject({ "pipelines/fuel/reference.lua": edits, ...currency }, async (p) => {
    for (const name of ["currency", "ptax", "ecb"]) assert.equal((await p.dts("run", name)).status, 0, name);
    const [differ] = await p.rows(`select count(*) as n from quotes a join quotes b on b.date = a.date
      where a.info_type = 'CURRENCY#USD' and b.info_type = 'PTAX#USD' and a.value <> b.value`);
    assert.equal(differ.n, 0);
    const euro = await p.rows("select date, value from quotes where info_type = 'EURO#USD' order by date desc limit 2");
    assert.deepEqual(euro, [{ date: "2023-12-29", value: 1.105 }, { date: "2023-12-28", value: 1.1114 }]);
  });
});

test("markets: six files make one star", { skip }, () =>
  inProject({}, async (p) => {
    for (const name of ["markets", "films"]) assert.equal((await p.dts("run", name)).status, 0, name);
    const [facts] = await p.rows("select count(*) as n, count(distinct series) as series from fact_value");
    assert.deepEqual(facts, { n: 560 + 123 + 3 * 120 + 741 + 3218 + 3 * 682, series: 5 + 1 + 3 + 1 + 1 + 3 });
    const [loose] = await p.rows(`select count(*) as n from fact_value f left join dim_place p on p.place = f.place
      left join dim_date d on d.date = f.date left join dim_series s on s.series = f.series
      where p.place is null or d.date is null or s.series is null`);
    assert.equal(loose.n, 0);
  }));

test("github: a real server's replies become rows, and are kept raw", { skip, timeout: 120000 }, async () => {
  const github = await start("github");
  const p = project({ github: github.url });
  try {
    const run = await p.dts("run", "github");
    assert.equal(run.status, 0, run.err);
    const rows = await p.rows("select repo, stars, forks from repo_stats order by repo");
    assert.deepEqual(rows.map((r) => r.repo), ["dtrupenn/Tetris", "octocat/Hello-World"]);
    assert.deepEqual([rows[0].stars, rows[0].forks], [1, 0]);
  } finally {
    await p.remove();
    await github.stop();
  }
});
