// What an operator does: finds what failed, looks at a date, releases and drops, uploads, asks.
//
// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { settle } from "./helpers/browser.js";
import { PHONE, until, withEngine } from "./helpers/setup.js";

describe("operations", () => {
  const engine = withEngine();

  it("lead from the overview to a failed run in two clicks", () =>
    engine.on("/overview", async (page) => {
      await page.getByRole("link", { name: /^Failed today/ }).click();
      await settle(page);
      assert.equal(engine.asked("/api/v1/runs").at(-1).query.get("state"), "failed");
      await page.locator("tbody a").first().click();
      await settle(page);
      const source = page.getByLabel("Source lines");
      assert.match(await source.locator(".at").innerText(), /ctx:put\("quotes"/);
      assert.match(await page.locator(".error-view").innerText(), /hint: |the source is down/);
      assert.equal(await page.evaluate(() => document.activeElement.id), "title");
    }));

  it("say which script failed to load, and that the last good version serves", () =>
    engine.on("/overview", async (page) => {
      const text = await page.locator(".fault", { hasText: "markets.lua" }).innerText();
      assert.match(text, /pipelines\/markets\.lua:31 failed to load/);
      assert.match(text, /last good version stays in service/);
      assert.match(await page.locator("tbody th").first().innerText(), /^markets/);
    }));

  it("say which roll-up keeps its old rows, and why", () =>
    engine.on("/overview", async (page) => {
      const text = await page.locator(".fault", { hasText: "fuel_week" }).innerText();
      assert.match(text, /^Roll-up fuel_week could not be brought up to date/);
      assert.match(text, /page\.lua:12: integer overflow[\s\S]*keeps its old rows/);
    }));

  it("tell the last runs in words to a screen reader", () =>
    engine.on("/overview", async (page) => {
      const row = page.locator("tr", {
        has: page.getByRole("link", { name: "currency", exact: true }),
      });
      assert.equal(
        await row.locator(".strip .sr").textContent(),
        "Last 30 runs: 28 done, 2 failed",
      );
    }));

  it("follow the log of a run that is running", () => {
    engine.server.answers.set("GET /api/v1/runs/7", () => [
      200,
      {
        id: 7,
        pipeline: "currency",
        trigger: "hand",
        state: "leased",
        started: new Date().toISOString(),
        ended: null,
        rows: null,
        version: "ab",
        steps: [],
        requests: [],
        attempts: [],
        error: null,
      },
    ]);
    engine.server.answers.set("GET /api/v1/runs/7/log", () => [
      200,
      [{ at: new Date().toISOString(), level: "info", message: "first line" }],
    ]);
    return engine
      .on("/runs/7", async (page) => {
        await page.getByText("first line").waitFor();
        assert.match(await page.locator(".facts").innerText(), /running/);
      })
      .finally(() => engine.server.answers.clear());
  });

  it("start a run and say so where it will be seen", () =>
    engine.on("/runs?pipeline=currency", async (page) => {
      await page.getByRole("button", { name: "Run currency now" }).click();
      await page.getByRole("status").getByText("Queued").waitFor();
      assert.match(page.url(), /\/runs\?pipeline=currency$/);
      assert.deepEqual(engine.asked("/api/v1/runs", "POST")[0].body, {
        pipeline: "currency",
        params: {},
      });
    }));

  it("hand in a file where a pipeline runs on files alone, and say how to mend a refusal", async () => {
    await engine.on("/runs?pipeline=pump_prices", async (page) => {
      assert.equal(await page.getByRole("button", { name: /^Run / }).count(), 0);
      await page.getByRole("link", { name: "Hand in a file" }).click();
      await page.getByText("Drop files here").waitFor();
    });
    await engine.on("/runs?pipeline=webhooks", async (page) => {
      assert.equal(await page.getByRole("button", { name: /^Run / }).count(), 0);
      assert.equal(await page.getByRole("link", { name: "Hand in a file" }).count(), 0);
    });
    engine.server.answers.set("POST /api/v1/runs", () => [
      422,
      { error: { code: "PARAMS", message: "'since' is missing", hint: "give since = DATE" } },
    ]);
    await engine
      .on(
        "/runs?pipeline=currency",
        async (page) => {
          await page.getByRole("button", { name: "Run currency now" }).click();
          await page.getByText("'since' is missing give since = DATE").waitFor();
        },
        { expected: [/422/] },
      )
      .finally(() => engine.server.answers.clear());
  });

  it("see which alert can tell nobody, and which was not looked at yet", () =>
    engine.on("/alerts", async (page) => {
      const first = await page.locator("tbody tr").first().innerText();
      assert.match(first, /prices_jump[\s\S]*not looked at yet/);
      assert.match(first, /cannot tell mailto:prices@example\.org: mail is not configured/);
      assert.equal(await page.getByText("cannot tell").count(), 1);
    }));

  for (const path of ["files", "runs", "quarantine", "alerts"])
    it(`show ${path} whole on a phone and at 1280 pixels`, async () => {
      for (const size of [PHONE, { width: 1280, height: 900 }])
        await engine.on(
          `/${path}`,
          async (page) => {
            const hidden = await page
              .locator(".table-frame")
              .evaluate((frame) => frame.scrollWidth - frame.clientWidth);
            assert.ok(hidden <= 0, `${hidden} pixels of ${path} are out of sight`);
            const rows = await page.locator("tbody tr").evaluateAll((all) =>
              all.map((row) => Math.max(...[...row.children].map((c) => c.getBoundingClientRect().right))),
            );
            assert.ok(Math.max(...rows) <= size.width, `a cell of ${path} reaches ${Math.max(...rows)}`);
          },
          { size },
        );
    });

  it("open a date of a series by a button and by a square", () =>
    engine.on("/gaps", async (page) => {
      await page.locator(".stretches button").first().click();
      await page.getByText("3, 3 failed retries").waitFor();
      const first = new URL(page.url()).searchParams.get("date");
      const box = await page.locator("svg.year").first().boundingBox();
      const cell = (13 / 701) * box.width;
      await page.mouse.click(box.x + cell * 5.5, box.y + (14 / 13) * cell + cell * 2.5); // a Wednesday in February
      await until(() => new URL(page.url()).searchParams.get("date") !== first, "another date");
      const day = new Date(new URL(page.url()).searchParams.get("date"));
      assert.equal(day.getUTCDay(), 3);
      assert.deepEqual(engine.asked("/api/v1/sql", "POST").at(-1).body.params.key, "CURRENCY#USD");
    }));

  it("release what is in quarantine, with a reason", () =>
    engine.on("/quarantine", async (page) => {
      await page.getByLabel("Choose 88").check();
      await page.getByLabel("Choose 87").check();
      await page.getByRole("button", { name: "Release" }).click();
      await page.getByText("Say why").waitFor();
      assert.equal(engine.asked("/api/v1/quarantine/release", "POST").length, 0);
      await page.getByLabel("Reason").fill("source is back");
      await page.getByRole("button", { name: "Release" }).click();
      await page.getByText("2 inputs released").waitFor();
      assert.deepEqual(engine.asked("/api/v1/quarantine/release", "POST")[0].body, {
        ids: [88, 87],
        reason: "source is back",
      });
    }));

  it("show what was tried of an input and who decided what, and lead to its runs", () =>
    engine.on("/quarantine?id=91", async (page) => {
      const tried = page.getByRole("list", { name: "Attempts" }).locator("li");
      assert.equal(await tried.count(), 3);
      assert.match(await tried.nth(1).innerText(), /^failed .* · run 410 · HTTP 503\n.*after 4 tries/);
      assert.doesNotMatch(await tried.nth(0).innerText(), /HTTP/);
      const decided = await page.getByRole("list", { name: "Decisions" }).innerText();
      assert.match(decided, /released by maria · .*\nthe file was sent anew/);
      await tried.nth(0).getByRole("link", { name: "run 411" }).click();
      await settle(page);
      assert.equal(new URL(page.url()).pathname, "/runs/411");
    }));

  it("lead from a run to the other attempts at its job", () =>
    engine.on("/runs/48208", async (page) => {
      const tried = page.getByRole("list", { name: "Attempts" }).locator("li");
      assert.match(await tried.nth(0).innerText(), /run 48205 · HTTP 503/);
      assert.match(await tried.nth(1).innerText(), /this run · HTTP 503 · 200 rows/);
      const facts = await page.locator(".facts").innerText();
      assert.match(facts, /911\s+waiting\s+next try/);
      await page.getByRole("link", { name: "911" }).click();
      await settle(page);
      assert.equal(engine.asked("/api/v1/runs").at(-1).query.get("job"), "911");
      await page.getByRole("button", { name: "Job 911" }).click();
      await until(() => engine.asked("/api/v1/runs").at(-1).query.get("job") === null, "all runs");
    }));

  it("drop everything chosen at once", () =>
    engine.on("/quarantine", async (page) => {
      await page.getByLabel("Choose all").check();
      await page.getByLabel("Reason").fill("test data");
      await page.getByRole("button", { name: "Drop" }).click();
      await page.getByText("4 inputs dropped").waitFor();
      assert.equal(engine.asked("/api/v1/quarantine/drop", "POST")[0].body.ids.length, 4);
    }));

  it("take a file, and refuse one that no pipeline wants with the patterns", () =>
    engine.on(
      "/files",
      async (page) => {
        const file = (name) => ({ name, mimeType: "text/csv", buffer: Buffer.from("a;b\n1;2\n") });
        await page
          .locator('input[type="file"]')
          .setInputFiles([file("pump-1.csv"), file("other.csv")]);
        await page.getByText("arrived whole").waitFor();
        await page
          .getByText("No pipeline wants 'other.csv'. Patterns: incoming/pump-*.csv")
          .waitFor();
        assert.equal(engine.asked("/upload/pump-1.csv", "PUT").length, 1);
      },
      { expected: [/409/] },
    ));

  it("filter and sort a table, with the SQL behind it", () =>
    engine.on("/tables/quotes", async (page) => {
      await page.getByLabel("Where").selectOption("info_type");
      await page.getByLabel("is", { exact: true }).fill("CURRENCY#USD");
      await page.getByRole("button", { name: "Filter" }).click();
      await page.getByRole("button", { name: "value" }).click();
      await until(
        () =>
          engine
            .asked("/api/v1/tables/quotes")
            .some(
              (r) =>
                r.query.get("order") === "-value" &&
                r.query.get("where.info_type") === "CURRENCY#USD",
            ),
        "the filtered rows",
      );
      assert.match(
        await page.locator(".section pre").innerText(),
        /where info_type = 'CURRENCY#USD'\norder by value desc/,
      );
    }));

  it("run SQL from the address of a colleague, explain a mistake, and guard formulas in CSV", () =>
    engine.on(
      "/sql?q=select+1",
      async (page) => {
        assert.equal(await page.getByLabel("Query").inputValue(), "select 1");
        await page.getByRole("button", { name: "Run" }).click();
        await page.getByText("2 rows in").waitFor();
        const [download] = await Promise.all([
          page.waitForEvent("download"),
          page.getByRole("button", { name: "Download CSV" }).click(),
        ]);
        assert.equal(
          readFileSync(await download.path(), "utf8"),
          "pipeline,runs,note\r\ncurrency,812,'=1+1\r\nwebhooks,90211,\r\n",
        );
        await page.getByLabel("Query").fill("select * form pump");
        await page.keyboard.press("Control+Enter");
        await page.getByText(`near "form": syntax error`).waitFor();
        assert.match(new URL(page.url()).search, /form\+pump/);
      },
      { expected: [/422/] },
    ));

  it("try a route with its parameters", () =>
    engine.on("/api", async (page) => {
      await page.getByRole("button", { name: /trend/ }).click();
      await page.getByLabel(/^owner/).fill("duck db");
      await page.getByLabel(/^name/).fill("duckdb");
      await page.getByLabel(/^every/).selectOption("month");
      await page.getByRole("button", { name: "Try it" }).click();
      await page.getByText("200 OK").waitFor();
      const asked = engine.server.requests.at(-1);
      assert.equal(asked.path, "/api/repos/duck%20db/duckdb/trend");
      assert.equal(asked.query.get("every"), "month");
      assert.match(await page.getByLabel("Answer").innerText(), /"gained": 204/);
    }));

  it("make a key that is shown once, and revoke one after asking again", () =>
    engine.on("/settings", async (page) => {
      await page.getByLabel("Name").fill("laptop");
      await page.getByLabel("May").selectOption("write");
      await page.getByRole("button", { name: "Add key" }).click();
      await page.getByText("dts_5f1c0e7a93b24d68").waitFor();
      assert.deepEqual(engine.asked("/api/v1/keys", "POST")[0].body, {
        name: "laptop",
        scopes: ["read", "write"],
      });
      await page.getByRole("button", { name: "Revoke" }).last().click();
      assert.equal(engine.asked("/api/v1/keys/ci", "DELETE").length, 0);
      await page.getByRole("button", { name: "Revoke ci for good" }).click();
      await until(() => engine.asked("/api/v1/keys/ci", "DELETE").length === 1, "the key gone");
    }));

  it("fold the navigation into a menu on a phone, reachable by keyboard", () =>
    engine.on(
      "/overview",
      async (page) => {
        assert.equal(await page.getByRole("link", { name: "Quarantine" }).isVisible(), false);
        await page.getByRole("button", { name: "Menu" }).focus();
        await page.keyboard.press("Enter");
        await page.locator("nav").getByRole("link", { name: "Quarantine" }).click();
        await settle(page);
        assert.equal(await page.locator("h1").innerText(), "Quarantine");
        assert.equal(await page.locator("nav").isVisible(), false);
      },
      { size: PHONE },
    ));
});
