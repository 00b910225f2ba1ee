// Every place renders, quietly, in light and dark and on a phone, and axe finds nothing serious.
//
// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { violations } from "./helpers/axe.js";
import { overflowOf } from "./helpers/browser.js";
import { PHONE, withEngine } from "./helpers/setup.js";

const PLACES = [
  ["/", "Data tech stats", "Stars gained"],
  ["/pages/trends", "Data tech stats", "Stars, forks and releases"],
  ["/pages/fuel", "Fuel prices", "Price at the pump"],
  ["/overview", "Overview", "every day at 06:00 São Paulo"],
  ["/runs", "Runs", "48213"],
  ["/runs/48208", "currency, run 48208", "tried 4 times"],
  ["/gaps", "Gaps", "CURRENCY#USD"],
  ["/quarantine?id=91", "Quarantine", "GASOLINA"],
  ["/files", "Files", "pump-2026-03-09.csv"],
  ["/events", "Events", "/sender/login"],
  ["/tables", "Tables", "Prices at the pump, as surveyed each week"],
  ["/tables/quotes", "quotes", "9,007,199,254,740,993"],
  ["/tables/quotes?view=group", "quotes", "group by date"],
  ["/sql", "SQL", "Ctrl + Enter"],
  ["/api?route=GET+/api/repos/{owner}/{name}/trend", "API", "needs a key"],
  ["/schedule", "Schedule", "clock change"],
  ["/alerts", "Alerts", "firing"],
  ["/settings", "Settings", "sqlite:var/dts.db"],
  ["/nowhere", "Nothing here", "There is no place at /nowhere"],
];

describe("each place", () => {
  const engine = withEngine();
  for (const [path, title, text] of PLACES) {
    it(`${path} renders and is sound in light`, () =>
      engine.on(path, async (page) => {
        assert.equal(await page.locator("h1").innerText(), title);
        assert.match(await page.title(), new RegExp(`^${title} · Demo project$`));
        const main = await page.locator("main").innerText();
        assert.ok(
          main.includes(text) || (await page.locator("main").textContent()).includes(text),
          `${text} is not in ${main}`,
        );
        assert.deepEqual(await violations(page), []);
        assert.ok((await overflowOf(page)) <= 0, "the page scrolls sideways at 1280");
      }));
    it(`${path} is sound in dark`, () =>
      engine.on(path, async (page) => assert.deepEqual(await violations(page), []), {
        scheme: "dark",
      }));
    it(`${path} fits a phone`, () =>
      engine.on(
        path,
        async (page) => {
          assert.ok((await overflowOf(page)) <= 0, "the page scrolls sideways at 375");
          assert.deepEqual(await violations(page), []);
        },
        { size: PHONE },
      ));
  }
});
