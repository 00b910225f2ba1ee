local dts = require "dts"

local gaps = { currency = {
  keys = { ["CURRENCY#USD"] = { code = 1 } }, since = "2026-02-02", to = "2026-02-06", refresh = "0d",
} }

describe("currency", function()
  it("asks once for each span and quarantines past the limit", function()
    local asked = {}
    local t <close> = dts.test { file = "pipelines/quotes.lua", now = "2026-03-10T10:00-03:00", gaps = gaps }
    t:rows("quotes", "specs/fixtures/two_holes.csv")
    t:http("bcb", function(req)
      asked[#asked + 1] = req.path .. " " .. req.query.from .. " " .. req.query.to
      return { json = {} }
    end)
    t:run("currency")
    assert.same({ "2026-02-03/2026-02-03", "2026-02-05/2026-02-06" }, t:spans("CURRENCY#USD"))
    assert.same({ "/series/1 2026-02-03 2026-02-03", "/series/1 2026-02-05 2026-02-06" }, asked)
    t:advance("30d")
    assert.equal(3, t:count("dts_quarantine"))
    assert.equal(2 * 6, #asked)
  end)

  it("defers without burning a retry when the source asks to wait", function()
    local calls = 0
    local t <close> = dts.test { file = "pipelines/quotes.lua", now = "2026-03-10T19:30-03:00", gaps = gaps }
    t:http("bcb", function(req)
      calls = calls + 1
      if calls == 1 then return { status = 429, headers = { ["Retry-After"] = "120" } } end
      return { json = { { date = req.query.from, value = 5.1 } } }
    end)
    t:advance("2h") -- the schedule fires at 20:00; by hand nothing would be asked again
    assert.equal(2, calls)
    assert.equal(0, t:count("dts_quarantine"))
    assert.equal(1, t:sql("select deferrals from dts_jobs order by id limit 1")[1].deferrals)
  end)

  it("shows a secret to nobody", function()
    local t <close> = dts.test { file = "pipelines/quotes.lua", now = "2026-03-10T10:00-03:00", gaps = gaps }
    t:http("bcb", function(req)
      assert.is_nil(req.headers.Authorization)
      return { json = {} }
    end)
    assert.equal("done", t:run("currency").state)
  end)
end)
