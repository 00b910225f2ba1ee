// crash.test.mjs -- the engine is killed (SIGKILL) at random moments while runs put, checkpoint, queue and fill
// gaps; whenever it is back nothing is lost, doubled or half done.
//
//   DTS=build-asan/dts node --test tests/crash/crash.test.mjs      (ROUNDS=24, of two seconds at most)
//
// Exact rows are known beforehand: a keyless table shows what was done twice, a key what was lost. Processes are
// ended by their id; nothing but loopback is used.
// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../servers/port.mjs";
import { DTS, start } from "./engine.mjs";

const KILLS = Number(process.env.ROUNDS ?? process.env.KILLS ?? 24), BOUND = Math.max(40000, KILLS * 2000);
const KEYS = 4, DAYS = 365, COUNT = 6000;

const SCRIPT = `
local dts = require "dts"
local function linger(n) for _ = 1, n do dts.now() end end -- so that a kill finds somebody at work

dts.table { name = "q", key = { "k", "day" }, columns = { "k text", "day date", "v integer", "attempt integer" } }
dts.table { name = "counted", columns = { "n integer", "attempt integer" } }
dts.table { name = "ticks", columns = { "at text" } }
dts.table { name = "parts", columns = { "at text", "n integer" } }
dts.table { name = "stepped", columns = { "at text", "what text" } }

dts.pipeline {
  name = "days", schedule = "0 0 1 1 *", batch = 25,
  gaps = { table = "q", since = "2025-01-01", to = "2025-12-31", keys = { "A", "B", "C", "D" }, max_span = "60d" },
  run = function(ctx, span)
    for n, day in ipairs(span.dates) do
      ctx:put("q", { k = span.key, day = day, v = tonumber((day:gsub("-", ""))), attempt = ctx.attempt })
      linger(60)
    end
  end,
}

dts.pipeline {
  name = "count", every = "1s",
  run = function(ctx)
    local done = #dts.query("counted")
    if done >= ${COUNT} then return end
    local from = ctx.state and ctx.state.next or done + 1
    for n = from, math.min(done + 1500, ${COUNT}) do
      ctx:put("counted", { n = n, attempt = ctx.attempt })
      if n % 50 == 0 then
        ctx:checkpoint { next = n + 1 }
        linger(100)
      end
    end
  end,
}

dts.pipeline {
  name = "tick", every = "1s", missed = "all",
  run = function(ctx)
    ctx:put("ticks", { at = ctx.window.to })
    ctx:enqueue("days")
    ctx:enqueue("part", { at = ctx.window.to }, { key = ctx.window.to })
    linger(1500)
  end,
}

dts.pipeline {
  name = "part", params = { at = "text" },
  run = function(ctx, input)
    ctx:step("first", function()
      ctx:put("stepped", { at = input.at, what = "first" })
      linger(1000)
    end)
    for n = 1, 100 do ctx:put("parts", { at = input.at, n = n }) end
    ctx:step("second", function() ctx:put("stepped", { at = input.at, what = "second" }) end)
    linger(1500)
  end,
}
`;

// Each row found is one broken sentence of jobs: [what, which].
const BROKEN = [
  "select 'attempt rows', j.id from dts_job j where attempts <> (select count(*) from dts_run r where r.job = j.id)",
  "select 'two attempts of one epoch', job from dts_run group by job, epoch having count(*) > 1",
  "select 'outcome', id from dts_run where (outcome is null) <> (state = 'running')",
  "select 'attempt without lease', r.id from dts_run r join dts_job j on j.id = r.job where r.state = 'running' and (j.state <> 'leased' or j.epoch <> r.epoch)",
  "select 'lease without attempt', id from dts_job j where state = 'leased' and not exists (select 1 from dts_run r where r.job = j.id and r.epoch = j.epoch and r.state = 'running')",
  "select 'a failure that nobody caused', id from dts_job where retry_count > 0 or state in ('failed', 'quarantined', 'cancelled')",
  "select 'firing twice', pipeline from dts_firing where fire_time is not null group by pipeline, trigger, fire_time having count(*) > 1",
  "select 'ended firing with an open job', f.id from dts_firing f join dts_job j on j.firing = f.id where f.state = 'ended' and j.state in ('waiting', 'queued', 'leased')",
  "select 'open firing without an open job', f.id from dts_firing f where state = 'open' and not exists (select 1 from dts_job j where j.firing = f.id and j.state in ('waiting', 'queued', 'leased'))",
  "select 'date held by nobody', day from dts_gap g where held = 1 and not exists (select 1 from dts_job j where j.id = g.job and j.state in ('waiting', 'queued', 'leased'))",
  "select 'date filled without a row', series || day from dts_gap g where state = 'filled' and not exists (select 1 from q where q.k = g.series and q.day = g.day)",
  "select 'wrong row', k || day from q where v <> cast(replace(day, '-', '') as integer)",
  "select 'counted twice', n from counted group by n having count(*) > 1",
  "select 'counted with a hole', max(n) from counted having max(n) <> count(*)",
  "select 'half a checkpoint', max(n) from counted where (select state from dts_job where pipeline = 'count' order by id desc limit 1) = 'leased' having max(n) % 50 <> 0",
  "select 'tick twice', at from ticks group by at having count(*) > 1",
  "select 'tick without its job', at from ticks t where not exists (select 1 from dts_job j where j.pipeline = 'part' and j.key = t.at)",
  "select 'job without its tick', key from dts_job j where pipeline = 'part' and not exists (select 1 from ticks t where t.at = j.key)",
  "select 'part of a part', at from parts group by at having count(*) <> 100 or count(distinct n) <> 100",
  "select 'step twice', at || what from stepped group by at, what having count(*) > 1",
  "select 'done part without rows', key from dts_job j where pipeline = 'part' and state = 'done' and not exists (select 1 from parts p where p.at = j.key)",
];

