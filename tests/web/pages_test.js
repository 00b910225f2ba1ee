// Declared pages: charts are drawn, filters move the address and the request, gaps stay gaps,
// tables and downloads open, and nothing that was ingested becomes markup.
//
// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { inkOf, settle } from "./helpers/browser.js";
import { until, withEngine } from "./helpers/setup.js";

const chart = (page, title) =>
  page.locator("figure.chart", { has: page.getByRole("heading", { name: title, exact: true }) });
const STARS = "/api/v1/pages/trends/charts/4";

describe("a declared page", () => {
  const engine = withEngine();

  it("draws every chart with points", () =>
    engine.on("/pages/trends", async (page) => {
      for (const [title, points] of [
        ["Stars", 767],
        ["Commits", 156],
        ["Forks against stars", 150],
        ["Stars gained by repository", 5],
        ["Commits by hour and weekday", 168],
      ]) {
        const canvas = chart(page, title).locator(".canvas");
        assert.equal(Number(await canvas.getAttribute("data-drawn")), points, title);
        await until(async () => (await inkOf(canvas)) > 500, `ink in ${title}`);
      }
    }));

  it("says unit, source and freshness", () =>
    engine.on("/pages/trends", async (page) => {
      const text = await chart(page, "Commits").innerText();
      assert.match(text, /commits a week/);
      assert.match(text, /repo_trend_week · 1 h 21 m ago/);
    }));

  it("shows a hole in the data as a hole, and tells it", () =>
    engine.on("/pages/trends", async (page) => {
      const told = await chart(page, "Stars").locator(".canvas").getAttribute("aria-label");
      assert.match(
        told,
        /^Line chart of 5 series, 767 points; from .* to .*; highest .* stars \(dbt-labs\/dbt-core, /,
      );
      assert.match(told, /1 gap in the data/);
    }));

  it("takes weekends of a weekday series for no hole", () =>
    engine.on("/pages/fuel", async (page) => {
      const told = await chart(page, "US dollar").locator(".canvas").getAttribute("aria-label");
      assert.match(told, /1 gap in the data/); // 31 readings were left out, once
    }));

  it("says which filter that is set does not reach a chart", async () => {
    await engine.on("/pages/trends?repo=duckdb%2Fduckdb", async (page) => {
      const told = page.getByText("not filtered by repo", { exact: true });
      assert.equal(await chart(page, "Repositories").locator(told).count(), 1);
      assert.equal(await chart(page, "Stars").locator(told).count(), 0);
    });
    await engine.on("/pages/trends", async (page) =>
      assert.equal(await page.getByText(/^not filtered/).count(), 0));
  });

  it("writes a multiple choice to the address and asks with it", () =>
    engine.on("/pages/trends", async (page) => {
      await page.getByText("All", { exact: true }).first().click();
      await page.getByRole("checkbox", { name: "duckdb/duckdb" }).check();
      await page.getByRole("checkbox", { name: "apache/arrow" }).check();
      await until(
        () => engine.asked(STARS).some((r) => r.query.getAll("repo").length === 2),
        "both repositories asked for",
      );
      assert.equal(new URL(page.url()).search, "?repo=duckdb%2Fduckdb&repo=apache%2Farrow");
      await settle(page);
      assert.match(
        await chart(page, "Stars").locator(".canvas").getAttribute("aria-label"),
        /2 series/,
      );
      const number = engine.asked("/api/v1/pages/trends/charts/0").at(-1);
      assert.equal(number.query.has("repo"), false, "a filter that does not apply was sent");
    }));

  it("reads its filters from the address", () =>
    engine.on(
      "/pages/trends?repo=duckdb%2Fduckdb&every=month&period.from=2026-01-01&archived=true",
      async (page) => {
        const { query } = engine.asked(STARS).at(-1);
        assert.deepEqual(
          [query.get("repo"), query.get("every"), query.get("period.from")],
          ["duckdb/duckdb", "month", "2026-01-01"],
        );
        assert.equal(await page.getByLabel("month").isChecked(), true);
        assert.equal(await page.getByRole("switch", { name: "Archived" }).isChecked(), true);
        assert.equal(await page.getByLabel("Period from").inputValue(), "2026-01-01");
      },
    ));

  it("gives a repository one colour on every chart, and keeps it when others are filtered away", () =>
    engine.on("/pages/trends", async (page) => {
      const colour = (title) =>
        chart(page, title)
          .locator(".legend button", { hasText: "pola-rs/polars" })
          .locator("i")
          .getAttribute("style");
      const before = await colour("Forks against stars");
      assert.match(before, /--series-3/);
      assert.equal(await colour("Commits"), before);
      await page.locator("details.many summary").click();
      await page.getByRole("checkbox", { name: "pola-rs/polars" }).check();
      const only = chart(page, "Stars").locator('.canvas[aria-label*="1 series"]');
      await only.waitFor();
      assert.equal(await colour("Stars"), before);
    }));

  it("hides a series by its name in the legend", () =>
    engine.on("/pages/trends", async (page) => {
      const one = chart(page, "Commits");
      const before = await inkOf(one.locator(".canvas"));
      await one.getByRole("button", { name: "apache/arrow" }).click();
      await until(async () => (await inkOf(one.locator(".canvas"))) < before, "less ink");
      assert.equal(
        await one.getByRole("button", { name: "apache/arrow" }).getAttribute("aria-pressed"),
        "false",
      );
    }));

  it("opens a chart as a table", () =>
    engine.on("/pages/trends", async (page) => {
      const one = chart(page, "Stars");
      await one.getByRole("button", { name: "Table" }).click();
      assert.ok((await one.locator("tbody tr").count()) >= 200);
      assert.deepEqual(await one.locator("th").allInnerTexts(), ["Period", "Repo", "Stars"]);
      await one.getByRole("button", { name: "Chart" }).click();
      await settle(page);
      await until(async () => (await inkOf(one.locator(".canvas"))) > 500, "the chart again");
    }));

  it("zooms by key and shows all again", () =>
    engine.on("/pages/trends", async (page) => {
      const one = chart(page, "Stars");
      await one.locator(".canvas").focus();
      await page.keyboard.press("+");
      await one.getByRole("button", { name: "Show all" }).click();
      await until(
        async () => (await one.getByRole("button", { name: "Show all" }).count()) === 0,
        "the whole range",
      );
    }));

  it("zooms by dragging over a range", () =>
    engine.on("/pages/trends", async (page) => {
      const one = chart(page, "Stars");
      await one.scrollIntoViewIfNeeded();
      const box = await one.locator(".canvas").boundingBox();
      await page.mouse.move(box.x + 200, box.y + 100);
      await page.mouse.down();
      await page.mouse.move(box.x + 420, box.y + 140, { steps: 6 });
      await page.mouse.up();
      await one.getByRole("button", { name: "Show all" }).waitFor();
    }));

  it("links to CSV with the filters, and saves a PNG", () =>
    engine.on("/pages/trends?repo=apache%2Farrow", async (page) => {
      const one = chart(page, "Stars");
      assert.equal(
        await one.getByRole("link", { name: "CSV" }).getAttribute("href"),
        `${STARS}?repo=apache%2Farrow&format=csv`,
      );
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        one.getByRole("button", { name: "PNG" }).click(),
      ]);
      assert.equal(download.suggestedFilename(), "trends-stars.png");
      const bytes = readFileSync(await download.path());
      assert.equal(bytes.subarray(1, 4).toString(), "PNG");
      assert.ok(bytes.length > 5000);
    }));

  it("keeps ingested text text, and links only checked addresses", () =>
    engine.on("/pages/trends", async (page) => {
      assert.equal(await page.locator("main img").count(), 0);
      assert.equal(await page.locator('a[href^="javascript"]').count(), 0);
      assert.equal(
        await chart(page, "Latest")
          .getByRole("link", { name: "https://duckdb.org" })
          .getAttribute("rel"),
        "noopener noreferrer nofollow",
      );
      assert.match(await chart(page, "Latest").innerText(), /<img src=x onerror=/);
    }));

  it("asks again when a table that it reads has changed, and only then", () =>
    engine.on("/pages/trends", async (page) => {
      await until(() => engine.server.streams.size > 0, "the stream");
      const before = engine.asked(STARS).length;
      engine.server.tell("change", { tables: ["pump"] });
      await page.waitForTimeout(600);
      assert.equal(engine.asked(STARS).length, before);
      engine.server.tell("change", { tables: ["repo_trend_week"] });
      await until(() => engine.asked(STARS).length === before + 1, "a fresh chart");
    }));

  it("draws 100,000 points within two seconds", () => {
    const rows = Array.from({ length: 100_000 }, (_, i) => [
      new Date(1.6e12 + i * 60_000).toISOString(),
      Math.sin(i / 900) * 50 + (i % 13),
    ]);
    engine.server.answers.set("GET /api/v1/pages/fuel/charts/2", () => [
      200,
      {
        columns: [
          { name: "at", type: "timestamp" },
          { name: "n", type: "real" },
        ],
        rows,
        fresh: null,
        source: ["hooks"],
      },
    ]);
    return engine
      .on("/pages/fuel", async (page) => {
        const canvas = chart(page, "Readings an hour").locator(".canvas");
        assert.equal(await canvas.getAttribute("data-drawn"), "100000");
        await canvas.focus();
        const ms = await page.evaluate(async () => {
          const start = performance.now();
          document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", { key: "+", bubbles: true }),
          );
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          return performance.now() - start;
        });
        assert.ok(ms < 2000, `zooming 100,000 points took ${ms.toFixed(0)} ms`);
      })
      .finally(() => engine.server.answers.clear());
  });
});
