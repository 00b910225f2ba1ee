// The real program for a test: a throw-away project of the shipped pipelines whose sources are the
// stand-ins, served on a free port of loopback. What it starts it ends, by its own process.
//
// SPDX-License-Identifier: MIT
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { start } from "../../servers/start.mjs";
import { project, skip } from "../../systems/project.mjs";
import { DTS as PROGRAM } from "../../program.mjs";

export { skip };
const NAMES = ["bcb", "ptax", "ecb", "yahoo", "stooq", "anp", "vega"];

function addressOf(child) {
  return new Promise((done, fail) => {
    const errors = [];
    child.stderr.on("data", (part) => errors.push(part));
    child.on("exit", (code) => fail(new Error(`dts serve ended with ${code}: ${errors.join("")}`)));
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => line.startsWith("http") && done(new URL(line)));
  });
}

async function serve(folder, env) {
  const child = spawn(PROGRAM, ["serve", "--listen", "127.0.0.1:0"], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise((done) => child.once("close", done));
  const address = await addressOf(child);
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  return { url: address.origin, key: address.hash.slice("#key=".length), stop };
}

// `edits` change the copied scripts (tests/systems/project.mjs); `env` goes to the engine.
export async function startEngine(edits = {}, env = {}) {
  const sources = await start("sources", { LIFETIME: "600" });
  const p = project(Object.fromEntries(NAMES.map((name) => [name, sources.url])), edits);
  let server;
  const stop = async () => {
    await server?.stop();
    p.remove();
    await sources.stop();
  };
  try {
    server = await serve(p.folder, env);
  } catch (error) {
    await stop();
    throw error;
  }
  const path = (file) => join(p.folder, file);
  return {
    ...server,
    stop,
    rows: p.rows,
    async run(...args) {
      const { status, out, err } = await p.dts("run", ...args);
      if (status !== 0) throw new Error(`dts run ${args} ended with ${status}: ${out}${err}`);
    },
    // What the sources do wrong from now on; [] for nothing.
    faults: (list) =>
      fetch(`${sources.url}/_faults`, { method: "POST", body: JSON.stringify(list) }),
    change(file, from, to) {
      const text = readFileSync(path(file), "utf8");
      if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
      writeFileSync(path(file), text.replace(from, to));
    },
  };
}
