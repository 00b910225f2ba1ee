// The states that are not the happy one: needs a key, refused, failed, stale, empty, paused; and
// the weight of a first view.
//
// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { violations } from "./helpers/axe.js";
import { closePage, openPage, settle } from "./helpers/browser.js";
import { until, withEngine } from "./helpers/setup.js";

const LIMIT = 300 * 1000; // bytes on the wire of a first view

describe("without a key", () => {
  const engine = withEngine({ needsKey: true });
  const expected = [/401/];

  it("public pages are read, and the rest is not offered", () =>
    engine.on("/", async (page) => {
      assert.equal(await page.locator("h1").innerText(), "Data tech stats");
      assert.equal(await page.getByRole("link", { name: "Fuel prices" }).count(), 0);
      assert.equal(await page.getByRole("link", { name: "Quarantine" }).count(), 0);
      assert.equal(await page.getByRole("link", { name: "Sign in" }).count(), 1);
    }));

  it("a place that needs one says so, with a field that signs in", () =>
    engine.on(
      "/overview",
      async (page) => {
        await page.getByText("This needs a key").waitFor();
        assert.deepEqual(await violations(page), []);
        await page.getByLabel("Key").fill("bad");
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.getByText("No such key, or it was revoked.").waitFor();
        await page.getByLabel("Key").fill("good");
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.getByText("Runs today").waitFor();
      },
      { expected },
    ));

  it("a key in the address signs in and leaves the address", () =>
    engine.on("/overview#key=good", async (page) => {
      await page.getByText("Runs today").waitFor();
      assert.equal(page.url(), `${engine.server.url}/overview`);
      assert.deepEqual(engine.asked("/api/v1/session", "POST")[0].body, { key: "good" });
    }));
});

describe("states", () => {
  const engine = withEngine();
  const answer = (path, status, body) =>
    engine.server.answers.set(`GET /api/v1/${path}`, () => [status, body]);
  const error = (code, message, hint) => ({ error: { code, message, hint } });
  const clear = () => engine.server.answers.clear();

  it("failed: the engine's words, its hint, and a way to try again", () => {
    answer(
      "overview",
      500,
      error("STORE_BUSY", "The store is locked.", "another program holds var/dts.db"),
    );
    return engine
      .on(
        "/overview",
        async (page) => {
          await page.getByText("another program holds var/dts.db").waitFor();
          clear();
          await page.getByRole("button", { name: "Try again" }).click();
          await page.getByText("Runs today").waitFor();
        },
        { expected: [/500/] },
      )
      .finally(clear);
  });

  it("refused: says which scope is needed", () => {
    answer("alerts", 403, error("SCOPE", "This needs a key with scope admin."));
    return engine
      .on(
        "/alerts",
        async (page) => {
          assert.match(
            await page.locator(".refused").innerText(),
            /This key may not do that[\s\S]*scope admin/,
          );
        },
        { expected: [/403/] },
      )
      .finally(clear);
  });

  it("stale: what is known stays, and says since when", () =>
    engine
      .on(
        "/alerts",
        async (page) => {
          await until(() => engine.server.streams.size > 0, "the stream");
          answer("alerts", 503, error("BUSY", "The engine is stopping."));
          engine.server.tell("run", { id: 1, pipeline: "x", state: "done" });
          await page.getByText(/Not refreshed since/).waitFor();
          assert.match(await page.locator("main").innerText(), /currency_gaps/);
        },
        { expected: [/503/] },
      )
      .finally(clear));

  it("nothing yet: what to type to get something", async () => {
    const none = { columns: [], rows: [] };
    answer("overview", 200, {
      runs_today: 0,
      failed_today: 0,
      open_gaps: 0,
      oldest_waiting_ms: null,
      pipelines: [],
    });
    for (const path of ["tables", "routes", "schedule", "alerts"]) answer(path, 200, []);
    for (const path of ["files", "quarantine", "runs"]) answer(path, 200, none);
    const typed = {
      overview: /dts new/,
      gaps: /gaps = \{/,
      files: /incoming/,
      events: /ingest = \{/,
      tables: /dts\.table/,
      api: /dts\.route/,
      schedule: /schedule = /,
      alerts: /dts\.alert/,
      runs: /dts run/,
      quarantine: /Nothing is in quarantine/,
    };
    try {
      for (const [place, pattern] of Object.entries(typed)) {
        await engine.on(`/${place}`, async (page) =>
          assert.match(await page.locator("main").innerText(), pattern),
        );
      }
    } finally {
      clear();
    }
  });

  it("is live, and pauses while it is hidden", () =>
    engine.on("/overview", async (page) => {
      await page.getByText("Live", { exact: true }).waitFor();
      const hide = (hidden) =>
        page.evaluate((value) => {
          Object.defineProperty(document, "hidden", { value, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }, hidden);
      await hide(true);
      await page.getByText("Paused").waitFor();
      await until(() => engine.server.streams.size === 0, "the stream closed");
      const before = engine.asked("/api/v1/overview").length;
      await hide(false);
      await until(() => engine.server.streams.size === 1, "the stream again");
      await until(() => engine.asked("/api/v1/overview").length > before, "fresh numbers");
    }));

  it("moves nothing while a page loads", async () => {
    const page = await openPage(engine.browser);
    await page.addInitScript(() => {
      globalThis.moved = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) globalThis.moved += entry.value;
      }).observe({ type: "layout-shift", buffered: true });
    });
    try {
      for (const path of ["/pages/trends", "/overview"]) {
        await page.goto(engine.server.url + path);
        await settle(page);
        await page.waitForTimeout(300);
        const moved = await page.evaluate(() => globalThis.moved);
        assert.ok(moved < 0.1, `layout of ${path} moved by ${moved.toFixed(3)}`);
      }
    } finally {
      await closePage(page);
    }
  });

  for (const path of ["/", "/overview"]) {
    it(`a first view of ${path} stays under 300 KB`, async () => {
      const page = await openPage(engine.browser);
      try {
        await page.goto(engine.server.url + path);
        await settle(page);
        const bytes = page.sent.reduce((a, b) => a + b, 0);
        assert.ok(bytes > 10_000 && bytes < LIMIT, `${bytes} bytes`);
        console.log(`first view of ${path}: ${bytes} bytes`);
      } finally {
        await closePage(page);
      }
    });
  }
});
