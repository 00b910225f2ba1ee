// breaker.test.mjs -- a source that is down: its breaker opens, and then nothing is leased for it, so that no attempt and
// no retry is burned; other pipelines go on, and when the source is back its jobs are done.
// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { DTS } from "../program.mjs";

const JOBS = 40;

const script = (port) => `
local dts = require "dts"
local source = dts.source { name = "ill", url = "http://127.0.0.1:${port}" }
dts.pipeline { name = "asks", params = { n = "integer" }, retry = 3, run = function(ctx) source:get("/") end }
dts.pipeline { name = "well", params = { n = "integer" }, run = function() end }
dts.pipeline { name = "feed", run = function(ctx)
  for n = 1, ${JOBS} do ctx:enqueue("asks", { n = n }); ctx:enqueue("well", { n = n }) end
end }
`;

test("nothing is leased for a destination whose breaker is open", { timeout: 90000 }, async (t) => {
  let asked = 0;
  const source = createServer((rq, rp) => { asked++; rp.writeHead(500).end("ill"); }).listen(0, "127.0.0.1");
  await new Promise((listening) => source.on("listening", listening));
  const folder = mkdtempSync(join(tmpdir(), "dts-breaker-"));
  mkdirSync(join(folder, "pipelines"));
  writeFileSync(join(folder, "pipelines", "all.lua"), script(source.address().port));
  writeFileSync(join(folder, "dts.lua"), "return { workers = 6 }\n");
  const engine = spawn(DTS, ["serve", folder, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "ignore"] });
  t.after(() => { engine.kill("SIGKILL"); source.close(); rmSync(folder, { recursive: true, force: true }); });
  const sql = (text) => JSON.parse(spawnSync(DTS, ["sql", "--json", text], { cwd: folder, encoding: "utf8" }).stdout)[0];
  await new Promise((said) => engine.stdout.once("data", said));
  spawnSync(DTS, ["run", "feed"], { cwd: folder });
  const well = "select count(*) as n from dts_job where pipeline = 'well' and state = 'done'";
  for (let i = 0; i < 250 && sql(well).n < JOBS; i++) await pause(100);
  assert.equal(sql(well).n, JOBS);
  await pause(3000); // retries of the first ones are due, and the breaker is open for about half a minute
  const attempts = "select count(*) as n from dts_run where pipeline = 'asks'", before = sql(attempts).n, said = asked;
  await pause(4000);
  assert.equal(sql(attempts).n, before, "attempts were made at a broken destination");
  assert.equal(asked, said);
  assert.ok(before >= 1 && before < JOBS, `${before} attempts`);
  assert.equal(sql("select count(*) as n from dts_job where pipeline = 'asks' and state = 'queued'").n > 0, true);
  assert.equal(sql("select coalesce(sum(state = 'quarantined'), 0) as n from dts_job").n, 0);
});
