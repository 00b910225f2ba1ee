// How soon work begins: `dts run` of a pipeline that does nothing beside `node -e ''`. What a worker takes of it is
// measured by tests/engine/flow/start_bench.c.
// SPDX-License-Identifier: MIT
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pair, report } from "./pair.mjs";
import { DTS } from "../program.mjs";

const folder = mkdtempSync(join(tmpdir(), "dts-start-"));
mkdirSync(join(folder, "pipelines"));
writeFileSync(join(folder, "dts.lua"), 'return { name = "start", timezone = "UTC" }\n');
writeFileSync(join(folder, "pipelines/empty.lua"), 'local dts = require "dts"\ndts.pipeline { name = "empty", run = function() end }\n');

// Milliseconds of one whole command, which must end well.
function timed(program, ...args) {
  const began = performance.now();
  const { status, stderr } = spawnSync(program, args, { cwd: folder });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}: ${stderr}`);
  return performance.now() - began;
}

let reached = true;
try {
  const figures = await pair(() => timed(DTS, "run", "empty"), () => timed("node", "-e", ""), 20);
  reached = report("dts run of an empty pipeline", figures, { unit: "ms", against: "node -e ''", goal: { atMost: 0.5 } });
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
process.exitCode = reached ? 0 : 1;
