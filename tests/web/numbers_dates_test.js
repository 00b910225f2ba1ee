// What a figure and a date look like on a chart: labels at the dates of points, digits that say
// something, and the column that tells of rows set aside only where there are some.
//
// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { column, DAY, iso, stamp, table } from "./fixtures/series.js";
import { overflowOf } from "./helpers/browser.js";
import { withEngine } from "./helpers/setup.js";

const sources = fileURLToPath(new URL("../../web/src", import.meta.url));
const { buildSync } = createRequire(new URL("../../web/package.json", import.meta.url))("esbuild");
const LOCALE = `Object.defineProperty(globalThis, "navigator",
  { value: { languages: ["en-GB"] } });`;
const EXPORTS = `export { dateLabels } from "./charts/dates"; export { modelOf, labelled } from
  "./charts/model"; export { withUnit } from "./charts/summary"; export * from "./format";
  export { cellText, decimalsOf } from "./parts/cell"; export { heatScale, heatSeries } from "./charts/heat";`;

describe("figures and dates", () => {
  let of;

  before(async () => {
    const { text } = buildSync({
      stdin: { contents: EXPORTS, resolveDir: sources, loader: "ts" },
      banner: { js: LOCALE },
      bundle: true,
      format: "esm",
      write: false,
      jsx: "automatic",
      jsxImportSource: "preact",
    }).outputFiles[0];
    of = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  });

  const model = (kind, days, type = "date") => {
    const columns = [column("at", type), column("n", "real")];
    const rows = days.map((day, i) => [day, i]);
    return of.modelOf({ kind, x: "at", y: "n" }, { columns, rows }, (ms) => ms);
  };
  const texts = (...args) => {
    const { customValues, formatter } = of.dateLabels(...args);
    return customValues.map((ms) => `${new Date(ms).toISOString().slice(0, 10)} ${formatter(ms)}`);
  };
  const from = (day, count, step) =>
    Array.from({ length: count }, (_, i) =>
      iso(Date.parse(day) + i * step * DAY),
    );
  const months = (count) =>
    Array.from({ length: count }, (_, i) => iso(Date.UTC(2025, i, 1)));

  it("label each bar at its own date", () =>
    assert.deepEqual(texts(model("bar", from("2026-08-31", 3, 7)), 600), [
      "2026-08-31 31 Aug",
      "2026-09-07 7 Sept",
      "2026-09-14 14 Sept",
    ]));

  it("label every n-th where all do not fit, and tell where the year turns", () =>
    assert.deepEqual(texts(model("bar", from("2026-12-07", 12, 7)), 60 + 4 * 68), [
      "2026-12-07 7 Dec 2026",
      "2026-12-28 28 Dec",
      "2027-01-18 18 Jan 2027",
      "2027-02-08 8 Feb",
    ]));

  it("label weekly and monthly lines at their points, months so that years are met", () => {
    assert.deepEqual(texts(model("line", from("2026-08-31", 2, 7)), 600), [
      "2026-08-31 31 Aug",
      "2026-09-07 7 Sept",
    ]);
    assert.deepEqual(texts(model("line", months(24)), 60 + 5 * 68), [
      "2025-01-01 Jan 2025",
      "2025-07-01 Jul",
      "2026-01-01 2026",
      "2026-07-01 Jul",
    ]);
  });

  it("leave room for the years of labels that are years apart", () =>
    assert.deepEqual(texts(model("line", from("2023-01-02", 40, 28)), 60 + 4 * 104), [
      "2023-01-02 2 Jan 2023",
      "2023-10-09 9 Oct",
      "2024-07-15 15 Jul 2024",
      "2025-04-21 21 Apr 2025",
    ]));

  it("label what a zoom shows", () => {
    const one = model("bar", from("2026-01-05", 40, 7));
    const [low, high] = [Date.parse("2026-03-01"), Date.parse("2026-03-12")];
    assert.deepEqual(texts(one, 600, low, high), ["2026-03-02 2 Mar", "2026-03-09 9 Mar"]);
  });

  it("say the day of hours where it begins", () => {
    const hours = ["2026-09-21T22:00:00Z", "2026-09-21T23:00:00Z", "2026-09-22T01:00:00Z"];
    assert.deepEqual(texts(model("bar", hours, "timestamp"), 600), [
      "2026-09-21 22:00\n21 Sept",
      "2026-09-21 23:00",
      "2026-09-22 01:00\n22 Sept",
    ]);
  });

  it("leave daily lines to round dates", () =>
    assert.equal(of.dateLabels(model("line", from("2026-01-01", 90, 1)), 600), undefined));

  it("have the unit behind the number, and no digits of binary fractions", () => {
    assert.equal(of.withUnit(888.0400000000001, "R$"), "888.04 R$");
    assert.equal(of.withUnit(0.1 + 0.2, "£"), "0.3 £");
    assert.equal(of.number(0.00001234), "0.00001234");
    assert.equal(of.number(12345.678), "12,346");
    assert.equal(of.decimalsOf([888.0400000000001, 2.5]), 2);
    assert.equal(of.cellText(888.0400000000001, column("sum", "json")), "888.04");
  });

  it("round the ends of a heatmap's scale", () => {
    const columns = ["x:text", "y:text", "v:real"];
    const rows = [["a", "b", -1 / 3], ["b", "b", 888.0412345]];
    const heat = of.modelOf({ kind: "heatmap", x: "x", y: "y", value: "v" }, table(columns, rows));
    const theme = { ramp: [], diverge: [] };
    assert.deepEqual(of.heatScale(heat, { theme }).text, ["888.04", "-888.04"]);
    const look = { theme, width: 600 };
    const figures = (values) => {
      const cells = table(columns, values.map((v, i) => [`c${i}`, "b", v]));
      const one = of.modelOf({ kind: "heatmap", x: "x", y: "y", value: "v" }, cells);
      return of.heatSeries(one, look).data.map((cell) => cell.label.formatter());
    };
    assert.deepEqual(figures([-2.7, -2, 0.5, -0.001]), ["-2.70", "-2.00", "0.50", "0.00"]);
    assert.deepEqual(figures([-3, 12]), ["-3", "12"]);
  });

  it("name a line at its end only beside others, and only whole", () => {
    const columns = ["at:date", "n:real", "by:text"];
    const lines = (...names) => {
      const rows = names.flatMap((name) => from("2026-01-01", 9, 7).map((d, i) => [d, i, name]));
      const chart = { kind: "line", x: "at", y: "n", by: "by" };
      return of.labelled(of.modelOf(chart, table(columns, rows), (ms) => ms));
    };
    assert.equal(lines("north", "south"), true);
    assert.equal(lines("north"), false);
    assert.equal(lines("north", "a name that is far too long for an edge"), false);
  });
});

