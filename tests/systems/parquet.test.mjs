// `dts export --format parquet`, read by another's reader (hyparquet): each value is the one that NDJSON tells, and what the file
// says about itself (schema, row groups, statistics) holds.
// SPDX-License-Identifier: MIT
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";

const PROGRAM = process.env.DTS ?? fileURLToPath(new URL("../../build/dts", import.meta.url));
const skip = existsSync(PROGRAM) ? false : `there is no ${PROGRAM}: build it, or name another in DTS`;
const MANY = 250000;
const SCRIPT = `
local dts = require "dts"
local typed = { "id integer", "t text", "i integer", "r real", "b boolean", "d date", "s timestamp", "j json" }
for _, name in ipairs { "kinds", "nothing", "one" } do dts.table { name = name, key = { "id" }, columns = typed } end
dts.table { name = "holes", key = { "id" }, columns = { "id integer", "never text", "always text not null", "every_other boolean",
  "long_runs integer", "short_runs real", "last_one date" } }
dts.table { name = "many", key = { "id" }, columns = { "id integer", "day date", "place text", "note text", "value real",
  "even boolean", "at timestamp" } }
dts.view { name = "computed", sql = [[select id, id * 2 as twice, id / 4.0 as part, case when id % 2 then 'odd' end as word, null as void,
  case when id < 5 then id else id + 0.5 end as mixed, t as text_of, d as day, date(d, '+1 day') as next, b as truth,
  cast(x'61ff' as text) as no_text from kinds]] }
dts.view { name = "endless", sql = "with recursive c(n) as (select 1 union all select n + 1 from c) select n from c" }

local null = dts.null
local function kinds(ctx)
  local big = ("0123456789abcdef"):rep(65536)
  local rows = {
    { t = "", i = math.mininteger, r = 0.0, b = true, d = "0001-01-01", s = "0001-01-01T00:00:00.000Z", j = { a = { 1, "x" } } },
    { t = big, i = math.maxinteger, r = 1.7976931348623157e308, b = false, d = "9999-12-31", s = "9999-12-31T23:59:59.999Z", j = { 1 } },
    { t = "日本語 – \\u{1F600} \\"quoted\\", comma\\r\\nline", i = 0, r = 5e-324, b = true, d = "1969-12-31", s = "1969-12-31T23:59:59.999Z", j = '"text"' },
    { t = "plain", i = -1, r = -2.2250738585072014e-308, b = false, d = "1970-01-01", s = "1970-01-01T00:00:00.001Z", j = 12.5 },
    {},
    { t = ("x"):rep(65), i = 9007199254740993, r = 0.1, b = true, d = "2024-02-29", s = "2024-02-29T12:34:56.789Z", j = false },
    { t = "tab\\t and \\u{7f}", i = 4294967296, r = -1e22, d = "1582-10-15", s = "2038-01-19T03:14:08Z" },
  }
  for id, row in ipairs(rows) do row.id = id end
  ctx:put("kinds", rows)
  ctx:put("one", { id = 1, t = "only", b = true })
end

local function holes(ctx)
  for id = 1, 45000 do
    ctx:put("holes", { id = id, always = "a" .. id % 3, every_other = id % 2 == 0 and id % 4 == 0 or null,
      long_runs = (id // 1000) % 2 == 0 and id or null, short_runs = (id // 3) % 2 == 0 and id / 8 or null,
      last_one = id == 45000 and "2020-02-02" or null })
  end
end

local function many(ctx, n)
  local places = { "Lima", "São Paulo", "Quito", "東京" }
  for id = 1, n do
    ctx:put("many", { id = id, day = dts.date.add("2000-01-01", id // 100), place = places[id % 4 + 1], note = id % 3 == 0 and null or ("note %d of many"):format(id * 7919 % n),
      value = id * 0.37, even = id % 2 == 0, at = ("2024-01-%02dT%02d:%02d:%02d.%03dZ"):format(id % 28 + 1, id % 24, id % 60, id // 7 % 60, id % 1000) })
  end
end

dts.pipeline { name = "fill", params = { n = "integer = 0" }, limits = { time = "2m" }, run = function(ctx, p) kinds(ctx); holes(ctx); many(ctx, p.n) end }
`;

