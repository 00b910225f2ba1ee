// One server and one browser for a test program; each test gets a page that must end without a
// complaint on its console.
//
// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { closePage, openPage, settle, startBrowser } from "./browser.js";
import { startServer } from "./server.js";

// `options` go to the server. Returns an object whose `server` and `browser` are there in tests.
export function withEngine(options) {
  const at = { server: null, browser: null };
  before(async () => {
    at.server = await startServer(options);
    at.browser = await startBrowser();
  });
  after(async () => {
    await at.browser?.close();
    await at.server?.stop();
  });
  // Opens `path`, runs `work(page)`, closes. `expected` complaints are patterns that may appear.
  at.on = async (path, work, { expected = [], ...page } = {}) => {
    at.server.requests.length = 0;
    const opened = await openPage(at.browser, page);
    try {
      await opened.goto(at.server.url + path);
      await settle(opened);
      await work(opened);
      const faults = opened.faults.filter(
        (text) => !expected.some((pattern) => pattern.test(text)),
      );
      assert.deepEqual(faults, [], `the console of ${path} complains`);
    } finally {
      await closePage(opened);
    }
  };
  at.asked = (path, method = "GET") =>
    at.server.requests.filter((r) => r.path === path && r.method === method);
  return at;
}

// Waits until `probe` is true, for what happens after a request that the page does not show.
export async function until(probe, what, ms = 5000) {
  const end = Date.now() + ms;
  while (!(await probe())) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}

export const PHONE = { width: 375, height: 760 };
