// A CSV file into a keyed table, whole command: `dts run` of a files pipeline beside the sqlite3 shell's .import into the
// same schema. ROWS (1,000,000 unless said) come once in the key's order and once shuffled.
// SPDX-License-Identifier: MIT
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pair, report } from "./pair.mjs";
import { DTS as dts } from "../program.mjs";

const ROWS = Number(process.env.ROWS ?? 1_000_000), ROUNDS = Number(process.env.ROUNDS ?? 2);

const SCRIPT = `
local dts = require "dts"
dts.table { name = "prices", key = { "symbol", "id" }, columns = { "symbol text", "id integer", "day date", "open real",
  "close real", "volume integer", "note text" } }
dts.pipeline { name = "prices", files = "*.csv", run = function(ctx, file)
  ctx:put("prices", file:rows { into = "prices" })
end }
`;
const SCHEMA = `create table prices (symbol text not null, id integer not null, day text, open real, close real,
  volume integer, note text, primary key (symbol, id)) strict, without rowid`;

function writeRows(path, numbers) {
  const fd = openSync(path, "w");
  let text = "symbol,id,day,open,close,volume,note\n";
  for (let i = 0; i < ROWS; i++) {
    const n = numbers(i), two = (x) => String(x).padStart(2, "0");
    text += `SYM${String(Math.floor(n / 250)).padStart(5, "0")},${n},` +
      `${2000 + n % 25}-${two(1 + n % 12)}-${two(1 + n % 28)},` +
      `${(n * 7919 % 100000) / 1000},${(n * 104729 % 100000) / 1000},${n * 31 % 10_000_019},note ${n % 97}\n`;
    if (text.length > 1 << 20) { writeSync(fd, text); text = ""; }
  }
  writeSync(fd, text);
  closeSync(fd);
}

const folder = mkdtempSync(join(tmpdir(), "dts-bench-"));
const seconds = (command, args) => {
  const start = performance.now();
  execFileSync(command, args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  return (performance.now() - start) / 1000;
};
const forget = (...names) => names.forEach((name) => rmSync(join(folder, name), { recursive: true, force: true }));

function ours() {
  forget("var");
  return seconds(dts, ["run", "prices", "--file", "rows.csv"]);
}

function peer() {
  forget("peer.db", "peer.db-wal", "peer.db-shm");
  return seconds("sqlite3", ["peer.db", "pragma journal_mode = wal", SCHEMA, ".import --csv --skip 1 rows.csv prices"]);
}

try {
  mkdirSync(join(folder, "pipelines"));
  writeFileSync(join(folder, "pipelines/prices.lua"), SCRIPT);
  const step = 611_953; // prime to ROWS: each number once, far from the one before
  for (const [name, numbers] of [["in the key's order", (i) => i], ["shuffled", (i) => i * step % ROWS]]) {
    writeRows(join(folder, "rows.csv"), numbers);
    const figures = await pair(ours, peer, ROUNDS);
    report(`${ROWS} rows of CSV, ${name}`, figures, { unit: "s", against: "sqlite3 .import", goal: { atMost: 1 } });
  }
} finally {
  rmSync(folder, { recursive: true });
}
