// Starts one of these servers as a process of its own and waits for its {"port":N}; `stop` ends that process alone.
// SPDX-License-Identifier: MIT
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export async function start(name, env = {}) {
  const script = fileURLToPath(new URL(`${name}.mjs`, import.meta.url));
  const child = spawn(process.execPath, [script], { env: { LIFETIME: "120", ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => { child.on("exit", resolve); });
  const first = await Promise.race([
    new Promise((resolve) => { createInterface({ input: child.stdout }).once("line", resolve); }),
    ended.then((code) => { throw new Error(`${name}.mjs ended with ${code} before it served`); }),
  ]);
  const { port } = JSON.parse(first);
  return { port, url: `http://127.0.0.1:${port}`, async stop() { child.kill("SIGTERM"); await ended; } };
}
