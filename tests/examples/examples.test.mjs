// Each example is a whole project: it passes `dts check`, and does what its README says. The demo is run to its end, on
// the made-up figures and, where the test data are, on real ones.
// SPDX-License-Identifier: MIT
import { after, before, describe, it } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Page, PROGRAM, skip } from "../docs/page.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const NAMES = readdirSync(join(ROOT, "examples")).filter((name) => existsSync(join(ROOT, "examples", name, "dts.lua")));

async function example(name) {
  const page = new Page();
  await page.begin();
  cpSync(join(ROOT, "examples", name), page.folder, { recursive: true, filter: (path) => !/\/(var|incoming)$/.test(path) });
  mkdirSync(join(page.folder, "incoming"), { recursive: true });
  return page;
}

async function until(page, command, pattern) {
  for (let tries = 0; tries < 100; tries++) {
    const { output } = await page.type(command);
    if (pattern.test(output)) return;
    await new Promise((done) => { setTimeout(done, 100); });
  }
  assert.match((await page.type(command)).output, pattern);
}

for (const name of NAMES) {
  it(`${name} passes its check`, { skip }, async () => {
    const page = await example(name);
    const { status, output } = await page.type("dts check");
    await page.end();
    assert.equal(status, 0, output);
  });
}

for (const name of NAMES.filter((folder) => existsSync(join(ROOT, "examples", folder, "specs")))) {
  it(`${name} passes its specs, and leaves nothing behind`, { skip }, async () => {
    const page = await example(name);
    const { status, output } = await page.type("dts test");
    await page.end();
    assert.equal(status, 0, output);
    assert.match(output, / 0 failures \/ 0 errors \/ 0 pending/);
  });
}

describe("sales", { skip }, () => {
  let page;
  before(async () => { page = await example("sales"); await page.serve(); });
  after(() => page.end());

  it("takes up a file that arrives, and its weeks", async () => {
    await page.type("cp sample/sales-north.csv incoming/");
    await until(page, "dts sql --json 'select shop, total from sales order by day'", /1120\.5[^]*980/);
    const { output } = await page.type("curl -sS localhost:8080/api/towns");
    assert.match(output, /"town":"Lübeck","period":"2026-03-02","total":2100\.5/);
  });

  it("sets a broken file aside with its line, and stores nothing of it", async () => {
    await page.type("cp sample/sales-broken.csv incoming/");
    await until(page, "dts quarantine list", /sales-broken\.csv/);
    assert.match((await page.type("dts quarantine list --json")).output, /"n\/a"|n\/a/);
    assert.match((await page.type("dts sql --json \"select count(*) as n from sales where shop = 'south'\"")).output, /\b0\b/);
  });
});

const SOURCES = { "made-up figures": "", "real figures": process.env.TEST_DATA };
for (const [figures, folder] of Object.entries(SOURCES)) {
  const why = skip || (folder === undefined && "TEST_DATA is not set: there are no real figures");
  it(`the demo comes to its end on ${figures}`, { skip: why }, () => {
    const env = { ...process.env, DTS: PROGRAM, TEST_DATA: folder };
    const { status, stdout, stderr } = spawnSync("bash", [join(ROOT, "examples/demo.sh"), "--once"], { env, encoding: "utf8", timeout: 180000 });
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /answered: \/api\/v1\/overview\n$/);
  });
}
