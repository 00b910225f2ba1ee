// workers.test.mjs -- workers and their nursery are killed and stopped while the engine lives: each death is one
// failed attempt, the third by one job is poison, nothing is done twice, and the engine goes on.
//
//   DTS=build-asan/dts node --test tests/crash/workers.test.mjs      (SECONDS=6)
//
// Processes are ended by their id; nothing but loopback is used.
// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { DTS } from "../program.mjs";

const SECONDS = Number(process.env.SECONDS ?? 6), JOBS = 60;

const SCRIPT = `
local dts = require "dts"
local function linger(n) for _ = 1, n do dts.now() end end
dts.table { name = "parts", columns = { "job text", "n integer" } }
dts.pipeline { name = "part", params = { at = "text" }, retry = 20, run = function(ctx, input)
  for n = 1, 20 do
    ctx:put("parts", { job = input.at, n = n })
    linger(60)
  end
end }
dts.pipeline { name = "slow", retry = 0, limits = { time = "1s" }, run = function() while true do linger(10) end end }
dts.pipeline { name = "feed", run = function(ctx)
  for n = 1, ${JOBS} do ctx:enqueue("part", { at = tostring(n) }, { key = tostring(n) }) end
end }
`;

const BROKEN = [
  "select 'attempt rows', j.id from dts_job j where attempts <> (select count(*) from dts_run r where r.job = j.id)",
  "select 'failures', id from dts_job j where retry_count <> (select count(*) from dts_run r where r.job = j.id and r.outcome = 'failed')",
  "select 'deaths', id from dts_job j where worker_deaths > 3 or (worker_deaths = 3) <> (state = 'quarantined' and reason = 'poison')",
  "select 'attempt without lease', r.id from dts_run r join dts_job j on j.id = r.job where r.state = 'running' and (j.state <> 'leased' or j.epoch <> r.epoch)",
  "select 'part of a part', job from parts group by job having count(*) <> 20 or count(distinct n) <> 20",
  "select 'rows of a job that is not done', p.job from parts p join dts_job j on j.key = p.job where j.state <> 'done'",
  "select 'done without rows', key from dts_job j where pipeline = 'part' and state = 'done' and not exists (select 1 from parts p where p.job = j.key)",
].map((one) => `select * from (${one})`).join(" union all ");

function children(pid) {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).filter((name) => {
    try {
      return Number(readFileSync(`/proc/${name}/stat`, "utf8").replace(/^.*\) . /, "").split(" ")[0]) === pid;
    } catch { return false; }
  }).map(Number);
}

const end = (pid, signal) => { try { process.kill(pid, signal); } catch { /* it has gone meanwhile */ } };

async function serve(t) {
  const folder = mkdtempSync(join(tmpdir(), "dts-workers-"));
  mkdirSync(join(folder, "pipelines"));
  writeFileSync(join(folder, "pipelines", "all.lua"), SCRIPT);
  const engine = spawn(DTS, ["serve", folder, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [engine.stdout, engine.stderr]) stream.on("data", (bytes) => (said += bytes));
  const gone = new Promise((ended) => engine.on("exit", (code) => ended(code)));
  t.after(() => {
    if (engine.exitCode === null && engine.signalCode === null) engine.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  for (let i = 0; i < 500 && !said.includes("http://"); i++) await pause(20);
  const ask = (...words) => spawnSync(DTS, words, { cwd: folder, encoding: "utf8" }).stdout;
  return { engine, gone, ask, said: () => said, sql: (text) => JSON.parse(ask("sql", "--json", text)) };
}

test("workers and the nursery are killed under load", { timeout: 90000 }, async (t) => {
  const { engine, gone, ask, said, sql } = await serve(t);
  ask("run", "feed");
  const until = Date.now() + SECONDS * 1000;
  for (let round = 0; Date.now() < until; round++) {
    const [nursery] = children(engine.pid), workers = nursery ? children(nursery) : [];
    if (round % 12 === 11 && nursery) end(nursery, "SIGKILL");
    else if (workers.length) end(workers[Math.floor(Math.random() * workers.length)], "SIGKILL");
    await pause(Math.random() * 300);
  }
  assert.equal(engine.exitCode, null, said());
  assert.ok(sql("select count(*) as n from dts_run where outcome = 'failed'")[0].n > 3, "no run was hit");
  assert.deepEqual(sql(BROKEN), []);
  const open = "select count(*) as n from dts_job where state in ('waiting', 'queued', 'leased')"; // a retry may be due in seconds
  for (let i = 0; i < 400 && sql(open)[0].n; i++) await pause(100);
  assert.equal(sql(open)[0].n, 0, "the engine has stopped working");
  end(engine.pid, "SIGTERM");
  assert.equal(await gone, 0, said());
  assert.deepEqual(sql(BROKEN), []);
  assert.equal(sql("select count(*) as n from dts_job where pipeline = 'part'")[0].n, JOBS);
});

test("a worker that is stopped is replaced at its time limit, and says nothing afterwards", { timeout: 30000 }, async (t) => {
  const { engine, gone, ask, sql } = await serve(t);
  const runs = spawn(DTS, ["run", "slow"], { cwd: engine.spawnargs[2], stdio: "ignore" });
  let workers = [];
  for (let i = 0; i < 100 && !workers.length; i++) {
    const [nursery] = children(engine.pid);
    workers = nursery ? children(nursery) : [];
    await pause(20);
  }
  workers.forEach((pid) => end(pid, "SIGSTOP"));
  await new Promise((ended) => runs.on("exit", ended));
  workers.forEach((pid) => end(pid, "SIGCONT"));
  assert.match(sql("select error from dts_run where pipeline = 'slow'")[0].error, /LIMIT_TIME/);
  assert.match(ask("run", "feed"), /done/);
  end(engine.pid, "SIGTERM");
  assert.equal(await gone, 0);
});

test("a second signal ends the engine at once; its jobs are found again", { timeout: 30000 }, async (t) => {
  const { engine, gone, ask, sql } = await serve(t);
  ask("run", "feed");
  end(engine.pid, "SIGTERM");
  end(engine.pid, "SIGINT");
  const begun = Date.now();
  await gone;
  assert.ok(Date.now() - begun < 5000);
  assert.equal(sql(`select count(*) as n from dts_job where pipeline = 'part' and retry_count = 0`)[0].n, JOBS);
  assert.deepEqual(sql(BROKEN), []);
});
