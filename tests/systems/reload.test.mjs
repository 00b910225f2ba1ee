// Hot reload: a saved script is live in under a second, however an editor saves it; a broken one leaves the last good
// version in service, and the engine says which file and line is at fault; what cannot be read harms nobody.
// SPDX-License-Identifier: MIT
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, copyFileSync, mkdirSync, openSync, closeSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pause, project, skip, until } from "./project.mjs";

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

// ---- how editors save ----

const at = (name) => join(p.folder, name);
const DANCES = {
  "in place": (text) => writeFileSync(at(FILE), text),
  "in two halves": (text) => {
    const fd = openSync(at(FILE), "w");
    writeSync(fd, text.slice(0, 40));
    execFileSync("sleep", ["0.12"]);
    writeSync(fd, text.slice(40));
    closeSync(fd);
  },
  "vim: a probe, a backup by renaming, a new file": (text) => {
    writeFileSync(at("pipelines/4913"), "");
    unlinkSync(at("pipelines/4913"));
    renameSync(at(FILE), at(`${FILE}~`));
    writeFileSync(at(FILE), text);
    unlinkSync(at(`${FILE}~`));
  },
  "emacs: a lock that leads nowhere, a backup": (text) => {
    symlinkSync("ana@host.1234:1", at("pipelines/.#answer.lua"));
    copyFileSync(at(FILE), at(`${FILE}~`));
    writeFileSync(at("pipelines/#answer.lua#"), text.slice(0, 10));
    writeFileSync(at(FILE), text);
    for (const left of [".#answer.lua", "#answer.lua#", "answer.lua~"]) unlinkSync(at(`pipelines/${left}`));
  },
  "with the mark and the line ends of Windows": (text) => writeFileSync(at(FILE), `\uFEFF${text.replaceAll("\n", "\r\n")}`),
  "a new file renamed over it": (text) => {
    writeFileSync(at("pipelines/answer.lua.tmp-1"), text);
    renameSync(at("pipelines/answer.lua.tmp-1"), at(FILE));
  },
  "deleted, and there again after a while": (text) => {
    unlinkSync(at(FILE));
    execFileSync("sleep", ["0.15"]);
    writeFileSync(at(FILE), text);
  },
  "the folder exchanged": (text) => {
    mkdirSync(at("fresh"));
    execFileSync("cp", ["-r", `${at("pipelines")}/.`, at("fresh")]);
    writeFileSync(at("fresh/answer.lua"), text);
    renameSync(at("pipelines"), at("stale"));
    renameSync(at("fresh"), at("pipelines"));
    rmSync(at("stale"), { recursive: true });
  },
};

test("whatever way an editor saves, the new text is live and the old one was till then", { skip }, async (t) => {
  let n = 100;
  for (const [name, save] of Object.entries(DANCES)) {
    n += 1;
    save(script(n));
    await until(`${n}, saved ${name}`, async () => { const m = await answer(); assert.ok(m === n || m === n - 1 || n === 101, `${name}: ${m}`); return m === n; }, 5000);
    t.diagnostic(name);
  }
  assert.deepEqual(await faults(), []);
  assert.ok(!/removed pipelines\/answer.lua/.test(engine.said()), engine.said());
});

test("twenty saves in two seconds, halves among them, end in the last one", { skip }, async () => {
  for (let n = 201; n <= 220; n += 1) {
    if (n % 3 === 0) writeFileSync(at(FILE), script(n).slice(0, 60));
    else writeFileSync(at(FILE), script(n));
    assert.ok((await answer()) >= 107);
    await pause(100);
  }
  await takes(221);
  assert.deepEqual(await faults(), []);
});

test("touching a file, and saves of what is no script, change nothing", { skip }, async () => {
  const before = engine.said().length;
  utimesSync(at(FILE), new Date(), new Date());
  writeFileSync(at("pipelines/notes.txt"), "no script");
  writeFileSync(at("pipelines/.answer.lua.swp"), "b0VIM");
  await pause(400);
  assert.ok(!/reloaded|fault/.test(engine.said().slice(before)), engine.said().slice(before));
  assert.equal(await answer(), 221);
});

