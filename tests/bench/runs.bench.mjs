// Durable runs of an empty job under `dts serve`: how many a second, how long from enqueue to the first line of the
// script on an idle server, and how long a start takes with a full queue. ./dev bench runs
//
// A figure is what the engine's own tables say: a run's start and end in dts_run, a job's creation in dts_job.
// SPDX-License-Identifier: MIT
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { single } from "./pair.mjs";
import { DTS as dts } from "../program.mjs";

const JOBS = Number(process.env.JOBS ?? 20_000), SINGLE = 60, QUEUED = 10_000;

const SCRIPT = `
local dts = require "dts"
dts.table { name = "begun", columns = { "posted text", "at text" } }
dts.pipeline { name = "empty", params = { n = "integer = 0" }, run = function() end }
dts.pipeline { name = "one", params = { posted = "text" }, retry = 0, run = function(ctx, params)
  local now = dts.now()
  ctx:put("begun", { posted = params.posted, at = now })
end }
dts.pipeline { name = "feed", params = { n = "integer" }, limits = { cpu = "60s" }, run = function(ctx, params)
  for n = 1, params.n do ctx:enqueue("empty", { n = n }) end
end }
`;

const folder = mkdtempSync(join(tmpdir(), "dts-runs-"));
mkdirSync(join(folder, "pipelines"));
writeFileSync(join(folder, "pipelines", "runs.lua"), SCRIPT);
writeFileSync(join(folder, "dts.lua"), `return { name = "runs" }\n`);
const sql = (text) => JSON.parse(execFileSync(dts, ["sql", "--json", text], { cwd: folder }))[0];
const open = () => sql("select count(*) as n from dts_job where state in ('queued', 'leased', 'waiting')").n;

let engine, address, key;
async function start() {
  const begun = performance.now();
  engine = spawn(dts, ["serve", ".", "--listen", "127.0.0.1:0"], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  engine.stdout.on("data", (bytes) => (said += bytes));
  while (!/#key=\S+/.test(said)) await pause(2);
  [, address, key] = said.match(/(http:\/\/[^/]+)\/#key=(\S+)/);
  return performance.now() - begun;
}

async function stop(signal = "SIGTERM") {
  const gone = new Promise((ended) => engine.on("exit", ended));
  engine.kill(signal);
  await gone;
}

const enqueue = (pipeline, params) => fetch(`${address}/api/v1/runs`, {
  method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
  body: JSON.stringify({ pipeline, params }),
}).then((r) => r.status);

async function rate() {
  const before = sql("select coalesce(max(id), 0) as n from dts_run").n;
  execFileSync(dts, ["run", "feed", "--param", `n=${JOBS}`], { cwd: folder, stdio: "ignore" });
  while (open()) await pause(200);
  const run = `from dts_run where pipeline = 'empty' and id > ${before}`;
  const { n, ms, done } = sql(`select count(*) as n, max(ended) - min(started) as ms, sum(state = 'done') as done ${run}`);
  if (n !== JOBS || done !== JOBS) throw Error(`${n} runs, ${done} done, of ${JOBS}`);
  return (n * 1000) / ms;
}

async function latencies() {
  for (let i = 0; i < SINGLE; i++) {
    await enqueue("one", { posted: new Date().toISOString() });
    await pause(20);
  }
  while (open()) await pause(50);
  const pairs = sql("select group_concat(posted || '/' || at) as pairs from begun").pairs.split(",");
  return pairs.map((pair) => pair.split("/").map((at) => Date.parse(at))).map(([posted, at]) => at - posted);
}

try {
  await start();
  const figures = [await rate(), await rate()];
  await pause(500);
  const waits = await latencies();
  await stop("SIGKILL");
  writeFileSync(join(folder, "pipelines", "slow.lua"), `
    local dts = require "dts"
    dts.pipeline { name = "slow", run = function() local t = 0 for i = 1, 3e7 do t = t + i end end }
    dts.pipeline { name = "fill", limits = { cpu = "60s" }, run = function(ctx)
      for n = 1, ${QUEUED} do ctx:enqueue("slow") end
    end }`);
  execFileSync(dts, ["check"], { cwd: folder });
  await start();
  await enqueue("fill", {});
  for (let i = 0; i < 200 && open() < QUEUED - 20; i++) await pause(50);
  await stop("SIGKILL");
  const starts = [];
  for (let i = 0; i < 3; i++) { starts.push(await start()); await stop("SIGKILL"); }
  const left = open();
  if (left < QUEUED * 0.9) throw Error(`only ${left} jobs are left of ${QUEUED}`);
  single(`durable runs of an empty job, ${JOBS} of them`, figures, { unit: "a second", goal: { atLeast: 500 } });
  single("from POST to the script's first line, idle server", waits, { unit: "ms", goal: { atMost: 5 } });
  single(`a start with ${left} jobs in the queue, after kill -9`, starts, { unit: "ms", goal: { atMost: 1000 } });
} finally {
  if (engine.exitCode === null && engine.signalCode === null) engine.kill("SIGKILL");
  if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
}
