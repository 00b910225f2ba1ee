// Clients that hold a connection and hardly move: heads that never end, heads and bodies that drip, connections kept open,
// readers that do not read. While they do, whoever else asks is answered at once, and memory stays bounded.
//
//   DTS=build/dts node --test tests/systems/slow.test.mjs
//
// SPDX-License-Identifier: MIT
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pause, until } from "./project.mjs";
import { DTS } from "../program.mjs";

const SOON_MS = 1000, GROWTH_KB = 256 * 1024;

const SCRIPT = `local dts = require "dts"
dts.pipeline { name = "hooks", ingest = { signature = { header = "X-Sig", secret = "hook" } }, run = function(ctx) end }
dts.route { "GET /api/long", public = true, cache = "1h", run = function() return { text = ("x"):rep(5 << 20) } end }
dts.route { "POST /api/take", public = true, run = function(request) return { ok = true } end }
`;

let folder, engine, url, port, key, ended, said = "";

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "dts-slow-"));
  mkdirSync(join(folder, "pipelines"));
  writeFileSync(join(folder, "pipelines", "all.lua"), SCRIPT);
  engine = spawn(DTS, ["serve", folder, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [engine.stdout, engine.stderr]) stream.on("data", (part) => { said += part; });
  ended = new Promise((resolve) => { engine.on("exit", (code, signal) => resolve(signal ?? code)); });
  [, url, port, key] = await until("dts serve to name its address", () => /^(http:\S+:(\d+))\/#key=(\S+)/m.exec(said));
});

after(async () => {
  if (engine.exitCode === null && engine.signalCode === null) engine.kill("SIGKILL");
  await ended;
  rmSync(folder, { recursive: true, force: true });
});

// Many clients at once: each says `first`, then one of the characters of `drip` each second. `paused`: they never read.
async function crowd(t, count, first, { drip = "", paused = false } = {}) {
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    if (paused) socket.pause(); else socket.resume();
    socket.write(first);
    return socket;
  });
  let at = 0;
  const timer = drip && setInterval(() => {
    for (const socket of sockets) if (!socket.destroyed) socket.write(drip[at % drip.length]);
    at++;
  }, 1000);
  t.after(() => {
    clearInterval(timer);
    for (const socket of sockets) socket.destroy();
  });
  await pause(300);
  return sockets;
}

const fresh = () => new Promise((resolve, reject) => {
  const began = performance.now();
  get(`${url}/healthz`, { agent: false, timeout: 8000 }, (reply) => {
    reply.resume().on("end", () => resolve({ status: reply.statusCode, ms: performance.now() - began }));
  }).on("timeout", function () { this.destroy(new Error("no answer within 8 s")); }).on("error", reject);
});

const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${engine.pid}/status`, "utf8"))[1]);

// Three strangers, half a second apart.
async function others(t, soon = SOON_MS) {
  const took = [];
  for (let i = 0; i < 3; i++) {
    const { status, ms } = await fresh();
    assert.equal(status, 200, said);
    took.push(Math.round(ms));
    await pause(500);
  }
  t.diagnostic(`answered in ${took.join(", ")} ms; ${Math.round(resident() / 1024)} MB resident`);
  assert.ok(Math.max(...took) < soon, `answered in ${took.join(", ")} ms`);
}

const head = (line, ...fields) => [line, "Host: localhost", ...fields, "", ""].join("\r\n");

test("heads that never end", { timeout: 30000 }, async (t) => {
  await crowd(t, 400, "GET /healthz HTTP/1.1\r\nHost: local");
  await others(t);
});

test("connections that say nothing", { timeout: 30000 }, async (t) => {
  await crowd(t, 400, "");
  await others(t);
});

test("heads of a byte a second", { timeout: 30000 }, async (t) => {
  await crowd(t, 400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ", { drip: "y" });
  await others(t);
});

test("connections that are kept and ask no more", { timeout: 30000 }, async (t) => {
  await crowd(t, 200, head("GET /healthz HTTP/1.1"));
  await others(t);
});

test("second heads of a byte a second", { timeout: 30000 }, async (t) => {
  await crowd(t, 200, head("GET /healthz HTTP/1.1"), { drip: "GET /healthz" });
  await others(t);
});

test("bodies of a byte a second that need no key", { timeout: 30000 }, async (t) => {
  await crowd(t, 100, head("POST /api/v1/session HTTP/1.1", "Content-Length: 1000000"), { drip: " " });
  await crowd(t, 50, head("POST /api/take HTTP/1.1", "Content-Length: 1000000"), { drip: " " });
  await crowd(t, 50, head("POST /api/v1/ingest/hooks HTTP/1.1", "Content-Length: 1000000"), { drip: " " });
  await others(t);
});

test("uploads of a byte a second", { timeout: 30000 }, async (t) => {
  const body = JSON.stringify({ name: "slow.csv" });
  const reply = await fetch(`${url}/api/v1/uploads`, { method: "POST", body, headers: { Authorization: `Bearer ${key}` } });
  const { url: address } = await reply.json();
  await crowd(t, 100, head(`PUT ${address} HTTP/1.1`, "Content-Length: 1000000"), { drip: "a" });
  await others(t);
});

test("readers of a large answer that do not read", { timeout: 30000 }, async (t) => {
  assert.equal((await fetch(`${url}/api/long`)).status, 200, said);
  const before = resident();
  await crowd(t, 100, head("GET /api/long HTTP/1.1"), { paused: true });
  await others(t, 2 * SOON_MS); // to copy half a gigabyte is work
  const grown = resident() - before;
  t.diagnostic(`${Math.round(grown / 1024)} MB more`);
  const sanitized = readFileSync(`/proc/${engine.pid}/maps`, "utf8").includes("libasan"); // it keeps what was freed
  assert.ok(sanitized || grown < GROWTH_KB, `${Math.round(grown / 1024)} MB more`);
});

test("it is small again, and stops at once", { timeout: 30000 }, async (t) => {
  await crowd(t, 400, "GET /healthz HTTP/1.1\r\n");
  const told = performance.now();
  engine.kill("SIGTERM");
  assert.equal(await ended, 0, said);
  assert.ok(performance.now() - told < 1500, `it stopped ${performance.now() - told} ms after SIGTERM`);
});
