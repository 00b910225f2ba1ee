-- Runs: what run(ctx, input) receives and what reaches the engine.
-- SPDX-License-Identifier: MIT

local fake = require "tests.specs.lua.fake"

local SCRIPT = [[
local dts = require "dts"
local ecb = dts.source { name = "ecb", url = "https://www.ecb.europa.eu/stats", rate = "5/s" }
dts.table { name = "rates", key = { "currency", "date" }, columns = { "currency text", "date date", "rate real -- x" } }
dts.pipeline {
  name = "p", schedule = "30 16 * * 1-5", params = { base = "text = EUR" },
  run = function(ctx, params)
    for _, r in ipairs(ecb:get("/daily.json", { query = { base = params.base } }):json().rates) do
      ctx:put("rates", { currency = r.c, date = ctx.date, rate = r.r })
    end
    for _, row in ipairs(dts.query("rates", { date = ctx.date }, { order = "-date" })) do dts.log("old", row) end
  end,
}
]]

describe("a run", function()
  after_each(fake.restore)

  it("gets, puts, asks and logs", function()
    local e = fake.run(SCRIPT, {
      http = function() return { status = 200, url = "https://x/daily.json", headers = {}, type = "application/json",
        body = '{"rates":[{"c":"USD","r":1.5},{"c":"BRL","r":5}]}' } end,
      query = function() return { columns = { "rate" }, rows = { { rate = 1 } } } end,
    }, { kind = "params", input = { base = "EUR" }, ctx = { date = "2024-02-29", run = 7, window = { to_ms = 0 } } })
    assert.same({ "http", { method = "GET", source = "ecb", path = "/daily.json", query = { base = "EUR" } } }, e.calls[1])
    assert.same({ "query", { table = "rates", where = { date = "2024-02-29" }, order = { "-date" } } }, e.calls[2])
    assert.equal(2, #e.rows)
    assert.same({ { currency = "BRL", date = "2024-02-29", rate = 5 } }, e.rows[2].rows)
    assert.same({ "log", { level = "info", message = 'old\t{"rate":1}' } }, e.sent[1])
  end)
end)
