// Starts the system's Chromium without anything that calls home, and opens pages that remember
// what went wrong in them: errors on the console, uncaught faults, requests that failed.
//
// SPDX-License-Identifier: MIT
import { chromium } from "playwright-core";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export async function startBrowser() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: FLAGS });
}

// Opens a page at `size`, in `scheme` light or dark. `page.faults` holds what it complained of;
// `page.sent` the bytes that each reply took on the wire.
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({
    viewport: options.size ?? { width: 1280, height: 900 },
    colorScheme: options.scheme ?? "light",
    locale: options.locale ?? "en-GB",
    timezoneId: options.timezone ?? "Europe/Berlin",
    acceptDownloads: true,
  });
  const page = await context.newPage();
  page.faults = [];
  page.sent = [];
  page.on("console", (message) => message.type() === "error" && page.faults.push(message.text()));
  page.on("pageerror", (error) => page.faults.push(String(error)));
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  cdp.on("Network.loadingFinished", (e) => page.sent.push(e.encodedDataLength));
  return page;
}

export async function closePage(page) {
  await page.context().close();
}

// Goes to an address and waits until its shapes of loading are gone and its charts are drawn.
export async function visit(page, url) {
  await page.goto(url, { waitUntil: "load" });
  await settle(page);
}

export async function settle(page) {
  await page.waitForSelector("h1");
  await page.waitForFunction(() => {
    const loading = document.querySelector("main .skeleton");
    const undrawn = document.querySelector(".canvas:not([data-drawn])");
    return !loading && !undrawn;
  });
}

// How many points of a canvas differ from its ground: 0 means that nothing was drawn.
export async function inkOf(locator) {
  return locator.evaluate((frame) => {
    let ink = 0;
    for (const canvas of frame.querySelectorAll("canvas")) {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] < 100) continue;
        const [max, min] = [
          Math.max(data[i], data[i + 1], data[i + 2]),
          Math.min(data[i], data[i + 1], data[i + 2]),
        ];
        if (max - min > 40) ink++; // coloured, not grey text
      }
    }
    return ink;
  });
}

export async function overflowOf(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.body.clientWidth);
}
