// A throw-away project made of the shipped pipelines, whose sources are the stand-ins, and the dts program run in it.
// `edits` change the copied scripts as an analyst would: { "pipelines/fuel/quotes.lua": [["from this", "to that"]] }.
// SPDX-License-Identifier: MIT
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROGRAM = process.env.DTS ?? join(ROOT, "build/dts");
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

export function project(sources, edits = {}) {
  const folder = mkdtempSync(join(tmpdir(), "dts-system-"));
  for (const name of FOLDERS) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  edit(folder, edits);
  const standIns = Object.entries(sources).map(([name, url]) => `    ${name} = "${url}",\n`).join("");
  writeFileSync(join(folder, "dts.lua"), `return {\n  name = "system", timezone = "America/Sao_Paulo",\n  sources = {\n${standIns}  },\n}\n`);
  return {
    folder,
    dts: (...args) => run(folder, args),
    async rows(sql) {
      const { status, out, err } = await run(folder, ["sql", "--json", sql]);
      if (status !== 0) throw new Error(`dts sql ended with ${status}: ${err}`);
      return named(JSON.parse(out));
    },
    remove: () => rmSync(folder, { recursive: true }),
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
