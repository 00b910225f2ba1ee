// What a script does to itself it does to nobody else: an endless loop, a string of a gigabyte and a worker that is
// killed end one run, with an error that names the reason; engine, routes and other runs go on.
// SPDX-License-Identifier: MIT
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { pause, project, skip, until } from "./project.mjs";

const SCRIPT = `local dts = require "dts"
dts.table { name = "kept", key = { "n" }, columns = { "n integer" } }
dts.pipeline { name = "endless", retry = 0, limits = { cpu = "2s" }, run = function(ctx)
  ctx:put("kept", { n = 1 })
  while true do pcall(function() while true do end end) end
end }
dts.pipeline { name = "tireless", retry = 0, limits = { time = "1s" }, run = function(ctx)
  ctx:put("kept", { n = 0 })
  while true do dts.query("kept") end
end }
dts.pipeline { name = "giant", retry = 0, run = function(ctx)
  ctx:put("kept", { n = 2 })
  print(#string.rep("x", 1 << 30))
end }
dts.pipeline { name = "hoard", retry = 0, limits = { memory = "64MB" }, run = function()
  local all = {}
  while true do all[#all + 1] = pcall(string.rep, "x" .. #all, 1 << 20) and ("y" .. #all):rep(1 << 18) end
end }
dts.pipeline { name = "victim", retry = 0, run = function(ctx)
  ctx:put("kept", { n = 3 })
  while true do end
end }
dts.pipeline { name = "well", retry = 0, run = function(ctx) ctx:put("kept", { n = 4 }) end }
dts.route { "GET /api/pong", public = true, run = function() return { pong = true } end }
`;
let p;
let engine;
before(async () => {
  if (skip) return;
  p = project({});
  p.write("pipelines/limits.lua", SCRIPT);
  engine = await p.serve();
});
after(async () => { await p?.remove(); });

// Asked again and again until `over` is true: how often, and how long the slowest answer took.
async function asked(over) {
  let count = 0;
  let slowest = 0;
  while (!(await over())) {
    const began = performance.now();
    const [health, pong] = await Promise.all([fetch(`${engine.url}/healthz`), fetch(`${engine.url}/api/pong`)]);
    assert.deepEqual([health.status, pong.status, await pong.json()], [200, 200, { pong: true }]);
    slowest = Math.max(slowest, performance.now() - began);
    count += 1;
    await pause(20);
  }
  return { count, slowest };
}

async function begin(pipeline) {
  const reply = await engine.post("/api/v1/runs", { pipeline });
  assert.equal(reply.status, 202);
  return (await reply.json()).id;
}

const run = async (pipeline) => (await engine.rows(`select id, state, error from dts_runs where pipeline = '${pipeline}' order by id desc`))[0];
const ended = async (pipeline) => { const r = await run(pipeline); return r && r.state !== "running" ? r : undefined; };
const kept = async () => (await engine.rows("select n from kept order by n")).map((r) => r.n);

for (const [pipeline, named] of [["endless", /2(\.0)? s of processor time/], ["tireless", /\b1(\.0)? s/], ["giant", /256 MB of memory/], ["hoard", /64 MB of memory/]]) {
  test(`${pipeline}: ends with an error that names the limit, and the engine answers all the while`, { skip, timeout: 30000 }, async (t) => {
    await begin(pipeline);
    const { count, slowest } = await asked(async () => ended(pipeline));
    const { state, error } = await ended(pipeline);
    t.diagnostic(`${error} (${count} answers meanwhile, the slowest in ${Math.round(slowest)} ms)`);
    assert.equal(state, "failed");
    assert.match(error, named);
    assert.ok(slowest < 2000, `${slowest} ms`);
    assert.deepEqual((await kept()).filter((n) => n < 4), []);
  });
}

// The processes below the engine, with the processor time that each has used.
function workers(parent) {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
      return [{ pid: Number(pid), parent: Number(fields[1]), used: Number(fields[11]) + Number(fields[12]) }];
    } catch {
      return [];
    }
  });
  const below = (pid) => all.filter((x) => x.parent === pid).flatMap((x) => [x, ...below(x.pid)]);
  return below(parent);
}

// The worker that works: of the processes that the nursery made, the last one that used half of a quarter of a second.
async function busiest() {
  const before = new Map(workers(engine.pid).map((w) => [w.pid, w.used]));
  await pause(250);
  const busy = (w) => w.parent !== engine.pid && w.used - (before.get(w.pid) ?? w.used) > 12;
  return workers(engine.pid).filter(busy).sort((a, b) => b.pid - a.pid)[0];
}

async function goesOn() {
  assert.equal((await fetch(`${engine.url}/healthz`)).status, 200);
  assert.deepEqual(await (await fetch(`${engine.url}/api/pong`)).json(), { pong: true });
  const well = await p.dts("run", "well");
  assert.equal(well.status, 0, well.err);
  assert.deepEqual(await kept(), [4]);
}

test("a worker that is killed takes its own run with it and no more", { skip, timeout: 60000 }, async () => {
  await begin("victim");
  await until("the run", async () => (await run("victim"))?.state === "running");
  process.kill((await until("its process", busiest)).pid, "SIGKILL");
  const { state, error } = await until("its end", () => ended("victim"));
  assert.equal(state, "failed");
  assert.match(error, /signal 9|killed/i);
  await goesOn();
});

test("so does the process that workers are made by, which is made again", { skip, timeout: 60000 }, async () => {
  const nursery = workers(engine.pid).find((w) => w.parent === engine.pid);
  process.kill(nursery.pid, "SIGKILL");
  await until("another", () => workers(engine.pid).some((w) => w.parent === engine.pid && w.pid !== nursery.pid));
  await goesOn();
});