function project() {
  const folder = mkdtempSync(join(tmpdir(), "dts-crash-"));
  mkdirSync(join(folder, "pipelines"));
  writeFileSync(join(folder, "pipelines", "all.lua"), SCRIPT);
  return folder;
}

async function ready(engine) { // it says where it listens
  for (let i = 0; i < 500 && !engine.said.includes("http://"); i++) await pause(20);
  assert.ok(engine.said.includes("http://"), engine.said);
}

function sql(folder, text) {
  const { stdout } = spawnSync(DTS, ["sql", text, "--json"], { cwd: folder, encoding: "utf8", maxBuffer: 1 << 26 });
  const said = JSON.parse(stdout);
  assert.ok(!said.error, said.error?.message);
  return Array.isArray(said) ? said : said.rows;
}

const number = (folder, text) => Number(Object.values(sql(folder, text)[0])[0]);

// Processes below the engine: its nursery, the nursery's workers.
function below(pid) {
  const found = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const parent = Number(readFileSync(`/proc/${name}/stat`, "utf8").replace(/^.*\) . /, "").split(" ")[0]);
      if (parent === pid) found.push(Number(name), ...below(Number(name)));
    } catch { /* it has gone meanwhile */ }
  }
  return found;
}

function isAlive(pid) { // one that nobody has waited for is dead all the same
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

async function allGone(pids) {
  for (let i = 0; i < 100; i++) {
    if (!pids.some(isAlive)) return;
    await pause(30);
  }
  assert.fail(`processes outlived their engine: ${pids.filter(isAlive)}`);
}

function check(folder, when) {
  const text = BROKEN.map((one) => `select * from (${one})`).join(" union all ");
  assert.deepEqual(sql(folder, text), [], when);
}

const COMPLETE = `select (select count(*) from q) = ${KEYS * DAYS} and (select count(*) from counted) = ${COUNT} as ok`;

test("nothing is lost, doubled or half done when the engine is killed", { timeout: BOUND + 80000 }, async (t) => {
  const folder = project(), port = await freePort(), begun = Date.now();
  let engine;
  t.after(() => {
    if (engine && engine.exitCode === null && engine.signalCode === null) engine.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  let kills = 0;
  for (; kills < KILLS && Date.now() - begun < BOUND; kills++) {
    engine = start(folder, port);
    if (kills % 4) await ready(engine); // every fourth is hit while it opens
    if (kills % 3 === 2) // and some are hit while they reload
      writeFileSync(join(folder, "pipelines", "all.lua"), `${SCRIPT}-- saved ${kills} times\n`);
    await pause(kills % 5 === 4 ? 1500 : Math.random() * 800); // a long one now and then: work must end, too
    const family = below(engine.pid);
    engine.kill("SIGKILL");
    assert.equal(await engine.gone, "SIGKILL", `the engine ended by itself:\n${engine.said}`);
    await allGone(family);
    if (kills % 6 === 5) check(folder, `after kill ${kills + 1}`); // a look at what lies there, with no engine running
  }
  assert.ok(kills >= 20, `only ${kills} kills in time`);
  const interrupted = number(folder, "select count(*) as n from dts_run where outcome = 'interrupted'");
  assert.ok(interrupted > 0, "no run was hit: the kills came too early or too late");

  engine = start(folder, port);
  await ready(engine);
  for (let i = 0; i < 150 && !number(folder, COMPLETE); i++) await pause(200);
  const family = below(engine.pid);
  engine.kill("SIGTERM");
  assert.equal(await engine.gone, 0, engine.said);
  await allGone(family);
  check(folder, "at the end");
  assert.equal(number(folder, COMPLETE), 1, "not all rows are there");
  assert.equal(number(folder, `select sum(n) as n from counted`), (COUNT * (COUNT + 1)) / 2);
  assert.equal(number(folder, "select count(*) as n from dts_gap where state = 'filled'"), KEYS * DAYS);
  const ticks = number(folder, "select count(*) as n from dts_job where pipeline = 'tick' and state = 'done'");
  assert.equal(number(folder, "select count(*) as n from ticks"), ticks);
  t.diagnostic(`${kills} kills, ${interrupted} runs interrupted, ${ticks} ticks, ${Date.now() - begun} ms`);
});
