-- dts test   runs this: clock, network and store are in the spec's hands, and nothing leaves this machine.

local dts = require "dts"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

describe("rates", function()
  it("keeps one row for each currency and day", function()
    local t <close> = dts.test { file = "pipelines/rates.lua", now = "2026-03-10T17:00+01:00" }
    t:http("ecb", function(req)
      assert.equal("/eurofxref-daily.xml", req.path)
      return { body = read("specs/fixtures/eurofxref.xml"), headers = { ["content-type"] = "text/xml" } }
    end)
    t:run("rates")
    t:advance("16h")
    t:run("rates") -- the next morning the same file adds nothing: the date is that of the rates
    assert.equal(3, t:count("rates"))
    local row = t:query("rates", { currency = "USD" })[1]
    assert.equal("2026-03-10", row.date)
    assert.equal(1.0889, row.rate)
  end)

  it("writes nothing when the source answers with an error", function()
    local t <close> = dts.test { file = "pipelines/rates.lua", now = "2026-03-10T17:00+01:00" }
    t:http("ecb", function() return { status = 500 } end)
    assert.equal("failed", t:run("rates").state)
    assert.equal(0, t:count("rates"))
  end)
end)