let folder;
const file = (name) => join(folder, name);
const dts = (...args) => spawnSync(PROGRAM, args, { cwd: folder, encoding: "utf8", maxBuffer: 1 << 30, timeout: 120000 });

before(() => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), "dts-parquet-"));
  mkdirSync(file("pipelines"));
  writeFileSync(file("dts.lua"), 'return { name = "parquet" }\n');
  writeFileSync(file("pipelines/fill.lua"), SCRIPT);
  const { status, stderr } = dts("run", "fill", "--param", `n=${MANY}`);
  assert.equal(status, 0, stderr);
});
after(() => { if (folder) rmSync(folder, { recursive: true, force: true }); });

function exported(table, ...more) {
  const name = `${table}.parquet`;
  const { status, stderr } = dts("export", table, "--format", "parquet", "--output", name, ...more);
  assert.equal(status, 0, stderr);
  const bytes = readFileSync(file(name));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

// Whole numbers past 2^53 as text, so that both sides can be told exactly.
const exact = (line) => JSON.parse(line.replace(/:(-?\d{16,})(?=[,}])/g, ':"$1"'));
function shown(v) {
  if (typeof v === "bigint") return Number.isSafeInteger(Number(v)) ? Number(v) : String(v);
  return v === undefined ? null : v;
}
const TYPES = { 6: "DATE", 8: "TIMESTAMP" };
function written(v, kind) {
  if (!(v instanceof Date)) return shown(v);
  return kind === "DATE" ? v.toISOString().slice(0, 10) : v.toISOString();
}

async function compare(table, ...more) {
  const bytes = exported(table, ...more);
  const metadata = parquetMetadata(bytes);
  const lines = dts("export", table, "--format", "ndjson", ...more).stdout.split("\n").slice(0, -1);
  const rows = await parquetReadObjects({ file: bytes, metadata, compressors, utf8: false });
  const kinds = Object.fromEntries(metadata.schema.slice(1).map((s) => [s.name, s.logical_type?.type]));
  const names = lines.length ? Object.keys(exact(lines[0])) : [];
  if (lines.length) assert.deepEqual(Object.keys(kinds), names);
  assert.equal(rows.length, lines.length);
  assert.equal(Number(metadata.num_rows), lines.length);
  rows.forEach((row, i) => {
    const got = Object.fromEntries(Object.entries(row).map(([name, v]) => [name, written(v, kinds[name])]));
    const told = exact(lines[i]);
    const same = names.every((name) => Object.is(got[name], told[name])); // far quicker than to look deep each time
    if (!same) assert.deepStrictEqual(got, told, `row ${i + 1} of ${table}`);
  });
  return { metadata, rows, bytes };
}

const statistics = (metadata, group, name) =>
  metadata.row_groups[group].columns.find((c) => c.meta_data.path_in_schema[0] === name).meta_data.statistics;

test("each type, with its ends, is what NDJSON tells", { skip }, async () => {
  const { metadata } = await compare("kinds");
  const columns = metadata.schema.slice(1).map((s) => [s.name, s.type, s.repetition_type, s.converted_type, s.logical_type?.type]);
  assert.deepEqual(columns, [
    ["id", "INT64", "REQUIRED", undefined, undefined], ["t", "BYTE_ARRAY", "OPTIONAL", "UTF8", "STRING"],
    ["i", "INT64", "OPTIONAL", undefined, undefined], ["r", "DOUBLE", "OPTIONAL", undefined, undefined],
    ["b", "BOOLEAN", "OPTIONAL", undefined, undefined], ["d", "INT32", "OPTIONAL", "DATE", "DATE"],
    ["s", "INT64", "OPTIONAL", "TIMESTAMP_MILLIS", "TIMESTAMP"], ["j", "BYTE_ARRAY", "OPTIONAL", "JSON", "JSON"],
  ]);
  const stamp = metadata.schema.find((s) => s.name === "s").logical_type;
  assert.deepEqual([stamp.isAdjustedToUTC, stamp.unit], [true, "MILLIS"]);
  assert.match(metadata.created_by, /^dts version \d+\.\d+\.\d+/);
  assert.equal(metadata.column_orders?.length ?? 8, 8);
  assert.equal(statistics(metadata, 0, "i").min_value, -(2n ** 63n));
  assert.equal(statistics(metadata, 0, "i").max_value, 2n ** 63n - 1n);
  assert.equal(statistics(metadata, 0, "t").max_value, "日本語 – \u{1F600} \"quoted\", comma\r\nline");
  assert.equal(statistics(metadata, 0, "d").min_value.toISOString().slice(0, 10), "0001-01-01");
  assert.equal(Number(statistics(metadata, 0, "j").null_count), 2);
});

