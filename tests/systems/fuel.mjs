// The system fuel for its tests: all its sources are one stand-in, which is told what goes wrong and what it was asked.
// SPDX-License-Identifier: MIT
import { after, before } from "node:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { start } from "../servers/start.mjs";
import { project, skip } from "./project.mjs";

const NAMES = ["bcb", "ptax", "ecb", "yahoo", "stooq", "anp", "vega"];
let sources;
before(async () => { if (!skip) sources = await start("sources"); });
after(async () => { await sources?.stop(); });

export const data = (name) => readFileSync(join(process.env.TEST_DATA, name), "utf8");
export const faults = (list) => fetch(`${sources.url}/_faults`, { method: "POST", body: JSON.stringify(list) });
export const take = async () => (await fetch(`${sources.url}/_requests`, { method: "DELETE" })).json();

export async function inProject(edits, use) {
  const p = project(Object.fromEntries(NAMES.map((name) => [name, sources.url])), edits);
  try {
    await faults([]);
    await take();
    await use(p);
  } finally {
    await p.remove();
  }
}
