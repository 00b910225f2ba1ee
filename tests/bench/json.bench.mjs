// dts.json.decode beside lua-cjson's, both in one caged worker, on the same texts: real webhook events
// (TEST_DATA/events/payloads) into Lua tables.
// SPDX-License-Identifier: MIT
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { report } from "./pair.mjs";
import { DTS as dts } from "../program.mjs";

const payloads = join(process.env.TEST_DATA ?? "", "events/payloads");
const ROUNDS = 9, TIMES = 10;

const SCRIPT = `
local dts = require "dts"
local cjson = require "cjson"
dts.table { name = "figures", key = { "round" }, columns = { "round integer", "ours real", "peer real" } }
dts.pipeline { name = "json", files = "*.ndjson", limits = { cpu = "300s" }, run = function(ctx, file)
  local texts = {}
  for row in file:rows() do texts[#texts + 1] = row.text end
  local function ms(decode)
    local start = dts.now()
    for _ = 1, ${TIMES} do
      for i = 1, #texts do decode(texts[i]) end
    end
    local now = dts.now()
    local function seconds(t) return t:sub(12, 13) * 3600 + t:sub(15, 16) * 60 + t:sub(18, 23) end
    return (seconds(now) - seconds(start)) % 86400 * 1000
  end
  for round = 0, ${ROUNDS} do
    local ours, peer = ms(dts.json.decode), ms(cjson.decode)
    if round > 0 then ctx:put("figures", { round = round, ours = ours, peer = peer }) end
  end
end }
`;

function collect(folder) {
  return readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".json"))
    .map((name) => JSON.stringify({ text: readFileSync(join(folder, name), "utf8") }));
}

let texts;
try { texts = collect(payloads); } catch { console.log(`skipped: ${payloads} is not here (TEST_DATA)`); }
if (texts) {
  const folder = mkdtempSync(join(tmpdir(), "dts-bench-"));
  try {
    mkdirSync(join(folder, "pipelines"));
    writeFileSync(join(folder, "pipelines/json.lua"), SCRIPT);
    writeFileSync(join(folder, "events.ndjson"), texts.join("\n") + "\n");
    const inside = { cwd: folder, encoding: "utf8" };
    execFileSync(dts, ["run", "json", "--file", "events.ndjson"], inside);
    const rows = JSON.parse(execFileSync(dts, ["sql", "select ours, peer from figures", "--json"], inside));
    // The goal is a rate, so the shorter time is the better: cjson's time over ours.
    report(`${TIMES} times json.decode of ${texts.length} events`, { ours: rows.map((r) => r.peer), peer: rows.map((r) => r.ours) },
      { unit: "ms by lua-cjson", against: "dts.json", goal: { atLeast: 1.7 } });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