// ---- what cannot be read ----

test("folders, pipes, dead links, bytes and huge files that are named like scripts harm nobody", { skip }, async () => {
  mkdirSync(at("pipelines/folder.lua"));
  execFileSync("mkfifo", [at("pipelines/pipe.lua"), at("connectors/pipe.lua")]);
  symlinkSync("nowhere.lua", at("pipelines/dead.lua"));
  symlinkSync("/etc/passwd", at("pipelines/outside.lua"));
  writeFileSync(at("pipelines/empty.lua"), "");
  writeFileSync(at("pipelines/zero.lua"), "return 1\0 evil");
  writeFileSync(at("pipelines/bytes.lua"), Buffer.from([0xff, 0xfe, 0x80, 0x0a]));
  writeFileSync(at("pipelines/latin.lua"), Buffer.from('-- pre\xe7o\nlocal dts = require "dts"\n', "latin1"));
  writeFileSync(at("pipelines/huge.lua"), "-- ".padEnd(50 * 1024 * 1024, "x"));
  writeFileSync(at("pipelines/module.lua"), 'require "connectors.pipe"\n');
  const wrong = ["bytes", "huge", "module", "outside", "zero"].map((name) => `pipelines/${name}.lua`);
  const list = await until("five faults", async () => { const all = await faults(); return all.length === wrong.length && all; }, 10000);
  assert.deepEqual(list.map((f) => f.file).sort(), wrong);
  assert.match(list.find((f) => /huge/.test(f.file)).message, /8 MB at most/);
  assert.match(list.find((f) => /zero/.test(f.file)).message, /zero byte/);
  await takes(301);
  const health = await (await fetch(`${engine.url}/healthz`)).text();
  assert.match(health, /^ok\n(fault: pipelines\/\w+\.lua.*, it was never loaded\n){5}$/);
  const status = await p.dts("status");
  assert.match(status.out, /pipelines\/zero\.lua.*zero byte\n {2}it was never loaded/);
  for (const name of ["folder.lua", "pipe.lua", "dead.lua", "outside.lua", "empty.lua", "zero.lua", "bytes.lua", "latin.lua", "huge.lua", "module.lua"]) rmSync(at(`pipelines/${name}`), { recursive: true });
  rmSync(at("connectors/pipe.lua"));
  await until("no faults", async () => (await faults()).length === 0);
  await takes(302);
});

test("a last good version in service is told at /healthz and by dts status", { skip }, async () => {
  writeFileSync(at(FILE), `${script(303)}(`);
  await until("the fault", async () => (await faults()).length);
  assert.match(await (await fetch(`${engine.url}/healthz`)).text(), /^ok\nfault: pipelines\/answer\.lua:\d+, its last good version is in service\n$/);
  assert.match((await p.dts("status")).out, /answer\.lua:\d+: .*\n {2}its last good version stays in service/);
  assert.match(engine.said(), /its last good version stays in service/);
  await takes(304);
  assert.equal(await (await fetch(`${engine.url}/healthz`)).text(), "ok\n");
});

// ---- more than scripts ----

test("a folder that is away and comes back, and folders in folders", { skip }, async () => {
  renameSync(at("pipelines"), at("away"));
  await until("the route to be gone", async () => (await fetch(`${engine.url}/api/answer`)).status === 404);
  renameSync(at("away"), at("pipelines"));
  await until("the route again", async () => (await fetch(`${engine.url}/api/answer`)).status === 200);
  mkdirSync(at("pipelines/a/b/c"), { recursive: true });
  writeFileSync(at("pipelines/a/b/c/deep.lua"), script(1).replace("/api/answer", "/api/deep"));
  const deep = async () => { const r = await fetch(`${engine.url}/api/deep`); return r.status === 200 && (await r.json()).n; };
  await until("the deep route", async () => (await deep()) === 1);
  writeFileSync(at("pipelines/a/b/c/deep.lua"), script(2).replace("/api/answer", "/api/deep"));
  await until("its edit", async () => (await deep()) === 2);
  rmSync(at("pipelines/a"), { recursive: true });
  await until("it to be gone", async () => (await deep()) === false);
});

