// Rows through ctx:put, whole command and all, beside a prepared statement in a loop (tests/engine/store/put_bench.c)
// that writes the same rows to the same schema with the same commits. Both are timed as processes, from start to end:
// opening, making the tables, and SQLite's checkpoint at its close belong to either.
// SPDX-License-Identifier: MIT
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pair, report } from "./pair.mjs";
import { DTS as dts } from "../program.mjs";

const build = dirname(dts);
const folder = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), "dts-put-"));
const peer = join(build, "tests/bench-store-put_bench");

const script = `local dts = require "dts"

dts.table {
  name = "quotes", key = { "k", "d" },
  columns = { "k text", "d date", "x real", "n integer", "u text" },
}

dts.pipeline {
  name = "put", params = { rows = "integer = 1000000", every = "integer = 0", scattered = "boolean = false" },
  limits = { rows = 20000000, time = "10m", cpu = "10m" },
  run = function(ctx, input)
    local i, format = 0, string.format
    local each = input.every > 0 and input.every or input.rows
    while i < input.rows do
      local last = math.min(i + each, input.rows)
      ctx:put("quotes", function()
        if i >= last then return nil end
        i = i + 1
        local key = input.scattered and i * 7919 % 100000007 or i
        return { k = format("key-%08d", key), d = "2026-01-01", x = i * 0.25, n = i, u = "R$ / l" }
      end)
      if input.every > 0 and i < input.rows then ctx:checkpoint() end
    end
  end,
}
`;

function ours({ rows, every, order }) {
  rmSync(join(folder, "var"), { recursive: true, force: true });
  const started = process.hrtime.bigint();
  execFileSync(dts, ["run", "put", "--param", `rows=${rows}`, "--param", `every=${every}`, "--param",
    `scattered=${order === "scattered"}`], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  return rows / (Number(process.hrtime.bigint() - started) / 1e9);
}

function theirs({ rows, every, order }) {
  const file = join(folder, "raw.db");
  for (const end of ["", "-wal", "-shm"]) rmSync(file + end, { force: true });
  const started = process.hrtime.bigint();
  execFileSync(peer, [file, rows, every, order], { stdio: "ignore" });
  const took = Number(process.hrtime.bigint() - started) / 1e9;
  for (const end of ["", "-wal", "-shm"]) rmSync(file + end, { force: true });
  return rows / took;
}

const cases = [
  ["one transaction, rising key", { rows: 1000000, every: 0, order: "rising" }],
  ["one transaction, scattered key", { rows: 1000000, every: 0, order: "scattered" }],
  ["a checkpoint every 50,000, rising key", { rows: 1000000, every: 50000, order: "rising" }],
  ["a checkpoint every 50,000, scattered key", { rows: 1000000, every: 50000, order: "scattered" }],
  ["a checkpoint every 5,000, rising key", { rows: 1000000, every: 5000, order: "rising" }],
  ["a checkpoint every 5,000, scattered key", { rows: 1000000, every: 5000, order: "scattered" }],
];

if (!existsSync(peer)) execFileSync("cmake", ["--build", build, "--target", "bench-store-put_bench"]);
mkdirSync(join(folder, "pipelines"));
writeFileSync(join(folder, "pipelines", "put.lua"), script);
const wanted = process.env.CASES ? process.env.CASES.split(",").map(Number) : cases.keys();
for (const i of wanted) {
  const [name, what] = cases[i];
  report(`rows through ctx:put, ${name}`, await pair(() => ours(what), () => theirs(what), Number(process.env.ROUNDS ?? 3)),
    { unit: "rows/s", against: "raw C loop", goal: { atLeast: 0.75 } });
}
rmSync(folder, { recursive: true, force: true });
