// The manual is followed as a reader would: its scripts are saved, its commands typed, and what they print compared with
// what the page shows. See manual.mjs for the marks; a Lua block without a mark must at least be Lua.
// SPDX-License-Identifier: MIT
import { after, before, describe, it } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { matches, steps } from "./manual.mjs";
import { Page, skip } from "./page.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGES = ["README.md", ...readdirSync(`${ROOT}docs`).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)];

function isLua(text) {
  const { status, stderr } = spawnSync("luac5.4", ["-p", "-"], { input: text, encoding: "utf8" });
  assert.equal(status, 0, stderr);
}

async function follow(page, step, last) {
  if (step.kind === "prints") return assert.ok(matches(step.text, last.output), `expected:\n${step.text}\nprinted:\n${last.output}`);
  if (step.kind === "run" || step.kind === "fails") {
    Object.assign(last, await page.type(step.text));
    if (step.kind === "run") return assert.equal(last.status, 0, last.output);
    return assert.ok(last.status > 0, `it ended well: ${last.output}`);
  }
  if (step.kind === "beside") return page.beside(step.text);
  return page[step.kind](...(step.argument ? [step.argument, step.text] : []));
}

for (const name of PAGES) {
  const list = steps(ROOT + name);
  const marked = list.filter((step) => step.kind !== "block");
  for (const step of list.filter((s) => s.language === "lua")) it(`${name}:${step.line} is Lua`, () => isLua(step.text));
  if (marked.length === 0) continue;
  describe(name, { skip }, () => {
    const page = new Page();
    const last = {};
    before(() => page.begin());
    after(() => page.end());
    for (const step of marked) it(`line ${step.line}: ${step.kind} ${step.argument}`, () => follow(page, step, last));
  });
}

it("compares what is printed with what is shown", () => {
  assert.ok(matches("a … c\n…\nlast\n", "a b c\nx\ny\nlast\n"));
  assert.ok(matches("a\n…\nb\n", "a\nb\n"));
  assert.ok(!matches("a\nb\n", "a\nx\nb\n"));
  assert.ok(!matches("a …\n", "b 1\n"));
  assert.ok(matches("\x1b[1mbold\x1b[0m (1.5)\n", "bold (1.5)"));
});
