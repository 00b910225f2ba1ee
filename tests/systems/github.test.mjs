// The system github: GitHub's replies kept raw by date and asked for again only when they changed; the history of daily
// rankings in weeks that equal an independent engine's; API and page over them.
// SPDX-License-Identifier: MIT
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { start } from "../servers/start.mjs";
import { project, skip, until } from "./project.mjs";

const data = (name) => readFileSync(join(process.env.TEST_DATA, name), "utf8");
const ranking = (quarter) => data(`github/ranking-daily/data-repos-${quarter}.csv`);

// The later line of each repository and day, by hand: these files have no quotes in them.
function latest(text) {
  const [head, ...lines] = text.trim().split("\n");
  const at = Object.fromEntries(head.split(",").map((name, i) => [name, i]));
  const days = new Map();
  for (const line of lines.map((each) => each.split(","))) days.set(`${line[at.repo]} ${line[at.date]}`, Number(line[at.stars]));
  return days;
}

// Before Prism: it remembers each reply with its validator, and answers 304 as GitHub itself does (Prism has no ETag).
async function validating(upstream) {
  const seen = [];
  const server = createServer(async (request, response) => {
    const reply = await fetch(upstream + request.url, { headers: { accept: request.headers.accept } });
    const body = Buffer.from(await reply.arrayBuffer());
    const etag = `"${createHash("sha256").update(body).digest("hex")}"`;
    const fresh = request.headers["if-none-match"] === etag;
    seen.push({ path: request.url, status: fresh ? 304 : reply.status, body });
    response.writeHead(fresh ? 304 : reply.status, { ETag: etag, "Content-Type": reply.headers.get("content-type") });
    response.end(fresh ? undefined : body);
  });
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  return {
    url: `http://127.0.0.1:${server.address().port}`, take: () => seen.splice(0),
    stop: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
  };
}

test("raw replies are archived by date, byte for byte, and asked for with their ETag", { skip, timeout: 120000 }, async () => {
  const prism = await start("github");
  const github = await validating(prism.url);
  const p = project({ github: github.url });
  try {
    const first = await p.dts("run", "github");
    assert.equal(first.status, 0, first.err);
    const replies = github.take();
    assert.ok(replies.some((r) => r.path.startsWith("/search/")) && replies.some((r) => r.path.startsWith("/repos/")));
    assert.deepEqual([...new Set(replies.map((r) => r.status))], [200]);
    const kept = () => p.rows("select source, day as date, object, size from dts_archive order by source, id");
    const archived = await kept();
    const today = new Date().toISOString().slice(0, 10);
    assert.deepEqual([...new Set(archived.map((r) => r.date))], [today]);
    assert.deepEqual([...new Set(archived.map((r) => r.source))], ["github/repos", "github/search"]);
    for (const reply of replies) {
      const hash = createHash("sha256").update(reply.body).digest("hex");
      assert.ok(archived.some((r) => r.object === hash && r.size === reply.body.length), reply.path);
    }
    const before = await p.rows("select repo, date, stars, forks, open_issues, language from repo_stats order by repo");
    const second = await p.dts("run", "github");
    assert.equal(second.status, 0, second.err);
    assert.deepEqual(github.take().filter((r) => r.status !== 304).map((r) => r.path), []);
    assert.deepEqual(await p.rows("select repo, date, stars, forks, open_issues, language from repo_stats order by repo"), before);
    const rebuilt = await p.dts("run", "github_rebuild", "--param", `from=${today}`, "--param", `to=${today}`);
    assert.equal(rebuilt.status, 0, rebuilt.err);
    assert.deepEqual(await p.rows("select repo, date, stars, forks, open_issues, language from repo_stats order by repo"), before);
  } finally {
    await p.remove();
    await github.stop();
    await prism.stop();
  }
});

let p;
let engine;
before(async () => {
  if (skip) return;
  p = project({});
  engine = await p.serve();
  p.write("incoming/data-repos-2024Q1.csv", ranking("2024Q1"));
  await until("the history of 2024Q1", async () => (await engine.rows("select count(*) as n from repo_stats"))[0].n > 0);
});
after(async () => {
  await p?.remove();
});

