// Hot reload: a saved script is live in under a second; a broken one leaves the last good version in service, and the
// engine says which file and line is at fault.
// SPDX-License-Identifier: MIT
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { project, skip, until } from "./project.mjs";

const FILE = "pipelines/answer.lua";
const script = (n) => `local dts = require "dts"\ndts.route { "GET /api/answer", public = true, run = function() return { n = ${n} } end }\n`;
let p;
let engine;
before(async () => {
  if (skip) return;
  p = project({});
  p.write(FILE, script(0));
  engine = await p.serve();
});
after(async () => { await p?.remove(); });

const answer = async () => (await (await fetch(`${engine.url}/api/answer`)).json()).n;
const faults = async () => (await engine.json("/api/v1/site")).faults;

async function takes(n) {
  const saved = performance.now();
  p.write(FILE, script(n));
  await until(`the answer ${n}`, async () => (await answer()) === n, 5000);
  return performance.now() - saved;
}

test("a saved script is live in under a second", { skip }, async (t) => {
  assert.equal(await answer(), 0);
  const times = [];
  for (let n = 1; n <= 7; n += 1) times.push(await takes(n));
  const shown = times.map((ms) => Math.round(ms)).sort((a, b) => a - b);
  t.diagnostic(`from save to the new answer: ${shown.join(", ")} ms`);
  assert.ok(shown[3] < 1000, `${shown} ms`);
});

test("a broken script leaves the last good version in service, and file and line are named", { skip }, async () => {
  await takes(10);
  p.write(FILE, 'local dts = require "dts"\ndts.route {\n  "GET /api/answer", public = true,\n  run = function( return 11 end\n}\n');
  const [fault] = await until("the fault", async () => { const list = await faults(); return list.length && list; });
  assert.deepEqual([fault.file, fault.line], [FILE, 4]);
  assert.ok(fault.message);
  for (let i = 0; i < 5; i += 1) assert.equal(await answer(), 10);

  p.write(FILE, 'local dts = require "dts"\ndts.route { "GET /api/answer", public = true,\n  runs = function() return 12 end }\n');
  const [misspelt] = await until("the second fault", async () => { const list = await faults(); return /runs/.test(list[0]?.message) && list; });
  assert.equal(misspelt.file, FILE);
  assert.match(`${misspelt.message} ${misspelt.hint}`, /did you mean 'run'/);
  assert.equal(await answer(), 10);

  await takes(13);
  assert.deepEqual(await faults(), []);
});

test("a fault shows at its pipeline, which goes on in its last good version", { skip }, async () => {
  const good = 'local dts = require "dts"\ndts.pipeline { name = "steady", run = function() print("here") end }\n';
  p.write("pipelines/steady.lua", good);
  const row = async () => (await engine.json("/api/v1/overview")).pipelines.find((x) => x.name === "steady");
  await until("the pipeline", row);
  p.write("pipelines/steady.lua", good + "\nthis is not Lua\n");
  const { fault } = await until("its fault", async () => { const r = await row(); return r?.fault && r; });
  assert.deepEqual([fault.file, fault.line], ["pipelines/steady.lua", 4]);
  const run = await p.dts("run", "steady");
  assert.equal(run.status, 0, run.err);
  rmSync(join(p.folder, "pipelines/steady.lua"));
  await until("it to be gone", async () => !(await row()));
});
