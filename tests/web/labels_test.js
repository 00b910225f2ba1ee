// Where names stand in charts: apart from one another, and all of them where they fit.
//
// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("../../web/src/charts/labels.ts", import.meta.url));
const { buildSync } = createRequire(new URL("../../web/package.json", import.meta.url))("esbuild");

describe("names in charts", () => {
  let apart, along;

  before(async () => {
    const options = { entryPoints: [source], bundle: true, format: "esm", write: false };
    const { text } = buildSync(options).outputFiles[0];
    ({ apart, along } = await import(`data:text/javascript,${encodeURIComponent(text)}`));
  });

  it("stay where they are when they do not meet", () =>
    assert.deepEqual(apart([100, 20, 60], 15, 0, 200), [100, 20, 60]));

  it("move apart evenly, in their order", () =>
    assert.deepEqual(apart([100, 102], 15, 0, 200), [93.5, 108.5]));

  it("push on to a third", () =>
    assert.deepEqual(apart([50, 50, 60], 15, 0, 200), [38.333333333333336, 53.333333333333336, 68.33333333333334]));

  it("do not leave the chart", () => {
    assert.deepEqual(apart([0, 1], 15, 6, 200), [6, 21]);
    assert.deepEqual(apart([199, 200], 15, 6, 200), [185, 200]);
  });

  it("are none the less found when there are more than fit", () =>
    assert.deepEqual(apart([1, 2, 3], 15, 6, 20), [6, 21, 36]));

  it("stand level where they fit, are turned where they do not, and else are thinned", () => {
    assert.deepEqual(along(["N", "NE", "SE"], 300), { interval: 0, rotate: 0 });
    assert.deepEqual(along(Array(10).fill("CURRENCY#USD"), 400), { interval: 0, rotate: 45 });
    assert.deepEqual(along(Array(20).fill("CURRENCY#USD"), 400), { interval: 0, rotate: 90 });
    assert.deepEqual(along(Array(100).fill("CURRENCY#USD"), 400), { interval: "auto", rotate: 0 });
  });
});
