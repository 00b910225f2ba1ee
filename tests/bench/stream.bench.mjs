// A CSV file larger than any memory limit, read row by row: what the worker and the engine hold at most while one script
// adds up a column and another puts some of the rows. SIZE=1G makes the file of the goal; 100M unless said. Anonymous
// memory is counted (what the page cache holds of files belongs to no process), from /proc/PID/status every 20 ms. The
// engine may have 64 MB, and the 64 MiB that the store's connection keeps of its pages.
// SPDX-License-Identifier: MIT
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync, writeSync }
  from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { single } from "./pair.mjs";
import { DTS as dts } from "../program.mjs";

const UNITS = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
const [, amount, unit] = /^(\d+)([KMG])$/.exec(process.env.SIZE ?? "100M");
const BYTES = Number(amount) * UNITS[unit];

const SCRIPT = `
local dts = require "dts"
dts.table { name = "sums", key = { "file" }, columns = { "file text", "rows integer", "volume integer" } }
dts.table { name = "prices", key = { "id" }, columns = { "id integer", "day date", "symbol text", "close real",
  "volume integer", "note text" } }
local limits = { cpu = "10m", time = "20m" }
dts.pipeline { name = "sum", files = "*.csv", limits = limits, run = function(ctx, file)
  local rows, volume = 0, 0
  for row in file:rows { into = "prices" } do rows, volume = rows + 1, volume + row.volume end
  ctx:put("sums", { file = file.name, rows = rows, volume = volume })
end }
dts.pipeline { name = "some", files = "*.csv2", limits = limits, run = function(ctx, file)
  for row in file:rows { into = "prices" } do
    if row.id % 20 == 0 then ctx:put("prices", row) end
  end
end }
`;

function writeFile(path) {
  const fd = openSync(path, "w");
  let text = "id,day,symbol,close,volume,note\n", written = 0, rows = 0;
  while (written + text.length < BYTES) {
    const n = ++rows;
    text += `${n},2024-02-${String(1 + n % 28).padStart(2, "0")},SYM${n * 7919 % 5000},` +
      `${(n * 104729 % 100000) / 1000},${n * 31 % 10_000_019},note ${n % 97}\n`;
    if (text.length > 1 << 20) { written += writeSync(fd, text); text = ""; }
  }
  writeSync(fd, text);
  closeSync(fd);
  return rows;
}

function status(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    const of = (name) => Number(new RegExp(`^${name}:\\s*(.*)$`, "m").exec(text)?.[1].split(" ")[0] ?? 0);
    return { parent: of("PPid"), anonymous: (of("RssAnon") + of("RssShmem")) / 1024, peak: of("VmHWM") / 1024 };
  } catch { return null; }
}

function sample(root, most) {
  const all = new Map(readdirSync("/proc").filter((n) => /^\d+$/.test(n)).map((n) => [Number(n), status(n)]));
  const below = (pid) => {
    for (let p = all.get(pid); p; p = all.get(p.parent)) if (p.parent === root) return true;
    return false;
  };
  for (const [pid, it] of all) {
    const who = pid === root ? "engine" : it && below(pid) ? "worker" : null;
    if (!who || !it) continue;
    most[who] = Math.max(most[who] ?? 0, it.anonymous);
    most[`${who} with files`] = Math.max(most[`${who} with files`] ?? 0, it.peak);
  }
}

function run(folder, pipeline) {
  return new Promise((resolve, reject) => {
    const most = {}, start = performance.now();
    const stdio = ["ignore", "ignore", "inherit"];
    const child = spawn(dts, ["run", pipeline, "--file", "rows.csv"], { cwd: folder, stdio });
    const timer = setInterval(() => sample(child.pid, most), 20);
    child.on("exit", (code) => {
      clearInterval(timer);
      if (code !== 0) return reject(new Error(`dts run ${pipeline} ended with ${code}`));
      resolve({ ...most, seconds: (performance.now() - start) / 1000 });
    });
  });
}

const folder = mkdtempSync(join(tmpdir(), "dts-bench-"));
try {
  mkdirSync(join(folder, "pipelines"));
  writeFileSync(join(folder, "pipelines/stream.lua"), SCRIPT);
  const rows = writeFile(join(folder, "rows.csv"));
  for (const [pipeline, words] of [["sum", "added up"], ["some", "put, every twentieth"]]) {
    const it = await run(folder, pipeline);
    const what = `${amount}${unit} of CSV (${rows} rows) ${words} in ${it.seconds.toFixed(1)} s`;
    single(`${what}: the worker`, [it.worker],
      { unit: `MB (${it["worker with files"].toFixed(0)} with mapped files)`, goal: { atMost: 64 } });
    single(`${what}: the engine`, [it.engine],
      { unit: `MB (${it["engine with files"].toFixed(0)} with mapped files)`, goal: { atMost: 64 + 67 } });
    rmSync(join(folder, "var"), { recursive: true, force: true });
  }
} finally {
  rmSync(folder, { recursive: true });
}
