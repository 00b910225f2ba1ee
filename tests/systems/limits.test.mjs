// What a script does to itself it does to nobody else: every known way of not ending, of taking all memory and of dying
// ends one run, with an error that names the reason and the line; engine, routes and other runs go on meanwhile.
// SPDX-License-Identifier: MIT
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
dts.pipeline { name = "loud", retry = 0, limits = { log = "100KB" }, run = function(ctx)
  for i = 1, 100000 do print("line " .. i) end
end }
dts.pipeline { name = "well", retry = 0, run = function(ctx) ctx:put("kept", { n = 4 }) end }
dts.table { name = "hidden", key = { "n" }, columns = { "n integer" }, private = true }
dts.route { "GET /api/pong", public = true, run = function() return { pong = true } end }
`;
// name: [what the script does, what the error says, its limits if not the others']. Each stands on a line of its own, which the error names too.
const ATTACKS = {
  move: ["table.move({}, 1, 1e12, 2)", /1 s of processor time/],
  empty_rep: ['return #(""):rep(1e15)', /1 s of processor time/],
  insert: ["table.insert(setmetatable({}, { __len = function() return math.maxinteger - 10 end }), 1, 1)", /1 s of processor time/],
  find: ['return ("a"):rep(100):find((".-"):rep(20) .. "b")', /1 s of processor time/],
  handler: ['local function h() while true do end end xpcall(error, h)', /1 s of processor time/],
  close: ["local c <close> = setmetatable({}, { __close = function() while true do end end })", /1(\.0)? s of processor time/],
  closes: ["while true do pcall(function() local c <close> = setmetatable({}, { __close = error }) end) end", /1(\.0)? s of processor time/],
  wrapped: ["while true do coroutine.wrap(function() pcall(function() while true do end end) end)() end", /1(\.0)? s of processor time/],
  storm: ["local t = {} while true do t[#t + 1] = coroutine.wrap(coroutine.yield) t[#t]() end", /64 MB of memory/],
  deep: ["local function f() return 1 + f() end f()", /64 MB of memory|stack overflow/],
  nested: ["local function f() return coroutine.wrap(f)() end f()", /C stack overflow/],
  cjson: ['local t = {} local s = ("x"):rep(1 << 20) for i = 1, 100 do t[i] = s end return #require "cjson".encode(t)', /more than its 64 MB of memory/],
  rep: ['return #("x"):rep(1e15)', /resulting string too large/],
  strings: ['local t = {} for i = 1, 1024 do t[i] = ("x"):rep(1 << 20) .. i end', /64 MB of memory/],
  caught: ['local t = {} while true do pcall(function() t[#t + 1] = ("x"):rep(1 << 20) .. #t end) end', /64 MB of memory/],
  logs: ["for i = 1, 1e7 do dts.log('line ' .. i) end", /1(\.0)? s of processor time/],
  sql: ["return #dts.sql [[with recursive a(x) as (select 1 union all select x + 1 from a) select count(*) n from a]]", /limit of|longer than/, '{ time = "2s" }'],
  fill: ["return #dts.sql [[with recursive a(x) as (select 1 union all select x + 1 from a limit 3000) select printf('%.1000000c', 'x') s from a]]", /larger than the 128 MB/],
  error: ["error(setmetatable({}, { __tostring = function() while true do end end, __index = error }))", /table value/],
  long: ['error(("x"):rep(20e6))', /^x+/],
  text: ['getmetatable("").__index = {}', /boolean/],
};
const ATTACK_SCRIPT = `local dts = require "dts"
local limits = { cpu = "1s", time = "20s", memory = "64MB" }
${Object.entries(ATTACKS).map(([name, [code, , limits]]) => `dts.pipeline { name = "${name}", retry = 0, limits = ${limits ?? "limits"}, run = function() ${code} end }`).join("\n")}
`;
// What must fail, each on its own; what does not is named in the run's error.
const LEAKS = [
  'require "../../etc/passwd"', 'require "/etc/passwd"', 'require "outside"', 'require "linked.outside"', 'require "debug"',
  'require "package"', 'require "dts.kernel"', 'require "dts.main"', 'require "lua.dts.main"', "dofile 'x'", "loadfile 'x'",
  "debug.getregistry()", "package.loaded.x = 1", "os.getenv 'PATH'", "os.exit()", "os.remove 'x'", "os.rename('x', 'y')",
  "os.tmpname()", "io.popen 'ls'", "io.open 'dts.lua'", "collectgarbage()", "string.dump(print)", "print(_G.x)",
  "getmetatable('').__index.x = 1", "string.trim = print", "misspelt()", "global = 1", "error(assert(load('\\27Lua')))",
  "assert(load(function() return '\\27Lua' end, 'x', 'b'))", "setmetatable({}, { __gc = print })", "getmetatable(_ENV).__index()",
  "dts.evil = 1", "dts.json.decode(('['):rep(1e6))", "math.random()", "require 'cjson'.encode_max_depth(1e9)",
  "dts.sql([[attach 'x' as y]])[1].x()", "dts.sql([[select readfile('dts.lua')]])[1].x()",
  // The engine's own keys, through every kind of door: what reads them must be refused before it is asked for anything.
  "local n = #dts.sql([[select * from dts_key]])", "local n = #dts.sql([[select (select count(*) from DTS_KEY) n]])",
  "local n = #dts.sql([[with k as (select hash from main.dts_key) select * from k]])", "local n = #dts.query('dts_key')",
  "local n = #dts.sql([[select * from dts_validator]])",
  "local n = #dts.sql([[select (select count(*) from HIDDEN) n]])", "local n = #dts.sql([[select 1 n from \"Hidden\" limit 1]])", "local n = #dts.sql([[select name from pragma_table_info('dts_key')]])",
  "local n = #dts.sql([[select printf('%.2000000000c', 'x') x]])",
];
const SANDBOX = `local dts = require "dts"
dts.pipeline { name = "sandbox", retry = 0, run = function()
  local leaks = {}
  local function try(name, f) if pcall(f) then leaks[#leaks + 1] = name end end
${LEAKS.map((code) => `  try([==[${code}]==], function() ${code} end)`).join("\n")}
  local late = setmetatable({}, {})
  getmetatable(late).__gc = function() error("collected") end
  if pcall(setmetatable, late, getmetatable(late)) then leaks[#leaks + 1] = "late __gc" end
  if #leaks > 0 then error(table.concat(leaks, " | ")) end
end }
`;
const lineOf = (name) => `pipelines/attacks.lua:${Object.keys(ATTACKS).indexOf(name) + 3}`;
let p;
let engine;
let outside;
before(async () => {
  if (skip) return;
  p = project({});
  p.write("pipelines/limits.lua", SCRIPT);
  p.write("pipelines/attacks.lua", ATTACK_SCRIPT);
  p.write("pipelines/sandbox.lua", SANDBOX);
  outside = mkdtempSync(join(tmpdir(), "dts-outside-"));
  writeFileSync(join(outside, "outside.lua"), "return {}\n");
  symlinkSync(join(outside, "outside.lua"), join(p.folder, "outside.lua"));
  symlinkSync(outside, join(p.folder, "linked"));
  engine = await p.serve();
});
after(async () => {
  await p?.remove();
  if (outside) rmSync(outside, { recursive: true, force: true });
});

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

const whole = async (pipeline) => engine.json(`/api/v1/runs/${(await run(pipeline)).id}`);

for (const [pipeline, [code, named]] of Object.entries(ATTACKS)) {
  test(`${code} ends within its limits, and its error names the line`, { skip, timeout: 60000 }, async (t) => {
    await begin(pipeline);
    const { count, slowest } = await asked(async () => ended(pipeline));
    const told = await whole(pipeline);
    t.diagnostic(`${JSON.stringify(told.error).slice(0, 200)} ${told.ms} ms (${count} answers meanwhile, the slowest in ${Math.round(slowest)} ms)`);
    assert.equal(told.state, "failed");
    assert.match(told.error.message, named);
    assert.equal(told.error.where, lineOf(pipeline));
    assert.ok(slowest < 2000, `${slowest} ms`);
  });
}

test("a log ends at its limit and says so; the run goes on", { skip, timeout: 60000 }, async () => {
  await begin("loud");
  const { state } = await until("its end", () => ended("loud"));
  assert.equal(state, "done");
  const lines = await engine.rows(`select level, message from dts_log where run = ${(await run("loud")).id} order by seq`);
  assert.ok(lines.length > 1000 && lines.length < 2000, `${lines.length} lines`);
  assert.deepEqual(lines[0], { level: "info", message: "line 1" });
  assert.deepEqual(lines.at(-1), { level: "warn", message: "the log of this run ends here: limits.log is 102400 bytes" });
});

test("a script finds no way out of its run", { skip, timeout: 30000 }, async () => {
  const told = await p.dts("run", "sandbox");
  assert.equal(told.status, 0, told.err + told.out);
});

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

// The worker that works: of the processes that the nursery made, the one that used most of a quarter of a second. On a
// machine that is busy with other things that may be little.
async function busiest() {
  const before = new Map(workers(engine.pid).map((w) => [w.pid, w.used]));
  await pause(250);
  const took = (w) => w.used - (before.get(w.pid) ?? w.used);
  return workers(engine.pid).filter((w) => w.parent !== engine.pid && took(w) > 1).sort((a, b) => took(b) - took(a))[0];
}

async function goesOn() {
  assert.equal((await fetch(`${engine.url}/healthz`)).status, 200);
  assert.deepEqual(await (await fetch(`${engine.url}/api/pong`)).json(), { pong: true });
  const well = await p.dts("run", "well");
  assert.equal(well.status, 0, well.err);
  assert.deepEqual(await kept(), [4]);
}

// A sanitized worker reports its own crash, and may not do all that it would for that.
for (const [signal, named] of [["SIGKILL", /signal 9 \(Killed\)/], ["SIGSEGV", /signal 11 \(Segmentation fault\)|status 1|signal 31/]]) {
  test(`a worker that ends by ${signal} takes its own run with it and no more`, { skip, timeout: 60000 }, async () => {
    const before = (await run("victim"))?.id;
    await begin("victim");
    await until("the run", async () => { const r = await run("victim"); return r && r.id !== before && r.state === "running"; });
    process.kill((await until("its process", busiest)).pid, signal);
    const { state, error } = await until("its end", () => ended("victim"));
    assert.equal(state, "failed");
    assert.match(error, named);
    await goesOn();
  });
}

// What the system knows of a worker: asked from outside, while it runs.
test("a worker has no descriptor but its socket, no environment, and may gain no rights", { skip, timeout: 60000 }, async () => {
  const before = (await run("victim"))?.id;
  await begin("victim");
  await until("the run", async () => { const r = await run("victim"); return r && r.id !== before && r.state === "running"; });
  const { pid } = await until("its process", busiest);
  const read = (name) => readFileSync(`/proc/${pid}/${name}`, "utf8");
  const open = readdirSync(`/proc/${pid}/fd`).map((fd) => `${fd} ${readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/\d+/, "N")}`);
  const sanitized = !/signal/.test(open.join()) && open[2] !== "2 /dev/null";
  assert.deepEqual(open.filter((line) => !(sanitized && line.startsWith("2 "))), ["0 /dev/null", "1 /dev/null", ...(sanitized ? [] : ["2 /dev/null"]), "3 socket:[N]"]);
  assert.equal(read("environ").replaceAll("\0", ""), "");
  assert.match(read("status"), /NoNewPrivs:\s+1[\s\S]*Seccomp:\s+2/);
  assert.match(read("limits"), /Max core file size\s+0\s+0/);
  if (!sanitized) assert.match(read("limits"), /Max address space\s+\d{8,10}\s+\d{8,10} /);
  process.kill(pid, "SIGKILL");
  await until("its end", () => ended("victim"));
});

test("so does the process that workers are made by, which is made again", { skip, timeout: 60000 }, async () => {
  const nursery = workers(engine.pid).find((w) => w.parent === engine.pid);
  process.kill(nursery.pid, "SIGKILL");
  await until("another", () => workers(engine.pid).some((w) => w.parent === engine.pid && w.pid !== nursery.pid));
  await goesOn();
});
