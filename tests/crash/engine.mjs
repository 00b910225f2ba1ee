// The engine under test here: `dts serve` on a port that outlives it, what it said, and how it ended (a signal or a status).
// SPDX-License-Identifier: MIT
import { spawn } from "node:child_process";
import { DTS } from "../program.mjs";

export { DTS };

export function start(folder, port, env = process.env) {
  const engine = spawn(DTS, ["serve", folder, "--listen", `127.0.0.1:${port}`], { env, stdio: ["ignore", "pipe", "pipe"] });
  engine.said = "";
  for (const stream of [engine.stdout, engine.stderr]) stream.on("data", (bytes) => (engine.said += bytes));
  engine.gone = new Promise((ended) => engine.on("exit", (code, signal) => ended(signal ?? code)));
  return engine;
}