test("a table without rows, and one with one", { skip }, async () => {
  const { metadata } = await compare("nothing");
  assert.equal(metadata.row_groups.length, 0);
  assert.equal(metadata.schema.length, 9);
  await compare("one");
});

test("nulls everywhere, nowhere, in turn, in long and in short runs", { skip }, async () => {
  const { metadata, rows } = await compare("holes");
  for (const name of ["never", "always", "every_other", "long_runs", "short_runs", "last_one"]) {
    const { null_count, min_value } = statistics(metadata, 0, name);
    assert.equal(Number(null_count), rows.filter((r) => r[name] === null).length, name);
    assert.equal(min_value === undefined, name === "never", name);
  }
  assert.equal(metadata.schema.find((s) => s.name === "always").repetition_type, "REQUIRED");
});

test("many rows come in several groups, each with its own statistics", { skip }, async () => {
  const { metadata, rows, bytes } = await compare("many");
  assert.equal(rows.length, MANY);
  assert.ok(metadata.row_groups.length > 1);
  let from = 0;
  metadata.row_groups.forEach((group, g) => {
    const own = rows.slice(from, from += Number(group.num_rows));
    const { min_value, max_value } = statistics(metadata, g, "value");
    assert.deepEqual([min_value, max_value], [own[0].value, own.at(-1).value]);
    assert.equal(Number(group.total_compressed_size), group.columns.reduce((n, c) => n + Number(c.meta_data.total_compressed_size), 0));
    assert.ok(group.columns.find((c) => c.meta_data.path_in_schema[0] === "place").meta_data.encodings.includes("RLE_DICTIONARY"));
    assert.ok(group.columns.every((c) => c.meta_data.codec === "ZSTD"));
  });
  assert.equal(from, MANY);
  assert.ok(bytes.byteLength < 0.3 * Buffer.byteLength(dts("export", "many").stdout));
});

test("columns, conditions and views", { skip }, async () => {
  const few = await compare("many", "--columns", "place,id", "--where", "id between 99990 and 100010");
  assert.deepEqual(Object.keys(few.rows[0]), ["place", "id"]);
  assert.equal(few.rows.length, 21);
  const { metadata } = await compare("computed");
  const types = Object.fromEntries(metadata.schema.slice(1).map((s) => [s.name, s.logical_type?.type ?? s.type]));
  assert.deepEqual(types, { id: "INT64", twice: "INT64", part: "DOUBLE", word: "STRING", void: "STRING", mixed: "DOUBLE", text_of: "STRING",
    day: "DATE", next: "DATE", truth: "BOOLEAN", no_text: "STRING" });
  const twice = dts("export", "one", "--columns", "t,t", "--format", "parquet", "--output", "twice.parquet");
  assert.equal(twice.status, 2);
  assert.match(twice.stderr, /column 't' is asked for twice/);
});

test("a pipe gets the same bytes as a file", { skip }, () => {
  const { status, stdout } = spawnSync(PROGRAM, ["export", "kinds", "--format", "parquet"], { cwd: folder, maxBuffer: 1 << 26 });
  assert.equal(status, 0);
  assert.ok(stdout.equals(Buffer.from(exported("kinds"))));
});

test("an export that is stopped leaves no file", { skip }, async () => {
  const child = spawn(PROGRAM, ["export", "endless", "--format", "parquet", "--output", "endless.parquet"], { cwd: folder, stdio: "ignore" });
  const ended = new Promise((resolve) => { child.on("exit", resolve); });
  const end = Date.now() + 10000;
  while (!readdirSync(folder).some((f) => f.startsWith("endless.parquet")) && Date.now() < end) await new Promise((r) => { setTimeout(r, 20); });
  child.kill("SIGINT");
  assert.equal(await ended, 130);
  assert.deepEqual(readdirSync(folder).filter((f) => f.startsWith("endless")), []);
});
