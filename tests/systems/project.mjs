// A throw-away project made of the shipped pipelines, whose sources are the stand-ins, and the dts program run in it.
// `edits` change the copied scripts as an analyst would: { "pipelines/fuel/quotes.lua": [["from this", "to that"]] }.
// SPDX-License-Identifier: MIT
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { DTS as PROGRAM } from "../program.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDERS = ["pipelines", "connectors", "schemas", "data"];

export const skip = !process.env.TEST_DATA ? "TEST_DATA is not set: no outside data to serve"
  : !existsSync(PROGRAM) ? `there is no ${PROGRAM}: build it, or name another in DTS` : false;

function edit(folder, edits) {
  for (const [file, changes] of Object.entries(edits)) {
    const path = join(folder, file);
    let text = readFileSync(path, "utf8");
    for (const [from, to] of changes) {
      if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
      text = text.replace(from, to);
    }
    writeFileSync(path, text);
  }
}

// `settings` are further lines of dts.lua.
export function project(sources, edits = {}, settings = "") {
  const folder = mkdtempSync(join(tmpdir(), "dts-system-"));
  for (const name of FOLDERS) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  edit(folder, edits);
  const standIns = Object.entries(sources).map(([name, url]) => `    ${name} = "${url}",\n`).join("");
  writeFileSync(join(folder, "dts.lua"), `return {\n  name = "system", timezone = "America/Sao_Paulo",\n  sources = {\n${standIns}  },\n${settings}}\n`);
  const engines = [];
  return {
    folder,
    dts: (...args) => run(folder, args),
    async serve(env) { engines.push(await serve(folder, env)); return engines.at(-1); },
    write: (name, bytes) => place(folder, name, bytes),
    async rows(sql) {
      const { status, out, err } = await run(folder, ["sql", "--json", sql]);
      if (status !== 0) throw new Error(`dts sql ended with ${status}: ${err}${out}`);
      return named(JSON.parse(out));
    },
    async remove() {
      for (const engine of engines) await engine.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

// { columns, rows } or a list of objects in; a list of objects out.
function named(answer) {
  if (Array.isArray(answer)) return answer;
  const names = answer.columns.map((column) => column.name ?? column);
  return answer.rows.map((row) => (Array.isArray(row) ? Object.fromEntries(row.map((value, i) => [names[i], value])) : row));
}

function run(folder, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(PROGRAM, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], timeout: 120000 });
    let out = "";
    let err = "";
    child.stdout.on("data", (part) => { out += part; });
    child.stderr.on("data", (part) => { err += part; });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, out, err }));
  });
}

// A file of the project, there at once and whole.
function place(folder, name, bytes) {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.part`, bytes);
  renameSync(`${path}.part`, path);
}

export const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// Asks until `look` gives something true, and gives it; an error that says what was waited for otherwise.
export async function until(what, look, ms = 20000) {
  const end = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain for ${what}`);
    await pause(50);
  }
}

// `dts serve` on a free port: its address, its session key, and requests with that key.
async function serve(folder, env = {}) {
  const child = spawn(PROGRAM, ["serve", "--listen", "127.0.0.1:0"], { cwd: folder, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stdout.on("data", (part) => { said += part; });
  child.stderr.on("data", (part) => { said += part; });
  const ended = new Promise((resolve) => { child.on("exit", (code, signal) => resolve(signal ?? code)); });
  const first = await until("dts serve to name its address", () => /^(http:\S+?)\/#key=(\S+)/m.exec(said) ?? (child.exitCode === null ? null : [])).catch(() => []);
  const [, url, key] = first;
  if (!url) {
    child.kill("SIGKILL");
    throw new Error(`dts serve named no address: ${said}`);
  }
  const bearer = { Authorization: `Bearer ${key}` };
  const get = (path, options = {}) => fetch(url + path, { ...options, headers: { ...bearer, ...options.headers } });
  const end = async (signal) => { if (child.exitCode === null && child.signalCode === null) child.kill(signal); return ended; };
  return {
    url, key, get, pid: child.pid, said: () => said, stop: () => end("SIGTERM"), kill: () => end("SIGKILL"),
    json: async (path) => { const reply = await get(path); return reply.ok ? reply.json() : assertOk(path, reply); },
    post: (path, value, headers) => get(path, { method: "POST", body: typeof value === "string" ? value : JSON.stringify(value), headers }),
    async rows(sql) {
      const reply = await get("/api/v1/sql", { method: "POST", body: JSON.stringify({ sql }) });
      return reply.ok ? named(await reply.json()) : assertOk(sql, reply);
    },
    async chart(page, which, query = "") { // which: a title, or a function that says whether it is this one
      const chosen = typeof which === "string" ? (c) => c.title === which : which;
      const reply = await get(`/api/v1/pages/${page}`);
      const { charts } = reply.ok ? await reply.json() : await assertOk(page, reply);
      const shown = await get(`/api/v1/pages/${page}/charts/${charts.findIndex(chosen)}${query}`);
      return shown.ok ? named(await shown.json()) : assertOk(`${page}: ${which}`, shown);
    },
  };
}

async function assertOk(what, reply) {
  throw new Error(`${what}: ${reply.status} ${await reply.text()}`);
}
