// An engine with nothing due sleeps: not one thread of `dts serve`, its nursery or its workers is woken, it is small,
// and whoever comes next, a request or SIGTERM, is heard at once.
//
//   DTS=build/dts node --test tests/systems/idle.test.mjs
//
// engine/serve/doze.c is why the accepting thread sleeps; with a CivetWeb that it does not reach, this fails.
// SPDX-License-Identifier: MIT
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pause, until } from "./project.mjs";
import { DTS } from "../program.mjs";

const QUIET_MS = 10000; // after that long it has given back what its work needed; a quiet connection is closed after 3 s
const WATCH_MS = 10000, LIMIT_KB = 16 * 1024;

const SCRIPT = `local dts = require "dts"
dts.table { name = "kept", key = { "day" }, columns = { "day date", "n integer" } }
dts.pipeline { name = "yearly", schedule = "@yearly", run = function(ctx) ctx:put("kept", { day = dts.today(), n = 1 }) end }
dts.dashboard { name = "kept", public = true, { "table", title = "Kept", from = "kept", columns = { "day", "n" } } }
dts.table { name = "numbers", key = { "n" }, columns = { "n integer" } }
dts.pipeline { name = "count", run = function(ctx) for n = 1, 300000 do ctx:put("numbers", { n = n }) end end }
dts.route { "GET /api/kept", public = true, run = function() return dts.query("kept") end }
`;

const text = (path) => { try { return readFileSync(path, "utf8"); } catch { return ""; } };
const parent = (pid) => Number(text(`/proc/${pid}/stat`).replace(/^.*\) . /s, "").split(" ")[0]);

function family(pid) {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number);
  const under = (one) => all.filter((other) => parent(other) === one).flatMap((other) => [other, ...under(other)]);
  return [pid, ...under(pid)];
}

// How often each thread was switched to and from, by process, thread and name.
function switches(pid) {
  const found = {};
  for (const one of family(pid)) {
    for (const thread of existsSync(`/proc/${one}/task`) ? readdirSync(`/proc/${one}/task`) : []) {
      const status = text(`/proc/${one}/task/${thread}/status`);
      const counts = [...status.matchAll(/ctxt_switches:\s+(\d+)/g)].map((match) => Number(match[1]));
      found[`${one}/${thread} ${/Name:\s+(.*)/.exec(status)?.[1]}`] = counts.reduce((a, b) => a + b, 0);
    }
  }
  return found;
}

// The threads there were, and which of them woke how often.
async function watch(pid, ms) {
  const before = switches(pid);
  await pause(ms);
  const after = switches(pid), threads = Object.keys(after);
  const woken = threads.filter((one) => after[one] !== before[one]);
  return { threads, woken: woken.map((one) => `${one}: ${after[one] - (before[one] ?? 0)}`) };
}

async function serve(t) {
  const folder = mkdtempSync(join(tmpdir(), "dts-idle-"));
  mkdirSync(join(folder, "pipelines"));
  writeFileSync(join(folder, "pipelines", "all.lua"), SCRIPT);
  const engine = spawn(DTS, ["serve", folder, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [engine.stdout, engine.stderr]) stream.on("data", (part) => { said += part; });
  const ended = new Promise((resolve) => { engine.on("exit", (code, signal) => resolve(signal ?? code)); });
  t.after(async () => {
    if (engine.exitCode === null && engine.signalCode === null) engine.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  const url = await until("dts serve to name its address", () => /^http:\S+?(?=\/#key=)/m.exec(said)?.[0]);
  return { pid: engine.pid, folder, url, ended, engine, said: () => said };
}

// The answer's status and how long it took; the connection stays open if the agent keeps it.
const ask = (url, agent) => new Promise((resolve, reject) => {
  const began = performance.now();
  get(url, { agent }, (reply) => {
    reply.resume();
    reply.on("end", () => resolve({ status: reply.statusCode, ms: performance.now() - began }));
  }).on("error", reject);
});

test("after its work no thread wakes when nothing is due, and a request and SIGTERM are heard at once", { timeout: 60000 }, async (t) => {
  const { pid, folder, url, ended, engine, said } = await serve(t);
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  assert.equal(spawnSync(DTS, ["run", "count"], { cwd: folder }).status, 0, said());
  assert.equal((await ask(`${url}/api/kept`, agent)).status, 200, said());
  await pause(QUIET_MS + 1500);
  const { threads, woken } = await watch(pid, WATCH_MS);
  assert.deepEqual(woken, [], `woken in ${WATCH_MS / 1000} s: ${woken.join(", ")}`);
  assert.ok(threads.some((one) => one.includes("civetweb-master")), "no thread that accepts was looked at");
  assert.ok(family(pid).length >= 3, "the nursery and the route's worker were not looked at");
  const rss = Number(/VmRSS:\s+(\d+)/.exec(text(`/proc/${pid}/status`))[1]);
  const sanitized = text(`/proc/${pid}/maps`).includes("libasan");
  if (!sanitized) assert.ok(rss <= LIMIT_KB, `${rss} KB resident`);
  const { status, ms } = await ask(`${url}/api/kept`, agent);
  assert.equal(status, 200);
  assert.ok(ms < 500, `the request after it took ${ms} ms`);
  const told = performance.now(); // the agent's connection is open
  engine.kill("SIGTERM");
  assert.equal(await ended, 0, said());
  const stopped = performance.now() - told;
  t.diagnostic(`${threads.length} threads, ${rss} KB, request ${ms.toFixed(1)} ms, stopped in ${stopped.toFixed(0)} ms`);
  assert.ok(stopped < 1500, `it stopped ${stopped} ms after SIGTERM`);
});

// A page that listens: its stream once it is open, to be ended by destroy().
const listen = (url) => new Promise((resolve, reject) => {
  get(`${url}/api/v1/stream`, { agent: false }, (reply) => { reply.on("error", () => {}).once("data", () => resolve(reply)); }).on("error", reject);
});

test("an open page hardly wakes it, and those that were left take no room", { timeout: 60000 }, async (t) => {
  const { pid, url, said } = await serve(t);
  for (let i = 0; i < 60; i++) {
    const left = await listen(url);
    assert.equal(left.statusCode, 200, `stream ${i + 1}: ${said()}`);
    left.destroy();
    await pause(10);
  }
  const open = await listen(url);
  t.after(() => open.destroy());
  await pause(2000);
  const { woken } = await watch(pid, 4000);
  assert.ok(woken.length <= 8 && woken.every((one) => /: [12]$/.test(one)), `woken in 4 s: ${woken.join(", ")}`);
});
