-- SPDX-License-Identifier: MIT
local dts = require "dts"

local BERLIN = { temperature = { keys = { Berlin = { latitude = 52.52, longitude = 13.41 } },
  since = "2026-03-01", to = "2026-03-05", refresh = "0d" } }

describe("temperature", function()
  it("asks once for the days that are missing", function()
    local t <close> = dts.test { replay = "specs/fixtures/berlin.json", gaps = BERLIN }
    assert.equal("done", t:run("temperature").state)
    assert.same({ "2026-03-01/2026-03-05" }, t:spans("Berlin"))
    assert.equal(5, t:count("temperature"))
    assert.equal(14.2, t:get("/api/temperature/Berlin"):json()[2].warmest)
  end)

  it("leaves alone what is there, and tries a failed stretch again", function()
    local t <close> = dts.test { now = "2026-03-10T06:00Z", gaps = BERLIN }
    t:rows("temperature", { { town = "Berlin", date = "2026-03-01", warmest = 9 },
      { town = "Berlin", date = "2026-03-02", warmest = 8.5 } })
    t:http("open_meteo", { status = 503 })
    assert.equal("failed", t:run("temperature").state)
    local asked = t:requests("open_meteo")[1].query
    assert.equal("2026-03-03 to 2026-03-05", asked.start_date .. " to " .. asked.end_date)
    assert.equal(2, t:count("temperature"))
  end)
end)
