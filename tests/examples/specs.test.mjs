// What `dts test` gives to specs: every method at work, and what a spec that is wrong is told, word for word. Nothing is left
// behind: no process, no folder.
// SPDX-License-Identifier: MIT
import { after, before, describe, it } from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Page, skip } from "../docs/page.mjs";

const SETTINGS = 'return { timezone = "UTC", alerts = { to = { "mailto:a@b.example", "https://hook.example/x" } } }';
const SCRIPT = String.raw`
local dts = require "dts"
local bank = dts.source { name = "bank", url = "https://bank.example", headers = { Authorization = "Bearer {secret:TOKEN}" } }
dts.table { name = "rates", key = { "currency", "date" }, columns = { "currency text", "date date", "rate real not null" } }
dts.pipeline {
  name = "rates", schedule = "0 6 * * *", params = { base = "text = EUR" },
  run = function(ctx, params)
    dts.log("asking for", params.base)
    for _, r in ipairs(bank:get("/rates", { query = { base = params.base, day = ctx.date } }):json()) do
      ctx:put("rates", { currency = r.currency, date = ctx.date, rate = r.rate })
    end
  end,
}
dts.route { "GET /api/rates/{currency}", from = "rates", order = "-date", params = { limit = "integer = 10" }, public = true }
dts.pipeline { name = "files", files = "incoming/*.csv", run = function(ctx, file) ctx:put("rates", file:rows { into = "rates" }) end }
dts.pipeline { name = "hooks", ingest = { id = "id", wait = "1s" }, run = function(ctx, events)
  for _, e in ipairs(events) do ctx:put("rates", { currency = e.id, date = ctx.date, rate = e.data.rate }) end end }
dts.alert { name = "stale", every = "10m", hold = "0s", when = "select max(date) as last from rates having max(date) < :today_minus_3d" }
`;
const GOOD = String.raw`
local dts = require "dts"
local NOW = "2026-03-10T05:00:00Z"
describe("all verbs", function()
  it("schedule, rows, query, get, logs, requests", function()
    local t <close> = dts.test { now = NOW }
    t:http("bank", function(req) return { json = { { currency = "USD", rate = 1.1 } } } end)
    t:advance("30d")
    assert.equal(30, t:count("rates"))
    assert.equal(30, #t:requests("bank"))
    assert.equal("2026-03-10", t:requests()[1].query.day)
    assert.equal("asking for EUR", t:logs("rates")[1].message)
    local res = t:get("/api/rates/USD", { limit = 2 })
    assert.equal(200, res.status)
    assert.equal(2, #res:json())
    assert.equal(2, #t:query("rates", { date = { from = "2026-03-10", to = "2026-03-11" } }))
    assert.equal(0, #t:query("rates", { date = {} }))
    assert.equal("2026-04-08", t:query("rates", nil, { order = "-date", limit = 1, columns = { "date" } })[1].date)
    assert.equal(30, #t:query("dts_runs", { state = "done" }))
  end)
  it("nothing leaks", function()
    local t <close> = dts.test { now = NOW }
    assert.equal(0, t:count("rates"))
    assert.equal(0, #t:requests())
  end)
  it("files, events, enqueue", function()
    local t <close> = dts.test { now = NOW }
    t:file("x.csv", "currency,date,rate\nUSD,2026-03-01,1.5\n")
    assert.equal(1, t:count("rates"))
    t:emit("hooks", { id = "e1", rate = 3 })
    t:advance("2s")
    assert.equal(2, t:count("rates"))
    t:http("bank", { json = {} })
    t:enqueue("rates", { base = "BRL" })
    t:advance("1s")
    assert.equal("BRL", t:requests()[1].query.base)
  end)
  it("alerts", function()
    local t <close> = dts.test { now = NOW, alerts = true }
    t:http("bank", { json = {} })
    t:rows("rates", { currency = "USD", date = "2026-03-01", rate = 1 })
    t:advance("1h")
    assert.equal(2, #t:alerts())
  end)
  it("slow and failing", function()
    local t <close> = dts.test { now = NOW }
    t:http("bank", { delay = "10s", json = {} })
    assert.equal("done", t:run("rates").state)
    assert.equal("2026-03-10T05:00:10.000Z", t:sql("select :now as n")[1].n)
    t:http("bank", { delay = "1m", json = {} })
    local r = t:run("rates")
    assert.equal("HTTP_TIMEOUT", r.error.code)
    t:http("bank", { error = "connection refused" })
    r = t:run("rates")
    assert.equal("HTTP_NETWORK", r.error.code)
    t:http("bank", { status = 404, body = "gone" })
    assert.equal(404, t:run("rates").error.status)
    t:http("bank", { status = 429, headers = { ["Retry-After"] = 3600 } })
    r = t:run("rates")
    assert.equal("failed", r.state) -- by hand nothing is asked again
    assert.equal("HTTP_LATER", r.error.code)
    t:enqueue("rates")
    assert.equal("waiting", t:query("dts_jobs", { pipeline = "rates" }, { order = "-id", limit = 1 })[1].state)
    t:http("bank", { json = {} })
    t:advance("1h")
    assert.equal("done", t:query("dts_jobs", { pipeline = "rates" }, { order = "-id", limit = 1 })[1].state)
  end)
  it("two at once", function()
    local a <close>, b = dts.test { now = NOW }, nil
    local b <close> = dts.test { now = "2020-01-01" }
    a:http("bank", { json = { { currency = "A", rate = 1 } } })
    b:http("bank", { json = { { currency = "B", rate = 1 } } })
    a:run("rates") b:run("rates")
    assert.equal("A", a:query("rates")[1].currency) assert.equal("B", b:query("rates")[1].currency)
    assert.equal("2020-01-01", b:query("rates")[1].date)
  end)
end)
`;
const WRONG = String.raw`
local dts = require "dts"
local t
before_each(function() t = dts.test { now = "2026-03-10T05:00Z" } end)
it("a", function() t:run("rates") end)
it("b", function() t:http("bank", function(req) assert.equal("/x", req.path) end) t:run("rates") end)
it("c", function() t:http("bank", function(req) return req.nope.x end) t:run("rates") end)
it("d", function() t:http("bank", { jsno = 1 }) t:run("rates") end)
it("e", function() t:http("bank", { json = { { currency = "USD" } } }) t:run("rates") assert.equal(1, t:count("rates")) end)
it("f", function() t:adance("1d") end)
it("g", function() t:run("rate") end)
it("h", function() t:query("rates", { curency = 1 }) end)
it("i", function() t:count("ratse") end)
it("j", function() dts.test { nwo = 1 } end)
it("k", function() t:rows("rates", { currency = "x", date = "2026-13-01", rate = 1 }) end)
it("l", function() t:alerts() end)
it("m", function() t:file("gone.csv") end)
it("n", function() t:close() t:run("rates") end)
it("o", function() t:http("bank", { { rate = 1 } }) t:run("rates") end)
it("p", function() t:http("bank", { status = 404 }) error(tostring(t:run("rates").error)) end)
`;
const TOLD = [
  "5: the spec has no answer for GET https://bank.example/rates?base=EUR&day=2026-03-10\nt:http(\"bank\", function(req) return { json = {} } end)",
  "6: Expected objects to be equal.\nPassed in:\n(string) '/rates'", "7: attempt to index a nil value (field 'nope')",
  "8: t:http(\"bank\"): unknown field 'jsno'; did you mean 'json'?", "9: Expected objects to be equal.",
  "10: t: there is no 'adance'; did you mean 'advance'?", "11: there is no pipeline named 'rate'\ndid you mean 'rates'?",
  "12: unknown column 'curency'", "13: unknown table 'ratse'", "14: dts.test: unknown field 'nwo'; did you mean 'now'?",
  "15: column 'date' of table 'rates': a date YYYY-MM-DD expected, got \"2026-13-01\"",
  "16: t:alerts: no alert is looked at: say dts.test { alerts = true }", "17: t:file: the file 'gone.csv' cannot be read",
  "18: t:run: this test is closed",
  "19: t:http(\"bank\"): the fields of a reply expected, got a list\nto send it write json = { … }",
];

