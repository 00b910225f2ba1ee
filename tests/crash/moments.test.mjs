// moments.test.mjs -- the engine is killed at chosen moments: right before the Nth write, sync, rename or unlink of
// its life, from the first one after exec to those of a loaded server. Events are posted, files moved in, replies
// and snapshots archived, roll-ups and kept views brought up to date meanwhile; each acknowledged event is kept once.
//
//   DTS=build-asan/dts node --test tests/crash/moments.test.mjs      (ROUNDS=24)
//
// A small library, compiled here with cc and preloaded, ends the engine's own process; nothing but loopback is used.
// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../servers/port.mjs";
import { DTS, start } from "./engine.mjs";

const ROUNDS = Number(process.env.ROUNDS ?? 24), BOUND = 28000, LINES = 2000;
const skip = spawnSync("cc", ["--version"]).status === 0 ? false : "there is no C compiler";

const DIE = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>
static atomic_int calls;
static int at;
static pid_t owner;
__attribute__((constructor)) static void begin(void) {
  at = atoi(getenv("DIE_AT"));
  owner = getpid();
}
static void count(void) {
  if (at && getpid() == owner && atomic_fetch_add(&calls, 1) + 1 == at) kill(owner, SIGKILL);
}
#define CALL(result, name, params, given)                                                          \\
  result name params {                                                                             \\
    result (*real) params = (result(*) params)dlsym(RTLD_NEXT, #name);                             \\
    count();                                                                                       \\
    return real given;                                                                             \\
  }
CALL(int, fsync, (int a), (a))
CALL(int, fdatasync, (int a), (a))
CALL(int, rename, (const char *a, const char *b), (a, b))
CALL(int, unlink, (const char *a), (a))
CALL(ssize_t, pwrite, (int a, const void *b, size_t c, off_t d), (a, b, c, d))
CALL(ssize_t, pwrite64, (int a, const void *b, size_t c, off_t d), (a, b, c, d))
`;

const SCRIPT = `
local dts = require "dts"
dts.table { name = "ev", columns = { "id text" } }
dts.table { name = "fl", columns = { "file text", "n integer" } }
dts.table { name = "snap", columns = { "run integer" } }
dts.table { name = "m", key = { "k", "t" }, columns = { "k text", "t timestamp", "v integer" } }
dts.rollup { name = "mr", from = "m", time = "t", by = { "k" }, every = { "hour", "day" }, measures = { "count(*) as c", "sum(v) as s" } }
dts.rollup { name = "mm", from = "mr_hour", time = "period", by = { "k" }, every = "month", measures = { "sum(c) as c", "sum(s) as s" } }
dts.view { name = "kept", keep = true, sql = "select k, count(*) as c, sum(v) as s from m group by k" }
dts.pipeline { name = "evs", ingest = { id = "id", archive = true, batch = 50, wait = "50ms" }, run = function(ctx, events)
  for _, e in ipairs(events) do ctx:put("ev", { id = e.id }) end
end }
dts.pipeline { name = "files", files = "incoming/*.csv", run = function(ctx, file)
  for row in file:rows() do ctx:put("fl", { file = file.name, n = tonumber(row.n) }) end
end }
dts.pipeline { name = "meas", every = "1s", run = function(ctx)
  for i = 1, 300 do
    ctx:put("m", { k = "k" .. i % 7, t = ("2026-11-%02dT%02d:%02d:00Z"):format(15 + i % 6, i * 7 % 24, i * 13 % 60), v = i * ctx.run })
  end
  ctx:archive("own", ("body %d "):format(ctx.run):rep(500))
  ctx:put("snap", { run = ctx.run })
end }
`;

// Each row found is one broken sentence.
const BROKEN = [
  "select 'attempt rows', j.id from dts_job j where attempts <> (select count(*) from dts_run r where r.job = j.id)",
  "select 'two attempts of one epoch', job from dts_run group by job, epoch having count(*) > 1",
  "select 'outcome', id from dts_run where (outcome is null) <> (state = 'running')",
  "select 'lease without attempt', id from dts_job j where state = 'leased' and not exists (select 1 from dts_run r where r.job = j.id and r.epoch = j.epoch and r.state = 'running')",
  "select 'a failure that nobody caused', id from dts_job where retry_count > 0 or state in ('failed', 'quarantined', 'cancelled')",
  "select 'firing twice', pipeline from dts_firing where fire_time is not null group by pipeline, trigger, fire_time having count(*) > 1",
  "select 'open firing without an open job', f.id from dts_firing f where state = 'open' and not exists (select 1 from dts_job j where j.firing = f.id and j.state in ('waiting', 'queued', 'leased'))",
  "select 'event twice', id from ev group by id having count(*) > 1",
  `select 'part of a file', file from fl group by file having count(*) <> ${LINES} or count(distinct n) <> ${LINES}`,
  "select 'file without its job', name from dts_file f where not exists (select 1 from dts_job j where j.id = f.job)",
  "select 'snapshots', count(*) from snap having count(*) <> (select count(*) from dts_archive where source = 'own')",
];
const ROLLED = [
  "select 'hour', k from (select k, substr(t, 1, 13) as h, count(*) as c, sum(v) as s from m group by 1, 2) a where not exists (select 1 from mr_hour r where r.k = a.k and substr(r.period, 1, 13) = h and r.c = a.c and r.s = a.s)",
  "select 'day', k from (select k, substr(t, 1, 10) as d, count(*) as c, sum(v) as s from m group by 1, 2) a where not exists (select 1 from mr_day r where r.k = a.k and r.period = d and r.c = a.c and r.s = a.s)",
  "select 'month', k from (select k, count(*) as c, sum(v) as s from m group by 1) a where not exists (select 1 from mm_month r where r.k = a.k and r.c = a.c and r.s = a.s)",
  "select 'kept', k from (select k, count(*) as c, sum(v) as s from m group by 1) a where not exists (select 1 from kept r where r.k = a.k and r.c = a.c and r.s = a.s)",
];

function project() {
  const folder = mkdtempSync(join(tmpdir(), "dts-moments-"));
  for (const name of ["pipelines", "incoming"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "pipelines", "all.lua"), SCRIPT);
  writeFileSync(join(folder, "dts.lua"), 'return { timezone = "UTC" }');
  writeFileSync(join(folder, "die.c"), DIE);
  execFileSync("cc", ["-shared", "-fPIC", "-w", "-o", join(folder, "die.so"), join(folder, "die.c"), "-ldl"]);
  return folder;
}

function dying(folder, dieAt) {
  const given = process.env.ASAN_OPTIONS, options = `${given ? `${given}:` : ""}verify_asan_link_order=0`;
  return { ...process.env, LD_PRELOAD: join(folder, "die.so"), DIE_AT: String(dieAt), ASAN_OPTIONS: options };
}

function ask(folder, ...words) {
  return spawnSync(DTS, words, { cwd: folder, encoding: "utf8", maxBuffer: 1 << 26 }).stdout;
}
const sql = (folder, text) => JSON.parse(ask(folder, "sql", text, "--json"));
const check = (folder, list, when) => assert.deepEqual(sql(folder, list.map((one) => `select * from (${one})`).join(" union all ")), [], when);

// Posts until told to stop: a batch that was not answered is sent again, as a client does.
async function post(load, url) {
  for (let batch = 0; !load.stop; batch++) {
    const ids = Array.from({ length: 10 }, (_, i) => `e${batch}-${i}`);
    const body = ids.map((id) => JSON.stringify({ id })).join("\n");
    const headers = { "content-type": "application/x-ndjson", authorization: `Bearer ${load.key}` };
    for (let attempt = 0; attempt < 3; attempt++) {
      const reply = await fetch(url, { method: "POST", body, headers, signal: AbortSignal.timeout(4000) }).catch(() => null);
      if (reply?.status === 202) load.kept.push(...ids);
      if (reply?.status === 202) break;
      await pause(30);
    }
    await pause(5);
  }
}

async function move(load, folder) {
  for (; !load.stop; load.files++) {
    const rows = Array.from({ length: LINES }, (_, i) => load.files * 100000 + i).join("\n");
    writeFileSync(join(folder, "passing"), `n\n${rows}\n`);
    renameSync(join(folder, "passing"), join(folder, "incoming", `${load.files}.csv`));
    await pause(300);
  }
}

test("the engine is killed before chosen writes", { skip, timeout: 90000 }, async (t) => {
  const folder = project(), port = await freePort(), begun = Date.now();
  const load = { stop: false, kept: [], files: 0, key: ask(folder, "key", "add", "w", "--scope", "write").split("\n")[0] };
  let engine, hits = 0;
  t.after(() => {
    load.stop = true;
    if (engine && engine.exitCode === null && engine.signalCode === null) engine.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  const loads = [post(load, `http://127.0.0.1:${port}/api/v1/ingest/evs`), move(load, folder)];
  for (let round = 0; round < ROUNDS && Date.now() - begun < BOUND; round++) {
    const early = round % 3 === 0; // in the middle of its start
    engine = start(folder, port, dying(folder, early ? 1 + round : 20 + Math.floor(Math.random() * 500)));
    const late = setTimeout(() => engine.kill(round % 2 ? "SIGKILL" : "SIGTERM"), early ? 1500 : 2500);
    const how = await engine.gone;
    clearTimeout(late);
    assert.ok(how === "SIGKILL" || how === 0, `the engine ended by itself, with ${how}:\n${engine.said}`);
    if (how === "SIGKILL") hits++;
    if (round % 6 === 5) check(folder, BROKEN, `after round ${round + 1}`);
  }
  assert.ok(hits > 5, `only ${hits} kills in time`);
  engine = start(folder, port);
  await pause(1500);
  load.stop = true;
  await Promise.all(loads);
  const rest = `select (select count(*) from dts_event where job is null) + (select count(*) from dts_job where state in ('queued', 'leased') and pipeline <> 'meas') + ${load.files} - (select count(distinct file) from fl) as n`;
  for (let i = 0; i < 100 && Number(sql(folder, rest)[0].n); i++) await pause(150);
  engine.kill("SIGTERM");
  assert.equal(await engine.gone, 0, engine.said);
  check(folder, [...BROKEN, ...ROLLED], "at the end");
  const there = new Set(sql(folder, "select id from ev limit 1000000").map((row) => row.id));
  assert.deepEqual(load.kept.filter((id) => !there.has(id)), [], "acknowledged and lost");
  assert.equal(Number(sql(folder, "select count(distinct file) as n from fl")[0].n), load.files, "a file is missing");
  const named = sql(folder, "select object from dts_archive union select sha256 from dts_file");
  const have = new Set(readdirSync(join(folder, "var", "objects")).filter((name) => name.length === 2).flatMap((name) =>
    readdirSync(join(folder, "var", "objects", name)).map((file) => name + file.replace(/\..*/, ""))));
  assert.deepEqual(named.filter((row) => !have.has(row.object)), [], "named and not there");
  assert.ok(!existsSync(join(folder, "var", "dts.sock")));
  t.diagnostic(`${hits} kills, ${load.kept.length} events acknowledged, ${load.files} files, ${Date.now() - begun} ms`);
});