describe("tables of runs and files", () => {
  const engine = withEngine();
  const FILE = ["id:integer", "name:text", "pipeline:text", "state:text", "rows:integer"];
  const REST = ["rejected:integer", "size:integer", "sha256:text", "at:timestamp", "error:text"];
  const error = `field 'price': number expected, got "n/d" (row 1187 of pump-2026-03-02.csv)`;
  const files = (rejected) => [
    [30, "pump-2026-03-02-southern-states-second-delivery.csv", "pump_prices", "quarantined", 0],
    [29, "pump-2026-02-23.csv", "pump_prices", "done", 48_211],
  ].map((row, i) => [
    ...row, i ? rejected : 0, 4_790_511, "591785b794601e212b", stamp(1e12), i ? null : error,
  ]);
  const answer = (rejected) =>
    engine.server.answers.set("GET /api/v1/files", () => [
      200,
      table([...FILE, ...REST], files(rejected)),
    ]);
  const heads = (page) => page.locator("thead th").allInnerTexts();

  it("show how many rows were set aside where some were", async () => {
    answer(0);
    await engine.on("/files", async (page) =>
      assert.equal((await heads(page)).includes("Set aside"), false));
    answer(3);
    await engine.on("/files", async (page) => {
      assert.equal((await heads(page)).includes("Set aside"), true);
      const last = page.locator("tbody tr").nth(1).locator("td");
      assert.equal(await last.nth(4).innerText(), "3");
    });
  });

  it("keep a file's error whole at 1280 pixels", async () => {
    answer(3);
    await engine.on("/files", async (page) => {
      assert.equal(await overflowOf(page), 0);
      assert.equal(await page.getByText(error).isVisible(), true);
      const hidden = await page
        .locator(".table-frame")
        .evaluate((frame) => frame.scrollWidth - frame.clientWidth);
      assert.ok(hidden <= 0, `${hidden} pixels of the table are out of sight`);
    });
  });
});
