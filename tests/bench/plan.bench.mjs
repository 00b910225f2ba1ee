// What is missing of a million expected dates: 100 keys of 27 years by day in the store, with holes, through the whole
// command `dts plan`; the same by the calendar of New York; and a month of the fuel system's schedules under a clock
// of its own. ./dev bench plan
// SPDX-License-Identifier: MIT
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { single } from "./pair.mjs";
import { DTS as dts } from "../program.mjs";

const root = new URL("../..", import.meta.url).pathname;
if (!existsSync(dts)) throw new Error(`there is no ${dts}: build it, or name another in DTS`);

const SCRIPT = `
local dts = require "dts"
dts.table { name = "q", key = { "k", "date" }, columns = { "k text", "date date", "v real" } }
local keys = {}
for i = 1, 100 do keys[i] = ("K%03d"):format(i) end
dts.pipeline { name = "fill", limits = { time = "5m", cpu = "5m" }, run = function(ctx)
  for i = 1, 100 do
    for n, day in ipairs(dts.date.range("1999-01-01", "2026-06-30")) do
      if (n * 7919 + i * 31) % 97 > 3 then ctx:put("q", { k = keys[i], date = day, v = n % 50 == 7 and 0 or n }) end
    end
    ctx:checkpoint()
  end
end }
for name, calendar in pairs { daily = "daily", market = "NYSE" } do
  dts.pipeline { name = name, gaps = {
    table = "q", complete = "v > 0", calendar = calendar, since = "1999-01-01", to = "2026-06-30", keys = keys,
  }, run = function() end }
end
`;

const folder = mkdtempSync(join(tmpdir(), "dts-plan-"));
try {
  mkdirSync(join(folder, "pipelines"));
  writeFileSync(join(folder, "pipelines", "plan.lua"), SCRIPT);
  writeFileSync(join(folder, "dts.lua"), `return { name = "plan" }\n`);
  execFileSync(dts, ["run", "fill"], { cwd: folder, stdio: "ignore" });
  for (const name of ["daily", "market"]) {
    const took = [];
    let plan;
    for (let round = 0; round < 5; round += 1) {
      const begun = performance.now();
      plan = JSON.parse(execFileSync(dts, ["plan", name, "--json"], { cwd: folder, maxBuffer: 1 << 28 }));
      took.push(performance.now() - begun);
    }
    const dates = plan.series.reduce((sum, one) => sum + one.wanted, 0);
    single(`plan of ${dates.toLocaleString("en")} dates (${name})`, took, { unit: "ms", goal: { atMost: 1000 } });
  }
  const took = [];
  for (let round = 0; round < 3; round += 1) {
    const spec = spawnSync(dts, ["test", "tests/specs/pipelines/fuel_spec.lua"],
      { cwd: root, env: { ...process.env, MONTH_SECONDS: "60" }, encoding: "utf8" });
    took.push(1000 * Number(/a month took ([\d.]+) s/.exec(spec.stdout)[1]));
  }
  single("a month of the fuel system's schedules", took, { unit: "ms", goal: { atMost: 2000 } });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