test("of two lines of one repository and day the later wins", { skip }, async () => {
  const want = latest(ranking("2024Q1"));
  const stored = await engine.rows("select repo, date, stars from repo_stats");
  assert.equal(stored.length, want.size);
  for (const row of stored) assert.equal(row.stars, want.get(`${row.repo} ${row.date}`), `${row.repo} ${row.date}`);
  p.write("incoming/data-repos-made-up.csv", ["date,repo,stars,forks,open_issues,last_commit,language",
    "2019-05-01,a/b,7,1,1,2019-05-01T00:00:00Z,C", "2019-05-01,a/b,9,1,1,2019-05-01T00:00:00Z,C"].join("\n"));
  const [row] = await until("two lines of one day", async () => {
    const rows = await engine.rows("select stars from repo_stats where repo = 'a/b'");
    return rows.length && rows;
  });
  assert.equal(row.stars, 9);
});

test("the 262 weeks of 2024Q1 equal the oracle's", { skip }, async () => {
  const { weekly } = JSON.parse(data("oracle-duckdb.json")).ranking[0];
  assert.equal(weekly.length, 262);
  const stored = await engine.rows("select repo, period, high, low, days from repo_trend_week where period >= '2024-01-01'");
  const found = stored.map((r) => `${r.repo} ${r.period} ${r.high} ${r.low} ${r.days}`).sort();
  assert.deepEqual(found, weekly.map((w) => `${w.repo} ${w.wk} ${w.mx} ${w.mn} ${w.n_days}`).sort());
});

test("months are of the same days", { skip }, async () => {
  const days = [...latest(ranking("2024Q1"))].filter(([key]) => key.startsWith("apache/spark 2024-02"));
  const [month] = await engine.rows("select high, low, days, stars from repo_trend_month where repo = 'apache/spark' and period = '2024-02-01'");
  const stars = days.map(([, n]) => n);
  assert.deepEqual(month, { high: Math.max(...stars), low: Math.min(...stars), days: stars.length, stars: days.sort().at(-1)[1] });
});

test("the public route answers without a key, and with 304 what has not changed", { skip }, async () => {
  const path = `${engine.url}/api/repos/apache/spark/trend?from=2024-01-01`;
  const reply = await fetch(path);
  assert.equal(reply.status, 200);
  const points = await reply.json();
  const weekly = JSON.parse(data("oracle-duckdb.json")).ranking[0].weekly.filter((w) => w.repo === "apache/spark");
  assert.deepEqual(points.map((x) => [x.period, x.high, x.low]), weekly.map((w) => [w.wk, Number(w.mx), Number(w.mn)]));
  const again = await fetch(path, { headers: { "If-None-Match": reply.headers.get("etag") } });
  assert.deepEqual([again.status, await again.text()], [304, ""]);
  assert.equal((await fetch(path, { headers: { "If-None-Match": '"another"' } })).status, 200);
  assert.equal((await fetch(`${engine.url}/api/repos/apache/spark/trend?every=year`)).status, 422);
  p.write("incoming/data-repos-2024Q2.csv", ranking("2024Q2"));
  await until("the second quarter", async () => (await (await fetch(path)).json()).length > points.length);
  assert.equal((await fetch(path, { headers: { "If-None-Match": reply.headers.get("etag") } })).status, 200);
});

test("the page's chart has the points, by repository", { skip }, async () => {
  const points = await engine.chart("trends", "Stars", "?repo=apache/spark&repo=apache/kafka&every=month");
  assert.deepEqual([...new Set(points.map((x) => x.repo))].sort(), ["apache/kafka", "apache/spark"]);
  const stored = await engine.rows("select period, repo, stars from repo_trend_month where repo in ('apache/spark', 'apache/kafka')");
  const shown = (list) => list.map((x) => `${x.repo} ${x.period} ${x.stars}`).sort();
  assert.deepEqual(shown(points), shown(stored));
  assert.equal(points.length, 12);
});