test("edits of what a script is made of: connectors, data, schemas", { skip }, async () => {
  p.write("connectors/number.lua", "return 1\n");
  p.write("data/own.csv", "date\n2026-01-02\n");
  p.write("pipelines/made.lua", `local dts = require "dts"
local number = require "connectors.number"
local own = dts.calendar { "weekdays", closed = "data/own.csv" }
dts.route { "GET /api/made", public = true, run = function()
  return { number = number, open = #own:dates("2026-01-01", "2026-01-07") }
end }
`);
  const made = async () => { const r = await fetch(`${engine.url}/api/made`); return r.status === 200 ? Object.values(await r.json()).sort().join() : ""; };
  await until("the route", async () => (await made()) !== "").catch(async (e) => { throw new Error(`${e.message} ${JSON.stringify(await faults())}`); });
  const first = await made();
  p.write("connectors/number.lua", "return 2\n");
  await until("the connector's edit", async () => (await made()) !== first);
  const second = await made();
  p.write("data/own.csv", "date\n2026-01-02\n2026-01-05\n");
  await until("the calendar's edit", async () => (await made()) !== second);
  p.write("connectors/number.lua", "return (\n");
  const [fault] = await until("the fault", async () => { const l = await faults(); return l.length && l; });
  assert.match(fault.where, /connectors\/number\.lua:\d/);
  rmSync(at("pipelines/made.lua"));
  rmSync(at("connectors/number.lua"));
  await until("no faults", async () => (await faults()).length === 0);
});

test("an edit of dts.lua is in force at once, or is said to wait for the next start", { skip }, async () => {
  const good = readFileSync(at("dts.lua"), "utf8");
  const name = async () => (await engine.json("/api/v1/site")).name;
  p.write("dts.lua", good.replace('name = "system"', 'name = "renamed"'));
  await until("the new name", async () => (await name()) === "renamed");
  p.write("dts.lua", "return {");
  const [fault] = await until("the fault", async () => { const l = await faults(); return l.length && l; });
  assert.equal(fault.file, "dts.lua");
  assert.equal(await name(), "renamed");
  await takes(400);
  p.write("dts.lua", good.replace("return {", 'return { listen = "127.0.0.1:1", '));
  await until("the note", () => /`listen` was changed, and is used from the next start on/.test(engine.said()));
  assert.equal(await name(), "system");
  assert.deepEqual(await faults(), []);
  p.write("dts.lua", good.replace('"America/Sao_Paulo"', '"America/Sao_Paulu"'));
  assert.match((await until("the fault", async () => { const l = await faults(); return l.length && l[0]; })).hint, /America\/Sao_Paulo/);
  p.write("dts.lua", good);
  await until("no faults", async () => (await faults()).length === 0);
});

test("a hundred files at once are one set, and thousands of events hide no save", { skip }, async () => {
  const before = engine.said().length;
  mkdirSync(at("pipelines/many"));
  for (let i = 0; i < 100; i += 1) writeFileSync(at(`pipelines/many/r${i}.lua`), script(i).replace("/api/answer", `/api/many/${i}`));
  const statuses = () => Promise.all([0, 99].map(async (i) => (await fetch(`${engine.url}/api/many/${i}`)).status));
  await until("all of them", async () => (await statuses()).join() === "200,200");
  assert.equal(engine.said().slice(before).match(/reloaded pipelines\/many/g).length, 100);
  rmSync(at("pipelines/many"), { recursive: true });
  await until("none of them", async () => (await statuses()).join() === "404,404");
  for (let i = 0; i < 10000; i += 1) appendFileSync(at("data/noise.txt"), "x");
  await takes(500);
  rmSync(at("data/noise.txt"));
});