describe("dts test", { skip }, () => {
  let page;
  before(async () => {
    page = new Page();
    await page.begin();
    for (const folder of ["pipelines", "specs", "scratch"]) mkdirSync(join(page.folder, folder));
    writeFileSync(join(page.folder, "dts.lua"), SETTINGS);
    writeFileSync(join(page.folder, "pipelines/rates.lua"), SCRIPT);
    writeFileSync(join(page.folder, "specs/good_spec.lua"), GOOD);
    writeFileSync(join(page.folder, "specs/wrong_spec.lua"), WRONG);
  });
  after(() => page.end());

  it("passes what is right", async () => {
    const { status, output } = await page.type("TMPDIR=$PWD/scratch dts test specs/good_spec.lua");
    assert.equal(status, 0, output);
  });

  it("tells what is wrong, at its line", async () => {
    const { status, output } = await page.type("TMPDIR=$PWD/scratch dts test specs/wrong_spec.lua");
    assert.equal(status, 1);
    for (const words of TOLD) assert.ok(output.includes(`specs/wrong_spec.lua:${words}`), `${words}\n\n${output}`);
    assert.match(output, /wrong_spec\.lua:20: pipelines\/rates\.lua:\d+: GET \S+ answered 404 \[HTTP_STATUS\]/);
    assert.match(output, /note: the run of 'rates' had failed: pipelines\/rates\.lua:\d+: column 'rate': a value is required/);
  });

  it("takes a filter, and speaks to programs", async () => {
    assert.match((await page.type("dts test --filter 'nothing leaks'")).output, /1 success \/ 0 failures/);
    assert.equal(JSON.parse((await page.type("dts test --json specs/good_spec.lua")).output).failures.length, 0);
    assert.match((await page.type("dts test --junit specs/good_spec.lua")).output, /<testsuites .*tests='6'/);
    assert.notEqual((await page.type("dts test specs/gone_spec.lua")).status, 0);
  });

  it("leaves no folder behind", () => { assert.deepEqual(readdirSync(join(page.folder, "scratch")), []); });
});
